//! A simulation of requests that meet at items, with DynamoDB's rules: a transaction holds its items for some time, a write that
//! meets a held item conflicts, and an item takes 1,000 write units in a second.
//!
//! It is the same for the same seed. A write that conflicts or is throttled takes its units all the same, and comes again after
//! the pause of `adapters::dynamodb::transaction`. A transaction that is cancelled holds nothing. An index has no conflicts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The write units that an item takes in a second, and the most that it takes at once.
pub(super) const WRITE_LIMIT: f64 = 1000.0;
/// The tries of the program at a write, see `adapters::dynamodb::transaction`.
const TRIES: u32 = 8;
/// The first pause of the program in milliseconds. It doubles with each failure.
const FIRST_PAUSE_MS: u64 = 20;
/// The longest pause of the program in milliseconds.
const LONGEST_PAUSE_MS: u64 = 1280;
/// The time limit of a transaction with all its tries, in microseconds.
const COMMIT_TIME_US: u64 = 8_000_000;

/// Items of one kind, of which each request picks one at random.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family {
    /// The table and the key, without the number of the shard and the window.
    pub(super) name: String,
    pub(super) shards: u64,
    /// Whether it is an index, which has no conflicts.
    pub(super) is_index: bool,
}

/// A write to some families, which requests repeat.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) is_transaction: bool,
    /// The numbers of the families, each with the units of the write.
    pub(super) writes: Vec<(usize, u64)>,
    /// How many of these writes a sign-up makes.
    pub(super) times: f64,
}

/// What the requests of one hot thing write.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    pub(super) families: Vec<Family>,
    pub(super) shapes: Vec<Shape>,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// How long a transaction holds its items, in microseconds.
    pub(super) hold_us: u64,
    pub(super) sign_ups: u32,
    pub(super) seed: u64,
}

/// What a simulation counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// The tries that conflicted or were throttled.
    pub(super) conflicts_per_100: f64,
    /// Writes that ran out of tries.
    pub(super) failures_per_1000: f64,
    /// The write units a second of the busiest item, with those of repeated writes.
    pub(super) units: f64,
}

impl Load {
    /// The write units of a sign-up that reach the busiest item, or the busiest key of an index, and its family.
    pub(super) fn hottest(&self, is_index: bool) -> Option<(f64, &Family)> {
        let families = self.families.iter().enumerate();
        let of_kind = families.filter(|(_, family)| family.is_index == is_index);
        let units = of_kind.map(|(number, family)| {
            let of = |shape: &Shape| {
                let own = shape.writes.iter().filter(|(other, _)| *other == number);
                shape.times * own.map(|(_, units)| float(*units)).sum::<f64>()
            };
            (self.shapes.iter().map(of).sum::<f64>() / float(family.shards), family)
        });
        units.max_by(|(one, _), (other, _)| one.total_cmp(other))
    }
}

/// A generator of numbers that look random (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to 1, without 0.
    fn share(&mut self) -> f64 {
        (float(self.next() >> 32) + 1.0) / 4_294_967_296.0
    }

    /// The time until the next event of so many a second, in microseconds.
    fn until_next(&mut self, per_second: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a time that is not negative"
        )]
        let time = (-self.share().ln() / per_second * 1e6) as u64;
        time
    }
}

#[derive(Clone, Copy, Default)]
struct Item {
    held_until: u64,
    /// The units that it takes at once, and since when.
    room: f64,
    since: u64,
    taken: u64,
}

impl Item {
    /// Takes units, and returns whether there was room for them.
    fn take(&mut self, units: u64, now: u64) -> bool {
        let gained = float(now.saturating_sub(self.since)) / 1e6 * WRITE_LIMIT;
        self.room = (self.room + gained).min(WRITE_LIMIT);
        self.since = now;
        let has_room = self.room >= float(units);
        if has_room {
            self.room -= float(units);
            self.taken += units;
        }
        has_room
    }
}

/// A write on its way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    at: u64,
    started: u64,
    failures: u32,
    shape: usize,
    /// The numbers of the items, in the order of the shape's families.
    items: Vec<usize>,
}

struct World<'a> {
    load: &'a Load,
    hold_us: u64,
    items: Vec<Item>,
    numbers: Numbers,
    conflicts: u64,
    failures: u64,
}

/// Simulates sign-ups that arrive at random, so many a second. Each of their writes arrives by itself.
pub(super) fn simulate(load: &Load, per_second: f64, settings: Settings) -> Outcome {
    let times: f64 = load.shapes.iter().map(|shape| shape.times).sum();
    if times <= 0.0 {
        return Outcome::default();
    }
    let families = load.families.iter();
    let count: u64 = families.map(|family| family.shards).sum();
    let full = Item { room: WRITE_LIMIT, ..Item::default() };
    let items = (0..count).map(|_| full).collect();
    let numbers = Numbers(settings.seed);
    let mut world =
        World { load, hold_us: settings.hold_us, items, numbers, conflicts: 0, failures: 0 };
    let sign_ups = f64::from(settings.sign_ups);
    let mut jobs = BinaryHeap::new();
    let (mut next, mut left) = (0_u64, sign_ups * times);
    let mut end = 0;
    loop {
        // The next write of a new request, or the next try of an earlier one.
        let first = jobs.peek().map(|Reverse(job): &Reverse<Job>| job.at);
        let job = if left > 0.0 && first.is_none_or(|first| next <= first) {
            left -= 1.0;
            let job = world.arrival(next, times);
            next += world.numbers.until_next(per_second * times);
            job
        } else if let Some(Reverse(job)) = jobs.pop() {
            job
        } else {
            break;
        };
        end = job.at;
        jobs.extend(world.try_once(job).map(Reverse));
    }
    let most = world.items.iter().map(|item| item.taken).max().unwrap_or_default();
    Outcome {
        conflicts_per_100: float(world.conflicts) * 100.0 / sign_ups,
        failures_per_1000: float(world.failures) * 1000.0 / sign_ups,
        units: float(most) * 1e6 / float(end.max(1)),
    }
}

