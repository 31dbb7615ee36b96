//! The counters of one request: metrics, calls, write units, error lines.

use crate::ports::METRIC_EVENTS;
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

/// The counters of the current request. Lambda gives a process one request at a time.
static CURRENT: Mutex<Counters> = Mutex::new(Counters::EMPTY);

/// A metric with the values of its dimensions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) metric: String,
    /// The contract that the value belongs to, if there is one.
    pub(super) contract: Option<String>,
    /// The cause, if the metric has causes.
    pub(super) cause: Option<String>,
    /// The entry of the price table or the part of the outbox, if the metric has groups.
    pub(super) group: Option<String>,
}

/// The counters of one request.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// The values of the core's metrics.
    pub(super) counts: BTreeMap<Key, Vec<u64>>,
    /// The calls to all services.
    pub(super) calls: u64,
    /// The calls to the store.
    pub(super) store_calls: u64,
    /// The duration of these calls. Concurrent calls are added.
    pub(super) store_time: Duration,
    /// The write units that the store reported.
    pub(super) write_units: f64,
    /// The log lines of the level `ERROR`.
    pub(super) error_lines: u64,
}

impl Counters {
    const EMPTY: Self = Self {
        counts: BTreeMap::new(),
        calls: 0,
        store_calls: 0,
        store_time: Duration::ZERO,
        write_units: 0.0,
        error_lines: 0,
    };

    /// Returns the counters, and sets them to zero.
    pub(super) fn take() -> Self {
        mem::take(&mut CURRENT.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The values of a metric, for all contracts and causes.
    pub(super) fn values(&self, metric: &str) -> impl Iterator<Item = u64> {
        let counts = self.counts.iter().filter(move |(key, _)| key.metric == metric);
        counts.flat_map(|(_, values)| values.iter().copied())
    }

    /// The cause of a refused code.
    pub(super) fn cause(&self) -> Option<&str> {
        self.counts.keys().find_map(|key| key.cause.as_deref())
    }

    fn add(&mut self, recorded: Recorded) {
        if let Some(took) = recorded.call_micros {
            self.calls = self.calls.saturating_add(1);
            if recorded.service == STORE {
                self.store_calls = self.store_calls.saturating_add(1);
                self.store_time = self.store_time.saturating_add(Duration::from_micros(took));
                self.write_units += recorded.write_units;
            }
        } else if let Some(metric) = recorded.metric {
            let Recorded { contract, cause, group, .. } = recorded;
            let key = Key { metric, contract, cause, group };
            self.counts.entry(key).or_default().push(recorded.value);
        }
    }
}

/// The fields of one event of the target [`METRIC_EVENTS`].
#[derive(Default)]
struct Recorded {
    metric: Option<String>,
    contract: Option<String>,
    cause: Option<String>,
    group: Option<String>,
    value: u64,
    service: String,
    call_micros: Option<u64>,
    write_units: f64,
}

/// The text of a field. The core leaves a field empty that does not apply.
fn given(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

impl Visit for Recorded {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "metric" => self.metric = given(value),
            "contract" => self.contract = given(value),
            "cause" => self.cause = given(value),
            "group" => self.group = given(value),
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

/// The layer that adds the core's metrics, the calls and the error lines to the counters.
pub(super) struct CountingLayer;

impl<S: Subscriber> Layer<S> for CountingLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let counts = event.metadata().target() == METRIC_EVENTS;
        if !counts && *event.metadata().level() != Level::ERROR {
            return;
        }
        let mut recorded = Recorded::default();
        if counts {
            event.record(&mut recorded);
        }
        let mut counters = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if counts {
            counters.add(recorded);
        } else {
            counters.error_lines = counters.error_lines.saturating_add(1);
        }
    }
}
