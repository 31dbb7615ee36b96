//! The endpoint of the queues, which speaks the JSON protocol of SQS.

use super::queues::{Change, Queue, Queues};
use crate::clock::Clock;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use std::ops::RangeInclusive;
use std::time::Duration;
use template::arn::ACCOUNT;
use tokio::time::Instant;

/// The start of the header that names the operation.
const TARGET: &str = "AmazonSQS.";

/// The most seconds of a visibility timeout.
const LONGEST_VISIBILITY: i64 = 43_200;

/// An error of SQS.
struct Refusal {
    name: &'static str,
    /// The name in the older protocol, which clients still read from a header.
    query_name: &'static str,
    message: String,
}

type Answer = Result<Json, Refusal>;

/// Returns the URL of a queue.
pub(super) fn queue_url(base: &str, name: &str) -> String {
    format!("{base}/{ACCOUNT}/{name}")
}

/// A request of an AWS client.
pub(super) struct Call<'c> {
    pub(super) queues: &'c Queues,
    pub(super) clock: &'c Clock,
    /// The URL of this endpoint.
    pub(super) base: &'c str,
    pub(super) body: &'c Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfQueue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListQueues {
    queue_name_prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// The older name of the next field.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeMessageVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<T> {
    queue_url: String,
    entries: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEntry {
    id: String,
    receipt_handle: String,
    /// Of a change of the visibility.
    visibility_timeout: Option<i64>,
}

