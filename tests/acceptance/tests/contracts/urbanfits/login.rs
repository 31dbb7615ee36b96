//! `POST /auth/login`.

use acceptance::events::of_type;
use acceptance::tokens::lifetime;
use acceptance::urbanfits::{TOO_MANY, new_person, refusal, session};
use acceptance::{NO_LIMITS, TestStack, all, token_parts, urbanfits};
use serde_json::{Value, json};

const CREDENTIALS: &str = "Your email, username or password is incorrect.";

#[tokio::test]
async fn address_or_username_and_password_give_the_user_and_both_cookies() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let registered = urbanfits(stack).registered(&username, &email).await;
    let expected = registered.json()["user"].clone();
    for name in [&email, &email.to_uppercase(), &username, &username.to_uppercase()] {
        let reply = urbanfits(stack).log_in(name, "password").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["success"], true);
        let user = &reply.json()["user"];
        assert!(user.get("password").is_none(), "{user}");
        for (name, value) in expected.as_object().unwrap() {
            if !["password", "last_checkin", "user_agent"].contains(&name.as_str()) {
                assert_eq!(&user[name], value, "{name}");
            }
        }
        assert_eq!(reply.cookies().len(), 2);
    }
    let id = expected["_id"].as_str().unwrap();
    stack.wait_until_delivered(id).await;
    assert_eq!(of_type(&stack.events_of(id).await, "user.signed_in").len(), 4);
}

#[tokio::test]
async fn remember_me_makes_thirty_days_of_seven() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    for (remember_me, life) in [
        (json!(true), 2_592_000_i64),
        (json!(false), 604_800),
        (Value::Null, 604_800),
        (json!("true"), 604_800),
    ] {
        let body = json!({"email": email, "password": "password", "remember_me": remember_me,
            "register_provider": "urbanfits"});
        let reply = urbanfits(stack).log_in_with(&body).under("/api").await;
        for cookie in reply.cookies() {
            assert!(cookie.contains(&format!("; Max-Age={life}; Path=/;")), "{cookie}");
        }
        let (_, claims) = token_parts(&session(&reply));
        assert_eq!(lifetime(&claims), life);
    }
}

#[tokio::test]
async fn no_refusal_tells_who_is_registered() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    for (name, password) in [
        (email.as_str(), "Password"),
        (username.as_str(), "wrong password"),
        ("unknown@domain.com", "password"),
        ("unknown_name", "password"),
        ("no", "password"),
        ("a@b", "password"),
    ] {
        let reply = urbanfits(stack).log_in(name, password).await;
        reply.expect(401, &refusal(CREDENTIALS));
        assert!(reply.cookies().is_empty());
    }
    let parameters = "All valid parameters are required. Body Parameters: email, password, \
        register_provider, remember_me";
    for body in [json!({}), json!({"email": email}), json!({"password": "password"}), json!([])] {
        urbanfits(stack).log_in_with(&body).await.expect(400, &refusal(parameters));
    }
    let body = json!({"email": email, "password": "password", "register_provider": "google"});
    let text = "This account doesn't use the given register provider.";
    urbanfits(stack).log_in_with(&body).await.expect(409, &refusal(text));
    let headers = [("content-type", "text/plain"), ("origin", "https://evil.example")];
    let body = json!({"email": email, "password": "password"}).to_string();
    let reply = stack.call("urbanfits-login").headers(&headers).body(body).await;
    reply.expect(403, &refusal("This page may not send this request."));
}

#[tokio::test]
async fn failures_slow_an_account_down_under_both_of_its_names() {
    let stack = &TestStack::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "1000")]).await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    for name in [&email, &username, &email, &username, &email] {
        assert_eq!(urbanfits(stack).log_in(name, "wrong password").await.status, 401);
    }
    for name in [&email, &username] {
        let reply = urbanfits(stack).log_in(name, "password").await;
        reply.expect(429, &refusal(TOO_MANY));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
}

#[tokio::test]
async fn many_sign_ins_at_once_all_succeed() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    let replies = all((0..10).map(|_| urbanfits(stack).log_in(&email, "password"))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
}

#[tokio::test]
async fn wrong_passwords_of_one_source_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "2"), ("OTP_SENDS_PER_HOUR", "0")];
    let stack = &TestStack::with(&env).await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    assert_eq!(urbanfits(stack).log_in(&email, "password").await.status, 200);
    for _ in 0..2 {
        assert_eq!(urbanfits(stack).log_in(&email, "wrong password").await.status, 401);
    }
    for password in ["wrong password", "password"] {
        let reply = urbanfits(stack).log_in(&email, password).await;
        reply.expect(429, &refusal(TOO_MANY));
    }
}
