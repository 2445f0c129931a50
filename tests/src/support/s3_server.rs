//! S3 servers with one bucket: moto (with authentication on), s3s-fs within this process, and garage.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::process::{Server, free_address};

/// The bucket that each server has.
pub const BUCKET: &str = "lazaret";

/// A running server.
pub struct S3Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Access key id and secret key of somebody who may do everything.
    pub credentials: (String, String),
    // Dropped in this order: what runs, then what it works on.
    _running: Running,
    _directory: TempDir,
}

enum Running {
    Process { _server: Server },
    Threads(Option<Runtime>),
}

impl Drop for Running {
    fn drop(&mut self) {
        // Dropped as a test's async code ends, where a runtime may not wait for its threads.
        if let Self::Threads(runtime) = self
            && let Some(runtime) = runtime.take()
        {
            runtime.shutdown_background();
        }
    }
}

impl S3Server {
    /// moto: the semantics of Amazon's, conditions and signatures included. `None`, loudly, where it is not installed.
    pub fn moto() -> Option<Self> {
        let program = moto_python();
        if !super::is_there("moto", program.is_file()) {
            return None;
        }
        let (server, address) = started("moto", |address, _| {
            let mut command = Command::new(&program);
            command.args(["-c", include_str!("moto.py")]);
            command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
            // The requests below, and none after them, are answered without asking who is there.
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", "4");
            command
        });
        let user = "UserName=tester&Version=2010-05-08";
        let policy = "%7B%22Version%22:%222012-10-17%22,%22Statement%22:%5B%7B%22Effect%22:%22Allow%22,\
                      %22Action%22:%22s3:*%22,%22Resource%22:%22*%22%7D%5D%7D";
        ask(address, "iam", "POST /", &format!("Action=CreateUser&{user}"));
        ask(address, "iam", "POST /", &format!("Action=PutUserPolicy&PolicyName=all&PolicyDocument={policy}&{user}"));
        let key = ask(address, "iam", "POST /", &format!("Action=CreateAccessKey&{user}"));
        ask(address, "s3", &format!("PUT /{BUCKET}"), "");
        let element = |name: &str| {
            let (_, rest) = key.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {key}"));
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        let credentials = (element("AccessKeyId"), element("SecretAccessKey"));
        Some(Self { address, credentials, _running: Running::Process { _server: server.0 }, _directory: server.1 })
    }

    /// s3s-fs, in memory. Quick; two writers with conditions may both win.
    ///
    /// # Panics
    /// There is no free port or no directory.
    pub fn s3s() -> Self {
        let directory = super::in_memory();
        let credentials = ("tester".to_owned(), "canary-secret-of-s3s-51c0de".to_owned());
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        // Files in memory are quick: waking another thread for each step of a request is what a step costs.
        let runtime = runtime.worker_threads(2).max_blocking_threads(1).enable_all().build();
        let runtime = runtime.expect("threads");
        // Bound here and not in the runtime, since a test may run in another one.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (root, own) = (directory.path().to_owned(), credentials.clone());
        runtime.spawn(async move { serve(listener, &root, own).await });
        Self { address, credentials, _running: Running::Threads(Some(runtime)), _directory: directory }
    }

    /// garage: a real server that ignores conditions. `None` where it is not installed, which nothing asks for: it takes
    /// a quarter of an hour to build.
    pub fn garage() -> Option<Self> {
        Command::new("garage").arg("--version").output().ok()?;
        let credentials = (format!("GK{}", "3".repeat(24)), "7".repeat(64));
        let (server, address) = started("garage", |address, directory| {
            let at = directory.display();
            let (rpc, secret) = (free_address(), "5".repeat(64));
            let config = format!(
                "metadata_dir = \"{at}/meta\"\ndata_dir = \"{at}/data\"\ndb_engine = \"sqlite\"\n\
                 replication_factor = 1\nrpc_bind_addr = \"{rpc}\"\nrpc_public_addr = \"{rpc}\"\n\
                 rpc_secret = \"{secret}\"\n[s3_api]\ns3_region = \"us-east-1\"\napi_bind_addr = \"{address}\"\n"
            );
            fs::write(directory.join("garage.toml"), config).expect("a configuration");
            let mut command = Command::new("garage");
            command.arg("-c").arg(directory.join("garage.toml")).args(["server", "--single-node", "--default-bucket"]);
            command.env("GARAGE_DEFAULT_ACCESS_KEY", &credentials.0);
            command.env("GARAGE_DEFAULT_SECRET_KEY", &credentials.1);
            command.env("GARAGE_DEFAULT_BUCKET", BUCKET);
            command
        });
        Some(Self { address, credentials, _running: Running::Process { _server: server.0 }, _directory: server.1 })
    }

    /// The URL of the server.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves the directory `root`, in which there is a bucket afterwards, until the process ends.
///
/// # Panics
/// The directory cannot be used.
pub async fn serve(listener: std::net::TcpListener, root: &Path, (id, secret): (String, String)) {
    fs::create_dir_all(root.join(BUCKET)).expect("a bucket");
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).expect("a directory"));
    service.set_auth(SimpleAuth::from_single(id, secret));
    let service = service.build();
    listener.set_nonblocking(true).expect("a listener");
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let _ = client.set_nodelay(true);
        let service = service.clone();
        tokio::spawn(async move {
            // A client that goes away is no error of the server's.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(client), service).await;
        });
    }
}

/// The Python for which infra/set-up installs moto.
fn moto_python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|cache| !cache.is_empty()).map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"))).unwrap_or_default();
    cache.join("lazaret/moto-venv/bin/python")
}

/// Starts what `command` says, with an address and a directory of its own.
fn started(name: &str, command: impl Fn(SocketAddr, &Path) -> Command) -> ((Server, TempDir), SocketAddr) {
    let mut last = String::new();
    for _ in 0..5 {
        let directory = tempfile::tempdir().expect("a directory");
        let address = free_address();
        match Server::start(&mut command(address, directory.path()), address) {
            Ok(server) => return ((server, directory), address),
            Err(error) => last = error,
        }
    }
    panic!("{name} does not start: {last}")
}

/// Asks moto while it does not look who asks.
fn ask(address: SocketAddr, service: &str, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("moto listens");
    let text = format!(
        "{request} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=x/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).expect("moto reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("moto answers");
    let status = answer.split_whitespace().nth(1);
    assert_eq!(status, Some("200"), "moto, asked to {request} {body}: {answer}");
    answer
}
