//! PosBytz (contracts.md section 5).

mod create_client;
mod email_verify;
mod oauth2_token;
mod otp_verify;
mod signin;
mod signup;

use acceptance::{Reply, World};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const SIGNUP: &str = "/ecommerce/v1/auth/signup";
const VERIFY: &str = "/ecommerce/v1/auth/email/verify";
const TOKEN: &str = "/ecommerce/oauth2/token";
const BOTH: &str = "user:read user:write";

/// Invokes the function that manages clients, as an administrator does.
async fn administer(world: &World, payload: &Value) -> Reply {
    world.post("/2015-03-31/functions/posbytz-create-client/invocations", payload).await
}

/// Requires that an invocation failed with this message.
#[track_caller]
fn failed(reply: &Reply, message: &str) {
    assert_eq!(reply.header("x-amz-function-error"), "Unhandled", "{reply:?}");
    assert_eq!(reply.json()["errorMessage"], message);
}

/// A client's id and secret.
#[derive(Clone, Debug)]
struct Credentials {
    id: String,
    secret: String,
}

/// Requires the answer that shows a secret.
#[track_caller]
fn credentials(reply: &Reply) -> Credentials {
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, ""), "{reply:?}");
    let json = reply.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    let new = Credentials { id: text("clientId"), secret: text("clientSecret") };
    assert_eq!(json, json!({"clientId": new.id, "clientSecret": new.secret}));
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    assert!(hex(&new.id) && new.id.len() == 32 && hex(&new.secret) && new.secret.len() == 64);
    new
}

/// Makes a client of a store with both scopes.
async fn new_client(world: &World, store: &str) -> Credentials {
    let payload = json!({"store": store, "scopes": ["user:read", "user:write"]});
    credentials(&administer(world, &payload).await)
}

/// The token request of a client.
fn asking(client: &Credentials, scope: Option<&str>) -> Value {
    let mut body = json!({"grant_type": "client_credentials", "client_id": client.id,
        "client_secret": client.secret});
    if let Some(scope) = scope {
        body["scope"] = json!(scope);
    }
    body
}

/// A token of a client, with these scopes.
async fn token(world: &World, client: &Credentials, scope: &str) -> String {
    let reply = world.post(TOKEN, &asking(client, Some(scope))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// A token of a new client of a store, with both scopes.
async fn store_token(world: &World, store: &str) -> String {
    token(world, &new_client(world, store).await, BOTH).await
}

/// Posts with a client's token.
async fn call(world: &World, path: &str, token: &str, body: &Value) -> Reply {
    let authorization = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", &authorization)];
    world.send("POST", path, &headers, body.to_string(), None).await
}

/// Posts a sign-up with a client's token.
async fn sign_up(world: &World, token: &str, body: &Value) -> Reply {
    call(world, SIGNUP, token, body).await
}

/// Requires a customer's session, and returns whose it is.
#[track_caller]
fn signed_in(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let json = reply.json();
    let token = json["data"]["accessToken"].as_str().unwrap();
    let expected = format!(
        "{{\"statusCode\":200,\"data\":{{\"accessToken\":\"{token}\",\
         \"tokenType\":\"Bearer\",\"expiresIn\":3600}}}}"
    );
    assert_eq!(reply.body, expected);
    let (_, claims) = acceptance::token_parts(token);
    let (issued, id) = (claims["iat"].as_i64().unwrap(), &claims["userId"]);
    assert_eq!(claims, json!({"userId": id, "iat": issued, "exp": issued.saturating_add(3600)}));
    id.as_str().unwrap().to_owned()
}
/// A number behind +91 that no other test of the process uses.
fn new_number() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("99{:08}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A sign-up with an e-mail address alone.
fn by_email(email: &str) -> Value {
    json!({"email": email, "password": "correct horse"})
}

/// A sign-up with a mobile alone.
fn by_mobile(code: &str, number: &str) -> Value {
    json!({"mobile": {"code": code, "number": number}, "password": "correct horse"})
}

/// Requires a customer, and returns their id.
#[track_caller]
fn customer_id(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{reply:?}");
    let id = reply.json()["data"]["_id"].as_str().unwrap().to_owned();
    assert!(id.len() == 24 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{id}");
    id
}

/// The token of the link in the message number `count` to an address; the link names the user.
async fn mailed_token(world: &World, email: &str, user_id: &str, count: usize) -> String {
    let message = world.message(email, count).await;
    let body = message["body"].as_str().unwrap();
    let start = format!("{}{VERIFY}?userId={user_id}&token=", world.stack().url());
    let link = body.lines().find(|line| line.starts_with(&start)).unwrap();
    let token = &link[start.len()..];
    assert!(token.len() == 64 && token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    token.to_owned()
}

/// Follows a link.
async fn verify(world: &World, user_id: &str, token: &str) -> Reply {
    world.send("GET", &format!("{VERIFY}?userId={user_id}&token={token}"), &[], "", None).await
}
