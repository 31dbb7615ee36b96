//! `POST /auth/signup` (contracts.md C.1).

use super::{
    SIGNUP, WRONG, callback, code, new_person, no, otp_id, registered, signup_body, waiting,
};
use acceptance::{NO_LIMITS, World, all};
use serde_json::{Value, json};

const PARAMETERS: &str = "All valid parameters required. Body Parameters: username, email, \
    phone_prefix, phone_number, password, accept_policies, timezone .";
const POLICIES: &str = "A user can't register without accepting our policies and terms of use.";
const TAKEN: &str = "This Email or Username already in use.";
const WAITING: &str = "You already have 'registration' session, try after 5 minutes.";

#[tokio::test]
async fn a_sign_up_waits_for_its_mailed_code_and_makes_nobody() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let typed = email.replace("fit", "Fit");
    let reply = world.post(SIGNUP, &signup_body(&username, &typed)).await;
    otp_id(&reply, &typed);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    let mail = world.message(&email, 1).await;
    assert_eq!((&mail["channel"], &mail["to"]), (&json!("email"), &json!(email)));
    let (text, html) = (mail["body"].as_str().unwrap(), mail["html"].as_str().unwrap());
    let code = code(world, &email, 1).await;
    assert!(code.len() == 5 && !code.starts_with('0') && html.contains(&code), "{text}");
    assert!(text.contains("5 minutes") && html.contains("<p>"));
    for table in ["Users", "Identifiers", "Ledger"] {
        for text in [&username, &email] {
            assert!(world.items_with(table, text).await.is_empty(), "{table}");
        }
    }
}

#[tokio::test]
async fn it_is_served_under_api_too() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let reply = world.post("/api/auth/signup", &signup_body(&username, &email)).await;
    let otp_id = otp_id(&reply, &email);
    let code = code(world, &email, 1).await;
    let body = json!({"otp_id": otp_id, "otp": code});
    let reply = world.post("/api/auth/signup/callback", &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn what_waits_is_whitelisted_hashed_and_not_named_by_its_otp_id() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let mut body = signup_body(&username, &email);
    for (name, value) in [
        ("role", json!("administrator")),
        ("is_active", json!(false)),
        ("uf_wallet", json!({"card_number": "1"})),
        ("two_fa_enabled", json!(true)),
        ("_id", json!("000000000000000000000000")),
        ("purchases", json!(77)),
        ("__v", json!(9)),
        ("$set", json!({"role": "administrator"})),
    ] {
        body[name] = value;
    }
    let otp_id = otp_id(&world.post(SIGNUP, &body).await, &email);
    let items = world.items_with("Challenges", &email).await;
    let stored = json!(items).to_string();
    for absent in
        ["administrator", "000000000000000000000000", "\"password\"", &otp_id, "purchases"]
    {
        assert!(!stored.contains(absent), "{absent} is stored: {stored}");
    }
    let pending = items.iter().find_map(|item| item.get("pending")).unwrap();
    assert!(
        pending["password_hash"].as_str().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    let reply = callback(world, &otp_id, &code(world, &email, 1).await).await;
    let user = &reply.json()["user"];
    let expected = json!({"role": "customer", "is_active": true, "two_fa_enabled": false, "purchases": 0, "__v": 0});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&user[name], value, "{name}");
    }
    assert_ne!(user["_id"], "000000000000000000000000");
    assert!(user["uf_wallet"]["card_number"].as_str().unwrap().starts_with("705"));
}

#[tokio::test]
async fn missing_empty_and_ill_typed_fields_are_one_refusal() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let body = signup_body(&username, &email);
    let fields = ["username", "email", "phone_prefix", "phone_number", "password", "timezone"];
    for field in fields {
        for bad in [Value::Null, json!(""), json!(5), json!([]), json!({"$gt": ""}), json!(true)] {
            let mut body = body.clone();
            body[field] = bad.clone();
            world.post(SIGNUP, &body).await.expect(400, &no(PARAMETERS));
        }
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(field);
        world.post(SIGNUP, &body).await.expect(400, &no(PARAMETERS));
    }
    for zone in ["Mars/Base", "Asia", "+04:00", "GMT+4", "Asia/Dubai "] {
        let mut body = body.clone();
        body["timezone"] = json!(zone);
        world.post(SIGNUP, &body).await.expect(400, &no(PARAMETERS));
    }
    let headers = [("content-type", "application/json")];
    for body in ["", "{", "[]", "null", "\"a\"", "username=a"] {
        let reply = world.send("POST", SIGNUP, &headers, body, None).await;
        reply.expect(400, &no(PARAMETERS));
    }
    assert!(world.items_with("Challenges", &email).await.is_empty());
}

