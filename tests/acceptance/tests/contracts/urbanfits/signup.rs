//! `POST /auth/signup`.

use acceptance::faults::of_store;
use acceptance::urbanfits::{
    EXPIRED, INCORRECT, INTERNAL, TAKEN, TOO_MANY, WRONG, new_person, otp_id, refusal, sign_up_body,
};
use acceptance::{NO_LIMITS, TestStack, all, count, urbanfits};
use serde_json::{Value, json};

const PARAMETERS: &str = "All valid parameters required. Body Parameters: username, email, \
    phone_prefix, phone_number, password, accept_policies, timezone .";
const POLICIES: &str = "A user can't register without accepting our policies and terms of use.";
const WAITING: &str = "You already have 'registration' session, try after 5 minutes.";

#[tokio::test]
async fn a_sign_up_waits_for_its_mailed_code_and_makes_no_user() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let typed = email.replace("fit", "Fit");
    let reply = urbanfits(stack).sign_up(&username, &typed).await;
    let otp_id = otp_id(&reply, &typed);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    let mail = stack.message(&email, 1).await;
    assert_eq!((&mail["channel"], &mail["to"]), (&json!("email"), &json!(email)));
    let (text, html) = (mail["body"].as_str().unwrap(), mail["html"].as_str().unwrap());
    let code = urbanfits(stack).code(&email, 1).await;
    assert!(code.len() == 5 && !code.starts_with('0') && html.contains(&code), "{text}");
    assert!(text.contains("5 minutes") && html.contains("<p>"));
    // The link to the page holds neither the code nor the id.
    let page = format!("{}/auth/signup/verify-otp", stack.url());
    assert!(text.contains(&format!("\n{page}\n")), "{text}");
    assert!(html.contains(&format!("<a href=\"{page}\">{page}</a>")), "{html}");
    assert!(!text.contains(&otp_id) && !html.contains(&otp_id));
    for table in ["Users", "Identifiers", "Ledger"] {
        for text in [&username, &email] {
            assert!(stack.items_with(table, text).await.is_empty(), "{table}");
        }
    }
}

#[tokio::test]
async fn it_is_served_under_api_too() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let reply = urbanfits(stack).sign_up(&username, &email).under("/api").await;
    let otp_id = otp_id(&reply, &email);
    let code = urbanfits(stack).code(&email, 1).await;
    let reply = urbanfits(stack).enter_code(&otp_id, &code).under("/api").await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn a_pending_sign_up_is_whitelisted_hashed_and_not_named_by_its_otp_id() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let mut body = sign_up_body(&username, &email);
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
    let otp_id = otp_id(&urbanfits(stack).sign_up_with(&body).await, &email);
    let items = stack.items_with("Challenges", &email).await;
    let stored = json!(items).to_string();
    for absent in
        ["administrator", "000000000000000000000000", r#""password""#, &otp_id, "purchases"]
    {
        assert!(!stored.contains(absent), "{absent} is stored: {stored}");
    }
    let pending = items.iter().find_map(|item| item.get("pending")).unwrap();
    assert!(
        pending["password_hash"].as_str().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    let code = urbanfits(stack).code(&email, 1).await;
    let reply = urbanfits(stack).enter_code(&otp_id, &code).await;
    let user = &reply.json()["user"];
    let expected = json!({"role": "customer", "is_active": true, "two_fa_enabled": false,
        "purchases": 0, "__v": 0});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&user[name], value, "{name}");
    }
    assert_ne!(user["_id"], "000000000000000000000000");
    assert!(user["uf_wallet"]["card_number"].as_str().unwrap().starts_with("705"));
}

#[tokio::test]
async fn missing_empty_and_ill_typed_fields_are_one_refusal() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let body = sign_up_body(&username, &email);
    let fields = ["username", "email", "phone_prefix", "phone_number", "password", "timezone"];
    for field in fields {
        for bad in [Value::Null, json!(""), json!(5), json!([]), json!({"$gt": ""}), json!(true)] {
            let mut body = body.clone();
            body[field] = bad.clone();
            urbanfits(stack).sign_up_with(&body).await.expect(400, &refusal(PARAMETERS));
        }
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(field);
        urbanfits(stack).sign_up_with(&body).await.expect(400, &refusal(PARAMETERS));
    }
    for zone in ["Mars/Base", "Asia", "+04:00", "GMT+4", "Asia/Dubai "] {
        let mut body = body.clone();
        body["timezone"] = json!(zone);
        urbanfits(stack).sign_up_with(&body).await.expect(400, &refusal(PARAMETERS));
    }
    let headers = [("content-type", "application/json")];
    for body in ["", "{", "[]", "null", r#""a""#, "username=a"] {
        let reply = stack.call("urbanfits-signup").headers(&headers).body(body).await;
        reply.expect(400, &refusal(PARAMETERS));
    }
    assert!(stack.items_with("Challenges", &email).await.is_empty());
}

