//! The queue door on a real RabbitMQ: what it promises, and what it does when broker, network or somebody else fails it.
#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

#[path = "queue_door/broker.rs"]
mod broker;
#[path = "queue_door/cluster.rs"]
mod cluster;
#[path = "queue_door/consuming.rs"]
mod consuming;
#[path = "queue_door/outages.rs"]
mod outages;
#[path = "queue_door/publishing.rs"]
mod publishing;
#[path = "queue_door/topology.rs"]
mod topology;
