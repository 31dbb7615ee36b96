//! `POST /api/v1/auth/send_pin`.

use acceptance::goodcity::{error, errors, new_mobile, otp_auth_key, pin_refused};
use acceptance::{
    KNOWN_RING, NO_LIMITS, TestStack, code_in, derived_code, goodcity, other_than, without_limits,
};
use latchkey::contracts::goodcity as contract;
use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use serde_json::{Value, json};

#[tokio::test]
async fn a_pin_that_outlives_its_unverified_user_keeps_the_user() {
    let limits: Vec<_> = NO_LIMITS.into_iter().chain([("OTP_TTL_SECONDS", "100000")]).collect();
    let stack = &TestStack::with(&limits).await;
    let ends = async |mobile: &str| {
        let [users, identifiers] =
            ["Users", "Identifiers"].map(|table| stack.items_with(table, mobile));
        let (users, identifiers) = (users.await, identifiers.await);
        (users[0]["expires_at"].as_u64(), identifiers[0]["expires_at"].as_u64())
    };
    for again in ["goodcity-signup", "goodcity-send-pin"] {
        let mobile = new_mobile();
        otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
        goodcity(stack).pin(&mobile, 1).await;
        let first = ends(&mobile).await;
        let asked = match again {
            "goodcity-signup" => goodcity(stack).sign_up(&mobile).await,
            _ => goodcity(stack).send_pin(&mobile).await,
        };
        let kept = ends(&mobile).await;
        assert!(first.0 < kept.0 && first.1 < kept.1, "{again}: {first:?} {kept:?}");
        let pin = goodcity(stack).pin(&mobile, 2).await;
        let reply = goodcity(stack).verify(&otp_auth_key(&asked), &pin).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(ends(&mobile).await, (None, None));
    }
}

#[tokio::test]
async fn the_documented_examples_give_the_documented_answers() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    goodcity(stack).registered("+85261677528").await;
    let first = otp_auth_key(&goodcity(stack).send_pin("+85261677528").await);
    let second = otp_auth_key(&goodcity(stack).send_pin("+85261677528").await);
    assert_ne!(first, second, "every send makes a new key");
    otp_auth_key(&goodcity(stack).send_pin("+85251641822").await);
    goodcity(stack)
        .send_pin("+85260274677")
        .header("x-goodcity-app-name", "other.goodcity")
        .await
        .expect(403, &errors("Invalid host"));
    goodcity(stack).send_pin("").await.expect(422, &errors("Mobile can't be blank"));
    goodcity(stack)
        .send_pin("+9101234567")
        .await
        .expect(422, &errors("Mobile must begin with +852"));
}

#[tokio::test]
async fn a_registered_mobile_gets_a_pin_in_its_language() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    goodcity(stack).registered(&mobile).await;
    goodcity(stack).send_pin(&mobile).await;
    let body = &stack.text(&mobile, 2).await;
    let code = code_in(body);
    assert_eq!(code.len(), 4);
    assert_eq!(
        body.replace(&code, "####"),
        "#### is your GoodCity pin. It works for 5 minutes. \
         If you did not ask for it, ignore this message."
    );
    let reply = goodcity(stack).send_pin(&mobile).header("accept-language", "zh-tw").await;
    let key = otp_auth_key(&reply);
    let body = &stack.text(&mobile, 3).await;
    assert!(body.contains("驗證碼") && body.chars().count() <= 70, "{body}");
    assert_eq!(goodcity(stack).verify(&key, &code_in(body)).await.status, 200);
}