impl Call<'_> {
    pub(super) async fn respond(&self, headers: &HeaderMap) -> Response {
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let answer = match target.and_then(|target| target.strip_prefix(TARGET)) {
            Some(operation) => self.answer(operation).await,
            None => Err(Refusal::unsupported(
                "the request is not in the JSON protocol of SQS, which current AWS clients speak",
            )),
        };
        let mut headers = vec![
            (header::CONTENT_TYPE.as_str(), "application/x-amz-json-1.0".to_owned()),
            ("x-amzn-requestid", crate::random::uuid()),
        ];
        let (status, body) = match answer {
            Ok(body) => (StatusCode::OK, body),
            Err(refusal) => {
                headers.push(("x-amzn-query-error", format!("{};Sender", refusal.query_name)));
                let kind = format!("com.amazonaws.sqs#{}", refusal.name);
                let body = json!({ "__type": kind, "message": refusal.message });
                (StatusCode::BAD_REQUEST, body)
            }
        };
        let mut response = (status, body.to_string()).into_response();
        for (name, value) in headers {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(header::HeaderName::from_static(name), value);
            }
        }
        response
    }

    async fn answer(&self, operation: &str) -> Answer {
        match operation {
            "ReceiveMessage" => self.receive().await,
            "DeleteMessage" => {
                let request: DeleteMessage = self.request()?;
                delete(self.queue(&request.queue_url)?, &request.receipt_handle)
            }
            "DeleteMessageBatch" => self.batch(|queue, entry| delete(queue, &entry.receipt_handle)),
            "ChangeMessageVisibility" => {
                let request: ChangeMessageVisibility = self.request()?;
                let queue = self.queue(&request.queue_url)?;
                let timeout = Some(request.visibility_timeout);
                change(queue, self.clock.millis(), &request.receipt_handle, timeout)
            }
            "ChangeMessageVisibilityBatch" => self.batch(|queue, entry| {
                change(queue, self.clock.millis(), &entry.receipt_handle, entry.visibility_timeout)
            }),
            "GetQueueUrl" => {
                let request: GetQueueUrl = self.request()?;
                let queue = self.queue(&request.queue_name)?;
                Ok(json!({ "QueueUrl": queue_url(self.base, &queue.settings.name) }))
            }
            "ListQueues" => {
                let request: ListQueues = self.request()?;
                let prefix = request.queue_name_prefix.unwrap_or_default();
                let names = self.queues.all().map(|queue| queue.settings.name.as_str());
                let names = names.filter(|name| name.starts_with(&prefix));
                let urls: Vec<_> = names.map(|name| queue_url(self.base, name)).collect();
                Ok(json!({ "QueueUrls": urls }))
            }
            "GetQueueAttributes" => {
                let request: GetQueueAttributes = self.request()?;
                let attributes = attributes(self.queue(&request.queue_url)?, self.clock.millis());
                Ok(json!({ "Attributes": chosen(attributes, &request.attribute_names) }))
            }
            "PurgeQueue" => {
                let request: OfQueue = self.request()?;
                self.queue(&request.queue_url)?.purge();
                Ok(json!({}))
            }
            other => Err(Refusal::unsupported(&format!("the local stack has no {other}"))),
        }
    }

    fn request<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body = if self.body.is_empty() { b"{}" } else { self.body.as_ref() };
        serde_json::from_slice(body).map_err(|problem| Refusal {
            name: "InvalidParameterValueException",
            query_name: "InvalidParameterValue",
            message: problem.to_string(),
        })
    }

    /// Returns the queue with this URL or name.
    fn queue(&self, url: &str) -> Result<&Queue, Refusal> {
        let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        self.queues.get(name).ok_or_else(|| Refusal {
            name: "QueueDoesNotExist",
            query_name: "AWS.SimpleQueueService.NonExistentQueue",
            message: "The specified queue does not exist.".to_owned(),
        })
    }

    async fn receive(&self) -> Answer {
        let request: ReceiveMessage = self.request()?;
        let queue = self.queue(&request.queue_url)?;
        let settings = &queue.settings;
        let most = within("MaxNumberOfMessages", request.max_number_of_messages, 1..=10)?;
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(1);
        let invisible = request.visibility_timeout;
        let invisible = seconds("VisibilityTimeout", invisible, LONGEST_VISIBILITY)?;
        let invisible = invisible.unwrap_or(settings.visibility_timeout);
        let wait = seconds("WaitTimeSeconds", request.wait_time_seconds, 20)?;
        let end = Instant::now().checked_add(wait.unwrap_or(settings.wait));
        let mut changes = queue.changes();
        let mut passes = self.clock.passes();
        let received = loop {
            changes.mark_unchanged();
            passes.mark_unchanged();
            let now = self.clock.millis();
            let received = self.queues.receive(queue, now, most, invisible);
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let left = left.unwrap_or_default();
            if !received.is_empty() || left.is_zero() {
                break received;
            }
            // A millisecond more, because the clock cuts off parts of one.
            let visible = queue.until_visible(now);
            let visible = visible.map(|time| time.saturating_add(Duration::from_millis(1)));
            let pause = visible.map_or(left, |time| time.min(left));
            // The end of the wait, a message, or time that passes at once.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = changes.changed() => {}
                _ = passes.changed() => {}
            }
        };
        let mut wanted = request.attribute_names;
        wanted.extend(request.message_system_attribute_names);
        let messages: Vec<_> = received
            .into_iter()
            .map(|message| {
                let attributes = text_members(json!({
                    "ApproximateReceiveCount": message.count.to_string(),
                    "ApproximateFirstReceiveTimestamp": message.first_time.to_string(),
                    "SenderId": ACCOUNT,
                    "SentTimestamp": message.sent.to_string(),
                }));
                let attributes = chosen(attributes, &wanted);
                let mut shown = json!({
                    "MessageId": message.id,
                    "ReceiptHandle": message.handle,
                    "MD5OfBody": format!("{:x}", md5::compute(&message.body)),
                    "Body": message.body,
                });
                if let Some(members) = shown.as_object_mut().filter(|_| !attributes.is_empty()) {
                    members.insert("Attributes".to_owned(), attributes.into());
                }
                shown
            })
            .collect();
        // SQS leaves the list out if it is empty.
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    /// Answers a request with up to ten entries, each of which can fail.
    fn batch(&self, act: impl Fn(&Queue, &BatchEntry) -> Answer) -> Answer {
        let request: Batch<BatchEntry> = self.request()?;
        let queue = self.queue(&request.queue_url)?;
        if request.entries.is_empty() || request.entries.len() > 10 {
            return Err(Refusal {
                name: "TooManyEntriesInBatchRequest",
                query_name: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
                message: "a batch has one to ten entries".to_owned(),
            });
        }
        let mut successful = Vec::new();
        let mut failed = Vec::new();
        for entry in &request.entries {
            match act(queue, entry) {
                Ok(_) => successful.push(json!({ "Id": entry.id })),
                Err(refusal) => failed.push(json!({
                    "Id": entry.id,
                    "SenderFault": true,
                    "Code": refusal.query_name,
                    "Message": refusal.message,
                })),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }
}

fn delete(queue: &Queue, handle: &str) -> Answer {
    if !handle.contains(':') {
        return Err(Refusal {
            name: "ReceiptHandleIsInvalid",
            query_name: "ReceiptHandleIsInvalid",
            message: format!("The input receipt handle \"{handle}\" is not valid."),
        });
    }
    queue.delete(handle);
    Ok(json!({}))
}

fn change(queue: &Queue, now: i64, handle: &str, invisible: Option<i64>) -> Answer {
    let invisible = seconds("VisibilityTimeout", invisible, LONGEST_VISIBILITY)?;
    let invisible = invisible.unwrap_or_default();
    match queue.change_visibility(handle, now, invisible) {
        Change::Done => Ok(json!({})),
        Change::NotInFlight => Err(Refusal {
            name: "MessageNotInflight",
            query_name: "AWS.SimpleQueueService.MessageNotInflight",
            message: "the message is visible".to_owned(),
        }),
        Change::NoMessage => Err(Refusal::parameter(&format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist \
             or is not available for visibility timeout change."
        ))),
    }
}

