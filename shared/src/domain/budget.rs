//! Budgets: limited amounts in windows of time. The name of a budget says what it bounds, and the
//! contract that it belongs to.

use super::source::Source;
use super::time::{DAY, HOUR, Timestamp};
use std::time::Duration;

/// A counter of a bucket, and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The name of the bucket, which holds several counters: what is counted, for which contract and
    /// whom, and the start of the longest window.
    pub bucket: String,
    /// The name of the counter in it.
    pub counter: String,
    /// The amount that the window allows.
    pub limit: u64,
    /// The amount that one use takes.
    pub cost: u64,
    /// The end of the window.
    pub ends_at: Timestamp,
    /// Whom the budget limits.
    pub of: BudgetOf,
}

/// Whom a budget limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetOf {
    /// The network of a person, or of many.
    Address,
    /// A client, which acts for many people.
    Client,
    Everybody,
}

/// What a request does with a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetUse {
    /// It takes one use. It fails if there is no room.
    Take(Budget),
    /// It takes nothing, but fails if there is no room: a request that sends nothing must look like
    /// one that sends.
    Check(Budget),
    /// It gives so many uses back. It never fails.
    GiveBack(Budget, u32),
}

impl BudgetUse {
    #[must_use]
    pub const fn budget(&self) -> &Budget {
        match self {
            Self::Take(budget) | Self::Check(budget) | Self::GiveBack(budget, _) => budget,
        }
    }
}

impl Budget {
    /// Returns the name of the bucket and the counter.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.bucket, self.counter)
    }

    /// Returns whether there is no room for one more use after `used`, which is negative if more
    /// was given back than taken.
    #[must_use]
    pub fn is_spent(&self, used: i64) -> bool {
        i128::from(used).saturating_add(i128::from(self.cost)) > i128::from(self.limit)
    }

    /// Returns whether the budget limits a client.
    #[must_use]
    pub fn is_of_client(&self) -> bool {
        self.of == BudgetOf::Client
    }

    /// Returns the most that may be used already if one more use has room.
    #[must_use]
    pub fn room(&self) -> i64 {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        limit.saturating_sub(i64::try_from(self.cost).unwrap_or(i64::MAX))
    }

    /// Returns the budget of a source for targets that are linked to it: twice the limit.
    #[must_use]
    pub fn for_linked(&self) -> Self {
        Self { limit: self.limit.saturating_mul(2), ..self.clone() }
    }

    /// Returns the part of a budget of everybody that strangers can use: four fifths. The rest is for
    /// sources that an account knows.
    #[must_use]
    pub fn for_strangers(&self) -> Self {
        let reserve = self.limit.checked_div(5).unwrap_or_default();
        Self { limit: self.limit.saturating_sub(reserve), ..self.clone() }
    }

    /// Returns the budgets of the codes that one source asks for in an hour and that are not used,
    /// and of its sign-ups by e-mail. The network of an IPv6 address has two. Empty when `limit` is
    /// 0, which switches the limit off.
    #[must_use]
    pub fn sends(contract: &str, from: &Source, limit: u32, now: Timestamp) -> Vec<Self> {
        Self::of_source("sends", contract, from, limit, now)
    }

    /// Returns the budgets of the wrong guesses of one source in an hour. Empty when `limit` is 0.
    #[must_use]
    pub fn wrong_guesses(contract: &str, from: &Source, limit: u32, now: Timestamp) -> Vec<Self> {
        Self::of_source("guesses", contract, from, limit, now)
    }

    fn of_source(
        counter: &str,
        contract: &str,
        from: &Source,
        limit: u32,
        now: Timestamp,
    ) -> Vec<Self> {
        if limit == 0 {
            return Vec::new();
        }
        let window = now.window_start(HOUR);
        let of = if from.is_client() { BudgetOf::Client } else { BudgetOf::Address };
        let budget = |name: String, times: u32| Self {
            bucket: format!("source#{contract}#{name}#{}", window.as_seconds()),
            counter: counter.to_owned(),
            limit: u64::from(limit).saturating_mul(times.into()),
            cost: 1,
            ends_at: window.plus(HOUR),
            of,
        };
        from.buckets().into_iter().map(|part| budget(part.name, part.times)).collect()
    }
}

/// Budgets of everybody. They are divided into shards, because DynamoDB cancels transactions that
/// write the same item at the same time. A shard is a bucket with all counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// What is counted, for which contract and what, and the start of the longest window.
    pub name: String,
    /// The number of shards. All uses of a ceiling agree on it.
    pub shards: u64,
    /// A use takes from all of them.
    pub counters: Vec<Counter>,
}

