//! What sign-ups write together, and the rates that the documents promise.

use super::recorder::{Call, INDEX};
use super::scenarios::{Flow, Hot, Scenario};
use super::simulation::{Family, Load, Shape, float};
use anyhow::Context as _;
use latchkey::domain::bill::{Bill, MicroUsd, Prices};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use template::Template;

/// The shards of each kind of entry in the index of the outbox, one for each hex digit.
const INDEX_SHARDS: u64 = 16;
/// The functions that make a shop's client ready for a sign-up, and the one that delivers afterwards.
const OTHERS: [&str; 3] = ["posbytz-create-client", "posbytz-oauth2-token", "relay"];
/// Recipients of each group of the bill.
const RECIPIENTS: [(&str, &str); 4] = [
    ("phone", "+6281100000000"),
    ("phone", "+85250000000"),
    ("phone", "+919000000000"),
    ("email", "person@example.com"),
];
const CONTRACTS: [&str; 4] = ["gotu", "goodcity", "urbanfits", "posbytz"];

/// The limits of the template, with their defaults.
pub(super) struct Limits {
    /// The shards of each budget that has some, by its name without the window.
    shards: BTreeMap<String, u64>,
    /// The messages that each ceiling of an hour allows.
    messages: BTreeMap<String, f64>,
    /// The requests of a route in a second.
    gateway: f64,
    /// The sign-ups of a client, those of a source without a code, and the codes of a recipient, in an hour.
    of_client: f64,
    of_source: f64,
    of_recipient: f64,
}

impl Limits {
    pub(super) fn read(template: &Template) -> anyhow::Result<Self> {
        let text = |name: &str| {
            let mut parameters = template.parameters.iter();
            let found = parameters.find(|parameter| parameter.name == name);
            found.map(|found| found.default.as_str()).with_context(|| format!("no {name}"))
        };
        let number = |name: &str| anyhow::Ok(text(name)?.parse::<u64>()?);
        let money = |name: &str| MicroUsd::parse(text(name)?).with_context(|| name.to_owned());
        let bill = Bill {
            prices: Prices::parse(text("MessagePricesUsd")?).context("no prices")?,
            messages: [number("MessagesPerHour")?, number("MessagesPerDay")?],
            spend: [money("MessagesUsdPerHour")?, money("MessagesUsdPerDay")?],
            total: money("MessagesUsdPerDayInAll")?,
            unused_per_prefix: number("UnusedCodesPerPrefix")?,
        };
        let rate = |name: &str| anyhow::Ok(float(number(name)?));
        let mut limits = Self {
            shards: BTreeMap::new(),
            messages: BTreeMap::new(),
            gateway: rate("RequestsPerSecond")?.max(rate("SendsPerSecond")?),
            of_client: rate("SendsPerHourPerClient")?,
            of_source: rate("OtpSendsPerHourPerIp")?,
            of_recipient: rate("OtpSendsPerHour")?,
        };
        limits.add(&bill)?;
        Ok(limits)
    }

    /// Adds the shards of a bill, as the program divides its ceilings.
    fn add(&mut self, bill: &Bill) -> anyhow::Result<()> {
        let now = Timestamp::from_seconds(0);
        for contract in CONTRACTS {
            for (kind, text) in RECIPIENTS {
                let recipient = Identifier::from_parts(kind, text).context("no recipient")?;
                for ceiling in bill.ceilings(contract, &recipient, now) {
                    let name = without_last(&ceiling.name);
                    // The first counter is that of the hour.
                    let limit = ceiling.counters.first().context("no counter")?.limit;
                    self.messages.insert(name.to_owned(), float(limit));
                    self.shards.insert(name.to_owned(), ceiling.shards);
                }
                let guard = bill.guard(contract, &recipient, now);
                self.shards.extend(guard.map(|guard| (format!("unused#{contract}"), guard.shards)));
            }
        }
        Ok(())
    }

