//! Failures on request.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Mutex;

use serde::Deserialize;
use tokio::sync::watch;

use super::caller::Service;
use crate::sync::lock;

/// A failure to come, as `POST /_local/faults` takes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    service: Service,
    mode: Mode,
    /// Only calls of this operation.
    #[serde(default)]
    operation: Option<String>,
    /// Only calls of this function.
    #[serde(default)]
    function: Option<String>,
    /// How many calls to hit; absent means one.
    #[serde(default)]
    count: Option<u64>,
    /// How many calls to let pass first.
    #[serde(default)]
    after: Option<u64>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    Error,
    Throttle,
    Timeout,
    /// No event of the call is taken.
    Partial,
    /// The call meets a transaction at one of its items.
    Conflict,
    /// The recipient is refused for good and nothing is sent.
    Refuse,
    /// The calling process is killed before the call is carried out.
    CrashBefore,
    /// The calling process is killed after the call was carried out and before it hears of it.
    CrashAfter,
    /// The call is carried out and the answer is lost on the way.
    LostReply,
}

/// The faults that are still to come.
#[derive(Debug)]
pub(crate) struct Faults {
    queue: Mutex<VecDeque<Pending>>,
    /// Counts how often the faults were deleted, so that hanging calls can wait for it.
    clearings: watch::Sender<u64>,
}

#[derive(Debug)]
struct Pending {
    fault: Fault,
    after: u64,
    count: u64,
}

impl Fault {
    /// What is wrong with it, if anything.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        match (self.mode, self.service) {
            (Mode::Partial, Service::Events)
            | (Mode::Conflict, Service::DynamoDb)
            | (Mode::Refuse, Service::Sns | Service::Ses) => None,
            (Mode::Partial, _) => Some("the mode partial belongs to the service events"),
            (Mode::Conflict, _) => Some("the mode conflict belongs to the service dynamodb"),
            (Mode::Refuse, _) => Some("the mode refuse belongs to the services sns and ses"),
            _ => None,
        }
    }

    fn matches(&self, function: &str, service: Service, operation: &str) -> bool {
        let is =
            |wanted: Option<&String>, actual: &str| wanted.is_none_or(|wanted| wanted == actual);
        // Only a transaction or the write of an item can meet a conflict, only PutEvents can succeed in part,
        // and only a message has a recipient.
        let possible = match self.mode {
            Mode::Conflict => {
                operation.starts_with("Transact")
                    || matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem")
            }
            Mode::Partial => operation == "PutEvents",
            Mode::Refuse => matches!(operation, "Publish" | "SendEmail"),
            _ => true,
        };
        possible
            && self.service == service
            && is(self.operation.as_ref(), operation)
            && is(self.function.as_ref(), function)
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self { queue: Mutex::default(), clearings: watch::channel(0).0 }
    }
}

impl Faults {
    /// Queues a fault behind the ones that are there.
    pub(crate) fn add(&self, fault: Fault) {
        let (after, count) = (fault.after.unwrap_or(0), fault.count.unwrap_or(1));
        if count > 0 {
            lock(&self.queue).push_back(Pending { fault, after, count });
        }
    }