#[tokio::test]
async fn broken_formats_are_named() {
    let world = World::shared().await;
    let (username, email) = new_person();
    for (field, bad, text) in [
        ("username", json!("abc"), "Username should have 4 to 30 characters."),
        ("username", json!("a".repeat(31)), "Username should have 4 to 30 characters."),
        (
            "username",
            json!("user 123"),
            "Username can have letters, digits, underscores, dots and hyphens only.",
        ),
        ("email", json!("example@domain"), "Email should be a valid email address."),
        ("email", json!("a\r\nBcc: b@c.de"), "Email should be a valid email address."),
        ("phone_prefix", json!("92"), "Phone prefix should be a country code such as +971."),
        ("phone_number", json!("30142353150x"), "Phone number should have 4 to 14 digits."),
        (
            "phone_number",
            json!("30142353150123"),
            "Phone number and prefix should have 15 digits at most.",
        ),
        ("password", json!("passwor"), "Password should be at least 8 characters."),
        ("password", json!("p".repeat(129)), "Password should be at most 128 characters."),
        ("password", json!("\u{1f600}".repeat(300)), "Password should be at most 128 characters."),
    ] {
        let mut body = signup_body(&username, &email);
        body[field] = bad;
        world.post(SIGNUP, &body).await.expect(400, &no(text));
    }
    let mut body = signup_body(&username, &email);
    body["password"] = json!("\u{1f600}".repeat(128));
    body["phone_number"] = json!("3014235315012");
    otp_id(&world.post(SIGNUP, &body).await, &email);
}

#[tokio::test]
async fn policies_must_be_accepted_with_a_plain_true_and_come_before_what_is_taken() {
    let world = World::shared().await;
    let (username, email) = new_person();
    registered(world, &username, &email).await;
    for bad in [json!(false), Value::Null, json!("true"), json!(1), json!([true])] {
        let mut body = signup_body(&username, &email);
        body["accept_policies"] = bad;
        world.post(SIGNUP, &body).await.expect(403, &no(POLICIES));
    }
    let mut body = signup_body(&username, &email);
    body.as_object_mut().unwrap().remove("accept_policies");
    world.post(SIGNUP, &body).await.expect(403, &no(POLICIES));
    body["password"] = json!("short");
    assert_eq!(world.post(SIGNUP, &body).await.status, 400, "formats come before policies");
}

#[tokio::test]
async fn taken_names_and_addresses_are_one_refusal_in_any_case_of_letters() {
    let world = World::shared().await;
    let (username, email) = new_person();
    registered(world, &username, &email).await;
    let (other_name, other_email) = new_person();
    for (username, email) in [
        (&username, &email),
        (&username.to_uppercase(), &other_email),
        (&other_name, &email.to_uppercase()),
    ] {
        let reply = world.post(SIGNUP, &signup_body(username, email)).await;
        reply.expect(409, &no(TAKEN));
    }
    // Nothing of it is kept, and the phone number is nobody's alone.
    waiting(world, &other_name, &other_email).await;
}

#[tokio::test]
async fn one_sign_up_of_an_address_waits_at_a_time() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let (first, code) = waiting(world, &username, &email).await;
    let (other_name, _) = new_person();
    for email in [email.clone(), email.to_uppercase()] {
        let reply = world.post(SIGNUP, &signup_body(&other_name, &email)).await;
        reply.expect(401, &no(WAITING));
    }
    assert_eq!(world.messages(&email).await.len(), 1);
    assert_eq!(callback(world, &first, &code).await.status, 200);
}

#[tokio::test]
async fn of_many_at_once_with_one_address_one_waits() {
    let world = World::with(&NO_LIMITS).await;
    let (_, email) = new_person();
    let bodies = (0..20).map(|number| signup_body(&format!("racer_{number}"), &email));
    let bodies: Vec<_> = bodies.collect();
    let replies = all(bodies.iter().map(|body| world.post(SIGNUP, body))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{replies:?}");
    world.settled(&email).await;
    assert_eq!(world.messages(&email).await.len(), 1);
}

#[tokio::test]
async fn an_ended_sign_up_is_out_of_the_way_while_its_item_is_there() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let (old, old_code) = waiting(world, &username, &email).await;
    for item in world.items_with("Challenges", &email).await {
        let update = json!({"TableName": "Challenges",
            "Key": {"challenge_id": {"S": item["challenge_id"]}},
            "UpdateExpression": "SET expires_at = :past",
            "ExpressionAttributeValues": {":past": {"N": "1000"}}});
        world.dynamodb("UpdateItem", &update).await;
    }
    let expired = no("The OTP has expired, please try again.");
    callback(world, &old, &old_code).await.expect(401, &expired);
    let new = otp_id(&world.post(SIGNUP, &signup_body(&username, &email)).await, &email);
    callback(world, &old, &old_code).await.expect(401, &expired);
    let new_code = code(world, &email, 2).await;
    assert_eq!(callback(world, &new, &new_code).await.status, 200);
}

