//! `POST /users`.

use acceptance::gotu::{CODE_REFUSED, error, user_id};
use acceptance::tokens::is_hex;
use acceptance::{
    KNOWN_RING, NO_LIMITS, Reply, TestStack, derived_code, gotu, new_email, new_phone, other_than,
    token_parts, without_limits,
};
use latchkey::contracts::gotu as contract;
use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use serde_json::{Value, json};

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
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let reply = gotu(stack).sign_up_by_phone(&phone, &code).await;
    let claims = assert_session(&reply, "DNT");
    let id = claims["sub"].as_str().unwrap();
    let users = stack.items_with("Users", id).await;
    assert_eq!((&users[0]["phone"], &users[0]["phone_verified"]), (&json!(phone), &json!(true)));
    assert_eq!(users[0]["attributes"], json!({"user_type": "DNT"}));
    assert_eq!(stack.items_with("Identifiers", &phone).await[0]["user_id"], id);
    assert_eq!(stack.items_with("Devices", id).await.len(), 1);
    assert_eq!(stack.items_with("Sessions", id).await.len(), 1);
}

#[tokio::test]
async fn an_address_and_a_password_make_an_account() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let reply = gotu(stack).sign_up_by_email(&email.to_uppercase()).await;
    let claims = assert_session(&reply, "");
    let users = stack.items_with("Users", claims["sub"].as_str().unwrap()).await;
    let user = &users[0];
    assert_eq!((&user["email"], &user["email_verified"]), (&json!(email), &json!(false)));
    assert_eq!(user["attributes"], json!({}));
    let hash = user["password_hash"].as_str().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[tokio::test]
async fn the_documented_examples_work() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let email = json!({"email": "ivan+rdh+fl@joingotu.com", "id": "65b9fc0589526f00117cd4d2",
        "otpCode": "22222", "password": "password", "phoneNumber": "+6282243350992",
        "referralID": "65b9fc0589526f00117cd4d2", "source": "app", "type": "email",
        "userType": "HYG"});
    let claims = assert_session(&gotu(stack).sign_up(&email).await, "HYG");
    assert_ne!(claims["sub"], "65b9fc0589526f00117cd4d2", "a client's id is ignored");
    let mut phone = email.clone();
    phone["type"] = json!("Phone");
    phone["otpCode"] = json!(gotu(stack).code("+6282243350992", "sign_up", 1).await);
    let claims = assert_session(&gotu(stack).sign_up(&phone).await, "HYG");
    let users = stack.items_with("Users", claims["sub"].as_str().unwrap()).await;
    assert_eq!(
        users[0]["attributes"],
        json!({"user_type": "HYG", "referral_id": "65b9fc0589526f00117cd4d2", "source": "app"})
    );
    assert_eq!(users[0]["email"], Value::Null, "a field of the other flow is ignored");
}

#[tokio::test]
async fn both_events_are_published_in_order_and_as_their_schemas_say() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let body = json!({"type": "phone", "phoneNumber": phone, "otpCode": code, "userType": "HYG",
        "referralID": "65B9FC0589526F00117CD4D2", "source": "app"});
    let headers = [
        ("x-device-id", "installation-1"),
        ("x-device-token", "push-handle-1"),
        ("x-device-platform", "iOS"),
        ("x-device-model", "小米 14"),
        ("x-app-version", "1.2.3"),
        ("user-agent", "gotu/1.2.3"),
    ];
    let reply = gotu(stack).sign_up(&body).headers(&headers).await;
    let claims = assert_session(&reply, "HYG");
    let id = claims["sub"].as_str().unwrap();
    let events = stack.events(id, 2).await;
    assert_eq!(events.len(), 2);
    let detail = |index: usize| &events[index]["detail"];
    for (index, detail_type) in ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"].into_iter().enumerate() {
        assert_eq!(events[index]["source"], "auth-service");
        assert_eq!(events[index]["detailType"], detail_type);
        assert_eq!(detail(index)["sequence"], index + 1);
        assert_eq!(detail(index)["correlationId"], detail(0)["correlationId"]);
    }
    assert_ne!(detail(0)["eventId"], detail(1)["eventId"]);
    let created = detail(0);
    assert_eq!(
        *created,
        json!({"schemaVersion": 1, "eventId": created["eventId"],
            "correlationId": created["correlationId"], "sequence": 1,
            "userVersion": created["userVersion"], "userId": id, "type": "phone", "userType": "HYG", "emailVerified": false, "phoneNumber": phone,
            "phoneVerified": true, "referralID": "65b9fc0589526f00117cd4d2", "source": "app",
            "createdAt": created["createdAt"]})
    );
    let device = detail(1);
    assert_eq!(device["causedBy"], created["eventId"]);
    let version = |detail: &Value| detail["userVersion"].as_u64().unwrap();
    assert_eq!(version(device), version(created) + 1);
    assert_eq!(device["deviceId"], claims["deviceId"]);
    assert_eq!(
        (&device["platform"], &device["deviceToken"]),
        (&json!("ios"), &json!("push-handle-1"))
    );
    let stored = &stack.items_with("Devices", id).await[0];
    assert_eq!(
        (&stored["push_handle"], &stored["client_device_id"], &stored["model"]),
        (&json!("push-handle-1"), &json!("installation-1"), &json!("小米 14"))
    );
}

