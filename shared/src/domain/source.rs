//! Sources: where requests come from. Budgets are counted for them, and accounts know some of them.

use super::client::ClientId;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// The network address that a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceAddress {
    V4(Ipv4Addr),
    /// The first 48 and the next 16 bits of an IPv6 address. Every subscriber has at least a /64,
    /// and many have a /48.
    V6([u16; 4]),
    /// All texts that are not addresses share one bucket, so that requests stay limited if the
    /// gateway stops reporting addresses.
    Unknown,
}

impl SourceAddress {
    /// Parses the address that the gateway reports.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V4(address)) => Self::V4(address),
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
            Err(_) => Self::Unknown,
        }
    }
}

impl fmt::Display for SourceAddress {
    /// Writes an IPv4 address, or the /64 of an IPv6 address.
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(text),
            Self::V6([a, b, c, d]) => write!(text, "{a:x}:{b:x}:{c:x}:{d:x}::/64"),
            Self::Unknown => text.write_str("unknown"),
        }
    }
}

/// What a request comes from: an address or a client, and the device that the caller names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    origin: Origin,
    device: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// A person's network. Many people can share it.
    Address(SourceAddress),
    /// A client, which acts for many people. Its address says nothing about them.
    Client(ClientId),
}

/// A part of a source that budgets are counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceBucket {
    /// The text of the part in bucket names.
    pub name: String,
    /// How many times the usual limit the part has.
    pub times: u32,
}

/// The number of /64 networks whose limits a /48 network has. A site has a /48, and so has an
/// attacker who changes the /64 with every request.
const SITE_TIMES: u32 = 4;

impl Source {
    #[must_use]
    pub const fn of_address(address: SourceAddress) -> Self {
        Self { origin: Origin::Address(address), device: None }
    }

    #[must_use]
    pub const fn of_client(client: ClientId) -> Self {
        Self { origin: Origin::Client(client), device: None }
    }

    /// Returns the source with the id that the caller gives its own device.
    #[must_use]
    pub fn with_device(self, device: Option<&str>) -> Self {
        Self { device: device.map(str::to_owned), ..self }
    }

    /// Returns whether the source is a client.
    #[must_use]
    pub const fn is_client(&self) -> bool {
        matches!(self.origin, Origin::Client(_))
    }

    /// Returns the parts that budgets are counted for: an IPv4 address; the /64 and the /48 of an
    /// IPv6 address; a client.
    #[must_use]
    pub fn buckets(&self) -> Vec<SourceBucket> {
        let bucket = |name: String, times| SourceBucket { name, times };
        match &self.origin {
            Origin::Address(address @ SourceAddress::V6([a, b, c, _])) => vec![
                bucket(address.to_string(), 1),
                bucket(format!("{a:x}:{b:x}:{c:x}::/48"), SITE_TIMES),
            ],
            Origin::Address(address) => vec![bucket(address.to_string(), 1)],
            Origin::Client(client) => vec![bucket(format!("client#{}", client.as_str()), 1)],
        }
    }

    /// Returns the texts by which an account or a challenge recognizes the source later: the
    /// network (/24 or /48) or the client, and the device.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        self.network_mark().into_iter().chain(self.device_mark()).collect()
    }

    /// Returns the caller that idempotency keys belong to: the device if the source names one, else
    /// the network or the client.
    #[must_use]
    pub fn caller(&self) -> String {
        self.device_mark().or_else(|| self.network_mark()).unwrap_or_default()
    }

    /// Returns the mark of the device; `None` if the caller names none.
    pub(super) fn device_mark(&self) -> Option<String> {
        self.device.as_ref().map(|device| format!("device#{device}"))
    }

    /// Returns the mark of the network or of the client.
    pub(super) fn network_mark(&self) -> Option<String> {
        match &self.origin {
            Origin::Address(SourceAddress::V4(address)) => {
                let [a, b, c, _] = address.octets();
                Some(format!("network#{a}.{b}.{c}.0/24"))
            }
            Origin::Address(SourceAddress::V6([a, b, c, _])) => {
                Some(format!("network#{a:x}:{b:x}:{c:x}::/48"))
            }
            // Requests whose address is not reported have nothing in common.
            Origin::Address(SourceAddress::Unknown) => None,
            Origin::Client(client) => Some(format!("client#{}", client.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of_address(SourceAddress::parse(text))
    }

    fn names(source: &Source) -> Vec<String> {
        source.buckets().into_iter().map(|bucket| bucket.name).collect()
    }

    #[test]
    fn an_ipv6_source_has_the_buckets_of_its_64_and_48_networks() {
        let buckets = source("2001:db8:1:2:3:4:5:6").buckets();
        assert_eq!(
            names(&source("2001:db8:1:2:ffff::1")),
            ["2001:db8:1:2::/64", "2001:db8:1::/48"]
        );
        assert_eq!(buckets, source("2001:db8:1:2:ffff::1").buckets());
        let times: Vec<_> = buckets.iter().map(|bucket| bucket.times).collect();
        assert_eq!(times, [1, 4]);
        let neighbour = source("2001:db8:1:3::1").buckets();
        assert_ne!(neighbour.first(), buckets.first());
        assert_eq!(neighbour.last(), buckets.last());
    }

    #[test]
    fn an_ipv4_source_is_its_address_in_any_notation() {
        assert_eq!(names(&source("203.0.113.9")), ["203.0.113.9"]);
        assert_eq!(names(&source("::ffff:203.0.113.9")), ["203.0.113.9"]);
        assert_eq!(names(&source("nonsense")), ["unknown"]);
    }

    #[test]
    fn a_client_is_a_source_without_an_address() {
        let client = Source::of_client(ClientId::new(&[0xab; 16]));
        assert_eq!(names(&client), [format!("client#{}", "ab".repeat(16))]);
        assert!(client.is_client() && !source("203.0.113.9").is_client());
    }

    #[test]
    fn a_source_is_recognized_by_its_network_and_its_device() {
        assert_eq!(source("203.0.113.9").marks(), ["network#203.0.113.0/24"]);
        assert_eq!(source("203.0.113.77").marks(), source("203.0.113.9").marks());
        assert_eq!(source("2001:db8:1:2::1").marks(), ["network#2001:db8:1::/48"]);
        assert!(source("nonsense").marks().is_empty());
        let phone = source("203.0.113.9").with_device(Some("d-1"));
        assert_eq!(phone.marks(), ["network#203.0.113.0/24", "device#d-1"]);
        let client = Source::of_client(ClientId::new(&[0xab; 16]));
        assert_eq!(client.marks(), [format!("client#{}", "ab".repeat(16))]);
    }
}
