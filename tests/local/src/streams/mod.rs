//! The streams of tables as event sources of functions, with Lambda's rules for retries.

mod delivery;
mod positions;
mod progress;

use anyhow::anyhow;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use serde_json::Value as Json;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

pub(crate) use positions::Positions;

use crate::database::DatabaseHandle;
use crate::lambda::Lambda;
use crate::logs::Logs;
use delivery::Lane;
use progress::Progress;
use template::Stream;
use template::arn::{self, REGION};

/// The pause between two reads of a stream without new records. Writes of the functions end it
/// early; writes of tools that use the database directly do not.
const IDLE_POLL: Duration = Duration::from_millis(500);

/// The number of records that are read at once, and of those that can wait in a lane.
const READ_LIMIT: usize = 100;

/// A record of a stream, with the event that the function gets.
#[derive(Debug, Clone)]
struct Record {
    sequence: String,
    created_s: f64,
    event: Json,
}

/// A stream as the event source of one function.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) function: String,
    pub(crate) stream: Stream,
    pub(crate) database: DatabaseHandle,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) positions: Arc<Positions>,
    /// The most lanes.
    pub(crate) lanes: usize,
    /// Changes with every write to the table.
    pub(crate) written: watch::Receiver<()>,
}

impl Source {
    /// Invokes the function with the records of the stream until the stack stops.
    pub(crate) async fn run(mut self) {
        let key = format!("{} < {} {}", self.function, self.stream.table, self.stream.name);
        let start = self.positions.get(&key);
        let progress = Arc::new(Progress::new(Arc::clone(&self.positions), key));
        let lanes: Vec<_> = (0..self.stream.parallelization.clamp(1, self.lanes.max(1)))
            .map(|_| {
                let (sender, receiver) = mpsc::channel(READ_LIMIT);
                let lane = Lane {
                    function: self.function.clone(),
                    stream: self.stream.clone(),
                    lambda: Arc::clone(&self.lambda),
                    logs: Arc::clone(&self.logs),
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
                        "failed to read the stream of {}: {error:#}",
                        self.stream.table
                    ));
                    Vec::new()
                }
            };
            if records.is_empty() {
                // The sender is dropped only when the stack, and this task, ends.
                drop(tokio::time::timeout(IDLE_POLL, self.written.changed()).await);
                continue;
            }
            for record in records {
                read_to = Some(record.sequence.clone());
                progress.read(&record.sequence);
                if self.wants(&record) {
                    // Records with the same key stay in order, because they use the same lane.
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
        let name = record.event.get("eventName").and_then(Json::as_str);
        let is_wanted = self.stream.event_names.iter().any(|wanted| Some(wanted.as_str()) == name);
        let prefixes = &self.stream.key_prefixes;
        let keys = record.event.pointer("/dynamodb/Keys").and_then(Json::as_object);
        let mut keys = keys.into_iter().flat_map(|keys| keys.values());
        let begins = |key: &Json| {
            let key = key.get("S").and_then(Json::as_str).unwrap_or_default();
            prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()))
        };
        is_wanted && (prefixes.is_empty() || keys.any(begins))
    }

    fn read(&self, after: Option<&str>) -> anyhow::Result<Vec<Record>> {
        let database = &self.database.0;
        let table = &self.stream.table;
        let iterator = database.get_shard_iterator(GetShardIteratorRequest {
            // The database uses only the table name in the ARN.
            stream_arn: arn::stream(table),
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
        let source = arn::stream(table);
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
