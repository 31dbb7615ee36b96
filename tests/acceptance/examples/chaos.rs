//! Signs people up while the carriers, the event bus and the table fail in turn and the relay is killed, and prints what was
//! lost, repeated or late: `cargo run -p acceptance --example chaos [-- --rounds 100]`.
//!
//! In each round of a phase one person asks for a text, one asks for a mail, and one signs up, which publishes two events. The
//! phases follow each other without a pause, so that the backlog of one is delivered in the next. `--phase "SNS hangs"` runs
//! one phase alone, `--every 2000` begins four rounds every two seconds and not as fast as they go, `--breaker 15` sets the pause
//! of a deployment, and `--lanes` the batches of a stream that are delivered at the same time (4; the template has
//! 10, which are too many for the embedded database at full speed).
//!
//! It judges nothing: nothing must be lost and no event must be out of order; a text is sent twice only if its relay was killed
//! after it was sent.

#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that fails, fails"
)]

use acceptance::faults::Fault;
use acceptance::gotu::user_id;
use acceptance::{NO_LIMITS, TestStack, all, gotu, new_email, new_phone};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The rounds that run at the same time.
const AT_ONCE: usize = 4;
/// The sweeps that are released together at the end of a phase.
const SWEEPS: usize = 8;
/// The longest time to wait for the last delivery.
const PATIENCE: Duration = Duration::from_mins(2);
const DAY: u64 = 86_400_000;

/// What fails: service, mode and how many calls of the relay it hits.
type Failure = (&'static str, &'static str, u32);

/// What fails in each phase.
const PHASES: [(&str, &[Failure]); 8] = [
    ("nothing fails", &[]),
    ("the bus answers errors", &[("events", "error", u32::MAX)]),
    ("the bus hangs", &[("events", "timeout", u32::MAX)]),
    ("SNS answers errors", &[("sns", "error", u32::MAX)]),
    ("SNS hangs", &[("sns", "timeout", u32::MAX)]),
    ("SES hangs", &[("ses", "timeout", u32::MAX)]),
    ("the table is throttled", &[("dynamodb", "throttle", 200)]),
    (
        "relays are killed",
        &[
            ("dynamodb", "crash-before", 3),
            ("dynamodb", "crash-after", 3),
            ("events", "crash-after", 3),
            ("sns", "crash-before", 3),
            ("sns", "crash-after", 3),
        ],
    ),
];

/// Who was served in a phase.
#[derive(Default)]
struct Served {
    phase: &'static str,
    /// The recipients of texts and of mails, with the time of the day of their requests in milliseconds.
    texts: Vec<(String, u64)>,
    mails: Vec<(String, u64)>,
    users: Vec<String>,
}

/// The milliseconds of the day.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap().checked_rem(DAY).unwrap()
}

/// The milliseconds of the day of a time such as `2026-11-27T03:42:34.123Z`.
fn of_day(time: &Value) -> u64 {
    let text = time.as_str().unwrap().split_once('T').unwrap().1.trim_end_matches('Z');
    let (seconds, millis) = text.split_once('.').unwrap_or((text, "0"));
    let units = seconds.split(':').map(|unit| unit.parse::<u64>().unwrap());
    let seconds = units.fold(0_u64, |sum, unit| sum.saturating_mul(60).saturating_add(unit));
    seconds.saturating_mul(1000).saturating_add(millis.parse().unwrap())
}

async fn round(stack: &TestStack) -> (String, String, u64, String) {
    let (phone, mail, asked) = (new_phone(), new_email(), now());
    let codes = [&phone, &mail].map(|to| gotu(stack).ask_for_code(to, "sign_up"));
    assert!(all(codes).await.iter().all(|reply| reply.status == 204));
    let user = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    (phone, mail, asked, user)
}

async fn sweep(stack: &TestStack) {
    // A killed relay answers with an error.
    drop(stack.invoke("relay", &json!({"source": "aws.events"})).await);
}

async fn serve(
    stack: &TestStack,
    phase: &'static str,
    faults: &[Failure],
    (rounds, every): (usize, Duration),
) -> Served {
    for (service, mode, count) in faults {
        stack.fault(&Fault::of(service, mode).in_function("relay").times(*count)).await;
    }
    let mut served = Served { phase, ..Served::default() };
    let mut ticks = tokio::time::interval(every);
    for _ in 0..rounds.div_ceil(AT_ONCE) {
        ticks.tick().await;
        for (phone, mail, asked, user) in all((0..AT_ONCE).map(|_| round(stack))).await {
            served.texts.push((phone, asked));
            served.mails.push((mail, asked));
            served.users.push(user);
        }
    }
    stack.clear_faults().await;
    all((0..SWEEPS).map(|_| sweep(stack))).await;
    served
}