#[tokio::test]
async fn bad_mobiles_are_refused_with_one_of_two_texts() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for blank in
        [json!({}), json!({"mobile": null}), json!({"mobile": ""}), json!({"mobile": " \t"})]
    {
        let reply = stack.call("goodcity-send-pin").json(&blank).await;
        reply.expect(422, &errors("Mobile can't be blank"));
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
        goodcity(stack).send_pin(bad).await.expect(422, &errors("Mobile must begin with +852"));
    }
    let number = stack.call("goodcity-send-pin").json(&json!({"mobile": 61_234_567})).await;
    number.expect(422, &errors("Mobile must begin with +852"));
    for body in ["[]", r#"{"mobile":"#, r#""x""#, "a[b=1"] {
        let reply = stack.call("goodcity-send-pin").body(body).await;
        reply.expect(400, &error("Invalid request body"));
    }
    let large = json!({"mobile": "+85261234567", "x": "x".repeat(400_000)});
    let reply = stack.call("goodcity-send-pin").json(&large).await;
    reply.expect(413, &error("Request body too large"));
    for table in ["Challenges", "Budgets", "Outbox"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn forms_are_read_like_json() {
    let stack = TestStack::shared().await;
    let body = format!("mobile={}", new_mobile().replace('+', "%2B"));
    otp_auth_key(&stack.call("goodcity-send-pin").form(body).await);
    let reply = stack.call("goodcity-send-pin").form("mobile=").await;
    reply.expect(422, &errors("Mobile can't be blank"));
}

#[tokio::test]
async fn the_app_is_judged_before_the_mobile_and_alike_for_every_mobile() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    goodcity(stack).registered(&mobile).await;
    for mobile in [mobile.as_str(), &new_mobile(), ""] {
        for app in ["other", "goodcity", "app.goodcity.hk", "ADMIN.goodcity"] {
            goodcity(stack)
                .send_pin(mobile)
                .header("x-goodcity-app-name", app)
                .await
                .expect(403, &errors("Invalid host"));
        }
    }
    // A staff app's name is known, but no donor may use it: a decoy, and no text.
    for app in ["admin.goodcity", "stock", "browse.goodcity"] {
        otp_auth_key(&goodcity(stack).send_pin(&mobile).header("x-goodcity-app-name", app).await);
    }
    stack.wait_until_delivered(&mobile).await;
    assert_eq!(stack.messages(&mobile).await.len(), 1);
    goodcity(stack)
        .send_pin(&mobile)
        .header("x-goodcity-app-name", "")
        .await
        .expect(403, &errors("Invalid host"));
    for (count, app) in [(2, "app.goodcity"), (3, "app")] {
        otp_auth_key(&goodcity(stack).send_pin(&mobile).header("x-goodcity-app-name", app).await);
        stack.message(&mobile, count).await;
    }
}

#[tokio::test]
async fn registered_and_unregistered_mobiles_cannot_be_told_apart() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (known, unregistered) = (new_mobile(), new_mobile());
    goodcity(stack).registered(&known).await;
    stack.wait_until_delivered(&known).await;
    // Warm, and both with a challenge of their own.
    otp_auth_key(&goodcity(stack).send_pin(&known).await);
    otp_auth_key(&goodcity(stack).send_pin(&unregistered).await);
    let mut costs = Vec::new();
    for round in 0..200 {
        let mobile = if round % 2 == 0 { &known } else { &unregistered };
        let send = goodcity(stack).send_pin(mobile);
        let (reply, calls) = stack.calls_during("goodcity-send-pin", send).await;
        assert_eq!(otp_auth_key(&reply).len(), 24);
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
    stack.wait_until_delivered(&known).await;
    stack.wait_until_delivered(&unregistered).await;
    assert!(stack.messages(&unregistered).await.is_empty());
    // The number of digits of a time varies, and a flag takes one byte either way.
    let size = |mut item: Value| {
        item["expires_at"] = json!(0);
        item["sent_at"] = json!(0);
        item["counted"] = json!(0);
        item["sent"] = json!(0);
        item.to_string().len()
    };
    let sizes = |items: Vec<Value>| -> Vec<usize> {
        let mut sizes: Vec<_> = items.into_iter().map(size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    };
    let handles = stack.items_with("Challenges", "handle#").await;
    // A key that was used has lost its nonce.
    let of = |mobile: &str| -> Vec<Value> {
        let live = |item: &&Value| item["recipient"] == mobile && item["nonce"] != Value::Null;
        handles.iter().filter(live).cloned().collect()
    };
    assert_eq!(sizes(of(&known)), sizes(of(&unregistered)));
}

#[tokio::test]
async fn a_decoy_key_behaves_like_a_real_one() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (known, unregistered) = (new_mobile(), new_mobile());
    goodcity(stack).registered(&known).await;
    let refused = pin_refused();
    for mobile in [&known, &unregistered] {
        let key = otp_auth_key(&goodcity(stack).send_pin(mobile).await);
        let verify = goodcity(stack).verify(&key, "12345");
        let (reply, calls) = stack.calls_during("goodcity-verify", verify).await;
        reply.expect(422, &refused);
        assert_eq!(calls.len(), 3, "{calls:?}");
        for _ in 0..5 {
            goodcity(stack).verify(&key, "12345").await.expect(422, &refused);
        }
    }
    for item in stack.items_with("Challenges", "handle#").await {
        if item["attempts"] != Value::Null {
            assert_eq!(item["attempts"], 5, "{item}");
        }
    }
}

