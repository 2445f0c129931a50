//! What a coordinator tells of its farm, again and again: how much waits, and for how long.

use std::sync::Arc;
use std::time::Duration;

use lazaret::task::Class;
use lazaret::telemetry::metrics as names;
use metrics::gauge;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::Farm;

const EVERY: Duration = Duration::from_secs(5);

/// Tells it as long as the result is not dropped.
pub fn start(farm: &Arc<Farm>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(tell(Arc::clone(farm)));
    tasks
}

async fn tell(farm: Arc<Farm>) {
    gauge!(names::WINDOW).set(farm.planner.window() as f64);
    let mut timer = interval(EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        if let Some(depths) = farm.planner.depths().await {
            for (queue, depth) in [
                ("interactive", depths.interactive),
                ("bulk", depths.bulk),
                ("retry", depths.retry),
                ("dead", depths.dead),
                ("jobs", depths.jobs),
            ] {
                gauge!(names::QUEUE_DEPTH, "queue" => queue).set(depth as f64);
            }
        }
        for class in Class::ALL {
            let age = farm.planner.oldest(class);
            gauge!(names::OLDEST_TASK_AGE, "class" => class.name()).set(age.as_secs_f64());
        }
        gauge!(names::WINDOW_IN_USE).set(farm.planner.in_flight() as f64);
    }
}
