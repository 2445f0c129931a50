//! Makes a connection to what an address names.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
    TlsCertificates, TlsMode,
};

use super::address::{Address, Topology};
use crate::door::source::registry::Secret;

/// How long a server may take to let us in. Nobody waits that long: whoever asks has a budget, and the connection is
/// there for the next one.
const PATIENCE: Duration = Duration::from_secs(3);

/// A connection that any number of tasks share.
#[derive(Clone)]
pub enum Connection {
    /// To one server.
    Server(MultiplexedConnection),
    /// To the nodes of a Cluster.
    Cluster(ClusterConnection),
}

/// Connects, in its own time.
pub async fn connect(address: &Address, certificates: Option<&TlsCertificates>) -> RedisResult<Connection> {
    if address.tls {
        // Fails where there is one already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    match &address.topology {
        Topology::Single => single(address, certificates).await,
        Topology::Cluster => cluster(address, certificates).await,
        Topology::Sentinel(master) => sentinel(address, master, certificates).await,
    }
}

/// A request is small and somebody waits for its answer: the kernel has nothing to collect.
fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// Whoever asks has a budget, so that the connection needs no time-out of its own.
fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(None)
}

fn addresses(address: &Address) -> impl Iterator<Item = ConnectionAddr> {
    address.hosts.iter().map(|(host, port)| match address.tls {
        true => ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None },
        false => ConnectionAddr::Tcp(host.clone(), *port),
    })
}

async fn single(address: &Address, certificates: Option<&TlsCertificates>) -> RedisResult<Connection> {
    let mut settings = RedisConnectionInfo::default().set_db(address.database).set_skip_set_lib_name();
    if let Some(user) = &address.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &address.password {
        settings = settings.set_password(password.expose());
    }
    let host = addresses(address).next().ok_or((redis::ErrorKind::InvalidClientConfig, "no host"))?;
    let info = host.into_connection_info()?.set_redis_settings(settings).set_tcp_settings(tcp());
    let client = match certificates {
        Some(certificates) => Client::build_with_tls(info, certificates.clone())?,
        None => Client::open(info)?,
    };
    Ok(Connection::Server(client.get_multiplexed_async_connection_with_config(&config()).await?))
}

async fn cluster(address: &Address, certificates: Option<&TlsCertificates>) -> RedisResult<Connection> {
    let mut builder = redis::cluster::ClusterClientBuilder::new(addresses(address))
        .tcp_settings(tcp())
        .connection_timeout(PATIENCE)
        .response_timeout(PATIENCE)
        // Enough to follow a slot to another node; a node that is away is waited for within the budget only.
        .retries(2)
        .max_retry_wait(50);
    if let Some(user) = &address.user {
        builder = builder.username(user);
    }
    if let Some(password) = address.password.as_ref().map(Secret::expose) {
        builder = builder.password(password);
    }
    if address.tls {
        builder = builder.tls(TlsMode::Secure);
    }
    if let Some(certificates) = certificates {
        builder = builder.certs(certificates.clone());
    }
    Ok(Connection::Cluster(builder.build()?.get_async_connection().await?))
}

async fn sentinel(address: &Address, master: &str, certificates: Option<&TlsCertificates>) -> RedisResult<Connection> {
    let mut builder = SentinelClientBuilder::new(addresses(address), master, SentinelServerType::Master)?
        .set_client_to_redis_tcp_settings(tcp())
        .set_client_to_redis_db(address.database);
    if let Some(user) = &address.user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = address.password.as_ref().map(Secret::expose) {
        builder = builder.set_client_to_redis_password(password);
    }
    if address.tls {
        builder =
            builder.set_client_to_redis_tls_mode(TlsMode::Secure).set_client_to_sentinel_tls_mode(TlsMode::Secure);
        if let Some(certificates) = certificates {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
    }
    Ok(Connection::Server(builder.build()?.get_async_connection_with_config(&config()).await?))
}
