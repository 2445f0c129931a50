//! What can be set about a queue.

use std::time::Duration;

/// How a queue is used. The defaults suit a farm.
#[derive(Clone, Debug)]
pub struct QueueSettings {
    /// What the names of all queues and exchanges start with.
    pub prefix: String,
    /// How many queues jobs are spread over. The same for all coordinators of a farm.
    pub job_shards: u16,
    /// How long the rungs of the retry ladder wait, the shortest first. The same for all processes of a farm.
    pub ladder: Vec<Duration>,
    /// How long the broker may take to confirm a message.
    pub confirm_timeout: Duration,
    /// How long the first connection may take, with all attempts; after that one tries for ever.
    pub first_connection: Duration,
    /// How long a publish waits while the connection is being restored.
    pub restoration: Duration,
    /// Two of these without a sign of life, and the connection is given up.
    pub heartbeat: Duration,
    /// What the broker shows as the name of the connections.
    pub name: String,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            prefix: "lazaret".to_owned(),
            job_shards: 4,
            ladder: [10, 60, 600].map(Duration::from_secs).to_vec(),
            confirm_timeout: Duration::from_secs(10),
            first_connection: Duration::from_secs(30),
            restoration: Duration::from_secs(60),
            heartbeat: Duration::from_secs(10),
            name: "lazaret".to_owned(),
        }
    }
}

/// How often a message is handed back without being counted, before it is a dead letter: at 60 s a time, half an hour for
/// a rolling upgrade.
pub(super) const MAX_HANDED_BACK: u16 = 30;
