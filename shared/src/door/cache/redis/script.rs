//! The scripts of claims: each works on one key, so that they run on every kind of server, in any pipeline.

use std::sync::LazyLock;

use redis::Script;

/// The longest holder that is told. Whoever plants a longer one must not fill our memory with it.
const HOLDER: usize = 256;

/// Takes a claim, or tells who holds it. `ARGV`: holder, milliseconds.
pub static CLAIM: LazyLock<ClaimScript> = LazyLock::new(|| {
    ClaimScript::new(format!(
        "local holder = redis.call('GETRANGE', KEYS[1], 0, {}) \
         if holder ~= '' then return holder end \
         redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) \
         return false",
        HOLDER - 1
    ))
});

/// Renews a claim, or takes it anew where nobody holds it. `ARGV`: holder, milliseconds.
pub static RENEW: LazyLock<ClaimScript> = LazyLock::new(|| {
    ClaimScript::new(
        "local holder = redis.call('GET', KEYS[1]) \
         if not holder or holder == ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end \
         return false"
            .into(),
    )
});

/// Lets a claim last longer. `ARGV`: holder, milliseconds.
pub static EXTEND: LazyLock<ClaimScript> = LazyLock::new(|| {
    ClaimScript::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end \
         return false"
            .into(),
    )
});

/// Gives a claim back. `ARGV`: holder, and what the others take, which is not used.
pub static RELEASE: LazyLock<ClaimScript> = LazyLock::new(|| {
    ClaimScript::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end \
         return false"
            .into(),
    )
});

/// A script, and what a server that knows it calls it.
pub struct ClaimScript {
    /// The text.
    pub code: String,
    /// The SHA-1 of the text.
    pub hash: String,
}

impl ClaimScript {
    fn new(code: String) -> Self {
        let hash = Script::new(&code).get_hash().to_owned();
        Self { code, hash }
    }
}
