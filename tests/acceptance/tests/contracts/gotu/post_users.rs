//! `POST /users` (contracts.md A.1, A.2, A.4).

use acceptance::{
    KNOWN_RING, NO_LIMITS, Reply, World, derived_code, new_email, new_phone, token_parts, user_id,
};
use latchkey::contracts::gotu;
use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use serde_json::{Value, json};

const CODE_REFUSED: &str = "invalid or expired otp code";

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_base32(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
}

/// Requires the documented session answer, to the key, and returns the claims.
#[track_caller]
fn assert_session(reply: &Reply, user_type: &str) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    let json = reply.json();
    let access = json["data"]["accessToken"].as_str().unwrap();
    let refresh = json["data"]["refreshToken"].as_str().unwrap();
    let shape = json!({"data": {"accessToken": access, "expiresIn": 900,
        "refreshToken": refresh, "tokenType": "Bearer"}});
    assert_eq!(reply.body, shape.to_string(), "the documented keys, and no other");
    assert!(is_base32(refresh, 52), "{refresh}");
    let (header, claims) = token_parts(access);
    let kid = header["kid"].as_str().unwrap();
    assert!(is_hex(kid, 8));
    assert_eq!(header, json!({"alg": "HS256", "typ": "JWT", "kid": kid}));
    let (sub, jti) = (claims["sub"].as_str().unwrap(), claims["jti"].as_str().unwrap());
    assert!(is_hex(sub, 24) && is_base32(jti, 20), "{claims}");
    assert!(!refresh.contains(jti), "the refresh token is unrelated to the jti");
    let issued = claims["iat"].as_i64().unwrap();
    let device = claims["deviceId"].as_u64().unwrap();
    assert!((1..1 << 31).contains(&device));
    assert_eq!(
        claims,
        json!({"iss": "auth-service", "sub": sub, "exp": issued.saturating_add(900), "nbf": issued,
            "iat": issued, "jti": jti, "id": sub, "userType": user_type, "isAdmin": false,
            "deviceId": device})
    );
    claims
}

#[tokio::test]
async fn a_phone_and_its_code_make_an_account() {
    let world = World::shared().await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let reply = world.sign_up_by_phone(&phone, &code).await;
    let claims = assert_session(&reply, "DNT");
    let id = claims["sub"].as_str().unwrap();
    let users = world.items_with("Users", id).await;
    assert_eq!((&users[0]["phone"], &users[0]["phone_verified"]), (&json!(phone), &json!(true)));
    assert_eq!(users[0]["attributes"], json!({"user_type": "DNT"}));
    assert_eq!(world.items_with("Identifiers", &phone).await[0]["user_id"], id);
    assert_eq!(world.items_with("Devices", id).await.len(), 1);
    assert_eq!(world.items_with("Sessions", id).await.len(), 1);
}