    /// Returns the rates of the sign-ups of a scenario a second, each with its name in the table. A source gets the uses of used codes
    /// back, so only the gateway bounds them. A recipient gets a few codes in an hour; more requests write nothing.
    pub(super) fn rates(&self, scenario: &Scenario) -> Vec<(f64, String)> {
        let (contract, group) = scenario.flow.group();
        let an_hour = match (scenario.hot, scenario.flow) {
            (Hot::DialCode | Hot::Range, _) => {
                self.messages.get(&format!("bill#{contract}#{group}")).copied()
            }
            (Hot::Shop, _) => Some(self.of_client),
            (Hot::Network, Flow::GotuMail) => Some(self.of_source),
            (Hot::Network | Hot::Contract, _) => None,
            (Hot::Recipient, _) => Some(self.of_recipient),
        };
        let limit = an_hour.map(|limit| (limit / 3600.0, format!("{limit} an hour (limit)")));
        let gateway = (self.gateway, format!("{} a second (gateway)", self.gateway));
        let gateway = (scenario.hot != Hot::Recipient).then_some(gateway);
        limit.into_iter().chain(gateway).collect()
    }

    /// Returns the family of an item.
    fn family(&self, item: &str) -> Family {
        let (table, key) = item.split_once(' ').unwrap_or((item, ""));
        let kind = key.split('#').next().unwrap_or_default();
        let (key, shards) = match (table, kind) {
            (INDEX, _) => (without_last(key), INDEX_SHARDS),
            ("Budgets", "bill") => {
                let key = without_last(without_last(key));
                (key, self.shards.get(key).copied().unwrap_or(1))
            }
            ("Budgets", "unused") => {
                let key = without_last(without_last(key));
                (key, self.shards.get(without_last(key)).copied().unwrap_or(1))
            }
            ("Budgets", "source") => (without_last(key), 1),
            _ => (key, 1),
        };
        Family { name: format!("{table} {key}"), shards, is_index: table == INDEX }
    }
}

fn without_last(name: &str) -> &str {
    name.rsplit_once('#').map_or(name, |(rest, _)| rest)
}

/// Returns whether a call belongs to the sign-up itself.
pub(super) fn is_of_sign_up(call: &Call) -> bool {
    !OTHERS.contains(&call.function.as_str())
}

/// Returns what several sign-ups write, from the calls of each. An entry of the outbox belongs to one sign-up, and the relay may
/// deliver it during the next one.
pub(super) fn load(runs: &[Vec<Call>], limits: &Limits) -> Load {
    let mut seen: BTreeMap<String, (Family, BTreeSet<usize>)> = BTreeMap::new();
    for (run, calls) in runs.iter().enumerate() {
        for write in calls.iter().filter(|call| is_written(call)).flat_map(|call| &call.writes) {
            let family = limits.family(&write.item);
            let entry = seen.entry(family.name.clone()).or_insert((family, BTreeSet::new()));
            entry.1.insert(run);
        }
    }
    let is_shared = |name: &str, runs: usize| {
        !name.starts_with("Outbox ") && (runs > 1 || name.starts_with("Sequences "))
    };
    seen.retain(|name, (_, runs)| is_shared(name, runs.len()));
    let families: Vec<_> = seen.into_values().map(|(family, _)| family).collect();
    let mut shapes: BTreeMap<(bool, Vec<(usize, u64)>), u64> = BTreeMap::new();
    for call in runs.iter().flatten().filter(|call| is_written(call)) {
        let known = |item: &str| {
            let name = limits.family(item).name;
            families.iter().position(|family| family.name == name)
        };
        let writes =
            call.writes.iter().filter_map(|write| Some((known(&write.item)?, write.units)));
        let mut writes: Vec<_> = writes.collect();
        writes.sort_unstable();
        if !writes.is_empty() {
            *shapes.entry((call.is_transaction, writes)).or_default() += 1;
        }
    }
    let times = |count: u64| float(count) / float(runs.len() as u64);
    let shapes = shapes.into_iter().map(|((is_transaction, writes), count)| Shape {
        is_transaction,
        writes,
        times: times(count),
    });
    Load { families, shapes: shapes.collect() }
}

/// Returns whether a call belongs to a sign-up or its delivery.
fn is_written(call: &Call) -> bool {
    is_of_sign_up(call) || call.function == "relay"
}
