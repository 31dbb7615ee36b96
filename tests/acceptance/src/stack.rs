//! A running stack of the real functions.

use crate::{Call, Reply, events, route};
use local::{Functions, Options, SecretSnapshot, Stack};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::IntoFuture;
use std::path::PathBuf;
use tokio::sync::OnceCell;

/// The environment variable that names a folder. Each stack writes the rights that its functions needed to that folder, for
/// `tests/aws/rights.py`.
const RIGHTS: &str = "LATCHKEY_RIGHTS";

/// The environment variable that names a folder. Each stack writes the requests to its API and their answers to that folder, for
/// `cargo run -p openapi`.
const TRAFFIC: &str = "LATCHKEY_TRAFFIC";

/// The environment variable that holds a command. The command deploys into an account for each stack
/// (`tests/aws/account.py`). Without it the functions run in the local stack.
const TARGET: &str = "LATCHKEY_TARGET";

/// The logical ids of the tables.
pub const TABLES: [&str; 14] = [
    "Users",
    "Identifiers",
    "Challenges",
    "Answers",
    "Devices",
    "Sessions",
    "Budgets",
    "Ledger",
    "Clients",
    "Outbox",
    "Deliveries",
    "Histories",
    "Sequences",
    "Audit",
];

/// The settings that switch every limit off, so that tests can share a stack.
pub const NO_LIMITS: [(&str, &str); 3] =
    [("OTP_SENDS_PER_HOUR", "0"), ("OTP_SENDS_PER_HOUR_PER_IP", "0"), ("OTP_RESEND_SECONDS", "0")];

/// The usual limits, but for the pause between two codes.
pub const NO_PAUSE: [(&str, &str); 3] = [
    ("OTP_RESEND_SECONDS", "0"),
    ("OTP_GUESSES_PER_HOUR_PER_IP", "1000"),
    ("SENDS_PER_HOUR_PER_CLIENT", "1000"),
];

/// Limits that are counted, with their cost, and that no flow reaches.
pub const WIDE_LIMITS: [(&str, &str); 8] = [
    ("OTP_RESEND_SECONDS", "0"),
    ("OTP_SENDS_PER_HOUR", "1000"),
    ("OTP_SENDS_PER_HOUR_PER_IP", "1000000"),
    ("OTP_GUESSES_PER_HOUR_PER_IP", "1000000"),
    ("MESSAGES_PER_HOUR", "1000000"),
    ("MESSAGES_PER_DAY", "1000000"),
    ("MESSAGES_USD_PER_DAY_IN_ALL", "1000000"),
    ("UNUSED_CODES_PER_PREFIX", "1000000"),
];

/// [`NO_LIMITS`], and these settings.
#[must_use]
pub fn without_limits<'a>(env: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    NO_LIMITS.iter().chain(env).copied().collect()
}

/// A running stack, and an HTTP client for it.
pub struct TestStack {
    stack: Stack,
    client: Client,
}

