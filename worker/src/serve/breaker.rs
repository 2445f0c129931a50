//! What happens while the store is away: nobody takes a task, and one question at a time asks whether it is back.

use std::sync::Arc;
use std::time::Duration;

use lazaret::door::store::{SharedStore, StoreError};
use lazaret::telemetry::metrics as names;
use tokio::sync::watch;

/// The object that is written and read to see whether that works. The only right that it needs is that of keeping layers.
const PROBE: &str = "layers/probe";
/// The first pause between two questions, so that there is never more than one in a second; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(30);

/// Closed while the store answers, open while it does not.
pub(super) struct Breaker {
    store: SharedStore,
    /// Why it is open.
    trouble: watch::Sender<Option<String>>,
}

impl Breaker {
    /// Closed.
    pub(super) fn new(store: SharedStore) -> Arc<Self> {
        Arc::new(Self { store, trouble: watch::Sender::new(None) })
    }

    /// Why it is open, where it is.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Waits until it is closed.
    pub(super) async fn closed(&self) {
        // The sender is our own, so it does not go while we wait.
        let _ = self.trouble.subscribe().wait_for(Option::is_none).await;
    }

    /// Opens it because of `error`; it closes by itself.
    pub(super) fn trip(self: &Arc<Self>, error: &StoreError) {
        let tripped = self.trouble.send_if_modified(|trouble| {
            let closed = trouble.is_none();
            if closed {
                *trouble = Some(error.to_string());
            }
            closed
        });
        if tripped {
            tracing::error!(%error, "no task is taken until the store is back");
            metrics::gauge!(names::STORE_DOWN).set(1.0);
            tokio::spawn(Arc::clone(self).ask_until_it_is_back());
        }
    }

    async fn ask_until_it_is_back(self: Arc<Self>) {
        let mut pause = FIRST;
        loop {
            tokio::time::sleep(pause).await;
            match self.probe().await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(%error, "the store is still away");
                    self.trouble.send_replace(Some(error.to_string()));
                }
            }
            pause = (pause * 2).min(LONGEST);
        }
        tracing::info!("the store is back");
        metrics::gauge!(names::STORE_DOWN).set(0.0);
        self.trouble.send_replace(None);
    }

    /// Writes an object and reads it: what a worker needs of a store.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        self.store.put(PROBE, PROBE.into()).await?;
        match self.store.get(PROBE).await?.as_deref() {
            Some(found) if found == PROBE.as_bytes() => Ok(()),
            _ => Err(StoreError::Unavailable("it does not give back what it was given".to_owned())),
        }
    }
}
