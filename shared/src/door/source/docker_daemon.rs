//! `docker-daemon:REF`: an image of the local engine, Docker's or podman's, over the Docker Engine API.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::archive::Form;
use super::stream::StreamedArchive;
use super::{SourceError, shown};
use crate::digest::Digest;
use crate::reference::RegistryReference;

/// The longest answer about an image that is read, in bytes.
const MAX_ANSWER: usize = 8 << 20;
/// How many pieces of an image may wait for their reader.
const QUEUE: usize = 16;
/// How long an engine may say nothing: podman writes a large image to a temporary file before the first byte comes.
const SILENCE: Duration = Duration::from_secs(600);
/// How long an engine may take to take the call.
const CONNECT: Duration = Duration::from_secs(5);

/// Where an engine may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// `HOST:PORT`, plain http.
    Tcp(String),
    /// What `DOCKER_HOST` says and this program does not speak.
    Unsupported(String),
}

impl Endpoint {
    /// The engines to ask, in order: `DOCKER_HOST` alone where it is set, otherwise the usual sockets of Docker, of
    /// this user's podman and of the machine's. `variable` reads an environment variable.
    pub fn usual(variable: impl Fn(&str) -> Option<String>) -> Vec<Self> {
        if let Some(host) = variable("DOCKER_HOST").filter(|host| !host.is_empty()) {
            return vec![Self::of_docker_host(&host)];
        }
        let of_user = variable("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
        let of_user = of_user.map(|dir| PathBuf::from(dir).join("podman/podman.sock"));
        let sockets = [Some("/var/run/docker.sock".into()), of_user, Some("/run/podman/podman.sock".into())];
        sockets.into_iter().flatten().map(Self::Unix).collect()
    }

    fn of_docker_host(host: &str) -> Self {
        match host.split_once("://") {
            Some(("unix", path)) => Self::Unix(path.into()),
            Some(("tcp" | "http", address)) if !address.contains(['@', '/']) => Self::Tcp(address.to_owned()),
            _ => Self::Unsupported(shown(host.split_once("://").map_or(host, |(scheme, _)| scheme))),
        }
    }

    fn client(&self) -> Result<(Client, String), String> {
        // Without redirects and proxies: an engine is where its address says.
        let builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        let (builder, base) = match self {
            Self::Unix(path) if !path.exists() => return Err("no such socket".into()),
            Self::Unix(path) => (builder.unix_socket(path.clone()), "http://localhost".to_owned()),
            Self::Tcp(address) => (builder, format!("http://{address}")),
            Self::Unsupported(scheme) => return Err(format!("DOCKER_HOST with {scheme}:// is not supported")),
        };
        Ok((builder.build().map_err(|error| root_cause(&error))?, base))
    }

    fn shown(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp(address) => shown(address),
            Self::Unsupported(_) => "DOCKER_HOST".into(),
        }
    }
}

/// Asks the engines in turn for the image and begins to read it. [`SourceError::NotInEngine`] where engines answer and
/// none has it, [`SourceError::NoEngine`] where none answers.
pub(super) fn open(
    reference: &RegistryReference,
    engines: &[Endpoint],
    runtime: &Handle,
) -> Result<StreamedArchive, SourceError> {
    let (mut tried, mut answered) = (Vec::new(), false);
    for engine in engines {
        let (client, base) = match engine.client() {
            Ok(client) => client,
            Err(reason) => {
                tried.push(format!("{} ({reason})", engine.shown()));
                continue;
            }
        };
        for name in names(reference) {
            let question = format!("{base}/images/{name}/json");
            let answer = match runtime.block_on(async { client.get(question).send().await }) {
                Ok(answer) => answer,
                Err(error) => {
                    tried.push(format!("{} ({})", engine.shown(), root_cause(&error)));
                    break;
                }
            };
            answered = true;
            if answer.status() == StatusCode::NOT_FOUND {
                continue;
            }
            let about = runtime.block_on(body(answer, &name))?;
            let about: Inspected =
                serde_json::from_slice(&about).map_err(|e| SourceError::malformed("the engine's answer", e))?;
            let id = if about.id.contains(':') { about.id } else { format!("sha256:{}", about.id) };
            let id: Digest = id.parse().map_err(|error| SourceError::malformed("the engine's answer", error))?;
            // By its identity, so that a tag that moves meanwhile does not matter.
            let image = runtime.block_on(async { client.get(format!("{base}/images/{id}/get")).send().await });
            let image = image.map_err(|error| failed(&name, root_cause(&error), true))?;
            if !image.status().is_success() {
                runtime.block_on(body(image, &name))?;
                return Err(failed(&name, "the engine answered with no image".into(), false));
            }
            return StreamedArchive::new(name, Body::of(image, runtime), Some(Form::Engine), None);
        }
    }
    match answered {
        true => Err(SourceError::NotInEngine { name: reference.to_string() }),
        false => Err(SourceError::NoEngine { tried }),
    }
}

