//! Secrets Manager on a port of its own, and what happens at its calls.

use crate::clock::ManualClock;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use latchkey::ports::Clock as _;
use secrets_manager::{Change, Refusal, SecretsManager};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot, watch};

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Secrets Manager refuses the call.
    Refused,
    /// The call is executed, and its answer is lost.
    AnswerLost,
    /// The process of the caller ends before the call is executed.
    CrashBefore,
    /// The process of the caller ends after the call was executed, and before it gets the answer.
    CrashAfter,
}

/// Secrets Manager, over HTTP. Its time is the clock of the test.
pub struct ServedSecrets {
    pub(crate) endpoint: String,
    state: Arc<Account>,
    _stop: oneshot::Sender<()>,
}

/// What the server and the test share.
struct Account {
    clock: Arc<ManualClock>,
    secrets: Mutex<SecretsManager>,
    /// The number of versions that the account has named.
    named: AtomicUsize,
    /// The operations of all calls, oldest first.
    calls: Mutex<Vec<String>>,
    /// What happens at the next call of an operation.
    mishap: Mutex<Option<(&'static str, Mishap)>>,
    unreadable: AtomicBool,
    /// The number of answers to `DescribeSecret`.
    described: watch::Sender<usize>,
    /// The number of these answers that every change waits for.
    awaited: AtomicUsize,
    crash: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ServedSecrets {
    /// Serves an account without secrets on a thread of its own, so that a call is answered even
    /// while the thread of the test is busy.
    pub(crate) fn start(clock: Arc<ManualClock>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Account {
            clock,
            secrets: Mutex::default(),
            named: AtomicUsize::new(0),
            calls: Mutex::default(),
            mishap: Mutex::default(),
            unreadable: AtomicBool::new(false),
            described: watch::Sender::new(0),
            awaited: AtomicUsize::new(0),
            crash: Notify::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&state);
        std::thread::spawn(move || serve(listener, served, stopped));
        Self { endpoint, state, _stop: stop }
    }

    /// Adds a secret. Its only version, if there is one, is the current one.
    pub fn add(&self, name: &str, value: Option<&str>) {
        let arn = format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-abc123");
        let change = self.state.change();
        lock(&self.state.secrets).add(name, &arn, value, change);
    }

    /// Executes a request of an operator, and returns the answer.
    pub fn operate(&self, operation: &str, request: &Json) -> Json {
        let answer = self.state.call(operation, request.to_string().as_bytes());
        answer.expect("Secrets Manager accepts the request")
    }

    /// Returns the version ids by staging label.
    pub fn labels(&self, secret: &str) -> BTreeMap<String, String> {
        let described = self.operate("DescribeSecret", &json!({ "SecretId": secret }));
        let stages = described.get("VersionIdsToStages").and_then(Json::as_object);
        let stages = stages.expect("the stages").iter();
        let labels = stages.flat_map(|(version, labels)| {
            let labels = labels.as_array().into_iter().flatten().filter_map(Json::as_str);
            labels.map(|label| (label.to_owned(), version.clone()))
        });
        labels.collect()
    }

    /// Returns the number of versions, also of those without a label.
    pub fn versions(&self, secret: &str) -> usize {
        let request = json!({ "SecretId": secret, "IncludeDeprecated": true });
        let listed = self.operate("ListSecretVersionIds", &request);
        listed.get("Versions").and_then(Json::as_array).expect("the versions").len()
    }

    /// Lets something happen at the next call of an operation.
    pub fn at_next(&self, operation: &'static str, mishap: Mishap) {
        *lock(&self.state.mishap) = Some((operation, mishap));
    }

    /// Sets whether Secrets Manager refuses to read secrets.
    pub fn set_unreadable(&self, unreadable: bool) {
        self.state.unreadable.store(unreadable, Ordering::SeqCst);
    }

    /// Makes every change wait until secrets have been described `count` more times.
    pub(crate) fn await_descriptions(&self, count: usize) {
        let awaited = self.state.described.borrow().saturating_add(count);
        self.state.awaited.store(awaited, Ordering::SeqCst);
    }

    /// Returns the operations of the calls since the last time, oldest first.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.state.calls))
    }

    /// Waits until a call ends the process of its caller.
    pub(crate) async fn crash(&self) {
        self.state.crash.notified().await;
    }
}

impl Account {
    fn change(&self) -> Change {
        let number = self.named.fetch_add(1, Ordering::SeqCst);
        Change { at: self.clock.now().as_millis(), version: format!("{number:036}") }
    }

    fn call(&self, operation: &str, body: &[u8]) -> Result<Json, Refusal> {
        let change = self.change();
        lock(&self.secrets).call(operation, body, change)
    }

    /// Returns what happens at this call.
    fn mishap(&self, operation: &str) -> Option<Mishap> {
        let read = matches!(operation, "DescribeSecret" | "GetSecretValue");
        if read && self.unreadable.load(Ordering::SeqCst) {
            return Some(Mishap::Refused);
        }
        let mishap = lock(&self.mishap).take_if(|(at, _)| *at == operation);
        mishap.map(|(_, mishap)| mishap)
    }

    /// Executes a call, and returns its answer.
    async fn execute(&self, operation: &str, body: &[u8]) -> Response {
        if matches!(operation, "PutSecretValue" | "UpdateSecretVersionStage") {
            let awaited = self.awaited.load(Ordering::SeqCst);
            let mut described = self.described.subscribe();
            described.wait_for(|count| *count >= awaited).await.expect("the account exists");
        }
        let result = self.call(operation, body);
        if operation == "DescribeSecret" {
            self.described.send_modify(|count| *count = count.saturating_add(1));
        }
        match result {
            Ok(answer) => (StatusCode::OK, axum::Json(answer)).into_response(),
            Err(refusal) => {
                (StatusCode::BAD_REQUEST, axum::Json(refusal.to_json())).into_response()
            }
        }
    }
}

/// Answers a call.
async fn answer(State(account): State<Arc<Account>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default();
    lock(&account.calls).push(operation.to_owned());
    match account.mishap(operation) {
        None => account.execute(operation, &body).await,
        Some(Mishap::Refused) => {
            let refusal =
                json!({ "__type": "AccessDeniedException", "message": "as the test says" });
            (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response()
        }
        Some(Mishap::AnswerLost) => {
            account.execute(operation, &body).await;
            drop_connection()
        }
        Some(Mishap::CrashBefore) => crash(&account).await,
        Some(Mishap::CrashAfter) => {
            account.execute(operation, &body).await;
            crash(&account).await
        }
    }
}

/// Ends the process of the caller, which gets no answer.
async fn crash(account: &Account) -> Response {
    account.crash.notify_one();
    std::future::pending().await
}

/// Ends the connection without an answer.
fn drop_connection() -> Response {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let stream = futures_util::stream::once(std::future::ready(Err::<Bytes, _>(broken)));
    Response::new(Body::from_stream(stream))
}

/// Serves until the other end of `stopped` is dropped.
fn serve(listener: TcpListener, account: Arc<Account>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        let router = Router::new().fallback(answer).with_state(account);
        tokio::select! {
            served = async { axum::serve(listener, router).await } => served.expect("a server"),
            _ = stopped => {}
        }
    });
}
