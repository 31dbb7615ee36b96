//! Plumbing over `lambda_http` that every contract shares and none owns.

mod answer;
mod body;
mod caller;
mod cors;

pub use answer::{Answer, empty, json, retry_after, text};
pub use body::{BodyError, MAX_BODY_BYTES, form_or_json_object, json_object};
pub use caller::{bearer, cookie, header, locale, source_address};
pub use cors::{Origins, Readers};
