//! The service around the tasks: when it takes them, and how it ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser as _;
use lazaret::door::store::StoreError;
use tokio::task::JoinHandle;

use super::super::settings::Settings;
use super::super::shutdown::Shutdown;
use super::super::{Doors, Ended, ServeError, run};
use super::stage::Stage;

fn settings(more: &str) -> Settings {
    let line = format!("lazaret-worker --queue x: --store x: --listen none --slots 1 --interactive-slots 1 {more}");
    Settings::parse_from(line.split_whitespace())
}

/// Starts a worker on the stage.
fn start(stage: &mut Stage, settings: Settings, shutdown: &Shutdown) -> JoinHandle<Result<Ended, ServeError>> {
    let doors = Doors { queue: stage.queue.clone(), cache: stage.cache.clone(), store: stage.store.clone() };
    let (analyse, blobs) = (stage.analysis(), Arc::new(std::mem::take(&mut stage.blobs)));
    let shutdown = shutdown.clone();
    tokio::spawn(async move { run(&settings, doors, analyse, blobs, None, shutdown).await })
}

async fn until(condition: impl Fn() -> bool) {
    tokio::time::timeout(Duration::from_secs(30), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .expect("in time");
}

#[tokio::test]
async fn a_worker_that_is_stopped_ends_what_it_began_and_takes_nothing_new() {
    let mut stage = Stage::new();
    let (open, gate) = std::sync::mpsc::channel();
    stage.gate = Some(Mutex::new(gate));
    let shutdown = Shutdown::default();
    let running = start(&mut stage, settings(""), &shutdown);
    stage.queue.deliver.send(stage.delivery()).unwrap();
    until(|| stage.journal.count("analyse") == 1).await;
    stage.queue.deliver.send(stage.delivery()).unwrap();
    shutdown.ask();
    assert!(!running.is_finished());
    open.send(()).unwrap();
    assert_eq!(running.await.unwrap().unwrap(), Ended::Drained);
    assert_eq!((stage.journal.count("ack"), stage.journal.count("analyse")), (1, 1));
    assert_eq!(stage.journal.lines().last().map(String::as_str), Some("close"));
}

#[tokio::test]
async fn grace_has_an_end() {
    let mut stage = Stage::new();
    let (open, gate) = std::sync::mpsc::channel();
    stage.gate = Some(Mutex::new(gate));
    let shutdown = Shutdown::default();
    let running = start(&mut stage, settings("--grace 0"), &shutdown);
    stage.queue.deliver.send(stage.delivery()).unwrap();
    until(|| stage.journal.count("analyse") == 1).await;
    shutdown.ask();
    assert_eq!(running.await.unwrap().unwrap(), Ended::GraceOver);
    assert_eq!(stage.journal.count("ack"), 0);
    drop(open);
}

#[tokio::test(start_paused = true)]
async fn no_task_is_taken_while_the_store_refuses() {
    let mut stage = Stage::new();
    *stage.store.trouble.lock().unwrap() = Some(|| StoreError::Refused("403".to_owned()));
    let shutdown = Shutdown::default();
    let running = start(&mut stage, settings(""), &shutdown);
    stage.queue.deliver.send(stage.delivery()).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.journal.count("claim"), 0, "no task was begun");
    *stage.store.trouble.lock().unwrap() = None;
    tokio::time::resume();
    until(|| stage.journal.count("ack") == 1).await;
    shutdown.ask();
    assert_eq!(running.await.unwrap().unwrap(), Ended::Drained);
}
