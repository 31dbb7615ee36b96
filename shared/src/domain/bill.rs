//! The bill: what messages cost, and the most that may be sent.
//!
//! Three things bound it. A ceiling for each contract and dial code, in messages and in money, for
//! an hour and a day. A ceiling for each contract in money, for a day. And a guard for each prefix
//! of phone numbers: of the codes that are sent to it in ten minutes, only so many may stay unused.

use super::budget::Ceiling;
use super::identifier::Identifier;
use super::phone::PhoneNumber;
use super::time::{DAY, Timestamp};
use std::time::Duration;

/// The window of the guard of a prefix. A prefix that was slowed down is free again in the next one.
const GUARD_WINDOW: Duration = Duration::from_mins(10);
/// The number of digits after the dial code that belong to a prefix: those of an operator's range.
const PREFIX_DIGITS: usize = 3;
/// The number of unused codes that one used code makes up for. People use most codes that they ask
/// for; a prefix of which a fifth is used is not slowed down.
pub const SENDS_PER_USE: u32 = 5;
/// The entry of the price table for e-mails.
const MAIL: &str = "mail";
/// The group of the phone numbers whose dial code has no entry.
const OTHER: &str = "other";

/// An amount of money, in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    /// Parses an amount in US dollars with up to six decimal places.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
        whole.checked_mul(1_000_000)?.checked_add(fraction).map(Self)
    }
}

/// The price of one message by dial code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices(Vec<(String, MicroUsd)>);

impl Prices {
    /// Parses a list such as `+852=0.05,+62=0.35,mail=0.0001`: US dollars for one message. `None` if
    /// an entry is malformed or there is no dial code at all.
    #[must_use]
    pub fn parse(list: &str) -> Option<Self> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let parse = |entry: &str| {
            let (group, price) = entry.split_once('=')?;
            let digits = group.strip_prefix('+').unwrap_or_default();
            let is_dial = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            (is_dial || group == MAIL).then_some((group.to_owned(), MicroUsd::parse(price)?))
        };
        let prices: Vec<_> = entries.map(parse).collect::<Option<_>>()?;
        prices.iter().any(|(group, _)| group != MAIL).then_some(Self(prices))
    }

    /// Returns the entry of a phone number: that of the longest dial code. A number without an entry
    /// is as expensive as the most expensive one.
    fn of_phone(&self, phone: &PhoneNumber) -> (&str, MicroUsd) {
        let dials = self.0.iter().filter(|(group, _)| group != MAIL);
        let matching = dials.clone().filter(|(dial, _)| phone.as_str().starts_with(dial.as_str()));
        let known = matching.max_by_key(|(dial, _)| dial.len());
        known.map_or((OTHER, self.dearest()), |(dial, price)| (dial.as_str(), *price))
    }

    /// Returns the highest price.
    fn dearest(&self) -> MicroUsd {
        self.0.iter().map(|(_, price)| *price).max().unwrap_or_default()
    }

    /// Returns the group of a recipient, and the price of one message to it.
    #[must_use]
    pub fn of(&self, recipient: &Identifier) -> (&str, MicroUsd) {
        match recipient {
            Identifier::Phone(phone) => self.of_phone(phone),
            Identifier::Email(_) | Identifier::Username(_) | Identifier::Card(_) => {
                let mail = self.0.iter().find(|(group, _)| group == MAIL);
                (MAIL, mail.map(|(_, price)| *price).unwrap_or_default())
            }
        }
    }
}

/// The most that the messages of one contract may cost. 0 switches a limit off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    pub prices: Prices,
    /// The messages to one dial code in an hour, and in a day.
    pub messages: [u64; 2],
    /// The price of the messages to one dial code in an hour, and in a day.
    pub spend: [MicroUsd; 2],
    /// The price of all messages in a day.
    pub total: MicroUsd,
    /// The codes to one prefix that may be unused in ten minutes.
    pub unused_per_prefix: u64,
}

impl Bill {
    /// Returns the ceilings that a message to `recipient` counts in.
    #[must_use]
    pub fn ceilings(&self, contract: &str, recipient: &Identifier, now: Timestamp) -> Vec<Ceiling> {
        let of_group = self.ceiling_of_group(contract, recipient, now);
        of_group.into_iter().chain(self.ceiling_of_all(contract, recipient, now)).collect()
    }