/// A counter of a ceiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub name: String,
    /// The amount that the window allows, in all shards.
    pub limit: u64,
    /// The amount that this use takes.
    pub cost: u64,
    /// The end of the window.
    pub ends_at: Timestamp,
}

/// The most shards of a ceiling.
const MOST_SHARDS: u64 = 16;
/// The uses that a shard must have room for. A smaller ceiling has fewer shards, so that it can be
/// used up to its end.
const USES_PER_SHARD: u64 = 100;
/// The counter of a bucket with one.
const USED: &str = "used";

/// Returns the number of shards of a ceiling that allows so many uses.
fn shards(uses: u64) -> u64 {
    uses.checked_div(USES_PER_SHARD).unwrap_or(1).clamp(1, MOST_SHARDS)
}

impl Ceiling {
    /// Returns the ceiling `what` of the window of length `span` that contains `now`, for uses that
    /// take one; `None` when `limit` is 0, which switches it off.
    #[must_use]
    pub fn of_window(what: &str, limit: u64, span: Duration, now: Timestamp) -> Option<Self> {
        Self::of_amounts(what, limit, [1, 1], span, now)
    }

    /// Returns the ceiling for a use that takes `cost`, while the dearest use takes `dearest`.
    #[must_use]
    pub fn of_amounts(
        what: &str,
        limit: u64,
        [cost, dearest]: [u64; 2],
        span: Duration,
        now: Timestamp,
    ) -> Option<Self> {
        let window = now.window_start(span);
        let name = format!("{what}#{}", window.as_seconds());
        let shards = shards(limit.checked_div(dearest).unwrap_or(limit));
        let counter = Counter { name: USED.to_owned(), limit, cost, ends_at: window.plus(span) };
        (limit > 0).then(|| Self { name, shards, counters: vec![counter] })
    }

    /// Returns the ceiling of an hour and of its day, in one bucket; `None` if neither has a limit. A
    /// limit of 0 allows no use.
    #[must_use]
    pub fn of_hour_and_day(
        what: &str,
        [hour, day]: [Option<u64>; 2],
        now: Timestamp,
    ) -> Option<Self> {
        let [in_hour, in_day] = [HOUR, DAY].map(|span| (now.window_start(span), span));
        let counter = |name: String, limit: u64, (window, span): (Timestamp, Duration)| Counter {
            name,
            limit: limit.max(1),
            cost: if limit == 0 { 2 } else { 1 },
            ends_at: window.plus(span),
        };
        let number = in_hour.0.since(in_day.0).as_secs().checked_div(HOUR.as_secs());
        let number = number.unwrap_or_default();
        let hour = hour.map(|limit| counter(format!("h{number:02}"), limit, in_hour));
        let day = day.map(|limit| counter("day".to_owned(), limit, in_day));
        let counters: Vec<_> = hour.into_iter().chain(day).collect();
        let shards = counters.iter().map(|counter| shards(counter.limit)).min()?;
        Some(Self { name: format!("{what}#{}", in_day.0.as_seconds()), shards, counters })
    }

