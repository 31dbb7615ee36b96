//! What the acceptance tests share: a stack of the real functions, and a client for it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(clippy::future_not_send, reason = "a test runs on one thread")]
#![expect(clippy::missing_panics_doc, reason = "every one of these panics when the test fails")]

use jsonschema::Validator;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::key_ring::KeyRing;
use latchkey::adapters::system::SystemClock;
use latchkey::domain::challenge::{ChallengeKey, KeyId, Nonce};
use latchkey::domain::code::{CodeFormat, CodeSeed};
use latchkey::ports::CodeKeys as _;
use local::{Options, SecretSnapshot, Stack};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long something that happens behind an answer may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// Names a folder that every stack writes the rights that its functions needed to, for `tests/aws/rights.py`.
const RIGHTS: &str = "LATCHKEY_RIGHTS";

/// A command that deploys into an account for each stack (`tests/aws/account.py`). Without it the functions run in the
/// local stack.
const TARGET: &str = "LATCHKEY_TARGET";

/// Switches every limit off, so that tests can share a stack.
pub const NO_LIMITS: [(&str, &str); 3] =
    [("OTP_SENDS_PER_HOUR", "0"), ("OTP_SENDS_PER_HOUR_PER_IP", "0"), ("OTP_RESEND_SECONDS", "0")];

/// A key ring for codes that tests know (`OTP_KEY_RING`), for [`derived_code`].
pub const KNOWN_RING: &str = r#"{"v1":{"key":"a key that the tests know","stage":"AWSCURRENT"}}"#;

/// The code of a challenge item, derived as the functions derive it from [`KNOWN_RING`].
pub async fn derived_code(key: ChallengeKey, item: &Value, format: CodeFormat) -> String {
    let nonce = data_encoding::BASE64.decode(item["nonce"].as_str().unwrap().as_bytes()).unwrap();
    let seed = CodeSeed {
        key,
        nonce: Nonce::from_stored(&nonce).unwrap(),
        key_id: KeyId::new(item["key_id"].as_str().unwrap()),
    };
    let ring = KeyRing::inline(KNOWN_RING, Arc::new(SystemClock)).unwrap();
    let keys = HmacCodeKeys::new(Arc::new(ring));
    keys.derive(&seed, format).await.unwrap().expose().to_owned()
}

/// A running stack and a client for it.
pub struct World {
    stack: Stack,
    client: Client,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: String,
}

impl Reply {
    /// The body as JSON; `null` when it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A header's value, or `""`.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Requires this status and JSON body.
    #[track_caller]
    pub fn expect(&self, status: u16, body: &Value) {
        assert_eq!((self.status, &self.json()), (status, body), "{self:?}");
    }
}

