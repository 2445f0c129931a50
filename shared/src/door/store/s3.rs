//! A store in a bucket of an S3 server: Amazon's, or any that speaks the protocol.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;
use tokio::sync::OnceCell;

use super::{PAGE, Store, StoreError, Version, check, check_prefix};
use failure::Failure;
pub use patience::Patience;
use presence::Listings;
pub use settings::S3Settings;

mod download;
mod endpoint;
mod failure;
mod patience;
mod presence;
mod replace;
mod settings;
mod upload;

/// Objects in a bucket, below a prefix.
///
/// A request that fails for a moment is repeated ([`Patience`]). What is refused, is refused at once; so is, with
/// credentials that may not list the bucket (`s3:ListBucket`), the read of a key that is not there: S3 does not tell such
/// a caller that it is missing. Whoever is to find out what is missing needs that permission on the prefix.
pub struct S3Store {
    client: Client,
    bucket: String,
    /// Empty, or ending in a slash.
    prefix: String,
    patience: Patience,
    /// Whether an answer has shown that there is such a bucket: the answer to a HEAD cannot say that there is none.
    bucket_seen: AtomicBool,
    /// When many keys are looked for by listing them.
    listings: Listings,
    /// Whether the server honours conditions on a PUT, once that was tried.
    conditional: OnceCell<bool>,
}

impl S3Store {
    /// The store that `url`, `s3://BUCKET/PREFIX`, names. Nothing is asked of the server yet.
    ///
    /// The URL may end in `?endpoint=URL&region=…&profile=…&path-style=true`, each of which may be left out and stands
    /// over `settings`, as `settings` stand over the AWS variables and files.
    ///
    /// # Errors
    /// A malformed URL, or no region and no endpoint.
    pub async fn open(url: &str, mut settings: S3Settings) -> Result<Self, StoreError> {
        let place = settings::parse(url.strip_prefix("s3:").unwrap_or_default(), &mut settings)?;
        Ok(Self {
            client: settings::client(&settings).await?,
            bucket: place.bucket,
            prefix: place.prefix,
            patience: settings.patience,
            bucket_seen: AtomicBool::new(false),
            listings: Listings::default(),
            conditional: OnceCell::new(),
        })
    }

    /// The key in the bucket.
    fn full(&self, key: &str) -> Result<String, StoreError> {
        Ok([&self.prefix, check(key)?].concat())
    }

    fn error(&self, failure: Failure) -> StoreError {
        failure.into_error(&self.bucket)
    }

    /// One page of a listing: keys of the bucket that start with `prefix` and sort after `after`, and whether there are
    /// more.
    async fn page(&self, prefix: &str, after: Option<&str>, size: usize) -> Result<(Vec<String>, bool), Failure> {
        let answer = self.patience.ask("list", || async {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let request = request.set_start_after(after.map(str::to_owned)).max_keys(size as i32);
            // So that a key with a character that XML cannot hold, which is none of ours, does not spoil the page.
            let request = request.encoding_type(EncodingType::Url);
            self.patience.limit(0, async { Ok(request.send().await?) }).await
        });
        let page = answer.await.value?;
        self.bucket_seen.store(true, Ordering::Relaxed);
        let more = page.is_truncated().unwrap_or(false);
        let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
        Ok((keys.map(|key| decoded(&key)).collect(), more))
    }
}

#[async_trait]
impl Store for S3Store {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.versioned(key).await?.map(|(object, _)| object))
    }

    async fn put(&self, key: &str, object: Vec<u8>) -> Result<(), StoreError> {
        let key = self.full(key)?;
        self.upload(&key, object.into()).await.map_err(|failure| self.error(failure))
    }

    async fn present(&self, keys: &[String]) -> Result<Vec<bool>, StoreError> {
        let keys = keys.iter().map(|key| self.full(key)).collect::<Result<Vec<_>, _>>()?;
        self.presence(&keys).await.map_err(|failure| self.error(failure))
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        let prefix = [&self.prefix, check_prefix(prefix)?].concat();
        let mut after = after.map(|after| [&self.prefix, after].concat());
        let mut found = Vec::new();
        // A page may hold keys that are not ours: whatever somebody else put here.
        loop {
            let page = self.page(&prefix, after.as_deref(), PAGE - found.len()).await;
            let (keys, more) = page.map_err(|failure| self.error(failure))?;
            after = keys.last().cloned();
            let ours = keys.iter().filter_map(|key| key.strip_prefix(&self.prefix));
            found.extend(ours.filter(|key| check(key).is_ok()).map(str::to_owned));
            if !more || after.is_none() || found.len() >= PAGE {
                found.truncate(PAGE);
                return Ok(found);
            }
        }
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let key = self.full(key)?;
        self.delete(&key).await.map_err(|failure| self.error(failure))
    }

    async fn versioned(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        let key = self.full(key)?;
        match self.download(&key).await {
            Ok((object, tag)) => Ok(Some((object, Version(tag)))),
            Err(Failure::Absent) => Ok(None),
            Err(failure) => Err(self.error(failure)),
        }
    }

    async fn replace(&self, key: &str, object: Vec<u8>, seen: Option<&Version>) -> Result<bool, StoreError> {
        let key = self.full(key)?;
        let seen = seen.map(|version| version.0.as_str());
        self.exchange(&key, object.into(), seen).await.map_err(|failure| self.error(failure))
    }

    /// Known after [`S3Store::probe`] or the first [`Store::replace`]; `false` until then.
    fn is_conditional(&self) -> bool {
        self.conditional.get() == Some(&true)
    }
}

/// A key with its `%XX` decoded. Servers that do not encode are no trouble: no key of ours has a `%`.
fn decoded(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let encoded = if *first == b'%' { after.get(..2) } else { None };
        match encoded.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_listing_are_decoded() {
        assert_eq!(decoded("layers/sha256%3Aab/x"), "layers/sha256:ab/x");
        assert_eq!(decoded("a%"), "a%");
        assert_eq!(decoded("a%2"), "a%2");
        assert_eq!(decoded("a%zz%2Fb"), "a%zz/b");
        assert_eq!(decoded("%ff"), "\u{fffd}");
    }

    #[tokio::test]
    async fn urls_are_read_and_never_repeat_a_secret() {
        let settings = || S3Settings { endpoint: Some("http://127.0.0.1:1".into()), ..S3Settings::default() };
        let open = async |url: &str| S3Store::open(url, settings()).await;
        for (url, prefix) in [("s3://b", ""), ("s3://b/", ""), ("s3://b/p", "p/"), ("s3://b/p/q/", "p/q/")] {
            let store = open(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!((store.bucket.as_str(), store.prefix.as_str()), ("b", prefix), "{url}");
        }
        for url in ["s3:b", "s3://", "s3:///p", "s3://b/../c", "s3://b/a b", "s3://b?endpoint=ftp://x", "s3://b?x=y"] {
            assert!(open(url).await.is_err(), "{url}");
        }
        let error = open("s3://me:canary@b/p").await.err().expect("refused").to_string();
        assert!(!error.contains("canary") && error.contains("AWS_PROFILE"), "{error}");
    }
}