#[tokio::test]
async fn broken_formats_are_named() {
    let stack = TestStack::shared().await;
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
        ("password", json!("Password1"), "Password is too common."),
        ("password", json!("Password"), "Password is too common."),
    ] {
        let mut body = sign_up_body(&username, &email);
        body[field] = bad;
        urbanfits(stack).sign_up_with(&body).await.expect(400, &refusal(text));
    }
    let mut body = sign_up_body(&username, &email);
    body["password"] = json!("\u{1f600}".repeat(128));
    body["phone_number"] = json!("3014235315012");
    otp_id(&urbanfits(stack).sign_up_with(&body).await, &email);
}

#[tokio::test]
async fn policies_must_be_accepted_with_a_plain_true_and_come_before_what_is_taken() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    for bad in [json!(false), Value::Null, json!("true"), json!(1), json!([true])] {
        let mut body = sign_up_body(&username, &email);
        body["accept_policies"] = bad;
        urbanfits(stack).sign_up_with(&body).await.expect(403, &refusal(POLICIES));
    }
    let mut body = sign_up_body(&username, &email);
    body.as_object_mut().unwrap().remove("accept_policies");
    urbanfits(stack).sign_up_with(&body).await.expect(403, &refusal(POLICIES));
    body["password"] = json!("short");
    assert_eq!(
        urbanfits(stack).sign_up_with(&body).await.status,
        400,
        "formats come before policies"
    );
}

#[tokio::test]
async fn taken_names_and_addresses_are_one_refusal_in_any_case_of_letters() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    let (other_name, other_email) = new_person();
    for (username, email) in [
        (&username, &email),
        (&username.to_uppercase(), &other_email),
        (&other_name, &email.to_uppercase()),
    ] {
        let reply = urbanfits(stack).sign_up(username, email).await;
        reply.expect(409, &refusal(TAKEN));
    }
    // Nothing of a refused request is kept, and several customers may have the same phone number.
    urbanfits(stack).pending(&other_name, &other_email).await;
}

#[tokio::test]
async fn one_sign_up_of_an_address_waits_at_a_time() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let (first, code) = urbanfits(stack).pending(&username, &email).await;
    let (other_name, _) = new_person();
    for email in [email.clone(), email.to_uppercase()] {
        let reply = urbanfits(stack).sign_up(&other_name, &email).await;
        reply.expect(401, &refusal(WAITING));
    }
    assert_eq!(stack.messages(&email).await.len(), 1);
    assert_eq!(urbanfits(stack).enter_code(&first, &code).await.status, 200);
}

#[tokio::test]
async fn of_many_sign_ups_at_once_with_one_address_one_waits() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (_, email) = new_person();
    let bodies = (0..20).map(|number| sign_up_body(&format!("racer_{number}"), &email));
    let bodies: Vec<_> = bodies.collect();
    let replies = all(bodies.iter().map(|body| urbanfits(stack).sign_up_with(body))).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 19), "{replies:?}");
    stack.wait_until_delivered(&email).await;
    assert_eq!(stack.messages(&email).await.len(), 1);
}

#[tokio::test]
async fn an_ended_sign_up_is_out_of_the_way_while_its_item_is_there() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let (old, old_code) = urbanfits(stack).pending(&username, &email).await;
    for item in stack.items_with("Challenges", &email).await {
        stack.expire("Challenges", "challenge_id", item["challenge_id"].clone()).await;
    }
    let expired = refusal(EXPIRED);
    urbanfits(stack).enter_code(&old, &old_code).await.expect(401, &expired);
    let new = otp_id(&urbanfits(stack).sign_up(&username, &email).await, &email);
    urbanfits(stack).enter_code(&old, &old_code).await.expect(401, &expired);
    let new_code = urbanfits(stack).code(&email, 2).await;
    assert_eq!(urbanfits(stack).enter_code(&new, &new_code).await.status, 200);
}

#[tokio::test]
async fn a_code_that_was_guessed_too_often_makes_way_after_the_pause() {
    let stack = &TestStack::with(&[]).await;
    let (username, email) = new_person();
    let (old, right) = urbanfits(stack).pending(&username, &email).await;
    for _ in 0..5 {
        urbanfits(stack).enter_code(&old, WRONG).await.expect(401, &refusal(INCORRECT));
    }
    for otp in [WRONG, &right] {
        let expired = refusal(EXPIRED);
        urbanfits(stack).enter_code(&old, otp).await.expect(401, &expired);
    }
    let reply = urbanfits(stack).sign_up(&username, &email).await;
    reply.expect(429, &refusal(TOO_MANY));
    reply.expect_wait(60);
}

