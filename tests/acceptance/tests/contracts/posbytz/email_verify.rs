//! `GET /ecommerce/v1/auth/email/verify`.

use acceptance::events::of_type;
use acceptance::faults::of_store;
use acceptance::gotu::user_id;
use acceptance::posbytz::{INTERNAL, SUCCESS, by_email, by_mobile, customer_id, new_number};
use acceptance::tokens::seconds_between;
use acceptance::{
    KNOWN_RING, NO_LIMITS, TestStack, all, compact, count, derived_link, gotu, new_email, posbytz,
    route, without_limits,
};
use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::realm::Realm;
use serde_json::json;

const INVALID: &str = r#"{"statusCode":401,"message":"Invalid token","error":"Unauthorized"}"#;

#[tokio::test]
async fn the_mailed_link_verifies_the_address_once() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let email = new_email();
    let (id, link) = posbytz(stack).mailed(&token, &email).await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
    let user = &stack.items("Users").await[0];
    assert_eq!((&user["email_verified"], &user["user_id"]), (&json!(true), &json!(id)));
    let events = stack.events(&id, 3).await;
    assert_eq!(events[2]["detailType"], "customer.email_verified");
    let detail = &events[2]["detail"];
    assert_eq!((&detail["email"], &detail["store"]), (&json!(email), &json!("STORE1")));
    // The link works once, and the address stays verified.
    posbytz(stack).verify_email(&id, &link).await.expect_text(401, INVALID);
    stack.wait_until_delivered(&id).await;
    assert_eq!(stack.events_of(&id).await.len(), 3);
    assert_eq!(stack.items("Users").await[0]["email_verified"], true);
}

#[tokio::test]
async fn the_mail_says_what_to_do() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let (id, link) = posbytz(stack).mailed(&posbytz(stack).store_token("MAIL").await, &email).await;
    let mail = stack.message(&email, 1).await;
    assert_eq!((&mail["channel"], &mail["to"]), (&json!("email"), &json!(email)));
    assert_eq!(mail["subject"], "Confirm your e-mail address");
    let url = format!("{}{link}", posbytz(stack).link_of(&id));
    let text = format!(
        "Follow this link to confirm your e-mail address:\n\n{url}\n\n\
         It works once, for 24 hours. Not you? Ignore this message."
    );
    assert_eq!(mail["body"], text);
    assert!(mail["html"].as_str().unwrap().contains(&url.replace('&', "&amp;")));
}

#[tokio::test]
async fn a_link_begins_with_the_public_url() {
    let stack = &TestStack::with(&[("PUBLIC_URL", "https://api.shop.example/")]).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let email = new_email();
    let id = customer_id(&posbytz(stack).sign_up(&token, &by_email(&email)).await);
    let text = stack.text(&email, 1).await;
    let path = route("posbytz-email-verify").path;
    let start = format!("\nhttps://api.shop.example{path}?userId={id}&token=");
    assert!(text.contains(&start), "{text}");
}

#[tokio::test]
async fn the_token_in_the_answer_is_not_the_mailed_one() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("SHOWN").await;
    let email = new_email();
    let reply = posbytz(stack).sign_up(&token, &by_email(&email)).await;
    let id = customer_id(&reply);
    let shown = reply.json()["data"]["email"]["token"].as_str().unwrap().to_owned();
    posbytz(stack).verify_email(&id, &shown).await.expect_text(401, INVALID);
    let link = posbytz(stack).mailed_secret(&email, &id, 1).await;
    assert_ne!(link, shown);
    assert_eq!(stack.items_with("Users", &email).await[0]["email_verified"], false);
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
}

