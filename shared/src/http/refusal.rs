//! Refusals: the error type of the functions that serve requests.

use super::{CorsPolicy, KeyProblem, Response};
use lambda_http::Request;

/// A refusal that knows its response in the format of one contract or protocol.
pub trait Refusal: Sized {
    /// The refusal for an internal failure: a port that failed, a panic, a request that ran out of
    /// time.
    const INTERNAL: Self;

    /// The refusal of a request that a foreign page sent ([`Cors::accepts`](super::Cors::accepts)).
    /// `None` for functions that answer pages like everyone else, because they only describe the API.
    const FOREIGN_PAGE: Option<Self>;

    /// Returns the refusal of an idempotency key. A function that keeps no answers refuses no key.
    #[must_use]
    fn of_key(_problem: KeyProblem) -> Self {
        Self::INTERNAL
    }

    /// Which pages of other origins may read the responses, refusals included.
    const CORS: CorsPolicy;

    /// The response to `request`. The format may depend on the request, on a version header for
    /// example.
    fn into_response(self, request: &Request) -> Response;
}
