//! What a person is known by.

use super::email::EmailAddress;
use super::phone::PhoneNumber;
use super::username::Username;
use super::wallet::CardNumber;

/// Something that names at most one user of a realm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// A phone number; codes go there by SMS.
    Phone(PhoneNumber),
    /// An e-mail address; codes go there by mail.
    Email(EmailAddress),
    /// A name they chose; nothing can be sent there.
    Username(Username),
    /// The card of their wallet; nothing can be sent there.
    Card(CardNumber),
}

impl Identifier {
    /// Every kind.
    pub const KINDS: [&str; 4] = ["phone", "email", "username", "card"];

    /// The kind's name in keys.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::Username(_) => "username",
            Self::Card(_) => "card",
        }
    }

    /// The identifier in canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
            Self::Username(username) => username.canonical(),
            Self::Card(card) => card.as_str(),
        }
    }

    /// The identifier as its owner writes it.
    #[must_use]
    pub fn as_written(&self) -> &str {
        match self {
            Self::Username(username) => username.as_written(),
            Self::Phone(_) | Self::Email(_) | Self::Card(_) => self.as_str(),
        }
    }

    /// Whether a code can be sent there, and with it whether it can be verified.
    #[must_use]
    pub const fn receives_codes(&self) -> bool {
        matches!(self, Self::Phone(_) | Self::Email(_))
    }

    /// Reads what [`Identifier::kind`] and [`Identifier::as_str`] or
    /// [`Identifier::spelling`] wrote.
    #[must_use]
    pub fn from_parts(kind: &str, text: &str) -> Option<Self> {
        match kind {
            "phone" => PhoneNumber::from_stored(text).ok().map(Self::Phone),
            "email" => EmailAddress::parse(text).ok().map(Self::Email),
            "username" => Username::parse(text).ok().map(Self::Username),
            "card" => CardNumber::parse(text).map(Self::Card),
            _ => None,
        }
    }
}
