//! The gate: judges the source of a request before anything is counted, hashed, reserved or written.
//!
//! A source whose budget is spent is refused after one read, or after none if the process refused it at
//! the same target a moment ago. One exception protects the people who share an address with an
//! attacker: a target that is linked to the source (a code that it asked for, an account that knows
//! it) can still be tried, as long as no attempt from there at this target failed, and until the source
//! has used up twice its limit. A client has no such end, because one client speaks for all customers
//! of a shop.

use super::{Failure, MoveIn, WriteHistory};
use crate::domain::bill::{Bill, SENDS_PER_USE};
use crate::domain::budget::{Budget, BudgetOf, BudgetUse, Ceiling};
use crate::domain::history::{Counted, HistoryOf};
use crate::domain::identifier::Identifier;
use crate::domain::proof::ProvenCode;
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::{HOUR, Timestamp};
use crate::ports::{
    Budgets, Entropy, MetricEvent, PortError, Standing, StandingQuery, Standings, TakeOutcome,
    random, record_metric, trace_identifier, trace_user,
};
use futures_util::future::try_join_all;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most names of each kind that a process remembers.
const MOST_REMEMBERED: usize = 10_000;
/// How long a process refuses the same source at the same target without a read. Short, because the
/// source may ask for a code meanwhile.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// The number of tries to find a shard with room. Each costs a read.
const SHARD_TRIES: usize = 3;
/// When a request may come again that found no shard with room, although there may be one.
const NEXT_TRY: Duration = Duration::from_secs(30);
/// The used part of a ceiling, in percent, from which it is recorded.
const RECORDED_FROM: u64 = 50;

/// The limits of the sources of one contract. 0 switches a limit off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLimits {
    /// The codes and the sign-ups by e-mail that one source may ask for in an hour without using
    /// them.
    pub sends_per_hour: u32,
    /// The wrong codes and passwords of one source in an hour.
    pub guesses_per_hour: u32,
    /// The wrong codes of all sources in an hour, from which the contract counts as attacked.
    pub wrong_codes_per_hour: u64,
}

/// What a process remembers: budgets that are spent, and refused pairs of source and target, each
/// with its end.
#[derive(Debug, Default)]
pub struct Remembered {
    spent: Names,
    refused: Names,
}

/// Names with their ends.
#[derive(Debug, Default)]
struct Names(Mutex<HashMap<String, Timestamp>>);

impl Names {
    fn until(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(name).copied().filter(|end| *end > now)
    }

    fn insert(&self, name: String, end: Timestamp, now: Timestamp) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST_REMEMBERED {
            names.retain(|_, end| *end > now);
        }
        if names.len() < MOST_REMEMBERED {
            names.insert(name, end);
        }
    }
}

/// Judges the sources of one contract.
#[derive(Clone)]
pub struct Gate {
    pub standings: Arc<dyn Standings>,
    pub budgets: Arc<dyn Budgets>,
    pub entropy: Arc<dyn Entropy>,
    /// Shared by everything in the process.
    pub remembered: Arc<Remembered>,
    pub contract: &'static str,
    pub limits: SourceLimits,
    /// Writes histories, unless they are switched off.
    pub history: Option<WriteHistory>,
    /// Moves users in whose identifiers are unknown. `None` without an old system, and for requests that follow one
    /// which has asked it, such as those that send a code back.
    pub move_in: Option<Arc<MoveIn>>,
}

/// What is known of a request after the first read.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) standing: Standing,
    /// The end of the source's budget, if it is spent.
    pub(super) spent_until: Option<Timestamp>,
    /// Whether the part of a ceiling of the bill that strangers can use, or the guard of the prefix, is spent.
    pub(super) over_bill: bool,
}

/// The budgets that a message would count in.
#[derive(Clone, Debug, Default)]
pub(super) struct SendBudgets {
    /// Those of the source.
    pub(super) source: Vec<Budget>,
    /// The guard of the prefix of the recipient. It counts requests whose codes are not sent, too:
    /// else it would show who is registered.
    guard: Option<Budget>,
    /// The ceilings of the bill.
    ceilings: Vec<Budget>,
}

impl SendBudgets {
    /// Returns the budgets of a request that sends nothing.
    pub(super) fn of_source(source: Vec<Budget>) -> Self {
        Self { source, ..Self::default() }
    }

