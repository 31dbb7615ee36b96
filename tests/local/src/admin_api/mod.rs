//! The admin API, under `/_local/`, and the Invoke API of Lambda.

mod guard;
mod limits;
mod live;
mod people;
mod replay;
mod seed;

pub(crate) use guard::Names;
pub(crate) use replay::Replay;

use live::Waiting;

use crate::activity::Withheld;
use crate::asyncapi;
use crate::aws::{self, Aws, CarrierState, Fault, Service};
use crate::backend::Key;
use crate::clock;
use crate::console;
use crate::lambda::{Outcome, PAYLOAD_LIMIT};
use crate::records::Message;
use crate::watch::BuildState;
use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use template::Table;
use tokio::sync::watch::Receiver;

/// The requests of a page, unless told otherwise.
const PAGE: usize = 200;

/// What a mail may do in the page that shows it: look as it likes, and run nothing.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; sandbox; frame-ancestors 'self'";

/// The state of the API.
#[derive(Debug)]
pub(crate) struct AdminApi {
    pub(crate) api_url: String,
    pub(crate) dynamodb_url: String,
    /// The names of the functions.
    pub(crate) functions: Vec<String>,
    /// The binaries of the functions, by logical id and by name on AWS.
    pub(crate) aliases: BTreeMap<String, String>,
    pub(crate) tables: Vec<Table>,
    pub(crate) aws: Arc<Aws>,
    /// The front of the functions; `None` in an account.
    pub(crate) gateway: seed::Front,
    pub(crate) build: Receiver<BuildState>,
    /// The folder that keeps the data.
    pub(crate) data: Option<String>,
}

type Stack = State<Arc<AdminApi>>;

/// The parameters of a query. Unknown ones are refused.
struct Parameters<T>(T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(problem) => Err(error(StatusCode::BAD_REQUEST, &problem.body_text())),
        }
    }
}

/// Returns the routes. `names` are those that the stack may be called by.
pub(crate) fn router(api: Arc<AdminApi>, names: Names) -> Router {
    Router::new()
        .route("/_local/health", get(health))
        .route("/_local/stream", get(live::stream_news))
        .route("/_local/messages", get(messages).delete(clear_messages))
        .route("/_local/messages/{id}/html", get(mail))
        .route("/_local/withheld", get(withheld))
        .route("/_local/events", get(events).delete(clear_events))
        .route("/_local/events/replay", post(replay::replay))
        .route("/_local/requests", get(requests))
        .route("/_local/requests/{id}", get(request))
        .route("/_local/tables", get(tables))
        .route("/_local/tables/{table}", get(table))
        .route("/_local/people", get(people::people))
        .route("/_local/people/{contract}/{id}", delete(people::delete))
        .route("/_local/people/{contract}/{id}/expire", post(people::expire))
        .route("/_local/seed", post(seed::seed))
        .route("/_local/limits", get(limits::limits))
        .route("/_local/calls", get(calls))
        .route("/_local/sms-webhook", post(sms_webhook))
        .route("/_local/old-system", get(old_system).put(set_old_system).post(ask_old_system))
        .route("/_local/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_local/carriers", get(carriers).post(set_carriers))
        .route("/_local/clock", get(clock).post(advance).delete(reset_clock))
        .route("/_local/state", delete(clear_state))
        .route("/asyncapi.json", get(asyncapi::show))
        .route("/_local/{*rest}", any(not_found))
        .route("/2015-03-31/functions/{function}/invocations", post(invoke))
        .layer(from_fn_with_state(names, guard::check))
        .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT))
        .with_state(api)
        .merge(console::router())
}

/// Lets only programs and pages of this machine use a router.
pub(crate) fn guarded(router: Router, names: Names) -> Router {
    router.layer(from_fn_with_state(names, guard::check))
}

impl AdminApi {
    /// Returns the physical name of a table.
    fn table(&self, id: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }

    /// Returns the items of a table.
    async fn items_of(&self, id: &str) -> anyhow::Result<Vec<Json>> {
        let table = self.table(id).with_context(|| format!("the template has no table {id}"))?;
        plain(&self.aws.backend.items(&table.name).await?)
    }

    /// Sets an end of an item to now.
    fn end_item(&self, table: &str, item: &Json, attribute: &str) -> anyhow::Result<()> {
        let table =
            self.table(table).with_context(|| format!("the template has no table {table}"))?;
        let now = self.aws.activity.clock.millis().checked_div(1000).unwrap_or_default();
        self.aws.backend.set_number(table, &Key::of(table, item)?, attribute, now)
    }

