//! Checks a code: counts the guess, then compares the code.

use super::Failure;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, GuessLimits, Purpose};
use crate::domain::code::CodeFormat;
use crate::domain::id::UserId;
use crate::domain::proof::{LiveCode, ProvenCode};
use crate::domain::realm::Realm;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{
    Budgets, Challenges, CodeKeys, CodeRefusal, MetricEvent, TakeOutcome, Users, record_metric,
};
use futures_util::future::join;
use std::sync::Arc;

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

/// The reason for the refusal of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefused {
    /// There is no valid code: it was used, was replaced, has expired or had too many guesses. A
    /// contract may distinguish this from a wrong code only if the caller has a handle.
    #[error("there is no valid code")]
    NoCode,
    #[error("the code is wrong")]
    Wrong,
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
    ) -> Result<ProvenCode, Failure<CodeRefused>> {
        let live = self.challenges.count_guess(&key, self.limits.per_code, now).await?;
        self.compare(live, guess, now).await
    }

    /// Checks the code of a handle. A handle of another realm or purpose is treated as unknown. If
    /// the last guess is wrong, the code of the recipient becomes invalid too.
    pub async fn of_handle(
        &self,
        handle: ChallengeHandle,
        purpose: Purpose,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<ProvenCode, Failure<CodeRefused>> {
        let held = self.challenges.count_held_guess(handle, self.limits.per_code, now).await?;
        let held = held.filter(|held| {
            let key = &held.seed.key;
            key.realm == self.realm && key.purpose == purpose
        });
        self.compare(held, guess, now).await
    }

    /// Checks the code of a challenge and finds the user of its recipient, in one round trip.
    pub(super) async fn of_account(
        &self,
        users: &dyn Users,
        key: ChallengeKey,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<(ProvenCode, Option<UserId>), Failure<CodeRefused>> {
        let (realm, recipient) = (key.realm.clone(), key.recipient.clone());
        let (checked, user) =
            join(self.of_recipient(key, guess, now), users.known_by(&realm, &recipient, now)).await;
        Ok((checked?, user?))
    }

    async fn compare(
        &self,
        live: Option<LiveCode>,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<ProvenCode, Failure<CodeRefused>> {
        let guesses = Budget::wrong_guesses(guess.source, self.limits.per_source_hour, now);
        let mut refused = CodeRefused::NoCode;
        if let Some(live) = live {
            let right = self.code_keys.derive(&live.seed, self.format).await?;
            let (seed, last_guess) = (live.seed.clone(), live.last_guess);
            if let Some(code) = live.prove(&right, guess.code, guesses.clone()) {
                return Ok(code);
            }
            if last_guess {
                self.challenges.close(&seed.key, &seed.nonce).await?;
            }
            refused = CodeRefused::Wrong;
        }
        let spent = match &guesses {
            Some(budget) if self.budgets.take(budget).await? == TakeOutcome::Spent => Some(budget),
            _ => None,
        };
        let cause = match (spent, refused) {
            (Some(_), _) => CodeRefusal::TooMany,
            (None, CodeRefused::Wrong) => CodeRefusal::Wrong,
            (None, CodeRefused::NoCode) => CodeRefusal::NoCode,
        };
        record_metric(Some(self.realm.contract()), MetricEvent::CodeRefused(cause));
        Err(spent
            .map_or(Failure::Refused(refused), |budget| Failure::too_many(budget.ends_at, now)))
    }
}
