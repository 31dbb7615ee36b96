//! Identifiers: what an account is known by.

use super::email::EmailAddress;
use super::phone::PhoneNumber;
use super::username::Username;
use super::wallet::CardNumber;

/// The kind of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentifierKind {
    Phone,
    Email,
    Username,
    Card,
}

impl IdentifierKind {
    pub const ALL: [Self; 4] = [Self::Phone, Self::Email, Self::Username, Self::Card];

    /// The name of the kind in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Username => "username",
            Self::Card => "card",
        }
    }

    /// Returns the kind with this name; the inverse of [`IdentifierKind::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

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
    #[must_use]
    pub const fn kind(&self) -> IdentifierKind {
        match self {
            Self::Phone(_) => IdentifierKind::Phone,
            Self::Email(_) => IdentifierKind::Email,
            Self::Username(_) => IdentifierKind::Username,
            Self::Card(_) => IdentifierKind::Card,
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

    /// Parses an identifier from the name of its kind and either [`Identifier::as_str`] or
    /// [`Identifier::as_written`].
    #[must_use]
    pub fn from_parts(kind: &str, text: &str) -> Option<Self> {
        match IdentifierKind::from_name(kind)? {
            IdentifierKind::Phone => PhoneNumber::from_e164(text).ok().map(Self::Phone),
            IdentifierKind::Email => EmailAddress::parse(text).ok().map(Self::Email),
            IdentifierKind::Username => Username::parse(text).ok().map(Self::Username),
            IdentifierKind::Card => CardNumber::parse(text).map(Self::Card),
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
            assert_eq!(identifier.kind().as_str(), kind);
            assert_eq!((identifier.as_str(), identifier.as_written()), (canonical, written));
            assert_eq!(Identifier::from_parts(kind, canonical), Some(identifier.clone()));
            let parsed = Identifier::from_parts(kind, written).unwrap();
            assert_eq!(parsed.as_written(), written);
        }
        assert_eq!(
            samples().map(|(_, kind, ..)| kind),
            IdentifierKind::ALL.map(IdentifierKind::as_str)
        );
        assert_eq!(Identifier::from_parts("other", "705123"), None);
    }

    #[test]
    fn codes_are_sent_to_phone_numbers_and_addresses_only() {
        let receive = samples().map(|(identifier, ..)| identifier.receives_codes());
        assert_eq!(receive, [true, true, false, false]);
    }
}