/// What an engine may call the image: podman keeps what it built itself below `localhost`.
fn names(reference: &RegistryReference) -> Vec<String> {
    let mut names = vec![reference.to_string()];
    if reference.short {
        let repository = reference.repository.strip_prefix("library/").unwrap_or(&reference.repository);
        let local =
            RegistryReference { host: "localhost".into(), repository: repository.to_owned(), ..reference.clone() };
        names.push(local.to_string());
    }
    names
}

#[derive(Deserialize)]
struct Inspected {
    #[serde(rename = "Id")]
    id: String,
}

/// The body of a successful answer, or the engine's complaint as an error.
async fn body(mut answer: Response, name: &str) -> Result<Vec<u8>, SourceError> {
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failed(name, root_cause(&error), true))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            let size = (body.len() + chunk.len()) as u64;
            return Err(SourceError::TooLarge { what: "the engine's answer".into(), size, limit: MAX_ANSWER as u64 });
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return Ok(body);
    }
    let reason = format!("the engine answered {status}: {}", shown(&String::from_utf8_lossy(&body)));
    Err(failed(name, reason, status.is_server_error()))
}

fn failed(name: &str, reason: String, transient: bool) -> SourceError {
    SourceError::Remote { reference: format!("docker-daemon:{name}"), reason, hint: None, transient }
}

/// The innermost reason: what the operating system said, not that a request failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    shown(&cause.to_string())
}

/// A response read by a thread that blocks, while the runtime fetches ahead.
struct Body {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Body {
    fn of(mut response: Response, runtime: &Handle) -> Self {
        let (sender, pieces) = mpsc::channel(QUEUE);
        runtime.spawn(async move {
            loop {
                let piece = match response.chunk().await {
                    Ok(Some(piece)) => Ok(piece),
                    Ok(None) => return,
                    Err(error) => Err(io::Error::other(root_cause(&error))),
                };
                let last = piece.is_err();
                // A reader that has gone away wants no more.
                if sender.send(piece).await.is_err() || last {
                    return;
                }
            }
        });
        Self { pieces, piece: Bytes::new() }
    }
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let read = self.piece.len().min(into.len());
        self.piece.copy_to_slice(into.get_mut(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_where_engines_are() {
        let with = |pairs: &[(&str, &str)]| {
            Endpoint::usual(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(with(&[("DOCKER_HOST", "unix:///a/b")]), [Endpoint::Unix("/a/b".into())]);
        assert_eq!(with(&[("DOCKER_HOST", "tcp://127.0.0.1:2375")]), [Endpoint::Tcp("127.0.0.1:2375".into())]);
        assert_eq!(with(&[("DOCKER_HOST", "ssh://me@host")]), [Endpoint::Unsupported("ssh".into())]);
        let usual = with(&[("XDG_RUNTIME_DIR", "/run/user/7")]);
        assert_eq!(usual.get(1), Some(&Endpoint::Unix("/run/user/7/podman/podman.sock".into())));
    }

    #[test]
    fn a_short_name_may_be_a_local_build() {
        assert_eq!(names(&"app:1".parse().unwrap()), ["docker.io/library/app:1", "localhost/app:1"]);
        assert_eq!(names(&"me/app".parse().unwrap()), ["docker.io/me/app:latest", "localhost/me/app:latest"]);
        assert_eq!(names(&"docker.io/me/app".parse().unwrap()), ["docker.io/me/app:latest"]);
    }
}
