//! `POST /auth/signup/callback` (contracts.md C.2).

use super::{
    CALLBACK, SIGNUP, WRONG, callback, code, cookies, new_person, no, otp_id, registered, session,
    signup_body, waiting,
};
use acceptance::{NO_LIMITS, World, all, token_parts};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

const EXPIRED: &str = "The OTP has expired, please try again.";
const INCORRECT: &str = "The OTP is incorrect.";
const PARAMETERS: &str = "All valid parameters are required. Body Parameter: otp_id, otp";
const TAKEN: &str = "This Email or Username already in use.";

#[tokio::test]
async fn the_right_code_gives_the_seeds_answer() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let (otp_id, code) = waiting(world, &username, &email).await;
    let agent = "PostmanRuntime/7.37.3";
    let headers = [("content-type", "application/json"), ("user-agent", agent)];
    let body = json!({"otp_id": otp_id, "otp": code}).to_string();
    let reply = world.send("POST", CALLBACK, &headers, body, None).await;
    let json = reply.json();
    let user = &json["user"];
    let text = |name: &str| user[name].as_str().unwrap().to_owned();
    let card = user["uf_wallet"]["card_number"].as_str().unwrap();
    let expected = format!(
        "{{\"success\":true,\"msg\":\"You're Resgistered successfully !\",\"user\":{{\
         \"username\":\"{username}\",\"register_provider\":\"urbanfits\",\
         \"image\":\"/website-copyrights/default-pfp.webp\",\"phone_prefix\":\"+92\",\
         \"phone_number\":\"30142353150\",\"email\":\"{email}\",\"password\":\"{}\",\
         \"two_fa_enabled\":false,\"role\":\"customer\",\"is_active\":true,\
         \"uf_wallet\":{{\"card_number\":\"{card}\",\"bar_code\":\"/uf-wallet-barcodes/{card}\"}},\
         \"last_checkin\":\"{}\",\"timezone\":\"Asia/Dubai\",\"user_agent\":\"{}\",\
         \"purchases\":0,\"_id\":\"{}\",\"createdAt\":\"{}\",\"updatedAt\":\"{}\",\"__v\":0}}}}",
        text("password"),
        text("last_checkin"),
        text("user_agent"),
        text("_id"),
        text("createdAt"),
        text("createdAt"),
    );
    assert_eq!((reply.status, reply.body.as_str()), (200, expected.as_str()));
    assert!(card.len() == 20 && card.starts_with("705"), "{card}");
    assert!(text("_id").len() == 24 && text("last_checkin").ends_with('Z'));
    let today = &text("createdAt");
    assert!(today.len() == 24 && today.ends_with("T00:00:00.000Z"), "{today}");
    // The seed's own header and payload.
    let signed = text("user_agent");
    assert!(signed.starts_with("eyJhbGciOiJIUzI1NiJ9.UG9zdG1hblJ1bnRpbWUvNy4zNy4z."), "{signed}");
}

#[tokio::test]
async fn both_cookies_come_to_the_attribute() {
    let env = [("COOKIE_DOMAIN_URBANFITS", ".urbanfits.ae"), ("SESSION_SECONDS_URBANFITS", "7777")];
    let own = World::with(&env).await;
    for (world, life, domain) in
        [(World::shared().await, 604_800_i64, ""), (&own, 7777, " Domain=.urbanfits.ae;")]
    {
        let (username, email) = new_person();
        let reply = registered(world, &username, &email).await;
        let cookies = cookies(&reply);
        let shared = "Secure; Priority=High; SameSite=None";
        let token = session(&cookies[0]).to_owned();
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
    let world = World::shared().await;
    let (username, email) = new_person();
    let user = registered(world, &username, &email).await.json()["user"].clone();
    let id = user["_id"].as_str().unwrap();
    let card = user["uf_wallet"]["card_number"].as_str().unwrap();
    let stored = world.items_with("Users", id).await.remove(0);
    assert_eq!(
        (&stored["email"], &stored["email_verified"], &stored["username"], &stored["card"]),
        (&json!(email), &json!(true), &json!(username), &json!(card))
    );
    let mut identifiers = world.items_with("Identifiers", id).await;
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
    let ledger = world.items_with("Ledger", id).await;
    assert_eq!(ledger.len(), 1);
    assert_eq!((&ledger[0]["points"], &ledger[0]["source"]), (&json!(500), &json!("signup")));
    let events = world.events(id, 2).await;
    let types: Vec<_> = events.iter().map(|event| &event["detailType"]).collect();
    assert_eq!(types, ["user.created", "wallet.opened"]);
    let (created, opened) = (&events[0]["detail"], &events[1]["detail"]);
    assert_eq!((&created["email"], &created["username"]), (&json!(email), &json!(username)));
    assert_eq!((&opened["cardNumber"], &opened["points"]), (&json!(card), &json!(500)));
    assert_eq!(created["correlationId"], opened["correlationId"]);
    for item in world.items_with("Challenges", &email).await {
        assert_eq!((&item["pending"], &item["nonce"]), (&Value::Null, &Value::Null));
    }
}

#[tokio::test]
async fn the_password_shown_is_random_and_the_one_stored_is_hashed() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let user = registered(world, &username, &email).await.json()["user"].clone();
    let shown = user["password"].as_str().unwrap();
    let bytes = BASE64.decode(shown.as_bytes()).unwrap();
    assert!(shown.starts_with("U2FsdGVkX1") && bytes.starts_with(b"Salted__"), "{shown}");
    assert_eq!((shown.len(), bytes.len()), (44, 32));
    let stored = world.items_with("Users", &email).await.remove(0);
    assert!(stored["password_hash"].as_str().unwrap().starts_with("$argon2id$"));
    assert!(!stored.to_string().contains(shown));
    let (username, email) = new_person();
    let other = registered(world, &username, &email).await.json()["user"].clone();
    assert_ne!(other["password"], user["password"], "the same password, shown differently");
}

