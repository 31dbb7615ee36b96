//! Random histories of one key and of processes that use it, compared with a model.
//!
//! What the model knows of a key are four times: when it was published, when it began to sign, when
//! it was replaced, and, for each token, when that ends. It knows nothing of stages, versions and
//! copies.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use latchkey::domain::challenge::KeyId;
use latchkey::domain::key_rotation::KeyRotationOutcome::{
    self, Conflict, Promoted, Published, Unchanged,
};
use latchkey::domain::time::Timestamp;
use latchkey::ports::{CheckedToken, Clock as _};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;
use usecases::{COPY_LIFETIME, KEY, Keys, Mishap, Process, UNTIL_KNOWN};

/// The shortest interval that the template allows.
const INTERVAL: Duration = Duration::from_hours(31 * 24);
/// The longest lifetime of anything that a key signs.
const TOKEN_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// The longest time for which a process cannot read the ring: a token that it signs with a key that
/// was replaced in the meantime must still end before that key leaves the ring.
const LONGEST_OUTAGE: Duration = Duration::from_hours(24);
/// The pause after a read that failed.
const PAUSE: Duration = Duration::from_mins(1);
const PROCESSES: usize = 3;

/// A step of a history. A number names a process.
#[derive(Clone, Debug)]
enum Step {
    Wait(Duration),
    Rotate(Run),
    /// Signs a token.
    Sign(usize),
    /// Looks at every token that has not ended.
    Check(usize),
    /// Looks at a token of a key that does not exist.
    CheckForged(usize),
    /// Signs a token, and looks at every token, while the ring cannot be read.
    Outage(usize),
    /// Ends, and starts again without a copy of the ring.
    Restart(usize),
}

/// A run of the rotation.
#[derive(Clone, Copy, Debug)]
enum Run {
    Alone,
    /// Two runs that read the same state.
    Twice,
    /// The process ends before its step.
    EndsBefore,
    /// The process ends after its step.
    EndsAfter,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let process = || 0..PROCESSES;
    // Secrets Manager writes times as decimal fractions of seconds. Only whole seconds are exact.
    let up_to = |span: Duration| (0..span.as_secs()).prop_map(Duration::from_secs);
    let second = Duration::from_secs(1);
    let wait = prop_oneof![
        1 => up_to(COPY_LIFETIME),
        1 => up_to(INTERVAL),
        1 => Just(COPY_LIFETIME),
        1 => Just(UNTIL_KNOWN.saturating_sub(second)),
        2 => Just(UNTIL_KNOWN),
        1 => Just(TOKEN_LIFETIME.saturating_sub(second)),
        2 => Just(INTERVAL),
    ];
    let run = prop_oneof![
        4 => Just(Run::Alone),
        1 => Just(Run::Twice),
        1 => Just(Run::EndsBefore),
        1 => Just(Run::EndsAfter),
    ];
    let step = prop_oneof![
        6 => wait.prop_map(Step::Wait),
        6 => run.prop_map(Step::Rotate),
        4 => process().prop_map(Step::Sign),
        3 => process().prop_map(Step::Check),
        1 => process().prop_map(Step::CheckForged),
        1 => process().prop_map(Step::Outage),
        1 => process().prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 20..60)
}

/// A key, as the model knows it.
struct Key {
    id: KeyId,
    /// The time at which it began to sign.
    promoted: Option<Timestamp>,
    /// The time at which the next one began to sign.
    replaced: Option<Timestamp>,
}

/// The keys, oldest first.
struct Model {
    keys: Vec<Key>,
    /// The time of the last step.
    changed: Timestamp,
}

impl Model {
    fn current(&self) -> &Key {
        self.keys.iter().rfind(|key| key.promoted.is_some()).unwrap()
    }

    fn next(&self) -> Option<&Key> {
        self.keys.last().filter(|key| key.promoted.is_none())
    }

    /// Returns the step that is due.
    fn due(&self, now: Timestamp) -> KeyRotationOutcome {
        let age = now.since(self.changed);
        match self.next() {
            None if age >= INTERVAL => Published,
            Some(_) if age >= UNTIL_KNOWN => Promoted,
            _ => Unchanged,
        }
    }

    fn publish(&mut self, id: KeyId, now: Timestamp) {
        assert!(self.keys.iter().all(|key| key.id != id), "a key came back");
        self.keys.push(Key { id, promoted: None, replaced: None });
        self.changed = now;
    }

