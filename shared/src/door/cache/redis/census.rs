//! Counts claims: walks over the keys of every server, without stopping it.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, FromRedisValue, RedisResult, Value, cmd};

use super::connect::Connection;

/// How many keys are looked at in one request.
const STEP: usize = 1_000;
/// A walk that is longer is not of an honest server.
const STEPS: usize = 100_000;

/// How many keys start with `prefix`, which has no character that means something in a pattern. Each request may take
/// `budget`.
pub async fn count_keys(connection: Connection, prefix: &str, budget: Duration) -> Option<u64> {
    let nodes = match connection {
        Connection::Server(connection) => vec![Node::Server(connection)],
        Connection::Cluster(connection) => masters(connection, budget).await?,
    };
    let mut sum = 0;
    for node in nodes {
        sum += node.count_keys(prefix, budget).await?;
    }
    Some(sum)
}

/// A server that has keys of its own.
enum Node {
    Server(MultiplexedConnection),
    /// A master of a Cluster, by host and port.
    Master(ClusterConnection, String, u16),
}

impl Node {
    async fn count_keys(mut self, prefix: &str, budget: Duration) -> Option<u64> {
        let pattern = format!("{prefix}*");
        let (mut cursor, mut sum) = (0_u64, 0);
        for _ in 0..STEPS {
            let mut command = cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
            let answer = tokio::time::timeout(budget, self.ask(command)).await.ok()?.ok()?;
            let (next, keys) = <(u64, Vec<Vec<u8>>)>::from_redis_value(answer).ok()?;
            sum += keys.len() as u64;
            if next == 0 {
                return Some(sum);
            }
            cursor = next;
        }
        None
    }

    async fn ask(&mut self, command: Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(&command).await,
            Self::Master(connection, host, port) => {
                let node = SingleNodeRoutingInfo::ByAddress { host: host.clone(), port: *port };
                connection.route_command(command, RoutingInfo::SingleNode(node)).await
            }
        }
    }
}

/// The masters, by host and port as the Cluster itself names them.
async fn masters(mut connection: ClusterConnection, budget: Duration) -> Option<Vec<Node>> {
    let mut command = cmd("CLUSTER");
    command.arg("SLOTS");
    let answer = tokio::time::timeout(budget, connection.req_packed_command(&command)).await.ok()?.ok()?;
    let Value::Array(ranges) = answer else { return None };
    let mut masters = BTreeSet::new();
    for range in ranges {
        // First slot, last slot, the master, its replicas.
        let Value::Array(range) = range else { return None };
        let Value::Array(master) = range.into_iter().nth(2)? else { return None };
        let mut master = master.into_iter();
        let host = String::from_redis_value(master.next()?).ok()?;
        masters.insert((host, u16::from_redis_value(master.next()?).ok()?));
    }
    Some(masters.into_iter().map(|(host, port)| Node::Master(connection.clone(), host, port)).collect())
}