#[tokio::test]
async fn user_agents_are_signed_with_a_key_of_their_own_and_may_be_absent_or_long() {
    let ring = |key: &str| json!({"v1": {"key": key, "stage": "AWSCURRENT"}}).to_string();
    let (agents, sessions) = (ring("the key of agents"), ring("the key of sessions"));
    let mut env = NO_LIMITS.to_vec();
    env.extend([
        ("USER_AGENT_KEY_RING_URBANFITS", agents.as_str()),
        ("TOKEN_KEY_RING_URBANFITS", sessions.as_str()),
    ]);
    let world = World::with(&env).await;
    let long = "x".repeat(2000);
    for (agent, kept) in
        [("", ""), ("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"), (&long, &long[..512])]
    {
        let (username, email) = new_person();
        let (otp_id, code) = waiting(&world, &username, &email).await;
        let headers = [("content-type", "application/json"), ("user-agent", agent)];
        let body = json!({"otp_id": otp_id, "otp": code}).to_string();
        let reply = world.send("POST", CALLBACK, &headers, body, None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let signed = reply.json()["user"]["user_agent"].as_str().unwrap().to_owned();
        let expected = hs256(
            &format!("eyJhbGciOiJIUzI1NiJ9.{}", BASE64URL_NOPAD.encode(kept.as_bytes())),
            "the key of agents",
        );
        assert_eq!(signed, expected);
        let cookies = cookies(&reply);
        assert!(cookies[0].len() < 4096, "browsers drop longer cookies");
        let token = session(&cookies[0]);
        let input = token.rsplit_once('.').unwrap().0;
        assert_eq!(token, hs256(input, "the key of sessions"));
    }
}

/// The compact form of a signed input.
fn hs256(input: &str, key: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    let signature = ring::hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

#[tokio::test]
async fn refusals_come_in_the_contracts_order_and_the_code_works_once() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let (otp_id, code) = waiting(world, &username, &email).await;
    let unknown = "0123456789abcdef01234567";
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
        world.post(CALLBACK, &body).await.expect(401, &no(PARAMETERS));
    }
    let headers = [("content-type", "application/json")];
    for body in ["", "{", "[]"] {
        let reply = world.send("POST", CALLBACK, &headers, body, None).await;
        reply.expect(401, &no(PARAMETERS));
    }
    for otp_id in [unknown, &otp_id[..18], &format!("{otp_id} ")] {
        callback(world, otp_id, &code).await.expect(401, &no(EXPIRED));
    }
    callback(world, &otp_id, WRONG).await.expect(401, &no(INCORRECT));
    let number: u32 = code.parse().unwrap();
    let reply = world.post(CALLBACK, &json!({"otp_id": otp_id, "otp": number})).await;
    reply.expect(401, &no(INCORRECT));
    callback(world, &otp_id, &format!("{code} ")).await.expect(401, &no(INCORRECT));
    assert_eq!(callback(world, &otp_id, &code).await.status, 200);
    callback(world, &otp_id, &code).await.expect(401, &no(EXPIRED));
    assert!(cookies(&callback(world, &otp_id, &code).await).is_empty());
}