    /// Returns the contracts, in the order of the functions.
    fn contracts(&self) -> Vec<String> {
        let names = self.functions.iter().filter_map(|name| name.split_once('-'));
        let names = names.map(|(contract, _)| contract.to_owned());
        let mut contracts = Vec::new();
        for name in names.filter(|name| !["rotate", "delivery"].contains(&name.as_str())) {
            if !contracts.contains(&name) {
                contracts.push(name);
            }
        }
        contracts
    }

    /// Returns the variables of all functions together.
    fn settings(&self) -> BTreeMap<String, String> {
        let environments = self.functions.iter().map(|name| self.aws.backend.environment(name));
        environments.flatten().collect()
    }

    /// Invokes a function.
    async fn invoke(&self, name: &str, payload: &Json) -> anyhow::Result<Outcome> {
        self.aws.backend.outcome(name, Bytes::from(payload.to_string())).await
    }
}

/// Returns entries as values.
fn plain(entries: &[Box<RawValue>]) -> anyhow::Result<Vec<Json>> {
    let values = entries.iter().map(|entry| serde_json::from_str(entry.get()));
    values.collect::<Result<_, _>>().context("failed to read an entry")
}

async fn health(State(stack): Stack) -> Response {
    let settings = stack.settings();
    let is_off = |name: &str| settings.get(name).is_some_and(|value| value == "0");
    let limits = is_off("OTP_SENDS_PER_HOUR") && is_off("OTP_SENDS_PER_HOUR_PER_IP");
    axum::Json(json!({
        "api": stack.api_url,
        "dynamodb": stack.dynamodb_url,
        "functions": stack.functions,
        "contracts": stack.contracts(),
        "limits": if limits { "off" } else { "on" },
        "data": stack.data,
        "build": *stack.build.borrow(),
        "version": env!("CARGO_PKG_VERSION"),
    }))
    .into_response()
}

/// A span of time such as `5s`.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Span(Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let span = clock::span(&text).map(Self);
        span.ok_or_else(|| format!("{text:?} must be a number with s, m, h or d, such as 5s"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageFilter {
    to: Option<String>,
    after: Option<String>,
    #[serde(default)]
    wait: Span,
}

async fn messages(
    State(stack): Stack,
    Parameters(MessageFilter { to, after, wait }): Parameters<MessageFilter>,
) -> Response {
    let to = to.map(recipient);
    let mut waiting = Waiting::new(&stack, wait.0);
    loop {
        let messages = match stack.aws.backend.messages(None).await {
            Ok(messages) => later(messages, after.as_deref(), |message| message.id.as_str()),
            Err(problem) => return failed(&problem),
        };
        let is_to = |message: &&Message| to.as_ref().is_none_or(|to| message.to == *to);
        let shown = messages.iter().filter(is_to).map(|it| raw(&it.shown()));
        let shown: anyhow::Result<Vec<_>> = shown.collect();
        let is_empty = shown.as_ref().is_ok_and(Vec::is_empty);
        if !is_empty || !waiting.goes_on().await {
            return page("messages", shown);
        }
    }
}

/// Returns a recipient that a query names: a plus is a blank there, which no recipient begins with.
fn recipient(to: String) -> String {
    match to.strip_prefix(' ') {
        Some(number) => format!("+{number}"),
        None => to,
    }
}

/// Returns what comes after the entry with this id. If it is gone, all of it does.
fn later<T>(mut entries: Vec<T>, after: Option<&str>, id: impl Fn(&T) -> &str) -> Vec<T> {
    let place = after.and_then(|after| entries.iter().position(|entry| id(entry) == after));
    match place {
        Some(place) => entries.split_off(place.saturating_add(1)),
        None => entries,
    }
}

fn raw(value: &impl Serialize) -> anyhow::Result<Box<RawValue>> {
    Ok(serde_json::value::to_raw_value(value)?)
}

async fn clear_messages(State(stack): Stack) -> Response {
    cleared(&stack, stack.aws.backend.clear_messages())
}

async fn clear_events(State(stack): Stack) -> Response {
    cleared(&stack, stack.aws.backend.clear_events())
}

fn cleared(stack: &AdminApi, cleared: anyhow::Result<()>) -> Response {
    stack.aws.activity.reload();
    match cleared {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => failed(&problem),
    }
}

/// Shows a mail as its recipient sees it.
async fn mail(State(stack): Stack, Path(id): Path<String>) -> Response {
    let messages = match stack.aws.backend.messages(None).await {
        Ok(messages) => messages,
        Err(problem) => return failed(&problem),
    };
    let Some(html) = messages.into_iter().find(|it| it.id == id).and_then(|it| it.html) else {
        return error(StatusCode::NOT_FOUND, "there is no such mail with an HTML part");
    };
    let headers =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, MAIL_POLICY)];
    (headers, html).into_response()
}

