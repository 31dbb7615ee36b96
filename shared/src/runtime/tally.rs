//! What one request did, added up.

use crate::ports::COUNTS;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The name of the store among the services.
const STORE: &str = "DYNAMODB";

/// Lambda hands a process one request at a time, so there is one tally.
static CURRENT: Mutex<Tally> = Mutex::new(Tally::EMPTY);

/// What was counted under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The metric.
    pub(super) metric: String,
    /// Whose users it is about; empty if nobody's.
    pub(super) contract: String,
    /// Why, where it has causes; else empty.
    pub(super) cause: String,
}

/// Counts of one request.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What the core counted: a value for each time.
    pub(super) counts: BTreeMap<Key, Vec<u64>>,
    /// Calls of any service.
    pub(super) calls: u64,
    /// Calls of the store.
    pub(super) store_calls: u64,
    /// How long these took; calls at once count each.
    pub(super) store_time: Duration,
    /// Write units that the store reported.
    pub(super) write_units: f64,
    /// Log lines of the level `ERROR`.
    pub(super) error_lines: u64,
}

impl Tally {
    const EMPTY: Self = Self {
        counts: BTreeMap::new(),
        calls: 0,
        store_calls: 0,
        store_time: Duration::ZERO,
        write_units: 0.0,
        error_lines: 0,
    };

    /// What was counted since the last time.
    pub(super) fn take() -> Self {
        mem::take(&mut CURRENT.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The values of a metric, whoever they are about.
    pub(super) fn values(&self, metric: &str) -> impl Iterator<Item = u64> {
        let counts = self.counts.iter().filter(move |(key, _)| key.metric == metric);
        counts.flat_map(|(_, values)| values.iter().copied())
    }

    /// The cause of a refused code.
    pub(super) fn cause(&self) -> Option<&str> {
        self.counts.keys().map(|key| key.cause.as_str()).find(|cause| !cause.is_empty())
    }

    fn add(&mut self, said: Said) {
        if let Some(took) = said.call_micros {
            self.calls = self.calls.saturating_add(1);
            if said.service == STORE {
                self.store_calls = self.store_calls.saturating_add(1);
                self.store_time = self.store_time.saturating_add(Duration::from_micros(took));
                self.write_units += said.write_units;
            }
        } else if !said.metric.is_empty() {
            let key = Key { metric: said.metric, contract: said.contract, cause: said.cause };
            self.counts.entry(key).or_default().push(said.value);
        }
    }
}

/// The fields of one count.
#[derive(Default)]
struct Said {
    metric: String,
    contract: String,
    cause: String,
    value: u64,
    service: String,
    call_micros: Option<u64>,
    write_units: f64,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "metric" => value.clone_into(&mut self.metric),
            "contract" => value.clone_into(&mut self.contract),
            "cause" => value.clone_into(&mut self.cause),
            "service" => value.clone_into(&mut self.service),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "value" => self.value = value,
            "call_micros" => self.call_micros = Some(value),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "write_units" {
            self.write_units = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// Adds counts, and the number of error lines, to the tally.
pub(super) struct TallyLayer;

impl<S: Subscriber> Layer<S> for TallyLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let counts = event.metadata().target() == COUNTS;
        if !counts && *event.metadata().level() != Level::ERROR {
            return;
        }
        let mut said = Said::default();
        if counts {
            event.record(&mut said);
        }
        let mut tally = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if counts {
            tally.add(said);
        } else {
            tally.error_lines = tally.error_lines.saturating_add(1);
        }
    }
}
