//! The store behaves the same on every back end, and loses nothing behind a network that does.

use std::net::SocketAddr;
use std::time::Duration;

use lazaret::door::store::{Patience, S3Settings, S3Store};
use lazaret_tests::support::s3_server::{BUCKET, S3Server};

#[path = "store_door/back_ends.rs"]
mod back_ends;
#[path = "store_door/faults.rs"]
mod faults;
#[path = "store_door/refusals.rs"]
mod refusals;
#[path = "store_door/secrets.rs"]
mod secrets;
#[path = "store_door/tls.rs"]
mod tls;

/// A store below `prefix` on `server`, spoken to at `address`: that of the server, or of a proxy before it.
async fn store(server: &S3Server, address: SocketAddr, prefix: &str) -> S3Store {
    store_as(server.credentials.clone(), address, prefix).await
}

async fn store_as(credentials: (String, String), address: SocketAddr, prefix: &str) -> S3Store {
    let settings = S3Settings {
        endpoint: Some(format!("http://{address}")),
        region: Some("us-east-1".into()),
        credentials: Some(credentials),
        patience: Patience { pause: Duration::from_millis(5), ..Patience::default() },
        ..S3Settings::default()
    };
    S3Store::open(&format!("s3://{BUCKET}/{prefix}"), settings).await.expect("settings")
}