    /// Returns the uses of a request whose message is `sent` or not. A source that the account of
    /// the recipient knows (`is_known`) is not slowed down with its prefix, may use the whole
    /// ceilings, and has twice the limit of its own.
    pub(super) fn uses(&self, sent: bool, is_known: bool) -> Vec<BudgetUse> {
        let source = self.source.iter();
        let source = source.map(|own| if is_known { own.for_linked() } else { own.clone() });
        let guard = self.guard.iter().filter(|_| !is_known).cloned();
        let ceilings = self.ceilings.iter();
        let ceilings = ceilings
            .map(|ceiling| if is_known { ceiling.clone() } else { ceiling.for_strangers() });
        let ceilings = ceilings.map(if sent { BudgetUse::Take } else { BudgetUse::Check });
        source.chain(guard).map(BudgetUse::Take).chain(ceilings).collect()
    }
}

/// Returns the name of a source and its target in the memory of the process. The devices of an
/// address are apart.
pub(super) fn target(source: &Source, realm: &Realm, identifier: &Identifier) -> String {
    let shop = realm.shop().unwrap_or_default();
    let (kind, value) = (identifier.kind().as_str(), identifier.as_str());
    format!("{}|{}#{shop}#{kind}#{value}", source.marks().join("|"), realm.contract())
}

impl Gate {
    pub(super) fn sends(&self, source: &Source, now: Timestamp) -> Vec<Budget> {
        Budget::sends(self.contract, source, self.limits.sends_per_hour, now)
    }

    pub(super) fn guesses(&self, source: &Source, now: Timestamp) -> Vec<Budget> {
        Budget::wrong_guesses(self.contract, source, self.limits.guesses_per_hour, now)
    }

    /// Returns a shard of the wrong codes of all sources; `None` without this limit.
    pub(super) fn wrong_codes(&self, now: Timestamp) -> Result<Option<Budget>, PortError> {
        let what = format!("wrong#{}", self.contract);
        let limit = self.limits.wrong_codes_per_hour;
        let ceiling = Ceiling::of_window(&what, limit, HOUR, now);
        let Some(ceiling) = ceiling else { return Ok(None) };
        Ok(ceiling.shard(self.random_index()?).pop())
    }

    fn random_index(&self) -> Result<u64, PortError> {
        Ok(u64::from(u16::from_be_bytes(random(&*self.entropy)?)))
    }

    /// Returns a shard of a ceiling that is not known to be spent, if possible one with room for
    /// strangers; the end of the ceiling if all are spent.
    fn pick(
        &self,
        ceiling: &Ceiling,
        now: Timestamp,
    ) -> Result<Result<Vec<Budget>, Timestamp>, PortError> {
        let first = if ceiling.shards > 1 { self.random_index()? } else { 0 };
        let is_spent = |counter: &Budget| counter.is_spent(0) || self.remembers(counter, now);
        let shards = (0..ceiling.shards).map(|step| ceiling.shard(first.wrapping_add(step)));
        let (spent, unspent): (Vec<_>, Vec<_>) =
            shards.partition(|shard| shard.iter().any(is_spent));
        let is_open = |shard: &Vec<Budget>| !shard.iter().any(|own| is_spent(&own.for_strangers()));
        let open = unspent.iter().position(is_open);
        let shard = unspent.into_iter().nth(open.unwrap_or_default());
        // The first shard to have room again, when the last of its spent counters ends.
        let ends = spent.iter().filter_map(|shard| {
            shard.iter().filter(|own| is_spent(own)).map(|own| own.ends_at).max()
        });
        Ok(shard.ok_or_else(|| ends.min().unwrap_or(now)))
    }

    /// Remembers the budget if it is spent. Returns its end then.
    fn note(&self, budget: &Budget, used: i64, now: Timestamp) -> Option<Timestamp> {
        budget.is_spent(used).then(|| self.remember(budget, now))
    }

    /// Remembers that the budget is spent. Returns its end.
    pub(super) fn remember(&self, budget: &Budget, now: Timestamp) -> Timestamp {
        self.remembered.spent.insert(Self::name(budget), budget.ends_at, now);
        budget.ends_at
    }

