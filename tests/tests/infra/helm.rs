//! The chart: its values fit their schema, each value that a template asks for is there and is asked for, and what it makes is
//! locked in. Where helm is installed, it renders the chart.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use lazaret_tests::support::has_optional_program;
use lazaret_tests::support::process::run;
use serde_json::{Value, json};

use super::environment::is_read;
use super::{at, json as document, text, yaml};

/// The templates, by name.
fn templates() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(at("helm/lazaret/templates")).expect("templates") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        found.push((name, fs::read_to_string(path).expect("UTF-8")));
    }
    found.sort();
    found
}

#[test]
fn values_fit_their_schema_and_what_is_wrong_does_not() {
    let schema = document("helm/lazaret/values.schema.json");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let values = yaml("helm/lazaret/values.yaml");
    let errors: Vec<_> = schema.iter_errors(&values).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for (place, wrong) in [
        ("/worker/image/tag", json!("latest")),
        ("/worker/deadlineSeconds", json!(1201)),
        ("/worker/image/digest", json!("sha256:ab")),
        ("/coordinator/replicas", json!(0)),
        ("/store/url", json!("s3://key:secret@bucket/farm")),
        ("/store/endpoint", json!("http://key:secret@store")),
        ("/queue/workerSecret", json!("amqp://worker:secret@broker")),
        ("/scaling", json!({"enabeld": true})),
    ] {
        let mut values = values.clone();
        *values.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = wrong;
        assert!(!schema.is_valid(&values), "{place}");
    }
}

#[test]
fn templates_ask_for_values_that_there_are_and_for_all_of_them() {
    let values = yaml("helm/lazaret/values.yaml");
    let mut asked = BTreeSet::new();
    for (name, text) in templates() {
        assert_eq!(text.matches("{{").count(), text.matches("}}").count(), "{name}: braces");
        let mut open = 0;
        for action in text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
            match action.trim_matches(['-', ' ']).split(' ').next().unwrap_or_default() {
                "if" | "with" | "range" | "define" => open += 1,
                "end" => open -= 1,
                _ => {}
            }
            assert!(open >= 0, "{name}: an end too many");
            for path in action.split(".Values.").skip(1) {
                let path = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').next().unwrap_or_default();
                let pointer = format!("/{}", path.replace('.', "/"));
                assert!(values.pointer(&pointer).is_some(), "{name}: no value {path}");
                asked.insert(pointer);
            }
        }
        assert_eq!(open, 0, "{name}: an end is missing");
    }
    let mut leaves = Vec::new();
    collect("", &values, &mut leaves);
    for leaf in leaves {
        assert!(
            asked.iter().any(|path| leaf == *path || leaf.starts_with(&format!("{path}/"))),
            "nobody asks for {leaf}"
        );
    }
}

fn collect(path: &str, value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                collect(&format!("{path}/{name}"), value, leaves);
            }
        }
        _ => leaves.push(path.to_owned()),
    }
}

#[test]
fn pods_are_locked_in_and_given_variables_that_they_read() {
    let all = templates();
    let find = |name: &str| &all.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("no {name}")).1;
    let names = find("_names.tpl");
    for line in [
        "runAsNonRoot: true",
        "seccompProfile: { type: RuntimeDefault }",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "capabilities: { drop: [ALL] }",
    ] {
        assert!(names.lines().any(|found| found == line), "no `{line}`");
    }
    for part in ["coordinator", "worker"] {
        let template = find(&format!("{part}.yaml"));
        for needed in [
            "include \"lazaret.podSecurity\"",
            "include \"lazaret.containerSecurity\"",
            "automountServiceAccountToken: false",
            "kind: PodDisruptionBudget",
            "path: /healthz",
            "path: /readyz",
            "resources:",
            "terminationGracePeriodSeconds:",
        ] {
            assert!(template.contains(needed), "{part}: no {needed}");
        }
        let variables = template.lines().chain(names.lines()).filter_map(|line| {
            let name = line.trim().trim_start_matches("- ").trim_start_matches("{ ").strip_prefix("name: ")?;
            let name = name.split([',', ' ']).next()?;
            name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_').then_some(name)
        });
        let variables: BTreeSet<_> = variables.collect();
        assert!(variables.len() > 8, "{variables:?}");
        for variable in &variables {
            assert!(is_read(part, variable), "{part} does not read {variable}");
        }
    }
    assert!(find("worker.yaml").contains("terminationGracePeriodSeconds: {{ add .Values.worker.graceSeconds 30 }}"));
    for (name, text) in &all {
        assert!(
            !text.contains("kind: Secret\n") && !text.contains("stringData"),
            "{name}: secrets are named, not made"
        );
    }
}

#[test]
fn keda_watches_queues_that_there_are() {
    let definitions = document("rabbitmq/definitions.json");
    let queues: BTreeSet<_> =
        definitions["queues"].as_array().expect("queues").iter().filter_map(|q| q["name"].as_str()).collect();
    let all = templates();
    let (_, scaling) = all.iter().find(|(name, _)| name == "scaling.yaml").expect("scaling");
    let watched: BTreeSet<_> = scaling.lines().filter_map(|line| line.trim().strip_prefix("queueName: ")).collect();
    assert_eq!(watched, ["lazaret.bulk", "lazaret.interactive"].into());
    assert!(watched.is_subset(&queues));
    assert_eq!(scaling.matches("authenticationRef:").count(), 2);
    assert_eq!(scaling.matches("kind: ScaledObject").count(), 1, "KEDA takes one for a Deployment");
}

#[test]
fn chart_and_images_have_the_version_of_the_workspace() {
    let chart = yaml("helm/lazaret/Chart.yaml");
    let values = yaml("helm/lazaret/values.yaml");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!((&chart["version"], &chart["appVersion"]), (&json!(version), &json!(version)));
    for part in ["coordinator", "worker"] {
        assert_eq!(values[part]["image"]["tag"], version);
    }
    assert!(text("compose.yaml").contains(&format!("image: lazaret-worker:{version}")));
}

#[test]
fn helm_renders_it() {
    if !has_optional_program("helm") {
        return;
    }
    let chart = at("helm/lazaret");
    run(Command::new("helm").args(["lint", "--strict"]).arg(&chart));
    let every = "telemetry.monitors=true,telemetry.otlpEndpoint=http://c:4318,registry.credentialsSecret=r,store.workerSecret=w";
    let bare = "scaling.enabled=false,cache.enabled=false,network.policies=false";
    for (set, kinds) in [(every, 13), (bare, 7)] {
        let rendered = run(Command::new("helm").args(["template", "x"]).arg(&chart).args([
            "--kube-version",
            "1.30.0",
            "--set",
            set,
        ]));
        let rendered = String::from_utf8(rendered).expect("UTF-8");
        let documents: Vec<Value> = serde_saphyr::from_multiple(&rendered).expect("YAML");
        let documents: Vec<_> = documents.iter().filter(|document| document.is_object()).collect();
        assert_eq!(documents.len(), kinds, "{set}");
        for document in documents.iter().filter(|document| document["kind"] == "Deployment") {
            let pod = &document["spec"]["template"]["spec"];
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
            for container in pod["containers"].as_array().expect("containers") {
                assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
                assert!(container["env"].as_array().is_some_and(|env| env.len() > 5), "{container}");
            }
        }
    }
}
