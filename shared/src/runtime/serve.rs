//! The loop of a function: receives invocations, and logs and counts each of them.

use super::counters::Counters;
use super::emf::{Metrics, Outcome};
use super::error::Error;
use super::once::{Begun, Once, Unanswered};
use super::settings::{front, metrics_namespace, release};
use super::trace::{Facts, with_keys};
use crate::adapters::system::SystemClock;
use crate::domain::time::{HOUR, Timestamp};
use crate::http::{Cors, Front, Refusal, Request, Response, secured, source_address};
use crate::ports::{Clock as _, MetricEvent, chain, record_metric};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Adapter, RequestExt as _, service_fn};
use lambda_runtime::{Context, LambdaEvent};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The time that is reserved for the response to a request that runs out of time.
const REPLY_RESERVE: Duration = Duration::from_millis(500);
/// The time limit of a request without a deadline, as some emulators send it.
const DEFAULT_DEADLINE: Duration = Duration::from_millis(9500);

/// The time that is left for a request.
fn time_left(request: &Request) -> Duration {
    let context = request.lambda_context_ref();
    let deadline = context.and_then(|context| i64::try_from(context.deadline).ok());
    let deadline = deadline.map_or(Timestamp::from_millis(0), Timestamp::from_millis);
    let now = SystemClock.now();
    // The emulator of cargo-lambda sends a deadline in 1970.
    if now.since(deadline) > HOUR {
        return DEFAULT_DEADLINE;
    }
    deadline.since(now).saturating_sub(REPLY_RESERVE)
}

/// The facts about an invocation that are known before the handler runs.
struct Invocation {
    started: Instant,
    /// The time of its metrics. Lambda's own metrics have the time at which a function was invoked, and alarms compare the two.
    begun_at: Timestamp,
    /// Whether it is the first invocation of the process.
    cold: bool,
    request_id: String,
    /// The X-Ray trace of the invocation. The SDK itself adds it to every call.
    trace_id: String,
}

impl Invocation {
    #[expect(clippy::disallowed_methods, reason = "measures the request for its log line")]
    fn begin(cold: &AtomicBool, context: Option<&Context>) -> Self {
        // What was counted or noted before does not belong to this request.
        drop((Counters::take(), Facts::take()));
        let trace = context.and_then(|context| context.xray_trace_id.as_deref());
        let root = trace.and_then(|trace| trace.split(';').next()).unwrap_or_default();
        Self {
            started: Instant::now(),
            begun_at: SystemClock.now(),
            cold: cold.swap(false, Ordering::Relaxed),
            request_id: context.map(|context| context.request_id.clone()).unwrap_or_default(),
            trace_id: root.trim_start_matches("Root=").to_owned(),
        }
    }

    fn duration_ms(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The outcome of a request with this status. A refusal has a class, which groups statuses.
const fn outcome_of_status(status: u16) -> Outcome {
    match status {
        0..400 => Outcome::Ok,
        401 | 403 => Outcome::Refused("denied"),
        404 | 405 => Outcome::Refused("absent"),
        409 => Outcome::Refused("taken"),
        429 => Outcome::Refused("too_many"),
        400..500 => Outcome::Refused("invalid"),
        500.. => Outcome::Fault,
    }
}

/// The outcome as text: `ok`, `fault`, or `refused:` with the cause that the core counted, otherwise
/// with the class.
fn outcome_text(outcome: Outcome, counters: &Counters) -> String {
    match outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Refused(class) => format!("refused:{}", counters.cause().unwrap_or(class)),
        Outcome::Fault => "fault".to_owned(),
    }
}

/// Writes the line of an invocation: the fields of its kind, and those that every line has.
macro_rules! log_line {
    ($message:literal, $invocation:ident, $counters:ident, $outcome:ident, $($fields:tt)*) => {
        tracing::info!(
            $($fields)*
            outcome = outcome_text($outcome, &$counters),
            duration_ms = $invocation.duration_ms(),
            store_calls = $counters.store_calls,
            store_ms = millis($counters.store_time),
            write_units = $counters.write_units,
            cold_start = $invocation.cold,
            request_id = $invocation.request_id,
            trace_id = $invocation.trace_id,
            $message
        )
    };
}

/// The name of a function by the `module_path!()` of its file: `gotu_post_otp` is `gotu-post-otp`, in
/// its own binary and in the local stack's binary with all functions.
fn function_name(module: &str) -> String {
    module.rsplit("::").next().unwrap_or_default().replace('_', "-")
}

/// The writer of the metrics of a function.
fn metrics_of(module: &str) -> Metrics {
    Metrics { function: function_name(module), namespace: metrics_namespace(), release: release() }
}

/// An `async fn` of a state and an input whose future is `Send`, which a bound with `AsyncFn` cannot
/// require.
pub trait Handler<'a, S: 'a, I: 'a, O>: Fn(&'a S, I) -> Self::Future + Sync {
    type Future: Future<Output = O> + Send + 'a;
}

