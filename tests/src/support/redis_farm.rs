//! Several `redis-server`s that belong together: a Cluster of masters, and a master with a replica and its Sentinels.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use super::process::{Server, free_address};
use super::redis_server::{RedisOptions, RedisServer, cli, text, wait_until};

/// The slots of a Cluster.
const SLOTS: usize = 16_384;
/// What the Sentinels call the master.
pub const MASTER: &str = "mymaster";

/// Masters that have the slots between them; no replicas.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts `count` masters; `None`, loudly, where a program for it is missing.
    pub fn start(count: usize, acl: Option<&str>) -> Option<Self> {
        Self::start_with(count, &RedisOptions { acl: acl.map(str::to_owned), ..RedisOptions::default() })
    }

    /// The same, each started with `options`.
    pub fn start_with(count: usize, options: &RedisOptions) -> Option<Self> {
        let mut nodes = Vec::new();
        let mut ports = Vec::new();
        for _ in 0..count {
            // Its own port for the bus: the default, 10,000 higher, need not exist.
            let bus = free_address().port().to_string();
            let words = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &bus];
            let mut options = options.clone();
            options.arguments.extend(words.map(str::to_owned));
            if options.authority.is_some() {
                options.arguments.extend(["--tls-cluster".to_owned(), "yes".to_owned()]);
            }
            nodes.push(RedisServer::start(options)?);
            ports.push(bus);
        }
        for (n, node) in nodes.iter().enumerate() {
            let range = [n * SLOTS / count, (n + 1) * SLOTS / count - 1].map(|slot| slot.to_string());
            assert_eq!(node.command(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]), "OK");
            assert_eq!(node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]), "OK");
        }
        for (node, bus) in nodes.iter().zip(&ports).skip(1) {
            let port = node.address.port().to_string();
            assert_eq!(nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]), "OK");
        }
        for node in &nodes {
            node.wait_for(&["CLUSTER", "INFO"], "cluster_state:ok");
            node.wait_for(&["CLUSTER", "INFO"], &format!("cluster_known_nodes:{count}"));
        }
        Some(Self { nodes })
    }

    /// The URL of it, for the user `name:password` if one is given. Names all nodes but the first, which has to be found.
    pub fn url(&self, user: Option<&str>) -> String {
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let hosts: Vec<String> = self.nodes.iter().skip(1).map(|node| node.address.to_string()).collect();
        let scheme = if self.nodes[0].certificate.is_some() { "rediss" } else { "redis" };
        format!("{scheme}+cluster://{user}{}", hosts.join(","))
    }
}

/// A master, a replica, and Sentinels that make the replica the master when the master is away.
#[derive(Debug)]
pub struct RedisSentinels {
    /// The master at first.
    pub master: RedisServer,
    /// The replica at first.
    pub replica: RedisServer,
    sentinels: Vec<(SocketAddr, Server)>,
    _directory: TempDir,
}

impl RedisSentinels {
    /// Starts them, with `count` Sentinels; `None`, loudly, where a program for it is missing.
    pub fn start(count: usize) -> Option<Self> {
        let master = RedisServer::start(RedisOptions::default())?;
        let port = master.address.port().to_string();
        let replica = RedisServer::start(RedisOptions::with(&["--replicaof", &format!("127.0.0.1 {port}")]))?;
        replica.wait_for(&["INFO", "replication"], "master_link_status:up");
        let directory = tempfile::tempdir().expect("a directory");
        let sentinels = (0..count).map(|n| sentinel(&directory, n, &port, count / 2 + 1)).collect();
        let farm = Self { master, replica, sentinels, _directory: directory };
        for (address, _) in &farm.sentinels {
            let known = || text(cli(*address).args(["SENTINEL", "MASTER", MASTER]));
            let is_complete = |answer: &str| {
                let lines: Vec<&str> = answer.lines().collect();
                let has = |key: &str, value: usize| lines.windows(2).any(|w| w[0] == key && w[1] == value.to_string());
                has("num-slaves", 1) && has("num-other-sentinels", count - 1)
            };
            wait_until(known, is_complete, "Sentinels that know each other and the replica");
        }
        Some(farm)
    }

    /// The URL of it.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.sentinels.iter().map(|(address, _)| address.to_string()).collect();
        format!("redis+sentinel://{}/{MASTER}", hosts.join(","))
    }
}

fn sentinel(directory: &TempDir, n: usize, master: &str, quorum: usize) -> (SocketAddr, Server) {
    let mut last = String::new();
    for _ in 0..5 {
        let address = free_address();
        let own = directory.path().join(n.to_string());
        fs::create_dir_all(&own).expect("a directory");
        let config = own.join("sentinel.conf");
        let text = format!(
            "port {}\nbind 127.0.0.1\ndir {}\nsentinel monitor {MASTER} 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 5000\n",
            address.port(),
            own.display()
        );
        fs::write(&config, text).expect("a configuration");
        match Server::start(Command::new("redis-server").arg(&config).arg("--sentinel"), address) {
            Ok(server) => return (address, server),
            Err(error) => last = error,
        }
    }
    panic!("a Sentinel does not start: {last}")
}