#[tokio::test]
async fn an_address_and_a_password_make_an_account() {
    let world = World::shared().await;
    let email = new_email();
    let reply = world.sign_up_by_email(&email.to_uppercase()).await;
    let claims = assert_session(&reply, "");
    let users = world.items_with("Users", claims["sub"].as_str().unwrap()).await;
    let user = &users[0];
    assert_eq!((&user["email"], &user["email_verified"]), (&json!(email), &json!(false)));
    assert_eq!(user["attributes"], json!({}));
    let hash = user["password_hash"].as_str().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[tokio::test]
async fn the_documented_examples_work() {
    let world = World::with(&NO_LIMITS).await;
    let email = json!({"email": "ivan+rdh+fl@joingotu.com", "id": "65b9fc0589526f00117cd4d2",
        "otpCode": "22222", "password": "password", "phoneNumber": "+6282243350992",
        "referralID": "65b9fc0589526f00117cd4d2", "source": "app", "type": "email",
        "userType": "HYG"});
    let claims = assert_session(&world.post("/users", &email).await, "HYG");
    assert_ne!(claims["sub"], "65b9fc0589526f00117cd4d2", "a client's id is ignored");
    let mut phone = email.clone();
    phone["type"] = json!("Phone");
    phone["otpCode"] = json!(world.code("+6282243350992", "sign_up", 1).await);
    let claims = assert_session(&world.post("/users", &phone).await, "HYG");
    let users = world.items_with("Users", claims["sub"].as_str().unwrap()).await;
    assert_eq!(
        users[0]["attributes"],
        json!({"user_type": "HYG", "referral_id": "65b9fc0589526f00117cd4d2", "source": "app"})
    );
    assert_eq!(users[0]["email"], Value::Null, "a field of the other flow is ignored");
}

#[tokio::test]
async fn both_events_are_published_in_order_and_as_their_schemas_say() {
    let world = World::shared().await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let body = json!({"type": "phone", "phoneNumber": phone, "otpCode": code, "userType": "HYG",
        "referralID": "65B9FC0589526F00117CD4D2", "source": "app"});
    let headers = [
        ("content-type", "application/json"),
        ("x-device-id", "installation-1"),
        ("x-device-token", "push-handle-1"),
        ("x-device-platform", "iOS"),
        ("x-device-model", "Phone 1"),
        ("x-app-version", "1.2.3"),
        ("user-agent", "gotu/1.2.3"),
    ];
    let reply = world.send("POST", "/users", &headers, body.to_string(), None).await;
    let claims = assert_session(&reply, "HYG");
    let id = claims["sub"].as_str().unwrap();
    let events = world.events(id, 2).await;
    assert_eq!(events.len(), 2);
    let detail = |index: usize| &events[index]["detail"];
    for (index, detail_type) in ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"].into_iter().enumerate() {
        assert_eq!(events[index]["source"], "auth-service");
        assert_eq!(events[index]["detailType"], detail_type);
        assert_eq!(detail(index)["sequence"], index + 1);
        assert_eq!(detail(index)["correlationId"], detail(0)["correlationId"]);
    }
    assert_ne!(detail(0)["eventId"], detail(1)["eventId"]);
    let created = &detail(0);
    assert_eq!(
        **created,
        json!({"schemaVersion": 1, "eventId": created["eventId"],
            "correlationId": created["correlationId"], "sequence": 1, "userId": id,
            "type": "phone", "userType": "HYG", "emailVerified": false, "phoneNumber": phone,
            "phoneVerified": true, "referralID": "65b9fc0589526f00117cd4d2", "source": "app",
            "createdAt": created["createdAt"]})
    );
    let device = &detail(1);
    assert_eq!(device["deviceId"], claims["deviceId"]);
    assert_eq!(
        (&device["platform"], &device["deviceToken"]),
        (&json!("ios"), &json!("push-handle-1"))
    );
    let stored = &world.items_with("Devices", id).await[0];
    assert_eq!(
        (&stored["push_handle"], &stored["client_device_id"], &stored["model"]),
        (&json!("push-handle-1"), &json!("installation-1"), &json!("Phone 1"))
    );
}

#[tokio::test]
async fn a_device_that_says_nothing_is_announced_too() {
    let world = World::shared().await;
    let reply = world.sign_up_by_email(&new_email()).await;
    let events = world.events(&user_id(&reply), 2).await;
    assert_eq!(events[1]["detail"]["deviceToken"], Value::Null);
    assert_eq!(events[0]["detail"]["userType"], Value::Null);
}