impl<'a, S: 'a, I: 'a, O, F, T> Handler<'a, S, I, O> for F
where
    F: Fn(&'a S, I) -> T + Sync,
    T: Future<Output = O> + Send + 'a,
{
    type Future = T;
}

/// Returns the caller that the idempotency keys of a request belong to.
pub type CallerOf<S, R> = for<'a> fn(&'a S, &'a Request) -> BoxFuture<'a, Result<String, R>>;

/// What a function needs to answer a request with an idempotency key once.
pub struct OnceFor<S, R> {
    pub once: Once,
    pub caller: CallerOf<S, R>,
}

/// Marks a response that repeats the answer to an earlier request.
#[derive(Clone)]
struct Repeated;

/// Calls the handler, or repeats the answer that the request got before.
async fn respond_once<S, R, H>(
    request: &mut Request,
    once: Option<&OnceFor<S, R>>,
    (state, handler): (&S, &H),
) -> Result<Response, R>
where
    S: Sync,
    R: Refusal,
    H: for<'a> Handler<'a, S, &'a Request, Result<Response, R>>,
{
    let keyed = once.filter(|_| Once::concerns(request));
    let Some(OnceFor { once, caller }) = keyed else { return handler(state, request).await };
    let caller = caller(state, request).await?;
    match once.begin(request, caller).await {
        Ok(Begun::Before(mut response)) => {
            response.extensions_mut().insert(Repeated);
            return Ok(response);
        }
        Ok(Begun::Now(ticket)) => drop(request.extensions_mut().insert(ticket)),
        Err(Unanswered::Key(problem)) => return Err(R::of_key(problem)),
        Err(Unanswered::Internal(error)) => {
            tracing::error!(error = chain(&error), "failed to begin an idempotent request");
            return Err(R::INTERNAL);
        }
    }
    let request = &*request;
    let response = match handler(state, request).await {
        Ok(response) => Ok(response),
        Err(refusal) => Err(refusal.into_response(request)),
    };
    Ok(once.finish(request, response).await)
}

/// Answers a request: first the front and the page that it comes from are checked, then the handler
/// runs. After a panic, or if the time runs out, the response is that of [`Refusal::INTERNAL`].
async fn answer<S, R, H>(
    request: &mut Request,
    (front, cors, once): (&Front, &Cors, Option<&OnceFor<S, R>>),
    (state, handler): (&S, &H),
) -> Response
where
    S: Sync,
    R: Refusal,
    H: for<'a> Handler<'a, S, &'a Request, Result<Response, R>>,
{
    if let Some(refused) = front.admit(request) {
        return refused;
    }
    if let Some(refusal) = R::FOREIGN_PAGE
        && !cors.accepts(request)
    {
        let response = refusal.into_response(request);
        return cors.apply(request, response);
    }
    let left = time_left(request);
    let respond = async {
        let result = respond_once(request, once, (state, handler)).await;
        result.unwrap_or_else(|refusal| refusal.into_response(request))
    };
    let respond = AssertUnwindSafe(respond).catch_unwind();
    let response = match tokio::time::timeout(left, respond).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a request panicked");
            record_metric(None, MetricEvent::Defect);
            R::INTERNAL.into_response(request)
        }
        Err(_) => {
            tracing::error!("a request ran out of time");
            R::INTERNAL.into_response(request)
        }
    };
    cors.apply(request, response)
}

/// Serves HTTP requests until the process is ended.
///
/// Turns a refusal into its response, adds the headers of CORS and those of every response, logs
/// each request on one line, and counts it under the name of the function, which `module`
/// (`module_path!()`) contains. There is a response to every request: for an `Err`, API Gateway
/// would send its own.
///
/// # Errors
/// The Lambda runtime cannot be reached, or the settings of the front are malformed.
pub async fn serve<S, R, H>(
    module: &'static str,
    (cors, once): (Cors, Option<OnceFor<S, R>>),
    state: S,
    handler: H,
) -> Result<(), Error>
where
    S: Sync + 'static,
    R: Refusal + 'static,
    H: for<'a> Handler<'a, S, &'a Request, Result<Response, R>>,
{
    let front = &front()?;
    let (state, handler, cors, once) = (&state, &handler, &cors, once.as_ref());
    let cold = &AtomicBool::new(true);
    let metrics = &metrics_of(module);
    let serve_one = move |mut request: Request| async move {
        let invocation = Invocation::begin(cold, request.lambda_context_ref());
        let answer = answer(&mut request, (front, cors, once), (state, handler));
        let (response, keys) = with_keys(answer).await;
        let response = secured(response);
        let status = response.status().as_u16();
        let (counters, outcome) = (Counters::take(), outcome_of_status(status));
        let context = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => Some(context),
            _ => None,
        };
        // The route, not the path: a path without a route may contain an e-mail address.
        let route = context.and_then(|context| context.route_key.as_deref());
        let now = SystemClock.now();
        let trace = Facts::take().fields(&source_address(&request), keys.as_deref(), now);
        log_line!(
            "request", invocation, counters, outcome,
            http.method = %request.method(),
            http.route = route.unwrap_or_default(),
            http.status = status,
            repeated = response.extensions().get().map(|Repeated| true),
            gateway_request_id = context.and_then(|context| context.request_id.as_deref()),
            source = trace.source,
            identifiers = trace.identifiers,
            user = trace.user,
            trace_key = trace.key,
        );
        metrics.write(&counters, outcome, invocation.begun_at.as_millis());
        Ok::<_, Infallible>(response)
    };
    // Like `lambda_http::run`, but encodes the query first.
    Ok(lambda_runtime::run(Adapter::from(service_fn(serve_one)).map_request(encode_query)).await?)
}

