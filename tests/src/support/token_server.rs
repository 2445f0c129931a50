//! A token server for `docker-registry`: distribution token specification, with tokens that `openssl` signs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use tempfile::TempDir;

use super::hostile_registry::{HostileRegistry, Reply, Seen};
use super::process::run;

/// Hands out tokens on a free port, and remembers who asked.
#[derive(Debug)]
pub struct TokenServer {
    /// Where it listens.
    pub address: SocketAddr,
    server: HostileRegistry,
    directory: Arc<TempDir>,
}

impl TokenServer {
    /// The issuer in its tokens.
    pub const ISSUER: &str = "lazaret-tests";

    /// Starts a server that gives tokens to pull to `user` (name, password), or to anybody where that is `None`. Who
    /// asks to push has to show the password of the tests in any case.
    pub fn start(user: Option<(&'static str, &'static str)>) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a directory"));
        let at = |name: &str| directory.path().join(name);
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens.test"])
            .arg("-keyout")
            .arg(at("key.pem"))
            .arg("-out")
            .arg(at("certificate.pem")));
        let own = Arc::clone(&directory);
        let server = HostileRegistry::start(move |seen, _| answer(seen, user, &own));
        Self { address: server.address, server, directory }
    }

    /// The certificate that its tokens can be checked with.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

fn answer(seen: &Seen, user: Option<(&str, &str)>, directory: &TempDir) -> Reply {
    let query = |key: &str| {
        let (_, query) = seen.target.split_once('?')?;
        let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))?;
        Some(value.replace("%3A", ":").replace("%2F", "/").replace("%2C", ","))
    };
    let scope = query("scope").unwrap_or_default();
    let pushes = scope.contains("push");
    let (name, password) = user.unwrap_or((super::docker_registry::USER, super::docker_registry::PASSWORD));
    let expected = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    if (user.is_some() || pushes) && seen.header("authorization") != Some(&expected) {
        return Reply::new(401, br#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}"#.to_vec());
    }
    let access: Vec<_> = scope
        .split(' ')
        .filter_map(|scope| scope.strip_prefix("repository:")?.rsplit_once(':'))
        .map(|(name, actions)| json!({"type": "repository", "name": name, "actions": actions.split(',').collect::<Vec<_>>()}))
        .collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let claims = json!({"iss": TokenServer::ISSUER, "sub": name, "aud": "tests", "nbf": now - 60, "iat": now,
        "exp": now + 300, "jti": now.to_string(), "access": access});
    let token = sign(&claims.to_string(), directory);
    Reply::new(200, json!({"token": token, "expires_in": 300}).to_string().into_bytes())
}

/// A JSON web token, signed with RS256, that brings its certificate along.
fn sign(claims: &str, directory: &TempDir) -> String {
    let at = |name: &str| directory.path().join(name);
    let pem = std::fs::read_to_string(at("certificate.pem")).expect("a certificate");
    let certificate: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [certificate]}).to_string();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let input = tempfile::NamedTempFile::new_in(directory.path()).expect("a file");
    std::fs::write(input.path(), &signed).expect("a file");
    let key = at("key.pem");
    let signature = run(Command::new("openssl").args(["dgst", "-sha256", "-sign"]).arg(key).arg(input.path()));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
