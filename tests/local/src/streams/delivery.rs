//! Handing batches to a function until they are dealt with.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::Record;
use super::progress::Progress;
use crate::clock;
use crate::lambda::{Lambda, Outcome};
use crate::logs::Logs;
use crate::sync::lock;
use crate::template::StreamSpec;

/// The pause before the first retry; it doubles from retry to retry.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause. Lambda's grows further, but here somebody is waiting.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Records that were given up.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The function that would not take them.
    pub function: String,
    /// The records' sequence numbers.
    pub sequence_numbers: Vec<String>,
    /// What the last attempt said.
    pub error: String,
}

/// Works on the records of some keys, in order.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) function: String,
    pub(super) spec: StreamSpec,
    pub(super) lambda: Arc<Lambda>,
    pub(super) logs: Arc<Logs>,
    pub(super) dead: Arc<Mutex<Vec<DeadLetter>>>,
    pub(super) progress: Arc<Progress>,
}

/// A batch and how often it has failed.
#[derive(Debug)]
struct Batch {
    records: Vec<Record>,
    failures: u32,
}

/// What a function made of a batch.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Done,
    /// Everything from this record on is to be tried again.
    FailedFrom(usize, String),
}

impl Lane {
    pub(super) async fn run(self, mut incoming: mpsc::Receiver<Record>) {
        while let Some(first) = incoming.recv().await {
            let mut records = vec![first];
            let window = tokio::time::sleep(self.spec.batching_window);
            tokio::pin!(window);
            while records.len() < self.spec.batch_size {
                if let Ok(record) = incoming.try_recv() {
                    records.push(record);
                    continue;
                }
                if self.spec.batching_window.is_zero() {
                    break;
                }
                tokio::select! {
                    () = &mut window => break,
                    record = incoming.recv() => match record {
                        Some(record) => records.push(record),
                        None => break,
                    }
                }
            }
            self.deliver(records).await;
        }
    }

    async fn deliver(&self, records: Vec<Record>) {
        // The last one is the next to try.
        let mut batches = vec![Batch { records, failures: 0 }];
        while let Some(mut batch) = batches.pop() {
            self.drop_old(&mut batch.records);
            if batch.records.is_empty() {
                continue;
            }
            let events: Vec<_> = batch.records.iter().map(|record| &record.event).collect();
            let payload = Bytes::from(json!({ "Records": events }).to_string());
            let outcome = self.lambda.invoke(&self.function, payload).await;
            let (from, error) =
                match verdict(&outcome, &batch.records, self.spec.reports_item_failures) {
                    Verdict::Done => {
                        self.finish(&batch.records);
                        continue;
                    }
                    Verdict::FailedFrom(from, error) => (from, error),
                };
            let failed = batch.records.split_off(from.min(batch.records.len()));
            self.finish(&batch.records);
            // What comes after a success is another batch, which has failed for the first time.
            let failures = if from == 0 { batch.failures.saturating_add(1) } else { 1 };
            if failed.len() > 1 && self.spec.bisects {
                // Halving is not a retry and does not count as one.
                let mut first = failed;
                let second = first.split_off(first.len().div_euclid(2));
                let failures = failures.saturating_sub(1);
                batches.push(Batch { records: second, failures });
                batches.push(Batch { records: first, failures });
            } else if self.spec.maximum_retries.is_some_and(|most| failures > most) {
                self.give_up(&failed, &error);
                continue;
            } else {
                batches.push(Batch { records: failed, failures });
            }
            tokio::time::sleep(pause(failures)).await;
        }
    }

    fn drop_old(&self, records: &mut Vec<Record>) {
        let Some(limit) = self.spec.maximum_age else { return };
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this age are exact in an f64"
        )]
        let now = clock::unix_millis() as f64 / 1000.0;
        let (old, young) = records
            .drain(..)
            .partition(|record: &Record| now - record.created_s > limit.as_secs_f64());
        *records = young;
        if !old.is_empty() {
            self.give_up(&old, "older than MaximumRecordAgeInSeconds");
        }
    }

    fn give_up(&self, records: &[Record], error: &str) {
        self.logs.stack(&format!(
            "{} records given up by {}: {error}",
            records.len(),
            self.function
        ));
        lock(&self.dead).push(DeadLetter {
            function: self.function.clone(),
            sequence_numbers: records.iter().map(|record| record.sequence.clone()).collect(),
            error: error.to_owned(),
        });
        self.finish(records);
    }

    fn finish(&self, records: &[Record]) {
        for record in records {
            self.progress.done(&record.sequence, &self.logs);
        }
    }
}

