//! Checks a code: judges the source, counts the guess, then compares the code.

use super::Failure;
use super::gate::{Gate, Judgement, target};
use crate::domain::budget::{Budget, BudgetUse};
use crate::domain::challenge::{
    ChallengeHandle, ChallengeKey, GuessLimits, Guesser, Lane, Purpose,
};
use crate::domain::code::CodeFormat;
use crate::domain::history::{Counted, HistoryOf};
use crate::domain::known_sources::fingerprint;
use crate::domain::proof::{LiveCode, ProvenCode};
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::test_numbers::{TestNumber, TestNumbers};
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, CodeKeys, CodeRefusal, Holder, MetricEvent, PortError, Standing, StandingQuery,
    record_metric, trace_identifier,
};
use futures_util::future::{join, join3};
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
    /// The numbers whose codes are fixed.
    pub test_numbers: TestNumbers,
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

/// A right code, and what is known with it.
pub(super) struct CheckedCode {
    pub(super) code: ProvenCode,
    /// The user of the recipient, if the code was found by its recipient.
    pub(super) holder: Option<Holder>,
    /// What the transaction that uses the code gives back: the guess that was taken from the source.
    pub(super) uses: Vec<BudgetUse>,
}

/// How a source may guess.
struct Judged<'a> {
    /// The name of the source and its target.
    target: &'a str,
    /// The budgets of the source.
    own: &'a [Budget],
    /// The end of the source's budget, if it is spent.
    spent_until: Option<Timestamp>,
    /// A shard of the wrong codes of all sources.
    everybody: Option<Budget>,
    /// Whether the contract is under attack.
    attacked: bool,
    /// The history that a wrong code is counted in: that of the recipient, if it is known.
    history: Option<HistoryOf>,
    now: Timestamp,
}

