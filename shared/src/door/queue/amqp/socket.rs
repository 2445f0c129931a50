//! Opens one connection to one node, within a limit, and can cut it.

use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::tcp::{AsyncTcpStream, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};

use super::super::QueueSettings;

/// For name resolution, TCP and TLS.
const DIAL: Duration = Duration::from_secs(5);
/// For all that and the protocol's own handshake.
const OPEN: Duration = Duration::from_secs(10);

/// Another handle of the connection's socket. The library waits for a peer that says nothing until the heartbeat is
/// overdue, and for ever where none has been agreed on yet; shutting the socket down ends it now.
#[derive(Clone, Default)]
pub(super) struct Cutter(Arc<Mutex<Option<TcpStream>>>);

impl Cutter {
    /// Ends the connection as if the network had.
    pub(super) fn cut(&self) {
        if let Some(socket) = self.socket().take() {
            // One that is closed already needs no cut.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn socket(&self) -> std::sync::MutexGuard<'_, Option<TcpStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects to `node`.
pub(super) async fn open(node: &AMQPUri, settings: &QueueSettings) -> Result<(Connection, Cutter), lapin::Error> {
    if node.scheme == AMQPScheme::AMQPS && rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may have been faster, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let mut node = node.clone();
    node.query.heartbeat = Some(settings.heartbeat.as_secs().clamp(1, 600) as u16);
    let cutter = Cutter::default();
    let kept = cutter.clone();
    let runtime = lapin::runtime::default_runtime()?;
    let reactor = runtime.clone();
    let dial = async move |node: AMQPUri, _| {
        let host = node.authority.host.clone();
        let stream = async {
            let addresses: Vec<_> = tokio::net::lookup_host((host.as_str(), node.authority.port)).await?.collect();
            let stream = AsyncTcpStream::connect(&reactor, addresses).await?;
            if let AsyncTcpStream::Plain(plain) = &stream {
                let socket = std::os::fd::AsFd::as_fd(plain.get_ref()).try_clone_to_owned()?;
                *kept.socket() = Some(socket.into());
            }
            match node.scheme {
                AMQPScheme::AMQP => Ok(stream),
                AMQPScheme::AMQPS => stream.into_tls(&host, OwnedTLSConfig::default().as_ref()).await,
            }
        };
        let stream = tokio::time::timeout(DIAL, stream).await.unwrap_or_else(|_| Err(late()));
        stream.map_err(lapin::Error::from)
    };
    let properties = ConnectionProperties::default().with_connection_name(settings.name.as_str().into());
    let connection = Connection::connector(node, runtime, dial, properties);
    match tokio::time::timeout(OPEN, connection).await {
        Ok(connection) => Ok((connection?, cutter)),
        Err(_) => {
            cutter.cut();
            Err(late().into())
        }
    }
}

fn late() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time")
}
