//! `POST /otp` (contracts.md A.3).

use acceptance::{NO_LIMITS, Reply, World, all, code_in, new_email, new_phone, user_id};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const TYPES: [&str; 4] = ["login", "change_phone", "reset_password", "sign_up"];

async fn ask(world: &World, identifier: &str, otp_type: &str) -> Reply {
    world.post("/otp", &json!({"identifier": identifier, "otpType": otp_type})).await
}

#[tokio::test]
async fn a_code_goes_to_a_phone_by_sms() {
    let world = World::shared().await;
    let phone = new_phone();
    let reply = ask(world, &phone, "sign_up").await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(reply.header("cache-control"), "no-store");
    let message = world.message(&phone, 1).await;
    assert_eq!((&message["channel"], &message["to"]), (&json!("sms"), &json!(phone)));
    assert_eq!((&message["subject"], &message["html"]), (&Value::Null, &Value::Null));
    let body = message["body"].as_str().unwrap();
    let code = code_in(body);
    assert!(code.len() == 5 && body.starts_with(&code), "{body}");
    assert_eq!(
        body.replace(&code, "#####"),
        "##### is your Gotu code to sign up. It works for 5 minutes. Not you? Ignore this message."
    );
}

#[tokio::test]
async fn a_code_goes_to_an_address_by_mail_in_lower_case() {
    let world = World::shared().await;
    let email = new_email();
    assert_eq!(ask(world, &email.to_uppercase(), "sign_up").await.status, 204);
    let message = world.message(&email, 1).await;
    assert_eq!((&message["channel"], &message["to"]), (&json!("email"), &json!(email)));
    assert_eq!(message["subject"], "Your Gotu code to sign up");
    let code = code_in(message["body"].as_str().unwrap());
    assert!(message["html"].as_str().unwrap().contains(&code));
}

#[tokio::test]
async fn each_type_serves_registered_or_unregistered_identifiers_only() {
    let world = World::shared().await;
    let (stranger, known) = (new_phone(), new_phone());
    let code = world.code(&known, "sign_up", 1).await;
    assert_eq!(world.sign_up_by_phone(&known, &code).await.status, 200);
    for otp_type in TYPES {
        for phone in [&stranger, &known] {
            let reply = ask(world, phone, otp_type).await;
            assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{otp_type} {phone}");
        }
    }
    for phone in [&stranger, &known] {
        world.settled(phone).await;
    }
    let got = async |phone| -> Vec<String> {
        let messages = world.messages(phone).await;
        let bodies = messages.iter().map(|message| message["body"].as_str().unwrap());
        bodies.map(|body| body.split(". It works").next().unwrap()[6..].to_owned()).collect()
    };
    let mut to_stranger = got(&stranger).await;
    let mut to_known = got(&known).await;
    to_stranger.sort();
    to_known.sort();
    let text = |aim: &str| format!("is your Gotu code to {aim}");
    assert_eq!(to_stranger, [text("confirm your phone number"), text("sign up")]);
    assert_eq!(to_known, [text("set a new password"), text("sign in"), text("sign up")]);
}

#[tokio::test]
async fn registered_and_unregistered_cost_the_same() {
    let world = World::with(&NO_LIMITS).await;
    let (stranger, known) = (new_phone(), new_phone());
    let code = world.code(&known, "sign_up", 1).await;
    assert_eq!(world.sign_up_by_phone(&known, &code).await.status, 200);
    world.settled(&known).await;
    let mut costs = Vec::new();
    // Twice each, so that both are sent to an existing and to a new challenge.
    for phone in [&known, &stranger, &known, &stranger] {
        let before = world.calls("gotu-post-otp").await.len();
        let reply = ask(&world, phone, "login").await;
        let calls = world.calls("gotu-post-otp").await.split_off(before);
        let cost: Vec<Value> = calls
            .iter()
            .map(|call| {
                json!([call["operation"], call["resources"], call["status"], call["units"]])
            })
            .collect();
        costs.push((reply.status, reply.body, cost));
    }
    assert_eq!(costs[0].2.len(), 2, "one read, one transaction: {:?}", costs[0]);
    assert_eq!((&costs[0], &costs[2]), (&costs[1], &costs[3]));
    world.settled(&stranger).await;
    assert!(world.messages(&stranger).await.is_empty());
}

