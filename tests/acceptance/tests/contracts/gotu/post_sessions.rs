//! `POST /sessions`.

use acceptance::faults::of_store;
use acceptance::gotu::{claims, error, tokens, user_id};
use acceptance::tokens::argon2id;
use acceptance::{NO_LIMITS, TestStack, all, count, gotu, new_email};
use serde_json::{Value, json};

fn body(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

#[tokio::test]
async fn the_right_password_opens_another_session_on_another_device() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let signed_up = gotu(stack).sign_up_by_email(&email).await;
    let id = user_id(&signed_up);
    let device = [("x-device-platform", "ios"), ("x-device-token", "push-1")];
    let sign_in = gotu(stack).sign_in(&email.to_uppercase(), "correct horse");
    let reply = sign_in.headers(&device).await;
    assert_eq!(user_id(&reply), id);
    let (old, new) = (claims(&signed_up)["deviceId"].clone(), claims(&reply)["deviceId"].clone());
    assert_ne!(old, new);
    assert_ne!(tokens(&signed_up).refresh, tokens(&reply).refresh);
    assert_eq!(reply.json()["data"]["expiresIn"], 900);
    assert_eq!(stack.items_with("Devices", &id).await.len(), 2);
    assert_eq!(stack.items_with("Sessions", &id).await.len(), 2);
    assert!(stack.items_with("Users", &id).await[0]["last_active_at"].is_number());
    let events = stack.events(&id, 3).await;
    let signed_in = events.iter().find(|event| event["detailType"] == "AUTH_USER_SIGNED_IN");
    let detail = &signed_in.unwrap()["detail"];
    assert_eq!((&detail["method"], &detail["deviceId"]), (&json!("password"), &new));
    assert_eq!((&detail["platform"], &detail["deviceToken"]), (&json!("ios"), &json!("push-1")));
}

#[tokio::test]
async fn every_refusal_is_named_and_opens_no_session() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    for (body, status, text) in [
        (json!({}), 400, "email is required"),
        (json!({"email": email}), 400, "password is required"),
        (body("unknown", "correct horse"), 400, "email must be a valid email address"),
        (json!({"email": email, "password": 5}), 400, "password must be a string"),
        (body(&email, "wrong horse"), 401, "invalid password"),
        (body(&email, "short"), 401, "invalid password"),
        (body(&email, &"x".repeat(1025)), 401, "invalid password"),
        (body(&new_email(), "correct horse"), 404, "user not found"),
    ] {
        stack.call("gotu-post-sessions").json(&body).await.expect(status, &error(text));
    }
    assert_eq!(stack.items_with("Sessions", &id).await.len(), 1);
    let reply = stack.call("gotu-post-sessions").with_method("GET").await;
    reply.expect(405, &error("method not allowed"));
    assert_eq!(reply.header("allow"), "POST, DELETE");
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_make_the_same_calls() {
    let stack = &TestStack::with(&[]).await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    // The first one warms up.
    gotu(stack).sign_in(&email, "correct horse").await;
    let mut calls = Vec::new();
    for email in [email, new_email()] {
        let sign_in = gotu(stack).sign_in(&email, "wrong horse");
        let (_, made) = stack.calls_during("gotu-post-sessions", sign_in).await;
        let mut made: Vec<_> = made
            .iter()
            .map(|call| format!("{} {} {}", call["operation"], call["resources"], call["units"]))
            .collect();
        // Two of them are made at once.
        made.sort();
        calls.push(made);
    }
    assert_eq!(calls[0].len(), 5, "{calls:?}");
    let names = |calls: &[String]| -> Vec<String> {
        calls.iter().map(|call| call.split(' ').take(2).collect()).collect()
    };
    assert_eq!(names(&calls[0]), names(&calls[1]));
}

