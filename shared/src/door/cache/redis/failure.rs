//! What can go wrong with a request, as far as it makes a difference; its name is the label of a metric.

use redis::{ErrorKind, RedisError};

/// Why there is no answer, or none of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Not asked: the server did not answer lately.
    Breaker,
    /// No answer in time.
    Timeout,
    /// No connection, or none any more.
    Connection,
    /// The server does not let us in.
    Authentication,
    /// The user may not do this.
    Permission,
    /// The memory is full, and nothing may be evicted.
    OutOfMemory,
    /// A replica: the master is elsewhere.
    ReadOnly,
    /// Too few replicas to write.
    NoReplicas,
    /// The server does not know the script (any more).
    NoScript,
    /// Something else is under this key.
    WrongType,
    /// The server, or its cluster, is not ready.
    NotReady,
    /// Keys of several slots in one request: our fault.
    CrossSlot,
    /// An answer that is none to the question.
    Answer,
    /// Another error of the server.
    Server,
}

impl Failure {
    /// The label of the metric.
    pub fn label(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::OutOfMemory => "out_of_memory",
            Self::ReadOnly => "read_only",
            Self::NoReplicas => "no_replicas",
            Self::NoScript => "no_script",
            Self::WrongType => "wrong_type",
            Self::NotReady => "not_ready",
            Self::CrossSlot => "cross_slot",
            Self::Answer => "answer",
            Self::Server => "server",
        }
    }

    /// Whether nobody answered, so that the next one need not wait either.
    pub fn is_silence(self) -> bool {
        matches!(self, Self::Timeout | Self::Connection | Self::Authentication)
    }

    /// Whether the server answers, but takes nothing.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::OutOfMemory | Self::ReadOnly | Self::NoReplicas | Self::Permission)
    }

    /// By the first word of a server's error.
    pub fn of_code(code: &str) -> Self {
        match code {
            "OOM" => Self::OutOfMemory,
            "READONLY" => Self::ReadOnly,
            "NOREPLICAS" => Self::NoReplicas,
            "NOSCRIPT" => Self::NoScript,
            "NOPERM" => Self::Permission,
            "NOAUTH" | "WRONGPASS" => Self::Authentication,
            "WRONGTYPE" => Self::WrongType,
            "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "BUSY" => Self::NotReady,
            "CROSSSLOT" => Self::CrossSlot,
            _ => Self::Server,
        }
    }
}

impl From<&RedisError> for Failure {
    fn from(error: &RedisError) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        match error.kind() {
            ErrorKind::AuthenticationFailed => Self::Authentication,
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Self::Answer,
            _ => error.code().map_or(Self::Connection, Self::of_code),
        }
    }
}
