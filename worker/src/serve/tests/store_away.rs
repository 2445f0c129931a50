//! A store that is away: nothing is acknowledged, nothing is lost, and it is asked slowly.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lazaret::door::store::StoreError;

use super::super::perform::Ending;
use super::stage::Stage;

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_nothing_is_acknowledged_and_it_is_asked_slowly() {
    for trouble in
        [(|| StoreError::Refused("403".to_owned())) as fn() -> StoreError, || StoreError::Unavailable("503".to_owned())]
    {
        let mut stage = Stage::new();
        *stage.store.trouble.lock().unwrap() = Some(trouble);
        let (performer, delivery) = (Arc::new(stage.performer()), stage.delivery());
        let breaker = Arc::clone(&performer.keep.breaker);
        let performing = tokio::spawn(async move { performer.perform(delivery).await });
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert!(!performing.is_finished() && breaker.trouble().is_some());
        assert_eq!(stage.journal.count("ack") + stage.journal.count("retry"), 0);
        let asked = stage.store.asked.load(Ordering::Relaxed);
        assert!((4..=10).contains(&asked), "asked {asked} times in 120 s");
        *stage.store.trouble.lock().unwrap() = None;
        assert_eq!(performing.await.unwrap(), Ending::Analysed);
        assert!(breaker.trouble().is_none() && stage.record().await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_comes_back_holds_no_task_for_ever() {
    let mut stage = Stage::new();
    *stage.store.trouble.lock().unwrap() = Some(|| StoreError::Unavailable("503".to_owned()));
    assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(10), false));
    assert_eq!(stage.journal.count("ack"), 0);
}
