//! `GET /ecommerce/v1/auth/email/verify` (contracts.md D.2, D.3).

use super::{
    VERIFY, by_email, customer_id, mailed_token, new_number, sign_up, store_token, verify,
};
use acceptance::{KNOWN_RING, NO_LIMITS, Reply, World, all, new_email, user_id};
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::key_ring::KeyRing;
use latchkey::adapters::system::SystemClock;
use latchkey::contracts::posbytz;
use latchkey::domain::challenge::{ChallengeKey, KeyId, Nonce, Purpose};
use latchkey::domain::code::CodeSeed;
use latchkey::domain::identifier::Identifier;
use latchkey::domain::realm::Realm;
use latchkey::ports::CodeKeys as _;
use serde_json::{Value, json};
use std::sync::Arc;

const SUCCESS: &str = "{\"statusCode\":200,\"message\":\"Success\"}";
const INVALID: &str =
    "{\"statusCode\":401,\"message\":\"Invalid token\",\"error\":\"Unauthorized\"}";

#[track_caller]
fn says(reply: &Reply, status: u16, body: &str) {
    assert_eq!((reply.status, reply.body.as_str()), (status, body), "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/json");
}

/// A customer with an address: their id, and the token in their mail.
async fn customer(world: &World, token: &str, email: &str) -> (String, String) {
    let id = customer_id(&sign_up(world, token, &by_email(email)).await);
    let token = mailed_token(world, email, &id, 1).await;
    (id, token)
}

#[tokio::test]
async fn the_mailed_link_verifies_the_address_once() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    let email = new_email();
    let (id, link) = customer(&world, &token, &email).await;
    says(&verify(&world, &id, &link).await, 200, SUCCESS);
    let user = &world.items("Users").await[0];
    assert_eq!((&user["email_verified"], &user["user_id"]), (&json!(true), &json!(id)));
    let events = world.events(&id, 3).await;
    assert_eq!(events[2]["detailType"], "customer.email_verified");
    let detail = &events[2]["detail"];
    assert_eq!((&detail["email"], &detail["store"]), (&json!(email), &json!("STORE1")));
    // The second time it is no link any more, and the address stays verified.
    says(&verify(&world, &id, &link).await, 401, INVALID);
    world.settled(&id).await;
    assert_eq!(world.events_of(&id).await.len(), 3);
    assert_eq!(world.items("Users").await[0]["email_verified"], true);
}

#[tokio::test]
async fn the_mail_says_what_to_do() {
    let world = World::shared().await;
    let email = new_email();
    let (id, link) = customer(world, &store_token(world, "MAIL").await, &email).await;
    let mail = world.message(&email, 1).await;
    assert_eq!((&mail["channel"], &mail["to"]), (&json!("email"), &json!(email)));
    assert_eq!(mail["subject"], "Confirm your e-mail address");
    let url = format!("{}{VERIFY}?userId={id}&token={link}", world.stack().url());
    let text = format!(
        "Follow this link to confirm your e-mail address:\n\n{url}\n\n\
         It works once, for 24 hours. Not you? Ignore this message."
    );
    assert_eq!(mail["body"], text);
    assert!(mail["html"].as_str().unwrap().contains(&url.replace('&', "&amp;")));
}

#[tokio::test]
async fn links_begin_where_people_reach_the_api() {
    let world = World::with(&[("PUBLIC_URL", "https://api.shop.example/")]).await;
    let token = store_token(&world, "STORE1").await;
    let email = new_email();
    let id = customer_id(&sign_up(&world, &token, &by_email(&email)).await);
    let mail = world.message(&email, 1).await;
    let start = format!("\nhttps://api.shop.example{VERIFY}?userId={id}&token=");
    assert!(mail["body"].as_str().unwrap().contains(&start), "{mail}");
}

#[tokio::test]
async fn what_the_answer_shows_is_not_what_was_mailed() {
    let world = World::shared().await;
    let token = store_token(world, "SHOWN").await;
    let email = new_email();
    let reply = sign_up(world, &token, &by_email(&email)).await;
    let id = customer_id(&reply);
    let shown = reply.json()["data"]["email"]["token"].as_str().unwrap().to_owned();
    says(&verify(world, &id, &shown).await, 401, INVALID);
    let link = mailed_token(world, &email, &id, 1).await;
    assert_ne!(link, shown);
    assert_eq!(world.items_with("Users", &email).await[0]["email_verified"], false);
    says(&verify(world, &id, &link).await, 200, SUCCESS);
}

