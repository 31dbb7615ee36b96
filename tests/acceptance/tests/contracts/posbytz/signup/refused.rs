//! Requests that are refused: callers, fields and taken identifiers.

use super::{documented, unauthorized};
use acceptance::gotu::tokens;
use acceptance::posbytz::{BOTH, bad_request, by_email, by_mobile, customer_id, refusal};
use acceptance::{
    KNOWN_RING, NO_LIMITS, TestStack, compact, gotu, new_email, posbytz, without_limits,
};
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::KeyRing;
use latchkey::adapters::system::SystemClock;
use latchkey::ports::{AccessTokens as _, Clock as _};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn the_documented_errors_come_out_byte_for_byte() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let body = json!({"email": "string", "mobile": {"code": "+91", "number": "string"},
        "password": "string", "referralCode": "string"});
    let errors = compact(
        r#"{
            "statusCode": 400,
            "errors": {
                "email": ["email must be an email"],
                "mobile": {"number": ["number must be a valid phone number"]},
                "password": ["password must be longer than or equal to 8 characters"]
            },
            "message": "Bad Request"
        }"#,
        &[],
    );
    posbytz(stack).sign_up(&token, &body).await.expect_text(400, &errors);
    assert!(stack.items("Users").await.is_empty());
    customer_id(&posbytz(stack).sign_up(&token, &by_email("harish@bytize.in")).await);
    let conflict = r#"{"statusCode":422,"errors":{"email":["Email already exists"]}}"#;
    let again = posbytz(stack).sign_up(&token, &by_email("harish@bytize.in")).await;
    again.expect_text(422, conflict);
}

#[tokio::test]
async fn a_clients_token_comes_in_either_header() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("HEADERS").await;
    let bearer = format!("Bearer {token}");
    let with = |headers: &[(&str, &str)]| {
        stack.call("posbytz-signup").headers(headers).json(&by_email(&new_email()))
    };
    let customer = ("authorization", "Bearer a-customers-token");
    for headers in [
        vec![("authorization", bearer.as_str())],
        vec![("authorization", &bearer.replace("Bearer", "bearer"))],
        vec![("x-api-authorization", &token), customer],
        vec![("x-api-authorization", &bearer), customer],
    ] {
        customer_id(&with(&headers).await);
    }
    // The special header wins: the other one is not read.
    let wrong = [("x-api-authorization", "wrong"), ("authorization", bearer.as_str())];
    with(&wrong).await.expect(401, &unauthorized());
}

#[tokio::test]
async fn the_caller_is_judged_before_the_body() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let genuine = posbytz(stack).store_token("STORE1").await;
    let foreign = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).access;
    let users = stack.items("Users").await;
    let mut parts = genuine.split('.');
    let (head, claims) = (parts.next().unwrap(), parts.next().unwrap());
    let bodies = [documented().to_string(), "{}".to_owned(), "{".to_owned(), "x".repeat(400_000)];
    let refused = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(genuine.clone()),
        Some(format!("Basic {genuine}")),
        Some(format!("Bearer {foreign}")),
        Some(format!("Bearer {head}.{claims}.")),
        Some(format!("Bearer {genuine}x")),
    ];
    for (number, authorization) in refused.iter().enumerate() {
        let headers: Vec<_> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let body = bodies[number % bodies.len()].clone();
        let reply = stack.call("posbytz-signup").headers(&headers).body(body).await;
        reply.expect(401, &unauthorized());
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let client = posbytz(stack).new_client("STORE1").await;
    for scope in ["user:read", "user:write"] {
        let less = posbytz(stack).token(&client, scope).await;
        for body in [documented(), json!({})] {
            let reply = posbytz(stack).sign_up(&less, &body).await;
            reply.expect(403, &refusal(403, "insufficient_scope", "Forbidden"));
            assert!(reply.header("www-authenticate").contains("insufficient_scope"));
        }
    }
    assert_eq!(stack.items("Users").await, users);
}

