//! The loop of an HTTP function.

use crate::http::Answer;
use futures_util::FutureExt as _;
use lambda_http::{Error, Request, RequestExt as _, service_fn};
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// Serves requests until the process is ended. Each is logged on one line. A panic is answered
/// with `internal_error`: an `Err` would make the gateway answer in its own words.
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
        // The path of a route holds no personal data; the query could, and is left out.
        let path = request.uri().path().to_owned();
        let request_id = request.lambda_context_ref().map(|context| context.request_id.clone());
        let answer = AssertUnwindSafe(handle(request)).catch_unwind().await;
        let answer = answer.unwrap_or_else(|_| {
            tracing::error!("a request panicked");
            internal_error()
        });
        tracing::info!(
            http.method = %method,
            http.path = path,
            http.status = answer.status().as_u16(),
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            request_id = request_id.unwrap_or_default(),
            "request"
        );
        Ok::<_, Infallible>(answer)
    };
    lambda_http::run(service_fn(serve_one)).await
}
