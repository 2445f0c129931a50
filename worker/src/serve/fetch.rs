//! Fetching a blob and analysing it, at one place after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lazaret::door::source::registry::Meter;
use lazaret::door::source::{BlobReader, SourceError};
use lazaret::image::{Descriptor, is_layer_media_type};
use lazaret::rules::RulesObject;
use lazaret::task::{Place, Task};
use lazaret::text::visible;

use super::analyse::{Analyse, Analysed, Failed};
use super::blobs::{Blobs, NotOpened};
use super::room::Room;
use super::rules::AddedRules;
use super::watched::Wanted;
use crate::analyze::LayerError;

/// How much longer than its deadline an analysis that reads nothing is waited for.
const GRACE: Duration = Duration::from_secs(30);

/// What fetching takes.
pub(super) struct Fetch {
    /// Where blobs come from.
    pub(super) blobs: Arc<dyn Blobs>,
    /// What looks at them.
    pub(super) analyse: Arc<dyn Analyse>,
    /// How much of them at a time.
    pub(super) rules: AddedRules,
    pub(super) room: Room,
    /// How long one may take.
    pub(super) deadline: Duration,
}

/// Why there is no inventory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The bytes are to blame.
    Layer(String),
    /// It takes too much, or crashes whoever looks at it.
    Resources(String),
    /// This place does not have it, or not for us.
    Source(String),
    /// It may be better later: not before the source wants to be asked again, where it said so.
    Later(String, Option<Duration>),
    /// The sandbox is to blame; later, or elsewhere, it may be better.
    Sandbox(String),
}

impl Fetch {
    /// The inventory of the task's layer, from the first of its places where it can be had.
    pub(super) async fn analysed(&self, task: &Task, meter: &Arc<Meter>) -> Result<Analysed, Trouble> {
        let Descriptor { digest, media_type, .. } = &task.blob;
        if !is_layer_media_type(media_type) {
            let media_type = visible(&media_type.chars().take(200).collect::<String>()).into_owned();
            return Err(Trouble::Layer(SourceError::LayerMediaType { digest: *digest, media_type }.to_string()));
        }
        let added = match &task.rules {
            Some(digest) => Some(self.rules.get(digest).await.map_err(|reason| Trouble::Later(reason, None))?),
            None => None,
        };
        let mut worst = Trouble::Source(SourceError::BlobMissing { digest: *digest }.to_string());
        let mut busy = None;
        for place in &task.places {
            // A registry that is busy is not asked for another repository at once.
            if busy == Some(&place.registry) {
                continue;
            }
            let trouble = match self.at(place, &task.blob, added.as_ref(), meter).await {
                // A crash may have been an accident. Once more, at once, and then it was none.
                Err(Trouble::Resources(_)) => self.at(place, &task.blob, added.as_ref(), meter).await,
                outcome => outcome,
            };
            match (trouble, &worst) {
                (Ok(analysed), _) => return Ok(analysed),
                (Err(trouble @ (Trouble::Resources(_) | Trouble::Sandbox(_))), _) => return Err(trouble),
                // The copy may be corrupt. Two of them are the layer.
                (Err(Trouble::Layer(_)), Trouble::Layer(_)) => break,
                (Err(Trouble::Later(reason, after)), _) => {
                    busy = Some(&place.registry);
                    worst = Trouble::Later(reason, after);
                }
                (Err(_), Trouble::Later(..)) | (Err(Trouble::Source(_)), Trouble::Layer(_)) => {}
                (Err(trouble), _) => worst = trouble,
            }
        }
        Err(worst)
    }

    async fn at(
        &self,
        place: &Place,
        blob: &Descriptor,
        added: Option<&Arc<RulesObject>>,
        meter: &Arc<Meter>,
    ) -> Result<Analysed, Trouble> {
        let room = self.room.take(blob.size).await;
        let deadline = Instant::now() + self.deadline;
        let reader: Box<dyn BlobReader> = match self.analyse.reads_blobs() {
            true => self.blobs.open(place, blob, Arc::clone(meter)).await.map_err(not_opened)?,
            false => Box::new(std::io::empty()),
        };
        // Dropped with this future: then the thread, which cannot be dropped, ends at its next read.
        let wanted = Wanted::default();
        let mut reader = wanted.watch(reader, deadline);
        let (analyse, named, span) = (Arc::clone(&self.analyse), blob.clone(), tracing::Span::current());
        let added = added.cloned();
        let work = tokio::task::spawn_blocking(move || {
            let _room = room;
            span.in_scope(|| analyse.analyse(&mut reader, &named, added.as_deref()))
        });
        match tokio::time::timeout(self.deadline + GRACE, work).await {
            Ok(Ok(outcome)) => outcome.map_err(failed),
            Ok(Err(_)) => Err(Trouble::Resources("the analysis of the layer crashed".to_owned())),
            Err(_) => Err(Trouble::Resources("the analysis of the layer does not end".to_owned())),
        }
    }
}

fn not_opened(NotOpened { error, again_after }: NotOpened) -> Trouble {
    match error.is_transient() {
        true => Trouble::Later(error.to_string(), again_after),
        false => Trouble::Source(error.to_string()),
    }
}

fn failed(failed: Failed) -> Trouble {
    match failed {
        Failed::Layer(reason) => Trouble::Layer(reason),
        Failed::Resources(reason) => Trouble::Resources(reason),
        Failed::Sandbox(reason) => Trouble::Sandbox(reason),
        Failed::Source(error) => {
            let transient = SourceError::of_read(&error).is_none_or(SourceError::is_transient);
            // The words that a scan in one process has for it.
            let reason = LayerError::of_read(error).to_string();
            if transient { Trouble::Later(reason, None) } else { Trouble::Source(reason) }
        }
    }
}