#[tokio::test]
async fn racers_with_one_code_make_one_user() {
    let world = World::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let (otp_id, code) = waiting(&world, &username, &email).await;
    let replies = all((0..20).map(|_| callback(&world, &otp_id, &code))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{replies:?}");
    for (table, items) in [("Users", 1), ("Identifiers", 3), ("Ledger", 1)] {
        assert_eq!(world.items(table).await.len(), items, "{table}");
    }
}

#[tokio::test]
async fn two_that_wait_race_for_one_username() {
    let world = World::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let (_, other_email) = new_person();
    let (first, first_code) = waiting(&world, &username, &email).await;
    let (second, second_code) = waiting(&world, &username.to_uppercase(), &other_email).await;
    let racers = [(&first, &first_code), (&second, &second_code)];
    let replies = all(racers.map(|(otp_id, code)| callback(&world, otp_id, code))).await;
    let (winner, loser) = if replies[0].status == 200 { (0, 1) } else { (1, 0) };
    assert_eq!(replies[winner].status, 200, "{replies:?}");
    replies[loser].expect(409, &no(TAKEN));
    assert!(cookies(&replies[loser]).is_empty());
    for (table, items) in [("Users", 1), ("Identifiers", 3), ("Ledger", 1)] {
        assert_eq!(world.items(table).await.len(), items, "{table}");
    }
    // The loser's code is not used up.
    let (otp_id, code) = racers[loser];
    callback(&world, otp_id, code).await.expect(409, &no(TAKEN));
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_broken_store_keeps_the_code() {
    let world = World::with(&NO_LIMITS).await;
    let fault = |function: &str, mode: &str, operation: &str, count: u32| {
        json!({"service": "dynamodb", "mode": mode, "operation": operation, "count": count,
            "function": function})
    };
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        let (username, email) = new_person();
        world.fault(&fault("urbanfits-signup", mode, "TransactWriteItems", 1)).await;
        let (otp_id, code) = waiting(&world, &username, &email).await;
        for operation in ["UpdateItem", "TransactWriteItems"] {
            world.fault(&fault("urbanfits-signup-callback", mode, operation, 1)).await;
        }
        let reply = callback(&world, &otp_id, &code).await;
        assert_eq!(reply.status, 200, "{mode}: {reply:?}");
        assert_eq!(world.items_with("Users", &email).await.len(), 1);
        world.heal().await;
    }
    let (username, email) = new_person();
    let (otp_id, code) = waiting(&world, &username, &email).await;
    world.fault(&fault("urbanfits-signup-callback", "error", "TransactWriteItems", 100)).await;
    let reply = callback(&world, &otp_id, &code).await;
    reply.expect(500, &no("Internal Server Error occurred, please try again in a while."));
    for table in ["Users", "Identifiers"] {
        assert!(world.items_with(table, &email).await.is_empty(), "{table}");
    }
    world.heal().await;
    assert_eq!(callback(&world, &otp_id, &code).await.status, 200);
    for table in ["Ledger", "Users"] {
        assert_eq!(world.items(table).await.len(), 5, "{table}");
    }
}

#[tokio::test]
async fn wrong_guesses_of_one_address_run_out() {
    let world = World::with(&[("OTP_GUESSES_PER_HOUR_PER_IP", "2")]).await;
    let (username, email) = new_person();
    let (otp_id, code) = waiting(&world, &username, &email).await;
    for _ in 0..2 {
        callback(&world, &otp_id, WRONG).await.expect(401, &no(INCORRECT));
    }
    for otp in [WRONG, &code] {
        let reply = callback(&world, &otp_id, otp).await;
        reply.expect(429, &no("Too many requests, please try again later."));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 3600);
    }
    assert!(world.items("Users").await.is_empty());
}

#[tokio::test]
async fn a_strangers_page_cannot_sign_its_visitor_in() {
    let world = World::with(&[("ALLOWED_ORIGINS_URBANFITS", "https://shop.example")]).await;
    let (username, email) = new_person();
    let (otp_id, code) = waiting(&world, &username, &email).await;
    let body = json!({"otp_id": otp_id, "otp": code}).to_string();
    // The body of a plain form: no preflight asks before it is sent.
    for origin in ["https://evil.example", "null"] {
        let headers = [("content-type", "text/plain"), ("origin", origin)];
        let reply = world.send("POST", CALLBACK, &headers, body.clone(), None).await;
        reply.expect(403, &no("This page may not send this request."));
        assert!(cookies(&reply).is_empty());
    }
    let headers = [("content-type", "application/json"), ("origin", "https://shop.example")];
    let reply = world.send("POST", CALLBACK, &headers, body, None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(cookies(&reply).len(), 2);
}

#[tokio::test]
async fn an_otp_id_of_another_contract_is_none() {
    let world = World::shared().await;
    let body = json!({"user_auth": {"mobile": "+85298765432", "address_attributes": {}}});
    let key = world.post("/api/v1/auth/signup", &body).await.json()["otp_auth_key"].clone();
    callback(world, key.as_str().unwrap(), "12345").await.expect(401, &no(EXPIRED));
    let (username, email) = new_person();
    let reply = world.post(SIGNUP, &signup_body(&username, &email)).await;
    let otp_id = otp_id(&reply, &email);
    let code = code(world, &email, 1).await;
    let body = json!({"otp_auth_key": otp_id, "pin": code});
    assert_eq!(world.post("/api/v1/auth/verify", &body).await.status, 422);
}

#[tokio::test]
async fn completing_a_sign_up_is_two_round_trips() {
    let world = World::with(&[]).await;
    // The first one warms up.
    let (username, email) = new_person();
    registered(&world, &username, &email).await;
    let (username, email) = new_person();
    let before = world.calls("urbanfits-signup-callback").await.len();
    registered(&world, &username, &email).await;
    let calls = world.calls("urbanfits-signup-callback").await.split_off(before);
    let calls: Vec<_> = calls.iter().map(|call| (&call["operation"], &call["resources"])).collect();
    let tables = json!(["Budgets", "Challenges", "Identifiers", "Ledger", "Outbox", "Users"]);
    assert_eq!(
        calls,
        [(&json!("UpdateItem"), &json!(["Challenges"])), (&json!("TransactWriteItems"), &tables)]
    );
}
