//! UrbanFits (contracts.md section 4).

mod get_me;
mod login;
mod logout;
mod signup;
mod signup_callback;
mod verify_otp_page;

use acceptance::{Reply, World, code_in};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const SIGNUP: &str = "/auth/signup";
const CALLBACK: &str = "/auth/signup/callback";

/// A username and an address that no other test of the process uses.
fn new_person() -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    (format!("user_{number}"), format!("fit{number}@domain.com"))
}

/// The seed's sign-up, for somebody else.
fn signup_body(username: &str, email: &str) -> Value {
    json!({"username": username, "email": email, "phone_prefix": "+92",
        "phone_number": "30142353150", "password": "password", "timezone": "Asia/Dubai",
        "accept_policies": true})
}

/// The contract's way of saying no.
fn no(text: &str) -> Value {
    json!({"success": false, "msg": text})
}

/// Requires the answer of a sign-up that waits, and returns its `otp_id`.
#[track_caller]
fn otp_id(reply: &Reply, email: &str) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let json = reply.json();
    let otp_id = json["otp_id"].as_str().unwrap();
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    assert!(otp_id.len() == 24 && otp_id.chars().all(hex), "{otp_id}");
    let expected = format!(
        "{{\"success\":true,\"otp_id\":\"{otp_id}\",\"msg\":\"Verification Email sent to {email}\",\
         \"redirect_url\":\"/auth/signup/verify-otp?otp_id={otp_id}\"}}"
    );
    assert_eq!(reply.body, expected);
    otp_id.to_owned()
}

/// The code of the mail number `count` to an address.
async fn code(world: &World, email: &str, count: usize) -> String {
    let message = world.message(email, count).await;
    assert_eq!(message["channel"], "email");
    code_in(message["body"].as_str().unwrap())
}

async fn callback(world: &World, otp_id: &str, otp: &str) -> Reply {
    world.post(CALLBACK, &json!({"otp_id": otp_id, "otp": otp})).await
}

/// Signs up, and returns the `otp_id` and the code that waits.
async fn waiting(world: &World, username: &str, email: &str) -> (String, String) {
    let reply = world.post(SIGNUP, &signup_body(username, email)).await;
    (otp_id(&reply, email), code(world, email, 1).await)
}

/// Signs up and types the code; returns the answer.
async fn registered(world: &World, username: &str, email: &str) -> Reply {
    let (otp_id, code) = waiting(world, username, email).await;
    let reply = callback(world, &otp_id, &code).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

/// The `Set-Cookie` headers, in order.
fn cookies(reply: &Reply) -> Vec<String> {
    let cookies = reply.headers.get_all("set-cookie").iter();
    cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
}

/// The token of a session cookie.
fn session(cookie: &str) -> &str {
    cookie.strip_prefix("session-token=").unwrap().split(';').next().unwrap()
}

/// A wrong code: no code begins with 0.
const WRONG: &str = "01234";
