//! The port that creates accounts.

use super::PortError;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Nonce};
use crate::domain::device::NewDevice;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::OutboxEntry;
use crate::domain::session::NewSession;
use crate::domain::user::NewUser;
use crate::domain::wallet::Credit;
use async_trait::async_trait;

/// The proof that entitles a caller to an account or a session.
#[derive(Debug)]
pub enum Proof {
    /// The right code of a challenge. The transaction uses it up.
    Code {
        key: ChallengeKey,
        /// The nonce of the code. The code is invalid if a newer one was sent.
        nonce: Nonce,
        /// The handle of the client, for contracts with handles. It is used up with the code.
        handle: Option<ChallengeHandle>,
        /// The budget of wrong guesses of the source; it must not be spent.
        guesses: Option<Budget>,
    },
    /// No proof, at a sign-up by e-mail and password.
    Nothing {
        /// The budget of the source; one use is taken.
        budget: Option<Budget>,
    },
}

/// An account to be created.
#[derive(Debug)]
pub struct Registration {
    pub proof: Proof,
    pub user: NewUser,
    /// The device of the sign-up, for contracts with devices.
    pub device: Option<NewDevice>,
    /// The first session, for contracts with stored sessions.
    pub session: Option<NewSession>,
    /// The first credit in the wallet, for contracts with wallets.
    pub credit: Option<Credit>,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`Registrations::register`]. If several conditions failed, the first one in this
/// order is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// The account was created.
    Registered,
    /// The code was used, was replaced or has expired. Nothing was written.
    ChallengeLost,
    /// The budget of the source is spent. Nothing was written.
    BudgetSpent,
    /// These identifiers belong to other users. Nothing was written, and the code is still valid.
    Taken(Vec<Identifier>),
}

/// The creation of accounts.
#[async_trait]
pub trait Registrations: Send + Sync {
    /// Uses up the proof and writes identifiers, user, device, session, credit and effects, all or
    /// nothing, in one round trip. If the reply is lost, the repeated request returns the same
    /// outcome.
    async fn register(&self, registration: &Registration) -> Result<RegisterOutcome, PortError>;
}
