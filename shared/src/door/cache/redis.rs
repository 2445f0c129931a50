//! `redis://`: layer inventories and claims that a whole farm shares. Whatever goes wrong is a miss and a metric.
//!
//! The server is not trusted: values are sealed ([`seal`]), lengths are limited before they are taken, and nothing here is
//! waited for longer than a budget ([`asking`]). Keys are `lazaret:` + key for values, `lazaret:claim:` + key for claims.

mod address;
mod asking;
mod breaker;
mod census;
mod connect;
mod count;
mod failure;
mod link;
mod script;
mod seal;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redis::{Cmd, Pipeline, RedisWrite, ToRedisArgs, Value};

use self::address::Address;
use self::asking::{Asking, Reply};
use self::failure::Failure;
use self::script::{CLAIM, ClaimScript, EXTEND, RELEASE, RENEW};
use self::seal::Sealer;
use super::{Cache, CacheError, CacheSettings, Claim};

/// What follows the prefix in the keys of claims.
pub const CLAIMS: &str = "claim:";
/// Keys of one round trip without payload: some 100 KB.
const KEYS: usize = 1_000;
/// Values of one round trip: at the default limit of an entry, 64 MiB at worst.
const VALUES: usize = 64;

/// A cache on a server, a Cluster, or a master that Sentinels know.
pub struct RedisCache {
    settings: CacheSettings,
    sealer: Sealer,
    asking: Asking,
}

/// Where it is; neither user nor password nor key.
impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisCache").field(&self.asking.shown()).finish()
    }
}

impl RedisCache {
    /// The schemes of its URLs.
    pub const SCHEMES: &[&str] = address::SCHEMES;

    /// Makes a cache that connects when it is first asked.
    ///
    /// # Errors
    /// The URL is malformed, or the settings are none for Redis.
    pub fn new(url: &str, mut settings: CacheSettings) -> Result<Self, CacheError> {
        let address = Address::parse(url)?;
        // It becomes a part of patterns and of access lists.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ":._-".contains(c);
        if settings.prefix.is_empty() || !settings.prefix.chars().all(is_plain) {
            return Err(CacheError::Settings("its prefix is of ASCII letters, digits and `:._-`".into()));
        }
        let sealer = Sealer::new(settings.key.as_ref())?;
        let asking = Asking::new(address, settings.certificates.take());
        Ok(Self { settings, sealer, asking })
    }

    /// Runs `script` on each claim, in round trips of a bounded size.
    async fn run(&self, script: &ClaimScript, claims: &[(String, String)], ttl: Duration) -> Vec<Reply> {
        let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut replies = Vec::with_capacity(claims.len());
        for claims in claims.chunks(KEYS) {
            let mut commands = Pipeline::with_capacity(claims.len());
            for claim in claims {
                commands.add_command(self.script_command("EVALSHA", &script.hash, claim, milliseconds));
            }
            let mut answers = self.asking.ask(&commands, self.settings.budget).await;
            self.teach(script, claims, milliseconds, &mut answers).await;
            self.asking.learn_from_writes(&answers);
            replies.append(&mut answers);
        }
        replies
    }

    /// A server that was started anew does not know the script; whoever runs its text teaches it.
    async fn teach(&self, script: &ClaimScript, claims: &[(String, String)], milliseconds: u64, answers: &mut [Reply]) {
        let unknown: Vec<usize> =
            (0..answers.len()).filter(|n| answers.get(*n) == Some(&Err(Failure::NoScript))).collect();
        let mut commands = Pipeline::with_capacity(unknown.len());
        for claim in unknown.iter().filter_map(|n| claims.get(*n)) {
            commands.add_command(self.script_command("EVAL", &script.code, claim, milliseconds));
        }
        let taught = self.asking.ask(&commands, self.settings.budget).await;
        for (n, answer) in unknown.into_iter().zip(taught) {
            if let Some(place) = answers.get_mut(n) {
                *place = answer;
            }
        }
    }

    fn script_command(&self, name: &str, script: &str, (key, holder): &(String, String), milliseconds: u64) -> Cmd {
        let mut command = Cmd::with_capacity(6, script.len() + key.len() + holder.len() + 64);
        command.arg(name).arg(script).arg(1);
        command.arg(Key { prefix: &self.settings.prefix, infix: CLAIMS, key }).arg(holder).arg(milliseconds);
        command
    }

    fn key<'a>(&'a self, key: &'a str) -> Key<'a> {
        Key { prefix: &self.settings.prefix, infix: "", key }
    }

