//! `POST /auth/signup/callback`.

use acceptance::events::types;
use acceptance::faults::of_store;
use acceptance::goodcity::{new_mobile, otp_auth_key};
use acceptance::tokens::{hs256, part};
use acceptance::urbanfits::{
    EXPIRED, INCORRECT, INTERNAL, TAKEN, TOO_MANY, UNKNOWN_ID, WRONG, new_person, refusal, session,
};
use acceptance::{
    NO_LIMITS, TestStack, all, compact, count, goodcity, token_parts, urbanfits, without_limits,
};
use data_encoding::BASE64;
use serde_json::{Value, json};

const PARAMETERS: &str = "All valid parameters are required. Body Parameter: otp_id, otp";

#[tokio::test]
async fn the_right_code_gives_the_documented_answer() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
    let enter = urbanfits(stack).enter_code(&otp_id, &code);
    let reply = enter.header("user-agent", "PostmanRuntime/7.37.3").await;
    let json = reply.json();
    let user = &json["user"];
    let text = |name: &str| user[name].as_str().unwrap().to_owned();
    let card = user["uf_wallet"]["card_number"].as_str().unwrap();
    let expected = compact(
        r#"{
            "success": true,
            "msg": "You're Resgistered successfully !",
            "user": {
                "username": "<username>",
                "register_provider": "urbanfits",
                "image": "/website-copyrights/default-pfp.webp",
                "phone_prefix": "+92",
                "phone_number": "30142353150",
                "email": "<email>",
                "password": "<password>",
                "two_fa_enabled": false,
                "role": "customer",
                "is_active": true,
                "uf_wallet": {
                    "card_number": "<card>",
                    "bar_code": "/uf-wallet-barcodes/<card>"
                },
                "last_checkin": "<now>",
                "timezone": "Asia/Dubai",
                "user_agent": "<agent>",
                "purchases": 0,
                "_id": "<id>",
                "createdAt": "<today>",
                "updatedAt": "<today>",
                "__v": 0
            }
        }"#,
        &[
            ("username", &username),
            ("email", &email),
            ("password", &text("password")),
            ("card", card),
            ("now", &text("last_checkin")),
            ("agent", &text("user_agent")),
            ("id", &text("_id")),
            ("today", &text("createdAt")),
        ],
    );
    reply.expect_text(200, &expected);
    assert!(card.len() == 20 && card.starts_with("705"), "{card}");
    assert!(text("_id").len() == 24 && text("last_checkin").ends_with('Z'));
    let today = &text("createdAt");
    assert!(today.len() == 24 && today.ends_with("T00:00:00.000Z"), "{today}");
    // The documented header and payload.
    let signed = text("user_agent");
    assert!(signed.starts_with("eyJhbGciOiJIUzI1NiJ9.UG9zdG1hblJ1bnRpbWUvNy4zNy4z."), "{signed}");
}

#[tokio::test]
async fn both_cookies_have_the_documented_attributes() {
    let env = [("COOKIE_DOMAIN_URBANFITS", ".urbanfits.ae"), ("SESSION_SECONDS_URBANFITS", "7777")];
    let own = TestStack::with(&env).await;
    for (stack, life, domain) in
        [(TestStack::shared().await, 604_800_i64, ""), (&own, 7777, " Domain=.urbanfits.ae;")]
    {
        let (username, email) = new_person();
        let reply = urbanfits(stack).registered(&username, &email).await;
        let cookies = reply.cookies();
        let shared = "Secure; Priority=High; SameSite=None";
        let token = session(&reply);
        assert_eq!(
            cookies,
            [
                format!(
                    "session-token={token}; Max-Age={life};{domain} Path=/; HttpOnly; {shared}"
                ),
                format!("is_logged_in=true; Max-Age={life};{domain} Path=/; {shared}"),
            ]
        );
        let (header, claims) = token_parts(&token);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("JWT")));
        let user = &reply.json()["user"];
        let issued = claims["iat"].as_i64().unwrap();
        let mut expected = json!({"iat": issued, "exp": issued.saturating_add(life)});
        for name in [
            "_id",
            "username",
            "email",
            "register_provider",
            "user_agent",
            "timezone",
            "two_fa_enabled",
            "uf_wallet",
            "last_checkin",
            "createdAt",
            "role",
        ] {
            expected[name] = user[name].clone();
        }
        assert_eq!(claims, expected);
    }
}