impl World<'_> {
    /// Returns the first try of a write of a random shape.
    fn arrival(&mut self, at: u64, times: f64) -> Job {
        let mut point = self.numbers.share() * times;
        let mut shapes = self.load.shapes.iter().enumerate();
        let found = shapes.find(|(_, shape)| {
            point -= shape.times;
            point <= 0.0
        });
        let shape = found.map_or(0, |(number, _)| number);
        let load = self.load;
        let items = load.shapes[shape].writes.iter().map(|(family, _)| {
            let before: u64 = load.families[..*family].iter().map(|family| family.shards).sum();
            let shard = self.numbers.next() % load.families[*family].shards.max(1);
            usize::try_from(before + shard).unwrap_or_default()
        });
        Job { at, started: at, failures: 0, shape, items: items.collect() }
    }

    /// Makes one try, and returns the next one if there is any.
    fn try_once(&mut self, mut job: Job) -> Option<Job> {
        let shape = &self.load.shapes[job.shape];
        let (mut is_held, mut has_room) = (false, true);
        for (item, (family, units)) in job.items.iter().zip(&shape.writes) {
            let item = &mut self.items[*item];
            is_held |= !self.load.families[*family].is_index && item.held_until > job.at;
            has_room &= item.take(*units, job.at);
        }
        if has_room && !is_held {
            let until = if shape.is_transaction { job.at + self.hold_us } else { job.at };
            for item in &job.items {
                self.items[*item].held_until = until;
            }
            return None;
        }
        self.conflicts += 1;
        // The pause before the second try at an update is already twice as long.
        let doublings = if shape.is_transaction { job.failures } else { job.failures + 1 };
        let most = (FIRST_PAUSE_MS << doublings).min(LONGEST_PAUSE_MS);
        job.failures += 1;
        job.at += (((most * (self.numbers.next() >> 48)) >> 16) + 1) * 1000;
        let is_over = job.failures >= TRIES || job.at - job.started > COMMIT_TIME_US;
        self.failures += u64::from(is_over);
        (!is_over).then_some(job)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(super) const fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings { hold_us: 20_000, sign_ups: 5000, seed: 1 };

    fn load(shards: u64) -> Load {
        let family = Family { name: "b".to_owned(), shards, is_index: false };
        let shape = Shape { is_transaction: true, writes: vec![(0, 2)], times: 1.0 };
        Load { families: vec![family], shapes: vec![shape] }
    }

    #[test]
    fn the_pauses_are_those_of_the_program() {
        let source = include_str!("../../../../shared/src/adapters/dynamodb/transaction.rs");
        for constant in [
            format!("const TRIES: u32 = {TRIES};"),
            format!("const FIRST_PAUSE_MS: u64 = {FIRST_PAUSE_MS};"),
            format!("const LONGEST_PAUSE_MS: u64 = {LONGEST_PAUSE_MS};"),
            format!(
                "const COMMIT_TIME: Duration = Duration::from_secs({});",
                COMMIT_TIME_US / 1_000_000
            ),
        ] {
            assert!(source.contains(&constant), "{constant}");
        }
    }

    #[test]
    fn requests_that_are_far_apart_do_not_conflict_and_those_that_overlap_do() {
        let calm = simulate(&load(1), 0.1, SETTINGS);
        assert!(calm.conflicts_per_100 < 1.0 && calm.failures_per_1000 < 0.001, "{calm:?}");
        let busy = simulate(&load(1), 100.0, SETTINGS);
        assert!(busy.failures_per_1000 > 100.0, "{busy:?}");
        let spread = simulate(&load(16), 100.0, SETTINGS);
        assert!(spread.failures_per_1000 < 1.0, "{spread:?}");
        assert_eq!(spread, simulate(&load(16), 100.0, SETTINGS));
    }

    #[test]
    fn an_item_takes_1000_units_in_a_second() {
        let free = Settings { hold_us: 0, ..SETTINGS };
        let outcome = simulate(&load(1), 2000.0, free);
        assert!(outcome.units < 1500.0 && outcome.failures_per_1000 > 1.0, "{outcome:?}");
        let below = simulate(&load(1), 200.0, free);
        assert!((380.0..420.0).contains(&below.units), "{below:?}");
        assert_eq!(load(1).hottest(false).map(|(units, _)| units), Some(2.0));
    }
}
