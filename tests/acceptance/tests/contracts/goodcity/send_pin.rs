//! `POST /api/v1/auth/send_pin` (contracts.md B.0, B.1).

use super::{
    SEND_PIN, SIGNUP, new_mobile, other_than, otp_auth_key, pin, signed_in, signup_body, verify,
};
use acceptance::{KNOWN_RING, NO_LIMITS, Reply, World, code_in, derived_code};
use latchkey::contracts::goodcity;
use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use serde_json::{Value, json};

async fn send(world: &World, mobile: &str) -> Reply {
    world.post(SEND_PIN, &json!({"mobile": mobile})).await
}

async fn send_from(world: &World, app: &str, mobile: &str) -> Reply {
    let headers = [("content-type", "application/json"), ("x-goodcity-app-name", app)];
    world.send("POST", SEND_PIN, &headers, json!({"mobile": mobile}).to_string(), None).await
}

#[tokio::test]
async fn the_documented_examples_give_the_documented_answers() {
    let world = World::with(&NO_LIMITS).await;
    signed_in(&world, "+85261677528").await;
    let first = otp_auth_key(&send(&world, "+85261677528").await);
    let second = otp_auth_key(&send(&world, "+85261677528").await);
    assert_ne!(first, second, "every send makes a new key");
    otp_auth_key(&send(&world, "+85251641822").await);
    send_from(&world, "other.goodcity", "+85260274677")
        .await
        .expect(403, &json!({"errors": "Invalid host"}));
    send(&world, "").await.expect(422, &json!({"errors": "Mobile can't be blank"}));
    send(&world, "+9101234567")
        .await
        .expect(422, &json!({"errors": "Mobile must begin with +852"}));
}

#[tokio::test]
async fn a_registered_mobile_gets_a_pin_in_its_language() {
    let world = World::shared().await;
    let mobile = new_mobile();
    signed_in(world, &mobile).await;
    send(world, &mobile).await;
    let message = world.message(&mobile, 2).await;
    let body = message["body"].as_str().unwrap();
    let code = code_in(body);
    assert_eq!(code.len(), 4);
    assert_eq!(
        body.replace(&code, "####"),
        "#### is your GoodCity pin. It works for 5 minutes. \
         If you did not ask for it, ignore this message."
    );
    let headers = [("content-type", "application/json"), ("accept-language", "zh-tw")];
    let body = json!({"mobile": mobile}).to_string();
    let reply = world.send("POST", SEND_PIN, &headers, body, None).await;
    let key = otp_auth_key(&reply);
    let message = world.message(&mobile, 3).await;
    let body = message["body"].as_str().unwrap();
    assert!(body.contains("驗證碼") && body.chars().count() <= 70, "{body}");
    assert_eq!(verify(world, &key, &code_in(body)).await.status, 200);
}

