//! Where a request comes from, as far as budgets are concerned.

use std::net::IpAddr;

/// The network address that a budget is counted for: an IPv4 address, or the /64 of an IPv6
/// address, because one subscriber owns at least a /64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAddress(String);

impl SourceAddress {
    /// Reads the address that the gateway saw. What is no address shares one bucket, so that a
    /// gateway that stops telling fails safe.
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

    /// The bucket's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_counts_by_its_64() {
        let bucket = SourceAddress::parse("2001:db8:1:2:3:4:5:6");
        assert_eq!(bucket.as_str(), "2001:db8:1:2::/64");
        assert_eq!(bucket, SourceAddress::parse("2001:db8:1:2:ffff::1"));
        assert_ne!(bucket, SourceAddress::parse("2001:db8:1:3::1"));
    }

    #[test]
    fn ipv4_counts_by_address_however_it_is_written() {
        assert_eq!(SourceAddress::parse("203.0.113.9").as_str(), "203.0.113.9");
        assert_eq!(SourceAddress::parse("::ffff:203.0.113.9").as_str(), "203.0.113.9");
        assert_eq!(SourceAddress::parse("nonsense").as_str(), "unknown");
    }
}
