//! The body of an answer: bounded in size, and not for ever in coming.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use super::error::RegistryError;
use super::patience::Patience;
use super::transport::classify;

/// A body that is read piece by piece. Waiting counts only while a piece is asked for, so that a slow reader is not
/// taken for a slow server.
pub(super) struct Body {
    response: Response,
    window: Duration,
    window_bytes: u64,
    waited: Duration,
    received: u64,
}

impl Body {
    pub(super) fn new(response: Response, patience: &Patience) -> Self {
        Self {
            response,
            window: patience.window,
            window_bytes: patience.window_bytes,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, RegistryError> {
        let start = Instant::now();
        let chunk = self.response.chunk().await.map_err(|error| classify(self.response.url(), &error))?;
        self.waited += start.elapsed();
        self.received += chunk.as_ref().map_or(0, Bytes::len) as u64;
        if self.waited >= self.window && chunk.is_some() {
            if self.received < self.window_bytes {
                return Err(RegistryError::Stalled {
                    url: self.response.url().into(),
                    received: self.received,
                    seconds: self.waited.as_secs(),
                });
            }
            (self.waited, self.received) = (Duration::ZERO, 0);
        }
        Ok(chunk)
    }
}

/// The whole body, which must not have more than `limit` bytes.
pub(super) async fn read(response: Response, limit: u64, patience: &Patience) -> Result<Bytes, RegistryError> {
    let too_large = RegistryError::TooLarge { url: response.url().into(), limit };
    let declared = response.content_length();
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large);
    }
    let mut body = Body::new(response, patience);
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.chunk().await? {
        if (whole.len() + chunk.len()) as u64 > limit {
            return Err(too_large);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// What an answer says about its failure: the `errors` of the distribution specification where it has them, else its
/// first line; of 4 KiB at most, cut to 256 bytes and made visible.
pub(super) async fn complaint(response: Response, patience: &Patience) -> String {
    const READ: usize = 4 << 10;
    let reason = response.status().canonical_reason().unwrap_or("no reason given");
    let mut body = Body::new(response, patience);
    let mut start = BytesMut::new();
    while let Ok(Some(chunk)) = body.chunk().await {
        start.extend_from_slice(&chunk[..chunk.len().min(READ - start.len())]);
        if start.len() >= READ {
            break;
        }
    }
    let said = specified(&start).unwrap_or_else(|| {
        String::from_utf8_lossy(&start).lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    });
    // A page for people says nothing that the status does not.
    if said.trim().is_empty() || said.trim_start().starts_with('<') { reason.to_owned() } else { shown(said.trim()) }
}

/// `code: message` of each of the `errors`.
fn specified(body: &[u8]) -> Option<String> {
    let errors: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = |error: &serde_json::Value, key| error.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let all: Vec<String> = errors
        .get("errors")?
        .as_array()?
        .iter()
        .take(4)
        .map(|error| format!("{}: {}", text(error, "code"), text(error, "message")))
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// `text` made visible, of at most 256 bytes.
fn shown(text: &str) -> String {
    let visible = crate::text::visible(text);
    let mut end = visible.len().min(256);
    while !visible.is_char_boundary(end) {
        end -= 1;
    }
    visible.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_short_and_visible() {
        assert_eq!(shown("\x1b[31mred"), "\\x1b[31mred");
        assert!(shown(&"\u{1b}ü".repeat(1000)).len() <= 256);
        let json = br#"{"errors":[{"code":"DENIED","message":"no"},{"code":"X"}]}"#;
        assert_eq!(specified(json).as_deref(), Some("DENIED: no; X: "));
        for other in [&b"{}"[..], b"[]", b"", b"{\"errors\":{}}", b"{\"errors\":[]}"] {
            assert_eq!(specified(other), None);
        }
    }
}
