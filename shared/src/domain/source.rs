//! Sources: the network addresses that requests come from.

use std::net::IpAddr;

/// The network address that budgets are counted for: an IPv4 address, or the /64 network of an IPv6
/// address, because every subscriber has at least a /64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAddress(String);

impl SourceAddress {
    /// Parses the address that the gateway reports. All texts that are not addresses share one
    /// bucket, so that requests stay limited if the gateway stops reporting addresses.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V4(address)) => Self(address.to_string()),
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Self(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
            }
            Err(_) => Self("unknown".to_owned()),
        }
    }

    /// The text of the address in bucket names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_source_is_its_64_network() {
        let bucket = SourceAddress::parse("2001:db8:1:2:3:4:5:6");
        assert_eq!(bucket.as_str(), "2001:db8:1:2::/64");
        assert_eq!(bucket, SourceAddress::parse("2001:db8:1:2:ffff::1"));
        assert_ne!(bucket, SourceAddress::parse("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_source_is_its_address_in_any_notation() {
        assert_eq!(SourceAddress::parse("203.0.113.9").as_str(), "203.0.113.9");
        assert_eq!(SourceAddress::parse("::ffff:203.0.113.9").as_str(), "203.0.113.9");
        assert_eq!(SourceAddress::parse("nonsense").as_str(), "unknown");
    }
}
