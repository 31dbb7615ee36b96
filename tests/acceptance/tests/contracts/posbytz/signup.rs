//! `POST /ecommerce/v1/auth/signup` (contracts.md D.0 to D.2).

use super::{
    BOTH, SIGNUP, by_email, by_mobile, customer_id, new_client, new_number, sign_up, store_token,
    token,
};
use acceptance::{KNOWN_RING, NO_LIMITS, Reply, World, all, code_in, derived_code, new_email};
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::KeyRing;
use latchkey::adapters::system::SystemClock;
use latchkey::contracts::posbytz;
use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::realm::Realm;
use latchkey::ports::{AccessTokens as _, Clock as _};
use serde_json::{Value, json};
use std::sync::Arc;

const UNAUTHORIZED: &str = "{\"statusCode\":401,\"message\":\"authorization header missing or invalid\",\"error\":\"Unauthorized\"}";
const FORBIDDEN: &str =
    "{\"statusCode\":403,\"message\":\"insufficient_scope\",\"error\":\"Forbidden\"}";

/// Requires this status and this very body.
#[track_caller]
fn says(reply: &Reply, status: u16, body: &str) {
    assert_eq!((reply.status, reply.body.as_str()), (status, body), "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/json");
}

/// Requires a 400 with these errors and nothing else, whatever their order.
#[track_caller]
fn invalid(reply: &Reply, errors: &Value) {
    reply.expect(400, &json!({"statusCode": 400, "errors": errors, "message": "Bad Request"}));
}

fn seed() -> Value {
    json!({"email": "harish@bytize.in", "mobile": {"code": "+91", "number": "9962794005"},
        "password": "password"})
}