#[tokio::test]
async fn a_device_without_headers_is_announced_too() {
    let stack = TestStack::shared().await;
    let reply = gotu(stack).sign_up_by_email(&new_email()).await;
    let events = stack.events(&user_id(&reply), 2).await;
    assert_eq!(events[1]["detail"]["deviceToken"], Value::Null);
    assert_eq!(events[0]["detail"]["userType"], Value::Null);
}

#[tokio::test]
async fn bad_requests_are_named_and_store_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
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
        (email("email", json!("a@1.2.3.4")), address),
        (email("email", json!("a@x_y.com")), address),
        (email("email", json!("a@example.com\r\nBcc: b@example.com")), address),
        (email("password", Value::Null), "password is required"),
        (email("password", json!(12_345_678)), "password must be a string"),
        (email("password", json!("1234567")), "password must be at least 8 characters"),
        (email("password", json!("ééééééé")), "password must be at least 8 characters"),
        (email("password", json!("x".repeat(1025))), "password must be at most 1024 bytes"),
        (email("password", json!("12345678")), "password is too common"),
        (email("password", json!("Password")), "password is too common"),
        (email("userType", json!("XXX")), user_type),
    ];
    for (body, text) in cases {
        gotu(stack).sign_up(&body).await.expect(400, &error(text));
    }
    let administrator = gotu(stack).sign_up(&email("userType", json!("ADM"))).await;
    administrator.expect(403, &error("forbidden"));
    for body in ["", "null", "[]", r#""x""#, r#"{"type":"#, "{} {}"] {
        let reply = stack.call("gotu-post-users").body(body).await;
        reply.expect(400, &error("invalid request body"));
    }
    for size in [16 * 1024, 400 * 1024] {
        let large = email("source", json!("x".repeat(size)));
        gotu(stack).sign_up(&large).await.expect(413, &error("request body too large"));
    }
    let body = email("source", json!("app"));
    let reply = gotu(stack).sign_up(&body).header("x-device-platform", "toaster").await;
    reply.expect(400, &error("X-Device-Platform must be ios, android or web"));
    let reply = gotu(stack).sign_up(&body).header("x-device-token", "x".repeat(4097)).await;
    reply.expect(400, &error("X-Device-Token must be at most 4096 bytes"));
    for table in ["Users", "Identifiers", "Devices", "Sessions", "Outbox", "Challenges"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn without_a_type_the_only_identifier_chooses_the_flow() {
    let stack = TestStack::shared().await;
    let (phone, email) = (new_phone(), new_email());
    let body = json!({"email": email, "password": "correct horse", "phoneNumber": ""});
    let reply = gotu(stack).sign_up(&body).await;
    assert_session(&reply, "");
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let body = json!({"phoneNumber": phone, "otpCode": code, "userType": "DNT"});
    assert_session(&gotu(stack).sign_up(&body).await, "DNT");
}

#[tokio::test]
async fn a_referral_that_is_not_an_id_is_dropped() {
    let stack = TestStack::shared().await;
    for referral in [json!("my friend"), json!(7), Value::Null] {
        let body = json!({"type": "email", "email": new_email(), "password": "correct horse",
            "referralID": referral});
        let reply = gotu(stack).sign_up(&body).await;
        let users = stack.items_with("Users", &user_id(&reply)).await;
        assert_eq!(users[0]["attributes"], json!({}));
    }
}

#[tokio::test]
async fn a_taken_address_is_refused_in_any_case_of_letters() {
    let stack = TestStack::shared().await;
    let email = new_email();
    assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 200);
    for again in [email.clone(), email.to_uppercase()] {
        let reply = gotu(stack).sign_up_by_email(&again).await;
        reply.expect(400, &error("email already registered"));
    }
    assert_eq!(stack.items_with("Users", &email).await.len(), 1);
}

#[tokio::test]
async fn only_the_owner_of_a_taken_phone_learns_that_it_is_taken_and_keeps_the_code() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let identifier = format!("gotu#phone#{phone}");
    let item = json!({"identifier": {"S": identifier}, "user_id": {"S": "another"}});
    stack.put("Identifiers", &item).await;
    let wrong = &other_than(&code);
    gotu(stack).sign_up_by_phone(&phone, wrong).await.expect(401, &error(CODE_REFUSED));
    let taken = error("phone number already registered");
    gotu(stack).sign_up_by_phone(&phone, &code).await.expect(400, &taken);
    stack.delete("Identifiers", "identifier", identifier).await;
    assert_session(&gotu(stack).sign_up_by_phone(&phone, &code).await, "DNT");
}