#[tokio::test]
async fn bad_requests_are_named_and_store_nothing() {
    let world = World::with(&NO_LIMITS).await;
    let phone = |field: &str, value: Value| {
        let mut body = json!({"type": "phone", "phoneNumber": "+6282243350992",
            "otpCode": "22222", "userType": "DNT"});
        body[field] = value;
        body
    };
    let email = |field: &str, value: Value| {
        let mut body = json!({"type": "email", "email": "a@example.com", "password": "password"});
        body[field] = value;
        body
    };
    let e164 = "phoneNumber must be a phone number in E.164 format";
    let digits = "otpCode must be 4 to 8 digits";
    let user_type = "userType must be DNT or HYG";
    let address = "email must be a valid email address";
    let cases = [
        (json!({}), "type is required"),
        (json!({"phoneNumber": "+6282243350992", "email": "a@example.com"}), "type is required"),
        (phone("type", json!("fax")), "type must be phone or email"),
        (phone("type", json!(1)), "type must be a string"),
        (phone("phoneNumber", Value::Null), "phoneNumber is required"),
        (phone("phoneNumber", json!("")), "phoneNumber is required"),
        (phone("phoneNumber", json!(62)), "phoneNumber must be a string"),
        (phone("phoneNumber", json!("082243350992")), e164),
        (phone("phoneNumber", json!("+62-822")), e164),
        (phone("otpCode", Value::Null), "otpCode is required"),
        (phone("otpCode", json!(22222)), "otpCode must be a string"),
        (phone("otpCode", json!("abcde")), digits),
        (phone("otpCode", json!("123")), digits),
        (phone("otpCode", json!("123456789")), digits),
        (phone("otpCode", json!("２２２２２")), digits),
        (phone("userType", Value::Null), "userType is required"),
        (phone("userType", json!("ADM")), user_type),
        (phone("userType", json!("dnt")), user_type),
        (phone("userType", json!(true)), "userType must be a string"),
        (phone("source", json!("x".repeat(65))), "source must be at most 64 characters"),
        (phone("source", json!({})), "source must be a string"),
        (email("email", Value::Null), "email is required"),
        (email("email", json!(["a@example.com"])), "email must be a string"),
        (email("email", json!("a@example")), address),
        (email("email", json!("a b@example.com")), address),
        (email("email", json!("a@example.com\r\nBcc: b@example.com")), address),
        (email("password", Value::Null), "password is required"),
        (email("password", json!(12_345_678)), "password must be a string"),
        (email("password", json!("1234567")), "password must be at least 8 characters"),
        (email("password", json!("ééééééé")), "password must be at least 8 characters"),
        (email("password", json!("x".repeat(1025))), "password must be at most 1024 bytes"),
        (email("userType", json!("XXX")), user_type),
    ];
    for (body, text) in cases {
        world.post("/users", &body).await.expect(400, &json!({"error": text}));
    }
    world
        .post("/users", &email("userType", json!("ADM")))
        .await
        .expect(403, &json!({"error": "forbidden"}));
    for body in ["", "null", "[]", "\"x\"", "{\"type\":", "{} {}"] {
        let reply = world.send("POST", "/users", &[], body, None).await;
        reply.expect(400, &json!({"error": "invalid request body"}));
    }
    for size in [16 * 1024, 400 * 1024] {
        let large = email("source", json!("x".repeat(size)));
        world.post("/users", &large).await.expect(413, &json!({"error": "request body too large"}));
    }
    let headers = [("content-type", "application/json"), ("x-device-platform", "toaster")];
    let body = email("source", json!("app")).to_string();
    let reply = world.send("POST", "/users", &headers, body.clone(), None).await;
    reply.expect(400, &json!({"error": "X-Device-Platform must be ios, android or web"}));
    let long = "x".repeat(4097);
    let headers = [("content-type", "application/json"), ("x-device-token", long.as_str())];
    let reply = world.send("POST", "/users", &headers, body, None).await;
    reply.expect(400, &json!({"error": "X-Device-Token must be at most 4096 bytes"}));
    for table in ["Users", "Identifiers", "Devices", "Sessions", "Outbox", "Challenges"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn without_a_type_the_one_identifier_tells_the_flow() {
    let world = World::shared().await;
    let (phone, email) = (new_phone(), new_email());
    let body = json!({"email": email, "password": "correct horse", "phoneNumber": ""});
    let reply = world.post("/users", &body).await;
    assert_session(&reply, "");
    let code = world.code(&phone, "sign_up", 1).await;
    let body = json!({"phoneNumber": phone, "otpCode": code, "userType": "DNT"});
    assert_session(&world.post("/users", &body).await, "DNT");
}

#[tokio::test]
async fn a_referral_that_is_no_id_is_dropped() {
    let world = World::shared().await;
    for referral in [json!("my friend"), json!(7), Value::Null] {
        let body = json!({"type": "email", "email": new_email(), "password": "correct horse",
            "referralID": referral});
        let reply = world.post("/users", &body).await;
        let users = world.items_with("Users", &user_id(&reply)).await;
        assert_eq!(users[0]["attributes"], json!({}));
    }
}

#[tokio::test]
async fn a_taken_address_is_refused_in_any_case_of_letters() {
    let world = World::shared().await;
    let email = new_email();
    assert_eq!(world.sign_up_by_email(&email).await.status, 200);
    for again in [email.clone(), email.to_uppercase()] {
        let reply = world.sign_up_by_email(&again).await;
        reply.expect(400, &json!({"error": "email already registered"}));
    }
    assert_eq!(world.items_with("Users", &email).await.len(), 1);
}

#[tokio::test]
async fn a_taken_phone_is_told_to_its_owner_alone_and_costs_no_code() {
    let world = World::shared().await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let identifier = format!("gotu#phone#{phone}");
    let item = json!({"identifier": {"S": identifier}, "user_id": {"S": "somebody"}});
    world.dynamodb("PutItem", &json!({"TableName": "Identifiers", "Item": item})).await;
    let wrong = if code == "00000" { "11111" } else { "00000" };
    world.sign_up_by_phone(&phone, wrong).await.expect(401, &json!({"error": CODE_REFUSED}));
    let taken = json!({"error": "phone number already registered"});
    world.sign_up_by_phone(&phone, &code).await.expect(400, &taken);
    let key = json!({"identifier": {"S": identifier}});
    world.dynamodb("DeleteItem", &json!({"TableName": "Identifiers", "Key": key})).await;
    assert_session(&world.sign_up_by_phone(&phone, &code).await, "DNT");
}

#[tokio::test]
async fn an_identifier_that_has_expired_is_free() {
    let world = World::shared().await;
    let email = new_email();
    let item = json!({"identifier": {"S": format!("gotu#email#{email}")},
        "user_id": {"S": "somebody"}, "expires_at": {"N": "1000"}});
    world.dynamodb("PutItem", &json!({"TableName": "Identifiers", "Item": item})).await;
    assert_session(&world.sign_up_by_email(&email).await, "");
}

#[tokio::test]
async fn one_text_says_no_to_every_bad_code() {
    let world = World::shared().await;
    let (never_sent, other_purpose, exhausted, used) =
        (new_phone(), new_phone(), new_phone(), new_phone());
    let refused = json!({"error": CODE_REFUSED});
    world.sign_up_by_phone(&never_sent, "12345").await.expect(401, &refused);
    let code = world.code(&other_purpose, "change_phone", 1).await;
    world.sign_up_by_phone(&other_purpose, &code).await.expect(401, &refused);
    let code = world.code(&exhausted, "sign_up", 1).await;
    for guess in ["1234", "123456", "12345678", "999999", "0000"] {
        world.sign_up_by_phone(&exhausted, guess).await.expect(401, &refused);
    }
    world.sign_up_by_phone(&exhausted, &code).await.expect(401, &refused);
    let code = world.code(&used, "sign_up", 1).await;
    assert_eq!(world.sign_up_by_phone(&used, &code).await.status, 200);
    world.sign_up_by_phone(&used, &code).await.expect(401, &refused);
}

#[tokio::test]
async fn a_code_that_was_not_sent_signs_nobody_up() {
    let mut env = NO_LIMITS.to_vec();
    env.extend([("OTP_KEY_RING", KNOWN_RING), ("SMS_COUNTRIES", "+62")]);
    let world = World::with(&env).await;
    for (phone, status) in [("+6282243350992", 200), ("+85251224538", 401)] {
        let body = json!({"identifier": phone, "otpType": "sign_up"});
        assert_eq!(world.post("/otp", &body).await.status, 204);
        let item = world.items_with("Challenges", phone).await.remove(0);
        let recipient = Identifier::from_parts("phone", phone).unwrap();
        let key = ChallengeKey { realm: gotu::realm(), purpose: Purpose::SignUp, recipient };
        let code = derived_code(key, &item, gotu::PROFILE.code_format).await;
        let reply = world.sign_up_by_phone(phone, &code).await;
        assert_eq!(reply.status, status, "{phone}: {reply:?}");
    }
    assert_eq!(world.items("Users").await.len(), 1);
}

#[tokio::test]
async fn wrong_guesses_of_one_address_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let world = World::with(&env).await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    for _ in 0..3 {
        let reply = world.sign_up_by_phone(&new_phone(), "12345").await;
        reply.expect(401, &json!({"error": CODE_REFUSED}));
    }
    for (phone, code) in [(&new_phone(), "12345"), (&phone, code.as_str())] {
        let reply = world.sign_up_by_phone(phone, code).await;
        reply.expect(429, &json!({"error": "too many requests"}));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 3600);
    }
    assert!(world.items("Users").await.is_empty());
}

#[tokio::test]
async fn sign_ups_by_mail_count_for_their_address() {
    let world = World::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "2")]).await;
    for _ in 0..2 {
        assert_eq!(world.sign_up_by_email(&new_email()).await.status, 200);
    }
    let reply = world.sign_up_by_email(&new_email()).await;
    reply.expect(429, &json!({"error": "too many requests"}));
    assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 3600);
    assert_eq!(world.items("Users").await.len(), 2);
}

#[tokio::test]
async fn asking_who_is_registered_costs_as_much_as_a_sign_up() {
    let world = World::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "3")]).await;
    let email = new_email();
    assert_eq!(world.sign_up_by_email(&email).await.status, 200);
    let taken = json!({"error": "email already registered"});
    for _ in 0..2 {
        world.sign_up_by_email(&email).await.expect(400, &taken);
    }
    for email in [email, new_email()] {
        let reply = world.sign_up_by_email(&email).await;
        reply.expect(429, &json!({"error": "too many requests"}));
    }
}
