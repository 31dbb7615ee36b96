//! Checks a code: judges the source, counts the guess, then compares the code.

use super::Failure;
use super::gate::{Gate, Judgement, target};
use crate::domain::budget::Budget;
use crate::domain::challenge::{
    ChallengeHandle, ChallengeKey, GuessLimits, Guesser, Lane, Purpose,
};
use crate::domain::code::CodeFormat;
use crate::domain::proof::{LiveCode, ProvenCode};
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, CodeKeys, CodeRefusal, Holder, MetricEvent, StandingQuery, record_metric,
    trace_identifier,
};
use futures_util::future::join;
use std::sync::Arc;

/// Checks codes. A right code is used up later, in the transaction that it entitles the caller to.
pub struct CheckCode {
    pub gate: Gate,
    pub challenges: Arc<dyn Challenges>,
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
    pub source: &'a Source,
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

/// How a source may guess.
struct Judged<'a> {
    /// The budgets of the source.
    own: &'a [Budget],
    /// The end of the source's budget, if it is spent.
    spent_until: Option<Timestamp>,
    /// A shard of the wrong codes of all sources.
    everybody: Option<Budget>,
    /// Whether the contract is under attack.
    attacked: bool,
    now: Timestamp,
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
        Ok(self.of_account(key, guess, now).await?.0)
    }

    /// Checks the code of a challenge, and returns the user of its recipient.
    ///
    /// A source that the account knows guesses at the code that such a source asked for, if there is
    /// one; else at the code that anybody asked for. Others do it the other way round.
    pub(super) async fn of_account(
        &self,
        key: ChallengeKey,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<(ProvenCode, Option<Holder>), Failure<CodeRefused>> {
        let own = self.gate.guesses(guess.source, now);
        let name = target(&key.realm, &key.recipient);
        let lanes = [key.in_lane(Lane::Strangers), key.in_lane(Lane::Known)];
        let query = StandingQuery {
            identifiers: vec![(&key.realm, &key.recipient)],
            challenges: lanes.iter().collect(),
            ..StandingQuery::default()
        };
        let (judgement, judged) = self.judge(&own, query, &name, now).await?;
        let holder = judgement.standing.holders.into_iter().next().flatten();
        let is_known = holder.as_ref().is_some_and(|holder| holder.knows(guess.source, now));
        let mut lanes: Vec<_> = lanes.iter().zip(judgement.standing.challenges).collect();
        if is_known {
            lanes.reverse();
        }
        let live = lanes.iter().position(|(_, state)| state.is_live).unwrap_or_default();
        let Some((key, state)) = lanes.into_iter().nth(live) else {
            return Err(Failure::Refused(CodeRefused::NoCode));
        };
        let asked = state.is_live && state.was_opened_by(key, guess.source);
        let is_linked = is_known || asked;
        let guesser = if is_linked { Guesser::Linked } else { Guesser::Stranger };
        let most = self.admit(guesser, &judged, &name)?;
        let live = self.challenges.count_guess(key, guesser, most, now).await?;
        Ok((self.compare(live, guess, &judged).await?, holder))
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
        let own = self.gate.guesses(guess.source, now);
        let query = StandingQuery { handle: Some(&handle), ..StandingQuery::default() };
        let (judgement, judged) = self.judge(&own, query, handle.expose(), now).await?;
        let held = judgement.standing.held;
        if let Some((key, _)) = &held {
            trace_identifier(&key.recipient);
        }
        let is_linked = held.is_some_and(|(key, state)| state.was_opened_by(&key, guess.source));
        let guesser = if is_linked || judged.spent_until.is_none() {
            Guesser::Linked
        } else {
            Guesser::Stranger
        };
        let most = self.admit(guesser, &judged, handle.expose())?;
        let held = self.challenges.count_held_guess(handle, most, now).await?;
        let held = held.filter(|held| {
            let key = &held.seed.key;
            key.realm == self.realm && key.purpose == purpose
        });
        self.compare(held, guess, &judged).await
    }

    /// Judges the source, and whether the contract is under attack, with the first read.
    async fn judge<'a>(
        &self,
        own: &'a [Budget],
        query: StandingQuery<'_>,
        target: &str,
        now: Timestamp,
    ) -> Result<(Judgement, Judged<'a>), Failure<CodeRefused>> {
        let everybody = self.gate.wrong_codes(now)?;
        let remembered = everybody.as_ref().is_some_and(|shard| self.gate.remembers(shard, now));
        let shard = everybody.clone().filter(|_| !remembered);
        let mut query = query;
        query.budgets.extend(&shard);
        let Judgement { standing, spent_until } = self.gate.judge(own, query, target, now).await?;
        let read = shard.as_ref().zip(standing.used.first());
        let read = read.is_some_and(|(shard, used)| shard.is_spent(*used));
        if read && let Some(shard) = &shard {
            self.gate.remember(shard, now);
        }
        let attacked = remembered || read;
        let judged = Judged { own, spent_until, everybody, attacked, now };
        Ok((Judgement { standing, spent_until }, judged))
    }

    /// Returns the number of guesses that the code allows to this guesser. A source whose budget is
    /// spent has one guess, at a code that is linked to it.
    fn admit(
        &self,
        guesser: Guesser,
        judged: &Judged<'_>,
        target: &str,
    ) -> Result<u32, Failure<CodeRefused>> {
        let most = self.limits.per_code(guesser, judged.attacked);
        match (judged.spent_until, guesser) {
            (None, _) => Ok(most),
            (Some(_), Guesser::Linked) => Ok(1),
            (Some(end), Guesser::Stranger) => {
                self.record(CodeRefusal::TooMany);
                Err(self.gate.refuse(judged.own, target, end, judged.now))
            }
        }
    }

    async fn compare(
        &self,
        live: Option<LiveCode>,
        guess: &Guess<'_>,
        judged: &Judged<'_>,
    ) -> Result<ProvenCode, Failure<CodeRefused>> {
        let mut refused = CodeRefused::NoCode;
        if let Some(live) = live {
            let right = self.code_keys.derive(&live.seed, self.format).await?;
            let (seed, last_guess) = (live.seed.clone(), live.last_guess);
            if let Some(code) = live.prove(&right, guess.code) {
                return Ok(code);
            }
            if last_guess && judged.spent_until.is_none() {
                self.challenges.close(&seed.key, &seed.nonce).await?;
            }
            refused = CodeRefused::Wrong;
        }
        record_metric(Some(self.realm.contract()), MetricEvent::WrongGuess);
        // A source whose budget is spent learns nothing about the code.
        if let Some(end) = judged.spent_until {
            self.record(CodeRefusal::TooMany);
            return Err(Failure::too_many(end, judged.now));
        }
        let everybody = self.gate.count(judged.everybody.as_ref());
        let own = self.gate.refuse_at_cost(refused, judged.own, judged.now);
        let (counted, failure) = join(everybody, own).await;
        counted?;
        self.record(match (&failure, refused) {
            (Failure::Refused(_), CodeRefused::Wrong) => CodeRefusal::Wrong,
            (Failure::Refused(_), CodeRefused::NoCode) => CodeRefusal::NoCode,
            _ => CodeRefusal::TooMany,
        });
        Err(failure)
    }

    fn record(&self, cause: CodeRefusal) {
        record_metric(Some(self.realm.contract()), MetricEvent::CodeRefused(cause));
    }
}
