//! Calls to the embedded DynamoDB.

use super::reply::Reply;
use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use template::Table;
use tokio::sync::watch;

/// The operations that the functions use. The stack refuses others.
const OPERATIONS: [&str; 8] = [
    "BatchGetItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactWriteItems",
    "UpdateItem",
];

/// The headers of a request that the database needs.
const FORWARDED_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-target"),
];

/// Forwards calls to the embedded database.
#[derive(Debug)]
pub(crate) struct DynamoDb {
    url: String,
    client: reqwest::Client,
    writes: TableWrites,
}

/// Notifies the readers of a table's stream of writes to the table, by logical id.
#[derive(Debug, Clone)]
pub(crate) struct TableWrites(HashMap<String, watch::Sender<()>>);

impl TableWrites {
    pub(crate) fn new(tables: &[Table]) -> Self {
        Self(tables.iter().map(|table| (table.id.clone(), watch::channel(()).0)).collect())
    }

    /// Returns a receiver that changes with every write to the table with this logical id.
    pub(crate) fn watch(&self, id: &str) -> Option<watch::Receiver<()>> {
        self.0.get(id).map(watch::Sender::subscribe)
    }

    fn notify(&self, ids: &[String]) {
        for sender in ids.iter().filter_map(|id| self.0.get(id)) {
            sender.send_replace(());
        }
    }
}

impl DynamoDb {
    /// Sends calls to the database at `url`.
    pub(crate) fn new(url: String, writes: TableWrites) -> anyhow::Result<Self> {
        // A proxy in the environment of this machine must not get calls to loopback.
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { url, client, writes })
    }

    /// Executes a call that names these tables, by logical id.
    pub(crate) async fn call(
        &self,
        operation: &str,
        resources: &[String],
        head: &Parts,
        body: Bytes,
    ) -> Reply {
        if !OPERATIONS.contains(&operation) {
            return Reply::unknown_operation(operation);
        }
        let (body, metering) = with_metering(body);
        let headers: HeaderMap = FORWARDED_HEADERS
            .iter()
            .filter_map(|name| Some((name.clone(), head.headers.get(name)?.clone())))
            .collect();
        let sent = self.client.post(&self.url).headers(headers).body(body).send().await;
        let received = match sent {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                response.bytes().await.map(|body| (status, headers, body))
            }
            Err(error) => Err(error),
        };
        match received {
            Ok((status, headers, body)) => {
                if status.is_success() {
                    self.writes.notify(resources);
                }
                reply(status, &headers, body, metering)
            }
            Err(error) => Reply::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "com.amazonaws.dynamodb.v20120810#InternalServerError",
                &format!("failed to reach the embedded database: {error}"),
            ),
        }
    }
}

/// Tells which side asked for the consumed capacity of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metering {
    /// The function, which gets it in the reply.
    Function,
    /// The stack: the reply to the function must not have it.
    Stack,
}

/// Makes a request ask for its consumed capacity.
fn with_metering(body: Bytes) -> (Bytes, Metering) {
    match serde_json::from_slice::<Json>(&body) {
        Ok(Json::Object(mut request)) if !request.contains_key("ReturnConsumedCapacity") => {
            request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
            (Json::Object(request).to_string().into(), Metering::Stack)
        }
        _ => (body, Metering::Function),
    }
}

fn reply(status: StatusCode, headers: &HeaderMap, body: Bytes, metering: Metering) -> Reply {
    let mut reply = Reply { status, headers: HeaderMap::new(), body, units: None };
    if let Some(content_type) = headers.get(CONTENT_TYPE) {
        reply.headers.insert(CONTENT_TYPE, content_type.clone());
    }
    let parsed = serde_json::from_slice::<Json>(&reply.body);
    let Ok(Json::Object(mut answer)) = parsed else { return reply };
    reply.units = answer.get("ConsumedCapacity").and_then(units);
    if metering == Metering::Stack && answer.remove("ConsumedCapacity").is_some() {
        reply.body = Json::Object(answer).to_string().into();
    } else if let Some(checksum) = headers.get("x-amz-crc32") {
        // The checksum is valid only for the bytes that the database sent.
        reply.headers.insert("x-amz-crc32", checksum.clone());
    }
    reply
}

/// Returns the reply of the fault mode `partial` to a batch: HTTP 200, with every key unprocessed.
pub(super) fn none_processed(body: &[u8]) -> Reply {
    let request: Json = serde_json::from_slice(body).unwrap_or_default();
    let unprocessed = request.get("RequestItems").cloned().unwrap_or_default();
    let answer = json!({ "Responses": {}, "UnprocessedKeys": unprocessed });
    Reply::new(StatusCode::OK, "application/x-amz-json-1.0", answer.to_string())
}

