//! Failures of AWS calls on request.

use super::{Fate, Service};
use crate::sync::lock;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Mutex;
use tokio::sync::watch;

/// A request to `POST /_local/faults`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    service: Service,
    mode: Mode,
    /// Limits the fault to calls of this operation.
    #[serde(default)]
    operation: Option<String>,
    /// Limits the fault to calls of this function.
    #[serde(default)]
    function: Option<String>,
    /// The number of calls that fail; 1 if absent.
    #[serde(default)]
    count: Option<u64>,
    /// The number of calls that pass first; 0 if absent.
    #[serde(default)]
    after: Option<u64>,
}

/// The way in which a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// The service answers with an internal error.
    Error,
    /// The service answers that there are too many calls.
    Throttle,
    /// The service does not answer.
    Timeout,
    /// EventBridge accepts the call and takes none of its events, or DynamoDB processes no key of a
    /// batch.
    Partial,
    /// DynamoDB refuses the call because another transaction has one of its items.
    Conflict,
    /// A carrier refuses the recipient for good.
    Refuse,
    /// A carrier refuses what the account sends, whoever the recipient is.
    Misconfigured,
    /// A carrier accepts the message and reports later that it did not arrive.
    Undelivered,
    /// The same for a recipient that cannot be reached.
    Bounced,
    /// SES delivers the mail, and its recipient marks it as spam.
    Complained,
    /// SNS accepts the text and reports later that the account may not spend more.
    Spent,
    /// The calling process is killed before the call is executed.
    CrashBefore,
    /// The calling process is killed after the call was executed and before it gets the reply.
    CrashAfter,
    /// The call is executed and the connection is closed without a reply.
    LostReply,
}

/// The faults that have not happened yet.
#[derive(Debug)]
pub(crate) struct Faults {
    queue: Mutex<VecDeque<Pending>>,
    /// The number of times that the faults were deleted. Waiting calls end when it changes.
    deletions: watch::Sender<u64>,
}

#[derive(Debug)]
struct Pending {
    fault: Fault,
    after: u64,
    count: u64,
}

impl Mode {
    /// Returns the name in the admin API.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Throttle => "throttle",
            Self::Timeout => "timeout",
            Self::Partial => "partial",
            Self::Conflict => "conflict",
            Self::Refuse => "refuse",
            Self::Misconfigured => "misconfigured",
            Self::Undelivered => "undelivered",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Spent => "spent",
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
            Self::LostReply => "lost-reply",
        }
    }

    /// Returns what becomes of a message that its carrier accepts in spite of the fault.
    pub(super) const fn fate(self) -> Option<Fate> {
        match self {
            Self::Undelivered => Some(Fate::Undelivered),
            Self::Bounced => Some(Fate::Bounced),
            Self::Complained => Some(Fate::Complained),
            Self::Spent => Some(Fate::Spent),
            _ => None,
        }
    }
}

impl Fault {
    /// Returns the reason why the service cannot fail in this mode, if so.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        match (self.mode, self.service) {
            (Mode::Partial, Service::Events | Service::DynamoDb)
            | (Mode::Conflict, Service::DynamoDb)
            | (
                Mode::Refuse | Mode::Misconfigured,
                Service::Sns | Service::Ses | Service::SmsVoice | Service::Webhook,
            )
            | (
                Mode::Undelivered | Mode::Bounced,
                Service::Sns | Service::Ses | Service::SmsVoice,
            )
            | (Mode::Complained, Service::Ses)
            | (Mode::Spent, Service::Sns) => None,
            (Mode::Undelivered | Mode::Bounced, _) => {
                Some("the mode belongs to the services sns, ses and sms-voice")
            }
            (Mode::Complained, _) => Some("the mode complained belongs to the service ses"),
            (Mode::Spent, _) => Some("the mode spent belongs to the service sns"),
            (Mode::Partial, _) => {
                Some("the mode partial belongs to the services events and dynamodb")
            }
            (Mode::Conflict, _) => Some("the mode conflict belongs to the service dynamodb"),
            (Mode::Refuse | Mode::Misconfigured, _) => {
                Some("the mode belongs to the services sns, ses, sms-voice and webhook")
            }
            (Mode::CrashBefore | Mode::CrashAfter, Service::Webhook | Service::OldSystem) => {
                Some("the services webhook and old-system do not know who calls them")
            }
            _ => None,
        }
    }

    fn matches(&self, function: &str, service: Service, operation: &str) -> bool {
        let is =
            |wanted: Option<&String>, actual: &str| wanted.is_none_or(|wanted| wanted == actual);
        let possible = match self.mode {
            // Only transactions and writes can meet another transaction.
            Mode::Conflict => {
                matches!(operation, "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem")
            }
            Mode::Partial => matches!(operation, "PutEvents" | "BatchGetItem"),
            // Only messages have a recipient.
            Mode::Refuse
            | Mode::Misconfigured
            | Mode::Undelivered
            | Mode::Bounced
            | Mode::Complained
            | Mode::Spent => {
                matches!(operation, "Publish" | "SendEmail" | "SendTextMessage" | "Send")
            }
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
        Self { queue: Mutex::default(), deletions: watch::channel(0).0 }
    }
}

