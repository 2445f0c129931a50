//! One request and its answer, held against the OpenAPI document: each status is documented there, each body is of the
//! schema that it names.

use std::sync::LazyLock;

use lazaret_coordinator::serve::api::{OPENAPI, ROUTES, Route};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::server::Server;

/// The OpenAPI document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// What a problem says.
    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

impl Server {
    /// A request, with the token of this name.
    pub fn request(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let request = client.request(method, format!("http://{}{path}", self.address));
        if token.is_empty() { request } else { request.bearer_auth(&self.tokens[token]) }
    }

    pub async fn ask(&self, token: &str, method: Method, path: &str) -> Answer {
        send(self.request(token, method, path)).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, Method::GET, path).await
    }

    pub async fn submit(&self, token: &str, body: Value) -> Answer {
        send(self.request(token, Method::POST, "/v1/jobs").json(&body)).await
    }

    /// A new job of so many images.
    pub async fn job(&self, token: &str, images: usize) -> String {
        let images: Vec<String> = (0..images).map(|n| format!("image{n}")).collect();
        let answer = self.submit(token, json!({ "images": images })).await.expect(202);
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

/// Sends a request, and checks what comes back.
pub async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let answer = Answer { status, headers, text: response.text().await.unwrap() };
    if let Some(route) = route(&method, &path) {
        check(route, &answer);
    } else {
        assert!(matches!(answer.status, 401 | 403 | 404 | 405), "{}", answer.text);
        validate(&json!({ "$ref": "#/components/schemas/Problem" }), &answer.json());
    }
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer
}

/// The route of a path.
pub fn route(method: &Method, path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| {
        let (mut template, mut parts) = (route.path.split('/'), path.split('/'));
        route.method == *method
            && template.by_ref().all(|part| {
                let given = parts.next();
                given == Some(part) || part.starts_with('{') && given.is_some_and(|given| !given.is_empty())
            })
            && parts.next().is_none()
    })
}

fn check(route: &Route, answer: &Answer) {
    let operation = &DOCUMENT["paths"][route.path][route.method.as_str().to_lowercase()];
    let response = resolve(&operation["responses"][answer.status.to_string()]);
    assert!(response.is_object(), "{} {}: {} is not documented", route.method, route.path, answer.status);
    for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        assert!(answer.headers.contains_key(name), "{name} is missing");
    }
    let media_type = answer.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
    let schema = &response["content"][media_type]["schema"];
    assert!(schema.is_object(), "{} {}: {media_type} is not documented", route.method, route.path);
    if media_type.ends_with("json") {
        validate(schema, &answer.json());
    }
}

fn resolve(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Fails unless `value` is of the schema, in which references are those of the document.
#[track_caller]
pub fn validate(schema: &Value, value: &Value) {
    let mut schema = schema.clone();
    schema["components"] = DOCUMENT["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{value:#}");
}
