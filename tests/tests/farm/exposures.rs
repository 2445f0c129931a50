//! Secrets on a farm: workers load the rules that tasks name, and the farm says which images have the same value.

use std::fs;

use lazaret_tests::support::docker_registry::{DockerRegistry, Form, Keeper};
use lazaret_tests::support::farm::ServerOptions;
use lazaret_tests::support::oci_fixture::{LAYER, OciFixture};
use lazaret_tests::support::process::run;
use serde_json::Value;

use super::scene::Scene;

const RULES: &str = r#"
vendor = "Example"
[[rules]]
id = "example-token"
title = "token"
severity = "high"
keywords = ["exmpl_"]
pattern = '\bexmpl_[0-9a-f]{16}\b'
rotate = "the console"
"#;

#[test]
fn the_same_secret_is_found_in_all_images_and_where_it_came_from() {
    let Some(registry) = DockerRegistry::start(Keeper::None, false) else { return };
    let directory = tempfile::tempdir().unwrap();
    let layer = |name: &str, content: &str| {
        let tar = lazaret_loadtest::tar::Tar::default().file(name, content).finish();
        (LAYER.to_owned(), tar.clone(), tar)
    };
    let secret = layer("etc/vendor.conf", "token = exmpl_00112233aabbccdd\n");
    let (one, two) = (layer("app/one", "1"), layer("app/two", "2"));
    for (name, layers) in [
        ("base", vec![secret.clone()]),
        ("one", vec![secret.clone(), one.clone()]),
        ("two", vec![secret, one, two]),
        ("clean", vec![layer("app/clean", "3")]),
    ] {
        let mut fixture = OciFixture::default();
        let image = fixture.image(&lazaret::image::Platform::host().architecture, &layers);
        fixture.tag("1", &image);
        fixture.write(&directory.path().join(name));
        registry.push(&directory.path().join(name), "1", &format!("team/{name}"), Form::AsItIs);
    }
    let rules = directory.path().join("rules.toml");
    fs::write(&rules, RULES).unwrap();
    let change = |options: &mut lazaret_tests::support::farm::FarmOptions| {
        options.registries = vec![registry.address];
        let key = "a key of this installation";
        options.environment.push(("LAZARET_SECRET_RULES".into(), rules.display().to_string()));
        options.environment.push(("LAZARET_IDENTITY_KEY".into(), key.into()));
    };
    let Some(scene) = Scene::start(&[], ServerOptions::default(), change) else { return };
    let api = scene.farm.api();
    let reference = |name: &str| format!("docker://{}/team/{name}:1", registry.address);
    let job = api.submit(&["base", "one", "two", "clean"].map(reference));
    api.wait(&job);
    let reports = api.reports(&job);
    let exposures = |name: &str| {
        let report: Value = serde_json::from_slice(&reports[&reference(name)]).unwrap();
        report["exposures"].as_array().unwrap().clone()
    };
    assert!(exposures("clean").is_empty());
    let fingerprint = exposures("two")[0]["fingerprint"].as_str().unwrap().to_owned();
    for name in ["base", "one", "two"] {
        let found = exposures(name);
        assert_eq!((found.len(), &found[0]["rule"]), (1, &Value::from("example-token")), "{name}");
        assert_eq!(found[0]["fingerprint"], *fingerprint, "{name}");
    }
    assert_eq!(scene.kept("rules/").len(), 1, "the rules are an object of the store");

    let find = |format: &str| {
        let mut find = scene.farm.command("lazaret");
        find.args(["find", &format!("secret:{fingerprint}"), "--format", format]);
        run(find.arg("--farm").arg(format!("http://{}", api.0)))
    };
    let text = String::from_utf8(find("table")).unwrap();
    assert!(text.starts_with("Example: token: in 3 images\n"), "{text}");
    let origin = format!("first brought in by {}, layer sha256:", reference("base"));
    assert!(text.contains(&origin), "{text}");
    let json: Value = serde_json::from_slice(&find("json")).unwrap();
    assert_eq!(json["images"].as_array().unwrap().len(), 3, "{json}");
    scene.farm.verify_empty();
}