#[tokio::test]
async fn the_documented_example_gives_the_documented_answer() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    let reply = sign_up(&world, &token, &seed()).await;
    let id = customer_id(&reply);
    let json = reply.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (token, created) =
        (text(&json["data"]["email"]["token"]), text(&json["data"]["createdAt"]));
    assert!(token.len() == 64 && token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    assert!(created.len() == 24 && created.ends_with('Z') && created.as_bytes()[19] == b'.');
    let body = format!(
        "{{\"statusCode\":201,\"data\":{{\"email\":{{\"id\":\"harish@bytize.in\",\
         \"token\":\"{token}\",\"verified\":false}},\"mobile\":{{\"code\":\"+91\",\
         \"number\":\"9962794005\",\"verified\":false}},\"createdAt\":\"{created}\",\
         \"deletedAt\":null,\"_id\":\"{id}\",\"addresses\":[]}}}}"
    );
    says(&reply, 201, &body);
    let user = &world.items("Users").await[0];
    assert_eq!((&user["contract"], &user["store"]), (&json!("posbytz"), &json!("STORE1")));
    assert_eq!(
        (&user["email"], &user["email_verified"]),
        (&json!("harish@bytize.in"), &json!(false))
    );
    assert_eq!((&user["phone"], &user["phone_verified"]), (&json!("+919962794005"), &json!(false)));
    assert!(user["password_hash"].as_str().unwrap().starts_with("$argon2id$"));
    // Sign-up alone gives no session and keeps no device.
    for table in ["Sessions", "Devices"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn the_documented_errors_come_out_byte_for_byte() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    let body = json!({"email": "string", "mobile": {"code": "+91", "number": "string"},
        "password": "string", "referralCode": "string"});
    let said = "{\"statusCode\":400,\"errors\":{\"email\":[\"email must be an email\"],\
        \"mobile\":{\"number\":[\"number must be a valid phone number\"]},\
        \"password\":[\"password must be longer than or equal to 8 characters\"]},\
        \"message\":\"Bad Request\"}";
    says(&sign_up(&world, &token, &body).await, 400, said);
    assert!(world.items("Users").await.is_empty());
    customer_id(&sign_up(&world, &token, &by_email("harish@bytize.in")).await);
    let said = "{\"statusCode\":422,\"errors\":{\"email\":[\"Email already exists\"]}}";
    says(&sign_up(&world, &token, &by_email("harish@bytize.in")).await, 422, said);
}

#[tokio::test]
async fn what_is_not_given_is_not_shown() {
    let world = World::shared().await;
    let token = store_token(world, "SHOWN").await;
    let keys = |reply: &Reply| -> Vec<String> {
        customer_id(reply);
        let mut keys: Vec<_> = reply.json()["data"].as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let rest = ["_id", "addresses", "createdAt", "deletedAt"];
    let with = |key: &'static str| [&rest[..], &[key]].concat();
    let mut body = by_email(&new_email());
    body["mobile"] = Value::Null;
    assert_eq!(keys(&sign_up(world, &token, &body).await), with("email"));
    let mobile = by_mobile("91", &new_number());
    let reply = sign_up(world, &token, &mobile).await;
    assert_eq!(keys(&reply), with("mobile"));
    assert_eq!(reply.json()["data"]["mobile"]["code"], "+91");
    // A property that the contract does not know is not read, whatever it is.
    let mut body = by_email(&new_email());
    for (name, value) in
        [("verified", json!(true)), ("_id", json!("632c34752269f12c57952275")), ("role", json!(1))]
    {
        body[name] = value;
    }
    let reply = sign_up(world, &token, &body).await;
    assert_ne!(customer_id(&reply), "632c34752269f12c57952275");
    assert_eq!(reply.json()["data"]["email"]["verified"], false);
}

#[tokio::test]
async fn a_clients_token_comes_in_either_header() {
    let world = World::shared().await;
    let token = store_token(world, "HEADERS").await;
    let bearer = format!("Bearer {token}");
    let with = async |headers: &[(&str, &str)]| {
        let body = by_email(&new_email()).to_string();
        world.send("POST", SIGNUP, headers, body, None).await
    };
    let customer = ("authorization", "Bearer a-customers-token");
    for headers in [
        vec![("authorization", bearer.as_str())],
        vec![("authorization", &bearer.replace("Bearer", "bearer"))],
        vec![("x-api-authorization", &token), customer],
        vec![("x-api-authorization", &bearer), customer],
    ] {
        customer_id(&with(&headers).await);
    }
    // The header of one's own wins: a client's token behind it is not looked for.
    let wrong = [("x-api-authorization", "wrong"), ("authorization", bearer.as_str())];
    says(&with(&wrong).await, 401, UNAUTHORIZED);
}

#[tokio::test]
async fn who_calls_is_judged_before_the_body() {
    let world = World::with(&NO_LIMITS).await;
    let genuine = store_token(&world, "STORE1").await;
    let gotu = world.sign_up_by_email(&new_email()).await.json()["data"]["accessToken"].clone();
    let users = world.items("Users").await;
    let mut parts = genuine.split('.');
    let (head, claims) = (parts.next().unwrap(), parts.next().unwrap());
    let bodies = [seed().to_string(), "{}".to_owned(), "{".to_owned(), "x".repeat(400_000)];
    let refused = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(genuine.clone()),
        Some(format!("Basic {genuine}")),
        Some(format!("Bearer {}", gotu.as_str().unwrap())),
        Some(format!("Bearer {head}.{claims}.")),
        Some(format!("Bearer {genuine}x")),
    ];
    for (number, authorization) in refused.iter().enumerate() {
        let headers: Vec<_> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let body = bodies[number % bodies.len()].clone();
        let reply = world.send("POST", SIGNUP, &headers, body, None).await;
        says(&reply, 401, UNAUTHORIZED);
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let client = new_client(&world, "STORE1").await;
    for scope in ["user:read", "user:write"] {
        let less = token(&world, &client, scope).await;
        for body in [seed(), json!({})] {
            let reply = sign_up(&world, &less, &body).await;
            says(&reply, 403, FORBIDDEN);
            assert!(reply.header("www-authenticate").contains("insufficient_scope"));
        }
    }
    assert_eq!(world.items("Users").await, users);
}

#[tokio::test]
async fn neither_a_customers_token_nor_one_that_has_ended_is_a_clients() {
    let mut env = NO_LIMITS.to_vec();
    env.push(("TOKEN_KEY_RING_POSBYTZ", KNOWN_RING));
    let world = World::with(&env).await;
    let ring = KeyRing::inline(KNOWN_RING, Arc::new(SystemClock)).unwrap();
    let signer = JwtAccessTokens::new(Arc::new(ring)).signer().await.unwrap();
    let now = SystemClock.now().as_seconds();
    let claims = |kind: &str, life: i64| {
        json!({"use": kind, "client_id": "0".repeat(32), "store": "STORE1", "scope": BOTH,
            "jti": "1", "iat": now.checked_sub(1000).unwrap(), "exp": now.checked_add(life).unwrap()})
    };
    // The test signs as the function does.
    let good = signer.sign(&claims("client", 1000).to_string()).unwrap();
    customer_id(&sign_up(&world, &good, &by_email(&new_email())).await);
    let customer = json!({"userId": "632c34752269f12c57952275", "iat": now,
        "exp": now.checked_add(3600).unwrap()});
    let mut no_use = claims("client", 1000);
    no_use.as_object_mut().unwrap().remove("use");
    for claims in [customer, no_use, claims("customer", 1000), claims("client", -1), json!({})] {
        let token = signer.sign(&claims.to_string()).unwrap();
        says(&sign_up(&world, &token, &by_email(&new_email())).await, 401, UNAUTHORIZED);
    }
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    let everything = json!({"referredBy": "x", "referralCode": 7, "password": null,
        "mobile": {"number": "1", "code": "0"}, "email": "x"});
    let said = "{\"statusCode\":400,\"errors\":{\"email\":[\"email must be an email\"],\
        \"mobile\":{\"code\":[\"code must be a valid country code\"],\
        \"number\":[\"number must be a valid phone number\"]},\
        \"password\":[\"password must be shorter than or equal to 32 characters\",\
        \"password must be longer than or equal to 8 characters\",\
        \"password must be a string\",\"password should not be empty\"],\
        \"referralCode\":[\"referralCode must be shorter than or equal to 64 characters\",\
        \"referralCode must be a string\"],\
        \"referredBy\":[\"referredBy must be a mongodb id\"]},\"message\":\"Bad Request\"}";
    says(&sign_up(&world, &token, &everything).await, 400, said);
    let nothing = "{\"statusCode\":400,\"errors\":{\"email\":[\"email should not be empty\"],\
        \"mobile\":[\"mobile should not be empty\"],\
        \"password\":[\"password must be shorter than or equal to 32 characters\",\
        \"password must be longer than or equal to 8 characters\",\
        \"password must be a string\",\"password should not be empty\"]},\
        \"message\":\"Bad Request\"}";
    says(&sign_up(&world, &token, &json!({})).await, 400, nothing);
    let with = |name: &str, value: Value| {
        let mut body = seed();
        body[name] = value;
        body
    };
    let mobile =
        |code: Value, number: Value| with("mobile", json!({"code": code, "number": number}));
    let (number, code) = (
        json!({"mobile": {"number": ["number must be a valid phone number"]}}),
        json!({"mobile": {"code": ["code must be a valid country code"]}}),
    );
    let email = json!({"email": ["email must be an email"]});
    let (max, min, kind, empty) = (
        "password must be shorter than or equal to 32 characters",
        "password must be longer than or equal to 8 characters",
        "password must be a string",
        "password should not be empty",
    );
    let password = |texts: &[&str]| json!({"password": texts});
    let long = "referralCode must be shorter than or equal to 64 characters";
    let cases = [
        (with("email", json!("")), email.clone()),
        (with("email", json!(7)), email.clone()),
        (with("email", json!("a@b")), email.clone()),
        (with("email", json!("a b@example.com")), email),
        (with("mobile", json!("+919962794005")), json!({"mobile": ["mobile must be an object"]})),
        (mobile(json!("+91"), json!("123")), number.clone()),
        (mobile(json!("+91"), json!("123456789012345")), number.clone()),
        (mobile(json!("+1234"), json!("123456789012")), number.clone()),
        (mobile(json!("+91"), json!(9_962_794_005_u64)), number.clone()),
        (with("mobile", json!({"code": "+91"})), number),
        (mobile(json!("91a"), json!("9962794005")), code.clone()),
        (mobile(json!("+12345"), json!("9962794005")), code.clone()),
        (with("mobile", json!({"number": "9962794005"})), code),
        (with("password", json!("1234567")), password(&[min])),
        (with("password", json!("x".repeat(33))), password(&[max])),
        (with("password", json!("")), password(&[min, empty])),
        (with("password", json!(12_345_678)), password(&[max, min, kind])),
        (with("password", Value::Null), password(&[max, min, kind, empty])),
        (with("referralCode", json!("x".repeat(65))), json!({"referralCode": [long]})),
        (
            with("referredBy", json!("632c")),
            json!({"referredBy": ["referredBy must be a mongodb id"]}),
        ),
    ];
    for (body, errors) in cases {
        invalid(&sign_up(&world, &token, &body).await, &errors);
    }
    for table in ["Users", "Identifiers", "Challenges", "Outbox", "Budgets"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn what_is_no_object_and_what_is_too_large_is_refused() {
    let world = World::shared().await;
    let bearer = format!("Bearer {}", store_token(world, "BODIES").await);
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    for body in ["", "{", "[]", "null", "\"x\"", "{\"a\":1} x", "email=a%40b.co"] {
        let reply = world.send("POST", SIGNUP, &headers, body, None).await;
        says(&reply, 400, "{\"statusCode\":400,\"errors\":{},\"message\":\"Bad Request\"}");
    }
    let large = json!({"email": "a@b.co", "x": "x".repeat(400_000)}).to_string();
    let reply = world.send("POST", SIGNUP, &headers, large, None).await;
    says(&reply, 413, "{\"statusCode\":413,\"message\":\"Payload Too Large\"}");
    let reply = world.send("GET", SIGNUP, &headers, "", None).await;
    says(&reply, 405, "{\"statusCode\":405,\"message\":\"Method Not Allowed\"}");
    assert_eq!(reply.header("allow"), "POST");
}

#[tokio::test]
async fn the_bounds_themselves_are_taken() {
    let world = World::shared().await;
    let token = store_token(world, "BOUNDS").await;
    for body in [
        by_mobile("+1", "2345"),
        by_mobile("1", "23456789012345"),
        by_mobile("+1234", "99999999999"),
        json!({"email": new_email(), "password": "12345678"}),
        json!({"email": new_email(), "password": "é".repeat(32), "referralCode": "x".repeat(64)}),
    ] {
        customer_id(&sign_up(world, &token, &body).await);
    }
}

#[tokio::test]
async fn taken_identifiers_are_told_together_and_only_when_all_else_is_right() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    customer_id(&sign_up(&world, &token, &seed()).await);
    let before = world.items("Users").await;
    let both = "{\"statusCode\":422,\"errors\":{\"email\":[\"Email already exists\"],\
        \"mobile\":[\"Mobile already exists\"]}}";
    says(&sign_up(&world, &token, &seed()).await, 422, both);
    let mobile = "{\"statusCode\":422,\"errors\":{\"mobile\":[\"Mobile already exists\"]}}";
    let mut body = seed();
    body["email"] = json!(new_email());
    says(&sign_up(&world, &token, &body).await, 422, mobile);
    says(&sign_up(&world, &token, &by_mobile("91", "9962794005")).await, 422, mobile);
    let email = "{\"statusCode\":422,\"errors\":{\"email\":[\"Email already exists\"]}}";
    let mut body = by_email(" HARISH@Bytize.IN ");
    says(&sign_up(&world, &token, &body).await, 422, email);
    // 400 beats 422.
    body["password"] = json!("short");
    let errors = json!({"password": ["password must be longer than or equal to 8 characters"]});
    invalid(&sign_up(&world, &token, &body).await, &errors);
    world.settled("harish").await;
    assert_eq!(world.items("Users").await, before);
    assert_eq!(world.items("Identifiers").await.len(), 2);
    assert_eq!(world.messages("harish@bytize.in").await.len(), 1, "no second mail");
}

#[tokio::test]
async fn identical_sign_ups_at_once_make_one_customer() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    for racers in [2, 20] {
        let mut body = by_email(&new_email());
        body["mobile"] = json!({"code": "+91", "number": new_number()});
        let replies = all((0..racers).map(|_| sign_up(&world, &token, &body))).await;
        let count = |status| replies.iter().filter(|reply| reply.status == status).count();
        let lost = replies.len().saturating_sub(1);
        assert_eq!((count(201), count(422)), (1, lost), "{replies:?}");
        let email = body["email"].as_str().unwrap();
        assert_eq!(world.items_with("Users", email).await.len(), 1);
        world.settled(email).await;
        assert_eq!(world.messages(email).await.len(), 1);
    }
    world.settled("customer").await;
    let events = world.all_events().await;
    let created = events.iter().filter(|event| event["detailType"] == "customer.created");
    assert_eq!(created.count(), 2);
}

#[tokio::test]
async fn every_store_has_its_own_customers() {
    let world = World::with(&NO_LIMITS).await;
    let mut ids = Vec::new();
    for store in ["STORE1", "STORE2"] {
        let token = store_token(&world, store).await;
        ids.push(customer_id(&sign_up(&world, &token, &seed()).await));
    }
    ids.dedup();
    assert_eq!(ids.len(), 2);
    let identifiers = world.items("Identifiers").await;
    let mut names: Vec<_> =
        identifiers.iter().map(|item| item["identifier"].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "posbytz#STORE1#email#harish@bytize.in",
        "posbytz#STORE1#phone#+919962794005",
        "posbytz#STORE2#email#harish@bytize.in",
        "posbytz#STORE2#phone#+919962794005",
    ];
    assert_eq!(names, expected);
    world.message("harish@bytize.in", 2).await;
    // Another client of the same store meets the same customers.
    let other = store_token(&world, "STORE1").await;
    assert_eq!(sign_up(&world, &other, &seed()).await.status, 422);
}

#[tokio::test]
async fn a_mobile_gets_a_code_that_is_a_number_and_waits_to_be_typed() {
    let mut env = NO_LIMITS.to_vec();
    env.push(("OTP_KEY_RING", KNOWN_RING));
    let world = World::with(&env).await;
    let token = store_token(&world, "STORE1").await;
    for _ in 0..8 {
        let number = new_number();
        customer_id(&sign_up(&world, &token, &by_mobile("+91", &number)).await);
        let to = format!("+91{number}");
        let message = world.message(&to, 1).await;
        assert_eq!(message["channel"], "sms");
        let body = message["body"].as_str().unwrap();
        let code = code_in(body);
        assert!(code.len() == 6 && !code.starts_with('0'), "{code}");
        assert_eq!(
            body.replace(&code, "######"),
            "###### is your code to confirm your number. It works for 5 minutes. \
             Not you? Ignore this message."
        );
        let id = format!("posbytz#STORE1#verify#phone#{to}");
        let item = world.items_with("Challenges", &id).await.remove(0);
        assert_eq!((&item["attempts"], &item["sent"]), (&json!(0), &json!(true)));
        let life = item["expires_at"].as_f64().unwrap() - item["sent_at"].as_f64().unwrap();
        assert!((life - 300.0).abs() < 0.002, "{life}");
        let key = ChallengeKey {
            realm: Realm::of_shop(posbytz::PROFILE.name, "STORE1"),
            purpose: Purpose::Verify,
            recipient: Identifier::from_parts("phone", &to).unwrap(),
        };
        assert_eq!(derived_code(key, &item, posbytz::PROFILE.code_format).await, code);
    }
}

#[tokio::test]
async fn a_country_that_is_not_allowed_gets_the_usual_answer_and_no_text() {
    let mut env = NO_LIMITS.to_vec();
    env.push(("SMS_COUNTRIES", "+62"));
    let world = World::with(&env).await;
    let token = store_token(&world, "STORE1").await;
    let reply = sign_up(&world, &token, &seed()).await;
    let id = customer_id(&reply);
    assert_eq!(reply.json()["data"]["mobile"]["number"], "9962794005");
    world.message("harish@bytize.in", 1).await;
    world.settled("harish").await;
    assert!(world.messages("+919962794005").await.is_empty());
    let challenge = &world.items_with("Challenges", "#phone#").await[0];
    assert_eq!(challenge["sent"], false, "a code that nobody has proves nothing");
    let events = world.events(&id, 2).await;
    let channels: Vec<_> =
        events.iter().filter_map(|event| event["detail"]["channel"].as_str()).collect();
    assert_eq!(channels, ["email"]);
    assert!(world.stack().logs().iter().any(|line| line.contains("the country is not allowed")));
}

#[tokio::test]
async fn a_client_has_a_budget_by_the_hour() {
    let world = World::with(&[("SENDS_PER_HOUR_PER_CLIENT", "3")]).await;
    let token = store_token(&world, "STORE1").await;
    let email = new_email();
    customer_id(&sign_up(&world, &token, &by_email(&email)).await);
    // "Already exists" tells something, so it counts; what is refused before does not.
    assert_eq!(sign_up(&world, &token, &by_email(&email)).await.status, 422);
    assert_eq!(sign_up(&world, &token, &json!({})).await.status, 400);
    customer_id(&sign_up(&world, &token, &by_mobile("+91", &new_number())).await);
    let users = world.items("Users").await;
    for body in [by_email(&new_email()), by_email(&email)] {
        let reply = sign_up(&world, &token, &body).await;
        says(&reply, 429, "{\"statusCode\":429,\"message\":\"Too Many Requests\"}");
        let wait: u32 = reply.header("retry-after").parse().unwrap();
        assert!((1..=3600).contains(&wait), "{wait}");
    }
    assert_eq!(world.items("Users").await, users);
    let other = store_token(&world, "STORE1").await;
    customer_id(&sign_up(&world, &other, &by_email(&new_email())).await);
}

#[tokio::test]
async fn the_budget_is_switched_off_with_those_of_the_sources() {
    let env = [("SENDS_PER_HOUR_PER_CLIENT", "1"), ("OTP_SENDS_PER_HOUR_PER_IP", "0")];
    let world = World::with(&env).await;
    let token = store_token(&world, "STORE1").await;
    for _ in 0..3 {
        customer_id(&sign_up(&world, &token, &by_email(&new_email())).await);
    }
    assert!(world.items("Budgets").await.is_empty());
}

/// Makes an identifier free again, as an account that is gone does.
async fn free(world: &World, identifier: &str) {
    let key = json!({"identifier": {"S": identifier}});
    let delete = json!({"TableName": "Identifiers", "Key": key,
        "ConditionExpression": "attribute_exists(identifier)"});
    world.dynamodb("DeleteItem", &delete).await;
}

#[tokio::test]
async fn a_recipient_that_was_sent_something_before_has_its_limits() {
    for (pause, status, revision) in [("60", 429, 1), ("0", 201, 2)] {
        let world = World::with(&[("OTP_RESEND_SECONDS", pause)]).await;
        let token = store_token(&world, "STORE1").await;
        customer_id(&sign_up(&world, &token, &seed()).await);
        free(&world, "posbytz#STORE1#email#harish@bytize.in").await;
        let reply = sign_up(&world, &token, &by_email("harish@bytize.in")).await;
        assert_eq!(reply.status, status, "{reply:?}");
        let challenge = &world.items_with("Challenges", "#email#").await[0];
        assert_eq!(challenge["revision"], revision);
    }
}

#[tokio::test]
async fn referrals_are_recorded_resolved_or_not() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    let elsewhere = store_token(&world, "STORE2").await;
    let referrer = customer_id(&sign_up(&world, &token, &by_email(&new_email())).await);
    let stranger = customer_id(&sign_up(&world, &elsewhere, &by_email(&new_email())).await);
    let referral = async |code: Option<&str>, by: Option<&str>| {
        let mut body = by_email(&new_email());
        body["referralCode"] = json!(code);
        body["referredBy"] = json!(by);
        let id = customer_id(&sign_up(&world, &token, &body).await);
        world.settled(&id).await;
        let mut events = world.events_of(&id).await;
        events.retain(|event| event["detailType"] == "referral.recorded");
        let facts = |event: Value| {
            let detail = &event["detail"];
            json!([detail["referralCode"], detail["referredBy"], detail["resolved"]])
        };
        events.into_iter().next().map(facts)
    };
    let upper = referrer.to_ascii_uppercase();
    assert_eq!(referral(Some("ABC"), None).await, Some(json!(["ABC", null, false])));
    assert_eq!(referral(None, Some(&referrer)).await, Some(json!([null, referrer, true])));
    assert_eq!(referral(Some("A"), Some(&upper)).await, Some(json!(["A", referrer, true])));
    for unknown in ["632c34752269f12c57952275", &stranger] {
        assert_eq!(referral(None, Some(unknown)).await, None, "ignored");
        assert_eq!(referral(Some("B"), Some(unknown)).await, Some(json!(["B", null, false])));
    }
    assert_eq!(referral(Some(""), None).await, None);
    let user = &world.items_with("Users", "\"ABC\"").await[0];
    assert_eq!(user["attributes"], json!({"referral_code": "ABC"}));
}

#[tokio::test]
async fn a_sign_up_tells_the_world_in_order() {
    let world = World::shared().await;
    let token = store_token(world, "EVENTS").await;
    let (email, number) = (new_email(), new_number());
    let body = json!({"email": email, "mobile": {"code": "+91", "number": number},
        "password": "correct horse", "referralCode": "ABC"});
    let reply = sign_up(world, &token, &body).await;
    let id = customer_id(&reply);
    let events = world.events(&id, 4).await;
    let types: Vec<_> = events.iter().map(|event| event["detailType"].as_str().unwrap()).collect();
    let expected = [
        "customer.created",
        "customer.verification_requested",
        "customer.verification_requested",
        "referral.recorded",
    ];
    assert_eq!(types, expected);
    for (number, event) in (1..).zip(&events) {
        assert_eq!(event["source"], "posbytz.ecommerce");
        assert_eq!(event["detail"]["sequence"], number);
        assert_eq!(event["detail"]["store"], "EVENTS");
        assert_eq!(event["detail"]["correlationId"], events[0]["detail"]["correlationId"]);
    }
    let created = &events[0]["detail"];
    assert_eq!(created["email"], email);
    assert_eq!(created["mobile"], json!({"code": "+91", "number": number}));
    assert_eq!(created["createdAt"], reply.json()["data"]["createdAt"]);
    assert_eq!(
        (&events[1]["detail"]["channel"], &events[2]["detail"]["channel"]),
        (&json!("email"), &json!("mobile"))
    );
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_lasting_fault_leaves_nothing() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        let email = new_email();
        let fault = json!({"service": "dynamodb", "mode": mode, "count": 1,
            "operation": "TransactWriteItems", "function": "posbytz-signup"});
        world.fault(&fault).await;
        let id = customer_id(&sign_up(&world, &token, &by_email(&email)).await);
        world.heal().await;
        assert_eq!(world.items_with("Users", &email).await[0]["user_id"], id, "{mode}");
        assert_eq!(world.items_with("Identifiers", &email).await.len(), 1, "{mode}");
        world.events(&id, 2).await;
        world.settled(&id).await;
        assert_eq!(world.events_of(&id).await.len(), 2, "{mode}");
        assert_eq!(world.messages(&email).await.len(), 1, "{mode}");
    }
    let users = world.items("Users").await;
    let email = new_email();
    let fault = json!({"service": "dynamodb", "mode": "error", "count": 1000,
        "function": "posbytz-signup"});
    world.fault(&fault).await;
    let internal = "{\"statusCode\":500,\"message\":\"Internal server error\"}";
    says(&sign_up(&world, &token, &by_email(&email)).await, 500, internal);
    world.heal().await;
    assert_eq!(world.items("Users").await, users);
    assert!(world.items_with("Challenges", &email).await.is_empty());
    customer_id(&sign_up(&world, &token, &by_email(&email)).await);
}