#[tokio::test]
async fn user_wallet_and_points_are_stored_and_announced() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let user = urbanfits(stack).registered(&username, &email).await.json()["user"].clone();
    let id = user["_id"].as_str().unwrap();
    let card = user["uf_wallet"]["card_number"].as_str().unwrap();
    let stored = stack.items_with("Users", id).await.remove(0);
    assert_eq!(
        (&stored["email"], &stored["email_verified"], &stored["username"], &stored["card"]),
        (&json!(email), &json!(true), &json!(username), &json!(card))
    );
    let mut identifiers = stack.items_with("Identifiers", id).await;
    identifiers.sort_by_key(|item| item["identifier"].to_string());
    let names: Vec<_> =
        identifiers.iter().map(|item| item["identifier"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            format!("urbanfits#card#{card}"),
            format!("urbanfits#email#{email}"),
            format!("urbanfits#username#{username}"),
        ]
    );
    let ledger = stack.items_with("Ledger", id).await;
    assert_eq!(ledger.len(), 1);
    assert_eq!((&ledger[0]["points"], &ledger[0]["source"]), (&json!(500), &json!("signup")));
    let events = stack.events(id, 2).await;
    assert_eq!(types(&events), ["user.created", "wallet.opened"]);
    let (created, opened) = (&events[0]["detail"], &events[1]["detail"]);
    assert_eq!((&created["email"], &created["username"]), (&json!(email), &json!(username)));
    assert_eq!((&opened["cardNumber"], &opened["points"]), (&json!(card), &json!(500)));
    assert_eq!(created["correlationId"], opened["correlationId"]);
    for item in stack.items_with("Challenges", &email).await {
        assert_eq!((&item["pending"], &item["nonce"]), (&Value::Null, &Value::Null));
    }
}

#[tokio::test]
async fn the_password_shown_is_random_and_the_one_stored_is_hashed() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let user = urbanfits(stack).registered(&username, &email).await.json()["user"].clone();
    let shown = user["password"].as_str().unwrap();
    let bytes = BASE64.decode(shown.as_bytes()).unwrap();
    assert!(shown.starts_with("U2FsdGVkX1") && bytes.starts_with(b"Salted__"), "{shown}");
    assert_eq!((shown.len(), bytes.len()), (44, 32));
    let stored = stack.items_with("Users", &email).await.remove(0);
    assert!(stored["password_hash"].as_str().unwrap().starts_with("$argon2id$"));
    assert!(!stored.to_string().contains(shown));
    let (username, email) = new_person();
    let other = urbanfits(stack).registered(&username, &email).await.json()["user"].clone();
    assert_ne!(other["password"], user["password"], "the same password, shown differently");
}

