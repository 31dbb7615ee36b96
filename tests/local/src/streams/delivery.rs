//! The delivery of batches to a function, with retries.

use super::Record;
use super::progress::Progress;
use crate::clock;
use crate::lambda::{Lambda, Outcome};
use crate::logs::Logs;
use axum::body::Bytes;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use template::Stream;
use tokio::sync::mpsc;

/// The pause before the first retry. It doubles with each retry.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause. Lambda's is longer, but a developer or a test waits here.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Delivers the records of some keys, in order.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) function: String,
    pub(super) stream: Stream,
    pub(super) lambda: Arc<Lambda>,
    pub(super) logs: Arc<Logs>,
    pub(super) progress: Arc<Progress>,
}

/// A batch and the number of its failures.
#[derive(Debug)]
struct Batch {
    records: Vec<Record>,
    failures: u32,
}

/// The result of a batch.
#[derive(Debug, PartialEq, Eq)]
enum BatchResult {
    Done,
    /// All records from this index on must be delivered again.
    FailedFrom(usize, String),
}

impl Lane {
    pub(super) async fn run(self, mut incoming: mpsc::Receiver<Record>) {
        while let Some(first) = incoming.recv().await {
            let mut records = vec![first];
            while records.len() < self.stream.batch_size
                && let Ok(record) = incoming.try_recv()
            {
                records.push(record);
            }
            self.deliver(records).await;
        }
    }

    async fn deliver(&self, records: Vec<Record>) {
        // The last batch is the next one.
        let mut batches = vec![Batch { records, failures: 0 }];
        while let Some(mut batch) = batches.pop() {
            self.give_up_old(&mut batch.records);
            if batch.records.is_empty() {
                continue;
            }
            let events: Vec<_> = batch.records.iter().map(|record| &record.event).collect();
            let payload = Bytes::from(json!({ "Records": events }).to_string());
            let outcome = self.lambda.invoke(&self.function, payload).await;
            let (from, error) = match batch_result(&outcome, &batch.records) {
                BatchResult::Done => {
                    self.finish(&batch.records);
                    continue;
                }
                BatchResult::FailedFrom(from, error) => (from, error),
            };
            let failed = batch.records.split_off(from.min(batch.records.len()));
            self.finish(&batch.records);
            // Records after a success are a new batch, which has failed once.
            let failures = if from == 0 { batch.failures.saturating_add(1) } else { 1 };
            if failed.len() > 1 {
                // Lambda does not count a split as a retry.
                let mut first = failed;
                let second = first.split_off(first.len().div_euclid(2));
                let failures = failures.saturating_sub(1);
                batches.push(Batch { records: second, failures });
                batches.push(Batch { records: first, failures });
            } else if failures > self.stream.maximum_retries {
                self.give_up(&failed, &error);
                continue;
            } else {
                batches.push(Batch { records: failed, failures });
            }
            tokio::time::sleep(pause(failures)).await;
        }
    }

    fn give_up_old(&self, records: &mut Vec<Record>) {
        let limit = self.stream.maximum_age;
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this age are exact in an f64"
        )]
        let now = clock::machine_millis() as f64 / 1000.0;
        let (old, young) = records
            .drain(..)
            .partition(|record: &Record| now - record.created_s > limit.as_secs_f64());
        *records = young;
        if !old.is_empty() {
            self.give_up(&old, "older than MaximumRecordAgeInSeconds");
        }
    }

    fn give_up(&self, records: &[Record], error: &str) {
        let numbers: Vec<_> = records.iter().map(|record| record.sequence.as_str()).collect();
        let (numbers, function) = (numbers.join(", "), &self.function);
        self.logs.stack(&format!("gave up stream records of {function}: {numbers}: {error}"));
        self.finish(records);
    }

    fn finish(&self, records: &[Record]) {
        for record in records {
            self.progress.done(&record.sequence, &self.logs);
        }
    }
}

fn batch_result(outcome: &Outcome, records: &[Record]) -> BatchResult {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(_) | Outcome::TimedOut(_) => {
            return BatchResult::FailedFrom(0, outcome.error().unwrap_or_default());
        }
    };
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    let failures = answer.get("batchItemFailures").and_then(Json::as_array);
    let Some(failures) = failures.filter(|failures| !failures.is_empty()) else {
        return BatchResult::Done;
    };
    // The lowest sequence number counts. An unknown one makes the whole batch fail.
    let mut lowest = records.len();
    for failure in failures {
        let identifier = failure.get("itemIdentifier").and_then(Json::as_str).unwrap_or_default();
        match records.iter().position(|record| record.sequence == identifier) {
            Some(index) => lowest = lowest.min(index),
            None => {
                return BatchResult::FailedFrom(
                    0,
                    "an itemIdentifier is not in the batch".to_owned(),
                );
            }
        }
    }
    BatchResult::FailedFrom(lowest, format!("{} items reported as failed", failures.len()))
}

