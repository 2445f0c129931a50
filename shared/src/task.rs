//! A task: one layer to analyse, as coordinators and workers tell each other. JSON, small, and it only *names* things: a
//! registry, a repository, a digest. No credential, URL or file path is ever in a message.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::hex;
use crate::image::Descriptor;
use crate::rules::is_digest;

/// The schema that this build writes.
pub const SCHEMA: u16 = 1;
/// The largest message that is read, in bytes.
pub const MAX_MESSAGE: usize = 64 << 10;
/// The most places that one task names.
pub const MAX_PLACES: usize = 8;

/// One layer to analyse. Unknown fields are ignored, so that a newer coordinator may add some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The schema of the writer.
    pub schema: u16,
    /// The lowest schema whose reader understands this message. One that is too old hands it back.
    pub min_reader: u16,
    /// A function of the blob's descriptor and the set: equal wishes of any two coordinators have equal ids.
    pub id: TaskId,
    /// Different for each wish that was published; copies and redeliveries of it have the same. The claim on the layer
    /// holds it, and so does a record of failure, which so tells whose waiting it ends.
    pub ticket: String,
    /// The layer's blob.
    pub blob: Descriptor,
    /// Where the blob can be had, the likeliest first; at most [`MAX_PLACES`].
    pub places: Vec<Place>,
    /// The fingerprint that the inventory is wanted for. A worker of another build hands the task back.
    pub set: String,
    /// The digest of the rules that are added to the built-in ones; they are in the store. The set depends on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// Which queue it goes to.
    pub class: Class,
    /// The job that asked first, for the ledger.
    #[serde(default)]
    pub job: String,
    /// How often it was tried already. Travels in a header, so that a copy has the same body.
    #[serde(skip)]
    pub attempt: u16,
    /// W3C trace context (`traceparent`) of whoever asked. Travels in a header.
    #[serde(skip)]
    pub trace: Option<String>,
}

impl Task {
    /// The task of analysing `blob` for `set`, at its first attempt and without a ticket.
    pub fn new(blob: Descriptor, set: &str, class: Class, places: Vec<Place>) -> Self {
        Self {
            schema: SCHEMA,
            min_reader: SCHEMA,
            id: TaskId::new(&blob, set),
            ticket: String::new(),
            blob,
            places,
            set: set.to_owned(),
            rules: None,
            class,
            job: String::new(),
            attempt: 0,
            trace: None,
        }
    }

    /// Reads a message. Whatever is in it may come from anybody who reaches the broker: lengths are bounded, the id has to be
    /// that of blob and set.
    ///
    /// # Errors
    /// [`TaskError`].
    pub fn read(message: &[u8]) -> Result<Self, TaskError> {
        if message.len() > MAX_MESSAGE {
            return Err(TaskError::Malformed("too long".into()));
        }
        #[derive(Deserialize)]
        struct Schema {
            min_reader: u16,
        }
        let malformed = |error: serde_json::Error| TaskError::Malformed(error.to_string());
        let Schema { min_reader } = serde_json::from_slice(message).map_err(malformed)?;
        if min_reader > SCHEMA {
            return Err(TaskError::Newer(min_reader));
        }
        let task: Self = serde_json::from_slice(message).map_err(malformed)?;
        let set_is_sane = task.set.len() <= 64 && task.set.bytes().all(|b| b.is_ascii_hexdigit());
        if !set_is_sane || task.id != TaskId::new(&task.blob, &task.set) {
            return Err(TaskError::Malformed("its id is not that of its layer".into()));
        }
        if task.rules.as_deref().is_some_and(|rules| !is_digest(rules)) {
            return Err(TaskError::Malformed("its rules have no digest".into()));
        }
        if task.places.len() > MAX_PLACES || task.job.len() > 64 || task.ticket.len() > 64 {
            return Err(TaskError::Malformed("too many places, or a job or ticket that is none".into()));
        }
        Ok(task)
    }

