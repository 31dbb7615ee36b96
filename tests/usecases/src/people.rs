//! The recipients, names, passwords and addresses that tests use.

use latchkey::domain::attributes::Attributes;
use latchkey::domain::email::EmailAddress;
use latchkey::domain::identifier::Identifier;
use latchkey::domain::password::Password;
use latchkey::domain::phone::PhoneNumber;
use latchkey::domain::source::{Source, SourceAddress};
use latchkey::domain::username::Username;

/// Returns the phone number with this text.
pub fn number(text: &str) -> Identifier {
    Identifier::Phone(PhoneNumber::parse(text).expect("a phone number"))
}

/// Returns the e-mail address with this text.
pub fn address(text: &str) -> Identifier {
    Identifier::Email(EmailAddress::parse(text).expect("an e-mail address"))
}

/// A phone number of a country that text messages are sent to.
pub fn phone() -> Identifier {
    number("+85291234567")
}

/// Another phone number of that country.
pub fn other_phone() -> Identifier {
    number("+85297654321")
}

/// A phone number of a country that no text messages are sent to.
pub fn abroad() -> Identifier {
    number("+447700900123")
}

pub fn email() -> Identifier {
    address("ann@example.com")
}

pub fn other_email() -> Identifier {
    address("ben@example.com")
}

pub fn username(text: &str) -> Identifier {
    Identifier::Username(Username::parse(text).expect("a username"))
}

pub fn password(text: &str) -> Password {
    Password::parse(text, 1).expect("a password")
}

/// The source that requests come from, unless a test says otherwise.
pub fn source() -> Source {
    source_at("203.0.113.9")
}

pub fn other_source() -> Source {
    source_at("198.51.100.7")
}

/// Returns the source with this address.
pub fn source_at(address: &str) -> Source {
    Source::of_address(SourceAddress::parse(address))
}

/// The attributes of a new user.
pub(crate) fn attributes() -> Attributes {
    let attributes = [("name", "Ann"), ("plan", "free")];
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