/// A challenge with a valid code, and who guesses at it.
struct Candidate {
    key: ChallengeKey,
    guesser: Guesser,
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
        Ok(self.of_account(key, guess, now).await?.code)
    }

    /// Checks the code of a challenge, and finds the user of its recipient.
    ///
    /// The recipient can have several valid codes, in different lanes. The guess is compared with
    /// the one that the source asked for, then with that of its own lane, then with the others.
    pub(super) async fn of_account(
        &self,
        key: ChallengeKey,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<CheckedCode, Failure<CodeRefused>> {
        let own = self.gate.guesses(guess.source, now);
        let name = target(guess.source, &key.realm, &key.recipient);
        let lanes = [Lane::Strangers, Lane::Network, Lane::Device].map(|lane| key.in_lane(lane));
        let query = StandingQuery {
            identifiers: vec![(&key.realm, &key.recipient)],
            challenges: lanes.iter().collect(),
            ..StandingQuery::default()
        };
        let (standing, mut judged) = self.judge(&own, query, &name, now).await?;
        judged.history = Some(HistoryOf::Recipient(key.realm.clone(), key.recipient.clone()));
        let holder = standing.holders.into_iter().next().flatten();
        let lane = Holder::lane_of(holder.as_ref(), guess.source, now);
        let challenges = lanes.into_iter().zip(standing.challenges);
        let mut candidates: Vec<_> = challenges
            .filter(|(_, state)| state.is_live)
            .map(|(key, state)| {
                let asked = state.was_opened_by(&key, guess.source);
                let is_linked = asked || lane == Some(key.lane);
                let guesser = if is_linked { Guesser::Linked } else { Guesser::Stranger };
                (!asked, !is_linked, Candidate { key, guesser })
            })
            .collect();
        candidates.sort_by_key(|(other, stranger, _)| (*other, *stranger));
        let mut candidates: Vec<_> =
            candidates.into_iter().map(|(_, _, candidate)| candidate).collect();
        // A client is linked to all customers of its shop.
        let is_customer = guess.source.is_client() && holder.is_some();
        let is_linked =
            is_customer || candidates.iter().any(|candidate| candidate.guesser == Guesser::Linked);
        if candidates.is_empty() {
            // The same work as for a wrong guess.
            candidates.push(Candidate { key, guesser: Guesser::Stranger });
        }
        self.admit(is_linked, &judged)?;
        let (code, uses) = self.try_candidates(candidates, guess, is_linked, &judged).await?;
        Ok(CheckedCode { code, holder, uses })
    }

    /// Compares the guess with the code of each candidate, until it is right.
    async fn try_candidates(
        &self,
        candidates: Vec<Candidate>,
        guess: &Guess<'_>,
        is_linked: bool,
        judged: &Judged<'_>,
    ) -> Result<(ProvenCode, Vec<BudgetUse>), Failure<CodeRefused>> {
        let mut taken = false;
        let mut refused = CodeRefused::NoCode;
        for Candidate { key, guesser } in candidates {
            if judged.spent_until.is_some() && is_linked && guesser == Guesser::Stranger {
                continue;
            }
            let most = self.most(guesser, judged);
            let count = self.challenges.count_guess(&key, guesser, most, judged.now);
            let take = async {
                if taken { Ok(None) } else { self.gate.take_guess(judged.own, is_linked).await }
            };
            let (live, spent) = join(count, take).await;
            let (live, spent) = (live?, spent?);
            taken = true;
            if let Some(end) = spent {
                self.record(CodeRefusal::TooMany);
                return Err(self.gate.refuse(judged.own, judged.target, end, judged.now));
            }
            match self.compare(live, guess, judged).await? {
                Ok(code) => return Ok((code, Gate::right_guess(judged.own))),
                Err(CodeRefused::Wrong) => refused = CodeRefused::Wrong,
                Err(CodeRefused::NoCode) => {}
            }
        }
        Err(self.wrong(refused, judged).await)
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
        Ok(self.of_held(handle, purpose, guess, now).await?.code)
    }

    /// Checks the code of a handle, like [`CheckCode::of_handle`].
    pub(super) async fn of_held(
        &self,
        handle: ChallengeHandle,
        purpose: Purpose,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<CheckedCode, Failure<CodeRefused>> {
        let own = self.gate.guesses(guess.source, now);
        let name = fingerprint(handle.expose());
        let query = StandingQuery { handle: Some(&handle), ..StandingQuery::default() };
        let (standing, mut judged) = self.judge(&own, query, &name, now).await?;
        let held = standing.held;
        if let Some((key, _)) = &held {
            trace_identifier(&key.recipient);
            judged.history = Some(HistoryOf::Recipient(key.realm.clone(), key.recipient.clone()));
        }
        let is_linked = held.is_some_and(|(key, state)| state.was_opened_by(&key, guess.source));
        self.admit(is_linked, &judged)?;
        let most = self.most(Guesser::Linked, &judged);
        let count = self.challenges.count_held_guess(handle, most, now);
        let (held, spent) = join(count, self.gate.take_guess(&own, is_linked)).await;
        let (held, spent) = (held?, spent?);
        if let Some(end) = spent {
            self.record(CodeRefusal::TooMany);
            return Err(self.gate.refuse(&own, &name, end, now));
        }
        let held = held.filter(|held| {
            let key = &held.seed.key;
            key.realm == self.realm && key.purpose == purpose
        });
        match self.compare(held, guess, &judged).await? {
            Ok(code) => Ok(CheckedCode { code, holder: None, uses: Gate::right_guess(&own) }),
            Err(refused) => Err(self.wrong(refused, &judged).await),
        }
    }

    /// Judges the source, and whether the contract is under attack, with the first read.
    async fn judge<'a>(
        &self,
        own: &'a [Budget],
        query: StandingQuery<'_>,
        target: &'a str,
        now: Timestamp,
    ) -> Result<(Standing, Judged<'a>), Failure<CodeRefused>> {
        let everybody = self.gate.wrong_codes(now)?;
        let remembered = everybody.as_ref().is_some_and(|shard| self.gate.remembers(shard, now));
        let shard = everybody.clone().filter(|_| !remembered);
        let mut query = query;
        query.budgets.extend(&shard);
        let Judgement { standing, spent_until, .. } =
            self.gate.judge(own, query, target, now).await?;
        let read = shard.as_ref().zip(standing.used.first());
        let read = read.is_some_and(|(shard, used)| shard.is_spent(*used));
        if read && let Some(shard) = &shard {
            self.gate.remember(shard, now);
        }
        let attacked = remembered || read;
        let history = None;
        Ok((standing, Judged { target, own, spent_until, everybody, attacked, history, now }))
    }

    /// Refuses a source whose budget is spent, unless the target is linked to it.
    fn admit(&self, is_linked: bool, judged: &Judged<'_>) -> Result<(), Failure<CodeRefused>> {
        match judged.spent_until {
            Some(end) if !is_linked => {
                self.record(CodeRefusal::TooMany);
                Err(self.gate.refuse(judged.own, judged.target, end, judged.now))
            }
            _ => Ok(()),
        }
    }

    /// Returns the number of guesses that a code allows. A source whose budget is spent has only the
    /// first one.
    fn most(&self, guesser: Guesser, judged: &Judged<'_>) -> u32 {
        match judged.spent_until {
            None => self.limits.per_code(guesser, judged.attacked),
            Some(_) => 1,
        }
    }

    /// Compares the guess with a code.
    async fn compare(
        &self,
        live: Option<LiveCode>,
        guess: &Guess<'_>,
        judged: &Judged<'_>,
    ) -> Result<Result<ProvenCode, CodeRefused>, PortError> {
        let Some(live) = live else { return Ok(Err(CodeRefused::NoCode)) };
        let derived = self.code_keys.derive(&live.seed, self.format).await?;
        let (seed, last_guess) = (live.seed.clone(), live.last_guess);
        let test_number = self.test_numbers.of(&seed.key, judged.now);
        let right = test_number.map_or(derived, TestNumber::fixed_code);
        if let Some(code) = live.prove(&right, guess.code) {
            if test_number.is_some() {
                record_metric(Some(self.realm.contract()), MetricEvent::TestCodeAccepted);
            }
            return Ok(Ok(code));
        }
        if last_guess && judged.spent_until.is_none() {
            self.challenges.close(&seed.key, &seed.nonce).await?;
        }
        Ok(Err(CodeRefused::Wrong))
    }

    /// Counts a wrong guess that was taken from the source already, and returns the refusal. A source
    /// whose budget is spent learns nothing about the code.
    async fn wrong(&self, refused: CodeRefused, judged: &Judged<'_>) -> Failure<CodeRefused> {
        record_metric(Some(self.realm.contract()), MetricEvent::WrongGuess);
        let everybody = self.gate.count(judged.everybody.as_ref());
        let history = async {
            if let Some(of) = &judged.history {
                self.gate.guessed(of, Counted::WrongCode, judged.now).await;
            }
        };
        let own = self.gate.count_of_client(judged.own);
        let (everybody, own, ()) = join3(everybody, own, history).await;
        if let Err(error) = everybody.and(own) {
            return error.into();
        }
        if let Some(end) = judged.spent_until {
            self.record(CodeRefusal::TooMany);
            return Failure::too_many(end, judged.now);
        }
        self.record(match refused {
            CodeRefused::Wrong => CodeRefusal::Wrong,
            CodeRefused::NoCode => CodeRefusal::NoCode,
        });
        Failure::Refused(refused)
    }

    fn record(&self, cause: CodeRefusal) {
        record_metric(Some(self.realm.contract()), MetricEvent::CodeRefused(cause));
    }
}
