//! Connections: so many at once, none that keeps its request to itself, and an end that lets answers finish.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::limits::Limits;

/// How long a connection may take to send the head of a request, or stay silent after one.
const HEAD: Duration = Duration::from_secs(30);
/// The most bytes of such a head.
const MAX_HEAD: usize = 64 << 10;
/// How long to wait after a connection could not be accepted: there may be no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then says so to whoever listens to `end`, and waits for answers.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    end: watch::Sender<bool>,
    shutdown: impl Future<Output = ()>,
) {
    let open = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut shutdown = pin!(shutdown);
    let accept_all = async {
        loop {
            // Nobody closes the semaphore.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let stream = accept(&listener).await;
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(MAX_HEAD)
                .serve_connection(TokioIo::new(stream), service);
            let connection = open.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!("a connection broke: {error}");
                }
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accept_all => {}
        () = &mut shutdown => {}
    }
    drop(listener);
    end.send_replace(true);
    if tokio::time::timeout(limits.grace, open.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered within {:?}", limits.grace);
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without it an event may wait for the answer to the one before.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!("a connection without TCP_NODELAY: {error}");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
