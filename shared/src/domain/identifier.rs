//! Identifiers: what an account is known by.

use super::email::EmailAddress;
use super::phone::PhoneNumber;
use super::username::Username;
use super::wallet::CardNumber;

/// A phone number, e-mail address, username or card number. It belongs to at most one user of a
/// realm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// A phone number. Codes are sent to it by SMS.
    Phone(PhoneNumber),
    /// An e-mail address. Codes are sent to it by mail.
    Email(EmailAddress),
    /// A name that the user chose. Nothing can be sent to it.
    Username(Username),
    /// The card of the user's wallet. Nothing can be sent to it.
    Card(CardNumber),
}

impl Identifier {
    /// The name of every kind, as [`Identifier::kind`] returns it.
    pub const KINDS: [&str; 4] = ["phone", "email", "username", "card"];

    /// The name of the kind in table keys.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::Username(_) => "username",
            Self::Card(_) => "card",
        }
    }

    /// The canonical form, which must be unique in a realm.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
            Self::Username(username) => username.canonical(),
            Self::Card(card) => card.as_str(),
        }
    }

    /// The form that the user wrote, which is shown to the user.
    #[must_use]
    pub fn as_written(&self) -> &str {
        match self {
            Self::Username(username) => username.as_written(),
            Self::Phone(_) | Self::Email(_) | Self::Card(_) => self.as_str(),
        }
    }

    /// Returns whether codes can be sent to the identifier. Only such an identifier can be
    /// verified.
    #[must_use]
    pub const fn receives_codes(&self) -> bool {
        matches!(self, Self::Phone(_) | Self::Email(_))
    }

    /// Parses an identifier from its [`Identifier::kind`] and either [`Identifier::as_str`] or
    /// [`Identifier::as_written`].
    #[must_use]
    pub fn from_parts(kind: &str, text: &str) -> Option<Self> {
        match kind {
            "phone" => PhoneNumber::from_e164(text).ok().map(Self::Phone),
            "email" => EmailAddress::parse(text).ok().map(Self::Email),
            "username" => Username::parse(text).ok().map(Self::Username),
            "card" => CardNumber::parse(text).map(Self::Card),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an identifier of each kind, with its kind, its canonical and its written form.
    fn samples() -> [(Identifier, &'static str, &'static str, &'static str); 4] {
        let phone = PhoneNumber::parse("+85291234567").unwrap();
        let email = EmailAddress::parse("Ann@Example.com").unwrap();
        let username = Username::parse("Ann-1").unwrap();
        let card = CardNumber::parse("705123").unwrap();
        [
            (Identifier::Phone(phone), "phone", "+85291234567", "+85291234567"),
            (Identifier::Email(email), "email", "ann@example.com", "ann@example.com"),
            (Identifier::Username(username), "username", "ann-1", "Ann-1"),
            (Identifier::Card(card), "card", "705123", "705123"),
        ]
    }

    #[test]
    fn an_identifier_is_parsed_from_its_kind_and_either_form() {
        for (identifier, kind, canonical, written) in samples() {
            assert_eq!(identifier.kind(), kind);
            assert_eq!((identifier.as_str(), identifier.as_written()), (canonical, written));
            assert_eq!(Identifier::from_parts(kind, canonical), Some(identifier.clone()));
            let parsed = Identifier::from_parts(kind, written).unwrap();
            assert_eq!(parsed.as_written(), written);
        }
        assert_eq!(samples().map(|(_, kind, ..)| kind), Identifier::KINDS);
        assert_eq!(Identifier::from_parts("other", "705123"), None);
    }

    #[test]
    fn codes_are_sent_to_phone_numbers_and_addresses_only() {
        let receive = samples().map(|(identifier, ..)| identifier.receives_codes());
        assert_eq!(receive, [true, true, false, false]);
    }
}
