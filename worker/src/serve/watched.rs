//! A blob that can be taken away from whoever reads it: at its deadline, or when nobody wants the result any more.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Reads on until told otherwise.
pub(super) struct Watched<R> {
    inner: R,
    deadline: Instant,
    unwanted: Arc<AtomicBool>,
}

/// Dropping it makes reading fail.
#[derive(Debug, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

impl Wanted {
    /// `inner`, until the deadline or until nobody wants it.
    pub(super) fn watch<R: BufRead>(&self, inner: R, deadline: Instant) -> Watched<R> {
        Watched { inner, deadline, unwanted: Arc::clone(&self.0) }
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<R: BufRead> BufRead for Watched<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unwanted.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "nobody wants the layer any more"));
        }
        if Instant::now() >= self.deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the layer took longer than it may"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn ends_at_the_deadline_and_when_unwanted() {
        let later = Instant::now() + Duration::from_secs(3600);
        let wanted = Wanted::default();
        let mut blob = wanted.watch(&b"0123"[..], later);
        assert_eq!(blob.read(&mut [0; 2]).unwrap(), 2);
        drop(wanted);
        assert_eq!(blob.read(&mut [0; 2]).unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        let mut late = Wanted::default().watch(&b"0123"[..], Instant::now());
        late.unwanted = Arc::default();
        assert_eq!(late.read(&mut [0; 2]).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
