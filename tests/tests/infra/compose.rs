//! The compose file: nothing runs as root, writes to its image, or can be reached from outside but the API on loopback.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::environment::is_read;
use super::{at, secrets, strings, text, yaml};

fn services() -> Map<String, Value> {
    yaml("compose.yaml")["services"].as_object().expect("services").clone()
}

#[test]
fn every_service_is_locked_in() {
    let services = services();
    assert_eq!(
        services.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        ["coordinator", "rabbitmq", "redis", "s3", "worker"].into()
    );
    for (name, service) in &services {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(strings(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(strings(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        let user = service["user"].as_str().unwrap_or_else(|| panic!("{name} has no user"));
        assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id != 0)), "{name}: {user}");
        for escape in ["privileged", "cap_add", "pid", "ipc", "network_mode", "devices", "userns_mode"] {
            assert!(service.get(escape).is_none(), "{name}: {escape}");
        }
        let image = service["image"].as_str().expect("an image");
        let tag = image.rsplit_once(':').unwrap_or_else(|| panic!("{image} has no tag")).1;
        assert!(tag != "latest" && tag.chars().any(|c| c.is_ascii_digit()), "{image}");
        // The images of ours have nothing in them that could ask.
        let ours = service.get("build").is_some();
        assert_eq!(service.get("healthcheck").is_none(), ours, "{name}");
        for volume in service.get("volumes").into_iter().flat_map(strings) {
            assert!(volume.starts_with("rabbitmq:") || volume.ends_with(":ro"), "{name}: {volume}");
            let source = volume.split(':').next().expect("a source");
            assert!(!source.starts_with('.') || at(source).is_file(), "{name}: {source} is not there");
        }
        for port in service.get("ports").into_iter().flat_map(strings) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
        let networks = strings(&service["networks"]);
        assert_eq!(networks.contains(&"outside"), ours, "{name}");
    }
    assert_eq!(yaml("compose.yaml")["networks"]["inside"]["internal"], true);
}

#[test]
fn ours_wait_for_what_they_need_and_end_with_grace() {
    let services = services();
    for name in ["coordinator", "worker"] {
        let service = &services[name];
        for needed in ["rabbitmq", "redis", "s3"] {
            assert_eq!(service["depends_on"][needed]["condition"], "service_healthy", "{name} {needed}");
        }
        assert_eq!(service["build"]["target"], name);
        assert!(at("..").join(service["build"]["dockerfile"].as_str().expect("a file")).is_file());
    }
    let worker = &services["worker"];
    let seconds = |text: &Value| text.as_str().and_then(|text| text.trim_end_matches('s').parse::<u32>().ok());
    let (stop, grace) = (seconds(&worker["stop_grace_period"]), seconds(&worker["environment"]["LAZARET_GRACE"]));
    assert!(stop.expect("a period") >= grace.expect("a grace") + 10);
    assert!(worker["deploy"]["replicas"].as_u64().is_some_and(|replicas| replicas >= 2));
}

#[test]
fn secrets_come_from_files_that_the_script_makes_and_every_variable_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    secrets(directory.path());
    let made = |path: &str| {
        let name = path.strip_prefix("./secrets.d/").unwrap_or_else(|| panic!("{path} is not among the secrets"));
        std::fs::read_to_string(directory.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let compose = yaml("compose.yaml");
    for (name, secret) in compose["secrets"].as_object().expect("secrets") {
        let text = made(secret["file"].as_str().expect("a file"));
        assert!(!text.contains("PASSWORD") && !text.contains("\"@"), "{name} has a placeholder left");
    }
    let mut values = BTreeSet::new();
    for (name, service) in &services() {
        for (variable, value) in service.get("environment").and_then(Value::as_object).into_iter().flatten() {
            assert!(is_read(name, variable), "{name} does not read {variable}");
            let secret = ["KEY", "SECRET", "PASSWORD"].iter().any(|word| variable.contains(word));
            assert!(!secret && !value.to_string().contains('@'), "{name}: {variable} stands in the file");
        }
        for file in service.get("env_file").into_iter().flat_map(strings) {
            for line in made(file).lines() {
                let (variable, value) = line.split_once('=').expect("a variable");
                assert!(is_read(name, variable), "{name} does not read {variable}");
                assert!(variable == "GARAGE_DEFAULT_BUCKET" || value.len() >= 24, "{variable} is too short");
                values.insert((name.clone(), variable.to_owned(), value.to_owned()));
            }
        }
    }
    let value = |name: &str, variable: &str| {
        let found = values.iter().find(|(service, other, _)| service == name && other == variable);
        found.unwrap_or_else(|| panic!("{name} is not given {variable}")).2.clone()
    };
    assert!(value("worker", "LAZARET_QUEUE").starts_with("amqp://worker:"));
    assert!(value("coordinator", "LAZARET_QUEUE").starts_with("amqp://coordinator:"));
    assert_eq!(value("worker", "LAZARET_CACHE_KEY"), value("coordinator", "LAZARET_CACHE_KEY"));
    assert_eq!(value("worker", "LAZARET_IDENTITY_KEY"), value("coordinator", "LAZARET_IDENTITY_KEY"));
    assert_eq!(value("worker", "AWS_SECRET_ACCESS_KEY"), value("s3", "GARAGE_DEFAULT_SECRET_KEY"));
    let store = &compose["services"]["worker"]["environment"]["LAZARET_STORE"];
    assert_eq!(store, &compose["services"]["coordinator"]["environment"]["LAZARET_STORE"]);
    assert_eq!(store, &format!("s3://{}/farm", value("s3", "GARAGE_DEFAULT_BUCKET")));

    // Another run keeps what is there; another directory has passwords of its own.
    let before = made("./secrets.d/worker.env");
    secrets(directory.path());
    assert_eq!(made("./secrets.d/worker.env"), before);
    let other = tempfile::tempdir().expect("a directory");
    secrets(other.path());
    assert_ne!(std::fs::read_to_string(other.path().join("worker.env")).expect("a file"), before);
    let mode = std::fs::metadata(directory.path()).expect("a directory").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700);
    let ignored = std::fs::read_to_string(at("../.gitignore")).expect("a file");
    assert!(ignored.lines().any(|line| line == "infra/secrets.d/"), "{ignored}");
    assert!(text("README.md").contains("infra/secrets"));
}