/// The messages that reached recipients: how many did not, how many came twice, and the delays.
struct Arrived {
    lost: usize,
    repeated: usize,
    delays: Vec<u64>,
}

fn arrived(wanted: &[(String, u64)], sent: &BTreeMap<String, Vec<u64>>) -> Arrived {
    let mut found = Arrived { lost: 0, repeated: 0, delays: Vec::new() };
    for (to, asked) in wanted {
        match sent.get(to).map(Vec::as_slice) {
            None | Some([]) => found.lost = found.lost.saturating_add(1),
            Some([first, more @ ..]) => {
                found.repeated = found.repeated.saturating_add(more.len());
                let delay = first.saturating_add(DAY).saturating_sub(*asked).checked_rem(DAY);
                found.delays.push(delay.unwrap());
            }
        }
    }
    found.delays.sort_unstable();
    found
}

impl Arrived {
    fn at(&self, percent: usize) -> u64 {
        let index = self.delays.len().saturating_mul(percent).checked_div(100).unwrap();
        self.delays.get(index).or(self.delays.last()).copied().unwrap_or_default()
    }
}

/// The events of users: how many were lost, repeated and out of order.
fn published(users: &[String], events: &BTreeMap<String, Vec<Value>>) -> (usize, usize, usize) {
    let (mut lost, mut repeated, mut unordered) = (0_usize, 0_usize, 0_usize);
    for user in users {
        let mut ids = BTreeSet::new();
        let mut sequences = Vec::new();
        for event in events.get(user).into_iter().flatten() {
            if ids.insert(event["eventId"].as_str().unwrap()) {
                sequences.push(event["sequence"].as_u64().unwrap());
            } else {
                repeated = repeated.saturating_add(1);
            }
        }
        lost = lost.saturating_add(2_usize.saturating_sub(ids.len()));
        if !sequences.is_sorted() {
            unordered = unordered.saturating_add(1);
        }
    }
    (lost, repeated, unordered)
}

async fn drained(stack: &TestStack, started: Instant) -> usize {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        let left = stack.items("Outbox").await.len();
        if left == 0 || started.elapsed() > PATIENCE {
            return left;
        }
    }
}

/// The argument after `name`.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

#[tokio::main]
async fn main() {
    let rounds = argument("--rounds").map_or(100, |value| value.parse().unwrap());
    let every = argument("--every").map_or(1, |value| value.parse().unwrap());
    let every = Duration::from_millis(every);
    let (alone, breaker) = (argument("--phase"), argument("--breaker"));
    let breaker = breaker.as_deref().map(|seconds| ("BREAKER_SECONDS", seconds));
    let settings: Vec<_> = NO_LIMITS.into_iter().chain(breaker).collect();
    let lanes = argument("--lanes").map_or(4, |value| value.parse().unwrap());
    let stack = &TestStack::with_lanes(lanes, &settings).await;
    let mut phases = Vec::new();
    let wanted = |phase: &str| alone.as_deref().is_none_or(|alone| alone == phase);
    for (phase, faults) in PHASES.into_iter().filter(|(phase, _)| wanted(phase)) {
        phases.push(serve(stack, phase, faults, (rounds, every)).await);
    }
    let started = Instant::now();
    let left = drained(stack, started).await;
    println!(
        "{left} entries are left {:.0} s after the last phase",
        started.elapsed().as_secs_f64()
    );
    let mut sent = BTreeMap::<_, Vec<_>>::new();
    for message in stack.local("messages").await["messages"].as_array().unwrap() {
        let to = message["to"].as_str().unwrap().to_owned();
        sent.entry(to).or_default().push(of_day(&message["sentAt"]));
    }
    let mut events = BTreeMap::<_, Vec<_>>::new();
    for event in stack.all_events().await {
        let user = event["detail"]["userId"].as_str().unwrap_or_default().to_owned();
        events.entry(user).or_default().push(event["detail"].clone());
    }
    println!(
        "| phase | texts lost | sent twice | median, p90 | mails lost | sent twice | median, p90 | events lost | repeated | out of order |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for served in phases {
        let (texts, mails) = (arrived(&served.texts, &sent), arrived(&served.mails, &sent));
        let (lost, repeated, unordered) = published(&served.users, &events);
        println!(
            "| {} | {} | {} | {}, {} ms | {} | {} | {}, {} ms | {lost} | {repeated} | {unordered} |",
            served.phase,
            texts.lost,
            texts.repeated,
            texts.at(50),
            texts.at(90),
            mails.lost,
            mails.repeated,
            mails.at(50),
            mails.at(90),
        );
    }
}
