//! The way to the embedded DynamoDB: calls pass through to it and are looked at on the way.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use super::reply::Reply;
use super::rights::{self, PartitionKeys, Right};
use crate::template::TableSpec;

/// Operations that report the capacity they consume when they are asked to.
const METERED: [&str; 13] = [
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// What of a request's headers the database needs to see.
const PASSED_ON: [HeaderName; 4] = [
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
    /// Logical ids by physical name.
    ids: HashMap<String, String>,
    keys: PartitionKeys,
    writes: TableWrites,
}

/// Tells who reads a table's stream that the table may have changed.
#[derive(Debug, Clone)]
pub(crate) struct TableWrites(HashMap<String, watch::Sender<()>>);

impl TableWrites {
    pub(crate) fn new(tables: &[TableSpec]) -> Self {
        Self(tables.iter().map(|table| (table.id.clone(), watch::channel(()).0)).collect())
    }

    /// Reports every write to the table with this logical id from now on.
    pub(crate) fn watch(&self, id: &str) -> Option<watch::Receiver<()>> {
        self.0.get(id).map(watch::Sender::subscribe)
    }

    fn happened(&self, ids: &[String]) {
        for sender in ids.iter().filter_map(|id| self.0.get(id)) {
            sender.send_replace(());
        }
    }
}

impl DynamoDb {
    pub(crate) fn new(
        url: String,
        tables: &[TableSpec],
        writes: TableWrites,
    ) -> anyhow::Result<Self> {
        let ids = tables.iter().map(|table| (table.name.clone(), table.id.clone())).collect();
        // A proxy that this machine's environment names has no business with the loopback interface.
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { url, client, ids, keys: PartitionKeys::of(tables), writes })
    }

    /// The logical ids of all tables that a request names, sorted.
    pub(super) fn resources(&self, body: &[u8]) -> Vec<String> {
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        let mut ids: Vec<_> = table_names(&request).into_iter().map(|name| self.id(name)).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    fn id(&self, table: &str) -> String {
        let name = rights::plain_name(table);
        self.ids.get(name).map_or(name, String::as_str).to_owned()
    }

    pub(super) fn rights(&self, operation: &str, body: &[u8]) -> Vec<Right> {
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        rights::by_id(self.keys.rights(operation, &request), |table| self.id(table))
    }

    pub(super) async fn call(
        &self,
        operation: &str,
        resources: &[String],
        head: &Parts,
        body: Bytes,
    ) -> Reply {
        let (body, metered) = metered(operation, body);
        let headers: HeaderMap = PASSED_ON
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
                    self.writes.happened(resources);
                }
                answered(status, &headers, body, metered)
            }
            Err(error) => Reply::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "com.amazonaws.dynamodb.v20120810#InternalServerError",
                &format!("the embedded database did not answer: {error}"),
            ),
        }
    }
}

/// Makes a request ask for its consumed capacity, so that every call can be accounted for. `true`: it had not
/// asked itself, and must not see the answer.
fn metered(operation: &str, body: Bytes) -> (Bytes, bool) {
    if !METERED.contains(&operation) {
        return (body, false);
    }
    match serde_json::from_slice::<Json>(&body) {
        Ok(Json::Object(mut request)) if !request.contains_key("ReturnConsumedCapacity") => {
            request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
            (Json::Object(request).to_string().into(), true)
        }
        _ => (body, false),
    }
}

fn answered(status: StatusCode, headers: &HeaderMap, body: Bytes, strip: bool) -> Reply {
    let mut reply = Reply { status, headers: HeaderMap::new(), body, units: None };
    if let Some(content_type) = headers.get(CONTENT_TYPE) {
        reply.headers.insert(CONTENT_TYPE, content_type.clone());
    }
    let parsed = serde_json::from_slice::<Json>(&reply.body);
    let Ok(Json::Object(mut answer)) = parsed else { return reply };
    reply.units = answer.get("ConsumedCapacity").and_then(units);
    if strip && answer.remove("ConsumedCapacity").is_some() {
        reply.body = Json::Object(answer).to_string().into();
    } else if let Some(checksum) = headers.get("x-amz-crc32") {
        // The checksum of the database holds for exactly the bytes it sent.
        reply.headers.insert("x-amz-crc32", checksum.clone());
    }
    reply
}

