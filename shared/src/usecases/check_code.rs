//! Check a code that somebody typed: count, then compare.

use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, GuessLimits, Nonce};
use crate::domain::code::{CodeFormat, CodeSeed};
use crate::domain::id::UserId;
use crate::domain::realm::Realm;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::PendingSignUp;
use crate::ports::{
    Budgets, Challenges, CodeKeys, CodeRefused, HeldCode, MetricEvent, PortError, Users, count,
};
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;

/// Checks codes. Consuming a right one is part of the transaction it entitles to.
pub struct CheckCode {
    /// Where challenges live.
    pub challenges: Arc<dyn Challenges>,
    /// Where wrong guesses are counted.
    pub budgets: Arc<dyn Budgets>,
    /// The keys that codes are derived with.
    pub code_keys: Arc<dyn CodeKeys>,
    /// How many guesses there are.
    pub limits: GuessLimits,
    /// What codes look like.
    pub format: CodeFormat,
    /// The name space: a handle of another one is none.
    pub realm: Realm,
}

/// A code that somebody typed.
pub struct Guess<'a> {
    /// What was typed.
    pub code: &'a str,
    /// Where the request came from.
    pub source: &'a SourceAddress,
}

/// The right code was typed.
#[derive(Debug)]
pub struct CheckedCode {
    /// The challenge it belongs to.
    pub key: ChallengeKey,
    /// The nonce it was derived from.
    pub nonce: Nonce,
    /// Who verifies with it, where a handle says so.
    pub holder: Option<UserId>,
    /// The sign-up that waited for it.
    pub pending: Option<PendingSignUp>,
    /// The source's budget of wrong guesses: the transaction that consumes the code requires that
    /// it is not spent, so that a source which guesses too much does not win by its last guess.
    pub guesses: Option<Budget>,
}

impl CheckedCode {
    /// When the source may guess again, should its budget turn out to be spent.
    pub(super) fn retry_at(&self, now: Timestamp) -> Timestamp {
        self.guesses.as_ref().map_or(now, |budget| budget.ends_at)
    }
}

/// Why a code is refused.
#[derive(Debug, thiserror::Error)]
pub enum CheckCodeError {
    /// There is no code to compare it with: it was used or replaced, has ended, or was guessed at
    /// too often. A contract may tell this from a wrong code only where the caller holds a handle.
    #[error("no such code")]
    NoCode,
    /// It is wrong.
    #[error("wrong code")]
    Wrong,
    /// The source guessed wrong too often.
    #[error("too many guesses")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl CheckCode {
    /// Checks the code of a challenge: counts the guess, compares it, and counts it again for the
    /// source when it is wrong. A guess at a challenge that does not exist costs the same as a
    /// wrong one.
    ///
    /// # Errors
    /// [`CheckCodeError`].
    pub async fn of_recipient(
        &self,
        key: ChallengeKey,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<CheckedCode, CheckCodeError> {
        let live = self.challenges.count_guess(&key, self.limits.per_code, now).await?;
        let held =
            live.map(|code| HeldCode { key, code, holder: None, pending: None, last_guess: false });
        self.compare(held, guess, now).await
    }

    /// The same for the code that a handle stands for. When its last guess is wrong, the recipient
    /// has no code any more.
    ///
    /// # Errors
    /// [`CheckCodeError`].
    pub async fn of_handle(
        &self,
        handle: &ChallengeHandle,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<CheckedCode, CheckCodeError> {
        let held = self.challenges.count_held_guess(handle, self.limits.per_code, now).await?;
        let held = held.filter(|held| held.key.realm == self.realm);
        self.compare(held, guess, now).await
    }

    /// The same as [`CheckCode::of_recipient`], and whose the recipient is, in one round trip.
    ///
    /// # Errors
    /// [`CheckCodeError`].
    pub(super) async fn of_account(
        &self,
        users: &dyn Users,
        key: ChallengeKey,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<(CheckedCode, Option<UserId>), CheckCodeError> {
        let (realm, recipient) = (key.realm.clone(), key.recipient.clone());
        let (checked, user) =
            join(self.of_recipient(key, guess, now), users.known_by(&realm, &recipient, now)).await;
        Ok((checked?, user?))
    }

    async fn compare(
        &self,
        held: Option<HeldCode>,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<CheckedCode, CheckCodeError> {
        let guesses = Budget::wrong_guesses(guess.source, self.limits.per_source_hour, now);
        let mut refusal = CheckCodeError::NoCode;
        if let Some(HeldCode { key, code, holder, pending, last_guess }) = held {
            let seed = CodeSeed { key, nonce: code.nonce, key_id: code.key_id };
            let right = self.code_keys.derive(&seed, self.format).await?;
            // Both are judged, so that a code which was not sent takes as long as one that was.
            if right.matches(guess.code) & code.sent {
                let CodeSeed { key, nonce, .. } = seed;
                return Ok(CheckedCode { key, nonce, holder, pending, guesses });
            }
            if last_guess {
                self.challenges.close(&seed.key, &seed.nonce).await?;
            }
            refusal = CheckCodeError::Wrong;
        }
        if let Some(budget) = guesses
            && !self.budgets.take(&budget).await?
        {
            refusal = CheckCodeError::TooMany { retry_after: budget.ends_at.since(now) };
        }
        let cause = match refusal {
            CheckCodeError::Wrong => CodeRefused::Wrong,
            CheckCodeError::TooMany { .. } => CodeRefused::TooMany,
            CheckCodeError::NoCode | CheckCodeError::Internal(_) => CodeRefused::None,
        };
        count(self.realm.contract(), MetricEvent::CodeRefused(cause));
        Err(refusal)
    }
}