#[tokio::test]
async fn bad_mobiles_are_refused_with_one_of_two_texts() {
    let world = World::with(&NO_LIMITS).await;
    for blank in
        [json!({}), json!({"mobile": null}), json!({"mobile": ""}), json!({"mobile": " \t"})]
    {
        world.post(SEND_PIN, &blank).await.expect(422, &json!({"errors": "Mobile can't be blank"}));
    }
    for bad in [
        "+85212345678",
        "+8525234567",
        "+852523456789",
        "+11112345678",
        "85261234567",
        "+852 61234567",
        " +85261234567",
        "+85261234567 ",
        "+8526123456a",
        "+8526１２３４５６７",
        "+852-6123456",
        "61234567",
    ] {
        send(&world, bad).await.expect(422, &json!({"errors": "Mobile must begin with +852"}));
    }
    let number = world.post(SEND_PIN, &json!({"mobile": 61_234_567})).await;
    number.expect(422, &json!({"errors": "Mobile must begin with +852"}));
    for body in ["[]", "{\"mobile\":", "\"x\"", "a[b=1"] {
        let reply = world.send("POST", SEND_PIN, &[], body, None).await;
        reply.expect(400, &json!({"error": "Invalid request body"}));
    }
    let large = json!({"mobile": "+85261234567", "x": "x".repeat(400_000)});
    world.post(SEND_PIN, &large).await.expect(413, &json!({"error": "Request body too large"}));
    for table in ["Challenges", "Budgets", "Outbox"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn forms_are_read_like_json() {
    let world = World::shared().await;
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("mobile={}", new_mobile().replace('+', "%2B"));
    otp_auth_key(&world.send("POST", SEND_PIN, &kind, body, None).await);
    let reply = world.send("POST", SEND_PIN, &kind, "mobile=", None).await;
    reply.expect(422, &json!({"errors": "Mobile can't be blank"}));
}

#[tokio::test]
async fn the_app_is_judged_before_the_mobile_and_the_same_for_everybody() {
    let world = World::shared().await;
    let mobile = new_mobile();
    signed_in(world, &mobile).await;
    for mobile in [mobile.as_str(), &new_mobile(), ""] {
        for app in ["other", "goodcity", "app.goodcity.hk", "ADMIN.goodcity"] {
            send_from(world, app, mobile).await.expect(403, &json!({"errors": "Invalid host"}));
        }
    }
    // A staff app's name is known, but no donor may use it: a decoy, and no text.
    for app in ["admin.goodcity", "stock", "browse.goodcity"] {
        otp_auth_key(&send_from(world, app, &mobile).await);
    }
    world.settled(&mobile).await;
    assert_eq!(world.messages(&mobile).await.len(), 1);
    send_from(world, "", &mobile).await.expect(403, &json!({"errors": "Invalid host"}));
    for (count, app) in [(2, "app.goodcity"), (3, "app")] {
        otp_auth_key(&send_from(world, app, &mobile).await);
        world.message(&mobile, count).await;
    }
}

#[tokio::test]
async fn registered_and_unregistered_mobiles_cannot_be_told_apart() {
    let world = World::with(&NO_LIMITS).await;
    let (known, stranger) = (new_mobile(), new_mobile());
    signed_in(&world, &known).await;
    world.settled(&known).await;
    // Warm, and both with a challenge of their own.
    otp_auth_key(&send(&world, &known).await);
    otp_auth_key(&send(&world, &stranger).await);
    let mut costs = Vec::new();
    for round in 0..200 {
        let mobile = if round % 2 == 0 { &known } else { &stranger };
        let before = world.calls("goodcity-send-pin").await.len();
        let reply = send(&world, mobile).await;
        otp_auth_key(&reply);
        let calls = world.calls("goodcity-send-pin").await.split_off(before);
        let calls = calls.iter().map(|call| {
            json!([call["operation"], call["resources"], call["status"], call["units"]])
        });
        let mut headers: Vec<_> = reply.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        costs.push((reply.status, headers, calls.collect::<Vec<Value>>()));
    }
    assert_eq!(costs[0].2.len(), 2, "{:?}", costs[0]);
    costs.dedup();
    assert_eq!(costs.len(), 1, "{costs:?}");
    world.settled(&known).await;
    world.settled(&stranger).await;
    assert!(world.messages(&stranger).await.is_empty());
    // A point in time is printed with more digits or fewer, and a flag takes a byte whatever it is.
    let size = |mut item: Value| {
        item["expires_at"] = json!(0);
        item["sent"] = json!(0);
        item.to_string().len()
    };
    let sizes = |items: Vec<Value>| -> Vec<usize> {
        let mut sizes: Vec<_> = items.into_iter().map(size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    };
    let handles = world.items_with("Challenges", "handle#").await;
    // A key that was used has lost its nonce.
    let of = |mobile: &str| -> Vec<Value> {
        let live = |item: &&Value| item["recipient"] == mobile && item["nonce"] != Value::Null;
        handles.iter().filter(live).cloned().collect()
    };
    assert_eq!(sizes(of(&known)), sizes(of(&stranger)));
}

#[tokio::test]
async fn a_decoy_key_behaves_like_a_real_one() {
    let world = World::with(&NO_LIMITS).await;
    let (known, stranger) = (new_mobile(), new_mobile());
    signed_in(&world, &known).await;
    let refused = json!({"errors": {"pin": "Invalid SMS code."}});
    for mobile in [&known, &stranger] {
        let key = otp_auth_key(&send(&world, mobile).await);
        let before = world.calls("goodcity-verify").await.len();
        verify(&world, &key, "12345").await.expect(422, &refused);
        let calls = world.calls("goodcity-verify").await.split_off(before);
        assert_eq!(calls.len(), 1, "{calls:?}");
        for _ in 0..5 {
            verify(&world, &key, "12345").await.expect(422, &refused);
        }
    }
    for item in world.items_with("Challenges", "handle#").await {
        if item["attempts"] != Value::Null {
            assert_eq!(item["attempts"], 5, "{item}");
        }
    }
}

/// The pin that a key stands for.
async fn pin_of(world: &World, key: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    let id = format!("handle#{}", data_encoding::HEXLOWER.encode(hash.as_ref()));
    let item = world.items_with("Challenges", &id).await.remove(0);
    let recipient = Identifier::from_parts("phone", item["recipient"].as_str().unwrap()).unwrap();
    let key = ChallengeKey { realm: goodcity::realm(), purpose: Purpose::SignIn, recipient };
    derived_code(key, &item, goodcity::PROFILE.code_format).await
}

#[tokio::test]
async fn the_right_pin_of_a_key_that_nobody_was_sent_verifies_nobody() {
    let mut env = NO_LIMITS.to_vec();
    env.push(("OTP_KEY_RING", KNOWN_RING));
    env.push(("SMS_COUNTRIES", "+8525,+8526"));
    let world = World::with(&env).await;
    let (known, far) = (new_mobile(), "+85291234567");
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(&known)).await);
    let right = pin_of(&world, &key).await;
    assert_eq!(right, pin(&world, &known, 1).await, "the test derives what was sent");
    assert_eq!(verify(&world, &key, &right).await.status, 200);
    let keys = [
        otp_auth_key(&send(&world, &new_mobile()).await),
        otp_auth_key(&send_from(&world, "admin.goodcity", &known).await),
        otp_auth_key(&world.post(SIGNUP, &signup_body(far)).await),
    ];
    let users = world.items("Users").await;
    for key in keys {
        let right = pin_of(&world, &key).await;
        let refused = json!({"errors": {"pin": "Invalid SMS code."}});
        verify(&world, &key, &right).await.expect(422, &refused);
    }
    assert_eq!(world.items("Users").await, users);
}

#[tokio::test]
async fn a_new_key_kills_the_old_one_and_its_pin() {
    let world = World::shared().await;
    let mobile = new_mobile();
    signed_in(world, &mobile).await;
    let old = otp_auth_key(&send(world, &mobile).await);
    let old_pin = pin(world, &mobile, 2).await;
    let new = otp_auth_key(&send(world, &mobile).await);
    let new_pin = pin(world, &mobile, 3).await;
    let refused = json!({"errors": {"pin": "Invalid SMS code."}});
    verify(world, &old, &old_pin).await.expect(422, &refused);
    if old_pin != new_pin {
        verify(world, &old, &new_pin).await.expect(422, &refused);
    }
    verify(world, &new, other_than(&new_pin)).await.expect(422, &refused);
    assert_eq!(verify(world, &new, &new_pin).await.status, 200);
}

#[tokio::test]
async fn sends_are_throttled_for_registered_and_unregistered_mobiles() {
    let world = World::with(&[]).await;
    let (known, stranger) = (new_mobile(), new_mobile());
    signed_in(&world, &known).await;
    otp_auth_key(&send(&world, &stranger).await);
    for mobile in [&known, &stranger] {
        // The sign-up of the known one counts as a send.
        let reply = send(&world, mobile).await;
        reply.expect(429, &json!({"errors": "Too many requests"}));
        let wait: u32 = reply.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait));
    }
}

#[tokio::test]
async fn keys_are_kept_as_hashes() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&send(world, &mobile).await);
    assert!(!world.items_with("Challenges", &mobile).await.is_empty());
    assert!(world.items_with("Challenges", &key).await.is_empty());
}

#[tokio::test]
async fn unknown_paths_methods_and_preflights_get_goodcitys_words() {
    let world = World::shared().await;
    let reply = world.send("GET", "/api/v1/auth/other", &[], "", None).await;
    reply.expect(404, &json!({"error": "Not found"}));
    let reply = world.send("GET", SEND_PIN, &[], "", None).await;
    reply.expect(405, &json!({"error": "Method not allowed"}));
    assert_eq!(reply.header("allow"), "POST");
    let asked = [
        ("origin", "https://app.goodcity.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-goodcity-app-name,x-goodcity-app-sha"),
    ];
    let reply = world.send("OPTIONS", SEND_PIN, &asked, "", None).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, "*"));
    assert_eq!(
        reply.header("access-control-allow-headers"),
        "x-goodcity-app-name,x-goodcity-app-sha"
    );
}