#[tokio::test]
async fn user_agents_are_signed_with_a_key_of_their_own_and_may_be_absent_or_long() {
    let ring = |key: &str| json!({"v1": {"key": key, "stage": "AWSCURRENT"}}).to_string();
    let agents_key = "the key of agents, which is long enough";
    let sessions_key = "the key of sessions, which is long enough";
    let (agents, sessions) = (ring(agents_key), ring(sessions_key));
    let env = without_limits(&[
        ("USER_AGENT_KEY_RING_URBANFITS", agents.as_str()),
        ("TOKEN_KEY_RING_URBANFITS", sessions.as_str()),
    ]);
    let stack = &TestStack::with(&env).await;
    let (long, wide) = ("x".repeat(2000), "小".repeat(200));
    for (agent, kept) in [
        ("", ""),
        ("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
        ("小米 14", "小米 14"),
        (&long, &long[..512]),
        (&wide, &wide[..510]),
    ] {
        let (username, email) = new_person();
        let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
        let enter = urbanfits(stack).enter_code(&otp_id, &code);
        let reply = enter.header("user-agent", agent).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let signed = reply.json()["user"]["user_agent"].as_str().unwrap().to_owned();
        let input = format!("{}.{}", part(r#"{"alg":"HS256"}"#), part(kept));
        assert_eq!(signed, hs256(&input, agents_key));
        assert!(reply.cookies()[0].len() < 4096, "browsers drop longer cookies");
        let token = session(&reply);
        let input = token.rsplit_once('.').unwrap().0;
        assert_eq!(token, hs256(input, sessions_key));
    }
}

#[tokio::test]
async fn refusals_come_in_the_contracts_order_and_the_code_works_once() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
    for body in [
        json!({}),
        json!({"otp_id": otp_id}),
        json!({"otp": code}),
        json!({"otp_id": otp_id, "otp": ""}),
        json!({"otp_id": otp_id, "otp": null}),
        json!({"otp_id": otp_id, "otp": {"$ne": ""}}),
        json!({"otp_id": &otp_id[..17], "otp": code}),
        json!({"otp_id": 5, "otp": code}),
        json!({"otp_id": {"$ne": ""}, "otp": code}),
    ] {
        urbanfits(stack).enter_code_with(&body).await.expect(401, &refusal(PARAMETERS));
    }
    let headers = [("content-type", "application/json")];
    for body in ["", "{", "[]"] {
        let reply = stack.call("urbanfits-signup-callback").headers(&headers).body(body).await;
        reply.expect(401, &refusal(PARAMETERS));
    }
    for otp_id in [UNKNOWN_ID, &otp_id[..18], &format!("{otp_id} ")] {
        urbanfits(stack).enter_code(otp_id, &code).await.expect(401, &refusal(EXPIRED));
    }
    urbanfits(stack).enter_code(&otp_id, WRONG).await.expect(401, &refusal(INCORRECT));
    let number: u32 = code.parse().unwrap();
    let as_number = json!({"otp_id": otp_id, "otp": number});
    let reply = urbanfits(stack).enter_code_with(&as_number).await;
    reply.expect(401, &refusal(INCORRECT));
    let reply = urbanfits(stack).enter_code(&otp_id, &format!("{code} ")).await;
    reply.expect(401, &refusal(INCORRECT));
    assert_eq!(urbanfits(stack).enter_code(&otp_id, &code).await.status, 200);
    let again = urbanfits(stack).enter_code(&otp_id, &code).await;
    again.expect(401, &refusal(EXPIRED));
    assert!(again.cookies().is_empty());
}

#[tokio::test]
async fn racers_with_one_code_make_one_user() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
    let replies = all((0..20).map(|_| urbanfits(stack).enter_code(&otp_id, &code))).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 19), "{replies:?}");
    for (table, items) in [("Users", 1), ("Identifiers", 3), ("Ledger", 1)] {
        assert_eq!(stack.items(table).await.len(), items, "{table}");
    }
}

#[tokio::test]
async fn two_pending_sign_ups_race_for_one_username() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let (_, other_email) = new_person();
    let (first, first_code) = urbanfits(stack).pending(&username, &email).await;
    let (second, second_code) =
        urbanfits(stack).pending(&username.to_uppercase(), &other_email).await;
    let racers = [(&first, &first_code), (&second, &second_code)];
    let replies = all(racers.map(|(otp_id, code)| urbanfits(stack).enter_code(otp_id, code))).await;
    let (winner, loser) = if replies[0].status == 200 { (0, 1) } else { (1, 0) };
    assert_eq!(replies[winner].status, 200, "{replies:?}");
    replies[loser].expect(409, &refusal(TAKEN));
    assert!(replies[loser].cookies().is_empty());
    for (table, items) in [("Users", 1), ("Identifiers", 3), ("Ledger", 1)] {
        assert_eq!(stack.items(table).await.len(), items, "{table}");
    }
    // The loser's code is not used up.
    let (otp_id, code) = racers[loser];
    urbanfits(stack).enter_code(otp_id, code).await.expect(409, &refusal(TAKEN));
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_broken_store_keeps_the_code() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let fault = |function: &str, mode: &str, operation: &str, count: u32| {
        of_store(mode).at(operation).in_function(function).times(count)
    };
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        let (username, email) = new_person();
        stack.fault(&fault("urbanfits-signup", mode, "TransactWriteItems", 1)).await;
        let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
        for operation in ["UpdateItem", "TransactWriteItems"] {
            stack.fault(&fault("urbanfits-signup-callback", mode, operation, 1)).await;
        }
        let reply = urbanfits(stack).enter_code(&otp_id, &code).await;
        assert_eq!(reply.status, 200, "{mode}: {reply:?}");
        assert_eq!(stack.items_with("Users", &email).await.len(), 1);
        stack.clear_faults().await;
    }
    let (username, email) = new_person();
    let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
    stack.fault(&fault("urbanfits-signup-callback", "error", "TransactWriteItems", 100)).await;
    let reply = urbanfits(stack).enter_code(&otp_id, &code).await;
    reply.expect(500, &refusal(INTERNAL));
    for table in ["Users", "Identifiers"] {
        assert!(stack.items_with(table, &email).await.is_empty(), "{table}");
    }
    stack.clear_faults().await;
    assert_eq!(urbanfits(stack).enter_code(&otp_id, &code).await.status, 200);
    for table in ["Ledger", "Users"] {
        assert_eq!(stack.items(table).await.len(), 5, "{table}");
    }
}

