//! Credentials, from where docker and podman keep them; each is bound to the exact host and port that it was given for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::Value;

use super::docker_credential;
use super::secret::Secret;

/// How to be known to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Name and password.
    Password {
        /// The name.
        username: String,
        /// The password, or a personal access token.
        password: Secret,
    },
    /// A refresh token, to be exchanged for access tokens (docker's `identitytoken`).
    IdentityToken(Secret),
    /// An access token, sent as it is (docker's `registrytoken`).
    AccessToken(Secret),
}

/// Where credentials come from.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Given by the user, by `host[:port]` as in the reference, in lower case (`docker.io` for Docker Hub). They win.
    pub given: BTreeMap<String, Credential>,
    /// Configuration files of docker and podman, the most trusted first; those that do not exist are skipped.
    pub files: Vec<PathBuf>,
}

/// What a search for credentials came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// `None` is anonymous.
    pub(super) credential: Option<Credential>,
    /// What went wrong on the way: told if the registry will not have us without.
    pub(super) trouble: Option<String>,
}

impl Credentials {
    /// None given, and the files that the environment names: `$REGISTRY_AUTH_FILE`, docker's
    /// `$DOCKER_CONFIG/config.json` (else `~/.docker/config.json`), podman's `$XDG_RUNTIME_DIR/containers/auth.json` and
    /// `~/.config/containers/auth.json` (containers-auth.json(5)).
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = variable("HOME");
        let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let docker = variable("DOCKER_CONFIG").or_else(|| below_home(".docker")).map(|path| path.join("config.json"));
        let podman = variable("XDG_RUNTIME_DIR").map(|path| path.join("containers/auth.json"));
        let podman_home = variable("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
        let podman_home = podman_home.map(|path| path.join("containers/auth.json"));
        let files = [variable("REGISTRY_AUTH_FILE"), docker, podman, podman_home].into_iter().flatten().collect();
        Self { given: BTreeMap::new(), files }
    }

    /// The credential for `repository` on `host`: given, else of the first file that has one.
    pub(super) async fn find(&self, host: &str, repository: &str) -> Found {
        if let Some(given) = self.given.get(host) {
            return Found { credential: Some(given.clone()), trouble: None };
        }
        let mut trouble = None;
        for path in &self.files {
            let found = match read(path) {
                Ok(Some(file)) => in_file(&file, host, repository).await,
                Ok(None) => continue,
                Err(reason) => Found { credential: None, trouble: Some(format!("{}: {reason}", path.display())) },
            };
            if found.credential.is_some() {
                return found;
            }
            trouble = trouble.or(found.trouble);
        }
        Found { credential: None, trouble }
    }
}

/// The JSON of a file of at most 4 MiB; `None` where there is none. Nothing of the content gets into the error.
fn read(path: &Path) -> Result<Option<Value>, String> {
    use std::io::Read as _;
    const LIMIT: u64 = 4 << 20;
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    let mut content = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    if content.len() as u64 > LIMIT {
        return Err("larger than 4 MiB".to_owned());
    }
    serde_json::from_slice(&content).map(Some).map_err(|error| format!("no JSON in line {}", error.line()))
}

/// Looks in one file: a helper for this host, the general helper, then what is written down in `auths`.
async fn in_file(file: &Value, host: &str, repository: &str) -> Found {
    let for_host = file.get("credHelpers").and_then(Value::as_object).and_then(|helpers| {
        helpers.iter().find(|(key, _)| matches!(scope(key), Some((name, "")) if name == host)).map(|(_, name)| name)
    });
    let helper = for_host.or_else(|| file.get("credsStore")).and_then(Value::as_str).filter(|name| !name.is_empty());
    let mut found = Found::default();
    if let Some(helper) = helper {
        // Docker Hub is known to its tools by the address of an API that is long gone.
        let server = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
        match docker_credential::get(helper, server).await {
            Ok(credential) => found.credential = credential,
            Err(error) => found.trouble = Some(error.to_string()),
        }
    }
    if found.credential.is_none() {
        found.credential = file.get("auths").and_then(Value::as_object).and_then(|auths| {
            auths
                .iter()
                .filter_map(|(key, entry)| {
                    let (name, path) = scope(key)?;
                    let fits = name == host
                        && (path.is_empty()
                            || repository.strip_prefix(path).is_some_and(|r| r.is_empty() || r.starts_with('/')));
                    fits.then(|| written(entry)).flatten().map(|credential| (path.len(), credential))
                })
                .max_by_key(|(length, _)| *length)
                .map(|(_, credential)| credential)
        });
    }
    found
}

/// Host and namespace of a key: `https://host/v1/` and `host` are for the whole host, podman's `host/name/space` for what
/// is below. `None` where there is no host.
fn scope(key: &str) -> Option<(&str, &str)> {
    let (with_scheme, rest) = match key.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, key),
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    let host = if matches!(host, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { host };
    let path = if with_scheme || matches!(path, "v1" | "v2") { "" } else { path };
    (!host.is_empty()).then_some((host, path))
}