    fn promote(&mut self, now: Timestamp) {
        let [.., current, next] = &mut *self.keys else { panic!("no next key") };
        (current.replaced, next.promoted) = (Some(now), Some(now));
        self.changed = now;
    }

    /// Requires that a process may sign with a key that was the current one at some time after
    /// `since`.
    fn assert_may_sign(&self, id: &KeyId, since: Timestamp) {
        let key = self.keys.iter().find(|key| key.id == *id).unwrap();
        assert!(key.promoted.is_some(), "a key signs that not every process knows");
        assert!(key.replaced.is_none_or(|at| at > since), "a key signs for too long");
    }
}

/// A process, and what is known of its copy of the ring.
struct Host {
    process: Process,
    /// The last time at which it had a copy that was younger than its lifetime.
    synced: Option<Timestamp>,
    /// The time of the last use while the ring could not be read.
    failed: Option<Timestamp>,
}

impl Host {
    fn new(keys: &Keys) -> Self {
        Self { process: keys.process(), synced: None, failed: None }
    }

    /// Returns whether a read may just have failed.
    fn may_lack_keys(&self, now: Timestamp) -> bool {
        self.failed.is_some_and(|at| now.since(at) < PAUSE)
    }
}

/// A token and the time at which it ends.
struct Token {
    text: String,
    key: KeyId,
    end: Timestamp,
}

/// What happened in all histories.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    promotions: usize,
    /// Tokens that a process accepted although their key signed no more.
    outlived: usize,
    conflicts: usize,
    crashes: usize,
    outages: usize,
    /// Tokens whose key a process could not look for.
    unknown: usize,
}

/// One history.
struct History<'a> {
    keys: Keys,
    hosts: Vec<Host>,
    tokens: Vec<Token>,
    model: Model,
    forged: &'a str,
    seen: &'a mut Seen,
}

impl<'a> History<'a> {
    async fn begin(forged: &'a str, seen: &'a mut Seen) -> Self {
        let mut keys = Keys::new();
        keys.policy.interval = INTERVAL;
        let now = keys.clock.now();
        let first = keys.rotate().await.current;
        let model = Model {
            keys: vec![Key { id: first, promoted: Some(now), replaced: None }],
            changed: now,
        };
        let hosts = (0..PROCESSES).map(|_| Host::new(&keys)).collect();
        Self { keys, hosts, tokens: Vec::new(), model, forged, seen }
    }

