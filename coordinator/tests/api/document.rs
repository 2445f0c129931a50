//! The OpenAPI document and the routes are the same.

use std::collections::BTreeSet;

use lazaret_coordinator::serve::api::{Access, OPENAPI, ROUTES, Scope};
use lazaret_coordinator::serve::job::{MAX_IGNORE_FILE, MAX_IMAGES, MAX_REFERENCE, NewJob};
use serde_json::{Value, json};

use super::exchange::{DOCUMENT, validate};
use super::server::Server;

#[test]
fn each_route_is_documented_and_nothing_else() {
    let routes: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.path.to_owned(), route.method.as_str().to_lowercase())).collect();
    assert_eq!(routes.len(), ROUTES.len(), "a route is there twice");
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let documented: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(|method| (path.clone(), method.clone())))
        .collect();
    assert_eq!(routes, documented);
}

#[test]
fn scopes_and_parameters_are_documented() {
    for route in ROUTES {
        let operation = &DOCUMENT["paths"][route.path][route.method.as_str().to_lowercase()];
        let security = match route.access {
            Access::Anybody => json!([]),
            Access::Token => json!([{ "token": [] }]),
            Access::Scope(scope) => json!([{ "token": [scope.name()] }]),
        };
        assert_eq!(operation["security"], security, "{}", route.path);
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let names: Vec<Value> = parameters
            .iter()
            .map(|parameter| DOCUMENT.pointer(&parameter["$ref"].as_str().unwrap()[1..]).unwrap())
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].clone())
            .collect();
        let in_path: Vec<&str> = route.path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(names, in_path, "{}", route.path);
    }
    assert_eq!(Scope::ALL.map(Scope::name), ["scan", "read", "admin"]);
}

#[test]
fn every_reference_leads_somewhere_and_every_part_is_used() {
    let mut rest = vec![&*DOCUMENT];
    let mut used = BTreeSet::new();
    while let Some(value) = rest.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(DOCUMENT.pointer(&reference[1..]).is_some(), "{reference}");
            used.insert(reference.to_owned());
        }
        match value {
            Value::Object(fields) => rest.extend(fields.values()),
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    for kind in ["schemas", "responses", "parameters"] {
        for name in DOCUMENT["components"][kind].as_object().unwrap().keys() {
            assert!(used.contains(&format!("#/components/{kind}/{name}")), "{name} is not used");
        }
    }
}

#[test]
fn limits_and_fields_of_a_job_are_documented() {
    let schema = &DOCUMENT["components"]["schemas"]["NewJob"]["properties"];
    assert_eq!(schema["images"]["maxItems"], MAX_IMAGES);
    assert_eq!(schema["images"]["items"]["maxLength"], MAX_REFERENCE);
    assert_eq!(schema["ignore_file"]["maxLength"], MAX_IGNORE_FILE);
    let full = json!({
        "images": ["alpine"], "class": "interactive", "platform": "all", "only_fixed": true, "include_declared": true,
        "no_generic_secrets": true, "severity": ["low"],
        "ignore_file": "",
    });
    let fields: Vec<&String> = schema.as_object().unwrap().keys().collect();
    assert_eq!(full.as_object().unwrap().keys().collect::<Vec<_>>(), fields);
    let job: NewJob = serde_json::from_value(full.clone()).unwrap();
    assert_eq!(serde_json::to_value(job).unwrap(), full, "a documented field is not read");
    validate(&json!({ "$ref": "#/components/schemas/NewJob" }), &full);
    // Fields may come; a reader passes over them.
    let later: NewJob = serde_json::from_value(json!({ "images": ["alpine"], "later": 1 })).unwrap();
    assert_eq!(later, NewJob { images: vec!["alpine".into()], ..NewJob::default() });
}

#[tokio::test]
async fn the_document_is_served() {
    let server = Server::start().await;
    assert_eq!(server.get("scan", "/openapi.json").await.expect(200).text, OPENAPI);
}
