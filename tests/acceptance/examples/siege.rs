//! Lets many attackers strike at accounts while their owners go on using them, and prints what both got:
//! `cargo run -p acceptance --example siege [-- --seconds 600 --workers 256 --addresses 64 --owners 50]`.
//!
//! The limits are the deployed ones; `--usd-per-hour` sets the ceiling of what texts to one dial code may cost in an hour, and
//! the ceilings of a day with it. It prints figures and judges none of them: all requests of owners must succeed, the compared
//! guesses must not be above their bound, and there must be no fault.

#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails, fails")]

use acceptance::siege::{Answers, BY_CODE, Siege, Tally, password_attempts, refused_codes};
use acceptance::{KNOWN_RING, TestStack};
use latchkey::domain::password_attempts::{Backoff, PasswordAttempts};
use latchkey::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The limits of all people together, which the local stack switches off, as the template has them.
const DEPLOYED: [(&str, &str); 4] = [
    ("WRONG_CODES_PER_HOUR", "3000"),
    ("MESSAGES_PER_HOUR", "2000"),
    ("MESSAGES_PER_DAY", "10000"),
    ("UNUSED_CODES_PER_PREFIX", "100"),
];
/// The time between the rounds of an owner.
const ROUND: Duration = Duration::from_secs(5);
/// The rounds between two codes of an owner. They take longer than the pause after a send, even if a round is late.
const ROUNDS_BETWEEN_CODES: u64 = 16;
/// The most codes of an owner in one siege. An account sends five to known sources in an hour.
const CODES: u64 = 4;
/// How often the lines of the functions are read. The stack keeps the newest 100,000.
const READ_LINES: Duration = Duration::from_secs(10);

/// Returns the value of an option.
fn option(name: &str, default: u64) -> u64 {
    let arguments: Vec<_> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == name);
    let value = given.and_then(|at| arguments.get(at.saturating_add(1)));
    value.map_or(default, |value| value.parse().unwrap())
}

/// The lines of the functions that were read so far.
#[derive(Default)]
struct Lines {
    last: Option<String>,
    refused: BTreeMap<(String, String), u64>,
    /// Whether lines were dropped before they were read.
    lost: bool,
}

impl Lines {
    fn read(&mut self, mut lines: Vec<String>) {
        let known = self.last.as_ref().map(|last| lines.iter().rposition(|line| line == last));
        let start = match known {
            Some(None) => {
                self.lost = true;
                0
            }
            Some(Some(at)) => at.saturating_add(1),
            None => 0,
        };
        let new = lines.split_off(start);
        for (cause, count) in refused_codes(&new) {
            let sum = self.refused.entry(cause).or_default();
            *sum = sum.saturating_add(count);
        }
        self.last = new.last().cloned().or_else(|| self.last.take());
    }
}

/// Returns the number of password attempts that the pauses of one account allow in this time.
fn most_attempts(seconds: u64) -> u64 {
    let mut record = PasswordAttempts::NONE;
    let start = Timestamp::from_seconds(1_000_000);
    let end = start.plus(Duration::from_secs(seconds));
    let (mut now, mut attempts) = (start, 0_u64);
    while now <= end {
        match Backoff::DEFAULT.admit(&record, now) {
            Ok(newer) => {
                record = newer;
                attempts = attempts.saturating_add(1);
            }
            Err(refused) => now = refused.retry_at,
        }
    }
    attempts
}

fn count(answers: &Answers, what: &str, status: u16) -> u64 {
    answers
        .iter()
        .filter(|((it, of), _)| *it == what && *of == status)
        .map(|(_, count)| count)
        .sum()
}