#[tokio::test]
async fn the_secret_is_derived_and_nowhere_at_rest() {
    let env = without_limits(&[("OTP_KEY_RING", KNOWN_RING)]);
    let stack = &TestStack::with(&env).await;
    let email = new_email();
    let (_, link) =
        posbytz(stack).mailed(&posbytz(stack).store_token("STORE1").await, &email).await;
    let item = stack.items_with("Challenges", &email).await.remove(0);
    let life = seconds_between(&item, "sent_at", "expires_at");
    assert!((life - 86_400.0).abs() < 0.002, "{life}");
    let recipient = Identifier::from_parts("email", &email).unwrap();
    let key = ChallengeKey::new(Realm::of_shop("posbytz", "STORE1"), Purpose::Verify, recipient);
    assert_eq!(derived_link(key, &item).await, link);
    stack.wait_until_delivered(&email).await;
    for table in ["Challenges", "Users", "Identifiers", "Outbox"] {
        assert!(stack.items_with(table, &link).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn parameters_are_named_when_they_are_missing_or_malformed() {
    let stack = TestStack::shared().await;
    let id = "632c34752269f12c57952275";
    let both = r#"{
        "statusCode": 400,
        "errors": {
            "userId": ["userId must be a mongodb id"],
            "token": ["token must be a string"]
        },
        "message": "Bad Request"
    }"#;
    let user = r#"{
        "statusCode": 400,
        "errors": {"userId": ["userId must be a mongodb id"]},
        "message": "Bad Request"
    }"#;
    let token = r#"{
        "statusCode": 400,
        "errors": {"token": ["token must be a string"]},
        "message": "Bad Request"
    }"#;
    for (query, body) in [
        (String::new(), both),
        ("userId=1".to_owned(), both),
        ("token=x".to_owned(), user),
        ("userId=&token=x".to_owned(), user),
        (format!("userId={id}0&token=x"), user),
        (format!("userId={}&token=x", "g".repeat(24)), user),
        (format!("userId={id}"), token),
    ] {
        let reply = stack.call("posbytz-email-verify").query(&query).await;
        reply.expect_text(400, &compact(body, &[]));
    }
    // These are strings, but they were not mailed.
    for token in ["", "x", &"0".repeat(64), "%00%ff"] {
        posbytz(stack).verify_email(id, token).await.expect_text(401, INVALID);
    }
}

#[tokio::test]
async fn only_the_exact_link_of_the_same_customer_works() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("OWN").await;
    let (one, other) = (new_email(), new_email());
    let (id, link) = posbytz(stack).mailed(&token, &one).await;
    let (other_id, other_link) = posbytz(stack).mailed(&token, &other).await;
    let foreign = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    for (user, link) in [
        (&id, other_link.clone()),
        (&other_id, link.clone()),
        (&id, link.to_ascii_uppercase()),
        (&id, format!("{link}0")),
        (&id, link[..63].to_owned()),
        (&foreign, link.clone()),
    ] {
        posbytz(stack).verify_email(user, &link).await.expect_text(401, INVALID);
    }
    // A user's id is the same in either case of letters.
    posbytz(stack).verify_email(&id.to_ascii_uppercase(), &link).await.expect_text(200, SUCCESS);
    posbytz(stack).verify_email(&other_id, &other_link).await.expect_text(200, SUCCESS);
}

#[tokio::test]
async fn guesses_at_a_link_do_not_use_it_up() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let (id, link) =
        posbytz(stack).mailed(&posbytz(stack).store_token("GUESSES").await, &email).await;
    for _ in 0..12 {
        posbytz(stack).verify_email(&id, &"0".repeat(64)).await.expect_text(401, INVALID);
    }
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
}