fn verdict(outcome: &Outcome, records: &[Record], reports_item_failures: bool) -> Verdict {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(_) | Outcome::TimedOut(_) => {
            return Verdict::FailedFrom(0, outcome.error().unwrap_or_default());
        }
    };
    if !reports_item_failures {
        return Verdict::Done;
    }
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    let failures = answer.get("batchItemFailures").and_then(Json::as_array);
    let Some(failures) = failures.filter(|failures| !failures.is_empty()) else {
        return Verdict::Done;
    };
    // The lowest sequence number counts; one that is none of the batch's means that nothing can be trusted.
    let mut lowest = records.len();
    for failure in failures {
        let identifier = failure.get("itemIdentifier").and_then(Json::as_str).unwrap_or_default();
        match records.iter().position(|record| record.sequence == identifier) {
            Some(index) => lowest = lowest.min(index),
            None => {
                return Verdict::FailedFrom(
                    0,
                    "an itemIdentifier that is none of the batch's".to_owned(),
                );
            }
        }
    }
    Verdict::FailedFrom(lowest, format!("{} items reported as failed", failures.len()))
}

fn pause(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::testing::Scripted;

    fn records() -> Vec<Record> {
        ["10", "11", "12"]
            .map(|n| Record { sequence: n.to_owned(), created_s: 0.0, event: Json::Null })
            .to_vec()
    }

    fn judged(answer: &Json) -> Verdict {
        verdict(&Outcome::Answered(answer.to_string().into()), &records(), true)
    }

    #[test]
    fn an_answer_without_failures_is_a_success() {
        for answer in [json!(null), json!({}), json!({ "batchItemFailures": [] }), json!("x")] {
            assert_eq!(judged(&answer), Verdict::Done, "{answer}");
        }
    }

    #[test]
    fn the_lowest_failure_is_where_the_retry_begins() {
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "12" }, { "itemIdentifier": "11" }] });
        assert!(matches!(judged(&answer), Verdict::FailedFrom(1, _)));
    }

    #[test]
    fn an_unknown_failure_fails_the_whole_batch() {
        for identifier in ["", "99"] {
            let answer = json!({ "batchItemFailures": [{ "itemIdentifier": identifier }] });
            assert!(matches!(judged(&answer), Verdict::FailedFrom(0, _)));
        }
        let crashed = Outcome::failed("Runtime.ExitError", "x");
        assert!(matches!(verdict(&crashed, &records(), true), Verdict::FailedFrom(0, _)));
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<_> = (1..=7).map(|n| pause(n).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }

    /// A lane over a scripted function, and what plays the function: for each batch it notes the records'
    /// numbers and answers with the failures that `fails` finds among them.
    async fn delivered(
        spec: StreamSpec,
        fails: impl Fn(&str, usize) -> bool + Send + Sync + 'static,
    ) -> (Vec<Vec<String>>, Vec<DeadLetter>) {
        let scripted = Arc::new(Scripted::silent(Duration::from_secs(30)));
        let lane = Lane {
            function: "f".to_owned(),
            spec,
            lambda: Arc::new(Lambda::new([Arc::clone(&scripted.function)])),
            logs: Arc::clone(&scripted.logs),
            dead: Arc::default(),
            progress: Arc::new(Progress::new(Arc::default(), "k".to_owned())),
        };
        let dead = Arc::clone(&lane.dead);
        let batches = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&batches);
        let player = tokio::spawn(async move {
            loop {
                let judge = |payload: &[u8]| {
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
                scripted.play(judge).await;
            }
        });
        let numbered =
            |n: &str| Record { sequence: n.to_owned(), created_s: 0.0, event: Json::from(n) };
        lane.deliver(["10", "11", "12", "13"].map(numbered).to_vec()).await;
        player.abort();
        let batches = lock(&batches).clone();
        (batches, lock(&dead).clone())
    }

    fn spec(bisects: bool, maximum_retries: Option<u32>) -> StreamSpec {
        StreamSpec {
            table: "t".to_owned(),
            batch_size: 10,
            batching_window: Duration::ZERO,
            lanes: 1,
            maximum_retries,
            maximum_age: None,
            bisects,
            reports_item_failures: true,
            filters: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_retry_begins_at_the_lowest_failure() {
        let (batches, dead) =
            delivered(spec(false, None), |n, attempt| n == "12" && attempt == 1).await;
        assert_eq!(batches, [vec!["10", "11", "12", "13"], vec!["12", "13"]]);
        assert!(dead.is_empty());
    }

    #[tokio::test]
    async fn a_failed_batch_is_halved_until_the_bad_record_is_alone() {
        let (batches, dead) = delivered(spec(true, Some(1)), |n, _| n == "10").await;
        let expected: [&[&str]; 5] =
            [&["10", "11", "12", "13"], &["10", "11"], &["10"], &["10"], &["11"]];
        assert_eq!(batches.iter().take(5).collect::<Vec<_>>(), expected);
        assert_eq!(batches.last().unwrap(), &["12", "13"]);
        let given_up: Vec<_> = dead.iter().flat_map(|letter| &letter.sequence_numbers).collect();
        assert_eq!(given_up, ["10"]);
    }

    #[tokio::test]
    async fn records_older_than_the_limit_are_not_even_tried() {
        let old = StreamSpec { maximum_age: Some(Duration::from_secs(1)), ..spec(false, None) };
        let (batches, dead) = delivered(old, |_, _| true).await;
        assert!(batches.is_empty());
        assert_eq!(dead.iter().map(|letter| letter.sequence_numbers.len()).sum::<usize>(), 4);
    }
}
