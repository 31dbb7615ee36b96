//! A recorder between the functions and DynamoDB: the call log of the local stack has the units of a whole call, and the recorder
//! finds those of each item.
//!
//! It reads every item that a call writes before and after the call, and counts as DynamoDB does: a unit for each KiB of the larger
//! one, twice in a transaction. The sum must be what the database reports.

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use template::Table;
use tokio::net::TcpListener;

/// The index of the outbox, whose keys are hot as items can be.
pub(super) const INDEX: &str = "Outbox/due";
/// The largest body of a call, in bytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// The headers of a call, and those of an answer, that are passed on.
static PASSED: [HeaderName; 5] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    TARGET,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-crc32"),
];

/// A write of one item, or of one key of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    /// The table and the key.
    pub(super) item: String,
    /// The write units.
    pub(super) units: u64,
}

/// A call that writes.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) function: String,
    /// Whether it is a transaction.
    pub(super) is_transaction: bool,
    pub(super) writes: Vec<Write>,
}

/// A server that passes calls on and records those that write.
pub(super) struct Recorder {
    pub(super) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The URL of the local stack.
    target: OnceLock<String>,
    client: reqwest::Client,
    tables: Vec<Table>,
    calls: Mutex<Vec<Call>>,
    /// The tokens of transactions. A transaction that is sent again does nothing.
    tokens: Mutex<BTreeSet<String>>,
    /// The calls whose units differ from those that the database reports.
    differences: Mutex<Vec<String>>,
}

/// An item that a call names.
struct Named {
    /// The physical name of the table.
    table: String,
    key: Value,
    /// What a put makes of it. The relay may delete an entry of the outbox before it could be read.
    put: Option<Value>,
}