/// The capacity that an answer says to have consumed.
pub(super) fn consumed(body: &[u8]) -> Option<f64> {
    let answer: Json = serde_json::from_slice(body).ok()?;
    answer.get("ConsumedCapacity").and_then(units)
}

/// One figure or a list of them, one for each table.
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

/// Every table that a request names, wherever its operation puts them.
fn table_names(request: &Json) -> Vec<&str> {
    let mut names = Vec::new();
    names.extend(request.get("TableName").and_then(Json::as_str));
    let actions = request.get("TransactItems").and_then(Json::as_array).into_iter().flatten();
    for action in actions.filter_map(Json::as_object).flat_map(|action| action.values()) {
        names.extend(action.get("TableName").and_then(Json::as_str));
    }
    let batch = request.get("RequestItems").and_then(Json::as_object).into_iter().flatten();
    names.extend(batch.map(|(name, _)| name.as_str()));
    names
}

/// The fault mode `conflict`: a transaction met another one at its first item, or the write of an item met a
/// transaction.
pub(super) fn conflict(operation: &str, body: &[u8]) -> Reply {
    const MESSAGE: &str = "Transaction is ongoing for the item";
    if !operation.starts_with("Transact") {
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

    fn dynamodb() -> DynamoDb {
        let table = |id: &str| TableSpec {
            id: id.to_owned(),
            name: format!("latchkey-{id}"),
            create: Json::Null,
            ttl_attribute: None,
            streams: false,
        };
        let tables = [table("Users"), table("Outbox")];
        DynamoDb::new("http://127.0.0.1:1".to_owned(), &tables, TableWrites::new(&tables)).unwrap()
    }

    #[test]
    fn tables_are_found_wherever_a_request_names_them() {
        let resources = |request: Json| dynamodb().resources(request.to_string().as_bytes());
        assert_eq!(resources(json!({ "TableName": "latchkey-Users" })), ["Users"]);
        assert_eq!(
            resources(json!({ "TransactItems": [
                { "Put": { "TableName": "latchkey-Users" } },
                { "Update": { "TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Outbox" } },
                { "ConditionCheck": { "TableName": "latchkey-Users" } },
            ] })),
            ["Outbox", "Users"]
        );
        assert_eq!(
            resources(json!({ "RequestItems": { "latchkey-Outbox": [], "x": [] } })),
            ["Outbox", "x"]
        );
        assert!(dynamodb().resources(b"not json").is_empty());
    }

    #[test]
    fn capacity_is_asked_for_counted_and_hidden_again() {
        let (asked, strip) = metered("PutItem", Bytes::from_static(br#"{"TableName":"T"}"#));
        assert!(strip && String::from_utf8_lossy(&asked).contains("TOTAL"));
        let body = Bytes::from_static(
            br#"{"ConsumedCapacity":[{"CapacityUnits":2.0},{"CapacityUnits":0.5}]}"#,
        );
        let reply = answered(StatusCode::OK, &HeaderMap::new(), body.clone(), true);
        assert_eq!((reply.units, &*reply.body), (Some(2.5), &b"{}"[..]));
        let reply = answered(StatusCode::OK, &HeaderMap::new(), body.clone(), false);
        assert_eq!((reply.units, reply.body), (Some(2.5), body));
    }

    #[test]
    fn a_request_that_asks_itself_or_cannot_be_asked_stays_as_it_is() {
        let own = Bytes::from_static(br#"{"ReturnConsumedCapacity":"NONE"}"#);
        assert_eq!(metered("PutItem", own.clone()), (own.clone(), false));
        assert_eq!(metered("DescribeTable", own.clone()), (own, false));
        let broken = Bytes::from_static(b"{");
        assert_eq!(metered("PutItem", broken.clone()), (broken, false));
    }

    #[test]
    fn a_conflict_names_one_item_of_the_transaction() {
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
    fn a_conflict_rejects_the_write_of_an_item() {
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
