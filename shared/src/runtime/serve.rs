//! The loop of an HTTP function.

use crate::adapters::system::SystemClock;
use crate::domain::time::{HOUR, Timestamp};
use crate::http::Answer;
use crate::ports::Clock as _;
use futures_util::FutureExt as _;
use lambda_http::request::RequestContext;
use lambda_http::{Error, Request, RequestExt as _, service_fn};
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
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

/// Serves requests until the process is ended. Each is logged on one line. A panic, and
/// a request that runs out of time, is answered with `internal_error`: an `Err` would make the
/// gateway answer in its own words.
///
/// # Errors
/// The Lambda runtime cannot be reached.
pub async fn serve<F, A>(internal_error: fn() -> Answer, handle: F) -> Result<(), Error>
where
    F: Fn(Request) -> A + Sync,
    A: Future<Output = Answer> + Send,
{
    let handle = &handle;
    let serve_one = move |request: Request| async move {
        #[expect(clippy::disallowed_methods, reason = "measures the request for its log line")]
        let started = Instant::now();
        let method = request.method().clone();
        let time_left = time_left(&request);
        // The route, not the path: somebody may put an address into a path that has no route.
        let route = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.route_key.clone(),
            _ => None,
        };
        let request_id = request.lambda_context_ref().map(|context| context.request_id.clone());
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
        tracing::info!(
            http.method = %method,
            http.route = route.unwrap_or_default(),
            http.status = answer.status().as_u16(),
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            request_id = request_id.unwrap_or_default(),
            "request"
        );
        Ok::<_, Infallible>(answer)
    };
    lambda_http::run(service_fn(serve_one)).await
}
