//! A server of the API on a free port, with a tokens file of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use lazaret_coordinator::serve::api::{ApiOptions, Limits, Scope, serve_api, token};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fake::Fake;

/// The server. It ends when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub fake: Arc<Fake>,
    pub tokens: BTreeMap<&'static str, String>,
    directory: TempDir,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

/// The tokens that every server knows: name, scopes, end.
const TOKENS: &[(&str, &[Scope], Option<&str>)] = &[
    ("scan", &[Scope::Scan], None),
    ("read", &[Scope::Read], None),
    ("both", &[Scope::Scan, Scope::Read], Some("9999-01-01")),
    ("admin", &[Scope::Admin], None),
    ("expired", &[Scope::Admin], Some("2020-01-01")),
];

impl Server {
    /// A server with tokens.
    pub async fn start() -> Self {
        Self::start_with(true, Limits::default()).await
    }

    pub async fn start_with(with_tokens: bool, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut tokens = BTreeMap::new();
        let mut text = String::new();
        for &(name, scopes, expires) in TOKENS {
            let token = token::generate().unwrap().expose().to_owned();
            text += &token::Entry { name, hash: token::hash(&token), scopes, expires }.to_string();
            tokens.insert(name, token);
        }
        tokens.insert("unknown", token::generate().unwrap().expose().to_owned());
        std::fs::write(directory.path().join("tokens.toml"), text).unwrap();
        let fake = Arc::new(Fake::default());
        let options = ApiOptions {
            tokens: with_tokens.then(|| directory.path().join("tokens.toml")),
            metrics: Arc::new(|| "jobs 1\n".into()),
            limits,
        };
        let (stop, stopped) = oneshot::channel();
        let jobs = Arc::clone(&fake) as Arc<_>;
        let task = tokio::spawn(serve_api(listener, jobs, options, async {
            let _ = stopped.await;
        }));
        Self { address, fake, tokens, directory, stop: Some(stop), task }
    }

    /// The tokens file.
    pub fn tokens_file(&self) -> PathBuf {
        self.directory.path().join("tokens.toml")
    }

    /// Ends it and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