impl TestStack {
    /// The stack without limits that tests share. Each test uses recipients of its own.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<TestStack> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::with(&NO_LIMITS)).await
    }

    /// A new stack, with these environment variables in every function.
    pub async fn with(env: &[(&str, &str)]) -> Self {
        Self::start(env, Options::default()).await
    }

    /// A new stack that runs the release builds of the functions, if `release` is set.
    pub async fn measured(release: bool, env: &[(&str, &str)]) -> Self {
        let functions = Functions::Built { release, watch: false };
        Self::start(env, Options { functions, ..Options::default() }).await
    }

    /// A new stack in which a function gets up to `lanes` batches of a stream at the same time.
    pub async fn with_lanes(lanes: usize, env: &[(&str, &str)]) -> Self {
        Self::start(env, Options { lanes, ..Options::default() }).await
    }

    /// A new stack in which no schedule invokes a function.
    pub async fn unscheduled(env: &[(&str, &str)]) -> Self {
        Self::start(env, Options { schedules: false, ..Options::default() }).await
    }

    /// A new stack with these options, which runs in the local stack.
    pub async fn with_options(env: &[(&str, &str)], options: Options) -> Self {
        Self::start(env, options).await
    }

    /// Whether the functions run in an account, where a request and a delivery take much longer.
    #[must_use]
    pub fn is_in_account() -> bool {
        std::env::var_os(TARGET).is_some()
    }

    /// Returns how many requests a test sends at once: `most`, and in an account a fourth of them. The emulated account has one
    /// Python process for all tables. With more, the last calls wait longer than a call may take, and requests end as faults.
    #[must_use]
    pub fn at_once(most: usize) -> usize {
        if Self::is_in_account() { most.div_ceil(4) } else { most }
    }

    async fn start(env: &[(&str, &str)], options: Options) -> Self {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let env = env.iter().map(pair).collect();
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let (rights, traffic) = (folder(RIGHTS), folder(TRAFFIC));
        let words = |command: OsString| {
            command.to_string_lossy().split_whitespace().map(str::to_owned).collect()
        };
        let account = std::env::var_os(TARGET).map(words);
        let stack = Stack::start(Options { env, rights, traffic, account, ..options })
            .await
            .unwrap_or_else(|error| panic!("{error:#}"));
        // The client keeps no connections: a connection would end with the runtime of the test that opened it.
        let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { stack, client }
    }

    /// The URL of the API.
    #[must_use]
    pub fn url(&self) -> &str {
        self.stack.url()
    }

    /// The names of the functions.
    #[must_use]
    pub fn functions(&self) -> &[String] {
        self.stack.functions()
    }

    /// The environment variables of a function, without those of one instance.
    #[must_use]
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        self.stack.environment(function)
    }

    /// The lines that the functions wrote so far, each with its function's name in brackets.
    #[must_use]
    pub fn logs(&self) -> Vec<String> {
        self.stack.logs()
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// A request to the endpoint that a function serves.
    pub fn call(&self, function: &str) -> Call<'_> {
        let route = route(function);
        self.request(route.method, route.path)
    }

    /// A request to any path.
    pub fn request(&self, method: &str, path: &str) -> Call<'_> {
        Call::new(self, method, path)
    }

    /// Invokes a function directly, as `aws lambda invoke` does.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Reply {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        self.request("POST", &path).json(payload).await
    }

    /// Reads one of the pages that the local stack serves beside the API.
    pub async fn local(&self, page: &str) -> Value {
        let reply = self.request("GET", &format!("/_local/{page}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    async fn list(&self, page: &str, name: &str) -> Vec<Value> {
        let mut answer = self.local(page).await;
        let Value::Array(list) = answer[name].take() else { panic!("no list of {name}") };
        list
    }

    /// The items of a table, which is named by its logical id.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        self.list(&format!("tables/{table}"), "items").await
    }

    /// The items of a table whose JSON contains `text`.
    pub async fn items_with(&self, table: &str, text: &str) -> Vec<Value> {
        let mut items = self.items(table).await;
        items.retain(|item| item.to_string().contains(text));
        items
    }

    /// The items of a table that belong to a user.
    pub async fn items_of_user(&self, table: &str, user_id: &str) -> Vec<Value> {
        let mut items = self.items(table).await;
        items.retain(|item| item["user_id"] == user_id);
        items
    }

    /// The tables whose items contain one of these texts.
    pub async fn tables_with(&self, texts: &[&str]) -> Vec<&'static str> {
        let mut found = Vec::new();
        for table in TABLES {
            let items = Value::from(self.items(table).await).to_string();
            if texts.iter().any(|text| items.contains(text)) {
                found.push(table);
            }
        }
        found
    }

    /// The messages to a recipient, oldest first.
    pub async fn messages(&self, to: &str) -> Vec<Value> {
        self.list(&format!("messages?to={}", to.replace('+', "%2B")), "messages").await
    }

    /// The events of a user, in the order in which they were put. The user's id is text or a number.
    pub async fn events_of(&self, user_id: &str) -> Vec<Value> {
        let mut events = self.all_events().await;
        events.retain(|event| match &event["detail"]["userId"] {
            Value::Number(id) => id.to_string() == user_id,
            id => id == user_id,
        });
        events
    }

    /// Every event so far, in the order in which they were put. Each one must match its schema.
    pub async fn all_events(&self) -> Vec<Value> {
        let events = self.list("events", "events").await;
        events.iter().for_each(events::assert_schema);
        events
    }

    /// The AWS calls of a function so far.
    pub async fn calls(&self, function: &str) -> Vec<Value> {
        self.list(&format!("calls?function={function}"), "calls").await
    }

    /// What `request` returns, and the AWS calls that the function made meanwhile.
    pub async fn calls_during<T>(
        &self,
        function: &str,
        request: impl IntoFuture<Output = T>,
    ) -> (T, Vec<Value>) {
        let before = self.calls(function).await.len();
        let returned = request.await;
        (returned, self.calls(function).await.split_off(before))
    }

    /// Calls DynamoDB directly: the call meets no fault and is not recorded. Tables are named by their logical ids.
    pub async fn dynamodb(&self, operation: &str, request: &Value) -> Value {
        const CREDENTIALS: &str = "AWS4-HMAC-SHA256 \
            Credential=test/20260101/us-east-1/dynamodb/aws4_request, \
            SignedHeaders=host;x-amz-date;x-amz-target, Signature=0";
        let mut request = request.clone();
        if let Some(Value::String(table)) = request.get_mut("TableName") {
            *table = self.stack.table_name(table).expect("a table of the template").to_owned();
        }
        let call = self
            .client
            .post(self.stack.dynamodb_url())
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", CREDENTIALS)
            .header("x-amz-date", "20260101T000000Z")
            .body(request.to_string());
        let response = call.send().await.unwrap();
        let (status, body) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Every secret with all its versions.
    pub async fn secrets(&self) -> Vec<SecretSnapshot> {
        self.stack.secrets().await.expect("the secrets")
    }
}