/// What an entry of `auths` holds.
fn written(entry: &Value) -> Option<Credential> {
    let text = |key| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Some(Credential::IdentityToken(Secret::new(token)));
    }
    if let Some(token) = text("registrytoken") {
        return Some(Credential::AccessToken(Secret::new(token)));
    }
    if let (Some(username), Some(password)) = (text("username"), text("password")) {
        return Some(Credential::Password { username: username.to_owned(), password: Secret::new(password) });
    }
    let lenient = base64::engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    let engine = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    let decoded = String::from_utf8(engine.decode(text("auth")?.trim()).ok()?).ok()?;
    // Docker pads the password with NUL bytes.
    let (username, password) = decoded.trim_end_matches('\0').split_once(':')?;
    (!username.is_empty())
        .then(|| Credential::Password { username: username.to_owned(), password: Secret::new(password) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(username: &str, password: &str) -> Option<Credential> {
        Some(Credential::Password { username: username.into(), password: Secret::new(password) })
    }

    async fn find(json: &str, host: &str, repository: &str) -> Option<Credential> {
        in_file(&serde_json::from_str(json).unwrap(), host, repository).await.credential
    }

    #[tokio::test]
    async fn auths_are_bound_to_host_and_port() {
        // dTpw is `u:p`.
        let json = r#"{"auths":{"r.example":{"auth":"dTpw"},"https://index.docker.io/v1/":{"username":"hub","password":"x"},
            "r.example:5000":{"identitytoken":"tok"},"https://t.example/v2/":{"registrytoken":"acc"},"bad":{"auth":"!!"},
            "p.example":{"auth":"dTpw"},"p.example/team":{"username":"t","password":"q"},"empty.example":{}}}"#;
        assert_eq!(find(json, "r.example", "a").await, password("u", "p"));
        assert_eq!(find(json, "docker.io", "library/a").await, password("hub", "x"));
        assert_eq!(find(json, "r.example:5000", "a").await, Some(Credential::IdentityToken(Secret::new("tok"))));
        assert_eq!(find(json, "t.example", "a").await, Some(Credential::AccessToken(Secret::new("acc"))));
        assert_eq!(find(json, "p.example", "other/a").await, password("u", "p"));
        assert_eq!(find(json, "p.example", "team/a").await, password("t", "q"));
        assert_eq!(find(json, "p.example", "teammate/a").await, password("u", "p"));
        for host in ["r.example:5001", "example", "x.r.example", "r.example.evil", "empty.example", "bad"] {
            assert_eq!(find(json, host, "a").await, None, "{host}");
        }
        for json in ["{}", "[]", r#"{"auths":[]}"#, r#"{"auths":{"a":null}}"#, r#"{"credsStore":7}"#] {
            assert_eq!(find(json, "a", "b").await, None, "{json}");
        }
    }

    #[tokio::test]
    async fn given_ones_win_and_the_first_file_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let mut credentials = Credentials {
            given: BTreeMap::new(),
            files: vec![
                directory.path().join("missing.json"),
                file("broken.json", "{"),
                file("1.json", r#"{"auths":{"r.example":{"username":"one","password":"x"}}}"#),
                file("2.json", r#"{"auths":{"r.example":{"username":"two","password":"x"}}}"#),
            ],
        };
        assert_eq!(credentials.find("r.example", "a").await.credential, password("one", "x"));
        let found = credentials.find("s.example", "a").await;
        assert!(found.credential.is_none() && found.trouble.unwrap().contains("broken.json"));
        credentials.given.insert("r.example".into(), password("me", "y").unwrap());
        assert_eq!(credentials.find("r.example", "a").await.credential, password("me", "y"));
    }

    #[tokio::test]
    async fn helpers_are_asked_and_their_failure_is_told() {
        let json = r#"{"credsStore":"lazaret-does-not-exist","auths":{"r.example":{"auth":"dTpw"}}}"#;
        let found = in_file(&serde_json::from_str(json).unwrap(), "r.example", "a").await;
        assert_eq!(found.credential, password("u", "p"), "what is written down still counts");
        assert!(found.trouble.unwrap().contains("docker-credential-lazaret-does-not-exist"));
    }

    #[tokio::test]
    async fn a_helper_answers() {
        let directory = tempfile::tempdir().unwrap();
        let script = |name: &str, body: &str| {
            let path = directory.path().join(name);
            // Written by another process: a program that this one has open for writing, even in the moment of a fork
            // by another test, cannot be run.
            let write = r#"printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod 755 "$1""#;
            let status = std::process::Command::new("sh").args(["-c", write, "sh"]).arg(&path).arg(body).status();
            assert!(status.unwrap().success());
            path
        };
        let run = |path: PathBuf| async move { docker_credential::run(&path, "r.example").await };
        let echo = r#"read host; printf '{"Username":"u","Secret":"for %s"}' "$host""#;
        assert_eq!(run(script("a", echo)).await.unwrap(), password("u", "for r.example"));
        let token = r#"cat >/dev/null; echo '{"Username":"<token>","Secret":"t"}'"#;
        assert_eq!(run(script("b", token)).await.unwrap(), Some(Credential::IdentityToken(Secret::new("t"))));
        let none = "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1";
        assert_eq!(run(script("c", none)).await.unwrap(), None);
        for (name, body) in [("d", "exit 3"), ("e", "echo nonsense"), ("f", "yes | head -c 200000")] {
            assert!(run(script(name, body)).await.is_err(), "{body}");
        }
    }
}