fn pause(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::testing::Scripted;
    use crate::sync::lock;
    use std::sync::Mutex;

    fn records() -> Vec<Record> {
        ["10", "11", "12"]
            .map(|n| Record { sequence: n.to_owned(), created_s: 0.0, event: Json::Null })
            .to_vec()
    }

    fn result_of(answer: &Json) -> BatchResult {
        batch_result(&Outcome::Answered(answer.to_string().into()), &records())
    }

    #[test]
    fn a_reply_without_failures_is_a_success() {
        for answer in [json!(null), json!({}), json!({ "batchItemFailures": [] }), json!("x")] {
            assert_eq!(result_of(&answer), BatchResult::Done, "{answer}");
        }
    }

    #[test]
    fn a_retry_begins_at_the_lowest_reported_failure() {
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "12" }, { "itemIdentifier": "11" }] });
        assert!(matches!(result_of(&answer), BatchResult::FailedFrom(1, _)));
    }

    #[test]
    fn an_unknown_failure_fails_the_whole_batch() {
        for identifier in ["", "99"] {
            let answer = json!({ "batchItemFailures": [{ "itemIdentifier": identifier }] });
            assert!(matches!(result_of(&answer), BatchResult::FailedFrom(0, _)));
        }
        let crashed = Outcome::failed("Runtime.ExitError", "x");
        assert!(matches!(batch_result(&crashed, &records()), BatchResult::FailedFrom(0, _)));
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<_> = (1..=7).map(|n| pause(n).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pause(u32::MAX), MAX_PAUSE);
    }

    /// Delivers four records to a scripted function. `fails` tells whether a record fails in the
    /// n-th batch. Returns the delivered batches, and the lines about records that were given up.
    async fn delivered(
        stream: Stream,
        fails: impl Fn(&str, usize) -> bool + Send + Sync + 'static,
    ) -> (Vec<Vec<String>>, Vec<String>) {
        let scripted = Arc::new(Scripted::silent(Duration::from_secs(30)));
        let lane = Lane {
            function: "f".to_owned(),
            stream,
            lambda: Arc::new(Lambda::new([Arc::clone(&scripted.function)])),
            logs: Arc::clone(&scripted.logs),
            progress: Arc::new(Progress::new(Arc::default(), "k".to_owned())),
        };
        let logs = Arc::clone(&lane.logs);
        let batches = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&batches);
        let player = tokio::spawn(async move {
            loop {
                let reply = |payload: &[u8]| {
                    let event: Json = serde_json::from_slice(payload).unwrap();
                    let records = event.get("Records").and_then(Json::as_array).unwrap();
                    let numbers: Vec<_> =
                        records.iter().map(|record| record.as_str().unwrap().to_owned()).collect();
                    let mut seen = lock(&seen);
                    seen.push(numbers.clone());
                    let failed = numbers.iter().filter(|number| fails(number, seen.len()));
                    let failures: Vec<_> =
                        failed.map(|number| json!({ "itemIdentifier": number })).collect();
                    json!({ "batchItemFailures": failures }).to_string()
                };
                scripted.play(reply).await;
            }
        });
        let numbered =
            |n: &str| Record { sequence: n.to_owned(), created_s: 0.0, event: Json::from(n) };
        lane.deliver(["10", "11", "12", "13"].map(numbered).to_vec()).await;
        player.abort();
        let batches = lock(&batches).clone();
        let given_up = logs.all().into_iter().filter(|line| line.contains("gave up"));
        (batches, given_up.collect())
    }

    fn stream(maximum_retries: u32, maximum_age: Duration) -> Stream {
        Stream {
            name: "Outbox".to_owned(),
            table: "t".to_owned(),
            batch_size: 10,
            parallelization: 1,
            maximum_retries,
            maximum_age,
            event_names: Vec::new(),
            key_prefixes: Vec::new(),
        }
    }

    #[tokio::test]
    async fn records_before_the_lowest_failure_are_not_delivered_again() {
        let (batches, given_up) =
            delivered(stream(9, Duration::MAX), |n, attempt| n == "12" && attempt == 1).await;
        assert_eq!(batches, [vec!["10", "11", "12", "13"], vec!["12"], vec!["13"]]);
        assert!(given_up.is_empty());
    }

    #[tokio::test]
    async fn a_failed_batch_is_split_until_the_bad_record_is_alone() {
        let (batches, given_up) = delivered(stream(1, Duration::MAX), |n, _| n == "10").await;
        let expected: [&[&str]; 5] =
            [&["10", "11", "12", "13"], &["10", "11"], &["10"], &["10"], &["11"]];
        assert_eq!(batches.iter().take(5).collect::<Vec<_>>(), expected);
        assert_eq!(batches.last().unwrap(), &["12", "13"]);
        assert_eq!(
            given_up,
            ["[local] gave up stream records of f: 10: 1 items reported as failed"]
        );
    }

    #[tokio::test]
    async fn records_older_than_the_limit_are_not_delivered() {
        let (batches, given_up) = delivered(stream(9, Duration::from_secs(1)), |_, _| true).await;
        assert!(batches.is_empty());
        let expected = "[local] gave up stream records of f: 10, 11, 12, 13: \
            older than MaximumRecordAgeInSeconds";
        assert_eq!(given_up, [expected]);
    }
}
