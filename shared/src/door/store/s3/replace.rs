//! Replacing an object that nobody else has replaced: in one step where the server honours conditions, else by looking
//! first.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;

use super::S3Store;
use super::failure::Failure;
use super::patience::Answer;
use crate::door::store::StoreError;

impl S3Store {
    /// Finds out whether the server honours conditions on a PUT, unless that is known: some overwrite whatever is there.
    /// It is tried on a small object below `probe/`, which is removed. Where these credentials may not write there, the
    /// answer is no.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn probe(&self) -> Result<bool, StoreError> {
        self.honours_conditions().await.map_err(|failure| self.error(failure))
    }

    async fn honours_conditions(&self) -> Result<bool, Failure> {
        self.conditional.get_or_try_init(|| self.try_conditions()).await.copied()
    }

    async fn try_conditions(&self) -> Result<bool, Failure> {
        let key = format!("{}probe/{:016x}", self.prefix, RandomState::new().hash_one(0_u8));
        let probed = match self.put_one(&key, Bytes::new(), |request| request).await.value {
            Ok(_) => self.refuses_what_differs(&key).await,
            Err(Failure::Refused(reason)) => {
                tracing::warn!(reason, "cannot try whether the store honours conditions; taken as not");
                return Ok(false);
            }
            Err(failure) => return Err(failure),
        };
        if let Err(failure) = self.delete(&key).await {
            tracing::warn!(?failure, key, "the object of a probe stays in the store");
        }
        let conditional = probed?;
        tracing::info!(conditional, bucket = self.bucket, "probed whether the store honours conditions");
        Ok(conditional)
    }

    async fn refuses_what_differs(&self, key: &str) -> Result<bool, Failure> {
        let absent = self.put_one(key, Bytes::from_static(b"a"), |request| request.if_none_match("*")).await.value;
        if !is_refused(absent)? {
            return Ok(false);
        }
        let other = "\"00000000000000000000000000000000\"";
        let same = self.put_one(key, Bytes::from_static(b"b"), |request| request.if_match(other)).await.value;
        is_refused(same)
    }

    /// Puts `object` where the present one has the entity tag `seen`, or where there is none; whether it did.
    pub(super) async fn exchange(&self, key: &str, object: Bytes, seen: Option<&str>) -> Result<bool, Failure> {
        if !self.honours_conditions().await? {
            let present = match self.tag_of(key).await {
                Err(Failure::Absent) => None,
                tag => Some(tag?),
            };
            if present.as_deref() != seen {
                return Ok(false);
            }
            return self.put_one(key, object, |request| request).await.value.map(|_| true);
        }
        let first = self.put_if(key, &object, seen).await;
        let Answer { value, attempt } = match first.value {
            // Two writers at the same moment, none of whom need have won: once more, which settles it.
            Err(Failure::Raced) => self.put_if(key, &object, seen).await,
            _ => first,
        };
        match value {
            Ok(_) => Ok(true),
            // An earlier attempt, whose answer was lost, may have been the one that changed it.
            Err(Failure::Changed) if attempt > 1 => Ok(self.download(key).await.is_ok_and(|(now, _)| now == object)),
            Err(Failure::Changed | Failure::Raced | Failure::Absent) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn put_if(&self, key: &str, object: &Bytes, seen: Option<&str>) -> Answer<Result<String, Failure>> {
        self.put_one(key, object.clone(), |request| match seen {
            Some(tag) => request.if_match(tag),
            None => request.if_none_match("*"),
        })
        .await
    }
}

/// Whether a PUT whose condition does not hold was refused for that reason.
fn is_refused(answer: Result<String, Failure>) -> Result<bool, Failure> {
    match answer {
        Err(Failure::Changed) => Ok(true),
        // Also "not implemented", as some say to any condition.
        Ok(_) | Err(Failure::Refused(_) | Failure::Absent | Failure::Raced) => Ok(false),
        Err(failure) => Err(failure),
    }
}