impl Recorder {
    /// Starts the server. It answers nothing before [`Self::connect`].
    pub(super) async fn start(tables: Vec<Table>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("failed to listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let client = reqwest::Client::builder().no_proxy().build()?;
        let shared = Arc::new(Shared { client, tables, ..Shared::default() });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// Passes calls on to the local stack at this URL from now on.
    pub(super) fn connect(&self, url: &str) -> anyhow::Result<()> {
        let set = self.shared.target.set(url.to_owned());
        set.map_err(|url| anyhow::anyhow!("it is connected already, not to {url}"))
    }

    /// Returns the calls since the last time, and fails if the units of one are not those that the database reported.
    pub(super) fn take(&self) -> anyhow::Result<Vec<Call>> {
        let differences = lock(&self.shared.differences);
        ensure!(differences.is_empty(), "other units were reported: {}", differences.join("; "));
        Ok(std::mem::take(&mut *lock(&self.shared.calls)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    // A caller that gives up does not end what is recorded.
    let passing = tokio::spawn(async move { shared.pass(&head.headers, body).await });
    match passing.await.map_err(anyhow::Error::from).flatten() {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

impl Shared {
    async fn pass(&self, headers: &HeaderMap, body: Body) -> anyhow::Result<Response> {
        let body = axum::body::to_bytes(body, BODY_LIMIT).await?;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let operation = text(TARGET).and_then(|target| target.rsplit('.').next());
        let operation = operation.unwrap_or_default();
        let request = serde_json::from_slice(&body).unwrap_or_default();
        let named = self.named(operation, &request);
        let token = request["ClientRequestToken"].as_str().unwrap_or_default().to_owned();
        let before = self.items(headers, &named).await?;
        let (status, answered, answer) = self.send(headers, body).await?;
        // A condition that fails costs its units as well.
        let is_new = !status.is_success() || token.is_empty() || lock(&self.tokens).insert(token);
        if is_new && !named.is_empty() && (status.is_success() || status == StatusCode::BAD_REQUEST)
        {
            let after = self.items(headers, &named).await?;
            let is_transaction = operation == "TransactWriteItems";
            let function = text(AUTHORIZATION).and_then(function).unwrap_or_default();
            let after =
                named.iter().zip(&after).map(|(named, read)| named.put.as_ref().unwrap_or(read));
            let images = named.iter().zip(before.iter().zip(after));
            let times = if is_transaction { 2 } else { 1 };
            let writes = images.flat_map(|(named, (old, new))| self.writes(named, old, new, times));
            let call = Call { function, is_transaction, writes: writes.collect() };
            if status.is_success() {
                self.compare(&call, &answer);
            }
            lock(&self.calls).push(call);
        }
        let mut response = Response::builder().status(status);
        for name in &PASSED {
            if let Some(value) = answered.get(name) {
                response = response.header(name, value);
            }
        }
        Ok(response.body(Body::from(answer))?)
    }

    /// Sends a call with these headers to the local stack.
    async fn send(
        &self,
        headers: &HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
        let target = self.target.get().context("not connected")?;
        let passed = PASSED.iter().filter_map(|name| Some((name.clone(), headers.get(name)?)));
        let passed = passed.map(|(name, value)| (name, value.clone())).collect();
        let response = self.client.post(target).headers(passed).body(body).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok((status, headers, response.bytes().await?))
    }

    /// Returns the items that a call writes or checks.
    fn named(&self, operation: &str, request: &Value) -> Vec<Named> {
        let actions: Vec<_> = match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => vec![request],
            "TransactWriteItems" => {
                let all = request["TransactItems"].as_array().into_iter().flatten();
                all.flat_map(|one| one.as_object().into_iter().flat_map(|one| one.values()))
                    .collect()
            }
            _ => Vec::new(),
        };
        let named = actions.into_iter().map(|action| {
            let table = action["TableName"].as_str().unwrap_or_default().to_owned();
            let put = action.get("Item").cloned();
            let key =
                put.as_ref().map_or_else(|| action["Key"].clone(), |item| self.key(&table, item));
            Named { table, key, put }
        });
        named.collect()
    }

    fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Returns the key of an item.
    fn key(&self, table: &str, item: &Value) -> Value {
        let schema = self.table(table).and_then(|table| table.create["KeySchema"].as_array());
        let names = schema.into_iter().flatten().filter_map(|part| part["AttributeName"].as_str());
        names.map(|name| (name.to_owned(), item[name].clone())).collect()
    }

    /// Reads items in one call, as the caller with these headers.
    async fn items(&self, headers: &HeaderMap, named: &[Named]) -> anyhow::Result<Vec<Value>> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let mut headers = headers.clone();
        headers.insert(TARGET, "DynamoDB_20120810.BatchGetItem".parse()?);
        let mut tables = Map::new();
        for Named { table, key, .. } in named {
            let default = || json!({"ConsistentRead": true, "Keys": []});
            let keys = &mut tables.entry(table).or_insert_with(default)["Keys"];
            keys.as_array_mut().context("no list")?.push(key.clone());
        }
        let get = json!({"RequestItems": tables});
        let (status, _, answer) = self.send(&headers, get.to_string().into()).await?;
        ensure!(status.is_success(), "{}", String::from_utf8_lossy(&answer));
        let answer: Value = serde_json::from_slice(&answer)?;
        let found = named.iter().map(|Named { table, key, .. }| {
            let items = answer["Responses"][table].as_array().into_iter().flatten();
            items.clone().find(|item| self.key(table, item) == *key).cloned().unwrap_or_default()
        });
        Ok(found.collect())
    }

    /// Returns the writes of an item and of its keys in the index.
    fn writes(&self, named: &Named, old: &Value, new: &Value, times: u64) -> Vec<Write> {
        let id = self.table(&named.table).map_or("", |table| table.id.as_str());
        let parts = named.key.as_object().into_iter().flat_map(|key| key.values());
        let parts = parts.filter_map(|value| value["S"].as_str().or_else(|| value["N"].as_str()));
        let item = format!("{id} {}", parts.collect::<Vec<_>>().join("/"));
        let units = size(old).max(size(new)).div_ceil(1024).max(1) * times;
        let mut writes = vec![Write { item, units }];
        let places = [old, new].map(|item| [&item["due_shard"], &item["due_at"]]);
        if id == "Outbox" && places[0] != places[1] {
            let shards = places.iter().filter_map(|[shard, _]| shard["S"].as_str());
            writes.extend(shards.map(|shard| Write { item: format!("{INDEX} {shard}"), units: 1 }));
        }
        writes
    }

    fn compare(&self, call: &Call, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let reported: f64 = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => {
                tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
            }
            Value::Null => return,
            table => table["CapacityUnits"].as_f64().unwrap_or_default(),
        };
        let counted: u64 = call.writes.iter().map(|write| write.units).sum();
        if reported.to_string() != counted.to_string() {
            lock(&self.differences).push(format!("{reported} for {call:?}"));
        }
    }
}

/// Reads the function of a caller from the signature, as the local stack does.
fn function(authorization: &str) -> Option<String> {
    let (_, scope) = authorization.split_once("Credential=")?;
    let (function, _) = scope.split_once('/')?.0.rsplit_once('.')?;
    Some(function.to_owned())
}

/// Returns the size of an item in bytes: its names and its values.
fn size(item: &Value) -> u64 {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| length(name) + value_size(value)).sum()
}

fn value_size(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    let number = |text: &str| length(text).div_ceil(2) + 1;
    // Base64 has four letters for three bytes.
    let bytes = |text: &str| length(text.trim_end_matches('=')) * 3 / 4;
    let one = |value: &Value| {
        value.as_str().map_or(0, |text| match kind.as_str() {
            "N" | "NS" => number(text),
            "B" | "BS" => bytes(text),
            _ => length(text),
        })
    };
    match value {
        Value::Object(map) => 3 + map.len() as u64 + size(&Value::Object(map.clone())),
        Value::Array(list) if kind == "L" => {
            3 + list.len() as u64 + list.iter().map(value_size).sum::<u64>()
        }
        Value::Array(set) => set.iter().map(one).sum(),
        Value::String(_) => one(value),
        _ => 1,
    }
}

const fn length(text: &str) -> u64 {
    text.len() as u64
}