#[tokio::test]
async fn bad_requests_are_named_and_store_nothing() {
    let world = World::with(&NO_LIMITS).await;
    let identifier = "identifier must be an email address or a phone number in E.164 format";
    let types = "otpType must be one of login, change_phone, reset_password, sign_up";
    let phone = "+6282243350992";
    let cases = [
        (json!({}), "identifier is required"),
        (json!({"identifier": null, "otpType": "login"}), "identifier is required"),
        (json!({"identifier": "", "otpType": "login"}), "identifier is required"),
        (json!({"identifier": 628_224, "otpType": "login"}), "identifier must be a string"),
        (json!({"identifier": "6282243350992", "otpType": "login"}), identifier),
        (json!({"identifier": "+0282243350992", "otpType": "login"}), identifier),
        (json!({"identifier": "+62 82243350992", "otpType": "login"}), identifier),
        (json!({"identifier": "+1234567890123456", "otpType": "login"}), identifier),
        (
            json!({"identifier": "a@b", "otpType": "login"}),
            "identifier must be a valid email address",
        ),
        (json!({"identifier": phone}), "otpType is required"),
        (json!({"identifier": phone, "otpType": 1}), "otpType must be a string"),
        (json!({"identifier": phone, "otpType": "other"}), types),
        (json!({"identifier": phone, "otpType": "SIGN_UP"}), types),
        (json!({"identifier": phone, "otpType": "payment_method_add"}), types),
    ];
    for (body, text) in cases {
        let reply = world.post("/otp", &body).await;
        reply.expect(400, &json!({"error": text}));
        assert_eq!(reply.header("content-type"), "application/json");
    }
    for body in ["", "null", "[]", "7", "{", "{\"identifier\":\"+6282243350992\"", "\u{1}"] {
        let reply = world.send("POST", "/otp", &[], body, None).await;
        reply.expect(400, &json!({"error": "invalid request body"}));
    }
    let large = json!({"identifier": phone, "otpType": "login", "x": "x".repeat(16 * 1024)});
    world.post("/otp", &large).await.expect(413, &json!({"error": "request body too large"}));
    for table in ["Challenges", "Budgets", "Outbox"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn a_body_is_read_whatever_its_content_type() {
    let world = World::shared().await;
    let body = json!({"identifier": new_phone(), "otpType": "sign_up"}).to_string();
    for kind in
        ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
    {
        let headers = [("content-type", kind)];
        let reply = world.send("POST", "/otp", &headers, body.clone(), None).await;
        assert_eq!(reply.status, 204, "{kind}: {reply:?}");
    }
}

fn assert_throttled(reply: &Reply, most_seconds: u32) {
    reply.expect(429, &json!({"error": "too many requests"}));
    let wait: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=most_seconds).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_second_code_waits_for_the_pause_whoever_asks() {
    let world = World::with(&[]).await;
    let (stranger, known) = (new_phone(), new_phone());
    let code = world.code(&known, "sign_up", 1).await;
    assert_eq!(world.sign_up_by_phone(&known, &code).await.status, 200);
    for phone in [&stranger, &known] {
        assert_eq!(ask(&world, phone, "login").await.status, 204);
        assert_throttled(&ask(&world, phone, "login").await, 60);
    }
    // Another purpose is another code.
    assert_eq!(ask(&world, &stranger, "sign_up").await.status, 204);
}

#[tokio::test]
async fn a_recipient_gets_so_many_codes_an_hour() {
    let env = [("OTP_RESEND_SECONDS", "0"), ("OTP_SENDS_PER_HOUR", "2")];
    let world = World::with(&env).await;
    let phone = new_phone();
    for _ in 0..2 {
        assert_eq!(ask(&world, &phone, "sign_up").await.status, 204);
    }
    assert_throttled(&ask(&world, &phone, "sign_up").await, 3600);
    assert_eq!(ask(&world, &new_phone(), "sign_up").await.status, 204);
}

#[tokio::test]
async fn a_recipient_gets_so_many_codes_a_day_and_success_starts_anew() {
    let env = [("OTP_RESEND_SECONDS", "0"), ("OTP_SENDS_PER_DAY", "2")];
    let world = World::with(&env).await;
    let phone = new_phone();
    world.code(&phone, "sign_up", 1).await;
    let code = world.code(&phone, "sign_up", 2).await;
    assert_throttled(&ask(&world, &phone, "sign_up").await, 86_400);
    assert_eq!(world.sign_up_by_phone(&phone, &code).await.status, 200);
    assert_eq!(ask(&world, &phone, "sign_up").await.status, 204);
}

#[tokio::test]
async fn an_address_gets_so_many_codes_an_hour() {
    let world = World::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "3")]).await;
    let here = Some(Ipv4Addr::new(127, 0, 0, 2));
    let ask_from = async |from, forwarded| {
        let body = json!({"identifier": new_phone(), "otpType": "sign_up"}).to_string();
        let headers = [("content-type", "application/json"), ("x-forwarded-for", forwarded)];
        world.send("POST", "/otp", &headers, body, from).await
    };
    for client in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
        assert_eq!(ask_from(here, client).await.status, 204);
    }
    // A header does not make another source.
    assert_throttled(&ask_from(here, "10.0.0.4").await, 3600);
    assert_eq!(ask_from(Some(Ipv4Addr::new(127, 0, 0, 3)), "10.0.0.4").await.status, 204);
}

