//! Whatever somebody else wrote under our keys (K6): a miss, counted, never a wrong value.

use lazaret::door::cache::{CacheSettings, Claim, Secret, open};
use lazaret_tests::support::redis_server::{RedisOptions, RedisServer};

use super::witness::{Witness, key, patient};

#[tokio::test]
async fn k6_only_what_we_put_under_this_key_is_taken() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let witness = Witness::new();
    let with_key = |secret: &str| CacheSettings { key: Some(Secret::new(secret)), ..patient() };
    let ours = open(&server.url(None), with_key("the key of this farm")).unwrap();
    let theirs = open(&server.url(None), with_key("the key of another one")).unwrap();
    let keyless = open(&server.url(None), patient()).unwrap();

    let names: Vec<String> =
        ["good", "garbage", "empty", "foreign", "theirs", "keyless", "flipped", "longer", "shorter"]
            .into_iter()
            .chain(["oversize", "list"])
            .map(str::to_owned)
            .collect();
    for name in &names {
        ours.put(name, format!("value of {name}").as_bytes()).await;
    }
    assert!(ours.get(&names).await.iter().all(Option::is_some));
    assert_eq!(witness.count(&["rejected"]), 0);

    server.command(&["SET", "lazaret:garbage", "LZRC and then something"]);
    server.command(&["SET", "lazaret:empty", ""]);
    server.command(&["COPY", "lazaret:good", "lazaret:foreign", "REPLACE"]);
    theirs.put("theirs", b"value of theirs").await;
    keyless.put("keyless", b"value of keyless").await;
    let flipped = server.command(&["GETRANGE", "lazaret:flipped", "-1", "-1"]);
    server.command(&["SETRANGE", "lazaret:flipped", "52", if flipped == "x" { "y" } else { "x" }]);
    server.command(&["APPEND", "lazaret:longer", "x"]);
    server.command(&[
        "EVAL",
        "redis.call('SET', KEYS[1], string.sub(redis.call('GET', KEYS[1]), 1, 40))",
        "1",
        "lazaret:shorter",
    ]);
    server.command(&["SETRANGE", "lazaret:oversize", "50000000", "x"]);
    server.command(&["DEL", "lazaret:list"]);
    server.command(&["RPUSH", "lazaret:list", "x"]);

    let values = ours.get(&names).await;
    assert_eq!(values[0].as_deref(), Some(&b"value of good"[..]));
    for (name, value) in names.iter().zip(&values).skip(1) {
        assert_eq!(*value, None, "{name}");
    }
    assert_eq!(witness.count(&["rejected"]), 8, "all but the empty one, which is as good as none, and the list");
    assert_eq!(witness.count(&["errors", "wrong_type"]), 1);
    assert!(ours.is_healthy());

    for name in &names[1..] {
        ours.put(name, b"anew").await;
    }
    assert!(ours.get(&names[1..]).await.iter().all(|value| value.as_deref() == Some(b"anew")), "a put mends it");
}

#[tokio::test]
async fn k6_the_holder_of_a_claim_is_limited_too() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let witness = Witness::new();
    let cache = open(&server.url(None), patient()).unwrap();
    server.command(&["SETRANGE", "lazaret:claim:long", "50000000", "x"]);
    server.command(&["RPUSH", "lazaret:claim:list", "x"]);
    let claims = [("long".to_owned(), "me".to_owned()), ("list".to_owned(), "me".to_owned())];
    let answers = cache.claim(&claims, std::time::Duration::from_secs(60)).await;
    assert!(matches!(&answers[0], Claim::Held(holder) if holder.len() == 256), "no more than that is taken");
    assert_eq!(answers[1], Claim::Unknown);
    assert_eq!(witness.count(&["errors", "wrong_type"]), 1, "{}", witness.text());
    assert_eq!(cache.present(&key("long")).await, [false]);
}
