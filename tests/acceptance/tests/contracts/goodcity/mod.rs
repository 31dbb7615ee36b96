//! GoodCity (contracts.md section 3).

mod current_user_profile;
mod register_device;
mod send_pin;
mod signup;
mod verify;

use acceptance::{Reply, World, code_in};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const SEND_PIN: &str = "/api/v1/auth/send_pin";
const SIGNUP: &str = "/api/v1/auth/signup";
const VERIFY: &str = "/api/v1/auth/verify";
const PROFILE: &str = "/api/v1/auth/current_user_profile";
const REGISTER_DEVICE: &str = "/api/v1/auth/register_device";

/// A mobile that no other test of the process uses.
fn new_mobile() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("+8525{:07}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The seed's sign-up, for another mobile.
fn signup_body(mobile: &str) -> Value {
    json!({"user_auth": {"mobile": mobile, "first_name": "Jake", "last_name": "Deamon",
        "address_attributes": {"district_id": "1", "address_type": "Profile"}}})
}

/// Requires the answer of a sent pin, and returns the key.
#[track_caller]
fn otp_auth_key(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let json = reply.json();
    let key = json["otp_auth_key"].as_str().unwrap();
    assert_eq!(reply.body, json!({"otp_auth_key": key}).to_string(), "no other key");
    let random = data_encoding::BASE64.decode(key.as_bytes()).unwrap();
    assert_eq!((key.len(), random.len()), (24, 16));
    key.to_owned()
}

/// The pin of the message number `count` to a mobile.
async fn pin(world: &World, mobile: &str, count: usize) -> String {
    let message = world.message(mobile, count).await;
    assert_eq!(message["channel"], "sms");
    code_in(message["body"].as_str().unwrap())
}

async fn verify(world: &World, key: &str, pin: &str) -> Reply {
    world.post(VERIFY, &json!({"otp_auth_key": key, "pin": pin})).await
}

/// Signs up and verifies; returns the answer.
async fn signed_in(world: &World, mobile: &str) -> Reply {
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(mobile)).await);
    let reply = verify(world, &key, &pin(world, mobile, 1).await).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

/// A wrong pin.
fn other_than(pin: &str) -> &'static str {
    if pin == "0000" { "1111" } else { "0000" }
}

/// The events of a user with an integer id.
async fn events(world: &World, user_id: &Value, count: usize) -> Vec<Value> {
    let of_user = || async {
        let mut events = world.all_events().await;
        events.retain(|event| event["detail"]["userId"] == *user_id);
        (events.len() >= count).then_some(events)
    };
    world.until("the events", of_user).await
}
