//! Check a code that somebody typed: count, then compare.

use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, GuessLimits, Nonce};
use crate::domain::code::{CodeFormat, CodeSeed};
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{Budgets, Challenges, CodeKeys, PortError};
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
}

/// A code that somebody typed.
pub struct Guess<'a> {
    /// The challenge it is meant for.
    pub key: &'a ChallengeKey,
    /// What was typed.
    pub code: &'a str,
    /// Where the request came from.
    pub source: &'a SourceAddress,
}

/// The right code was typed.
#[derive(Debug)]
pub struct CheckedCode {
    /// The nonce it was derived from.
    pub nonce: Nonce,
    /// The source's budget of wrong guesses: the transaction that consumes the code requires that
    /// it is not spent, so that a source which guesses too much does not win by its last guess.
    pub guesses: Option<Budget>,
}

/// Why a code is refused.
#[derive(Debug, thiserror::Error)]
pub enum CheckCodeError {
    /// It is wrong, was replaced or used, has ended, or was guessed at too often: no difference is
    /// told.
    #[error("code refused")]
    Refused,
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
    /// Counts the guess, compares it, and counts it again for the source when it is wrong. A guess
    /// at a challenge that does not exist costs the same as a wrong one.
    ///
    /// # Errors
    /// [`CheckCodeError`].
    pub async fn run(
        &self,
        guess: Guess<'_>,
        now: Timestamp,
    ) -> Result<CheckedCode, CheckCodeError> {
        let guesses = Budget::wrong_guesses(guess.source, self.limits.per_address_hour, now);
        if let Some(nonce) = self.right(&guess, now).await? {
            return Ok(CheckedCode { nonce, guesses });
        }
        match guesses {
            Some(budget) if !self.budgets.take(&budget).await? => {
                Err(CheckCodeError::TooMany { retry_after: budget.ends_at.since(now) })
            }
            _ => Err(CheckCodeError::Refused),
        }
    }

    /// The nonce of the challenge's code, if the guess is that code.
    async fn right(&self, guess: &Guess<'_>, now: Timestamp) -> Result<Option<Nonce>, PortError> {
        let live = self.challenges.count_guess(guess.key, self.limits.per_code, now).await?;
        let Some(live) = live else { return Ok(None) };
        let seed = CodeSeed { key: guess.key.clone(), nonce: live.nonce, key_id: live.key_id };
        let code = self.code_keys.derive(&seed, self.format).await?;
        Ok(code.filter(|code| code.matches(guess.code)).map(|_| seed.nonce))
    }
}