impl Faults {
    /// Adds a fault at the end of the queue.
    pub(crate) fn add(&self, fault: Fault) {
        let (after, count) = (fault.after.unwrap_or(0), fault.count.unwrap_or(1));
        if count > 0 {
            lock(&self.queue).push_back(Pending { fault, after, count });
        }
    }

    /// Returns the faults that have not happened yet, with the calls that are left of each.
    pub(crate) fn list(&self) -> Vec<Fault> {
        let left = |pending: &Pending| Fault {
            count: Some(pending.count),
            after: Some(pending.after),
            ..pending.fault.clone()
        };
        lock(&self.queue).iter().map(left).collect()
    }

    /// Deletes all faults and ends the calls that wait because of one.
    pub(crate) fn clear(&self) {
        lock(&self.queue).clear();
        self.deletions.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Takes the first fault for a call, if there is one. Each earlier fault in the queue that lets
    /// the call pass counts it for its `after`.
    pub(super) fn take(&self, function: &str, service: Service, operation: &str) -> Option<Mode> {
        let mut queue = lock(&self.queue);
        let mut found = None;
        for (index, pending) in queue.iter_mut().enumerate() {
            if !pending.fault.matches(function, service, operation) {
                continue;
            }
            if pending.after > 0 {
                pending.after = pending.after.saturating_sub(1);
                continue;
            }
            pending.count = pending.count.saturating_sub(1);
            found = Some((index, pending.count, pending.fault.mode));
            break;
        }
        let (index, left, mode) = found?;
        if left == 0 {
            queue.remove(index);
        }
        Some(mode)
    }

    /// Waits for the next deletion of the faults after this call.
    pub(super) fn cleared(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut deletions = self.deletions.subscribe();
        async move {
            drop(deletions.changed().await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

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
    fn a_fault_lets_some_calls_pass_and_then_fails_some() {
        let faults =
            faults(&[json!({ "service": "dynamodb", "mode": "error", "count": 2, "after": 1 })]);
        let results: Vec<_> = (0..4).map(|_| put(&faults)).collect();
        assert_eq!(results, [None, Some(Mode::Error), Some(Mode::Error), None]);
    }

    #[test]
    fn a_fault_needs_all_its_filters_to_match() {
        let faults = faults(&[json!({
            "service": "dynamodb", "mode": "throttle", "operation": "TransactWriteItems", "function": "f"
        })]);
        assert_eq!(put(&faults), None);
        assert_eq!(faults.take("g", Service::DynamoDb, "TransactWriteItems"), None);
        assert_eq!(faults.take("f", Service::Sns, "TransactWriteItems"), None);
        assert_eq!(faults.take("f", Service::DynamoDb, "TransactWriteItems"), Some(Mode::Throttle));
    }

    #[test]
    fn faults_happen_in_the_order_of_the_queue() {
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
    fn a_conflict_waits_for_a_transaction_or_a_write() {
        let faults = faults(&[json!({ "service": "dynamodb", "mode": "conflict", "count": 4 })]);
        let take = |operation| faults.take("f", Service::DynamoDb, operation);
        for read in ["GetItem", "BatchGetItem", "Scan"] {
            assert_eq!(take(read), None, "{read}");
        }
        for write in ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"] {
            assert_eq!(take(write), Some(Mode::Conflict), "{write}");
        }
        assert_eq!(put(&faults), None);
    }

    #[test]
    fn a_refusal_waits_for_a_message() {
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
    async fn deleting_the_faults_ends_waiting_calls() {
        let faults = faults(&[json!({ "service": "dynamodb", "mode": "timeout", "count": 9 })]);
        let waiting = faults.cleared();
        faults.clear();
        waiting.await;
        assert_eq!(put(&faults), None);
    }

    #[test]
    fn unknown_fields_and_impossible_pairs_are_mistakes() {
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
            ("webhook", "bounced"),
            ("sns", "complained"),
            ("ses", "spent"),
        ] {
            assert!(mistake(service, mode).is_some(), "{service} {mode}");
        }
        for (service, mode) in [
            ("events", "partial"),
            ("dynamodb", "partial"),
            ("dynamodb", "conflict"),
            ("sns", "refuse"),
            ("ses", "refuse"),
            ("sms-voice", "undelivered"),
            ("ses", "bounced"),
            ("ses", "complained"),
            ("sns", "spent"),
        ] {
            assert_eq!(mistake(service, mode), None, "{service} {mode}");
        }
    }
}
