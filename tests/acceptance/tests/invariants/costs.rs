//! What a request costs: round trips and write units (design.md, "Sign-up is one transaction").

use acceptance::{World, new_email, new_phone};
use serde_json::{Value, json};

async fn cost(world: &World, function: &str, before: usize) -> Vec<(Value, Value)> {
    let calls = world.calls(function).await.split_off(before);
    calls.into_iter().map(|call| (call["operation"].clone(), call["resources"].clone())).collect()
}

#[tokio::test]
async fn a_sign_up_by_mail_is_one_round_trip_and_one_by_phone_two() {
    let world = World::with(&[("OTP_RESEND_SECONDS", "0")]).await;
    // The first sign-up of a process warms up and takes a block of ids.
    assert_eq!(world.sign_up_by_email(&new_email()).await.status, 200);
    let sequences = world.calls("gotu-post-users").await;
    let refills = sequences.iter().filter(|call| call["resources"] == json!(["Sequences"]));
    assert_eq!(refills.count(), 1);

    let before = world.calls("gotu-post-users").await.len();
    assert_eq!(world.sign_up_by_email(&new_email()).await.status, 200);
    let tables = json!(["Budgets", "Devices", "Identifiers", "Outbox", "Sessions", "Users"]);
    let expected = [(json!("TransactWriteItems"), tables)];
    assert_eq!(cost(&world, "gotu-post-users", before).await, expected);

    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let before = world.calls("gotu-post-users").await.len();
    assert_eq!(world.sign_up_by_phone(&phone, &code).await.status, 200);
    let tables =
        json!(["Budgets", "Challenges", "Devices", "Identifiers", "Outbox", "Sessions", "Users"]);
    let expected =
        [(json!("UpdateItem"), json!(["Challenges"])), (json!("TransactWriteItems"), tables)];
    assert_eq!(cost(&world, "gotu-post-users", before).await, expected);
}

#[tokio::test]
async fn a_code_is_two_round_trips() {
    let world = World::with(&[]).await;
    world.code(&new_phone(), "sign_up", 1).await;
    let before = world.calls("gotu-post-otp").await.len();
    world.code(&new_phone(), "sign_up", 1).await;
    let expected = [
        (json!("BatchGetItem"), json!(["Challenges", "Identifiers"])),
        (json!("TransactWriteItems"), json!(["Budgets", "Challenges", "Outbox"])),
    ];
    assert_eq!(cost(&world, "gotu-post-otp", before).await, expected);
}
