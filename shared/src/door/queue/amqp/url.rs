//! Where the brokers are: one URL with several hosts, or several URLs, apart by commas. Never shows user or password.

use std::fmt;

use lapin::uri::AMQPUri;

use super::super::{QueueError, shown};

/// The nodes of a broker, each with the credentials to use.
#[derive(Clone)]
pub struct BrokerUrl {
    nodes: Vec<AMQPUri>,
}

impl BrokerUrl {
    /// Reads `amqp(s)://user:password@host:port,host:port/vhost`, or several such, apart by commas. Without a virtual host
    /// that of the broker's default, `/`, is meant.
    ///
    /// # Errors
    /// [`QueueError::Url`], which does not repeat what might be a password.
    pub fn parse(text: &str) -> Result<Self, QueueError> {
        let mut nodes = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let next = [",amqp://", ",amqps://"].iter().filter_map(|start| rest.find(start)).min();
            let (url, following) = rest.split_at(next.unwrap_or(rest.len()));
            nodes.extend(hosts(url).ok_or_else(|| QueueError::Url(shown(text)))?);
            rest = following.strip_prefix(',').unwrap_or_default();
        }
        if nodes.is_empty() { Err(QueueError::Url(shown(text))) } else { Ok(Self { nodes }) }
    }

    /// The nodes, at least one.
    pub(super) fn nodes(&self) -> &[AMQPUri] {
        &self.nodes
    }
}

/// `host:port` of a node.
pub(super) fn address(node: &AMQPUri) -> String {
    format!("{}:{}", crate::text::visible(&node.authority.host), node.authority.port)
}

fn hosts(url: &str) -> Option<Vec<AMQPUri>> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
    let path = path.strip_prefix('/').unwrap_or(path);
    let vhost = if path.is_empty() || path.starts_with('?') { format!("%2f{path}") } else { path.to_owned() };
    let node = |host: &str| {
        let mut node: AMQPUri = format!("{scheme}://{user}@{host}/{vhost}").parse().ok()?;
        // The parser of the library takes an IPv6 address for no host at all, and that for localhost.
        if let Some((address, _)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            node.authority.host = address.to_owned();
        }
        (!host.is_empty() && !host.starts_with(':')).then_some(node)
    };
    hosts.split(',').map(node).collect()
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, node) in self.nodes.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}://{}/{}", node.scheme, address(node), crate::text::visible(&node.vhost))?;
        }
        Ok(())
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_and_hides_credentials() {
        let url = BrokerUrl::parse("amqps://us%40er:canary@one:1,two,[::1]:3/v%2fh,amqp://three").expect("a URL");
        let nodes: Vec<_> = url.nodes().iter().map(address).collect();
        assert_eq!(nodes, ["one:1", "two:5671", "::1:3", "three:5672"]);
        assert_eq!(url.nodes()[1].authority.userinfo.username, "us@er");
        assert_eq!(url.nodes()[1].authority.userinfo.password, "canary");
        assert_eq!((url.nodes()[0].vhost.as_str(), url.nodes()[3].vhost.as_str()), ("v/h", "/"));
        let shown = format!("{url} {url:?}");
        assert!(!shown.contains("canary") && !shown.contains("er@"), "{shown}");
        assert!(shown.starts_with("amqps://one:1/v/h,amqps://two:5671/v/h"), "{shown}");
    }

    #[test]
    fn refuses_what_is_no_url_without_repeating_a_password() {
        for text in [
            "",
            "amqp://",
            "amqp://u:canary@",
            "amqp://u:canary@host:port/",
            "http://host",
            "amqp://a,,b/",
            "amqp://:1",
        ] {
            let error = BrokerUrl::parse(text).expect_err(text).to_string();
            assert!(!error.contains("canary"), "{error}");
        }
        assert_eq!(BrokerUrl::parse("amqp://h/").expect("a URL").nodes()[0].vhost, "/");
    }
}
