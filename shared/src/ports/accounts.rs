//! The port that makes and uses accounts, in one transaction.

use super::{ChallengeState, NewAnswer, PortError};
use crate::domain::account::Account;
use crate::domain::budget::BudgetUse;
use crate::domain::challenge::{ChallengeHandle, Nonce};
use crate::domain::code::CodeSeed;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::{KnownSources, SourceMarks};
use crate::domain::outbox::OutboxEntry;
use crate::domain::proof::Opener;
use crate::domain::sends::SendRecord;
use crate::domain::session::NewSession;
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, PendingSignUp, User};
use crate::domain::wallet::Credit;
use async_trait::async_trait;

/// Everything that one request writes, all or nothing. Each part is optional.
#[derive(Debug)]
pub struct Entry {
    /// The account to make or to use, and the code to use up. A code proves its recipient; the
    /// first proof of an account can end what was set up before
    /// ([`IdentifierProof`](crate::domain::account::IdentifierProof)).
    pub account: Account,
    /// The budgets that the request counts in, each once.
    pub budgets: Vec<BudgetUse>,
    /// The challenges to open.
    pub challenges: Vec<NewChallenge>,
    /// The session to open, of the user of the account.
    pub session: Option<NewSession>,
    /// The devices of the account whose sessions end, and whose push tokens are removed with them.
    pub silenced: Vec<DeviceId>,
    /// The credit in the wallet of the account.
    pub credit: Option<Credit>,
    /// The unverified identifiers to keep for longer, of the account that is used or, without one, of
    /// any account.
    pub kept: Option<KeptLonger>,
    /// The sources that the account knows from now on; `None` leaves them as they are.
    pub known_sources: Option<KnownSources>,
    /// The time of the request.
    pub at: Timestamp,
    /// The effects to deliver.
    pub effects: Option<OutboxEntry>,
    /// The answer to keep.
    pub answer: Option<NewAnswer>,
}

impl Entry {
    /// Returns an entry with an account and no other part.
    #[must_use]
    pub const fn of(account: Account, at: Timestamp) -> Self {
        Self {
            account,
            budgets: Vec::new(),
            challenges: Vec::new(),
            session: None,
            silenced: Vec::new(),
            credit: None,
            kept: None,
            known_sources: None,
            at,
            effects: None,
            answer: None,
        }
    }
}

/// Unverified identifiers to be kept for longer, and their user with them if it is unverified.
#[derive(Debug)]
pub struct KeptLonger {
    /// The user, as it was read.
    pub user: User,
    pub identifiers: Vec<Identifier>,
    pub until: Timestamp,
}

impl KeptLonger {
    /// Returns what is to be kept so that messages to these identifiers work until their ends;
    /// `None` if everything is kept for so long anyway.
    #[must_use]
    pub fn for_messages<'a>(
        user: &User,
        messages: impl IntoIterator<Item = (&'a Identifier, Timestamp)>,
    ) -> Option<Self> {
        let short = messages.into_iter().filter(|(recipient, end)| {
            let known = user.identifiers.find(recipient);
            known.and_then(KnownBy::reserved_until).is_some_and(|reserved| reserved < *end)
        });
        let (identifiers, ends): (Vec<_>, Vec<_>) =
            short.map(|(recipient, end)| (recipient.clone(), end)).unzip();
        let until = ends.into_iter().max()?;
        Some(Self { user: user.clone(), identifiers, until })
    }
}

/// A challenge to be opened. It makes the code before it invalid.
#[derive(Debug)]
pub struct NewChallenge {
    /// The challenge, and what its code or link is derived from.
    pub seed: CodeSeed,
    /// The time at which the code or link expires.
    pub expires_at: Timestamp,
    /// Whether the code or link is sent. One that is not sent is never accepted.
    pub sent: bool,
    pub opener: Opener,
    /// The marks of the source that asks for the code.
    pub opened_by: SourceMarks,
    /// Whether the send was counted in budgets that a use of the code gives back.
    pub is_counted: bool,
    /// The send record to write.
    pub sends: SendRecord,
    /// The revision that the stored record must have. `None` when the recipient has no limits; then
    /// the record may be overwritten.
    pub expected_revision: Option<u64>,
    /// The handle for the client. Any other handle of the challenge becomes useless.
    pub handle: Option<NewHandle>,
    /// The SHA-256 of the handles before, which are remembered with the new one.
    pub handles_before: Vec<Vec<u8>>,
}

/// A handle to be given to a client.
#[derive(Debug)]
pub struct NewHandle {
    pub handle: ChallengeHandle,
    /// The user to be verified. `None` for a decoy, whose item is padded to the same size.
    pub holder: Option<UserId>,
    /// The sign-up that waits for the code. The challenge is not opened while an earlier sign-up
    /// waits, except the one that this handle names already.
    pub pending: Option<PendingSignUp>,
    /// The nonce of the code before, if the client keeps its handle. The challenge is opened only
    /// while it and the handle have that nonce.
    pub follows: Option<Nonce>,
}

/// The outcome of [`Accounts::commit`]. If several conditions failed, the first one in this order
/// is reported. Unless the entry is committed, nothing was written.
#[derive(Clone, Debug)]
pub enum EntryOutcome {
    Committed,
    /// The code was used, was replaced or has expired.
    CodeLost,
    /// The budget with this index is spent.
    BudgetSpent(usize),
    /// These identifiers belong to other users. The code is still valid.
    Taken(Vec<Identifier>),
    /// The account does not exist any more, has another password, or must be read again: an
    /// identifier of it was verified in the meantime, or its sessions should end and another one
    /// was opened. The code is still valid.
    AccountChanged,
    /// Other requests opened challenges with these recipients. Contains their states now.
    ChallengesChanged(Vec<(Identifier, ChallengeState)>),
}

/// The accounts.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Writes an entry in one round trip. If the reply is lost, the repeated request returns the
    /// same outcome.
    async fn commit(&self, entry: &Entry) -> Result<EntryOutcome, PortError>;
}
