//! Every outcome of every use case, on the real adapters over an embedded DynamoDB.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::similar_names, reason = "a core has codes")]

mod request_code;
