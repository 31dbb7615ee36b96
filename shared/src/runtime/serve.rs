//! The loop of a function.

use super::emf::{Ending, Metrics};
use super::settings::metrics_namespace;
use super::tally::Tally;
use crate::adapters::system::SystemClock;
use crate::domain::time::{HOUR, Timestamp};
use crate::http::Answer;
use crate::ports::Clock as _;
use futures_util::FutureExt as _;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Adapter, Error, Request, RequestExt as _, service_fn};
use lambda_runtime::{Context, LambdaEvent};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is left of the function's time when a request is given up, to answer it in the contract's
/// words.
const TO_ANSWER: Duration = Duration::from_millis(500);
/// The time of a request whose deadline is not told, as under some emulators.
const USUAL_TIME: Duration = Duration::from_millis(9500);

/// How long a request may take.
fn time_left(request: &Request) -> Duration {
    let context = request.lambda_context_ref();
    let deadline = context.and_then(|context| i64::try_from(context.deadline).ok());
    let deadline = deadline.map_or(Timestamp::from_millis(0), Timestamp::from_millis);
    let now = SystemClock.now();
    // cargo-lambda's deadline lies in 1970.
    if now.since(deadline) > HOUR {
        return USUAL_TIME;
    }
    deadline.since(now).saturating_sub(TO_ANSWER)
}

/// What is known of an invocation before it is worked on.
struct Invocation {
    started: Instant,
    /// Whether it is the first one of its process.
    cold: bool,
    request_id: String,
    /// The trace that X-Ray sees it in. The SDK hands it on with every call by itself.
    trace_id: String,
}

impl Invocation {
    #[expect(clippy::disallowed_methods, reason = "measures the request for its log line")]
    fn begin(cold: &AtomicBool, context: Option<&Context>) -> Self {
        // What the start did is no request's.
        drop(Tally::take());
        let trace = context.and_then(|context| context.xray_trace_id.as_deref());
        let root = trace.and_then(|trace| trace.split(';').next()).unwrap_or_default();
        Self {
            started: Instant::now(),
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

/// How a request with this status ended. A refusal's class says what kind of thing is wrong.
const fn ending(status: u16) -> Ending {
    match status {
        0..400 => Ending::Ok,
        401 | 403 => Ending::Refused("denied"),
        404 | 405 => Ending::Refused("absent"),
        409 => Ending::Refused("taken"),
        429 => Ending::Refused("too_many"),
        400..500 => Ending::Refused("invalid"),
        500.. => Ending::Fault,
    }
}

/// The outcome in a word: `ok`, `fault`, or `refused:` and the cause: the core's, where it told one,
/// else the class.
fn outcome(ending: Ending, tally: &Tally) -> String {
    match ending {
        Ending::Ok => "ok".to_owned(),
        Ending::Refused(class) => format!("refused:{}", tally.cause().unwrap_or(class)),
        Ending::Fault => "fault".to_owned(),
    }
}

/// Serves requests until the process is ended. Each is logged on one line, and counted under the
/// name `function`. A panic, and a request that runs out of time, is answered with `internal_error`:
/// an `Err` would make the gateway answer in its own words.
///
/// # Errors
/// The Lambda runtime cannot be reached.
pub async fn serve<F, A>(
    function: &'static str,
    internal_error: fn() -> Answer,
    handle: F,
) -> Result<(), Error>
where
    F: Fn(Request) -> A + Sync,
    A: Future<Output = Answer> + Send,
{
    let handle = &handle;
    let cold = &AtomicBool::new(true);
    let metrics = &Metrics { function, namespace: metrics_namespace() };
    let serve_one = move |request: Request| async move {
        let invocation = Invocation::begin(cold, request.lambda_context_ref());
        let method = request.method().clone();
        let time_left = time_left(&request);
        // The route, not the path: somebody may put an address into a path that has no route.
        let route = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.route_key.clone(),
            _ => None,
        };
        let handled = AssertUnwindSafe(handle(request)).catch_unwind();
        let answer = match tokio::time::timeout(time_left, handled).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                tracing::error!("a request panicked");
                internal_error()
            }
            Err(_) => {
                tracing::error!("a request ran out of time");
                internal_error()
            }
        };
        let status = answer.status().as_u16();
        let (tally, ending) = (Tally::take(), ending(status));
        tracing::info!(
            http.method = %method,
            http.route = route.unwrap_or_default(),
            http.status = status,
            outcome = outcome(ending, &tally),
            duration_ms = invocation.duration_ms(),
            store_calls = tally.store_calls,
            store_ms = millis(tally.store_time),
            write_units = tally.write_units,
            cold_start = invocation.cold,
            request_id = invocation.request_id,
            trace_id = invocation.trace_id,
            "request"
        );
        metrics.write(&tally, ending, SystemClock.now().as_millis());
        Ok::<_, Infallible>(answer)
    };
    // What lambda_http::run does, but for the mending.
    lambda_runtime::run(Adapter::from(service_fn(serve_one)).map_request(mended)).await
}

