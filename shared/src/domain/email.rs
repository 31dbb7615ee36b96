//! E-mail addresses.

use email_address::{EmailAddress as Rfc5321, Options};
use std::fmt;
use std::str::FromStr as _;

/// The length limit of an address, in bytes (RFC 5321, section 4.5.3.1.3 with erratum 1690).
const MAX_BYTES: usize = 254;

/// An e-mail address in canonical form: lower case, ASCII, with a host name as the domain
/// that has a dot.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// The error for a text that is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct EmailAddressError;

impl EmailAddress {
    /// Parses an address and converts it to lower case.
    ///
    /// Only visible ASCII is accepted. This refuses addresses that the mail service cannot send to
    /// (RFC 6531 local parts) and texts that could break a mail header.
    ///
    /// # Errors
    /// [`EmailAddressError`] when `text` is not such an address.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let visible_ascii = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.len() > MAX_BYTES || !visible_ascii || text.contains(['"', '\\', ',', ';']) {
            return Err(EmailAddressError);
        }
        let options =
            Options::default().without_display_text().without_domain_literal().with_required_tld();
        Rfc5321::parse_with_options(text, options).map_err(|_| EmailAddressError)?;
        Rfc5321::from_str(text).map_err(|_| EmailAddressError)?;
        if !text.rsplit_once('@').is_some_and(|(_, domain)| is_host_name(domain)) {
            return Err(EmailAddressError);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Returns an address that no user has. A look-up for an unknown user looks for it, so that it
    /// takes as many reads as one for a known user.
    #[must_use]
    pub fn placeholder() -> Self {
        Self("unknown".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether the labels of a domain are those of a host name (RFC 1123, section 2.1): letters,
/// digits and hyphens, and a top-level label that is not a number, as in an IPv4 address.
fn is_host_name(domain: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    domain.split('.').all(|label| label.bytes().all(fits))
        && domain.rsplit('.').next().is_some_and(|top| !is_number(top))
}

impl fmt::Debug for EmailAddress {
    /// Shows only the first character and the top-level domain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.0.chars().next().unwrap_or('?');
        let tail = self.0.rsplit('.').next().unwrap_or_default();
        write!(f, "EmailAddress({head}…@….{tail})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_converted_to_lower_case() {
        let email = EmailAddress::parse("Ivan+RDH+fl@JoinGotu.com").unwrap();
        assert_eq!(email.as_str(), "ivan+rdh+fl@joingotu.com");
        for good in [
            "a@b.co",
            "first.last@sub.example.org",
            "o'hara@example.com",
            "a@4.4a",
            "a@1und1.de",
            "a@xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g",
        ] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn texts_that_are_not_addresses_are_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@b.co ",
            "a@b.co\r\nBcc: x@y.zz",
            "a@[127.0.0.1]",
            "\"a b\"@c.de",
            "\"ab\"@c.de",
            "Name <a@b.co>",
            "a@b..co",
            ".a@b.co",
            "a@-b.co",
            "ü@b.co",
            "a@b.co,c@d.ee",
            "a@1.2.3.4",
            "a@b.4",
            "a@x_y.com",
            "a@b.c_m",
            "a@b!c.com",
            long.as_str(),
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn debug_hides_the_address() {
        let email = EmailAddress::parse("person@example.com").unwrap();
        assert_eq!(format!("{email:?}"), "EmailAddress(p…@….com)");
    }

    #[test]
    fn an_address_has_at_most_254_bytes() {
        let of_length = |length: usize| {
            let label = "b".repeat(60);
            let head = format!("{}@{label}.{label}.{label}.", "a".repeat(60));
            format!("{head}{}", "c".repeat(length.checked_sub(head.len()).unwrap()))
        };
        assert!(EmailAddress::parse(&of_length(253)).is_ok());
        assert!(EmailAddress::parse(&of_length(254)).is_ok());
        assert!(EmailAddress::parse(&of_length(255)).is_err());
        assert!(EmailAddress::parse(&of_length(256)).is_err());
    }
}
