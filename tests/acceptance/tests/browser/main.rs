//! The page of the code, in a real browser. Where there is none, these tests say so and pass.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod browser;
mod journeys;
mod looks;
mod states;

use acceptance::{Reply, World, code_in, new_email};
use serde_json::{Value, json};

/// A sign-up that waits for its code.
struct Pending {
    email: String,
    username: String,
    otp_id: String,
    /// Where the answer sends the browser.
    redirect_url: String,
}

impl Pending {
    /// Signs somebody up.
    async fn new(world: &World) -> Self {
        let email = new_email();
        let username = email.split('@').next().unwrap().to_owned();
        Self::of(world, email, username).await
    }

    async fn of(world: &World, email: String, username: String) -> Self {
        let body = json!({"username": username, "email": email, "phone_prefix": "+92",
            "phone_number": "30142353150", "password": "correct horse", "timezone": "Asia/Dubai",
            "accept_policies": true});
        let reply = world.post("/auth/signup", &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let json = reply.json();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        Self { email, username, otp_id: text("otp_id"), redirect_url: text("redirect_url") }
    }

    /// The code, once it was mailed.
    async fn code(&self, world: &World) -> String {
        code_in(world.message(&self.email, 1).await["body"].as_str().unwrap())
    }

    /// Posts a code past the browser.
    async fn post(&self, world: &World, otp: &str) -> Reply {
        world.post("/auth/signup/callback", &json!({"otp_id": self.otp_id, "otp": otp})).await
    }

    /// The accounts of this address.
    async fn accounts(&self, world: &World) -> Vec<Value> {
        world.items_with("Users", &self.email).await
    }
}

/// A code that is not this one.
fn other_than(code: &str) -> &'static str {
    if code == "12345" { "54321" } else { "12345" }
}
