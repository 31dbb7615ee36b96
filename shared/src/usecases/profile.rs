//! What the use cases need to know of a contract.

use super::user_line::{LineProblem, UserLine};
use crate::domain::code::CodeFormat;
use crate::domain::id::IdFormat;
use crate::domain::identifier::IdentifierKind;
use crate::domain::realm::Realm;
use crate::ports::EventMapper;
use std::sync::Arc;

/// The constants of one contract. Everything that an environment variable can change is elsewhere.
pub struct Profile {
    /// The contract's name: the first part of its functions' names, of its realm and of its
    /// variables.
    pub name: &'static str,
    /// The digits and the range of its one-time codes.
    pub code_format: CodeFormat,
    /// Writes the handle that a client holds to a challenge, from random bytes. `None` for a
    /// contract whose clients name the recipient again.
    pub handle: Option<fn(&[u8; 16]) -> String>,
    /// The user attributes that its access tokens state.
    pub token_claims: &'static [&'static str],
    /// Maps facts to its events.
    pub events: fn() -> Arc<dyn EventMapper>,
    /// Reads the answer of the old system that users move in from.
    pub moved_in: fn(&Realm, &[u8]) -> Result<UserLine, LineProblem>,
    /// What sends its requests.
    pub callers: Callers,
    /// The kinds of identifiers that its users have.
    pub identifiers: UserIdentifiers,
    /// The ids of its users.
    pub user_ids: IdFormat,
    /// What a session belongs to.
    pub sessions: SessionOwner,
    /// Whether its users have devices, for sessions or for push messages.
    pub has_devices: bool,
    /// The content of a new user's wallet, for a contract with wallets.
    pub wallet: Option<WalletPolicy>,
    /// Which users may sign in.
    pub admission: Admission,
}

/// The kinds of identifiers that the users of a contract have: at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserIdentifiers {
    /// Every user has these.
    pub required: &'static [IdentifierKind],
    /// A user can have these, too. A user has at least one of both.
    pub optional: &'static [IdentifierKind],
}

/// What sends the requests of a contract. It decides which limit a source address has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// A person's app or browser: one address is one person, or a few.
    People,
    /// A shop's server, for all its customers: one address has the limit of a client.
    Servers,
}

/// What a session belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOwner {
    /// A device with an id of this format, stored until the session ends.
    Device(IdFormat),
    /// No device: the session is a signed token, which is valid until it expires or is revoked.
    Token,
}

/// The content of a new wallet.
#[derive(Clone, Copy, Debug)]
pub struct WalletPolicy {
    /// The first digits of the card number.
    pub card_prefix: &'static str,
    /// The number of random digits that follow.
    pub card_digits: u32,
    /// The points of the first credit.
    pub points: u32,
    /// The reason for the first credit.
    pub source: &'static str,
}

/// The users that may sign in with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Every user.
    AllUsers,
    /// Users who sign in by an identifier that is verified, or that cannot be verified while another
    /// one is.
    VerifiedUsers,
}

impl Profile {
    /// The name space of the contract's users.
    #[must_use]
    pub fn realm(&self) -> Realm {
        Realm::of_contract(self.name)
    }
}
