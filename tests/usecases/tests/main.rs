//! Every outcome of every use case, on the real adapters over an embedded DynamoDB.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::similar_names, reason = "a core has codes")]

mod check_code;
mod prove_recipient;
mod request_code;
mod sign_up;
