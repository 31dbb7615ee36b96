//! `POST /sessions/refresh`.

use acceptance::events::of_type;
use acceptance::faults::of_store;
use acceptance::gotu::{Tokens, claims, error, tokens, user_id};
use acceptance::tokens::seconds_between;
use acceptance::{NO_LIMITS, TestStack, all, gotu, new_email, new_phone};
use serde_json::{Value, json};

fn refused() -> Value {
    error("invalid or expired refresh token")
}

#[tokio::test]
async fn every_use_gives_a_successor_and_an_access_token() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let signed_up = gotu(stack).sign_up_by_phone(&phone, &code).await;
    let (id, first) = (user_id(&signed_up), tokens(&signed_up).refresh);
    let reply = gotu(stack).refresh(&first).await;
    let Tokens { access, refresh: second } = tokens(&reply);
    let expected = json!({"data": {"accessToken": access, "expiresIn": 900,
        "refreshToken": second, "tokenType": "Bearer"}});
    assert_eq!(reply.json(), expected);
    assert!(second.len() == 52 && second != first);
    let (old, new) = (claims(&signed_up), claims(&reply));
    for claim in ["sub", "deviceId", "userType", "isAdmin", "iss"] {
        assert_eq!(old[claim], new[claim], "{claim}");
    }
    assert_ne!(old["jti"], new["jti"]);
    assert_eq!(gotu(stack).refresh(&second).await.status, 200);
    let stored = json!(stack.items_with("Sessions", &id).await).to_string();
    assert!(!stored.contains(&first) && !stored.contains(&second));
}

#[tokio::test]
async fn a_lost_answer_is_given_again_until_the_successor_is_used() {
    let stack = TestStack::shared().await;
    let first = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).refresh;
    let second = tokens(&gotu(stack).refresh(&first).await).refresh;
    for _ in 0..3 {
        assert_eq!(tokens(&gotu(stack).refresh(&first).await).refresh, second);
    }
    let third = tokens(&gotu(stack).refresh(&second).await).refresh;
    assert_eq!(tokens(&gotu(stack).refresh(&second).await).refresh, third);
}

#[tokio::test]
async fn a_token_that_another_device_presents_ends_the_session() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mine = [("x-device-id", "my-device")];
    let signed_up = gotu(stack).sign_up_by_email(&new_email()).headers(&mine).await;
    let (id, first) = (user_id(&signed_up), tokens(&signed_up).refresh);
    // The same device, and a client that sends no id.
    let second = tokens(&gotu(stack).refresh(&first).headers(&mine).await).refresh;
    let third = tokens(&gotu(stack).refresh(&second).await).refresh;
    let other = [("x-device-id", "another-device")];
    gotu(stack).refresh(&third).headers(&other).await.expect(401, &refused());
    gotu(stack).refresh(&third).headers(&mine).await.expect(401, &refused());
    expect_reuse_announced(stack, &id).await;
    let stored = json!(stack.items("Sessions").await).to_string();
    assert!(!stored.contains("my-device"), "{stored}");
    // A session that was opened without an id is bound to none.
    let first = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).refresh;
    assert_eq!(gotu(stack).refresh(&first).headers(&other).await.status, 200);
}

/// Requires one event that says that the session of a user ended because of a copied token.
async fn expect_reuse_announced(stack: &TestStack, owner: &str) {
    stack.wait_until_delivered(owner).await;
    let events = stack.events_of(owner).await;
    let ended = of_type(&events, "AUTH_SESSION_REVOKED");
    assert_eq!(ended.len(), 1, "{events:?}");
    assert_eq!(ended[0]["detail"]["reason"], "token_reused");
}

#[tokio::test]
async fn a_token_whose_successor_was_used_ends_the_session_for_every_holder() {
    let stack = TestStack::shared().await;
    let signed_up = gotu(stack).sign_up_by_email(&new_email()).await;
    let (id, first) = (user_id(&signed_up), tokens(&signed_up).refresh);
    let second = tokens(&gotu(stack).refresh(&first).await).refresh;
    let third = tokens(&gotu(stack).refresh(&second).await).refresh;
    gotu(stack).refresh(&first).await.expect(401, &refused());
    for token in [&first, &second, &third] {
        gotu(stack).refresh(token).await.expect(401, &refused());
    }
    expect_reuse_announced(stack, &id).await;
}

/// Moves a time of the token that was exchanged into the past.
async fn move_back(stack: &TestStack, owner: &str, name: &str, seconds: f64) {
    let items = stack.items_with("Sessions", owner).await;
    let used = items.iter().find(|item| item.get("used_at").is_some()).unwrap();
    let time = json!({"N": format!("{:.3}", used[name].as_f64().unwrap() - seconds)});
    stack.set("Sessions", "token_hash", used["token_hash"].clone(), name, &time).await;
}

#[tokio::test]
async fn a_token_that_was_used_long_ago_ends_the_session_for_every_holder() {
    let stack = TestStack::shared().await;
    let signed_up = gotu(stack).sign_up_by_email(&new_email()).await;
    let (id, first) = (user_id(&signed_up), tokens(&signed_up).refresh);
    let second = tokens(&gotu(stack).refresh(&first).await).refresh;
    move_back(stack, &id, "used_at", 60.0).await;
    // The successor was not used, but the caller is too late to have lost the answer.
    for token in [&first, &second] {
        gotu(stack).refresh(token).await.expect(401, &refused());
    }
    expect_reuse_announced(stack, &id).await;
}