/// The characters that a query must not contain without encoding (WHATWG URL, "query percent-encode set").
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// Encodes the raw query so that it is part of a valid URI; otherwise `lambda_http` panics, because
/// API Gateway passes on the text of the client. The parameters stay the same. Also removes the
/// forwarded scheme, which would become part of the URI and is not used; the host is the gateway's.
fn encode_query(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        if let Some(query) = &mut request.raw_query_string {
            *query = utf8_percent_encode(query, NOT_IN_A_QUERY).to_string();
        }
        request.headers.remove("x-forwarded-proto");
    }
    event
}

/// Serves events without a waiting client until the process is ended: a batch of a stream, a
/// schedule, an invocation by an operator. Logs each on one line, and counts it as [`serve`] does.
///
/// # Errors
/// The Lambda runtime cannot be reached.
pub async fn serve_events<S, H>(module: &'static str, state: S, handler: H) -> Result<(), Error>
where
    S: Sync + 'static,
    H: for<'a> Handler<'a, S, Value, Result<Value, Error>>,
{
    let (state, handler) = (&state, &handler);
    let cold = &AtomicBool::new(true);
    let metrics = &metrics_of(module);
    let serve_one = move |event: LambdaEvent<Value>| async move {
        let invocation = Invocation::begin(cold, Some(&event.context));
        let records = event.payload.get("Records").and_then(Value::as_array).map(Vec::len);
        let result = handler(state, event.payload).await;
        let counters = Counters::take();
        let again = result.as_ref().ok().and_then(|output| output.get("batchItemFailures"));
        let again = again.and_then(Value::as_array).map(Vec::len);
        let outcome = if result.is_ok() { Outcome::Ok } else { Outcome::Fault };
        // A schedule or an operator's invocation need not concern the outbox.
        let some = |count: usize| (count > 0).then_some(count);
        log_line!(
            "batch",
            invocation,
            counters,
            outcome,
            records,
            again,
            delivered = some(counters.values("RelayLag").count()),
            waiting = some(counters.values("OutboxAge").count()),
            codes_sent = some(counters.values("CodesSent").count()),
            lag_ms = counters.values("RelayLag").chain(counters.values("OutboxAge")).max(),
            calls = counters.calls,
            error = result.as_ref().err().map(Error::chain),
        );
        metrics.write(&counters, outcome, invocation.begun_at.as_millis());
        result
    };
    Ok(lambda_runtime::run(service_fn(serve_one)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_function_is_named_by_its_module() {
        assert_eq!(function_name("gotu_post_otp"), "gotu-post-otp");
        assert_eq!(function_name("all::rotate_keys"), "rotate-keys");
    }

    #[test]
    fn every_status_has_an_outcome() {
        let text = |status| outcome_text(outcome_of_status(status), &Counters::default());
        for (status, expected) in [
            (200, "ok"),
            (204, "ok"),
            (302, "ok"),
            (400, "refused:invalid"),
            (401, "refused:denied"),
            (404, "refused:absent"),
            (409, "refused:taken"),
            (413, "refused:invalid"),
            (422, "refused:invalid"),
            (429, "refused:too_many"),
            (500, "fault"),
            (503, "fault"),
        ] {
            assert_eq!(text(status), expected, "{status}");
        }
    }

    #[test]
    fn an_invalid_query_is_encoded_and_keeps_its_parameters() {
        for (query, expected) in [
            ("a=<b>", "<b>"),
            ("a=%3Cb%3E", "<b>"),
            ("a=b c+d", "b c d"),
            ("a=b#c", "b#c"),
            ("a=\u{e9}\u{1}", "\u{e9}\u{1}"),
            ("a=%", "%"),
        ] {
            let http = json!({"method": "GET", "path": "/", "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": ""});
            let event = json!({"version": "2.0", "rawPath": "/", "rawQueryString": query,
                "headers": {"host": "api.example.com", "x-forwarded-proto": "a b"},
                "isBase64Encoded": false, "requestContext": {"http": http, "timeEpoch": 0}});
            let event =
                LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default());
            let request: Request = encode_query(event).payload.into();
            let parameters = request.query_string_parameters();
            assert_eq!(parameters.first("a"), Some(expected), "{query}");
        }
    }
}
