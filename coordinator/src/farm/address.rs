//! Where a farm is: an URL without a secret in it, that does not carry one in the clear either.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// The address of a farm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

/// Why a text is no address of a farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an URL of that kind.
    #[error("the farm's address is not of the form https://HOST[:PORT][/PATH]")]
    Malformed,
    /// It has a user or password.
    #[error(
        "the farm's address has a secret in it, which others can see there; set LAZARET_TOKEN or write --token-file FILE"
    )]
    Secret,
    /// Plain http to another machine.
    #[error(
        "over http:// the token and the reports can be read on the way; use https://, or allow it with --insecure-farm"
    )]
    Plain,
}

impl Address {
    /// Reads an address. `insecure` allows plain http to another machine.
    ///
    /// # Errors
    /// [`AddressError`], which repeats nothing of the text.
    pub fn parse(text: &str, insecure: bool) -> Result<Self, AddressError> {
        let mut url = Url::parse(text.trim()).map_err(|_| AddressError::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(AddressError::Malformed);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Secret);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Malformed);
        }
        // So that the paths of the API go below a path, and not in its place.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
        }
        let address = Self(url);
        if address.0.scheme() == "http" && !address.is_loopback() && !insecure {
            return Err(AddressError::Plain);
        }
        Ok(address)
    }

    /// Whether it is plain http to this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        self.0.scheme() == "http"
            && (host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback()))
    }

    /// The URL of something in version 1 of the API. Whatever is in a part stays in that part.
    pub(super) fn join(&self, path: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("v1").extend(path);
        }
        url
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine() {
        for own in
            ["http://localhost:1", "http://127.0.0.1:1/", "http://127.1.2.3", "http://[::1]:9", "https://a.example"]
        {
            Address::parse(own, false).unwrap();
        }
        for other in ["http://a.example", "http://localhost.a.example", "http://10.0.0.1:80", "http://0.0.0.0"] {
            assert_eq!(Address::parse(other, false), Err(AddressError::Plain), "{other}");
            Address::parse(other, true).unwrap();
        }
    }

    #[test]
    fn no_secret_and_no_surprise() {
        for secret in ["https://user:secret@a.example", "https://lzr_secret@a.example", "http://:secret@localhost"] {
            let error = Address::parse(secret, true).unwrap_err();
            assert!(error == AddressError::Secret && !error.to_string().contains("secret@"));
        }
        for malformed in ["", "a.example", "ftp://a.example", "https://", "https://a.example?x", "https://a.example#x"]
        {
            assert_eq!(Address::parse(malformed, true), Err(AddressError::Malformed), "{malformed}");
        }
    }

    #[test]
    fn paths_stay_below_and_parts_stay_parts() {
        for (text, shown) in
            [("https://a.example", "https://a.example"), ("https://a.example/x/", "https://a.example/x")]
        {
            let address = Address::parse(text, false).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.join(&["jobs", "a/../b?c"]).as_str(), format!("{shown}/v1/jobs/a%2F..%2Fb%3Fc"));
        }
    }
}
