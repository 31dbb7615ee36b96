//! Plumbing over `lambda_http` that every contract shares and none owns.

mod answer;
mod body;
mod caller;

pub use answer::{Answer, empty, json, retry_after};
pub use body::{BodyError, MAX_BODY_BYTES, json_object};
pub use caller::{header, locale, source_address};
