//! The bytes of a blob on their way out: at once, or piece by piece with a pace, from memory or from a file.

use std::io::{self, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::Shared;
use super::content::Blob;
use super::fault::Fault;

/// Pieces are at most so long.
const PIECE: usize = 64 << 10;
/// What drips, drips in these pieces and with this pause, at most so often.
const DROP: usize = 256;
const PAUSE: Duration = Duration::from_millis(100);
const DROPS: u32 = 20;

/// What is left to send.
struct Sending {
    shared: Arc<Shared>,
    source: Source,
    left: u64,
    /// Of these, so many are never sent.
    withheld: u64,
    drops: u32,
    is_counted: bool,
}

enum Source {
    Memory(Bytes),
    File(File),
}

/// A part of a blob or, where it is not counted as one, of a manifest.
pub(super) struct Part {
    pub(super) blob: Blob,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) is_counted: bool,
}

/// The body with this part; `fault` cuts it off or slows it down.
pub(super) async fn body(shared: &Arc<Shared>, part: Part, fault: Option<Fault>) -> io::Result<Body> {
    let Part { blob, start, length, is_counted } = part;
    let is_paced = shared.options.throttle.bytes_per_second.is_some();
    let source = match blob {
        Blob::Memory(bytes) => {
            let part = bytes.slice(start as usize..(start + length) as usize);
            if fault.is_none() && !is_paced {
                shared.counters.blob_bytes.fetch_add(length, Relaxed);
                return Ok(part.into());
            }
            Source::Memory(part)
        }
        Blob::File(path, _) => {
            let mut file = File::open(path).await?;
            file.seek(SeekFrom::Start(start)).await?;
            Source::File(file)
        }
    };
    let withheld = match fault {
        Some(Fault::Truncated) => length - length / 2,
        Some(Fault::Reset) => length,
        _ => 0,
    };
    let drops = if fault == Some(Fault::Slow) { DROPS } else { 0 };
    let sending = Sending { shared: shared.clone(), source, left: length, withheld, drops, is_counted };
    Ok(Body::from_stream(futures_util::stream::unfold(Some(sending), |state| async move {
        let mut sending = state?;
        match sending.piece().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(sending))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })))
}

impl Sending {
    /// The next piece, when its time has come.
    async fn piece(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == self.withheld {
            let cut = || io::Error::new(io::ErrorKind::ConnectionReset, "cut off on purpose");
            return if self.left == 0 { Ok(None) } else { Err(cut()) };
        }
        let most = if self.drops > 0 { DROP } else { PIECE };
        let length = most.min((self.left - self.withheld) as usize);
        let piece = match &mut self.source {
            Source::Memory(bytes) => bytes.split_to(length),
            Source::File(file) => {
                let mut piece = vec![0; length];
                file.read_exact(&mut piece).await?;
                piece.into()
            }
        };
        if self.drops > 0 {
            self.drops -= 1;
            tokio::time::sleep(PAUSE).await;
        }
        if let Some(per_second) = self.shared.options.throttle.bytes_per_second {
            tokio::time::sleep(self.shared.bytes.wait(length, per_second)).await;
        }
        self.left -= length as u64;
        if self.is_counted {
            self.shared.counters.blob_bytes.fetch_add(length as u64, Relaxed);
        }
        Ok(Some(piece))
    }
}