    /// Remembers a budget of everybody that a transaction found spent.
    pub(super) fn note_spent(&self, spent: Option<&BudgetUse>, now: Timestamp) {
        let spent = spent.map(BudgetUse::budget);
        if let Some(spent) = spent.filter(|spent| spent.of == BudgetOf::Everybody) {
            self.remember(spent, now);
        }
    }

    /// Returns whether the process has seen the budget spent.
    pub(super) fn remembers(&self, budget: &Budget, now: Timestamp) -> bool {
        self.remembered.spent.until(&Self::name(budget), now).is_some()
    }

    /// The name of a budget in the memory of the process. A budget that is spent for one use can have
    /// room for another.
    fn name(budget: &Budget) -> String {
        format!("{}<{}", budget.name(), budget.room())
    }

    /// The name of a refused pair of source and target.
    fn pair(own: &[Budget], target: &str) -> Option<String> {
        own.first().map(|budget| format!("{}|{target}", budget.name()))
    }

    /// Refuses a source whose budget is spent, and that is not linked to the target.
    pub(super) fn refuse<R>(
        &self,
        own: &[Budget],
        target: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Failure<R> {
        if let Some(pair) = Self::pair(own, target) {
            self.remembered.refused.insert(pair, now.plus(REFUSED_FOR).min(end), now);
        }
        Failure::too_many(end, now)
    }

    /// Reads the state of everything that a request touches, with the budgets `own` of its source.
    ///
    /// # Errors
    /// [`Failure::TooMany`] if the source has used up twice its limit; without a read, if the process
    /// refused it at this target a moment ago.
    pub(super) async fn judge<'a, R>(
        &self,
        own: &'a [Budget],
        mut query: StandingQuery<'a>,
        target: &str,
        now: Timestamp,
    ) -> Result<Judgement, Failure<R>> {
        query.identifiers.iter().for_each(|(_, identifier)| trace_identifier(identifier));
        if let Some(pair) = Self::pair(own, target)
            && self.remembered.refused.until(&pair, now).is_some()
        {
            let end = own.iter().map(|budget| budget.ends_at).max();
            return Err(Failure::too_many(end.unwrap_or(now), now));
        }
        let others = query.budgets.len();
        query.budgets.extend(own);
        let mut standing = self.standings.standing(&query, now).await?;
        standing.holders.iter().flatten().for_each(|holder| trace_user(&holder.user));
        let used = standing.used.split_off(others);
        let spent = || own.iter().zip(&used).filter(|(own, used)| own.is_spent(**used));
        let has_end = own.iter().all(|budget| !budget.is_of_client());
        let over = spent().find(|(own, used)| has_end && own.for_linked().is_spent(**used));
        if let Some((own_budget, _)) = over {
            return Err(self.refuse(own, target, own_budget.ends_at, now));
        }
        let spent_until = spent().map(|(own, _)| own.ends_at).max();
        // The old system is asked only for sources that may still do something.
        if spent_until.is_none() && self.moved_in(&query, &standing, now).await? {
            standing = self.standings.standing(&query, now).await?;
            standing.used.truncate(others);
        }
        Ok(Judgement { standing, spent_until, over_bill: false })
    }