/// The pin that belongs to a key.
async fn pin_of(stack: &TestStack, key: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    let id = format!("handle#{}", data_encoding::HEXLOWER.encode(hash.as_ref()));
    let item = stack.items_with("Challenges", &id).await.remove(0);
    let recipient = Identifier::from_parts("phone", item["recipient"].as_str().unwrap()).unwrap();
    let key = ChallengeKey::new(contract::realm(), Purpose::SignIn, recipient);
    derived_code(key, &item, contract::PROFILE.code_format).await
}

#[tokio::test]
async fn the_right_pin_of_a_key_verifies_no_user_if_the_pin_was_not_sent() {
    let env = without_limits(&[("OTP_KEY_RING", KNOWN_RING), ("SMS_COUNTRIES", "+8525,+8526")]);
    let stack = &TestStack::with(&env).await;
    let (known, far) = (new_mobile(), "+85291234567");
    let key = otp_auth_key(&goodcity(stack).sign_up(&known).await);
    let right = pin_of(stack, &key).await;
    assert_eq!(right, goodcity(stack).pin(&known, 1).await, "the test derives what was sent");
    assert_eq!(goodcity(stack).verify(&key, &right).await.status, 200);
    let keys = [
        otp_auth_key(&goodcity(stack).send_pin(&new_mobile()).await),
        otp_auth_key(
            &goodcity(stack).send_pin(&known).header("x-goodcity-app-name", "admin.goodcity").await,
        ),
        otp_auth_key(&goodcity(stack).sign_up(far).await),
    ];
    let users = stack.items("Users").await;
    for key in keys {
        let right = pin_of(stack, &key).await;
        let refused = pin_refused();
        goodcity(stack).verify(&key, &right).await.expect(422, &refused);
    }
    assert_eq!(stack.items("Users").await, users);
}

#[tokio::test]
async fn a_new_key_ends_the_old_one_and_its_pin() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    goodcity(stack).registered(&mobile).await;
    let old = otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    let old_pin = goodcity(stack).pin(&mobile, 2).await;
    let new = otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    let new_pin = goodcity(stack).pin(&mobile, 3).await;
    let refused = pin_refused();
    goodcity(stack).verify(&old, &old_pin).await.expect(422, &refused);
    if old_pin != new_pin {
        goodcity(stack).verify(&old, &new_pin).await.expect(422, &refused);
    }
    goodcity(stack).verify(&new, &other_than(&new_pin)).await.expect(422, &refused);
    assert_eq!(goodcity(stack).verify(&new, &new_pin).await.status, 200);
}

#[tokio::test]
async fn sends_are_throttled_for_registered_and_unregistered_mobiles() {
    let stack = &TestStack::with(&[]).await;
    let (known, unregistered) = (new_mobile(), new_mobile());
    goodcity(stack).registered(&known).await;
    otp_auth_key(&goodcity(stack).send_pin(&unregistered).await);
    for mobile in [&known, &unregistered] {
        // The sign-up of the known one counts as a send.
        let reply = goodcity(stack).send_pin(mobile).await;
        reply.expect(429, &errors("Too many requests"));
        reply.expect_wait(60);
    }
}

#[tokio::test]
async fn keys_are_kept_as_hashes() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    assert!(!stack.items_with("Challenges", &mobile).await.is_empty());
    assert!(stack.items_with("Challenges", &key).await.is_empty());
}

#[tokio::test]
async fn unknown_paths_methods_and_preflights_are_answered_as_goodcity_does() {
    let stack = TestStack::shared().await;
    let reply = stack.request("GET", "/api/v1/auth/other").await;
    reply.expect(404, &error("Not found"));
    let reply = stack.call("goodcity-send-pin").with_method("GET").await;
    reply.expect(405, &error("Method not allowed"));
    assert_eq!(reply.header("allow"), "POST");
    let asked = [
        ("origin", "https://app.goodcity.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-goodcity-app-name,x-goodcity-app-sha"),
    ];
    let reply = stack.call("goodcity-send-pin").with_method("OPTIONS").headers(&asked).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, "*"));
    assert_eq!(
        reply.header("access-control-allow-headers"),
        "x-goodcity-app-name,x-goodcity-app-sha"
    );
}