    /// Adds the amounts that a use of the same ceiling takes.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.counters.iter_mut().zip(&other.counters) {
            own.cost = own.cost.saturating_add(other.cost);
        }
    }

    /// Returns the counters of the shard that `index` falls on. The shards add up to the limits at most.
    #[must_use]
    pub fn shard(&self, index: u64) -> Vec<Budget> {
        let index = index.checked_rem(self.shards).unwrap_or_default();
        let counters = self.counters.iter().map(|counter| Budget {
            bucket: format!("{}#{index}", self.name),
            counter: counter.name.clone(),
            limit: counter.limit.checked_div(self.shards).unwrap_or(counter.limit),
            cost: counter.cost,
            ends_at: counter.ends_at,
            of: BudgetOf::Everybody,
        });
        counters.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::ClientId;
    use crate::domain::source::SourceAddress;

    const NOW: Timestamp = Timestamp::from_seconds(7300);

    fn source(text: &str) -> Source {
        Source::of_address(SourceAddress::parse(text))
    }

    fn buckets(budgets: &[Budget]) -> Vec<&str> {
        budgets.iter().map(|budget| budget.bucket.as_str()).collect()
    }

    #[test]
    fn a_bucket_names_its_contract_its_source_and_its_hour() {
        let budgets = Budget::sends("gotu", &source("203.0.113.9"), 20, NOW);
        assert_eq!(buckets(&budgets), ["source#gotu#203.0.113.9#7200"]);
        assert_eq!(budgets[0].ends_at, Timestamp::from_seconds(10_800));
        assert_eq!(budgets[0].name(), "source#gotu#203.0.113.9#7200.sends");
        assert_eq!(Budget::sends("gotu", &source("203.0.113.9"), 0, NOW), []);
        let client = Source::of_client(ClientId::new(&[0xab; 16]));
        let budgets = Budget::sends("posbytz", &client, 20, NOW);
        let name = format!("source#posbytz#client#{}#7200", "ab".repeat(16));
        assert_eq!(buckets(&budgets), [name]);
    }

    #[test]
    fn an_ipv6_source_has_a_bucket_for_its_site_too() {
        let budgets = Budget::wrong_guesses("gotu", &source("2001:db8:1:2::1"), 3, NOW);
        let names = ["source#gotu#2001:db8:1:2::/64#7200", "source#gotu#2001:db8:1::/48#7200"];
        assert_eq!(buckets(&budgets), names);
        assert_eq!([budgets[0].limit, budgets[1].limit], [3, 12]);
    }

    #[test]
    fn a_budget_is_spent_when_one_more_use_does_not_fit() {
        let (bucket, counter, of) = ("b".to_owned(), USED.to_owned(), BudgetOf::Address);
        let budget = Budget { bucket, counter, limit: 10, cost: 3, ends_at: NOW, of };
        assert!(!budget.is_spent(-5) && !budget.is_spent(7) && budget.is_spent(8));
        assert_eq!(budget.room(), 7);
        assert_eq!([budget.for_linked().limit, budget.for_strangers().limit], [20, 8]);
        assert_eq!(Budget { limit: 4, ..budget.clone() }.for_strangers().limit, 4);
        let dear = Budget { cost: 11, ..budget };
        assert!(dear.is_spent(0));
        assert_eq!(dear.room(), -1);
    }

    #[test]
    fn the_shards_of_a_ceiling_add_up_to_its_limit_at_most() {
        for (limit, cost, shards) in [(5, 1, 1), (125_000, 1, 2), (900_000, 500, 16)] {
            let of = |cost| Ceiling::of_amounts("bill#gotu", limit, [cost, 500], DAY, NOW).unwrap();
            let ceiling = of(cost);
            assert_eq!((ceiling.shards, of(1).shards), (shards, shards));
            let sum: u64 = (0..shards).map(|index| ceiling.shard(index)[0].limit).sum();
            assert!(sum <= limit && sum > limit - shards);
            assert_eq!(ceiling.shard(shards), ceiling.shard(0));
            assert_eq!(ceiling.shard(0)[0].name(), "bill#gotu#0#0.used");
        }
        assert_eq!(Ceiling::of_window("wrong#gotu", 250, DAY, NOW).unwrap().shards, 2);
        assert_eq!(Ceiling::of_window("bill#gotu", 0, DAY, NOW), None);
    }

    #[test]
    fn an_hour_and_its_day_are_counters_of_one_bucket() {
        let of = |limits, now| Ceiling::of_hour_and_day("bill#gotu#+62", limits, now);
        let shards = |hour, day| of([hour, day], NOW).map(|ceiling| ceiling.shards);
        assert_eq!(shards(Some(300), Some(5000)), Some(3));
        assert_eq!(shards(Some(5000), Some(300)), Some(3));
        assert_eq!((shards(None, Some(200)), shards(None, None)), (Some(2), None));
        for (second, counter, end) in [(86_400, "h00", 90_000), (172_799, "h23", 172_800)] {
            let ceiling = of([Some(50), Some(100)], Timestamp::from_seconds(second)).unwrap();
            let shard = ceiling.shard(7);
            assert_eq!(
                shard.iter().map(Budget::name).collect::<Vec<_>>(),
                [
                    format!("bill#gotu#+62#86400#0.{counter}"),
                    "bill#gotu#+62#86400#0.day".to_owned(),
                ]
            );
            assert_eq!(shard[0].ends_at, Timestamp::from_seconds(end));
            assert_eq!(shard[1].ends_at, Timestamp::from_seconds(172_800));
            assert!(shard.iter().all(|counter| !counter.is_spent(49)) && shard[0].is_spent(50));
        }
        // A limit that is smaller than one use.
        assert!(of([Some(0), Some(9)], NOW).unwrap().shard(0)[0].is_spent(0));
    }
}