    /// The value in an answer, and whether there was something that is none of ours.
    fn opened(&self, key: &str, reply: Reply) -> Option<Vec<u8>> {
        let Ok(Value::BulkString(sealed)) = reply else { return None };
        if sealed.is_empty() {
            return None;
        }
        let is_short = sealed.len() <= self.settings.entry_limit + seal::OVERHEAD;
        let value = if is_short { self.sealer.open(&self.settings.prefix, key, sealed) } else { None };
        if value.is_none() {
            count::rejected();
        }
        value
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn present(&self, keys: &[String]) -> Vec<bool> {
        let mut present = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS) {
            let mut commands = Pipeline::with_capacity(keys.len());
            for key in keys {
                let mut command = Cmd::with_capacity(2, self.settings.prefix.len() + key.len() + 6);
                command.arg("EXISTS").arg(self.key(key));
                commands.add_command(command);
            }
            let replies = self.asking.ask(&commands, self.settings.budget).await;
            present.extend(replies.into_iter().map(|reply| reply == Ok(Value::Int(1))));
        }
        count::hits_and_misses("present", &present, |there| *there);
        present
    }

    async fn get(&self, keys: &[String]) -> Vec<Option<Vec<u8>>> {
        let mut values = Vec::with_capacity(keys.len());
        // One byte more than there may be, to tell a value that is too long, without ever taking more of it.
        let last = self.settings.entry_limit + seal::OVERHEAD;
        for keys in keys.chunks(VALUES) {
            let mut commands = Pipeline::with_capacity(keys.len());
            for key in keys {
                let mut command = Cmd::with_capacity(4, self.settings.prefix.len() + key.len() + 32);
                command.arg("GETRANGE").arg(self.key(key)).arg(0).arg(last);
                commands.add_command(command);
            }
            let replies = self.asking.ask(&commands, self.settings.payload_budget).await;
            values.extend(keys.iter().zip(replies).map(|(key, reply)| self.opened(key, reply)));
        }
        count::hits_and_misses("get", &values, Option::is_some);
        values
    }

    async fn put(&self, key: &str, value: &[u8]) {
        if value.len() > self.settings.entry_limit {
            return;
        }
        let milliseconds = u64::try_from(self.settings.ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut command = Cmd::with_capacity(5, self.settings.prefix.len() + key.len() + value.len() + 64);
        command.arg("SET").arg(self.key(key));
        command.arg(Sealed { sealer: &self.sealer, prefix: &self.settings.prefix, key, value });
        command.arg("PX").arg(milliseconds);
        let mut commands = Pipeline::with_capacity(1);
        commands.add_command(command);
        let replies = self.asking.ask(&commands, self.settings.payload_budget).await;
        self.asking.learn_from_writes(&replies);
    }

    async fn claim(&self, claims: &[(String, String)], ttl: Duration) -> Vec<Claim> {
        let replies = self.run(&CLAIM, claims, ttl).await;
        let claim = |reply: Reply| match reply {
            Ok(Value::Nil) => Claim::Taken,
            Ok(Value::BulkString(holder)) => Claim::Held(String::from_utf8_lossy(&holder).into_owned()),
            _ => Claim::Unknown,
        };
        let answers: Vec<Claim> = replies.into_iter().map(claim).collect();
        count::claims(&answers);
        answers
    }

    async fn renew(&self, claims: &[(String, String)], ttl: Duration) {
        self.run(&RENEW, claims, ttl).await;
    }

    async fn extend(&self, claims: &[(String, String)], ttl: Duration) {
        self.run(&EXTEND, claims, ttl).await;
    }

    async fn release(&self, claims: &[(String, String)]) {
        self.run(&RELEASE, claims, Duration::ZERO).await;
    }

    async fn claims(&self) -> Option<u64> {
        let connection = self.asking.connection(self.settings.budget).await?;
        let prefix = format!("{}{CLAIMS}", self.settings.prefix);
        census::count_keys(connection, &prefix, self.settings.payload_budget).await
    }

    fn is_healthy(&self) -> bool {
        self.asking.is_answered()
    }
}

/// A key, put together where the client writes it.
struct Key<'a> {
    prefix: &'a str,
    infix: &'a str,
    key: &'a str,
}

impl ToRedisArgs for Key<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        out.write_arg_fmt(format_args!("{}{}{}", self.prefix, self.infix, self.key));
    }
}

/// A value, sealed where the client writes it.
struct Sealed<'a> {
    sealer: &'a Sealer,
    prefix: &'a str,
    key: &'a str,
    value: &'a [u8],
}

impl ToRedisArgs for Sealed<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut writer = out.writer_for_next_arg();
        // Memory takes everything; and what it had not taken would not open again.
        let _ = self.sealer.write(&mut writer, self.prefix, self.key, self.value);
    }
}