#[tokio::test]
async fn an_address_gets_so_many_mails_in_an_hour() {
    let limits = [("OTP_SENDS_PER_HOUR", "2"), ("OTP_RESEND_SECONDS", "0")];
    let stack = &TestStack::with(&[limits[0], limits[1], ("OTP_MAX_ATTEMPTS", "1")]).await;
    let (username, email) = new_person();
    for count in 1..=2 {
        let otp_id = otp_id(&urbanfits(stack).sign_up(&username, &email).await, &email);
        urbanfits(stack).code(&email, count).await;
        urbanfits(stack).enter_code(&otp_id, WRONG).await.expect(401, &refusal(INCORRECT));
    }
    let reply = urbanfits(stack).sign_up(&username, &email).await;
    reply.expect(429, &refusal(TOO_MANY));
    reply.expect_wait(3600);
}

#[tokio::test]
async fn refusals_that_tell_something_count_like_sign_ups() {
    let stack = &TestStack::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "3")]).await;
    let (username, email) = new_person();
    let body = sign_up_body(&username, &email);
    otp_id(&urbanfits(stack).sign_up_with(&body).await, &email);
    for _ in 0..2 {
        urbanfits(stack).sign_up_with(&body).await.expect(401, &refusal(WAITING));
    }
    let reply = urbanfits(stack).sign_up_with(&body).await;
    reply.expect(429, &refusal(TOO_MANY));
    reply.expect_wait(3600);
    let (username, email) = new_person();
    let reply = urbanfits(stack).sign_up(&username, &email).await;
    assert_eq!(reply.status, 429, "{reply:?}");
    assert!(stack.items_with("Challenges", &email).await.is_empty());
}

#[tokio::test]
async fn wrong_methods_large_bodies_and_faults_are_answered_as_urbanfits_does() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for (call, allowed) in [
        (stack.call("urbanfits-signup"), "POST"),
        (stack.call("urbanfits-signup").under("/api"), "POST"),
        (stack.call("urbanfits-signup-callback"), "POST"),
        (stack.call("urbanfits-verify-otp-page"), "GET"),
    ] {
        let reply = call.with_method("DELETE").await;
        reply.expect(405, &refusal(&format!("Method not allowed, Allowed methods: '{allowed}'")));
        assert_eq!(reply.header("allow"), allowed);
    }
    stack.request("GET", "/auth/unknown").await.expect(404, &refusal("Not found."));
    let large = json!({"username": "x".repeat(400_000)});
    let reply = urbanfits(stack).sign_up_with(&large).await;
    reply.expect(413, &refusal("The request body is too large."));
    let fault = of_store("error").in_function("urbanfits-signup").times(100);
    stack.fault(&fault).await;
    let (username, email) = new_person();
    let reply = urbanfits(stack).sign_up(&username, &email).await;
    reply.expect(500, &refusal(INTERNAL));
    stack.clear_faults().await;
    urbanfits(stack).pending(&username, &email).await;
}

#[tokio::test]
async fn configured_origins_read_answers_with_cookies_and_others_do_not() {
    let env = [("ALLOWED_ORIGINS_URBANFITS", "https://shop.example,http://localhost:3000")];
    let stack = &TestStack::with(&env).await;
    let (username, email) = new_person();
    let sign_up = urbanfits(stack).sign_up(&username, &email);
    let reply = sign_up.header("origin", "https://shop.example").await;
    otp_id(&reply, &email);
    assert_eq!(reply.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(reply.header("access-control-allow-credentials"), "true");
    assert_eq!(reply.header("vary"), "Origin");
    for other in ["https://evil.example", "https://shop.example.evil.example", "null"] {
        let reply = urbanfits(stack).sign_up_with(&json!({})).header("origin", other).await;
        reply.expect(403, &refusal("This page may not send this request."));
        assert_eq!(reply.header("vary"), "Origin");
        for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
            assert_eq!(reply.header(name), "", "{other}");
        }
    }
    let ask = |origin: &str| {
        stack.call("urbanfits-signup").with_method("OPTIONS").headers(&[
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ])
    };
    let preflight = ask("http://localhost:3000").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("vary"), "Origin");
    for (name, value) in [
        ("access-control-allow-origin", "http://localhost:3000"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "content-type"),
    ] {
        assert_eq!(preflight.header(name), value, "{name}");
    }
    let preflight = ask("https://evil.example").await;
    assert_eq!(preflight.header("vary"), "Origin");
    for name in ["access-control-allow-origin", "access-control-allow-methods"] {
        assert_eq!(preflight.header(name), "", "{name}");
    }
}
