//! Invariants 1, 2 and 6: races for one code, guesses, and codes that have ended.

use acceptance::{NO_LIMITS, Reply, World, all, new_email, new_phone, user_id};
use serde_json::{Value, json};

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

#[tokio::test]
async fn fifty_racers_with_one_code_make_one_account() {
    let world = World::with(&NO_LIMITS).await;
    // Each racer's guess counts, so let every one of them reach the transaction.
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let replies = all((0..50).map(|_| world.sign_up_by_phone(&phone, &code))).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 49), "{replies:?}");
    assert_one_account(&world, &replies).await;
}

#[tokio::test]
async fn fifty_racers_that_may_all_guess_make_one_account() {
    let mut env = NO_LIMITS.to_vec();
    env.push(("OTP_MAX_ATTEMPTS", "1000"));
    let world = World::with(&env).await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let replies = all((0..50).map(|_| world.sign_up_by_phone(&phone, &code))).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 49), "{replies:?}");
    assert_one_account(&world, &replies).await;
}

#[tokio::test]
async fn fifty_racers_with_one_address_make_one_account() {
    let world = World::with(&NO_LIMITS).await;
    let email = new_email();
    let replies = all((0..50).map(|_| world.sign_up_by_email(&email))).await;
    assert_eq!((count(&replies, 200), count(&replies, 400)), (1, 49), "{replies:?}");
    assert_one_account(&world, &replies).await;
}

async fn assert_one_account(world: &World, replies: &[Reply]) {
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    let id = user_id(winner);
    for table in ["Users", "Identifiers", "Devices", "Sessions"] {
        let items = world.items(table).await;
        assert_eq!(items.len(), 1, "{table}");
        assert_eq!(items[0]["user_id"], id, "{table}");
    }
    world.settled("AUTH_USER_CREATED").await;
    let events = world.all_events().await;
    let types: Vec<_> = events.iter().map(|event| &event["detailType"]).collect();
    assert_eq!(types, ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"]);
}

#[tokio::test]
async fn two_hundred_wrong_guesses_at_once_are_worth_five() {
    let world = World::with(&NO_LIMITS).await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let wrong = |number: usize| {
        let guess = format!("{number:05}");
        if guess == code { "99999".to_owned() } else { guess }
    };
    let guesses: Vec<_> = (0..200).map(wrong).collect();
    let replies = all(guesses.iter().map(|guess| world.sign_up_by_phone(&phone, guess))).await;
    assert_eq!(count(&replies, 401), 200, "{replies:?}");
    let reply = world.sign_up_by_phone(&phone, &code).await;
    reply.expect(401, &json!({"error": "invalid or expired otp code"}));
    assert_eq!(world.items("Challenges").await[0]["attempts"], 5);
    assert!(world.items("Users").await.is_empty());
}

#[tokio::test]
async fn a_code_that_has_ended_is_refused_while_its_item_is_there() {
    let world = World::shared().await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let set = |value: Value| {
        json!({"TableName": "Challenges",
            "Key": {"challenge_id": {"S": format!("gotu#sign_up#phone#{phone}")}},
            "UpdateExpression": "SET expires_at = :end",
            "ConditionExpression": "attribute_exists(nonce)",
            "ExpressionAttributeValues": {":end": value}, "ReturnValues": "UPDATED_OLD"})
    };
    let old = world.dynamodb("UpdateItem", &set(json!({"N": "1000"}))).await;
    let reply = world.sign_up_by_phone(&phone, &code).await;
    reply.expect(401, &json!({"error": "invalid or expired otp code"}));
    // Nothing but the end stood against it.
    world.dynamodb("UpdateItem", &set(old["Attributes"]["expires_at"].clone())).await;
    assert_eq!(world.sign_up_by_phone(&phone, &code).await.status, 200);
}

#[tokio::test]
async fn a_code_works_for_as_long_as_configured() {
    let world = World::with(&[("OTP_TTL_SECONDS", "77")]).await;
    let phone = new_phone();
    world.code(&phone, "sign_up", 1).await;
    let challenge = &world.items("Challenges").await[0];
    let life = challenge["expires_at"].as_f64().unwrap() - challenge["sent_at"].as_f64().unwrap();
    assert!((life - 77.0).abs() < 0.002, "{life}");
    assert!(
        challenge["purge_at"].as_u64().unwrap() > challenge["expires_at"].as_u64().unwrap_or(0)
    );
}