#[tokio::test]
async fn an_identifier_that_has_expired_is_free() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let item = json!({"identifier": {"S": format!("gotu#email#{email}")},
        "user_id": {"S": "another"}, "expires_at": {"N": "1000"}});
    stack.put("Identifiers", &item).await;
    assert_session(&gotu(stack).sign_up_by_email(&email).await, "");
}

#[tokio::test]
async fn every_bad_code_is_refused_with_the_same_text() {
    let stack = TestStack::shared().await;
    let (never_sent, other_purpose, exhausted, used) =
        (new_phone(), new_phone(), new_phone(), new_phone());
    let refused = error(CODE_REFUSED);
    gotu(stack).sign_up_by_phone(&never_sent, "12345").await.expect(401, &refused);
    let code = gotu(stack).code(&other_purpose, "change_phone", 1).await;
    gotu(stack).sign_up_by_phone(&other_purpose, &code).await.expect(401, &refused);
    let code = gotu(stack).code(&exhausted, "sign_up", 1).await;
    for guess in ["1234", "123456", "12345678", "999999", "0000"] {
        gotu(stack).sign_up_by_phone(&exhausted, guess).await.expect(401, &refused);
    }
    gotu(stack).sign_up_by_phone(&exhausted, &code).await.expect(401, &refused);
    let code = gotu(stack).code(&used, "sign_up", 1).await;
    assert_eq!(gotu(stack).sign_up_by_phone(&used, &code).await.status, 200);
    gotu(stack).sign_up_by_phone(&used, &code).await.expect(401, &refused);
}

#[tokio::test]
async fn a_code_that_was_not_sent_signs_no_user_up() {
    let env = without_limits(&[("OTP_KEY_RING", KNOWN_RING), ("SMS_COUNTRIES", "+62")]);
    let stack = &TestStack::with(&env).await;
    for (phone, status) in [("+6282243350992", 200), ("+85251224538", 401)] {
        assert_eq!(gotu(stack).ask_for_code(phone, "sign_up").await.status, 204);
        let item = stack.items_with("Challenges", phone).await.remove(0);
        let recipient = Identifier::from_parts("phone", phone).unwrap();
        let key = ChallengeKey::new(contract::realm(), Purpose::SignUp, recipient);
        let code = derived_code(key, &item, contract::PROFILE.code_format).await;
        let reply = gotu(stack).sign_up_by_phone(phone, &code).await;
        assert_eq!(reply.status, status, "{phone}: {reply:?}");
    }
    assert_eq!(stack.items("Users").await.len(), 1);
}

#[tokio::test]
async fn a_source_without_guesses_may_try_the_code_that_it_asked_for_once() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let stack = &TestStack::with(&env).await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    for _ in 0..3 {
        let reply = gotu(stack).sign_up_by_phone(&new_phone(), "12345").await;
        reply.expect(401, &error(CODE_REFUSED));
    }
    let reply = gotu(stack).sign_up_by_phone(&new_phone(), "12345").await;
    reply.expect(429, &error("too many requests"));
    reply.expect_wait(3600);
    assert_eq!(gotu(stack).sign_up_by_phone(&phone, &code).await.status, 200);
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    for code in [&other_than(&code), &code] {
        let reply = gotu(stack).sign_up_by_phone(&phone, code).await;
        reply.expect(429, &error("too many requests"));
    }
    assert_eq!(stack.items("Users").await.len(), 1);
}

#[tokio::test]
async fn sign_ups_by_mail_count_for_their_source() {
    let stack = &TestStack::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "2")]).await;
    for _ in 0..2 {
        assert_eq!(gotu(stack).sign_up_by_email(&new_email()).await.status, 200);
    }
    let reply = gotu(stack).sign_up_by_email(&new_email()).await;
    reply.expect(429, &error("too many requests"));
    reply.expect_wait(3600);
    assert_eq!(stack.items("Users").await.len(), 2);
}

#[tokio::test]
async fn finding_out_who_is_registered_costs_as_much_as_a_sign_up() {
    let stack = &TestStack::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "3")]).await;
    let email = new_email();
    assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 200);
    let taken = error("email already registered");
    for _ in 0..2 {
        gotu(stack).sign_up_by_email(&email).await.expect(400, &taken);
    }
    for email in [email, new_email()] {
        let reply = gotu(stack).sign_up_by_email(&email).await;
        reply.expect(429, &error("too many requests"));
    }
}
