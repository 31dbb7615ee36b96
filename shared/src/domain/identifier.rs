//! What a person is known by.

use super::email::EmailAddress;
use super::phone::PhoneNumber;
use super::realm::Realm;

/// Something that names at most one user of a realm, and that a code can be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// A phone number; codes go there by SMS.
    Phone(PhoneNumber),
    /// An e-mail address; codes go there by mail.
    Email(EmailAddress),
}

impl Identifier {
    /// The kind's name in keys: `phone` or `email`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
        }
    }

    /// The identifier in canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }

    /// Reads what [`Identifier::kind`] and [`Identifier::as_str`] wrote.
    #[must_use]
    pub fn from_parts(kind: &str, text: &str) -> Option<Self> {
        match kind {
            "phone" => PhoneNumber::parse(text).ok().map(Self::Phone),
            "email" => EmailAddress::parse(text).ok().map(Self::Email),
            _ => None,
        }
    }
}

/// An identifier in its realm: what must be unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmIdentifier {
    /// The name space.
    pub realm: Realm,
    /// The identifier.
    pub identifier: Identifier,
}