    /// Returns the ceiling of the messages to the recipient's entry of the price table.
    #[must_use]
    pub fn ceiling_of_group(
        &self,
        contract: &str,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Option<Ceiling> {
        let (group, price) = self.prices.of(recipient);
        let MicroUsd(cost) = price;
        let limit = |messages: u64, MicroUsd(spend): MicroUsd| {
            // Each message to a group has the same price, so one count bounds both.
            let affordable = spend.checked_div(cost).filter(|_| spend > 0);
            match (messages, affordable) {
                (0, affordable) => affordable,
                (messages, affordable) => {
                    Some(affordable.map_or(messages, |most| most.min(messages)))
                }
            }
        };
        let ([in_hour, in_day], [hour, day]) = (self.messages, self.spend);
        let limits = [limit(in_hour, hour), limit(in_day, day)];
        Ceiling::of_hour_and_day(&format!("bill#{contract}#{group}"), limits, now)
    }

    /// Returns the ceiling of the price of all messages.
    #[must_use]
    pub fn ceiling_of_all(
        &self,
        contract: &str,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Option<Ceiling> {
        let (_, MicroUsd(cost)) = self.prices.of(recipient);
        let MicroUsd(total) = self.total;
        let what = format!("bill#{contract}#total");
        let MicroUsd(dearest) = self.prices.dearest();
        let total = Ceiling::of_amounts(&what, total, [cost, dearest], DAY, now);
        total.filter(|_| cost > 0)
    }

    /// Returns the guard of the prefix of a phone number; `None` for other recipients.
    #[must_use]
    pub fn guard(&self, contract: &str, recipient: &Identifier, now: Timestamp) -> Option<Ceiling> {
        let Identifier::Phone(phone) = recipient else { return None };
        let (dial, _) = self.prices.of_phone(phone);
        // Without an entry, the dial code has one to three digits.
        let dial = if dial == OTHER { 3 } else { dial.len() };
        let prefix = phone.as_str().get(..dial.saturating_add(PREFIX_DIGITS));
        let prefix = prefix.unwrap_or_else(|| phone.as_str());
        let what = format!("unused#{contract}#{prefix}");
        Ceiling::of_window(&what, self.unused_per_prefix, GUARD_WINDOW, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(100_000);

    fn phone(text: &str) -> Identifier {
        Identifier::from_parts("phone", text).unwrap()
    }

    fn bill() -> Bill {
        Bill {
            prices: Prices::parse("+852=0.05, +62=0.35,+1=0.01,mail=0.0001").unwrap(),
            messages: [1000, 5000],
            spend: [MicroUsd(10_000_000), MicroUsd(1_000_000_000)],
            total: MicroUsd(500_000_000),
            unused_per_prefix: 60,
        }
    }

    #[test]
    fn amounts_are_parsed_to_millionths() {
        assert_eq!(MicroUsd::parse("0.0423"), Some(MicroUsd(42_300)));
        assert_eq!(MicroUsd::parse("12"), Some(MicroUsd(12_000_000)));
        for bad in ["", ".5", "1,5", "-1", "0.0000001", "1.2.3", "99999999999999999999"] {
            assert_eq!(MicroUsd::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_price_table_needs_dial_codes_and_prices() {
        for bad in ["", "mail=1", "852=0.05", "+852", "+852=x", "+=1", "+85a=1"] {
            assert_eq!(Prices::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_longest_dial_code_counts_and_an_unknown_one_is_the_dearest() {
        let prices = Prices::parse("+1=0.01,+1809=0.09,+62=0.35,mail=0.0001").unwrap();
        assert_eq!(prices.of(&phone("+18095551234")), ("+1809", MicroUsd(90_000)));
        assert_eq!(prices.of(&phone("+12025550123")), ("+1", MicroUsd(10_000)));
        assert_eq!(prices.of(&phone("+447700900123")), ("other", MicroUsd(350_000)));
        let mail = Identifier::from_parts("email", "ann@example.com").unwrap();
        assert_eq!(prices.of(&mail), ("mail", MicroUsd(100)));
    }

    #[test]
    fn a_message_counts_for_its_dial_code_and_for_the_contract() {
        let ceilings = bill().ceilings("gotu", &phone("+85291234567"), NOW);
        let names: Vec<_> = ceilings.iter().map(|ceiling| ceiling.name.as_str()).collect();
        assert_eq!(names, ["bill#gotu#+852#86400", "bill#gotu#total#86400"]);
        // 10 USD an hour are 200 messages; a day allows 5000 messages, which cost less than 1000 USD.
        let counters = ceilings.iter().flat_map(|ceiling| &ceiling.counters);
        let limits: Vec<_> = counters.map(|counter| (counter.limit, counter.cost)).collect();
        assert_eq!(limits, [(200, 1), (5000, 1), (500_000_000, 50_000)]);
    }

    #[test]
    fn zero_switches_a_limit_off() {
        let off = Bill { messages: [0, 0], spend: [MicroUsd(0); 2], total: MicroUsd(0), ..bill() };
        assert_eq!(off.ceilings("gotu", &phone("+85291234567"), NOW), []);
        assert_eq!(
            Bill { unused_per_prefix: 0, ..bill() }.guard("gotu", &phone("+85291234567"), NOW),
            None
        );
    }

    #[test]
    fn money_that_pays_for_no_message_allows_none() {
        let poor = Bill { spend: [MicroUsd(10), MicroUsd(10)], ..bill() };
        let ceilings = poor.ceilings("gotu", &phone("+85291234567"), NOW);
        let shard = ceilings[0].shard(0);
        assert!(shard.len() == 2 && shard.iter().all(|counter| counter.is_spent(0)));
    }

    #[test]
    fn a_prefix_is_a_dial_code_and_the_range_of_an_operator() {
        let name = |text: &str| bill().guard("gotu", &phone(text), NOW).map(|guard| guard.name);
        assert_eq!(name("+6282243350992").as_deref(), Some("unused#gotu#+62822#99600"));
        assert_eq!(name("+85291234567").as_deref(), Some("unused#gotu#+852912#99600"));
        assert_eq!(name("+447700900123").as_deref(), Some("unused#gotu#+44770#99600"));
        assert_eq!(name("+12345").as_deref(), Some("unused#gotu#+1234#99600"));
        let mail = Identifier::from_parts("email", "ann@example.com").unwrap();
        assert_eq!(bill().guard("gotu", &mail, NOW), None);
    }
}
