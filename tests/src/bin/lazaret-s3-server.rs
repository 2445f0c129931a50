//! The S3 server of the tests as a process: `lazaret-s3-server ADDRESS DIRECTORY KEY-ID SECRET-KEY`.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use lazaret_tests::support::s3_server;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, directory, id, secret] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(listener) = TcpListener::bind(address.as_str()) else { return ExitCode::FAILURE };
    s3_server::serve(listener, Path::new(directory), (id.clone(), secret.clone())).await;
    ExitCode::SUCCESS
}
