//! Invariant 4: nothing in the tables or the logs reveals a code, a password, a token or a key.

use acceptance::{NO_LIMITS, World, code_in, key_in, new_email, new_phone};
use serde_json::{Value, json};

const TABLES: [&str; 10] = [
    "Users",
    "Identifiers",
    "Challenges",
    "Devices",
    "Sessions",
    "Budgets",
    "Ledger",
    "Clients",
    "Outbox",
    "Sequences",
];

#[tokio::test]
async fn tables_and_logs_hold_no_secret() {
    let world = World::with(&NO_LIMITS).await;
    let (phone, email, reset) = (new_phone(), new_email(), new_email());
    let password = "tr0ub4dor & 3 horses";
    let live = world.code(&reset, "sign_up", 1).await;
    let code = world.code(&phone, "sign_up", 1).await;
    let mut secrets = vec![password.to_owned()];
    world.sign_up_by_phone(&phone, "9999").await;
    let body = json!({"type": "email", "email": email, "password": password});
    let headers = [("content-type", "application/json"), ("x-device-token", "push-handle-77")];
    let by_mail = world.send("POST", "/users", &headers, body.to_string(), None).await;
    // A path without a route may hold anything.
    world.send("GET", &format!("/users/{email}"), &[], "", None).await;
    world.post("/users", &body).await;
    let by_phone = world.sign_up_by_phone(&phone, &code).await;
    let mobile = "+85251224538";
    let body = json!({"user_auth": {"mobile": mobile, "address_attributes": {}}});
    let key = world.post("/api/v1/auth/signup", &body).await.json()["otp_auth_key"].clone();
    let pin = code_in(world.message(mobile, 1).await["body"].as_str().unwrap());
    let verified =
        world.post("/api/v1/auth/verify", &json!({"otp_auth_key": key, "pin": pin})).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    let token = verified.json()["jwt_token"].as_str().unwrap().to_owned();
    let authorization = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    let body = json!({"handle": "push-handle-78", "platform": "fcm"}).to_string();
    world.send("POST", "/api/v1/auth/register_device", &headers, body, None).await;
    secrets.extend([key.as_str().unwrap().to_owned(), token]);
    let shopper = new_email();
    let body = json!({"username": "shopper_1", "email": shopper, "phone_prefix": "+92",
        "phone_number": "30142353150", "password": password, "timezone": "Asia/Dubai",
        "accept_policies": true});
    let otp_id = world.post("/auth/signup", &body).await.json()["otp_id"].clone();
    let otp = code_in(world.message(&shopper, 1).await["body"].as_str().unwrap());
    let body = json!({"otp_id": otp_id, "otp": otp});
    let registered = world.post("/auth/signup/callback", &body).await;
    assert_eq!(registered.status, 200, "{registered:?}");
    let cookie = registered.header("set-cookie");
    let session = cookie.trim_start_matches("session-token=").split(';').next().unwrap();
    secrets.extend([otp_id.as_str().unwrap().to_owned(), session.to_owned()]);
    let customer = sign_up_customer(&world, password, &mut secrets).await;
    // A fault on the way, so that error lines are among those that are searched.
    world.fault(&json!({"service": "dynamodb", "mode": "error", "count": 100})).await;
    let failed = world
        .post("/users", &json!({"type": "email", "email": new_email(), "password": password}))
        .await;
    assert_eq!(failed.status, 500);
    world.heal().await;
    for service in ["sns", "ses", "events"] {
        world.fault(&json!({"service": service, "mode": "error", "count": 1})).await;
    }
    for identifier in [new_phone(), new_email()] {
        world.post("/otp", &json!({"identifier": identifier, "otpType": "sign_up"})).await;
        world.settled(&identifier).await;
    }
    for reply in [&by_mail, &by_phone] {
        assert_eq!(reply.status, 200, "{reply:?}");
        let data = &reply.json()["data"];
        for token in ["accessToken", "refreshToken"] {
            secrets.push(data[token].as_str().unwrap().to_owned());
        }
    }
    let kept = world.secrets().await;
    let values = kept.iter().flat_map(|secret| secret.versions.values());
    let keys: Vec<_> = values.map(|value| key_in(value)).collect();
    assert!(keys.len() >= 2, "the stack keeps the keys");
    secrets.extend(keys);
    for table in TABLES {
        world.settled(&phone).await;
        let text = json!(world.items(table).await).to_string();
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{table} holds a secret");
        }
        // A code is short enough to stand in a number by chance; it must not stand alone.
        for code in [&code, &live, &pin, &otp, &customer.code] {
            assert!(!text.contains(&format!("\"{code}\"")), "{table} holds a code");
        }
    }
    let logs = world.stack().logs();
    assert!(logs.iter().any(|line| line.contains("\"http.status\":200")), "logs are captured");
    for error in ["a request failed", "an effect was not delivered"] {
        assert!(logs.iter().any(|line| line.contains(error)), "{error} is among them");
    }
    let handles = ["push-handle-77", "push-handle-78", mobile, "51224538"];
    secrets.extend(handles.map(str::to_owned));
    secrets.extend(customer.names);
    secrets.push(phone.clone());
    secrets.extend([phone.trim_start_matches('+').to_owned(), email, reset, shopper]);
    for line in &logs {
        for secret in &secrets {
            assert!(!line.contains(secret.as_str()), "a log line holds a secret: {line}");
        }
        for code in [&code, &live, &otp, &customer.code] {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
            assert!(!words.any(|word| word == code), "a log line holds a code: {line}");
        }
    }
}

