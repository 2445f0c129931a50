//! A blob as it streams in: fetched by a task, taken up again where it broke off, read by a thread.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Response, StatusCode};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Door;
use super::body::Body;
use super::error::RegistryError;
use super::meter::Meter;
use super::patience::Attempts;
use super::session::{Ask, Session, wait};
use crate::digest::Digest;
use crate::image::Descriptor;

/// Pieces that wait for the reader; each is what one read of the socket brought, at most some hundred KiB.
const AHEAD: usize = 8;
/// A blob that has advanced by so much has a right to as many attempts as a new one.
const ADVANCE: u64 = 1 << 20;

/// The bytes of a blob, as many as its descriptor says, or an error; whoever reads to the end has to compare the digest.
///
/// Reading waits for the network and must be done on a thread that may wait (not in an async task). Dropping the reader
/// ends the transfer.
#[derive(Debug)]
pub struct BlobStream {
    pieces: mpsc::Receiver<Result<Bytes, RegistryError>>,
    piece: Bytes,
    /// Bytes still to come after `piece`.
    left: u64,
    transfer: AbortHandle,
    /// For messages.
    repository: String,
}

/// Opens the blob: its first answer is awaited here, so that a refusal is an error of this function; the rest streams.
pub(super) async fn open(
    door: Arc<Door>,
    session: Arc<Session>,
    descriptor: &Descriptor,
    meter: Arc<Meter>,
) -> Result<BlobStream, RegistryError> {
    let (digest, size) = (descriptor.digest, descriptor.size);
    let ask = Ask { meter, ..Ask::blob(digest) };
    let repository = format!("{}/{}", session.endpoint.host, session.repository);
    let response = session.ask(&door, &ask).await?;
    let mut transfer = Transfer { door, session, ask, digest, size, at: 0, restarts: 0 };
    transfer.skip(&response)?;
    let (sender, pieces) = mpsc::channel(AHEAD);
    let task = tokio::spawn(async move {
        if let Err(error) = transfer.run(response, &sender).await {
            // Nobody listens any more: then nobody minds.
            let _ = sender.send(Err(error)).await;
        }
    });
    Ok(BlobStream { pieces, piece: Bytes::new(), left: size, transfer: task.abort_handle(), repository })
}

struct Transfer {
    door: Arc<Door>,
    session: Arc<Session>,
    ask: Ask,
    digest: Digest,
    size: u64,
    /// Bytes handed on.
    at: u64,
    /// How often the registry began from the start though asked for the rest.
    restarts: u32,
}

impl Transfer {
    async fn run(
        &mut self,
        mut response: Response,
        sender: &mpsc::Sender<Result<Bytes, RegistryError>>,
    ) -> Result<(), RegistryError> {
        let door = Arc::clone(&self.door);
        let mut attempts = Attempts::new(&door.patience);
        let mut milestone = ADVANCE;
        loop {
            let Err(error) = self.copy(response, sender).await else { return Ok(()) };
            if self.at >= milestone {
                attempts.start_anew();
                milestone = self.at + ADVANCE;
            }
            wait(&mut attempts, error).await?;
            let range = HeaderValue::from_str(&format!("bytes={}-", self.at));
            self.ask.headers.insert(RANGE, range.unwrap_or(HeaderValue::from_static("bytes=0-")));
            response = self.session.ask(&door, &self.ask).await?;
        }
    }

    /// Hands on what comes, until the blob is whole or the reader is gone.
    async fn copy(
        &mut self,
        response: Response,
        sender: &mpsc::Sender<Result<Bytes, RegistryError>>,
    ) -> Result<(), RegistryError> {
        let url = response.url().into();
        let mut skip = self.skip(&response)?;
        let mut body = Body::new(response, &self.door.patience);
        loop {
            let mut piece = match body.chunk().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                // Broken off, but not before we had it all.
                Err(_) if self.at == self.size => break,
                Err(error) => return Err(error),
            };
            self.ask.meter.received(piece.len());
            let known = skip.min(piece.len() as u64);
            piece.advance(known as usize);
            skip -= known;
            let after = self.at.saturating_add(piece.len() as u64);
            if after > self.size {
                return Err(RegistryError::Length { digest: self.digest, expected: self.size, actual: after });
            }
            if !piece.is_empty() {
                self.at = after;
                if sender.send(Ok(piece)).await.is_err() {
                    return Ok(());
                }
            }
        }
        if self.at == self.size {
            return Ok(());
        }
        Err(RegistryError::Connection { url, reason: format!("it ended after {} of {} bytes", self.at, self.size) })
    }

    /// How many bytes of this answer we have already; an error where it is not of the blob that was asked for.
    fn skip(&mut self, response: &Response) -> Result<u64, RegistryError> {
        let malformed = |reason: &str| RegistryError::Malformed { url: response.url().into(), reason: reason.into() };
        let length = |actual| RegistryError::Length { digest: self.digest, expected: self.size, actual };
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
            let (start, total) =
                range.and_then(content_range).ok_or_else(|| malformed("part of what, it does not say"))?;
            if start != self.at {
                return Err(malformed("another part than the one asked for"));
            }
            return match total.filter(|total| *total != self.size) {
                Some(total) => Err(length(total)),
                None => Ok(0),
            };
        }
        if let Some(actual) = response.content_length().filter(|actual| *actual != self.size) {
            return Err(length(actual));
        }
        if self.at > 0 {
            self.restarts += 1;
            if self.restarts >= self.door.patience.tries {
                return Err(malformed("it breaks off again and again and cannot be taken up where it did"));
            }
        }
        Ok(self.at)
    }
}

/// First byte and whole length of `bytes 5-9/10` or `bytes 5-9/*`. RFC 9110, section 14.4.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.trim().parse().ok()?;
    let total = if total.trim() == "*" { None } else { Some(total.trim().parse().ok()?) };
    Some((start, total))
}

impl BufRead for BlobStream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty() && self.left > 0 {
            match self.pieces.blocking_recv() {
                Some(piece) => {
                    self.piece = piece.map_err(|error| error.about(&self.repository).into_io())?;
                    self.left = self.left.saturating_sub(self.piece.len() as u64);
                }
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        // Only when all has been read does it show whether the registry has more than it should.
        if self.piece.is_empty()
            && let Some(Err(error)) = self.pieces.blocking_recv()
        {
            return Err(error.about(&self.repository).into_io());
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, amount: usize) {
        self.piece.advance(amount);
    }
}

impl Read for BlobStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl Drop for BlobStream {
    fn drop(&mut self) {
        self.transfer.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for text in ["", "bytes */10", "bytes 5/10", "5-9/10", "bytes 5-9", "bytes -1-2/3", "bytes 5-9/x"] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
