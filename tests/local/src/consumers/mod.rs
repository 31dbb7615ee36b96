//! The consumers of the events: other services, which get what the functions put on the bus.
//!
//! A consumer is a URL of the flag `--consumer`, or a target of a rule in another team's template
//! (`--with`), whose events a queue keeps. [`Plan::read`] checks the options before the build.
//! [`Consumers::publish`] gets every event and hands it to the consumers whose [`pattern`] takes it;
//! [`delivery`] brings it there, each consumer by itself. [`api`] shows and changes what happens, and
//! [`sqs`] serves the queues.

mod api;
mod delivery;
mod envelope;
mod pattern;
mod plan;
mod queues;
mod sqs;

use crate::clock::Clock;
use crate::logs::Logs;
use crate::records::Event;
use crate::sync::lock;
use anyhow::Context;
use delivery::{Courier, Mode};
use envelope::Envelope;
use pattern::Pattern;
use queues::Queues;
use reqwest::Url;
use serde::Serialize;
use std::sync::{Arc, Mutex};
use template::Input;
use tokio::sync::{mpsc, watch};

pub(crate) use api::router;
pub use delivery::Retries;
pub(crate) use plan::Plan;
pub use plan::WebConsumer;

/// All consumers.
#[derive(Debug, Default)]
pub(crate) struct Consumers {
    inlets: Vec<Inlet>,
    mode: watch::Sender<Mode>,
    queues: Arc<Queues>,
    /// The clock of the queues.
    clock: Clock,
}

/// A consumer, and where its events come in.
#[derive(Debug)]
struct Inlet {
    consumer: Arc<Consumer>,
    events: mpsc::UnboundedSender<Arc<Envelope>>,
}

/// A consumer.
#[derive(Debug)]
struct Consumer {
    /// The URL, or the file, the rule and the target.
    name: String,
    /// The name of its rule; empty for a URL.
    rule: String,
    /// The name of its bus; `None` for any.
    bus: Option<String>,
    /// `None` for every event.
    pattern: Option<Pattern>,
    place: Place,
    input: Input,
    counts: Mutex<Counts>,
}

/// Where events are delivered to.
#[derive(Debug)]
enum Place {
    Url(Url),
    /// A queue of the stack, by its name.
    Queue(String),
}

/// What became of the events that a consumer was to get.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    /// The events that the pattern took.
    matched: usize,
    delivered: usize,
    /// The deliveries that were given up.
    failed: usize,
    /// The deliveries that are not finished.
    waiting: usize,
    last_error: Option<String>,
}

impl Consumers {
    /// Starts to deliver. The tasks run on the runtime of the caller.
    pub(crate) fn start(
        plan: Plan,
        retries: Retries,
        clock: &Clock,
        logs: &Arc<Logs>,
    ) -> anyhow::Result<Self> {
        for note in &plan.notes {
            logs.stack(note);
        }
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("failed to make the client of the consumers")?;
        let queues = Arc::new(Queues::new(plan.queues));
        let (mode, _) = watch::channel(Mode::default());
        let inlets = plan.consumers.into_iter().map(|consumer| {
            let consumer = Arc::new(consumer);
            let (sender, events) = mpsc::unbounded_channel();
            let courier = Courier {
                consumer: Arc::clone(&consumer),
                events,
                mode: mode.subscribe(),
                retries,
                client: client.clone(),
                queues: Arc::clone(&queues),
                clock: clock.clone(),
                logs: Arc::clone(logs),
            };
            tokio::spawn(courier.run());
            Inlet { consumer, events: sender }
        });
        let inlets = inlets.collect();
        Ok(Self { inlets, mode, queues, clock: clock.clone() })
    }

    /// Empties the queues, and delivers as AWS does again.
    pub(crate) fn clear(&self) {
        self.queues.all().for_each(queues::Queue::purge);
        self.mode.send_replace(Mode::default());
    }

    /// Delivers an event to every consumer that wants it, later, and returns their number. `replay` is the
    /// name of the replay that repeats the event.
    pub(crate) fn publish(&self, event: &Event, replay: Option<&str>) -> usize {
        if self.inlets.is_empty() {
            return 0;
        }
        // The detail of an event is JSON, so the envelope is JSON too.
        let Ok(envelope) = Envelope::new(event, replay) else { return 0 };
        let envelope = Arc::new(envelope);
        let mut wanted = 0_usize;
        for Inlet { consumer, events } in &self.inlets {
            if consumer.wants(&event.bus_name, &envelope) {
                consumer.count(|counts| {
                    counts.matched = counts.matched.saturating_add(1);
                    counts.waiting = counts.waiting.saturating_add(1);
                });
                // A courier ends with the stack only.
                drop(events.send(Arc::clone(&envelope)));
                wanted = wanted.saturating_add(1);
            }
        }
        wanted
    }
}

impl Consumer {
    fn wants(&self, bus: &str, event: &Envelope) -> bool {
        self.bus.as_ref().is_none_or(|own| own == bus)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.takes(&event.json))
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.counts));
    }
}