    /// Forgets all faults and lets hanging calls go.
    pub(crate) fn clear(&self) {
        lock(&self.queue).clear();
        self.clearings.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The fault that hits this call, if one does. Every fault in the queue up to that one has seen the call
    /// pass and counts it.
    pub(super) fn take(&self, function: &str, service: Service, operation: &str) -> Option<Mode> {
        let mut queue = lock(&self.queue);
        let mut hit = None;
        for (index, pending) in queue.iter_mut().enumerate() {
            if !pending.fault.matches(function, service, operation) {
                continue;
            }
            if pending.after > 0 {
                pending.after = pending.after.saturating_sub(1);
                continue;
            }
            pending.count = pending.count.saturating_sub(1);
            hit = Some((index, pending.count, pending.fault.mode));
            break;
        }
        let (index, left, mode) = hit?;
        if left == 0 {
            queue.remove(index);
        }
        Some(mode)
    }

    /// Waits for the next deletion of the faults, counted from this call on.
    pub(super) fn cleared(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut clearings = self.clearings.subscribe();
        async move {
            drop(clearings.changed().await);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn faults(list: &[Json]) -> Faults {
        let faults = Faults::default();
        for fault in list {
            faults.add(serde_json::from_value(fault.clone()).unwrap());
        }
        faults
    }

    fn put(faults: &Faults) -> Option<Mode> {
        faults.take("f", Service::DynamoDb, "PutItem")
    }

    #[test]
    fn a_fault_lets_some_calls_pass_then_hits_its_count() {
        let faults =
            faults(&[json!({ "service": "dynamodb", "mode": "error", "count": 2, "after": 1 })]);
        let hits: Vec<_> = (0..4).map(|_| put(&faults)).collect();
        assert_eq!(hits, [None, Some(Mode::Error), Some(Mode::Error), None]);
    }

    #[test]
    fn filters_must_all_match() {
        let faults = faults(&[json!({
            "service": "dynamodb", "mode": "throttle", "operation": "TransactWriteItems", "function": "f"
        })]);
        assert_eq!(put(&faults), None);
        assert_eq!(faults.take("g", Service::DynamoDb, "TransactWriteItems"), None);
        assert_eq!(faults.take("f", Service::Sns, "TransactWriteItems"), None);
        assert_eq!(faults.take("f", Service::DynamoDb, "TransactWriteItems"), Some(Mode::Throttle));
    }

    #[test]
    fn queued_faults_come_one_after_the_other() {
        let faults = faults(&[
            json!({ "service": "dynamodb", "mode": "error" }),
            json!({ "service": "dynamodb", "mode": "crash-after", "count": 1 }),
        ]);
        assert_eq!(
            [put(&faults), put(&faults), put(&faults)],
            [Some(Mode::Error), Some(Mode::CrashAfter), None]
        );
    }

    #[test]
    fn a_conflict_waits_for_a_transaction_or_the_write_of_an_item() {
        let faults = faults(&[json!({ "service": "dynamodb", "mode": "conflict", "count": 5 })]);
        let take = |operation| faults.take("f", Service::DynamoDb, operation);
        for read in ["GetItem", "BatchGetItem", "Query", "Scan"] {
            assert_eq!(take(read), None, "{read}");
        }
        for hit in ["TransactWriteItems", "TransactGetItems", "PutItem", "UpdateItem", "DeleteItem"]
        {
            assert_eq!(take(hit), Some(Mode::Conflict), "{hit}");
        }
        assert_eq!(put(&faults), None);
    }

    #[test]
    fn a_refusal_waits_for_a_message_of_its_service() {
        let faults = faults(&[
            json!({ "service": "sns", "mode": "refuse" }),
            json!({ "service": "ses", "mode": "refuse" }),
        ]);
        assert_eq!(faults.take("f", Service::Ses, "GET /v2/email/account"), None);
        assert_eq!(faults.take("f", Service::Ses, "SendEmail"), Some(Mode::Refuse));
        assert_eq!(faults.take("f", Service::Ses, "SendEmail"), None);
        assert_eq!(faults.take("f", Service::Sns, "Publish"), Some(Mode::Refuse));
    }

    #[tokio::test]
    async fn clearing_forgets_faults_and_lets_waiting_calls_go() {
        let faults = faults(&[json!({ "service": "dynamodb", "mode": "timeout", "count": 9 })]);
        let waiting = faults.cleared();
        faults.clear();
        waiting.await;
        assert_eq!(put(&faults), None);
    }

    #[test]
    fn unknown_words_and_impossible_pairs_are_mistakes() {
        for wrong in [
            json!({ "service": "s3", "mode": "error" }),
            json!({ "service": "sns", "mode": "explode" }),
            json!({ "service": "sns", "mode": "error", "count": -1 }),
            json!({ "service": "sns", "mode": "error", "cuont": 1 }),
            json!({ "mode": "error" }),
        ] {
            assert!(serde_json::from_value::<Fault>(wrong.clone()).is_err(), "{wrong}");
        }
        let mistake = |service: &str, mode: &str| {
            let fault: Fault =
                serde_json::from_value(json!({ "service": service, "mode": mode })).unwrap();
            fault.mistake()
        };
        for (service, mode) in [
            ("sns", "partial"),
            ("ses", "conflict"),
            ("dynamodb", "refuse"),
            ("events", "refuse"),
            ("secrets", "refuse"),
        ] {
            assert!(mistake(service, mode).is_some(), "{service} {mode}");
        }
        for (service, mode) in
            [("events", "partial"), ("dynamodb", "conflict"), ("sns", "refuse"), ("ses", "refuse")]
        {
            assert_eq!(mistake(service, mode), None, "{service} {mode}");
        }
    }
}
