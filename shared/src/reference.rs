//! What the user typed: a transport and what it needs, in the syntax of podman and skopeo (containers-transports(5)).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::digest::Digest;

/// An image reference; it may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `oci:PATH[:TAG]`: an OCI layout in a directory.
    OciLayout(PathBuf, Option<String>),
    /// `oci-archive:PATH[:TAG]`: the same in a tar file.
    OciArchive(PathBuf, Option<String>),
    /// `docker-archive:PATH[:REF]`: what `docker save` writes, also gzipped; `@N` takes its N-th image.
    DockerArchive(PathBuf, Option<String>),
    /// `-`: either archive on standard input.
    StandardInput,
    /// `docker-daemon:REF`: the local engine.
    DockerDaemon(RegistryReference),
    /// `docker://REF`: a registry.
    Registry(RegistryReference),
    /// A bare path that exists.
    Path(PathBuf),
    /// A bare name: the local engine is asked first, then the registry.
    Name(RegistryReference),
}

/// `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`, with Docker's defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryReference {
    /// Host and port of the registry; `docker.io` where none was written.
    pub host: String,
    /// The repository; `library/NAME` for a bare name on Docker Hub.
    pub repository: String,
    /// The tag; `latest` where neither tag nor digest was written.
    pub tag: Option<String>,
    /// The digest, which wins over the tag.
    pub digest: Option<Digest>,
    /// Whether no host was written: `docker.io` is then a guess, and an engine may mean an image that it built itself.
    pub short: bool,
}

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing was written, or nothing after the transport.
    #[error("empty image reference; write for example alpine:3.20, oci:./layout:tag or docker-archive:image.tar")]
    Empty,
    /// A transport that we do not read.
    #[error(
        "unknown transport `{0}`; known are oci:, oci-archive:, docker-archive:, docker-daemon: and docker://, and - for standard input"
    )]
    Transport(String),
    /// Not `[host/]repository[:tag][@digest]` in the characters that these allow.
    #[error(
        "malformed image name `{0}`: expected [host[:port]/]repository[:tag][@sha256:…], the repository in lower case"
    )]
    Name(String),
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Reads a reference. A bare path is one that starts with `/`, `./` or `../`; any other bare text is a
    /// [`Reference::Name`], which whoever may look at the file system turns into a path where one exists.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(rest) = text.strip_prefix("docker://") {
            return Ok(Self::Registry(rest.parse()?));
        }
        let path_and_tag = |rest: &str| -> Result<(PathBuf, Option<String>), ReferenceError> {
            let (path, tag) = split_tag(rest);
            if path.is_empty() { Err(ReferenceError::Empty) } else { Ok((path.into(), tag.map(str::to_owned))) }
        };
        match text.split_once(':') {
            Some(("oci", rest)) => path_and_tag(rest).map(|(path, tag)| Self::OciLayout(path, tag)),
            Some(("oci-archive", rest)) => path_and_tag(rest).map(|(path, tag)| Self::OciArchive(path, tag)),
            Some(("docker-archive", rest)) => {
                let (path, name) = rest.split_once(':').map_or((rest, None), |(path, name)| (path, Some(name)));
                let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
                if path.is_empty() { Err(ReferenceError::Empty) } else { Ok(Self::DockerArchive(path.into(), name)) }
            }
            Some(("docker-daemon", rest)) => Ok(Self::DockerDaemon(rest.parse()?)),
            Some((transport, rest))
                if rest.starts_with("//")
                    || matches!(
                        transport,
                        "dir" | "containers-storage" | "sif" | "ostree" | "tarball" | "podman" | "containerd"
                    ) =>
            {
                Err(ReferenceError::Transport(shown(transport)))
            }
            _ if text.is_empty() => Err(ReferenceError::Empty),
            _ if text.starts_with(['/', '.']) => Ok(Self::Path(text.into())),
            _ => Ok(Self::Name(text.parse()?)),
        }
    }
}

