//! `lazaret token new`: what it makes is a token, and only its hash is kept.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use lazaret_coordinator::serve::api::token;

use super::place::Place;
use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_works_at_once_on_a_running_server() {
    let mut server = Server::start().await;
    let place = Place::new();
    let file = server.tokens_file().to_str().unwrap().to_owned();
    let append = ["token", "new", "--name", "ci", "--scope", "read,read", "--append", &file];
    let ran = place.run(&append).expect(0);
    assert_eq!(ran.stderr, "");
    let token = ran.stdout.trim_end().to_owned();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&token) && text.contains("scopes = [\"read\"]"), "{text}");
    server.tokens.insert("ci", token);
    let start = Instant::now();
    while server.get("ci", "/v1/jobs").await.status != 200 {
        assert!(start.elapsed() < Duration::from_secs(10), "it is not accepted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.submit("ci", serde_json::json!({ "images": ["alpine"] })).await.expect(403);
    // A name is given once.
    assert!(place.run(&append).expect(2).stderr.contains("has a token named `ci`"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn the_token_goes_out_and_the_entry_beside_it() {
    let place = Place::new();
    let new = ["token", "new", "--name", "ci", "--scope", "scan,admin", "--expires", "2027-01-31"];
    let ran = place.run(&new).expect(0);
    let token = ran.stdout.trim_end();
    let entry = ran.stderr.split_once("[[token]]").unwrap().1;
    assert!(!ran.stderr.contains(token) && entry.contains("expires = \"2027-01-31\""), "{}", ran.stderr);
    assert!(entry.contains(token::hash(token).to_hex().as_str()) && entry.contains("scopes = [\"scan\", \"admin\"]"));
    assert_ne!(place.run(&new).expect(0).stdout, ran.stdout);
    let path = place.path("tokens.toml");
    place.run(&[&new[..], &["--append", "tokens.toml"]].concat()).expect(0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn mistakes_make_no_token() {
    let place = Place::new();
    place.write("broken", "[[token]]\nname =");
    for wrong in [
        &["--name", "a b", "--scope", "scan"][..],
        &["--name", "a\"\nscopes=[]", "--scope", "scan"],
        &["--name", "a", "--scope", "write"],
        &["--name", "a"],
        &["--name", "a", "--scope", "scan", "--expires", "soon"],
        &["--name", "a", "--scope", "scan", "--append", "broken"],
    ] {
        let ran = place.run(&[&["token", "new"], wrong].concat()).expect(2);
        assert_eq!(ran.stdout, "", "{wrong:?}");
    }
}
