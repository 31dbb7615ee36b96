//! What happened to a recipient or a user: which codes were asked for, what became of them, which guesses
//! and refusals there were, and which events about the user were published.

use super::challenge::{Lane, Purpose};
use super::id::UserId;
use super::identifier::Identifier;
use super::realm::Realm;
use super::time::Timestamp;
use std::time::Duration;

/// How long an item is kept. The keys of the hashes are kept for longer: `shared/docs/keys.md`.
pub const HISTORY_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// Whom a history is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryOf {
    /// A phone number or an address in a realm, known or not.
    Recipient(Realm, Identifier),
    /// A user. Ids are unique in all realms.
    User(UserId),
}

impl HistoryOf {
    /// The text that the keyed hash is made of. No two have the same one: an identifier is last, and the
    /// parts before it contain no separator.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Recipient(realm, identifier) => format!(
                "recipient|{}|{}|{}|{}",
                realm.contract(),
                realm.shop().unwrap_or_default(),
                identifier.kind().as_str(),
                identifier.as_str()
            ),
            Self::User(user) => format!("user|{}", user.as_str()),
        }
    }
}

/// Why a request for a code sends no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The request is for people without an account, and the recipient has one.
    Registered,
    /// The request is for people with an account, and the recipient has none.
    Unregistered,
    /// The account of the recipient is not verified, and others named the recipient in it.
    Unverified,
    /// The country of the number is not served.
    Country,
    /// The app that asks is not for the recipient.
    App,
    /// The sign-up that waits got no code at its beginning.
    Decoy,
    /// An operator banned the user.
    Banned,
    /// The number is a test number, whose code is fixed.
    TestNumber,
}

impl Withheld {
    pub const ALL: [Self; 8] = [
        Self::Registered,
        Self::Unregistered,
        Self::Unverified,
        Self::Country,
        Self::App,
        Self::Decoy,
        Self::Banned,
        Self::TestNumber,
    ];

    /// The name of the reason in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Unregistered => "unregistered",
            Self::Unverified => "unverified",
            Self::Country => "country",
            Self::App => "app",
            Self::Decoy => "decoy",
            Self::Banned => "banned",
            Self::TestNumber => "test_number",
        }
    }

    /// Returns the reason with this name; the inverse of [`Withheld::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// What became of a message that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageOutcome {
    /// A carrier accepted it. Some carriers give no id.
    Sent { carrier: String, id: Option<String> },
    /// The notice that there is an account was sent instead of the code.
    Notified { carrier: String, id: Option<String> },
    /// A carrier refused the recipient for good, with its error code.
    Refused { carrier: String, words: String },
    /// The recipient is left alone, because carriers reported that it cannot be reached.
    LeftAlone,
    /// Nothing was to be sent. Older versions gave no reason.
    Withheld(Option<Withheld>),
    /// A newer code replaced it, or it was used, before it was sent.
    Replaced,
    /// It ended before a carrier took it.
    Ended,
    /// It has no text.
    Dropped,
    /// A try failed, and others follow. `account` says whether an operator must change the account first.
    Waits { account: bool },
}

/// A code or a link that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageHistory {
    /// `code` or `link`.
    pub kind: MessageKind,
    pub purpose: Purpose,
    pub lane: Lane,
    pub asked_at: Timestamp,
    /// When the outcome was known.
    pub settled_at: Timestamp,
    pub outcome: MessageOutcome,
}

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    Code,
    Link,
}

impl MessageKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Link => "link",
        }
    }

    /// Returns the kind with this name; the inverse of [`MessageKind::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Code, Self::Link].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What is counted by day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A wrong code, or one where none was valid.
    WrongCode,
    /// A wrong password.
    WrongPassword,
    /// A request for a code that a limit of the recipient refused.
    OverRecipientLimit,
    /// A request for a code that a ceiling of the bill, or the guard of the prefix, refused.
    OverBill,
}

impl Counted {
    pub const ALL: [Self; 4] =
        [Self::WrongCode, Self::WrongPassword, Self::OverRecipientLimit, Self::OverBill];

    /// The name in the sort key of the item.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongCode => "guess#code",
            Self::WrongPassword => "guess#password",
            Self::OverRecipientLimit => "refused#recipient",
            Self::OverBill => "refused#bill",
        }
    }

    /// Returns what has this name; the inverse of [`Counted::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|counted| counted.as_str() == name)
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Message(MessageHistory),
    /// Events of one transaction about the user, by their types.
    Events(Vec<String>),
    /// What happened so many times on one day.
    Times(Counted, u64),
}

/// An item of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryItem {
    /// The time of the request; of what is counted, that of the last time.
    pub at: Timestamp,
    /// The id of the transaction. What is counted has none.
    pub transaction: Option<String>,
    pub what: Happening,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for reason in Withheld::ALL {
            assert_eq!(Withheld::from_name(reason.as_str()), Some(reason));
            // The width of the attribute in the outbox.
            assert!(reason.as_str().len() <= 12);
        }
        for counted in Counted::ALL {
            assert_eq!(Counted::from_name(counted.as_str()), Some(counted));
        }
        for kind in [MessageKind::Code, MessageKind::Link] {
            assert_eq!(MessageKind::from_name(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn each_subject_has_a_name_of_its_own() {
        let recipient = |realm: Realm| {
            let phone = Identifier::from_parts("phone", "+85291234567").unwrap();
            HistoryOf::Recipient(realm, phone).name()
        };
        let names = [
            recipient(Realm::of_contract("a")),
            recipient(Realm::of_shop("a", "S")),
            HistoryOf::User(UserId::number(7)).name(),
        ];
        assert_eq!(
            names,
            ["recipient|a||phone|+85291234567", "recipient|a|S|phone|+85291234567", "user|7"]
        );
    }
}
