//! The `AsyncAPI` document of the events, as the stack serves it.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

const DOCUMENT: &str = include_str!("../../../shared/docs/events/asyncapi.json");

pub(crate) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
