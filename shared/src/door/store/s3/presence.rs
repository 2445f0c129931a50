//! Which of many keys there are, by asking for each or by listing.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::S3Store;
use super::failure::Failure;
use crate::door::store::{PAGE, WORTH_A_PAGE};

/// How many keys are asked for at once.
const AT_ONCE: usize = 64;
/// Fewer keys than this are asked for one by one.
const WORTH_LISTING: usize = 48;
/// After a listing that was not worth it, so many times it is not tried, and after the next one twice as many: the store is
/// larger than what is wanted of it.
const WITHOUT_LISTING: u32 = 30;
const LONGEST_WITHOUT: u32 = 2_000;

/// When listing is tried: counts of looks for many keys.
#[derive(Default)]
pub(super) struct Listings {
    /// How many more go without.
    left: AtomicU32,
    /// How many the last listing in vain made go without.
    pause: AtomicU32,
}

impl Listings {
    fn are_due(&self) -> bool {
        self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }

    fn were_in_vain(&self) {
        let pause = (2 * self.pause.load(Ordering::Relaxed)).clamp(WITHOUT_LISTING, LONGEST_WITHOUT);
        self.pause.store(pause, Ordering::Relaxed);
        self.left.store(pause, Ordering::Relaxed);
    }

    fn were_worth_it(&self) {
        self.pause.store(0, Ordering::Relaxed);
    }
}

impl S3Store {
    /// Which of these keys of the bucket there are.
    ///
    /// Many keys are looked for in listings: in order, page by page, as long as a page settles enough of them. Wanted keys
    /// that are few among many others are thus soon asked for one by one.
    pub(super) async fn presence(&self, keys: &[String]) -> Result<Vec<bool>, Failure> {
        let mut present = vec![false; keys.len()];
        let mut open: Vec<usize> = (0..keys.len()).collect();
        if keys.len() >= WORTH_LISTING && self.listings.are_due() {
            open.sort_unstable_by_key(|index| keys[*index].as_str());
            open = self.look_in_listings(keys, open, &mut present).await?;
        }
        let asked =
            open.into_iter().map(|index| async move { Ok::<_, Failure>((index, self.head(&keys[index]).await?)) });
        let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        while let Some((index, is_present)) = answers.try_next().await? {
            present[index] = is_present;
        }
        Ok(present)
    }

    /// Settles what listing is good for; the indices, in the order of their keys, that are left.
    async fn look_in_listings(
        &self,
        keys: &[String],
        mut open: Vec<usize>,
        present: &mut [bool],
    ) -> Result<Vec<usize>, Failure> {
        // The end of the last page: everything up to it is settled.
        let mut end: Option<String> = None;
        while open.len() >= WORTH_LISTING {
            let first = keys[open[0]].as_str();
            let directory = &first[..=self.prefix.len() + first[self.prefix.len()..].find('/').unwrap_or(0)];
            let directory = if directory.ends_with('/') { directory } else { self.prefix.as_str() };
            // Just before the first key, so that it is on the page if it is there.
            let before = first[..first.len() - 1].to_owned();
            let after = end.take().filter(|end| *end > before).unwrap_or(before);
            let (page, more) = match self.page(directory, Some(&after), PAGE).await {
                // Credentials that may not list may still ask.
                Err(Failure::Refused(_)) => return Ok(open),
                page => page?,
            };
            let last = page.last().filter(|_| more).cloned();
            let is_settled =
                |key: &str| key.starts_with(directory) && last.as_ref().is_none_or(|last| key <= last.as_str());
            let settled = open.iter().take_while(|index| is_settled(&keys[**index])).count();
            for index in open.drain(..settled) {
                present[index] = page.binary_search(&keys[index]).is_ok();
            }
            if settled < WORTH_A_PAGE.max(open.len() / 2) {
                self.listings.were_in_vain();
                return Ok(open);
            }
            end = last;
        }
        self.listings.were_worth_it();
        Ok(open)
    }

    /// Whether there is such an object.
    async fn head(&self, key: &str) -> Result<bool, Failure> {
        match self.tag_of(key).await {
            Ok(_) => Ok(true),
            // No such key, or no such bucket: the answer to a HEAD has no body to tell, that to a GET has.
            Err(Failure::Absent) if !self.bucket_seen.load(Ordering::Relaxed) => match self.download(key).await {
                Ok(_) => Ok(true),
                Err(Failure::Absent) => Ok(false),
                Err(failure) => Err(failure),
            },
            Err(Failure::Absent) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The entity tag of an object.
    pub(super) async fn tag_of(&self, key: &str) -> Result<String, Failure> {
        let send = || async {
            let request = self.client.head_object().bucket(&self.bucket).key(key);
            let answer = self.patience.limit(0, async { Ok(request.send().await?) }).await?;
            answer.e_tag.ok_or_else(|| Failure::again("an object without an entity tag"))
        };
        self.patience.ask("head", send).await.value
    }
}