#[tokio::test]
async fn the_secret_is_derived_and_nowhere_at_rest() {
    let mut env = NO_LIMITS.to_vec();
    env.push(("OTP_KEY_RING", KNOWN_RING));
    let world = World::with(&env).await;
    let email = new_email();
    let (_, link) = customer(&world, &store_token(&world, "STORE1").await, &email).await;
    let item = world.items_with("Challenges", &email).await.remove(0);
    let life = item["expires_at"].as_f64().unwrap() - item["sent_at"].as_f64().unwrap();
    assert!((life - 86_400.0).abs() < 0.002, "{life}");
    let nonce = data_encoding::BASE64.decode(item["nonce"].as_str().unwrap().as_bytes()).unwrap();
    let seed = CodeSeed {
        key: ChallengeKey {
            realm: Realm::of_shop(posbytz::PROFILE.name, "STORE1"),
            purpose: Purpose::Verify,
            recipient: Identifier::from_parts("email", &email).unwrap(),
        },
        nonce: Nonce::from_stored(&nonce).unwrap(),
        key_id: KeyId::new(item["key_id"].as_str().unwrap()),
    };
    let ring = KeyRing::inline(KNOWN_RING, Arc::new(SystemClock)).unwrap();
    let derived = HmacCodeKeys::new(Arc::new(ring)).derive_link(&seed).await.unwrap();
    assert_eq!(derived.expose(), link);
    world.settled(&email).await;
    for table in ["Challenges", "Users", "Identifiers", "Outbox"] {
        assert!(world.items_with(table, &link).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn parameters_are_named_when_they_are_missing_or_malformed() {
    let world = World::shared().await;
    let id = "632c34752269f12c57952275";
    let both = "{\"statusCode\":400,\"errors\":{\"userId\":[\"userId must be a mongodb id\"],\
        \"token\":[\"token must be a string\"]},\"message\":\"Bad Request\"}";
    let user = "{\"statusCode\":400,\"errors\":{\"userId\":[\"userId must be a mongodb id\"]},\
        \"message\":\"Bad Request\"}";
    let token = "{\"statusCode\":400,\"errors\":{\"token\":[\"token must be a string\"]},\
        \"message\":\"Bad Request\"}";
    for (query, said) in [
        (String::new(), both),
        ("?userId=1".to_owned(), both),
        ("?token=x".to_owned(), user),
        ("?userId=&token=x".to_owned(), user),
        (format!("?userId={id}0&token=x"), user),
        (format!("?userId={}&token=x", "g".repeat(24)), user),
        (format!("?userId={id}"), token),
    ] {
        let reply = world.send("GET", &format!("{VERIFY}{query}"), &[], "", None).await;
        says(&reply, 400, said);
    }
    // A string, but none that was mailed.
    for token in ["", "x", &"0".repeat(64), "%00%ff"] {
        says(&verify(world, id, token).await, 401, INVALID);
    }
}

#[tokio::test]
async fn only_the_own_and_exact_link_works() {
    let world = World::shared().await;
    let token = store_token(world, "OWN").await;
    let (one, other) = (new_email(), new_email());
    let (id, link) = customer(world, &token, &one).await;
    let (other_id, other_link) = customer(world, &token, &other).await;
    let gotu = user_id(&world.sign_up_by_email(&new_email()).await);
    for (user, link) in [
        (&id, other_link.clone()),
        (&other_id, link.clone()),
        (&id, link.to_ascii_uppercase()),
        (&id, format!("{link}0")),
        (&id, link[..63].to_owned()),
        (&gotu, link.clone()),
    ] {
        says(&verify(world, user, &link).await, 401, INVALID);
    }
    // A user's id is the same in either case of letters.
    says(&verify(world, &id.to_ascii_uppercase(), &link).await, 200, SUCCESS);
    says(&verify(world, &other_id, &other_link).await, 200, SUCCESS);
}

#[tokio::test]
async fn guesses_at_a_link_do_not_use_it_up() {
    let world = World::shared().await;
    let email = new_email();
    let (id, link) = customer(world, &store_token(world, "GUESSES").await, &email).await;
    for _ in 0..12 {
        says(&verify(world, &id, &"0".repeat(64)).await, 401, INVALID);
    }
    says(&verify(world, &id, &link).await, 200, SUCCESS);
}

#[tokio::test]
async fn an_address_in_two_stores_has_two_links() {
    let world = World::shared().await;
    let email = new_email();
    let mut links = Vec::new();
    for (store, count) in [("TWO1", 1), ("TWO2", 2)] {
        let token = store_token(world, store).await;
        let id = customer_id(&sign_up(world, &token, &by_email(&email)).await);
        let link = mailed_token(world, &email, &id, count).await;
        links.push((id, link));
    }
    says(&verify(world, &links[0].0, &links[1].1).await, 401, INVALID);
    says(&verify(world, &links[1].0, &links[1].1).await, 200, SUCCESS);
    let verified = |id: String| async move {
        world.items_with("Users", &id).await[0]["email_verified"].clone()
    };
    assert_eq!(verified(links[0].0.clone()).await, false);
    says(&verify(world, &links[0].0, &links[0].1).await, 200, SUCCESS);
}

#[tokio::test]
async fn a_link_that_has_ended_is_refused_while_its_item_is_there() {
    let world = World::shared().await;
    let email = new_email();
    let (id, link) = customer(world, &store_token(world, "ENDS").await, &email).await;
    let set = |value: Value| {
        json!({"TableName": "Challenges",
            "Key": {"challenge_id": {"S": format!("posbytz#ENDS#verify#email#{email}")}},
            "UpdateExpression": "SET expires_at = :end",
            "ConditionExpression": "attribute_exists(nonce)",
            "ExpressionAttributeValues": {":end": value}, "ReturnValues": "UPDATED_OLD"})
    };
    let old = world.dynamodb("UpdateItem", &set(json!({"N": "1000"}))).await;
    says(&verify(world, &id, &link).await, 401, INVALID);
    // Nothing but the end stood against it.
    world.dynamodb("UpdateItem", &set(old["Attributes"]["expires_at"].clone())).await;
    says(&verify(world, &id, &link).await, 200, SUCCESS);
}

#[tokio::test]
async fn many_clicks_at_once_verify_once() {
    let world = World::with(&NO_LIMITS).await;
    let email = new_email();
    let (id, link) = customer(&world, &store_token(&world, "STORE1").await, &email).await;
    let replies = all((0..20).map(|_| verify(&world, &id, &link))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{replies:?}");
    world.settled(&id).await;
    let events = world.events_of(&id).await;
    let verified = events.iter().filter(|event| event["detailType"] == "customer.email_verified");
    assert_eq!(verified.count(), 1);
}

#[tokio::test]
async fn looking_with_head_uses_nothing_up() {
    let world = World::shared().await;
    let email = new_email();
    let (id, link) = customer(world, &store_token(world, "HEAD").await, &email).await;
    let path = format!("{VERIFY}?userId={id}&token={link}");
    for method in ["HEAD", "POST", "OPTIONS"] {
        let reply = world.send(method, &path, &[], "", None).await;
        assert!(matches!(reply.status, 204 | 405), "{method}: {reply:?}");
    }
    says(&verify(world, &id, &link).await, 200, SUCCESS);
}

#[tokio::test]
async fn a_customer_without_an_address_has_no_link() {
    let world = World::shared().await;
    let token = store_token(world, "MOBILE").await;
    let body = super::by_mobile("+91", &new_number());
    let id = customer_id(&sign_up(world, &token, &body).await);
    says(&verify(world, &id, &"0".repeat(64)).await, 401, INVALID);
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_lasting_fault_uses_nothing_up() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    let fault = |mode: &str, count: u32| {
        json!({"service": "dynamodb", "mode": mode, "count": count,
            "operation": "TransactWriteItems", "function": "posbytz-email-verify"})
    };
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        let (id, link) = customer(&world, &token, &new_email()).await;
        world.fault(&fault(mode, 1)).await;
        says(&verify(&world, &id, &link).await, 200, SUCCESS);
        world.heal().await;
        world.events(&id, 3).await;
    }
    let (id, link) = customer(&world, &token, &new_email()).await;
    world.fault(&fault("error", 1000)).await;
    let internal = "{\"statusCode\":500,\"message\":\"Internal server error\"}";
    says(&verify(&world, &id, &link).await, 500, internal);
    world.heal().await;
    says(&verify(&world, &id, &link).await, 200, SUCCESS);
}

#[tokio::test]
async fn following_a_link_is_three_round_trips() {
    let world = World::with(&NO_LIMITS).await;
    let token = store_token(&world, "STORE1").await;
    // The first one warms up.
    let (id, link) = customer(&world, &token, &new_email()).await;
    says(&verify(&world, &id, &link).await, 200, SUCCESS);
    let (id, link) = customer(&world, &token, &new_email()).await;
    let before = world.calls("posbytz-email-verify").await.len();
    says(&verify(&world, &id, &link).await, 200, SUCCESS);
    let calls = world.calls("posbytz-email-verify").await.split_off(before);
    let calls: Vec<_> =
        calls.iter().map(|call| json!([call["operation"], call["resources"]])).collect();
    let expected = [
        json!(["GetItem", ["Users"]]),
        json!(["GetItem", ["Challenges"]]),
        json!(["TransactWriteItems", ["Challenges", "Identifiers", "Outbox", "Users"]]),
    ];
    assert_eq!(calls, expected);
}
