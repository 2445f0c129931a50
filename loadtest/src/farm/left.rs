//! What a farm leaves behind when everything has ended: nothing, or it is not right.

use std::time::Duration;

use lazaret::door::queue::Depths;

use super::{Farm, FarmError};

/// How long what has ended may leave something behind. Acknowledgements are on their way for a moment; but a claim that was
/// to be given back while Redis was away, or slow to answer, ends by itself: 30 s after it was last renewed.
const SETTLING: Duration = Duration::from_secs(40);

/// What is left in a farm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Messages that wait.
    pub queues: Depths,
    /// Claims that are held.
    pub claims: u64,
}

impl Farm {
    /// What waits in the queues, and who holds a claim.
    ///
    /// # Errors
    /// A server does not say.
    pub fn left(&self) -> Result<Left, FarmError> {
        let queues = self
            .runtime
            .block_on(async { self.queue.depths().await.map_err(|error| FarmError::Door(error.to_string())) })?;
        Ok(Left { queues, claims: self.held_claims()? })
    }

    /// How many claims are held.
    ///
    /// # Errors
    /// Redis does not say.
    pub fn held_claims(&self) -> Result<u64, FarmError> {
        let claims = self.runtime.block_on(self.cache.claims());
        claims.ok_or_else(|| FarmError::Door("redis does not answer".into()))
    }

    /// What is still left once everything that has ended had time to be acknowledged.
    ///
    /// # Errors
    /// A server does not say.
    pub fn left_in_the_end(&mut self) -> Result<Left, FarmError> {
        let mut last = None;
        let waited = self.until("nothing left", SETTLING, |farm| {
            let left = farm.left()?;
            last = Some(left);
            Ok(left == Left::default())
        });
        // Whether it came to nothing is the caller's to judge; one look that failed says nothing.
        last.map_or_else(|| waited.map(|_| Left::default()), Ok)
    }
}