#[tokio::test]
async fn racing_requests_send_one_code_within_the_pause() {
    let world = World::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "0")]).await;
    let phone = new_phone();
    let replies = all((0..20).map(|_| ask(&world, &phone, "sign_up"))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(204), count(429)), (1, 19), "{replies:?}");
    world.settled(&phone).await;
    assert_eq!(world.messages(&phone).await.len(), 1);
}

#[tokio::test]
async fn a_country_that_is_not_allowed_gets_the_normal_answer_and_no_text() {
    let world = World::with(&[("SMS_COUNTRIES", "+852")]).await;
    let phone = new_phone();
    let reply = ask(&world, &phone, "sign_up").await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    world.settled(&phone).await;
    assert!(world.messages(&phone).await.is_empty());
    assert_throttled(&ask(&world, &phone, "sign_up").await, 60);
    assert!(world.stack().logs().iter().any(|line| line.contains("country is not allowed")));
    assert_eq!(ask(&world, "+85261234567", "sign_up").await.status, 204);
    world.message("+85261234567", 1).await;
}

#[tokio::test]
async fn a_configured_host_binds_the_text_to_it() {
    let world = World::with(&[("CODE_HOST", "app.joingotu.example")]).await;
    let phone = new_phone();
    ask(&world, &phone, "sign_up").await;
    let message = world.message(&phone, 1).await;
    let body = message["body"].as_str().unwrap();
    let last = body.lines().last().unwrap();
    assert_eq!(last, format!("@app.joingotu.example #{}", code_in(body)));
    assert!(body.len() <= 160, "one segment: {}", body.len());
}

#[tokio::test]
async fn a_new_code_kills_the_old_one() {
    let world = World::shared().await;
    let phone = new_phone();
    let old = world.code(&phone, "sign_up", 1).await;
    let new = world.code(&phone, "sign_up", 2).await;
    if old != new {
        let reply = world.sign_up_by_phone(&phone, &old).await;
        reply.expect(401, &json!({"error": "invalid or expired otp code"}));
    }
    let reply = world.sign_up_by_phone(&phone, &new).await;
    assert!(!user_id(&reply).is_empty());
}
