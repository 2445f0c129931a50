//! Several RabbitMQ nodes that are one broker: quorum queues span them, and outlive fewer than half of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::free_address;
use super::rabbitmq::{RabbitMq, is_there, node};

/// As in infra/rabbitmq/rabbitmq.conf, where that concerns several nodes; and how they find each other.
const SETTINGS: &str = "net_ticktime = 20\ncluster_partition_handling = pause_minority\n\
                        cluster_formation.peer_discovery_backend = classic_config\n";

/// How long nodes may take to find each other again.
const WHOLE: Duration = Duration::from_secs(150);

/// Nodes that end with the test.
#[derive(Debug)]
pub struct RabbitCluster {
    /// The nodes. The first has the port mapper of all.
    pub nodes: Vec<RabbitMq>,
}

impl RabbitCluster {
    /// Starts `count` nodes that have found each other; `None`, loudly, where the program for it is missing.
    ///
    /// # Panics
    /// They do not start, or do not find each other.
    pub fn start(count: usize) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let mut last = String::new();
        for _ in 0..3 {
            match Self::try_start(count) {
                Ok(cluster) => return Some(cluster),
                Err(error) => last = error,
            }
        }
        panic!("a cluster of rabbitmq-server does not start: {last}")
    }

    fn try_start(count: usize) -> Result<Self, String> {
        let addresses: Vec<SocketAddr> = (0..count).map(|_| free_address()).collect();
        let mut configuration = SETTINGS.to_owned();
        for (number, address) in (1..).zip(&addresses) {
            configuration += &format!("cluster_formation.classic_config.nodes.{number} = {}\n", node(*address));
        }
        // The first finds nobody and is a broker alone; the others find it.
        let mut first = RabbitMq::spawn(addresses[0], None, &configuration)?;
        first.wait()?;
        let others =
            addresses[1..].iter().map(|address| RabbitMq::spawn(*address, Some(first.mapper()), &configuration));
        let mut others = others.collect::<Result<Vec<_>, String>>()?;
        others.iter_mut().try_for_each(RabbitMq::wait)?;
        let nodes: Vec<RabbitMq> = std::iter::once(first).chain(others).collect();
        nodes[0].rabbitmqctl(&["await_online_nodes", &count.to_string(), "--timeout", "60"]);
        Ok(Self { nodes })
    }

    /// Waits until all nodes know all others, and each queue whose name starts with `prefix` has all its members.
    ///
    /// # Panics
    /// It does not come to that.
    pub fn wait_until_whole(&self, prefix: &str) {
        let start = Instant::now();
        while let Err(lacking) = self.whole(prefix) {
            assert!(start.elapsed() < WHOLE, "the cluster is not whole: {lacking}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn whole(&self, prefix: &str) -> Result<(), String> {
        // Each is asked: one that was away sees it last, and until then knows of queues that the others do not.
        for node in &self.nodes {
            let status = node.try_rabbitmqctl(&["cluster_status", "--formatter", "json"])?;
            let known: Value = serde_json::from_str(&status).map_err(|error| error.to_string())?;
            if known["running_nodes"].as_array().map(Vec::len) != Some(self.nodes.len()) {
                return Err(status);
            }
        }
        let queues = self.nodes[0].try_rabbitmqctl(&["list_queues", "--no-table-headers", "name", "online"])?;
        let mut wanted = queues.lines().filter(|line| line.starts_with(prefix)).peekable();
        let is_there = wanted.peek().is_some();
        let is_whole = wanted.all(|line| line.matches('@').count() == self.nodes.len());
        if is_there && is_whole { Ok(()) } else { Err(queues) }
    }
}