    fn now(&self) -> Timestamp {
        self.keys.clock.now()
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Wait(span) => self.keys.wait(span),
            Step::Rotate(run) => self.rotate(run).await,
            Step::Sign(host) => self.sign(host).await,
            Step::Check(host) => self.check(host).await,
            Step::CheckForged(host) => self.check_forged(host).await,
            Step::Outage(host) => self.outage(host).await,
            Step::Restart(host) => self.hosts[host] = Host::new(&self.keys),
        }
    }

    async fn rotate(&mut self, run: Run) {
        let (now, due) = (self.now(), self.model.due(self.now()));
        let operation = match due {
            Published => Some("PutSecretValue"),
            Promoted => Some("UpdateSecretVersionStage"),
            _ => None,
        };
        match (run, operation) {
            (Run::EndsBefore, Some(operation)) => {
                self.keys.secrets.at_next(operation, Mishap::CrashBefore);
                self.keys.rotate_until_crash().await;
                self.seen.crashes += 1;
                return;
            }
            (Run::EndsAfter, Some(operation)) => {
                self.keys.secrets.at_next(operation, Mishap::CrashAfter);
                self.keys.rotate_until_crash().await;
                self.seen.crashes += 1;
            }
            (Run::Twice, Some(_)) => {
                let runs = (self.keys.rotate(), self.keys.rotate());
                let (one, other) = self.keys.together(runs.0, runs.1).await;
                let mut outcomes = [one.outcome, other.outcome];
                outcomes.sort_by_key(|outcome| *outcome == Conflict);
                assert_eq!(outcomes, [due, Conflict]);
                self.seen.conflicts += 1;
            }
            _ => assert_eq!(self.keys.rotate().await.outcome, due),
        }
        // The next run finds nothing to do, and what was done.
        let turn = self.keys.rotate().await;
        assert_eq!(turn.outcome, Unchanged);
        match due {
            Published => self.model.publish(turn.next.clone().unwrap(), now),
            Promoted => {
                self.model.promote(now);
                self.seen.promotions += 1;
            }
            _ => {}
        }
        assert_eq!(turn.current, self.model.current().id);
        assert_eq!(turn.next.as_ref(), self.model.next().map(|key| &key.id));
        let versions: BTreeSet<_> = self.keys.secrets.labels(KEY).into_values().collect();
        assert!(versions.len() <= 3, "{versions:?}");
    }

    /// Notes that a process uses its copy of the ring while the ring can be read.
    fn uses(&mut self, host: usize) {
        let now = self.now();
        let host = &mut self.hosts[host];
        if !host.may_lack_keys(now) {
            host.synced = Some(now);
        }
    }

    async fn sign(&mut self, host: usize) {
        self.uses(host);
        self.try_sign(host).await;
    }

    /// Signs a token, which other processes must accept until it ends.
    async fn try_sign(&mut self, host: usize) {
        let (now, host) = (self.now(), &self.hosts[host]);
        let text = host.process.try_sign(self.tokens.len()).await.ok();
        let Some(synced) = host.synced else {
            return assert!(text.is_none(), "a process signs without a ring");
        };
        if now.since(synced) < LONGEST_OUTAGE {
            let key = host.process.signs_with().await;
            self.model.assert_may_sign(&key, synced.minus(COPY_LIFETIME));
            self.tokens.push(Token { text: text.unwrap(), key, end: now.plus(TOKEN_LIFETIME) });
        }
    }

    async fn check(&mut self, host: usize) {
        self.check_all(host).await;
        if !self.tokens.is_empty() {
            self.uses(host);
        }
    }

    /// Looks at every token that has not ended.
    async fn check_all(&mut self, host: usize) {
        let now = self.now();
        self.tokens.retain(|token| now < token.end);
        let host = &self.hosts[host];
        for token in &self.tokens {
            match host.process.check(&token.text).await {
                Ok(CheckedToken::Genuine(_)) => {
                    let outlived = token.key != self.model.current().id;
                    self.seen.outlived += usize::from(outlived);
                }
                Ok(CheckedToken::Forged) => panic!("a process refuses a token: {}", token.text),
                Err(error) => {
                    assert!(host.may_lack_keys(now), "{error:?}");
                    self.seen.unknown += 1;
                }
            }
        }
    }

    async fn check_forged(&mut self, host: usize) {
        self.uses(host);
        let now = self.now();
        let host = &self.hosts[host];
        match host.process.check(self.forged).await {
            Ok(checked) => assert_eq!(checked, CheckedToken::Forged),
            Err(error) => assert!(host.may_lack_keys(now), "{error:?}"),
        }
    }

    async fn outage(&mut self, host: usize) {
        let now = self.now();
        self.seen.outages += 1;
        self.keys.secrets.set_unreadable(true);
        self.hosts[host].failed = Some(now);
        self.try_sign(host).await;
        self.check_all(host).await;
        self.keys.secrets.set_unreadable(false);
        // A process that never read the ring does not pause.
        let host = &mut self.hosts[host];
        host.failed = host.failed.filter(|_| host.synced.is_some());
    }
}

#[test]
fn no_history_refuses_a_token_before_its_end() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let forged = runtime.block_on(async {
        let others = Keys::new();
        others.replace().await;
        others.process().sign().await
    });
    let seen = std::cell::RefCell::new(Seen::default());
    let (mut runner, seed) = super::runner();
    let result = runner.run(&steps(), |steps| {
        let seen = &mut *seen.borrow_mut();
        runtime.block_on(async {
            let mut history = History::begin(&forged, seen).await;
            for step in steps {
                history.take(step).await;
            }
            for host in 0..PROCESSES {
                history.check(host).await;
            }
        });
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("with the seed {seed}: {error}"));
    // The histories are worth the comparison.
    let seen = seen.into_inner();
    let Seen { promotions, outlived, conflicts, crashes, outages, unknown } = seen;
    let least = [promotions, outlived, conflicts, crashes, outages, unknown].into_iter().min();
    let expected = usize::try_from(runner.config().cases / 8).unwrap();
    assert!(least >= Some(expected), "{seen:?}");
}
