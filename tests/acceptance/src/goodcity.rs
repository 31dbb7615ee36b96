//! GoodCity, as its donor app calls it.

use crate::{Call, Reply, TestStack, code_in};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// A key that no request was given.
pub const UNKNOWN_KEY: &str = "/JqONEgEjrZefDV3ZIQsNA==";

/// A client of GoodCity.
#[derive(Clone, Copy)]
pub struct GoodCity<'a>(&'a TestStack);

/// A client of GoodCity for a stack.
#[must_use]
pub const fn goodcity(stack: &TestStack) -> GoodCity<'_> {
    GoodCity(stack)
}

impl<'a> GoodCity<'a> {
    /// Asks for a pin to sign in.
    pub fn send_pin(self, mobile: &str) -> Call<'a> {
        self.0.call("goodcity-send-pin").json(&json!({"mobile": mobile}))
    }

    /// Signs a user up, as [`sign_up_body`] describes the user.
    pub fn sign_up(self, mobile: &str) -> Call<'a> {
        self.sign_up_with(&sign_up_body(mobile))
    }

    /// Signs a user up.
    pub fn sign_up_with(self, body: &Value) -> Call<'a> {
        self.0.call("goodcity-signup").json(body)
    }

    /// Waits for the pin in the message number `count` to a mobile, and returns it.
    pub async fn pin(self, mobile: &str, count: usize) -> String {
        let message = self.0.message(mobile, count).await;
        assert_eq!(message["channel"], "sms");
        code_in(message["body"].as_str().unwrap())
    }

    /// Enters a pin.
    pub fn verify(self, key: &str, pin: &str) -> Call<'a> {
        self.verify_with(&json!({"otp_auth_key": key, "pin": pin}))
    }

    /// Enters a pin.
    pub fn verify_with(self, body: &Value) -> Call<'a> {
        self.0.call("goodcity-verify").json(body)
    }

    /// Signs a user up and enters the pin, which is the first message to the mobile. Returns the last answer.
    pub async fn registered(self, mobile: &str) -> Reply {
        self.registered_again(mobile, 1).await
    }

    /// The same for a mobile whose messages include earlier ones. The pin is the message number `count`.
    pub async fn registered_again(self, mobile: &str, count: usize) -> Reply {
        let key = otp_auth_key(&self.sign_up(mobile).await);
        let reply = self.verify(&key, &self.pin(mobile, count).await).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    /// Asks for the profile of a token's user.
    pub fn current_user_profile(self, token: &str) -> Call<'a> {
        self.0.call("goodcity-current-user-profile").bearer(token)
    }

    /// Deletes the account of a token's user.
    pub fn delete_account(self, token: &str, key: &str, pin: &str) -> Call<'a> {
        let body = json!({"otp_auth_key": key, "pin": pin});
        self.0.call("goodcity-delete-user").bearer(token).json(&body)
    }

    /// Registers a device for push messages.
    pub fn register_device(self, token: &str, handle: &str, platform: &str) -> Call<'a> {
        let body = json!({"handle": handle, "platform": platform});
        self.0.call("goodcity-register-device").bearer(token).json(&body)
    }
}

/// A mobile that no other test of the process uses.
#[must_use]
pub fn new_mobile() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("+8525{:07}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The documented sign-up, for another mobile.
#[must_use]
pub fn sign_up_body(mobile: &str) -> Value {
    json!({"user_auth": {"mobile": mobile, "first_name": "Jake", "last_name": "Deamon",
        "address_attributes": {"district_id": "1", "address_type": "Profile"}}})
}

/// Requires the answer to a request for a pin, and returns its key.
#[track_caller]
pub fn otp_auth_key(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let json = reply.json();
    let key = json["otp_auth_key"].as_str().unwrap();
    assert_eq!(reply.body, json!({"otp_auth_key": key}).to_string(), "no other member");
    let random = BASE64.decode(key.as_bytes()).unwrap();
    assert_eq!((key.len(), random.len()), (24, 16));
    key.to_owned()
}

/// The token in the answer to a right pin.
#[track_caller]
#[must_use]
pub fn token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["jwt_token"].as_str().unwrap().to_owned()
}

/// The user's id in the answer to a right pin.
#[track_caller]
#[must_use]
pub fn user_id(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["user"]["user_profile"]["id"].to_string()
}

/// GoodCity's body of a refusal by the rules of a record.
#[must_use]
pub fn errors(text: &str) -> Value {
    json!({"errors": text})
}

/// GoodCity's body of a refusal by a parameter or a token.
#[must_use]
pub fn error(text: &str) -> Value {
    json!({"error": text})
}

/// The body of the refusal of a pin.
#[must_use]
pub fn pin_refused() -> Value {
    json!({"errors": {"pin": "Invalid SMS code."}})
}