/// Returns the attributes of a queue, all as text.
fn attributes(queue: &Queue, now: i64) -> Map<String, Json> {
    let settings = &queue.settings;
    let counts = queue.counts(now);
    let seconds = |time: Duration| time.as_secs().to_string();
    let mut attributes = text_members(json!({
        "ApproximateNumberOfMessages": counts.visible.to_string(),
        "ApproximateNumberOfMessagesNotVisible": counts.in_flight.to_string(),
        "ApproximateNumberOfMessagesDelayed": counts.delayed.to_string(),
        "DelaySeconds": seconds(settings.delay),
        "MessageRetentionPeriod": seconds(settings.retention),
        "QueueArn": settings.arn(),
        "ReceiveMessageWaitTimeSeconds": seconds(settings.wait),
        "VisibilityTimeout": seconds(settings.visibility_timeout),
    }));
    if let Some(redrive) = &settings.redrive {
        let policy = json!({
            "deadLetterTargetArn": template::Queue::new(redrive.queue.clone()).arn(),
            "maxReceiveCount": redrive.after,
        });
        attributes.insert("RedrivePolicy".to_owned(), policy.to_string().into());
    }
    attributes
}

fn text_members(object: Json) -> Map<String, Json> {
    match object {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// Returns the attributes that a request names. `All` names all.
fn chosen(mut attributes: Map<String, Json>, names: &[String]) -> Map<String, Json> {
    attributes.retain(|name, _| names.iter().any(|wanted| wanted == "All" || wanted == name));
    attributes
}

/// Returns a number that must be in a range.
fn within(
    name: &str,
    value: Option<i64>,
    range: RangeInclusive<i64>,
) -> Result<Option<i64>, Refusal> {
    match value.filter(|value| !range.contains(value)) {
        None => Ok(value),
        Some(value) => Err(Refusal::parameter(&format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be between {} and {}, if \
             provided.",
            range.start(),
            range.end()
        ))),
    }
}

fn seconds(name: &str, value: Option<i64>, most: i64) -> Result<Option<Duration>, Refusal> {
    let value = within(name, value, 0..=most)?;
    Ok(value.and_then(|value| u64::try_from(value).ok()).map(Duration::from_secs))
}

impl Refusal {
    fn unsupported(message: &str) -> Self {
        Self {
            name: "UnsupportedOperation",
            query_name: "AWS.SimpleQueueService.UnsupportedOperation",
            message: message.to_owned(),
        }
    }

    fn parameter(message: &str) -> Self {
        Self {
            name: "InvalidParameterValueException",
            query_name: "InvalidParameterValue",
            message: message.to_owned(),
        }
    }
}