#[tokio::test]
async fn a_crash_leaves_all_or_nothing() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    for (mode, again) in [("crash-before", 201), ("crash-after", 422)] {
        let email = new_email();
        let fault = json!({"service": "dynamodb", "mode": mode, "count": 1,
            "operation": "TransactWriteItems", "function": "posbytz-signup"});
        world.fault(&fault).await;
        assert_eq!(sign_up(&world, &token, &by_email(&email)).await.status, 500);
        world.heal().await;
        assert_eq!(sign_up(&world, &token, &by_email(&email)).await.status, again, "{mode}");
        let user = world.items_with("Users", &email).await;
        assert_eq!(user.len(), 1);
        world.events(user[0]["user_id"].as_str().unwrap(), 2).await;
        world.message(&email, 1).await;
    }
}

#[tokio::test]
async fn carriers_that_are_down_delay_the_messages_and_nothing_else() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    for service in ["ses", "sns", "events"] {
        world.fault(&json!({"service": service, "mode": "error", "count": 1})).await;
    }
    let id = customer_id(&sign_up(&world, &token, &seed()).await);
    world.message("harish@bytize.in", 1).await;
    world.message("+919962794005", 1).await;
    world.events(&id, 3).await;
    world.settled(&id).await;
    for to in ["harish@bytize.in", "+919962794005"] {
        assert_eq!(world.messages(to).await.len(), 1, "{to}");
    }
}

#[tokio::test]
async fn a_sign_up_is_one_round_trip() {
    let world = World::with(&[("OTP_RESEND_SECONDS", "0")]).await;
    let token = store_token(&world, "STORE1").await;
    customer_id(&sign_up(&world, &token, &by_email(&new_email())).await);
    let before = world.calls("posbytz-signup").await.len();
    let mut body = by_email(&new_email());
    body["mobile"] = json!({"code": "+91", "number": new_number()});
    customer_id(&sign_up(&world, &token, &body).await);
    let calls = world.calls("posbytz-signup").await.split_off(before);
    let calls: Vec<_> =
        calls.iter().map(|call| (&call["operation"], call["resources"].clone())).collect();
    let tables = json!(["Budgets", "Challenges", "Identifiers", "Outbox", "Users"]);
    assert_eq!(calls, [(&json!("TransactWriteItems"), tables)]);
}