/// A phone number that no other test of the process uses.
#[must_use]
pub fn new_phone() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("+6282{:09}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An e-mail address that no other test of the process uses.
#[must_use]
pub fn new_email() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("person{}@example.com", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The numeral a code is: the first four to six digits that stand alone.
#[must_use]
pub fn code_in(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.into_iter().find(|word| (4..=6).contains(&word.len())).expect("a code").to_owned()
}

impl World {
    /// The stack without limits that tests share, each with keys of its own.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<World> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::with(&NO_LIMITS)).await
    }

    /// A stack of one's own, with these environment variables in every function.
    pub async fn with(env: &[(&str, &str)]) -> Self {
        Self::start(env, Options::default()).await
    }

    /// The same, with release builds of the functions if wanted.
    pub async fn measured(release: bool, env: &[(&str, &str)]) -> Self {
        Self::start(env, Options { release, ..Options::default() }).await
    }

    /// The same, where nothing runs by a schedule.
    pub async fn unscheduled(env: &[(&str, &str)]) -> Self {
        Self::start(env, Options { schedules: false, ..Options::default() }).await
    }

    async fn start(env: &[(&str, &str)], options: Options) -> Self {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let env = env.iter().map(pair).collect();
        let rights = std::env::var_os(RIGHTS).map(PathBuf::from);
        let words = |command: OsString| {
            command.to_string_lossy().split_whitespace().map(str::to_owned).collect()
        };
        let account = std::env::var_os(TARGET).map(words);
        let stack = Stack::start(Options { env, rights, account, ..options })
            .await
            .unwrap_or_else(|error| panic!("{error:#}"));
        // No connection is kept: one that a test leaves behind ends with that test's runtime.
        let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { stack, client }
    }

    /// The stack.
    pub const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Sends a request with these headers and this body, from this loopback address.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
        from: Option<Ipv4Addr>,
    ) -> Reply {
        let client = match from {
            None => self.client.clone(),
            Some(address) => Client::builder().local_address(IpAddr::V4(address)).build().unwrap(),
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.stack.url());
        let mut request = client.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.text().await.unwrap() }
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        self.send("POST", path, &headers, body.to_string(), None).await
    }

    /// Invokes a function by hand, as `aws lambda invoke` does.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Reply {
        self.post(&format!("/2015-03-31/functions/{function}/invocations"), payload).await
    }

    /// Reads one of the stack's own pages.
    pub async fn local(&self, path: &str) -> Value {
        let reply = self.send("GET", &format!("/_local/{path}"), &[], "", None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// The items of a table, by its logical id.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        let answer = self.local(&format!("tables/{table}")).await;
        answer["items"].as_array().unwrap().clone()
    }

    /// The items of a table whose JSON contains `text`.
    pub async fn items_with(&self, table: &str, text: &str) -> Vec<Value> {
        let mut items = self.items(table).await;
        items.retain(|item| item.to_string().contains(text));
        items
    }

    /// The messages to a recipient, oldest first.
    pub async fn messages(&self, to: &str) -> Vec<Value> {
        let to = to.replace('+', "%2B");
        let answer = self.local(&format!("messages?to={to}")).await;
        answer["messages"].as_array().unwrap().clone()
    }

    /// The events whose detail has `userId`, in the order in which they were put.
    pub async fn events_of(&self, user_id: &str) -> Vec<Value> {
        let mut events = self.all_events().await;
        events.retain(|event| event["detail"]["userId"] == user_id);
        events
    }

    /// Every event so far, in the order in which they were put. Each must be as its schema says.
    pub async fn all_events(&self) -> Vec<Value> {
        let answer = self.local("events").await;
        let events = answer["events"].as_array().unwrap().clone();
        events.iter().for_each(assert_schema);
        events
    }

    /// The calls of a function so far.
    pub async fn calls(&self, function: &str) -> Vec<Value> {
        let answer = self.local(&format!("calls?function={function}")).await;
        answer["calls"].as_array().unwrap().clone()
    }

    /// Makes calls fail (`POST /_local/faults`).
    pub async fn fault(&self, fault: &Value) {
        assert_eq!(self.post("/_local/faults", fault).await.status, 204, "{fault}");
    }

    /// Ends every fault.
    pub async fn heal(&self) {
        let reply = self.send("DELETE", "/_local/faults", &[], "", None).await;
        assert_eq!(reply.status, 204);
    }

    /// Calls DynamoDB itself, past the faults and unrecorded; tables go by their logical ids.
    pub async fn dynamodb(&self, operation: &str, request: &Value) -> Value {
        let mut request = request.clone();
        if let Some(Value::String(table)) = request.get_mut("TableName") {
            *table = self.stack.table_name(table).expect("a table of the template").to_owned();
        }
        let call = self
            .client
            .post(self.stack.dynamodb_url())
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=0")
            .header("x-amz-date", "20260101T000000Z")
            .body(request.to_string());
        let response = call.send().await.unwrap();
        let (status, body) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Every secret as it is kept now.
    pub async fn secrets(&self) -> Vec<SecretSnapshot> {
        self.stack.secrets().await.expect("the secrets")
    }

    /// Waits until `look` finds something.
    pub async fn until<T, F>(&self, what: &str, look: impl Fn() -> F) -> T
    where
        F: Future<Output = Option<T>>,
    {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let looking = async {
            loop {
                ticks.tick().await;
                if let Some(found) = look().await {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never: {what}"))
    }

    /// Waits until the outbox holds nothing that mentions `text`: every effect of it is out.
    pub async fn settled(&self, text: &str) {
        let empty = || async { self.items_with("Outbox", text).await.is_empty().then_some(()) };
        self.until("an empty outbox", empty).await;
    }

    /// Waits for the message number `count` to a recipient and returns it.
    pub async fn message(&self, to: &str, count: usize) -> Value {
        let look = || async { self.messages(to).await.get(count.saturating_sub(1)).cloned() };
        self.until("a message", look).await
    }

    /// Waits for `count` events of a user.
    pub async fn events(&self, user_id: &str, count: usize) -> Vec<Value> {
        let enough = |events: Vec<Value>| (events.len() >= count).then_some(events);
        self.until("the events", || async { enough(self.events_of(user_id).await) }).await
    }

    /// Asks for a code and returns it once it has arrived; it is the message number `count`.
    pub async fn code(&self, identifier: &str, otp_type: &str, count: usize) -> String {
        let body = json!({"identifier": identifier, "otpType": otp_type});
        let reply = self.post("/otp", &body).await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
        let message = self.message(identifier, count).await;
        code_in(message["body"].as_str().unwrap())
    }

    /// Signs up by phone with a code.
    pub async fn sign_up_by_phone(&self, phone: &str, code: &str) -> Reply {
        let body =
            json!({"type": "phone", "phoneNumber": phone, "otpCode": code, "userType": "DNT"});
        self.post("/users", &body).await
    }

    /// Signs up by e-mail.
    pub async fn sign_up_by_email(&self, email: &str) -> Reply {
        let body = json!({"type": "email", "email": email, "password": "correct horse"});
        self.post("/users", &body).await
    }
}

/// Requires that an event is as the schema of its detail type says.
fn assert_schema(event: &Value) {
    static SCHEMAS: LazyLock<BTreeMap<(String, String), Validator>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/docs/events");
        let folders = std::fs::read_dir(folder).unwrap();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        let schema = |file: std::io::Result<DirEntry>| {
            let path = file.unwrap().path();
            let schema = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let name = name.strip_suffix(".schema.json").unwrap().to_owned();
            let folder = path.parent().and_then(Path::file_name).unwrap().to_str().unwrap();
            ((folder.to_owned(), name), jsonschema::validator_for(&schema).unwrap())
        };
        files.map(schema).collect()
    });
    // A source begins with the name of its contract, but for the one that had a name before.
    let contract = match event["source"].as_str().unwrap().split('.').next().unwrap() {
        "auth-service" => "gotu",
        contract => contract,
    };
    let key = (contract.to_owned(), event["detailType"].as_str().unwrap().to_owned());
    let schema = SCHEMAS.get(&key).unwrap_or_else(|| panic!("no schema for {key:?}"));
    let errors: Vec<_> =
        schema.iter_errors(&event["detail"]).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{event}: {errors:?}");
}

/// Prints a line past the test harness, which keeps back what passing tests print.
pub fn say(line: &str) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{line}").unwrap();
}

/// The output of argon2id with one lane, as a PHC string has it.
#[must_use]
pub fn argon2id(password: &str, salt: &[u8], memory_kib: u32, iterations: u32) -> String {
    let params = argon2::Params::new(memory_kib, iterations, 1, None).unwrap();
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut output = [0; 32];
    hasher.hash_password_into(password.as_bytes(), salt, &mut output).unwrap();
    data_encoding::BASE64_NOPAD.encode(&output)
}

/// The key that a secret's value holds.
#[must_use]
pub fn key_in(value: &str) -> String {
    let value: Value = serde_json::from_str(value).unwrap();
    value["key"].as_str().unwrap().to_owned()
}

/// The header and the claims of a JWT, unchecked.
#[must_use]
pub fn token_parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The token with another signature, whatever its own is.
#[must_use]
pub fn forged(token: &str) -> String {
    let (start, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{start}.{other}{}", &signature[1..])
}

/// The user's id in a session answer.
#[must_use]
pub fn user_id(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let json = reply.json();
    let (_, claims) = token_parts(json["data"]["accessToken"].as_str().unwrap());
    claims["sub"].as_str().unwrap().to_owned()
}

/// Runs futures at once, on this task, and returns what they return, in order.
pub async fn all<T, F: Future<Output = T>>(futures: impl IntoIterator<Item = F>) -> Vec<T> {
    futures_util::future::join_all(futures).await
}