#[tokio::test]
async fn wrong_guesses_of_one_source_run_out() {
    let stack = &TestStack::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "2")]).await;
    let (username, email) = new_person();
    let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
    for _ in 0..2 {
        urbanfits(stack).enter_code(&otp_id, WRONG).await.expect(401, &refusal(INCORRECT));
    }
    for otp in [WRONG, &code] {
        let reply = urbanfits(stack).enter_code(&otp_id, otp).await;
        reply.expect(429, &refusal(TOO_MANY));
        reply.expect_wait(3600);
    }
    assert!(stack.items("Users").await.is_empty());
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_sign_its_visitor_in() {
    let stack = &TestStack::with(&[("ALLOWED_ORIGINS_URBANFITS", "https://shop.example")]).await;
    let (username, email) = new_person();
    let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
    let body = json!({"otp_id": otp_id, "otp": code}).to_string();
    // A browser sends a plain text without a preflight.
    for origin in ["https://evil.example", "null"] {
        let headers = [("content-type", "text/plain"), ("origin", origin)];
        let enter = stack.call("urbanfits-signup-callback").headers(&headers);
        let reply = enter.body(body.clone()).await;
        reply.expect(403, &refusal("This page may not send this request."));
        assert!(reply.cookies().is_empty());
    }
    let enter = urbanfits(stack).enter_code(&otp_id, &code);
    let reply = enter.header("origin", "https://shop.example").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(reply.cookies().len(), 2);
}

#[tokio::test]
async fn an_otp_id_of_another_contract_is_unknown() {
    let stack = TestStack::shared().await;
    let key = otp_auth_key(&goodcity(stack).sign_up(&new_mobile()).await);
    urbanfits(stack).enter_code(&key, "12345").await.expect(401, &refusal(EXPIRED));
    let (username, email) = new_person();
    let (otp_id, code) = urbanfits(stack).pending(&username, &email).await;
    assert_eq!(goodcity(stack).verify(&otp_id, &code).await.status, 422);
}

#[tokio::test]
async fn completing_a_sign_up_is_three_round_trips() {
    let stack = &TestStack::with(&[]).await;
    // The first one warms up.
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    let (username, email) = new_person();
    let sign_up = urbanfits(stack).registered(&username, &email);
    let (_, calls) = stack.calls_during("urbanfits-signup-callback", sign_up).await;
    let calls: Vec<_> = calls.iter().map(|call| (&call["operation"], &call["resources"])).collect();
    let tables = json!(["Budgets", "Challenges", "Identifiers", "Ledger", "Outbox", "Users"]);
    let judges = json!(["Budgets", "Challenges"]);
    let operations = ["BatchGetItem", "UpdateItem", "UpdateItem", "TransactWriteItems"];
    let operations = operations.map(|name| json!(name));
    // The guess is counted for the code and for its source at the same time.
    let tables = [judges, json!(["Challenges"]), json!(["Budgets"]), tables];
    let expected: Vec<_> = operations.iter().zip(&tables).collect();
    assert_eq!((calls.len(), calls[0], calls[3]), (4, expected[0], expected[3]));
    assert!(calls.contains(&expected[1]) && calls.contains(&expected[2]), "{calls:?}");
}
