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

/// What entitles to an account.
#[derive(Debug)]
pub enum Proof {
    /// The code of a challenge was typed; it is consumed.
    Code {
        /// Names the challenge.
        key: ChallengeKey,
        /// The nonce whose code was typed: a newer send makes it worthless.
        nonce: Nonce,
        /// What the client held, where the contract has handles; it is spent with the code.
        handle: Option<ChallengeHandle>,
        /// The source's budget of wrong guesses, which must not be spent.
        guesses: Option<Budget>,
    },
    /// Nothing was proved (sign-up by e-mail and password); the source's budget gives one.
    Nothing {
        /// The budget to take one from.
        budget: Option<Budget>,
    },
}

/// Everything that makes an account.
#[derive(Debug)]
pub struct Registration {
    /// What entitles to it.
    pub proof: Proof,
    /// The user.
    pub user: NewUser,
    /// The device they signed up on, where the contract asks for it.
    pub device: Option<NewDevice>,
    /// Their first session, where one is kept.
    pub session: Option<NewSession>,
    /// What their wallet starts with, where they get one.
    pub credit: Option<Credit>,
    /// The effects.
    pub entry: OutboxEntry,
}

/// What became of a [`Registration`]. If several things stood against it, the first in this order
/// is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The account exists.
    Registered,
    /// The challenge was consumed, replaced or has ended. Nothing was written.
    ChallengeLost,
    /// The source's budget is spent. Nothing was written.
    BudgetSpent,
    /// Somebody is known by these identifiers already: all of those that are taken. Nothing was
    /// written, no code is consumed.
    Taken(Vec<Identifier>),
}

/// Makes accounts.
#[async_trait]
pub trait Registrations: Send + Sync {
    /// Consumes the proof and stores identifiers, user, device, session, credit and effects: all
    /// or nothing, in one round trip. A reply that is lost after the commit is asked for again and
    /// answered as the success it was.
    ///
    /// # Errors
    /// The store did not answer.
    async fn register(&self, registration: &Registration) -> Result<Registered, PortError>;
}