    /// The message.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Why a message is no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// Written by a newer build: some other worker understands it.
    #[error("the task needs a reader of schema {0}, this build reads {SCHEMA}")]
    Newer(u16),
    /// Not a task of ours.
    #[error("malformed task: {0}")]
    Malformed(String),
}

/// 128 bits of a BLAKE3 hash over descriptor and set. Size and media type are in it, since a manifest that lies about them
/// must not make the layer fail for another that does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId([u8; 16]);

impl TaskId {
    /// The id of analysing `blob` for `set`.
    pub fn new(blob: &Descriptor, set: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("lazaret 2026 task id");
        hasher.update(blob.digest.as_bytes());
        hasher.update(&blob.size.to_le_bytes());
        hasher.update(&(blob.media_type.len() as u64).to_le_bytes());
        hasher.update(blob.media_type.as_bytes());
        hasher.update(set.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(id)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TaskId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TaskId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let malformed = || serde::de::Error::custom("malformed task id");
        let digits = text.as_bytes();
        if digits.len() != 32 || !digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(malformed());
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| malformed())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
        }
        Ok(Self(id))
    }
}

/// A repository of a configured registry. With embedded doors, where an image may come from a file, `registry` is empty and
/// `repository` is a number that the process knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// `host[:port]`.
    pub registry: String,
    /// The repository.
    pub repository: String,
}

/// How urgent a task is. Each class has a queue of its own, and workers keep slots for the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Somebody waits.
    Interactive,
    /// The nightly registry.
    #[default]
    Bulk,
}

impl Class {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];

    /// `interactive` or `bulk`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
        }
    }
}

/// Says that a task has ended. A hint to look, never the result: it may be lost, doubled or late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The task that ended.
    pub task: TaskId,
    /// Whether there is an inventory now; else there is a failure record.
    pub done: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn blob(content: &[u8], size: u64) -> Descriptor {
        Descriptor { media_type: String::new(), digest: Digest::of(content), size }
    }

    fn task() -> Task {
        let blob = blob(b"x", 1);
        let place = Place { registry: "r.example:5000".into(), repository: "a/b".into() };
        Task::new(blob, "00ff", Class::Bulk, vec![place])
    }

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        assert_eq!(Task::read(&task().write()), Ok(task()));
        let old =
            br#"{"schema":1,"min_reader":1,"id":"ID","ticket":"","blob":{"mediaType":"","digest":"DIGEST","size":1},
            "places":[{"registry":"r.example:5000","repository":"a/b"}],"set":"00ff","class":"bulk","later":true}"#;
        let old = String::from_utf8_lossy(old)
            .replace("ID", &task().id.to_string())
            .replace("DIGEST", &task().blob.digest.to_string());
        assert_eq!(Task::read(old.as_bytes()), Ok(task()), "an old sample reads, unknown fields are ignored");
        for message in ["", "{}", "[]", "{\"min_reader\":1}", "\u{0}"] {
            assert!(matches!(Task::read(message.as_bytes()), Err(TaskError::Malformed(_))), "{message}");
        }
        assert_eq!(Task::read(br#"{"min_reader":9}"#), Err(TaskError::Newer(9)));
        let forged = Task { id: TaskId::new(&blob(b"y", 1), "00ff"), ..task() };
        assert!(matches!(Task::read(&forged.write()), Err(TaskError::Malformed(_))));
        let ruled = Task { rules: Some("0a".repeat(32)), ..task() };
        assert_eq!(Task::read(&ruled.write()), Ok(ruled));
        let climbing = Task { rules: Some("../../jobs".into()), ..task() };
        assert!(matches!(Task::read(&climbing.write()), Err(TaskError::Malformed(_))));
    }

    #[test]
    fn ids_are_of_descriptor_and_set() {
        let id = TaskId::new(&blob(b"x", 1), "00");
        assert_eq!(id.to_string().len(), 32);
        assert_ne!(id, TaskId::new(&blob(b"x", 1), "01"));
        assert_ne!(id, TaskId::new(&blob(b"x", 2), "00"), "a lie about the size is another task");
    }
}
