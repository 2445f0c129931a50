//! Blobs that cannot be had or analysed: whose fault it is, and whether there is another attempt.

use std::io;
use std::time::Duration;

use lazaret::digest::Digest;
use lazaret::record::FailureKind;
use lazaret::task::{Class, Task};

use super::super::analyse::Failed;
use super::super::perform::Ending;
use super::fakes::{Answer, FakeBlobs};
use super::stage::{Stage, place};

#[tokio::test]
async fn the_next_place_is_asked_where_one_does_not_have_it() {
    let good = Answer::Bytes(vec![0; 1024]);
    let mut corrupt = vec![0; 1024];
    corrupt[0] = 1;
    for first in [Answer::Missing, Answer::Busy(None), Answer::Bytes(vec![0; 512]), Answer::Bytes(corrupt)] {
        let mut stage = Stage::new().answers([("x", first), ("y", good.clone())]);
        assert_eq!(stage.perform().await, Ending::Analysed);
        assert_eq!(stage.journal.count("open"), 2);
    }
}

#[tokio::test]
async fn what_is_nowhere_is_a_failure_of_its_places() {
    let mut stage = Stage::new().answers([("x", Answer::Missing), ("y", Answer::Missing)]);
    assert_eq!(stage.perform().await, Ending::Failed);
    let lines = stage.journal.lines();
    assert_eq!(lines[lines.len() - 4..], ["store put failure", "announce done=false", "release", "ack"]);
    let failure = stage.failure().await.unwrap();
    assert_eq!(failure.kind, FailureKind::Source(vec![place("x"), place("y")]));
    assert_eq!((failure.reason.as_str(), failure.attempts), ("y: 404", 1));
    stage.blobs = FakeBlobs { journal: stage.journal.clone(), ..FakeBlobs::default() };
    stage.perform().await;
    assert_eq!(stage.failure().await.unwrap().ticket, stage.task.ticket);
}

#[tokio::test]
async fn what_passes_is_tried_again_later_and_not_for_ever() {
    for (attempt, busy, pause) in [(0, None, 10), (1, None, 60), (2, None, 600), (3, None, 600), (0, Some(120), 120)] {
        let mut stage = Stage::new().answers([("a", Answer::Busy(busy)), ("a/2", Answer::Busy(None))]);
        stage.task.attempt = attempt;
        assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(pause), true));
        assert_eq!(stage.journal.count("open"), 1, "a busy registry is not asked for another repository");
        let lines = stage.journal.lines();
        let last = [format!("renew {} s", pause + 30), format!("retry after {pause} s, counted=true")];
        assert_eq!(lines[lines.len() - 2..], last, "the claim outlives the pause");
        assert!(stage.failure().await.is_none());
    }
    let mut stage = Stage::new().answers([("a", Answer::Busy(None))]);
    stage.task.attempt = 4;
    assert_eq!(stage.perform().await, Ending::Failed);
    let failure = stage.failure().await.unwrap();
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Source(vec![place("a")]), 5));
}

#[tokio::test]
async fn bytes_that_are_no_layer_are_a_failure_of_the_layer() {
    let noise = vec![7; 1024];
    let mut stage = Stage::new().answers([("a", Answer::Bytes(noise.clone()))]);
    stage.task.blob.digest = Digest::of(&noise);
    stage.task = Task::new(stage.task.blob.clone(), &stage.task.set, Class::Bulk, stage.task.places.clone());
    assert_eq!(stage.perform().await, Ending::Failed);
    let failure = stage.failure().await.unwrap();
    let said = crate::analyze::analyze(&noise[..], &stage.task.blob, &Default::default(), Default::default())
        .unwrap_err()
        .to_string();
    assert_eq!((failure.kind, failure.reason), (FailureKind::Layer, said), "in the words of a scan in one process");

    let mut other = Stage::new();
    other.task.blob.media_type = "application/x-\u{1b}encrypted".to_owned();
    assert_eq!(other.perform().await, Ending::Failed);
    let failure = other.failure().await.unwrap();
    assert_eq!((failure.kind, other.journal.count("open")), (FailureKind::Layer, 0));
    assert!(failure.reason.contains("application/x-\\x1bencrypted"), "{}", failure.reason);
}

#[tokio::test]
async fn a_crash_is_tried_once_more_and_is_a_failure_then() {
    let crash = || Failed::Resources("the child crashed".to_owned());
    let mut stage = Stage::new();
    stage.failures = vec![crash()];
    assert_eq!(stage.perform().await, Ending::Analysed);
    let mut stage = Stage::new();
    stage.failures = vec![crash(), crash()];
    assert_eq!(stage.perform().await, Ending::Failed);
    assert_eq!(stage.failure().await.unwrap().kind, FailureKind::Resources);
}

#[tokio::test]
async fn trouble_while_reading_is_the_sources() {
    for (error, ending) in [
        (io::Error::from(io::ErrorKind::ConnectionReset), Ending::Later(Duration::from_secs(10), true)),
        (io::Error::from(io::ErrorKind::TimedOut), Ending::Later(Duration::from_secs(10), true)),
        (lazaret::door::source::SourceError::BlobMissing { digest: Digest::of(b"") }.into_io(), Ending::Failed),
    ] {
        let mut stage = Stage::new();
        stage.failures = vec![Failed::Source(error)];
        assert_eq!(stage.perform().await, ending);
    }
    let mut stage = Stage::new();
    stage.failures = vec![Failed::Sandbox("no zygote".to_owned())];
    assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(10), true));
}
