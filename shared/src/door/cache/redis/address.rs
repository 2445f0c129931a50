//! The URL of a Redis, in its three forms; it is never shown with its user and password.

use std::fmt;

use super::super::CacheError;
use crate::door::source::registry::Secret;

/// The schemes of Redis: one server, a Cluster, a master that Sentinels know; each also over TLS.
pub const SCHEMES: &[&str] =
    &["redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"];
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where Redis is and who we are there.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether to speak TLS.
    pub tls: bool,
    /// What is at the hosts.
    pub topology: Topology,
    /// Host and port of each.
    pub hosts: Vec<(String, u16)>,
    /// The user; without one the default user of the server.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: i64,
}

/// What is at the hosts of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// The server itself.
    Single,
    /// Some nodes of a Cluster.
    Cluster,
    /// Sentinels that know where this master is.
    Sentinel(String),
}

impl Address {
    /// Reads `redis://[user:password@]host[:port][/database]`, `redis+cluster://…host[:port],host[:port]` or
    /// `redis+sentinel://…host[:port],host[:port]/master[/database]`. User and password are those of the servers, not of the
    /// Sentinels, and are percent-encoded where they hold `@`, `:` or `/`.
    ///
    /// # Errors
    /// It is none of these. The error does not repeat the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, CacheError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| malformed("`://` is missing after the scheme"))?;
        if !SCHEMES.contains(&scheme) {
            return Err(malformed("the scheme is none of Redis'"));
        }
        if rest.contains(['?', '#']) {
            return Err(malformed("it has no query and no fragment (`?` and `#` in a password are %3F and %23)"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
        let (user, password) = user.map(credentials).transpose()?.unwrap_or_default();
        let (kind, port) = match scheme.split_once('+').map(|(_, kind)| kind) {
            Some("sentinel") => ("sentinel", SENTINEL_PORT),
            Some(kind) => (kind, PORT),
            None => ("", PORT),
        };
        let hosts: Vec<_> = hosts.split(',').map(|host| host_and_port(host, port)).collect::<Result<_, _>>()?;
        let (topology, database) = match kind {
            "cluster" if path.is_empty() => (Topology::Cluster, ""),
            "cluster" => return Err(malformed("a Cluster has no databases, so nothing follows its hosts")),
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(malformed("after the Sentinels comes the name of the master: /mymaster"));
                }
                (Topology::Sentinel(decoded(master)?), database)
            }
            _ if hosts.len() > 1 => return Err(malformed("several hosts need redis+cluster:// or redis+sentinel://")),
            _ => (Topology::Single, path),
        };
        let database = match database {
            "" => 0,
            number => number.parse::<u16>().map_err(|_| malformed("the database is a number"))?.into(),
        };
        Ok(Self { tls: scheme.starts_with("rediss"), topology, hosts, user, password, database })
    }
}

fn malformed(why: &str) -> CacheError {
    CacheError::Settings(format!("its URL is not one of Redis': {why}"))
}

fn credentials(text: &str) -> Result<(Option<String>, Option<Secret>), CacheError> {
    let (user, password) = text.split_once(':').map_or((text, None), |(user, password)| (user, Some(password)));
    let user = if user.is_empty() { None } else { Some(decoded(user)?) };
    let password = password.filter(|password| !password.is_empty()).map(decoded).transpose()?.map(Secret::new);
    if user.is_some() && password.is_none() {
        return Err(malformed("a user needs a password: user:password@host, or :password@host"));
    }
    Ok((user, password))
}

fn host_and_port(text: &str, default: u16) -> Result<(String, u16), CacheError> {
    // An IPv6 address is in brackets, since it has colons of its own.
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(|| malformed("`]` is missing after a host"))?;
            (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
        }
        None => text.split_once(':').map_or((text, Some("")), |(host, port)| (host, Some(port))),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(malformed("a host is missing or no host"));
    }
    let port = match port {
        Some("") => default,
        Some(port) => port.parse().map_err(|_| malformed("a port is no number"))?,
        None => return Err(malformed("a port follows a colon")),
    };
    Ok((host.to_owned(), port))
}

/// `text` with its `%41` turned into what they stand for.
fn decoded(text: &str) -> Result<String, CacheError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.ok_or_else(|| malformed("`%` is followed by two hexadecimal digits"))?);
        bytes.extend(part.bytes().skip(2));
    }
    String::from_utf8(bytes).map_err(|_| malformed("what it encodes is no UTF-8"))
}

/// As it may be shown: without user, password and database.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, path) = match &self.topology {
            Topology::Single => ("", ""),
            Topology::Cluster => ("+cluster", ""),
            Topology::Sentinel(master) => ("+sentinel", &**master),
        };
        write!(f, "redis{}{kind}://", if self.tls { "s" } else { "" })?;
        for (n, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            if host.contains(':') { write!(f, "{comma}[{host}]:{port}")? } else { write!(f, "{comma}{host}:{port}")? }
        }
        if path.is_empty() { Ok(()) } else { write!(f, "/{}", crate::text::visible(path)) }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")).to_string()
    }

    #[test]
    fn reads_the_three_forms() {
        assert_eq!(shown("redis://h"), "redis://h:6379");
        assert_eq!(shown("rediss://u:p@[::1]:7/3"), "rediss://[::1]:7");
        assert_eq!(shown("redis+cluster://a:1,b,c:3"), "redis+cluster://a:1,b:6379,c:3");
        assert_eq!(shown("rediss+sentinel://:p@a,b:2/my-master/1"), "rediss+sentinel://a:26379,b:2/my-master");
        let address = Address::parse("redis+sentinel://us%40er:p%3A%2f@a/m/12").unwrap();
        assert_eq!(address.user.as_deref(), Some("us@er"));
        assert_eq!(address.password, Some(Secret::new("p:/")));
        assert_eq!((address.database, address.topology), (12, Topology::Sentinel("m".into())));
        let unencoded = Address::parse("redis://:p@ss@h").unwrap();
        assert_eq!(unencoded.password, Some(Secret::new("p@ss")), "the last @ ends the password");
    }

    #[test]
    fn refuses_the_rest_and_never_shows_a_password() {
        const WRONG: &[&str] = &[
            "redis:h",
            "redis://",
            "redis://user:hunter2@",
            "redis://user:hunter2@h:port",
            "redis://user:hunter2@h:99999",
            "redis://user:hunter2@h/x",
            "redis://user:hunter2@h/-1",
            "redis://user:hunter2@a,b",
            "redis://user@hunter2",
            "redis://user:hunter2%4@h",
            "redis://user:hunter2%ff@h",
            "redis://user:hunter2@[::1",
            "redis://user:hunter2@[::1]6379",
            "redis://user:hunter2@h?x=1",
            "redis+cluster://user:hunter2@a,b/1",
            "redis+cluster://user:hunter2@a,,b",
            "redis+sentinel://user:hunter2@a",
            "redis+sentinel://user:hunter2@a/",
            "redis+magic://user:hunter2@a",
        ];
        for url in WRONG {
            let error = Address::parse(url).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        let good = Address::parse("redis://user:hunter2@h").unwrap();
        assert!(!format!("{good} {good:?} {:#?}", Some(&good)).contains("hunter2"));
    }
}
