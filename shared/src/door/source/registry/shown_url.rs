//! A URL as it may be printed.

use std::fmt;

use reqwest::Url;

/// Shows scheme, host, port and path of a URL. User information, query and fragment are left out: storage back ends sign
/// their URLs in the query, so that whoever has the query has the blob.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownUrl(String);

impl From<&Url> for ShownUrl {
    fn from(url: &Url) -> Self {
        let mut text = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        if let Some(port) = url.port() {
            text.push_str(&format!(":{port}"));
        }
        text.push_str(url.path());
        if text.len() > 300 {
            // A URL is ASCII once parsed, but nothing here should depend on it.
            text = text.chars().take(300).collect();
            text.push('…');
        }
        if url.query().is_some() {
            text.push_str("?[redacted]");
        }
        Self(crate::text::visible(&text).into_owned())
    }
}

impl fmt::Display for ShownUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ShownUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_grants_access() {
        let url: Url = "https://user:pass@host.example:8443/v2/a/blobs/x?X-Amz-Signature=abc#frag".parse().unwrap();
        assert_eq!(ShownUrl::from(&url).to_string(), "https://host.example:8443/v2/a/blobs/x?[redacted]");
    }
}
