//! Which network addresses may be spoken to, decided on the very address that is connected to.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Refuses what a registry must never send us to: link-local addresses and the metadata services of the clouds always,
/// this machine itself unless `loopback` is set. IPv4 inside IPv6 is judged as IPv4.
pub(super) fn check(address: IpAddr, loopback: bool) -> Result<(), AddressError> {
    let address = plain(address);
    let kind = match address {
        IpAddr::V4(v4) if v4.is_link_local() => "a link-local address",
        IpAddr::V4(v4) if METADATA_V4.contains(&v4) => "a metadata service",
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80 => "a link-local address",
        IpAddr::V6(v6) if v6 == METADATA_V6 => "a metadata service",
        _ if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) => "a multicast address",
        // The unspecified address reaches this machine too.
        _ if !loopback && (address.is_loopback() || address.is_unspecified()) => "this machine",
        _ => return Ok(()),
    };
    Err(AddressError { address, kind })
}

/// The metadata services outside 169.254/16: Alibaba's and Azure's.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
/// That of AWS.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// An address that must not be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {kind}, where no registry may send us")]
pub struct AddressError {
    address: IpAddr,
    kind: &'static str,
}

/// The IPv4 address inside an IPv6 one: mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96), 6to4
/// (2002::/16).
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let inner = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => inner(g, h),
        (0, 0, 0, 0, 0, 0) if g != 0 => inner(g, h),
        (0x2002, ..) => inner(b, c),
        _ => address,
    }
}

/// Whether `host`, as it stands in a URL, names this machine without asking anybody.
pub(super) fn is_loopback_name(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || literal(host).is_some_and(|address| plain(address).is_loopback())
}

/// `host` of a URL as an address, where it is one.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Resolves names by the system's resolver and hands on only the addresses that pass [`check`], so that what is
/// connected to is what was checked, however often the name changes its mind.
#[derive(Clone, Debug)]
pub(super) struct CheckedResolver {
    /// Whether every name may lead to this machine.
    pub(super) loopback: bool,
    /// Names that may lead to this machine anyway: proxies, and hosts that the user vouched for.
    pub(super) vouched: Arc<BTreeSet<String>>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let loopback = self.loopback || self.vouched.contains(&host.to_ascii_lowercase());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let mut refused = None;
            let mut allowed = Vec::with_capacity(found.len());
            for address in found {
                match check(address.ip(), loopback) {
                    Ok(()) => allowed.push(address),
                    Err(error) => refused = Some(error),
                }
            }
            match refused {
                Some(error) if allowed.is_empty() => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_metadata_and_link_local_in_every_disguise() {
        for text in [
            "169.254.169.254",
            "169.254.0.1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
            "::ffff:169.254.169.254",
            "::ffff:a9fe:a9fe",
            "::a9fe:a9fe",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "224.0.0.1",
        ] {
            assert!(check(text.parse().unwrap(), true).is_err(), "{text}");
        }
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"] {
            assert!(check(text.parse().unwrap(), false).is_err(), "{text}");
            assert!(check(text.parse().unwrap(), true).is_ok(), "{text}");
        }
        for text in ["10.0.0.1", "192.168.1.1", "93.184.216.34", "2606:2800:220:1::1", "100.100.100.201"] {
            assert!(check(text.parse().unwrap(), false).is_ok(), "{text}");
        }
    }

    #[test]
    fn knows_this_machine_by_name() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in ["localhost.example.com", "10.0.0.1", "registry"] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_by_where_they_lead() {
        let resolver = |loopback| CheckedResolver { loopback, vouched: Arc::default() };
        assert!(resolver(true).resolve("localhost".parse().unwrap()).await.is_ok());
        let error = resolver(false).resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(error.downcast_ref::<AddressError>().is_some());
    }
}