#[tokio::test]
async fn an_address_in_two_stores_has_two_links() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let mut links = Vec::new();
    for (store, count) in [("TWO1", 1), ("TWO2", 2)] {
        let token = posbytz(stack).store_token(store).await;
        let id = customer_id(&posbytz(stack).sign_up(&token, &by_email(&email)).await);
        let link = posbytz(stack).mailed_secret(&email, &id, count).await;
        links.push((id, link));
    }
    posbytz(stack).verify_email(&links[0].0, &links[1].1).await.expect_text(401, INVALID);
    posbytz(stack).verify_email(&links[1].0, &links[1].1).await.expect_text(200, SUCCESS);
    let verified = |id: String| async move {
        stack.items_with("Users", &id).await[0]["email_verified"].clone()
    };
    assert_eq!(verified(links[0].0.clone()).await, false);
    posbytz(stack).verify_email(&links[0].0, &links[0].1).await.expect_text(200, SUCCESS);
}

#[tokio::test]
async fn a_link_that_has_ended_is_refused_while_its_item_is_there() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let (id, link) = posbytz(stack).mailed(&posbytz(stack).store_token("ENDS").await, &email).await;
    let challenge = format!("posbytz#ENDS#verify#email#{email}");
    let end = stack.expire("Challenges", "challenge_id", challenge.as_str()).await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(401, INVALID);
    // The end was the only reason.
    stack.set("Challenges", "challenge_id", challenge, "expires_at", &end).await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
}

#[tokio::test]
async fn many_clicks_at_once_verify_once() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let email = new_email();
    let (id, link) =
        posbytz(stack).mailed(&posbytz(stack).store_token("STORE1").await, &email).await;
    let replies = all((0..20).map(|_| posbytz(stack).verify_email(&id, &link))).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 19), "{replies:?}");
    stack.wait_until_delivered(&id).await;
    let events = stack.events_of(&id).await;
    assert_eq!(of_type(&events, "customer.email_verified").len(), 1);
}

#[tokio::test]
async fn a_head_request_uses_nothing_up() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let (id, link) = posbytz(stack).mailed(&posbytz(stack).store_token("HEAD").await, &email).await;
    for method in ["HEAD", "OPTIONS"] {
        let reply = posbytz(stack).verify_email(&id, &link).with_method(method).await;
        assert!(matches!(reply.status, 204 | 405), "{method}: {reply:?}");
    }
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
}

#[tokio::test]
async fn a_customer_without_an_address_has_no_link() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("MOBILE").await;
    let body = by_mobile("+91", &new_number());
    let id = customer_id(&posbytz(stack).sign_up(&token, &body).await);
    posbytz(stack).verify_email(&id, &"0".repeat(64)).await.expect_text(401, INVALID);
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_lasting_fault_uses_nothing_up() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let fault = |mode: &str, count: u32| {
        of_store(mode).at("TransactWriteItems").in_function("posbytz-email-verify").times(count)
    };
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        let (id, link) = posbytz(stack).mailed(&token, &new_email()).await;
        stack.fault(&fault(mode, 1)).await;
        posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
        stack.clear_faults().await;
        stack.events(&id, 3).await;
    }
    let (id, link) = posbytz(stack).mailed(&token, &new_email()).await;
    stack.fault(&fault("error", 1000)).await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(500, INTERNAL);
    stack.clear_faults().await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
}

#[tokio::test]
async fn following_a_link_is_three_round_trips() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    // The first one warms up.
    let (id, link) = posbytz(stack).mailed(&token, &new_email()).await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
    let (id, link) = posbytz(stack).mailed(&token, &new_email()).await;
    let verify = posbytz(stack).verify_email(&id, &link);
    let (reply, calls) = stack.calls_during("posbytz-email-verify", verify).await;
    reply.expect_text(200, SUCCESS);
    let calls: Vec<_> =
        calls.iter().map(|call| json!([call["operation"], call["resources"]])).collect();
    let expected = [
        json!(["GetItem", ["Users"]]),
        // One for each lane, at once.
        json!(["GetItem", ["Challenges"]]),
        json!(["GetItem", ["Challenges"]]),
        json!(["GetItem", ["Challenges"]]),
        json!(["TransactWriteItems", ["Challenges", "Identifiers", "Outbox", "Users"]]),
    ];
    assert_eq!(calls, expected);
}