#[tokio::test]
async fn a_burnt_code_makes_way_at_once_under_the_usual_limits() {
    let world = World::with(&[]).await;
    let (username, email) = new_person();
    let (burnt, right) = waiting(&world, &username, &email).await;
    for _ in 0..5 {
        callback(&world, &burnt, WRONG).await.expect(401, &no("The OTP is incorrect."));
    }
    for otp in [WRONG, &right] {
        let expired = no("The OTP has expired, please try again.");
        callback(&world, &burnt, otp).await.expect(401, &expired);
    }
    let again = otp_id(&world.post(SIGNUP, &signup_body(&username, &email)).await, &email);
    let reply = callback(&world, &again, &code(&world, &email, 2).await).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn an_address_gets_so_many_mails_in_an_hour() {
    let world = World::with(&[("OTP_SENDS_PER_HOUR", "2"), ("OTP_MAX_ATTEMPTS", "1")]).await;
    let (username, email) = new_person();
    for count in 1..=2 {
        let otp_id = otp_id(&world.post(SIGNUP, &signup_body(&username, &email)).await, &email);
        code(&world, &email, count).await;
        callback(&world, &otp_id, WRONG).await.expect(401, &no("The OTP is incorrect."));
    }
    let reply = world.post(SIGNUP, &signup_body(&username, &email)).await;
    reply.expect(429, &no("Too many requests, please try again later."));
    assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 3600);
}

#[tokio::test]
async fn refusals_that_tell_something_count_like_sign_ups() {
    let world = World::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "3")]).await;
    let (username, email) = new_person();
    let body = signup_body(&username, &email);
    otp_id(&world.post(SIGNUP, &body).await, &email);
    for _ in 0..2 {
        world.post(SIGNUP, &body).await.expect(401, &no(WAITING));
    }
    let reply = world.post(SIGNUP, &body).await;
    reply.expect(429, &no("Too many requests, please try again later."));
    assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 3600);
    let (username, email) = new_person();
    let reply = world.post(SIGNUP, &signup_body(&username, &email)).await;
    assert_eq!(reply.status, 429, "{reply:?}");
    assert!(world.items_with("Challenges", &email).await.is_empty());
}

#[tokio::test]
async fn wrong_methods_large_bodies_and_faults_are_answered_in_its_words() {
    let world = World::with(&NO_LIMITS).await;
    for (path, allowed) in [
        (SIGNUP, "POST"),
        ("/api/auth/signup", "POST"),
        ("/auth/signup/callback", "POST"),
        ("/auth/signup/verify-otp", "GET"),
    ] {
        let reply = world.send("DELETE", path, &[], "", None).await;
        reply.expect(405, &no(&format!("Method not allowed, Allowed methods: '{allowed}'")));
        assert_eq!(reply.header("allow"), allowed);
    }
    world.send("GET", "/auth/unknown", &[], "", None).await.expect(404, &no("Not found."));
    let large = json!({"username": "x".repeat(400_000)});
    world.post(SIGNUP, &large).await.expect(413, &no("The request body is too large."));
    let fault = json!({"service": "dynamodb", "mode": "error", "count": 100,
        "function": "urbanfits-signup"});
    world.fault(&fault).await;
    let (username, email) = new_person();
    let reply = world.post(SIGNUP, &signup_body(&username, &email)).await;
    let text = "Internal Server Error occurred, please try again in a while.";
    reply.expect(500, &no(text));
    world.heal().await;
    waiting(&world, &username, &email).await;
}

#[tokio::test]
async fn configured_origins_read_answers_with_cookies_and_others_do_not() {
    let env = [("ALLOWED_ORIGINS_URBANFITS", "https://shop.example,http://localhost:3000")];
    let world = World::with(&env).await;
    let (username, email) = new_person();
    let body = signup_body(&username, &email).to_string();
    let origin = |origin: &'static str| [("content-type", "application/json"), ("origin", origin)];
    let reply = world.send("POST", SIGNUP, &origin("https://shop.example"), body, None).await;
    otp_id(&reply, &email);
    assert_eq!(reply.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(reply.header("access-control-allow-credentials"), "true");
    assert_eq!(reply.header("vary"), "Origin");
    for other in ["https://evil.example", "https://shop.example.evil.example", "null"] {
        let reply = world.send("POST", SIGNUP, &origin(other), "{}", None).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.header("vary"), "Origin");
        for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
            assert_eq!(reply.header(name), "", "{other}");
        }
    }
    let ask = |origin: &'static str| {
        [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ]
    };
    let preflight = world.send("OPTIONS", SIGNUP, &ask("http://localhost:3000"), "", None).await;
    assert_eq!(preflight.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "http://localhost:3000"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "content-type"),
    ] {
        assert_eq!(preflight.header(name), value, "{name}");
    }
    let preflight = world.send("OPTIONS", SIGNUP, &ask("https://evil.example"), "", None).await;
    for name in ["access-control-allow-origin", "access-control-allow-methods"] {
        assert_eq!(preflight.header(name), "", "{name}");
    }
}