    /// Asks the old system for the users of identifiers that are unknown, until one moves in, because the other
    /// identifiers can be of the same user. Returns whether one did.
    async fn moved_in(
        &self,
        query: &StandingQuery<'_>,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let Some(move_in) = &self.move_in else { return Ok(false) };
        for ((realm, identifier), holder) in query.identifiers.iter().zip(&standing.holders) {
            if holder.is_none() && move_in.run(realm, identifier, now).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a guess from the budgets of a source before it is compared, so that guesses at the same
    /// time gain nothing. A right one is given back. Returns the end of a budget that is spent. A
    /// client's guesses are counted afterwards, because the customers of a busy shop would wait for
    /// one another.
    pub(super) async fn take_guess(
        &self,
        own: &[Budget],
        is_linked: bool,
    ) -> Result<Option<Timestamp>, PortError> {
        let own: Vec<_> = own.iter().filter(|own| !own.is_of_client()).collect();
        let taken = own.iter().map(|own| async move {
            let budget = if is_linked { own.for_linked() } else { (*own).clone() };
            self.budgets.take(&budget).await
        });
        let taken = try_join_all(taken).await?;
        let spent = own.iter().zip(taken).filter(|(_, taken)| *taken == TakeOutcome::Spent);
        Ok(spent.map(|(own, _)| own.ends_at).max())
    }

    /// Returns the uses that give a right guess back.
    pub(super) fn right_guess(own: &[Budget]) -> Vec<BudgetUse> {
        let own = own.iter().filter(|own| !own.is_of_client());
        own.map(|own| BudgetUse::GiveBack(own.clone(), 1)).collect()
    }

    /// Counts a wrong guess of a client.
    pub(super) async fn count_of_client(&self, own: &[Budget]) -> Result<(), PortError> {
        let own = own.iter().filter(|own| own.is_of_client());
        try_join_all(own.map(|own| self.budgets.take(own))).await.map(drop)
    }

    /// Reads the state of everything that a request for messages to these recipients touches:
    /// `query`, and the budgets. If the strangers' part of a ceiling is spent, the source counts as
    /// spent.
    ///
    /// # Errors
    /// [`Failure::TooMany`] if a ceiling of the bill is reached; see also [`Gate::judge`].
    pub(super) async fn judge_send<'q, R>(
        &self,
        bill: &Bill,
        source: &Source,
        (realm, recipients): (&Realm, &[&Identifier]),
        (target, query): (&str, impl Fn() -> StandingQuery<'q>),
        now: Timestamp,
    ) -> Result<(Judgement, SendBudgets), Failure<R>> {
        let own = self.sends(source, now);
        let mut end = now;
        for tries_left in (0..SHARD_TRIES).rev() {
            let budgets = match self.send_budgets(bill, &own, recipients, now)? {
                Ok(budgets) => budgets,
                Err(spent) => {
                    self.note_bill(realm, recipients, now).await;
                    return Err(self.over_the_bill(spent, now));
                }
            };
            let query = query();
            let shared = budgets.ceilings.iter().chain(&budgets.guard).collect();
            let query = StandingQuery { budgets: shared, ..query };
            let mut judgement = self.judge(&budgets.source, query, target, now).await?;
            let used = &judgement.standing.used;
            let guard = budgets.guard.iter().zip(used.iter().skip(budgets.ceilings.len()));
            let guard = guard.filter(|(guard, used)| guard.is_spent(**used));
            let guarded = guard.map(|(guard, _)| guard.ends_at).max();
            let ceilings = || budgets.ceilings.iter().zip(used);
            ceilings().for_each(|(ceiling, used)| self.record_use(ceiling, *used));
            let spent = ceilings().filter_map(|(ceiling, used)| self.note(ceiling, *used, now));
            if let Some(spent) = spent.max() {
                end = spent;
                continue;
            }
            let for_strangers = ceilings().map(|(ceiling, used)| (ceiling.for_strangers(), used));
            let is_new = |(ceiling, used): (Budget, &i64)| {
                let was_known = self.remembers(&ceiling, now);
                self.note(&ceiling, *used, now).map(|end| (end, was_known))
            };
            let closed: Vec<_> = for_strangers.filter_map(is_new).collect();
            if tries_left > 0 && closed.iter().any(|(_, was_known)| !was_known) {
                continue;
            }
            let closed = closed.into_iter().map(|(end, _)| end).max();
            if closed.is_some() {
                record_metric(Some(self.contract), MetricEvent::BillRefused);
            }
            judgement.over_bill = closed.max(guarded).is_some();
            judgement.spent_until = judgement.spent_until.max(closed).max(guarded);
            return Ok((judgement, budgets));
        }
        self.note_bill(realm, recipients, now).await;
        // Other shards may have room.
        Err(self.over_the_bill(end.min(now.plus(NEXT_TRY)), now))
    }

    /// Counts a wrong guess in a history.
    pub(super) async fn guessed(&self, of: &HistoryOf, what: Counted, now: Timestamp) {
        if let Some(history) = &self.history {
            history.guess(of, what, now).await;
        }
    }

    /// Counts a refusal in a history, within the limits of [`WriteHistory::refusal`].
    pub(super) async fn refused(&self, of: &HistoryOf, what: Counted, now: Timestamp) {
        if let Some(history) = &self.history {
            history.refusal(of, what, now).await;
        }
    }

    /// Counts in the histories of these recipients that a ceiling of the bill refused a request.
    async fn note_bill(&self, realm: &Realm, recipients: &[&Identifier], now: Timestamp) {
        for recipient in recipients {
            let of = HistoryOf::Recipient(realm.clone(), (*recipient).clone());
            self.refused(&of, Counted::OverBill, now).await;
        }
    }

    /// Returns the budgets of messages to these recipients; the end of a ceiling that is spent.
    fn send_budgets(
        &self,
        bill: &Bill,
        own: &[Budget],
        recipients: &[&Identifier],
        now: Timestamp,
    ) -> Result<Result<SendBudgets, Timestamp>, PortError> {
        let mut budgets = SendBudgets { source: own.to_vec(), ..SendBudgets::default() };
        let mut ceilings: Vec<Ceiling> = Vec::new();
        for recipient in recipients {
            if let Some(guard) = bill.guard(self.contract, recipient, now) {
                let index = if guard.shards > 1 { self.random_index()? } else { 0 };
                budgets.guard = guard.shard(index).pop();
            }
            for ceiling in bill.ceilings(self.contract, recipient, now) {
                match ceilings.iter_mut().find(|known| known.name == ceiling.name) {
                    Some(known) => known.add(&ceiling),
                    None => ceilings.push(ceiling),
                }
            }
        }
        for ceiling in &ceilings {
            match self.pick(ceiling, now)? {
                Ok(shard) => budgets.ceilings.extend(shard),
                Err(end) => return Ok(Err(end)),
            }
        }
        Ok(Ok(budgets))
    }

    /// Refuses a request for a message because of a ceiling of the bill.
    pub(super) fn over_the_bill<R>(&self, end: Timestamp, now: Timestamp) -> Failure<R> {
        record_metric(Some(self.contract), MetricEvent::BillRefused);
        Failure::too_many(end, now)
    }

    /// Records the used part of a ceiling, if it is large.
    fn record_use(&self, ceiling: &Budget, used: i64) {
        let used = u64::try_from(used).unwrap_or_default();
        let percent = used.saturating_mul(100).checked_div(ceiling.limit).unwrap_or(100);
        if percent >= RECORDED_FROM {
            record_metric(Some(self.contract), MetricEvent::BillUsed { percent });
        }
    }

    /// Returns the uses that a used code gives back: to its source, and to the guard of the prefix
    /// of its recipient, in the windows in which it was counted there.
    pub(super) fn give_back(
        &self,
        bill: &Bill,
        source: &Source,
        code: &ProvenCode,
        now: Timestamp,
    ) -> Result<Vec<BudgetUse>, PortError> {
        let Some(counted_at) = code.counted_at() else { return Ok(Vec::new()) };
        // The limit of a client bounds its sign-ups, used or not.
        let own = if source.is_client() { Vec::new() } else { self.sends(source, counted_at) };
        let mut uses: Vec<_> = own.into_iter().map(|own| BudgetUse::GiveBack(own, 1)).collect();
        if let Some(guard) = bill.guard(self.contract, &code.key().recipient, counted_at) {
            let index = if guard.shards > 1 { self.random_index()? } else { 0 };
            let shard = guard.shard(index).into_iter();
            uses.extend(shard.map(|guard| BudgetUse::GiveBack(guard, SENDS_PER_USE)));
        }
        uses.retain(|given| given.budget().ends_at > now);
        Ok(uses)
    }

    /// Takes one use of a budget that refuses nothing by itself.
    pub(super) async fn count(&self, budget: Option<&Budget>) -> Result<(), PortError> {
        match budget {
            Some(budget) => self.budgets.take(budget).await.map(drop),
            None => Ok(()),
        }
    }

    /// Counts a refusal in the budgets of the source, so that an attacker pays for what the refusal
    /// reveals. Returns the refusal, or the failure of a spent budget.
    pub(super) async fn refuse_at_cost<R>(
        &self,
        refused: R,
        own: &[Budget],
        now: Timestamp,
    ) -> Failure<R> {
        match try_join_all(own.iter().map(|budget| self.budgets.take(budget))).await {
            Ok(taken) => {
                let spent = own.iter().zip(taken).filter(|(_, taken)| *taken == TakeOutcome::Spent);
                let end = spent.map(|(budget, _)| budget.ends_at).max();
                end.map_or(Failure::Refused(refused), |end| Failure::too_many(end, now))
            }
            Err(error) => error.into(),
        }
    }
}