/// Splits `PATH[:TAG]` of an OCI layout at the last colon that is followed by no slash; a digest `@sha256:…` is kept whole as the tag.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    if let Some((path, digest)) = text.rsplit_once('@')
        && digest.parse::<Digest>().is_ok()
    {
        return (path, Some(digest));
    }
    match text.rsplit_once(':') {
        Some((path, tag)) if !tag.is_empty() && !tag.contains('/') => (path, Some(tag)),
        _ => (text, None),
    }
}

impl FromStr for RegistryReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let malformed = || ReferenceError::Name(shown(text));
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse::<Digest>().map_err(|_| malformed())?)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let (host, repository, short) = match name.split_once('/') {
            Some((host @ ("docker.io" | "index.docker.io"), rest)) if !rest.contains('/') => {
                (host, format!("library/{rest}"), false)
            }
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest.to_owned(), false),
            Some(_) => ("docker.io", name.to_owned(), true),
            None => ("docker.io", format!("library/{name}"), true),
        };
        let host = if host == "index.docker.io" { "docker.io" } else { host };
        let valid = is_host(host) && is_repository(&repository) && tag.is_none_or(is_tag);
        if !valid {
            return Err(malformed());
        }
        let tag = tag.map(str::to_owned).or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { host: host.to_owned(), repository, tag, digest, short })
    }
}

/// `text` cut and made safe for an error message.
fn shown(text: &str) -> String {
    crate::text::visible(&text.chars().take(200).collect::<String>()).into_owned()
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let bracketed = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let name_ok = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !name.is_empty()
                && name.split('.').all(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        }
    };
    name_ok && host.len() <= 255 && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

/// Distribution specification, "Pulling manifests": `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` between slashes.
fn is_repository(name: &str) -> bool {
    name.len() <= 255
        && name.split('/').all(|part| {
            let alphanumeric = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            alphanumeric(part.as_bytes().first())
                && alphanumeric(part.as_bytes().last())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
                && !["..", "___", "._", "_.", "-.", ".-", "_-", "-_"].iter().any(|bad| part.contains(bad))
        })
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reference {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn names_get_the_defaults_of_docker() {
        for (text, full) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("docker.io/alpine", "docker.io/library/alpine:latest"),
            ("grafana/grafana:10", "docker.io/grafana/grafana:10"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/a/b:1.2", "localhost:5000/a/b:1.2"),
            ("127.0.0.1:5000/a", "127.0.0.1:5000/a:latest"),
            ("[::1]:5000/a:x", "[::1]:5000/a:x"),
            ("quay.io/a__b/c-d.e", "quay.io/a__b/c-d.e:latest"),
        ] {
            let Reference::Name(name) = read(text) else { panic!("{text}") };
            assert_eq!(name.to_string(), full, "{text}");
        }
    }

    #[test]
    fn transports_take_paths_and_tags() {
        assert_eq!(read("oci:images:alpine-3.10"), Reference::OciLayout("images".into(), Some("alpine-3.10".into())));
        assert_eq!(read("oci:/a:b/c"), Reference::OciLayout("/a:b/c".into(), None));
        let archive = |path: &str, name: Option<&str>| Reference::DockerArchive(path.into(), name.map(str::to_owned));
        assert_eq!(read("docker-archive:x.tar"), archive("x.tar", None));
        assert_eq!(read("docker-archive:x.tar:alpine:3.10"), archive("x.tar", Some("alpine:3.10")));
        assert_eq!(read("docker-archive:/d/x.tar:h:5/a/b:1"), archive("/d/x.tar", Some("h:5/a/b:1")));
        assert_eq!(read("docker-archive:x.tar:@1"), archive("x.tar", Some("@1")));
        assert_eq!(read("./layout"), Reference::Path("./layout".into()));
        assert_eq!(read("-"), Reference::StandardInput);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "oci:",
            "docker://",
            "UPPER",
            "a//b",
            "a:",
            "a@sha256:12",
            "http://x/y",
            "dir:x",
            "a b",
            "x/../y",
            "docker-daemon:",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