#[tokio::test]
async fn the_settings_say_how_long_a_token_is_repeated_and_a_session_lasts() {
    let env = [("SESSION_SECONDS_GOTU", "36000"), ("REFRESH_REPEAT_SECONDS_GOTU", "600")];
    let stack = &TestStack::with(&env).await;
    let signed_up = gotu(stack).sign_up_by_email(&new_email()).await;
    let (id, first) = (user_id(&signed_up), tokens(&signed_up).refresh);
    let second = tokens(&gotu(stack).refresh(&first).await).refresh;
    for (name, seconds) in [("used_at", 300.0), ("opened_at", 18000.0)] {
        move_back(stack, &id, name, seconds).await;
        assert_eq!(tokens(&gotu(stack).refresh(&first).await).refresh, second);
    }
    move_back(stack, &id, "opened_at", 18000.0).await;
    gotu(stack).refresh(&first).await.expect(401, &refused());
    stack.wait_until_delivered(&id).await;
    assert_eq!(of_type(&stack.events_of(&id).await, "AUTH_SESSION_REVOKED").len(), 0);
}

#[tokio::test]
async fn a_hundred_at_once_get_one_successor() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let first = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).refresh;
    let replies = all((0..100).map(|_| gotu(stack).refresh(&first))).await;
    let mut successors: Vec<_> = replies.iter().map(|reply| tokens(reply).refresh).collect();
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1, "one live successor");
    assert_eq!(stack.items("Sessions").await.len(), 2);
    assert_eq!(gotu(stack).refresh(&successors[0]).await.status, 200);
}

#[tokio::test]
async fn a_text_that_is_not_a_token_is_refused() {
    let stack = TestStack::shared().await;
    for body in [
        json!({"refreshToken": "x"}),
        json!({"refreshToken": "v".repeat(52)}),
        json!({"refreshToken": "V".repeat(52)}),
        json!({"refreshToken": "v".repeat(10_000)}),
    ] {
        stack.call("gotu-post-sessions-refresh").json(&body).await.expect(401, &refused());
    }
    for (body, text) in [
        (json!({}), "refreshToken is required"),
        (json!({"refreshToken": 5}), "refreshToken must be a string"),
    ] {
        stack.call("gotu-post-sessions-refresh").json(&body).await.expect(400, &error(text));
    }
}

#[tokio::test]
async fn an_idle_session_ends_and_so_does_the_session_of_a_deleted_user() {
    let stack = TestStack::shared().await;
    let idle = gotu(stack).sign_up_by_email(&new_email()).await;
    let item = stack.items_with("Sessions", &user_id(&idle)).await.remove(0);
    let life = seconds_between(&item, "opened_at", "expires_at");
    assert!((life - 2_592_000.0).abs() < 2.0, "30 days, {life}");
    stack.expire("Sessions", "token_hash", item["token_hash"].clone()).await;
    gotu(stack).refresh(&tokens(&idle).refresh).await.expect(401, &refused());
    let gone = gotu(stack).sign_up_by_email(&new_email()).await;
    stack.delete("Users", "user_id", user_id(&gone)).await;
    gotu(stack).refresh(&tokens(&gone).refresh).await.expect(401, &refused());
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_lost_commit_gives_the_same() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mut current = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).refresh;
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        for operation in ["GetItem", "TransactWriteItems"] {
            if mode == "conflict" && operation == "GetItem" {
                continue;
            }
            let fault =
                of_store(mode).at(operation).in_function("gotu-post-sessions-refresh").times(1);
            stack.fault(&fault).await;
            current = tokens(&gotu(stack).refresh(&current).await).refresh;
            stack.clear_faults().await;
        }
    }
    // The process dies after the commit: the client knows nothing, and asks again.
    let fault = of_store("crash-after")
        .at("TransactWriteItems")
        .in_function("gotu-post-sessions-refresh")
        .times(1);
    stack.fault(&fault).await;
    assert!(gotu(stack).refresh(&current).await.status >= 500);
    stack.clear_faults().await;
    let next = tokens(&gotu(stack).refresh(&current).await).refresh;
    assert_eq!(gotu(stack).refresh(&next).await.status, 200);
}

#[tokio::test]
async fn refreshing_is_two_round_trips_and_so_is_repeating_it() {
    let stack = &TestStack::with(&[]).await;
    // The first one warms up.
    let signed_up = gotu(stack).sign_up_by_email(&new_email()).await;
    let first = tokens(&gotu(stack).refresh(&tokens(&signed_up).refresh).await).refresh;
    let function = "gotu-post-sessions-refresh";
    let (reply, calls) = stack.calls_during(function, gotu(stack).refresh(&first)).await;
    let second = tokens(&reply).refresh;
    let made: Vec<_> = calls.iter().map(|call| call["operation"].as_str().unwrap()).collect();
    assert_eq!(made, ["GetItem", "TransactWriteItems"]);
    let (reply, calls) = stack.calls_during(function, gotu(stack).refresh(&first)).await;
    assert_eq!(tokens(&reply).refresh, second);
    let mut read: Vec<_> =
        calls.iter().map(|call| call["resources"][0].as_str().unwrap()).collect();
    read[1..].sort_unstable();
    // The last two are made at the same time.
    assert_eq!(read, ["Sessions", "Devices", "Users"]);
}