/// What a query may not hold as it is (WHATWG URL, "query percent-encode set").
const NO_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// An event that `lambda_http` can make a request of. A gateway hands on what the client wrote, and
/// `lambda_http` panics on what is no URI: the query, of which it becomes the same parameters
/// encoded; and the scheme, which nothing here reads. The host is the gateway's own.
fn mended(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        if let Some(query) = &mut request.raw_query_string {
            *query = utf8_percent_encode(query, NO_QUERY).to_string();
        }
        request.headers.remove("x-forwarded-proto");
    }
    event
}

/// Serves events that no client waits for until the process is ended: a batch of a stream, a
/// schedule, a call by hand. Each is logged on one line, and counted under the name `function`.
///
/// # Errors
/// The Lambda runtime cannot be reached.
pub async fn serve_events<F, A>(function: &'static str, handle: F) -> Result<(), Error>
where
    F: Fn(LambdaEvent<Value>) -> A + Sync,
    A: Future<Output = Result<Value, Error>> + Send,
{
    let handle = &handle;
    let cold = &AtomicBool::new(true);
    let metrics = &Metrics { function, namespace: metrics_namespace() };
    let serve_one = move |event: LambdaEvent<Value>| async move {
        let invocation = Invocation::begin(cold, Some(&event.context));
        let records = event.payload.get("Records").and_then(Value::as_array).map(Vec::len);
        let result = handle(event).await;
        let tally = Tally::take();
        let again = result.as_ref().ok().and_then(|answer| answer.get("batchItemFailures"));
        let again = again.and_then(Value::as_array).map(Vec::len);
        let ending = if result.is_ok() { Ending::Ok } else { Ending::Fault };
        // A schedule or a call by hand may have nothing to do with the outbox.
        let some = |count: usize| (count > 0).then_some(count);
        tracing::info!(
            records,
            again,
            delivered = some(tally.values("RelayLag").count()),
            waiting = some(tally.values("OutboxAge").count()),
            codes_sent = some(tally.values("CodesSent").count()),
            lag_ms = tally.values("RelayLag").chain(tally.values("OutboxAge")).max(),
            outcome = outcome(ending, &tally),
            duration_ms = invocation.duration_ms(),
            calls = tally.calls,
            store_calls = tally.store_calls,
            store_ms = millis(tally.store_time),
            write_units = tally.write_units,
            cold_start = invocation.cold,
            request_id = invocation.request_id,
            trace_id = invocation.trace_id,
            "batch"
        );
        metrics.write(&tally, ending, SystemClock.now().as_millis());
        result
    };
    lambda_runtime::run(service_fn(serve_one)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_status_is_an_outcome() {
        let word = |status| outcome(ending(status), &Tally::default());
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
            assert_eq!(word(status), expected, "{status}");
        }
    }

    #[test]
    fn what_is_no_uri_becomes_one_with_the_same_parameters() {
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
            let request: Request = mended(event).payload.into();
            let parameters = request.query_string_parameters();
            assert_eq!(parameters.first("a"), Some(expected), "{query}");
        }
    }
}