#[tokio::test]
async fn neither_a_customers_token_nor_an_expired_one_is_a_clients() {
    let env = without_limits(&[("TOKEN_KEY_RING_POSBYTZ", KNOWN_RING)]);
    let stack = &TestStack::with(&env).await;
    let ring = KeyRing::inline("test", KNOWN_RING, Arc::new(SystemClock)).unwrap();
    let signer = JwtAccessTokens::new(Arc::new(ring)).signer().await.unwrap();
    let now = SystemClock.now().as_seconds();
    let claims = |kind: &str, life: i64| {
        json!({"use": kind, "client_id": "0".repeat(32), "store": "STORE1", "scope": BOTH,
            "jti": "1", "iat": now.saturating_sub(1000), "exp": now.saturating_add(life)})
    };
    // The test signs as the function does.
    let good = signer.sign(&claims("client", 1000).to_string()).unwrap();
    customer_id(&posbytz(stack).sign_up(&good, &by_email(&new_email())).await);
    let customer = json!({"userId": "632c34752269f12c57952275", "iat": now,
        "exp": now.saturating_add(3600)});
    let mut no_use = claims("client", 1000);
    no_use.as_object_mut().unwrap().remove("use");
    for claims in [customer, no_use, claims("customer", 1000), claims("client", -1), json!({})] {
        let token = signer.sign(&claims.to_string()).unwrap();
        let reply = posbytz(stack).sign_up(&token, &by_email(&new_email())).await;
        reply.expect(401, &unauthorized());
    }
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let everything = json!({"referredBy": "x", "referralCode": 7, "password": null,
        "mobile": {"number": "1", "code": "0"}, "email": "x"});
    let errors = compact(
        r#"{
            "statusCode": 400,
            "errors": {
                "email": ["email must be an email"],
                "mobile": {
                    "code": ["code must be a valid country code"],
                    "number": ["number must be a valid phone number"]
                },
                "password": [
                    "password must be shorter than or equal to 32 characters",
                    "password must be longer than or equal to 8 characters",
                    "password must be a string",
                    "password should not be empty"
                ],
                "referralCode": [
                    "referralCode must be shorter than or equal to 64 characters",
                    "referralCode must be a string"
                ],
                "referredBy": ["referredBy must be a mongodb id"]
            },
            "message": "Bad Request"
        }"#,
        &[],
    );
    posbytz(stack).sign_up(&token, &everything).await.expect_text(400, &errors);
    let errors = compact(
        r#"{
            "statusCode": 400,
            "errors": {
                "email": ["email should not be empty"],
                "mobile": ["mobile should not be empty"],
                "password": [
                    "password must be shorter than or equal to 32 characters",
                    "password must be longer than or equal to 8 characters",
                    "password must be a string",
                    "password should not be empty"
                ]
            },
            "message": "Bad Request"
        }"#,
        &[],
    );
    posbytz(stack).sign_up(&token, &json!({})).await.expect_text(400, &errors);
    let with = |name: &str, value: Value| {
        let mut body = documented();
        body[name] = value;
        body
    };
    let mobile =
        |code: Value, number: Value| with("mobile", json!({"code": code, "number": number}));
    let (number, code) = (
        json!({"mobile": {"number": ["number must be a valid phone number"]}}),
        json!({"mobile": {"code": ["code must be a valid country code"]}}),
    );
    let email = json!({"email": ["email must be an email"]});
    let (max, min, kind, empty) = (
        "password must be shorter than or equal to 32 characters",
        "password must be longer than or equal to 8 characters",
        "password must be a string",
        "password should not be empty",
    );
    let password = |texts: &[&str]| json!({"password": texts});
    let long = "referralCode must be shorter than or equal to 64 characters";
    let cases = [
        (with("email", json!("")), email.clone()),
        (with("email", json!(7)), email.clone()),
        (with("email", json!("a@b")), email.clone()),
        (with("email", json!("a b@example.com")), email),
        (with("mobile", json!("+919962794005")), json!({"mobile": ["mobile must be an object"]})),
        (mobile(json!("+91"), json!("123")), number.clone()),
        (mobile(json!("+91"), json!("123456789012345")), number.clone()),
        (mobile(json!("+1234"), json!("123456789012")), number.clone()),
        (mobile(json!("+91"), json!(9_962_794_005_u64)), number.clone()),
        (with("mobile", json!({"code": "+91"})), number),
        (mobile(json!("91a"), json!("9962794005")), code.clone()),
        (mobile(json!("+12345"), json!("9962794005")), code.clone()),
        (with("mobile", json!({"number": "9962794005"})), code),
        (with("password", json!("1234567")), password(&[min])),
        (with("password", json!("x".repeat(33))), password(&[max])),
        (with("password", json!("password")), password(&["password is too common"])),
        (with("password", json!("")), password(&[min, empty])),
        (with("password", json!(12_345_678)), password(&[max, min, kind])),
        (with("password", Value::Null), password(&[max, min, kind, empty])),
        (with("referralCode", json!("x".repeat(65))), json!({"referralCode": [long]})),
        (
            with("referredBy", json!("632c")),
            json!({"referredBy": ["referredBy must be a mongodb id"]}),
        ),
    ];
    for (body, errors) in cases {
        posbytz(stack).sign_up(&token, &body).await.expect(400, &bad_request(&errors));
    }
    for table in ["Users", "Identifiers", "Challenges", "Outbox", "Budgets"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_object_or_too_large_is_refused() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("BODIES").await;
    let sign_up = || stack.call("posbytz-signup").bearer(&token);
    for body in ["", "{", "[]", "null", r#""x""#, r#"{"a":1} x"#, "email=a%40b.co"] {
        let reply = sign_up().body(body).await;
        reply.expect_text(400, r#"{"statusCode":400,"errors":{},"message":"Bad Request"}"#);
    }
    let large = json!({"email": "a@b.co", "x": "x".repeat(400_000)});
    let reply = sign_up().json(&large).await;
    reply.expect_text(413, r#"{"statusCode":413,"message":"Payload Too Large"}"#);
    let reply = sign_up().with_method("GET").await;
    reply.expect_text(405, r#"{"statusCode":405,"message":"Method Not Allowed"}"#);
    assert_eq!(reply.header("allow"), "POST");
}

#[tokio::test]
async fn taken_identifiers_are_named_together_and_only_when_all_else_is_right() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    customer_id(&posbytz(stack).sign_up(&token, &documented()).await);
    let before = stack.items("Users").await;
    let both = compact(
        r#"{
            "statusCode": 422,
            "errors": {
                "email": ["Email already exists"],
                "mobile": ["Mobile already exists"]
            }
        }"#,
        &[],
    );
    // With the customer's password it would send again.
    let documented = || {
        let mut body = documented();
        body["password"] = json!("another horse");
        body
    };
    posbytz(stack).sign_up(&token, &documented()).await.expect_text(422, &both);
    let mobile = r#"{"statusCode":422,"errors":{"mobile":["Mobile already exists"]}}"#;
    let mut body = documented();
    body["email"] = json!(new_email());
    posbytz(stack).sign_up(&token, &body).await.expect_text(422, mobile);
    let mut body = by_mobile("91", "9962794005");
    body["password"] = json!("another horse");
    posbytz(stack).sign_up(&token, &body).await.expect_text(422, mobile);
    let email = r#"{"statusCode":422,"errors":{"email":["Email already exists"]}}"#;
    let mut body = by_email(" HARISH@Bytize.IN ");
    body["password"] = json!("another horse");
    posbytz(stack).sign_up(&token, &body).await.expect_text(422, email);
    // 400 beats 422.
    body["password"] = json!("short");
    let errors = json!({"password": ["password must be longer than or equal to 8 characters"]});
    posbytz(stack).sign_up(&token, &body).await.expect(400, &bad_request(&errors));
    stack.wait_until_delivered("harish").await;
    assert_eq!(stack.items("Users").await, before);
    assert_eq!(stack.items("Identifiers").await.len(), 2);
    assert_eq!(stack.messages("harish@bytize.in").await.len(), 1, "no second mail");
}
