//! `POST /sessions` (contracts.md A.3).

use acceptance::{NO_LIMITS, World, all, new_email, token_parts, user_id};
use serde_json::{Value, json};

const SESSIONS: &str = "/sessions";

fn body(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

#[tokio::test]
async fn the_right_password_opens_another_session_on_another_device() {
    let world = World::shared().await;
    let email = new_email();
    let signed_up = world.sign_up_by_email(&email).await;
    let id = user_id(&signed_up);
    let headers = [
        ("content-type", "application/json"),
        ("x-device-platform", "ios"),
        ("x-device-token", "push-1"),
    ];
    let request = body(&email.to_uppercase(), "correct horse").to_string();
    let reply = world.send("POST", SESSIONS, &headers, request, None).await;
    assert_eq!(user_id(&reply), id);
    let (old, new) = (signed_up.json(), reply.json());
    let device = |json: &Value| {
        token_parts(json["data"]["accessToken"].as_str().unwrap()).1["deviceId"].clone()
    };
    assert_ne!(device(&old), device(&new));
    assert_ne!(old["data"]["refreshToken"], new["data"]["refreshToken"]);
    assert_eq!(new["data"]["expiresIn"], 900);
    assert_eq!(world.items_with("Devices", &id).await.len(), 2);
    assert_eq!(world.items_with("Sessions", &id).await.len(), 2);
    assert!(world.items_with("Users", &id).await[0]["last_active_at"].is_number());
    let events = world.events(&id, 3).await;
    let signed_in = events.iter().find(|event| event["detailType"] == "AUTH_USER_SIGNED_IN");
    let detail = &signed_in.unwrap()["detail"];
    assert_eq!((&detail["method"], &detail["deviceId"]), (&json!("password"), &device(&new)));
    assert_eq!((&detail["platform"], &detail["deviceToken"]), (&json!("ios"), &json!("push-1")));
}

#[tokio::test]
async fn every_refusal_is_told_and_writes_no_session() {
    let world = World::shared().await;
    let email = new_email();
    let id = user_id(&world.sign_up_by_email(&email).await);
    let error = |text: &str| json!({"error": text});
    for (body, status, text) in [
        (json!({}), 400, "email is required"),
        (json!({"email": email}), 400, "password is required"),
        (body("nobody", "correct horse"), 400, "email must be a valid email address"),
        (json!({"email": email, "password": 5}), 400, "password must be a string"),
        (body(&email, "wrong horse"), 401, "invalid password"),
        (body(&email, "short"), 401, "invalid password"),
        (body(&email, &"x".repeat(1025)), 401, "invalid password"),
        (body(&new_email(), "correct horse"), 404, "user not found"),
    ] {
        world.post(SESSIONS, &body).await.expect(status, &error(text));
    }
    assert_eq!(world.items_with("Sessions", &id).await.len(), 1);
    let reply = world.send("GET", SESSIONS, &[], "", None).await;
    reply.expect(405, &error("method not allowed"));
    assert_eq!(reply.header("allow"), "POST, DELETE");
}

#[tokio::test]
async fn unknown_people_and_wrong_passwords_make_the_same_calls() {
    let world = World::with(&[]).await;
    let email = new_email();
    world.sign_up_by_email(&email).await;
    // The first one warms up.
    world.post(SESSIONS, &body(&email, "correct horse")).await;
    let mut calls = Vec::new();
    for email in [email, new_email()] {
        let before = world.calls("gotu-post-sessions").await.len();
        world.post(SESSIONS, &body(&email, "wrong horse")).await;
        let made = world.calls("gotu-post-sessions").await.split_off(before);
        let mut made: Vec<_> = made
            .iter()
            .map(|call| format!("{} {} {}", call["operation"], call["resources"], call["units"]))
            .collect();
        // Two of them are made at once.
        made.sort();
        calls.push(made);
    }
    assert_eq!(calls[0].len(), 4, "{calls:?}");
    let names = |calls: &[String]| -> Vec<String> {
        calls.iter().map(|call| call.split(' ').take(2).collect()).collect()
    };
    assert_eq!(names(&calls[0]), names(&calls[1]));
}

#[tokio::test]
async fn failures_slow_an_account_down_and_a_success_forgets_them() {
    let world = World::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "1000")]).await;
    let (email, stranger) = (new_email(), new_email());
    world.sign_up_by_email(&email).await;
    for _ in 0..4 {
        assert_eq!(world.post(SESSIONS, &body(&email, "wrong")).await.status, 401);
    }
    assert_eq!(world.post(SESSIONS, &body(&email, "correct horse")).await.status, 200);
    for email in [&email, &stranger] {
        for _ in 0..5 {
            let status = world.post(SESSIONS, &body(email, "wrong")).await.status;
            assert!(matches!(status, 401 | 404), "{status}");
        }
        let reply = world.post(SESSIONS, &body(email, "correct horse")).await;
        reply.expect(429, &json!({"error": "too many requests"}));
        assert!((1..=2).contains(&reply.header("retry-after").parse::<u32>().unwrap()));
    }
}