#[tokio::test]
async fn failures_slow_an_account_down_and_a_success_forgets_them() {
    let stack = &TestStack::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "1000")]).await;
    let (email, unknown) = (new_email(), new_email());
    gotu(stack).sign_up_by_email(&email).await;
    for _ in 0..4 {
        assert_eq!(gotu(stack).sign_in(&email, "wrong").await.status, 401);
    }
    assert_eq!(gotu(stack).sign_in(&email, "correct horse").await.status, 200);
    for email in [&email, &unknown] {
        for _ in 0..5 {
            let status = gotu(stack).sign_in(email, "wrong").await.status;
            assert!(matches!(status, 401 | 404), "{status}");
        }
        let reply = gotu(stack).sign_in(email, "correct horse").await;
        reply.expect(429, &error("too many requests"));
        assert!((1..=2).contains(&reply.header("retry-after").parse::<u32>().unwrap()));
    }
}

#[tokio::test]
async fn guesses_at_once_gain_nothing() {
    let stack = &TestStack::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "1000")]).await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let replies = all((0..40).map(|_| gotu(stack).sign_in(&email, "wrong horse"))).await;
    assert!(count(&replies, 401) <= 5, "{} were compared", count(&replies, 401));
    assert_eq!(count(&replies, 401).saturating_add(count(&replies, 429)), 40, "{replies:?}");
}

#[tokio::test]
async fn wrong_passwords_of_one_source_run_out() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let stack = &TestStack::with(&env).await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    for _ in 0..3 {
        assert_eq!(gotu(stack).sign_in(&new_email(), "wrong horse").await.status, 404);
    }
    for password in ["wrong horse", "correct horse"] {
        let reply = gotu(stack).sign_in(&email, password).await;
        reply.expect(429, &error("too many requests"));
        reply.expect_wait(3600);
    }
    assert_eq!(stack.items("Sessions").await.len(), 1);
}

#[tokio::test]
async fn an_outdated_hash_is_renewed_by_the_sign_in() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    // argon2id of "correct horse" with 8 MiB and one pass, as an older configuration made it.
    let weak = "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$";
    let hash = argon2id("correct horse", b"saltsaltsaltsalt", 8192, 1);
    let old = json!({"S": format!("{weak}{hash}")});
    stack.set("Users", "user_id", id.as_str(), "password_hash", &old).await;
    assert_eq!(gotu(stack).sign_in(&email, "wrong horse").await.status, 401);
    let stored = || async {
        stack.items_with("Users", &id).await[0]["password_hash"].as_str().unwrap().to_owned()
    };
    assert!(stored().await.starts_with(weak), "a wrong password renews nothing");
    assert_eq!(gotu(stack).sign_in(&email, "correct horse").await.status, 200);
    assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(gotu(stack).sign_in(&email, "correct horse").await.status, 200);
}

#[tokio::test]
async fn a_hash_of_a_text_that_is_not_normal_is_renewed_by_the_sign_in() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    // The password was hashed as it was typed before passwords were normalized.
    let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
    let start = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$";
    let hash = argon2id(decomposed, b"saltsaltsaltsalt", 19456, 2);
    let old = json!({"S": format!("{start}{hash}")});
    stack.set("Users", "user_id", id.as_str(), "password_hash", &old).await;
    assert_eq!(gotu(stack).sign_in(&email, composed).await.status, 401);
    assert_eq!(gotu(stack).sign_in(&email, decomposed).await.status, 200);
    let stored = stack.items_with("Users", &id).await[0]["password_hash"].clone();
    assert!(!stored.as_str().unwrap().starts_with(start), "the hash is renewed");
    for typed in [composed, decomposed] {
        assert_eq!(gotu(stack).sign_in(&email, typed).await.status, 200);
    }
}

#[tokio::test]
async fn one_failed_call_is_not_noticed() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        for operation in ["BatchGetItem", "GetItem", "TransactWriteItems"] {
            if mode == "conflict" && operation != "TransactWriteItems" {
                continue;
            }
            let fault = of_store(mode).at(operation).in_function("gotu-post-sessions").times(1);
            stack.fault(&fault).await;
            let reply = gotu(stack).sign_in(&email, "correct horse").await;
            assert_eq!(reply.status, 200, "{mode} {operation}: {reply:?}");
            stack.clear_faults().await;
        }
    }
    let id = stack.items("Users").await[0]["user_id"].clone();
    let expected = stack.items_with("Devices", id.as_str().unwrap()).await.len();
    assert_eq!(stack.items("Sessions").await.len(), expected, "one device for each session");
}
