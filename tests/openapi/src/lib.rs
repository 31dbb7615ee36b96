//! The OpenAPI documents of the contracts: made of the code, completed with recorded examples,
//! compared with recorded traffic and with the last release.

#![expect(clippy::indexing_slicing, reason = "a member of JSON that is absent is null")]

mod breaking;
mod conform;
mod document;
mod examples;
mod files;
mod requests;
mod traffic;

pub use breaking::breaking;
pub use conform::{Conformance, conform};
pub use document::{answers, document, operation_id};
pub use examples::{Examples, complete, kept, missing_examples, recorded, without_examples};
pub use files::{Files, text};
pub use requests::{requests, write_requests};
pub use traffic::{Exchange, read_traffic};
