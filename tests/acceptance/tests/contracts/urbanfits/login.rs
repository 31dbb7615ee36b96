//! `POST /auth/login` (contracts.md C.4).

use super::{cookies, new_person, no, registered, session};
use acceptance::{NO_LIMITS, Reply, World, all, token_parts};
use serde_json::{Value, json};

const CREDENTIALS: &str = "Your email, username or password is incorrect.";

async fn login(world: &World, who: &str, password: &str) -> Reply {
    world.post("/auth/login", &json!({"email": who, "password": password})).await
}

#[tokio::test]
async fn address_or_username_and_password_give_the_user_and_both_cookies() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let registered = registered(world, &username, &email).await;
    let mut expected = registered.json()["user"].clone();
    for who in [&email, &email.to_uppercase(), &username, &username.to_uppercase()] {
        let reply = login(world, who, "password").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let json = reply.json();
        assert_eq!(json["success"], true);
        let user = &json["user"];
        assert_eq!(user["password"], Value::Null, "nothing stands in its place");
        for (name, value) in expected.as_object_mut().unwrap() {
            if !["password", "last_checkin", "user_agent"].contains(&name.as_str()) {
                assert_eq!(&user[name], value, "{name}");
            }
        }
        assert_eq!(cookies(&reply).len(), 2);
    }
    let id = expected["_id"].as_str().unwrap();
    world.settled(id).await;
    let events = world.events_of(id).await;
    let signed_in = events.iter().filter(|event| event["detailType"] == "user.signed_in");
    assert_eq!(signed_in.count(), 4);
}

#[tokio::test]
async fn remember_me_makes_thirty_days_of_seven() {
    let world = World::shared().await;
    let (username, email) = new_person();
    registered(world, &username, &email).await;
    for (remember_me, life) in [
        (json!(true), 2_592_000_i64),
        (json!(false), 604_800),
        (Value::Null, 604_800),
        (json!("true"), 604_800),
    ] {
        let body = json!({"email": email, "password": "password", "remember_me": remember_me,
            "register_provider": "urbanfits"});
        let reply = world.post("/api/auth/login", &body).await;
        let cookies = cookies(&reply);
        for cookie in &cookies {
            assert!(cookie.contains(&format!("; Max-Age={life}; Path=/;")), "{cookie}");
        }
        let (_, claims) = token_parts(session(&cookies[0]));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), life);
    }
}

#[tokio::test]
async fn every_refusal_is_told_without_telling_who_is_registered() {
    let world = World::shared().await;
    let (username, email) = new_person();
    registered(world, &username, &email).await;
    for (who, password) in [
        (email.as_str(), "Password"),
        (username.as_str(), "wrong password"),
        ("nobody@domain.com", "password"),
        ("nobody_at_all", "password"),
        ("no", "password"),
        ("a@b", "password"),
    ] {
        let reply = login(world, who, password).await;
        reply.expect(401, &no(CREDENTIALS));
        assert!(cookies(&reply).is_empty());
    }
    let parameters = "All valid parameters are required. Body Parameters: email, password, \
        register_provider, remember_me";
    for body in [json!({}), json!({"email": email}), json!({"password": "password"}), json!([])] {
        world.post("/auth/login", &body).await.expect(400, &no(parameters));
    }
    let body = json!({"email": email, "password": "password", "register_provider": "google"});
    let text = "This account doesn't use the given register provider.";
    world.post("/auth/login", &body).await.expect(409, &no(text));
    let headers = [("content-type", "text/plain"), ("origin", "https://evil.example")];
    let body = json!({"email": email, "password": "password"}).to_string();
    let reply = world.send("POST", "/auth/login", &headers, body, None).await;
    reply.expect(403, &no("This page may not send this request."));
}

#[tokio::test]
async fn failures_slow_an_account_down_by_whatever_name() {
    let world = World::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "1000")]).await;
    let (username, email) = new_person();
    registered(&world, &username, &email).await;
    for name in [&email, &username, &email, &username, &email] {
        assert_eq!(login(&world, name, "wrong password").await.status, 401);
    }
    for name in [&email, &username] {
        let reply = login(&world, name, "password").await;
        reply.expect(429, &no("Too many requests, please try again later."));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
}

#[tokio::test]
async fn many_sign_ins_at_once_all_succeed() {
    let world = World::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    registered(&world, &username, &email).await;
    let replies = all((0..10).map(|_| login(&world, &email, "password"))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
}

#[tokio::test]
async fn wrong_passwords_of_one_address_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "2"), ("OTP_SENDS_PER_HOUR", "0")];
    let world = World::with(&env).await;
    let (username, email) = new_person();
    registered(&world, &username, &email).await;
    assert_eq!(login(&world, &email, "password").await.status, 200);
    for _ in 0..2 {
        assert_eq!(login(&world, &email, "wrong password").await.status, 401);
    }
    for password in ["wrong password", "password"] {
        let reply = login(&world, &email, password).await;
        reply.expect(429, &no("Too many requests, please try again later."));
    }
}