async fn withheld(
    State(stack): Stack,
    Parameters(MessageFilter { to, after, wait }): Parameters<MessageFilter>,
) -> Response {
    let to = to.map(recipient);
    let waiting = Waiting::new(&stack, wait.0);
    loop {
        let all = later(stack.aws.activity.withheld(), after.as_deref(), |one| one.id.as_str());
        let is_to = |one: &Withheld| to.as_ref().is_none_or(|to| one.to == *to);
        let found: Vec<_> = all.into_iter().filter(is_to).collect();
        if !found.is_empty() || !waiting.polls().await {
            return page("withheld", Ok(found));
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EventFilter {
    detail_type: Option<String>,
    after: Option<String>,
    #[serde(default)]
    wait: Span,
}

async fn events(
    State(stack): Stack,
    Parameters(EventFilter { detail_type, after, wait }): Parameters<EventFilter>,
) -> Response {
    let mut waiting = Waiting::new(&stack, wait.0);
    loop {
        let events = match stack.aws.backend.events(None).await {
            Ok(events) => events_after(events, after.as_deref(), detail_type.as_deref()),
            Err(problem) => return failed(&problem),
        };
        if !events.is_empty() || !waiting.goes_on().await {
            return page("events", Ok(events));
        }
    }
}

/// Returns the events of a type after the one with this id.
fn events_after(
    events: Vec<Box<RawValue>>,
    after: Option<&str>,
    kind: Option<&str>,
) -> Vec<Box<RawValue>> {
    /// The parts of an event by which it is chosen.
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Parts {
        id: String,
        detail_type: String,
    }
    let read = |event: Box<RawValue>| {
        let parts: Parts = serde_json::from_str(event.get()).unwrap_or_default();
        (event, parts)
    };
    let events: Vec<_> = events.into_iter().map(read).collect();
    let events = later(events, after, |(_, parts)| parts.id.as_str());
    let is_of = |(_, parts): &(_, Parts)| kind.is_none_or(|kind| parts.detail_type == kind);
    events.into_iter().filter(is_of).map(|(event, _)| event).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFilter {
    before: Option<String>,
    limit: Option<usize>,
}

async fn requests(
    State(stack): Stack,
    Parameters(RequestFilter { before, limit }): Parameters<RequestFilter>,
) -> Response {
    let newest = stack.aws.activity.newest(before.as_deref(), limit.unwrap_or(PAGE));
    page("requests", Ok(newest))
}

async fn request(State(stack): Stack, Path(id): Path<String>) -> Response {
    match stack.aws.activity.request(&id) {
        Some(request) => axum::Json(request).into_response(),
        None => error(StatusCode::NOT_FOUND, "this request is not known, or not any more"),
    }
}

async fn tables(State(stack): Stack) -> Response {
    page("tables", Ok(stack.tables.iter().map(|table| &table.id).collect()))
}

async fn table(State(stack): Stack, Path(id): Path<String>) -> Response {
    if let Some(table) = stack.tables.iter().find(|table| table.id.eq_ignore_ascii_case(&id)) {
        return page("items", stack.aws.backend.items(&table.name).await);
    }
    let names: Vec<_> = stack.tables.iter().map(|table| table.id.as_str()).collect();
    let problem = format!("there is no table {id}; there are {}", names.join(", "));
    error(StatusCode::NOT_FOUND, &problem)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallFilter {
    function: Option<String>,
}

async fn calls(State(stack): Stack, Parameters(filter): Parameters<CallFilter>) -> Response {
    page("calls", Ok(stack.aws.calls.list(filter.function.as_deref())))
}

async fn faults(State(stack): Stack) -> Response {
    page("faults", Ok(stack.aws.faults.list()))
}

async fn add_fault(State(stack): Stack, body: Bytes) -> Response {
    // The content type is ignored, because curl does not send that of JSON.
    let fault: Fault = match serde_json::from_slice(&body) {
        Ok(fault) => fault,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    if let Some(mistake) = fault.mistake() {
        return error(StatusCode::BAD_REQUEST, mistake);
    }
    stack.aws.faults.add(fault);
    stack.aws.faults_changed();
    StatusCode::NO_CONTENT.into_response()
}

/// Plays the operator's webhook for texts.
async fn sms_webhook(State(stack): Stack, request: Request) -> Response {
    aws::handle_webhook(&stack.aws, Service::Webhook, request).await
}

/// Plays the system that users move in from.
async fn ask_old_system(State(stack): Stack, request: Request) -> Response {
    aws::handle_webhook(&stack.aws, Service::OldSystem, request).await
}

async fn old_system(State(stack): Stack) -> Response {
    axum::Json(stack.aws.old_system.state()).into_response()
}

/// Sets the users of the old system.
async fn set_old_system(State(stack): Stack, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(users) => stack.aws.old_system.set(users),
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn carriers(State(stack): Stack) -> Response {
    axum::Json(stack.aws.carriers.state()).into_response()
}

/// Sets what SNS and SES say of the account and of recipients. What is left out is as in a new account.
async fn set_carriers(State(stack): Stack, body: Bytes) -> Response {
    let state: CarrierState = match serde_json::from_slice(&body) {
        Ok(state) => state,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    stack.aws.carriers.set(state);
    StatusCode::NO_CONTENT.into_response()
}

async fn clear_faults(State(stack): Stack) -> Response {
    stack.aws.faults.clear();
    stack.aws.faults_changed();
    StatusCode::NO_CONTENT.into_response()
}

async fn clock(State(stack): Stack) -> Response {
    axum::Json(stack.aws.activity.clock.reading()).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: Span,
}

/// Lets time pass: for the functions, and for what the tables and the schedules do with time.
async fn advance(State(stack): Stack, body: Bytes) -> Response {
    let Advance { advance } = match serde_json::from_slice(&body) {
        Ok(advance) => advance,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    if stack.gateway.is_none() {
        return error(StatusCode::NOT_IMPLEMENTED, "an account has the time of the machine");
    }
    let clock = &stack.aws.activity.clock;
    if let Err(problem) = clock.advance(advance.0) {
        return error(StatusCode::BAD_REQUEST, &format!("{problem:#}"));
    }
    if let Err(problem) = stack.aws.backend.time_passed(&stack.tables, clock) {
        return failed(&problem);
    }
    clock_changed(&stack);
    axum::Json(clock.reading()).into_response()
}

async fn reset_clock(State(stack): Stack) -> Response {
    let reset = stack.aws.activity.clock.reset();
    clock_changed(&stack);
    match reset {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => failed(&problem),
    }
}

fn clock_changed(stack: &AdminApi) {
    let activity = &stack.aws.activity;
    activity.feed.add(|| json!({ "kind": "clock", "clock": activity.clock.reading() }));
}

/// Deletes all data: tables, messages, events, what is known of requests, faults and the advance of the
/// clock. Keys stay.
async fn clear_state(State(stack): Stack) -> Response {
    stack.aws.faults.clear();
    stack.aws.carriers.set(CarrierState::default());
    stack.aws.old_system.set(Vec::new());
    let cleared = stack.aws.backend.clear(&stack.tables).await;
    let reset = stack.aws.activity.clock.reset();
    stack.aws.calls.clear();
    stack.aws.activity.clear();
    match cleared.and(reset) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => failed(&problem),
    }
}

async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "the local stack has nothing here")
}

/// Answers Lambda's `Invoke`, which names a function by its name or its ARN. The name can also be the
/// logical id of the template or the name on AWS.
async fn invoke(
    State(stack): Stack,
    Path(name): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    let name = name.rsplit_once(":function:").map_or(name.as_str(), |(_, name)| name);
    let name = name.split(':').next().unwrap_or_default();
    let name = stack.aliases.get(name).map_or(name, String::as_str);
    stack.aws.backend.invoke(name, &headers, payload).await
}

/// Returns an object with the entries under one name.
fn page<T: Serialize>(name: &str, entries: anyhow::Result<Vec<T>>) -> Response {
    match entries {
        Ok(entries) => axum::Json(BTreeMap::from([(name, entries)])).into_response(),
        Err(problem) => failed(&problem),
    }
}

fn failed(problem: &anyhow::Error) -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, &format!("{problem:#}"))
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "error": message }))).into_response()
}
