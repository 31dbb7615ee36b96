//! Checks a code: counts the guess, then compares the code.

use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, GuessLimits, Nonce};
use crate::domain::code::{CodeFormat, CodeSeed};
use crate::domain::id::UserId;
use crate::domain::realm::Realm;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::PendingSignUp;
use crate::ports::{
    Budgets, Challenges, CodeKeys, CodeRefusal, HeldCode, MetricEvent, PortError, TakeOutcome,
    Users, record_metric,
};
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;

/// Checks codes. A right code is used up later, in the transaction that it entitles the caller to.
pub struct CheckCode {
    pub challenges: Arc<dyn Challenges>,
    /// The budgets of wrong guesses.
    pub budgets: Arc<dyn Budgets>,
    pub code_keys: Arc<dyn CodeKeys>,
    /// The limits of guesses.
    pub limits: GuessLimits,
    /// The format of the contract's codes.
    pub format: CodeFormat,
    /// The realm. A handle of another realm is treated as unknown.
    pub realm: Realm,
}

/// A guess at a code.
pub struct Guess<'a> {
    /// The code that the caller sent.
    pub code: &'a str,
    pub source: &'a SourceAddress,
}

/// A right code.
#[derive(Debug)]
pub struct CheckedCode {
    pub key: ChallengeKey,
    /// The nonce that the code was derived from.
    pub nonce: Nonce,
    /// The user to be verified, if the code was found through a handle.
    pub holder: Option<UserId>,
    /// The sign-up that waited for the code.
    pub pending: Option<PendingSignUp>,
    /// The budget of wrong guesses of the source. The transaction that uses the code up requires
    /// that the budget is not spent, so that a source with too many guesses does not succeed with
    /// the last one.
    pub guesses: Option<Budget>,
}

impl CheckedCode {
    /// Returns the time at which the source may guess again if its budget is spent.
    pub(super) fn retry_at(&self, now: Timestamp) -> Timestamp {
        self.guesses.as_ref().map_or(now, |budget| budget.ends_at)
    }
}

/// The reason for the refusal of a code.
#[derive(Debug, thiserror::Error)]
pub enum CheckCodeError {
    /// There is no valid code: it was used, was replaced, has expired or had too many guesses. A
    /// contract may distinguish this from a wrong code only if the caller has a handle.
    #[error("there is no valid code")]
    NoCode,
    #[error("the code is wrong")]
    Wrong,
    #[error("the source made too many wrong guesses")]
    TooMany { retry_after: Duration },
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl CheckCode {
    /// Checks the code of a challenge: counts the guess and compares the code. A wrong guess is
    /// also counted in the budget of the source. A guess at a challenge that does not exist causes
    /// the same work as a wrong guess.
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

    /// Checks the code of a handle. If the last guess is wrong, the code of the recipient becomes
    /// invalid too.
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

    /// Checks the code of a challenge and finds the user of its recipient, in one round trip.
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
            // Both conditions are evaluated, so that a code that was not sent takes the same time
            // as one that was.
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
            && self.budgets.take(&budget).await? == TakeOutcome::Spent
        {
            refusal = CheckCodeError::TooMany { retry_after: budget.ends_at.since(now) };
        }
        let cause = match refusal {
            CheckCodeError::Wrong => CodeRefusal::Wrong,
            CheckCodeError::TooMany { .. } => CodeRefusal::TooMany,
            CheckCodeError::NoCode | CheckCodeError::Internal(_) => CodeRefusal::NoCode,
        };
        record_metric(Some(self.realm.contract()), MetricEvent::CodeRefused(cause));
        Err(refusal)
    }
}
