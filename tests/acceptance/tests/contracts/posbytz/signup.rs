//! `POST /ecommerce/v1/auth/signup`.

mod limits;
mod messages;
mod new;
mod refused;

use acceptance::posbytz::refusal;
use serde_json::{Value, json};

/// The documented sign-up.
fn documented() -> Value {
    json!({"email": "harish@bytize.in", "mobile": {"code": "+91", "number": "9962794005"},
        "password": "correct horse"})
}

/// The refusal of a caller without a client's token.
fn unauthorized() -> Value {
    refusal(401, "authorization header missing or invalid", "Unauthorized")
}
