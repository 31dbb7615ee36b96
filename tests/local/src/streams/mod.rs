//! Tables' streams as event sources of functions, with Lambda's rules for retries.

mod delivery;
mod positions;
mod progress;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use dynoxide::Database;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use serde_json::Value as Json;
use tokio::sync::{mpsc, watch};

pub use delivery::DeadLetter;
pub(crate) use positions::Positions;

use crate::lambda::Lambda;
use crate::logs::Logs;
use crate::template::{self, REGION, StreamSpec};
use delivery::Lane;
use progress::Progress;

/// How often a stream is looked at when nobody says that something was written. Writes of the functions are
/// announced; this is for the writes of tools that use the database directly.
const IDLE_POLL: Duration = Duration::from_millis(500);

/// How many records are read at once, and how many may wait in a lane.
const READ_LIMIT: usize = 100;

/// More lanes than this only start more processes than a developer's machine has cores for.
const MAX_LANES: usize = 4;

/// One record of a stream, as Lambda hands it to a function.
#[derive(Debug, Clone)]
struct Record {
    sequence: String,
    created_s: f64,
    event: Json,
}

/// What feeds one function from one stream.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) function: String,
    pub(crate) spec: StreamSpec,
    pub(crate) database: DatabaseHandle,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) positions: Arc<Positions>,
    pub(crate) dead: Arc<Mutex<Vec<DeadLetter>>>,
    /// Changes when the table was written to.
    pub(crate) written: watch::Receiver<()>,
}

/// The database, with a `Debug` that it has not of its own.
#[derive(Clone)]
pub(crate) struct DatabaseHandle(pub(crate) Database);

impl std::fmt::Debug for DatabaseHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

impl Source {
    /// Feeds the function until the stack stops.
    pub(crate) async fn run(mut self) {
        let key = format!("{} < {}", self.function, self.spec.table);
        let start = self.positions.get(&key);
        let progress = Arc::new(Progress::new(Arc::clone(&self.positions), key));
        let lanes: Vec<_> = (0..self.spec.lanes.clamp(1, MAX_LANES))
            .map(|_| {
                let (sender, receiver) = mpsc::channel(READ_LIMIT);
                let lane = Lane {
                    function: self.function.clone(),
                    spec: self.spec.clone(),
                    lambda: Arc::clone(&self.lambda),
                    logs: Arc::clone(&self.logs),
                    dead: Arc::clone(&self.dead),
                    progress: Arc::clone(&progress),
                };
                tokio::spawn(lane.run(receiver));
                sender
            })
            .collect();
        let mut read_to = start;
        loop {
            let records = match self.read(read_to.as_deref()) {
                Ok(records) => records,
                Err(error) => {
                    self.logs.stack(&format!(
                        "cannot read the stream of {}: {error:#}",
                        self.spec.table
                    ));
                    Vec::new()
                }
            };
            if records.is_empty() {
                // Closed only when the stack ends, and with it this task.
                drop(tokio::time::timeout(IDLE_POLL, self.written.changed()).await);
                continue;
            }
            for record in records {
                read_to = Some(record.sequence.clone());
                progress.read(&record.sequence);
                if self.wants(&record) {
                    // What has the same key stays in order, because it goes through the same lane.
                    if let Some(lane) = lanes.get(lane_of(&record, lanes.len())) {
                        drop(lane.send(record).await);
                    }
                } else {
                    progress.done(&record.sequence, &self.logs);
                }
            }
        }
    }

    fn wants(&self, record: &Record) -> bool {
        let filters = &self.spec.filters;
        filters.is_empty() || filters.iter().any(|filter| filter.matches(&record.event))
    }

    fn read(&self, after: Option<&str>) -> anyhow::Result<Vec<Record>> {
        let database = &self.database.0;
        let table = &self.spec.table;
        let iterator = database.get_shard_iterator(GetShardIteratorRequest {
            // The database reads nothing but the table's name from the ARN.
            stream_arn: template::stream_arn(table),
            shard_id: dynoxide::streams::shard_id(table),
            shard_iterator_type: if after.is_some() {
                "AFTER_SEQUENCE_NUMBER"
            } else {
                "TRIM_HORIZON"
            }
            .to_owned(),
            sequence_number: after.map(str::to_owned),
        })?;
        let shard_iterator = iterator.shard_iterator.ok_or_else(|| anyhow!("no shard iterator"))?;
        let found =
            database.get_records(GetRecordsRequest { shard_iterator, limit: Some(READ_LIMIT) })?;
        let source = template::stream_arn(table);
        found
            .records
            .into_iter()
            .map(|record| {
                let sequence = record.dynamodb.sequence_number.clone();
                let created_s = record.dynamodb.approximate_creation_date_time;
                let mut event = serde_json::to_value(record)?;
                if let Some(event) = event.as_object_mut() {
                    event.insert("awsRegion".to_owned(), REGION.into());
                    event.insert("eventSourceARN".to_owned(), source.as_str().into());
                }
                Ok(Record { sequence, created_s, event })
            })
            .collect()
    }
}

fn lane_of(record: &Record, lanes: usize) -> usize {
    let keys = record.event.pointer("/dynamodb/Keys").unwrap_or(&Json::Null);
    let mut hasher = DefaultHasher::new();
    keys.to_string().hash(&mut hasher);
    usize::try_from(hasher.finish() >> 1).unwrap_or(0).checked_rem(lanes).unwrap_or(0)
}
