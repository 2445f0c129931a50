//! One trace tells the whole story of a job, from its submission to its reports.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lazaret_tests::support::farm::{FarmOptions, PATIENCE, ServerOptions};
use lazaret_tests::support::otlp_collector::{OtlpCollector, Span};

use super::scene::{Ground, Scene};

#[test]
fn one_trace_leads_from_submission_to_report() {
    let ground = Ground::new(111, 3, Duration::ZERO);
    let collector = OtlpCollector::start();
    let endpoint = format!("http://{}", collector.address);
    let traced = |options: &mut FarmOptions| {
        options.environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT".into(), endpoint));
        options.environment.push(("OTEL_BSP_SCHEDULE_DELAY".into(), "200".into()));
    };
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), traced) else { return };
    let api = scene.farm.api();
    let job = api.submit(&ground.references());
    api.wait(&job);
    let layers = ground.layers().len();
    let of = |spans: &[Span], name: &str| spans.iter().filter(|span| span.name == name).cloned().collect::<Vec<_>>();
    let is_ours = |span: &&Span| span.attributes.get("job").is_some_and(|id| *id == job);
    let spans = collector.wait(PATIENCE, |spans| {
        of(spans, "job").iter().any(|span| is_ours(&span))
            && of(spans, "layer").iter().filter(is_ours).count() >= layers
    });
    let trace = of(&spans, "job").into_iter().find(|span| is_ours(&span)).unwrap().trace_id;
    let spans: Vec<Span> = spans.into_iter().filter(|span| span.trace_id == trace).collect();
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    let images = ground.fleet.len() as usize;
    for (name, number, service) in [
        ("job", 1, "lazaret-coordinator"),
        ("image", images, "lazaret-coordinator"),
        ("plan", images, "lazaret-coordinator"),
        ("layer", layers, "lazaret-worker"),
        ("compose", images, "lazaret-coordinator"),
        ("match", images, "lazaret-coordinator"),
        ("publish", images, "lazaret-coordinator"),
    ] {
        let named = of(&spans, name);
        let services: BTreeSet<&str> = named.iter().map(|span| span.service.as_str()).collect();
        assert_eq!((named.len(), services), (number, BTreeSet::from([service])), "spans called {name}");
        for span in named {
            // Up to the job, or to whatever submitted it.
            let mut above = &span;
            while let Some(parent) = by_id.get(above.parent_id.as_str()) {
                above = parent;
            }
            let is_root = above.name == "job" || above.parent_id.is_empty();
            assert!(is_root, "{name} hangs below {above:?}, which nobody told of");
        }
    }
    scene.farm.verify_empty();
}