#[tokio::test]
async fn guesses_at_once_gain_nothing() {
    let world = World::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "1000")]).await;
    let email = new_email();
    world.sign_up_by_email(&email).await;
    let wrong = body(&email, "wrong horse");
    let replies = all((0..40).map(|_| world.post(SESSIONS, &wrong))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert!(count(401) <= 5, "{} were compared", count(401));
    assert_eq!(count(401).saturating_add(count(429)), 40, "{replies:?}");
}

#[tokio::test]
async fn wrong_passwords_of_one_source_run_out() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let world = World::with(&env).await;
    let email = new_email();
    world.sign_up_by_email(&email).await;
    for _ in 0..3 {
        assert_eq!(world.post(SESSIONS, &body(&new_email(), "wrong horse")).await.status, 404);
    }
    for password in ["wrong horse", "correct horse"] {
        let reply = world.post(SESSIONS, &body(&email, password)).await;
        reply.expect(429, &json!({"error": "too many requests"}));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 3600);
    }
    assert_eq!(world.items("Sessions").await.len(), 1);
}

#[tokio::test]
async fn an_outdated_hash_is_renewed_by_the_sign_in() {
    let world = World::with(&NO_LIMITS).await;
    let email = new_email();
    let id = user_id(&world.sign_up_by_email(&email).await);
    // argon2id of "correct horse" with 8 MiB and one pass, as an older configuration made it.
    let weak = "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$";
    let hash = acceptance::argon2id("correct horse", b"saltsaltsaltsalt", 8192, 1);
    let update = json!({"TableName": "Users", "Key": {"user_id": {"S": id}},
        "UpdateExpression": "SET password_hash = :hash",
        "ExpressionAttributeValues": {":hash": {"S": format!("{weak}{hash}")}}});
    world.dynamodb("UpdateItem", &update).await;
    assert_eq!(world.post(SESSIONS, &body(&email, "wrong horse")).await.status, 401);
    let stored = || async {
        world.items_with("Users", &id).await[0]["password_hash"].as_str().unwrap().to_owned()
    };
    assert!(stored().await.starts_with(weak), "a wrong password renews nothing");
    assert_eq!(world.post(SESSIONS, &body(&email, "correct horse")).await.status, 200);
    assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(world.post(SESSIONS, &body(&email, "correct horse")).await.status, 200);
}

#[tokio::test]
async fn one_failed_call_is_not_noticed() {
    let world = World::with(&NO_LIMITS).await;
    let email = new_email();
    world.sign_up_by_email(&email).await;
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        for operation in ["BatchGetItem", "GetItem", "TransactWriteItems"] {
            if mode == "conflict" && operation != "TransactWriteItems" {
                continue;
            }
            let fault = json!({"service": "dynamodb", "mode": mode, "operation": operation,
                "count": 1, "function": "gotu-post-sessions"});
            world.fault(&fault).await;
            let reply = world.post(SESSIONS, &body(&email, "correct horse")).await;
            assert_eq!(reply.status, 200, "{mode} {operation}: {reply:?}");
            world.heal().await;
        }
    }
    let id = world.items("Users").await[0]["user_id"].clone();
    let expected = world.items_with("Devices", id.as_str().unwrap()).await.len();
    assert_eq!(world.items("Sessions").await.len(), expected, "one device for each session");
}
