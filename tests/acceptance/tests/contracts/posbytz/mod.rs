//! PosBytz (contracts.md section 5).

mod create_client;
mod oauth2_token;

use acceptance::{Reply, World};
use serde_json::{Value, json};

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