/// Returns the capacity that a reply says the call consumed.
pub(super) fn consumed(body: &[u8]) -> Option<f64> {
    let answer: Json = serde_json::from_slice(body).ok()?;
    answer.get("ConsumedCapacity").and_then(units)
}

/// Adds up the capacity, which is one object or a list with one per table.
fn units(consumed: &Json) -> Option<f64> {
    let of_one = |one: &Json| one.get("CapacityUnits").and_then(Json::as_f64);
    match consumed {
        Json::Array(list) => {
            let all: Vec<f64> = list.iter().filter_map(of_one).collect();
            (!all.is_empty()).then(|| all.iter().sum())
        }
        one => of_one(one),
    }
}

/// Returns the reply of the fault mode `conflict`: the first item of a transaction, or the item of
/// a write, is part of another transaction.
pub(super) fn conflict(operation: &str, body: &[u8]) -> Reply {
    const MESSAGE: &str = "Transaction is ongoing for the item";
    if operation != "TransactWriteItems" {
        return Reply::bad_request(
            "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            MESSAGE,
        );
    }
    let request: Json = serde_json::from_slice(body).unwrap_or_default();
    let items = request.get("TransactItems").and_then(Json::as_array).map_or(1, Vec::len).max(1);
    let codes: Vec<_> =
        (0..items).map(|index| if index == 0 { "TransactionConflict" } else { "None" }).collect();
    let reasons: Vec<_> = codes
        .iter()
        .map(|code| match *code {
            "None" => json!({ "Code": code }),
            _ => json!({ "Code": code, "Message": MESSAGE }),
        })
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Reply::json(
        StatusCode::BAD_REQUEST,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": message,
            "CancellationReasons": reasons,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_hides_the_consumed_capacity_that_only_it_asked_for() {
        let (request, metering) = with_metering(Bytes::from_static(br#"{"TableName":"T"}"#));
        assert_eq!(metering, Metering::Stack);
        assert!(String::from_utf8_lossy(&request).contains("TOTAL"));
        let body = Bytes::from_static(
            br#"{"ConsumedCapacity":[{"CapacityUnits":2.0},{"CapacityUnits":0.5}]}"#,
        );
        let hidden = reply(StatusCode::OK, &HeaderMap::new(), body.clone(), Metering::Stack);
        assert_eq!((hidden.units, &*hidden.body), (Some(2.5), &b"{}"[..]));
        let shown = reply(StatusCode::OK, &HeaderMap::new(), body.clone(), Metering::Function);
        assert_eq!((shown.units, shown.body), (Some(2.5), body));
    }

    #[test]
    fn a_request_that_asks_for_its_capacity_or_is_not_json_is_not_changed() {
        for body in [&br#"{"ReturnConsumedCapacity":"NONE"}"#[..], b"{"] {
            let body = Bytes::from_static(body);
            assert_eq!(with_metering(body.clone()), (body, Metering::Function));
        }
    }

    #[tokio::test]
    async fn an_operation_that_the_functions_do_not_use_is_refused() {
        let dynamodb =
            DynamoDb::new("http://127.0.0.1:1".to_owned(), TableWrites::new(&[])).unwrap();
        let (head, ()) = axum::http::Request::new(()).into_parts();
        let refused = dynamodb.call("TransactGetItems", &[], &head, Bytes::new()).await;
        let text = String::from_utf8_lossy(&refused.body);
        assert!(text.contains("unsupported operation TransactGetItems"), "{text}");
    }

    #[test]
    fn a_conflict_cancels_a_transaction_for_its_first_item() {
        let reply = conflict("TransactWriteItems", br#"{"TransactItems":[{},{},{}]}"#);
        let answer: Json = serde_json::from_slice(&reply.body).unwrap();
        let codes: Vec<_> = answer
            .get("CancellationReasons")
            .and_then(Json::as_array)
            .unwrap()
            .iter()
            .map(|reason| reason.get("Code").unwrap().as_str().unwrap())
            .collect();
        assert_eq!(codes, ["TransactionConflict", "None", "None"]);
        let kind = answer.get("__type").and_then(Json::as_str).unwrap();
        assert!(kind.ends_with("#TransactionCanceledException"), "{kind}");
    }

    #[test]
    fn a_conflict_refuses_the_write_of_an_item() {
        let reply = conflict("UpdateItem", br#"{"TableName":"T"}"#);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(
            serde_json::from_slice::<Json>(&reply.body).unwrap(),
            json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                "message": "Transaction is ongoing for the item",
            })
        );
    }
}