/// Prints the guesses that were compared, and the most that the limits allow. The source that asked for a code of Gotu has
/// five guesses, and all others have three together; a pin of `GoodCity` has five, for the client with its key.
fn print_guesses(refused: &BTreeMap<(String, String), u64>, answers: &Answers, tally: &Tally) {
    let of = |contract: &str, cause: &str| {
        refused.get(&(contract.to_owned(), cause.to_owned())).copied().unwrap_or(0)
    };
    let [_, owners] = tally.get(BY_CODE).copied().unwrap_or_default();
    let codes = count(answers, "Gotu: code for an owner", 204);
    let pins = count(answers, "GoodCity: pin for an owner", 200).saturating_add(count(
        answers,
        "GoodCity: request that sends nothing",
        200,
    ));
    let bounds = [
        ("gotu", codes.saturating_mul(8).saturating_add(owners.saturating_mul(3))),
        ("goodcity", pins.saturating_mul(5)),
    ];
    for (contract, bound) in bounds {
        println!(
            "{contract}: {} wrong codes compared, at most {bound} allowed; {} without a valid code, {} refused to a source",
            of(contract, "wrong_code"),
            of(contract, "no_code"),
            of(contract, "too_many_guesses"),
        );
    }
}

#[tokio::main]
async fn main() {
    let (seconds, workers) = (option("--seconds", 600), option("--workers", 256));
    let (addresses, owners) = (option("--addresses", 64), option("--owners", 50));
    let dollars = option("--usd-per-hour", 100);
    let [hour, day, all] = [1, 3, 5].map(|times| dollars.saturating_mul(times).to_string());
    let money = [
        ("MESSAGES_USD_PER_HOUR", hour.as_str()),
        ("MESSAGES_USD_PER_DAY", &day),
        ("MESSAGES_USD_PER_DAY_IN_ALL", &all),
        ("OTP_KEY_RING", KNOWN_RING),
    ];
    let env = [&DEPLOYED[..], &money].concat();
    let stack = &TestStack::with(&env).await;
    let (few, many) = (u8::try_from(owners).unwrap(), u8::try_from(addresses).unwrap());
    let siege = &Siege::prepare(stack, few, many).await;
    println!("{owners} owners are ready; {workers} attackers strike from {addresses} addresses");
    let started = Instant::now();
    let length = Duration::from_secs(seconds);
    let rounds = length.as_secs().checked_div(ROUND.as_secs().saturating_mul(CODES));
    let between = rounds.unwrap_or(0).max(ROUNDS_BETWEEN_CODES);
    let lines = Mutex::new(Lines::default());
    let over = || started.elapsed() >= length;
    let reading = async {
        let mut ticks = tokio::time::interval(READ_LINES);
        while !over() {
            ticks.tick().await;
            lines.lock().unwrap().read(stack.logs());
        }
    };
    let next_round = async |round: u64| {
        let begins = ROUND.saturating_mul(u32::try_from(round).unwrap());
        tokio::time::sleep_until(started.checked_add(begins).unwrap().into()).await;
        (!over()).then(|| round.checked_rem(between) == between.checked_sub(1))
    };
    let siege_run = siege.run(usize::try_from(workers).unwrap(), |_| !over(), next_round);
    futures_util::future::join(siege_run, reading).await;
    let took = started.elapsed().as_secs();
    let mut lines = lines.into_inner().unwrap();
    lines.read(stack.logs());
    for (what, [right, tries]) in siege.tally() {
        println!("owners, {what}: {right} of {tries} succeeded");
    }
    let answers = siege.answers();
    let (mut refusals, mut all) = (0_u64, 0_u64);
    for ((what, status), number) in &answers {
        println!("attackers, {what}: {number} times {status}");
        all = all.saturating_add(*number);
        refusals = refusals.saturating_add(if *status == 429 { *number } else { 0 });
    }
    print_guesses(&lines.refused, &answers, &siege.tally());
    let attempts = password_attempts(stack).await;
    println!(
        "passwords: {} wrong ones compared, {} at one account at most, {} allowed at each",
        attempts.iter().sum::<u64>(),
        attempts.iter().max().copied().unwrap_or(0),
        most_attempts(took),
    );
    println!("faults: {}", siege.faults());
    let rate = |number: u64| number.checked_div(took).unwrap_or(0);
    println!(
        "attackers: {} requests a second, {} of them refused with 429",
        rate(all),
        rate(refusals)
    );
    if lines.lost {
        println!("some lines were lost: the codes that were compared are more");
    }
    let mut failures = siege.failures();
    failures.sort();
    // Failures of one kind begin alike.
    failures.dedup_by(|one, other| one.chars().take(60).eq(other.chars().take(60)));
    for failure in failures {
        println!("failure: {failure}");
    }
}
