//! In which order a task is looked for, done, put, announced and acknowledged, and what is left out.

use std::sync::Mutex;
use std::time::Duration;

use lazaret::door::store::Store as _;
use lazaret::record::LayerRecord;
use lazaret::task::{Class, Task};
use lazaret::wire::{self, Kind};

use super::super::perform::Ending;
use super::stage::Stage;

#[tokio::test]
async fn a_record_is_looked_for_unless_the_claim_says_that_there_is_none() {
    for (holder, attempt, again, looks) in
        [("ours", 0, false, 0), ("ours", 0, true, 1), ("ours", 1, false, 1), ("others", 0, false, 1)]
    {
        let mut stage = Stage::new();
        *stage.cache.holder.lock().unwrap() = Some(holder.to_owned());
        stage.task.ticket = "ours".to_owned();
        (stage.task.attempt, stage.again) = (attempt, again);
        assert_eq!(stage.perform().await, Ending::Analysed);
        assert_eq!(stage.journal.count("look"), looks, "{holder} {attempt} {again}");
    }
}

#[tokio::test]
async fn put_announce_ack_in_this_order() {
    let mut stage = Stage::new();
    assert_eq!(stage.perform().await, Ending::Analysed);
    let begun = ["claim 30 s", "look", "open a", "analyse"];
    let ended = ["store put record", "cache put", "announce done=true", "release", "ack"];
    assert_eq!(stage.journal.lines(), [&begun[..], &ended[..]].concat());
    let record = stage.record().await.unwrap();
    assert_eq!(record.inventory.diff_id, Some(stage.task.blob.digest));
    assert_eq!(record.cost.job, "job-1");
}

#[tokio::test]
async fn an_ack_that_nobody_heard_is_no_trouble() {
    let mut stage = Stage::new();
    stage.acknowledged = false;
    assert_eq!(stage.perform().await, Ending::Analysed);
    assert!(stage.record().await.is_some());
    assert_eq!(stage.perform().await, Ending::Reused, "it comes again, and is done already");
    assert_eq!(stage.journal.count("analyse"), 1);
}

#[tokio::test]
async fn what_is_there_is_not_fetched_again() {
    for in_cache in [true, false] {
        let mut stage = Stage::new();
        let sealed = wire::seal(Kind::LayerRecord, &stage.key(), &LayerRecord::default()).unwrap();
        match in_cache {
            true => drop(stage.cache.held.lock().unwrap().insert(stage.key(), sealed)),
            false => stage.store.memory.put(&stage.key(), sealed).await.unwrap(),
        }
        assert_eq!(stage.perform().await, Ending::Reused);
        assert_eq!(stage.journal.count("open"), 0);
        let lines = stage.journal.lines();
        assert_eq!(lines[lines.len() - 3..], ["announce done=true", "release", "ack"]);
        assert!(stage.cache.held.lock().unwrap().contains_key(&stage.key()), "the cache is filled again");
    }
}

#[tokio::test]
async fn garbage_in_store_and_cache_counts_as_absent() {
    let mut stage = Stage::new();
    stage.cache.held.lock().unwrap().insert(stage.key(), b"garbage".to_vec());
    stage.store.memory.put(&stage.key(), b"LZRT garbage".to_vec()).await.unwrap();
    assert_eq!(stage.perform().await, Ending::Analysed);
    assert!(stage.record().await.is_some());
}

#[tokio::test]
async fn a_task_for_another_build_is_handed_back() {
    let mut stage = Stage::new();
    stage.task = Task::new(stage.task.blob.clone(), "00ff", Class::Bulk, stage.task.places.clone());
    assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(60), false));
    assert_eq!(stage.journal.lines(), ["renew 90 s", "retry after 60 s, counted=false"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_delivery_is_given_up_and_its_claim_is_given_back_only_where_another_is_done() {
    for another_is_done in [false, true] {
        let mut stage = Stage::new();
        let (open, gate) = std::sync::mpsc::channel();
        stage.gate = Some(Mutex::new(gate));
        let (performer, delivery) = (stage.performer(), stage.delivery());
        let performing = tokio::spawn(async move { performer.perform(delivery).await });
        while stage.journal.count("analyse") == 0 {
            tokio::task::yield_now().await;
        }
        if another_is_done {
            let record = wire::seal(Kind::LayerRecord, &stage.key(), &LayerRecord::default()).unwrap();
            stage.cache.held.lock().unwrap().insert(stage.key(), record);
        }
        stage.lost.notify_one();
        assert_eq!(performing.await.unwrap(), Ending::Lost);
        drop(open);
        assert_eq!(stage.journal.count("release"), usize::from(another_is_done));
        for line in ["ack", "retry", "announce", "store put", "reject"] {
            assert_eq!(stage.journal.count(line), 0, "{line}");
        }
    }
}
