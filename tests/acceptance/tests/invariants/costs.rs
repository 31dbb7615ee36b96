//! What a request costs: round trips and write units (design.md, "Sign-up is one transaction").

use acceptance::{World, code_in, new_email, new_phone};
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
async fn verifying_a_mobile_is_three_round_trips() {
    let world = World::with(&[("OTP_RESEND_SECONDS", "0")]).await;
    let sign_in = async |mobile: &str, count| {
        let body = json!({"user_auth": {"mobile": mobile, "address_attributes": {}}});
        let key = world.post("/api/v1/auth/signup", &body).await.json()["otp_auth_key"].clone();
        let pin = code_in(world.message(mobile, count).await["body"].as_str().unwrap());
        let before = world.calls("goodcity-verify").await.len();
        let body = json!({"otp_auth_key": key, "pin": pin});
        assert_eq!(world.post("/api/v1/auth/verify", &body).await.status, 200);
        cost(&world, "goodcity-verify", before).await
    };
    // The first one warms up.
    sign_in("+85251224538", 1).await;
    let tables = json!(["Budgets", "Challenges", "Identifiers", "Outbox", "Users"]);
    let expected = [
        (json!("UpdateItem"), json!(["Challenges"])),
        (json!("GetItem"), json!(["Users"])),
        (json!("TransactWriteItems"), tables),
    ];
    assert_eq!(sign_in("+85251224538", 2).await, expected);
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