/// A shop's customer: their code, and what no log line may name.
struct Customer {
    code: String,
    names: Vec<String>,
}

/// Signs a shop's customer up, and follows their link. What must stay secret is added to `secrets`.
async fn sign_up_customer(world: &World, password: &str, secrets: &mut Vec<String>) -> Customer {
    let administer = "/2015-03-31/functions/posbytz-create-client/invocations";
    let payload = json!({"store": "STORE1", "scopes": ["user:read", "user:write"]});
    let client = world.post(administer, &payload).await.json();
    let second = world.post(administer, &json!({"clientId": client["clientId"]})).await.json();
    let ask = |secret: &Value| {
        json!({"grant_type": "client_credentials", "client_id": client["clientId"],
            "client_secret": secret})
    };
    let path = "/ecommerce/oauth2/token";
    let token =
        world.post(path, &ask(&second["clientSecret"])).await.json()["access_token"].clone();
    let wrong = "a-wrong-client-secret-6789";
    assert_eq!(world.post(path, &ask(&json!(wrong))).await.status, 401);
    let authorization = format!("Bearer {}", token.as_str().unwrap());
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    let email = new_email();
    let body = json!({"email": email, "mobile": {"code": "+91", "number": "9962794005"},
        "password": password, "referralCode": "A-CODE"});
    let signup = "/ecommerce/v1/auth/signup";
    let reply = world.send("POST", signup, &headers, body.to_string(), None).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let shown = reply.json()["data"]["email"]["token"].clone();
    let text = world.message("+919962794005", 1).await;
    let code = code_in(text["body"].as_str().unwrap());
    let mail = world.message(&email, 1).await;
    let path = mail["body"].as_str().unwrap().split(world.stack().url()).nth(1).unwrap();
    let path = path.lines().next().unwrap();
    let link = path.split("token=").nth(1).unwrap();
    assert_eq!(world.send("GET", path, &[], "", None).await.status, 200);
    assert_eq!(world.send("GET", path, &[], "", None).await.status, 401);
    for secret in [&client["clientSecret"], &second["clientSecret"], &token, &shown] {
        secrets.push(secret.as_str().unwrap().to_owned());
    }
    secrets.extend([wrong.to_owned(), link.to_owned()]);
    Customer { code, names: vec![email, "9962794005".to_owned()] }
}
