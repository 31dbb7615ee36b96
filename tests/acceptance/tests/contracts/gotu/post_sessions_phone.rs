//! `POST /sessions/phone` (contracts.md A.3).

use acceptance::{NO_LIMITS, Reply, World, all, new_phone, token_parts, user_id};
use serde_json::json;

async fn sign_in(world: &World, phone: &str, code: &str) -> Reply {
    world.post("/sessions/phone", &json!({"phoneNumber": phone, "otpCode": code})).await
}

/// A phone with an account, and the account's id.
async fn registered(world: &World) -> (String, String) {
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let id = user_id(&world.sign_up_by_phone(&phone, &code).await);
    (phone, id)
}

#[tokio::test]
async fn a_login_code_opens_a_session_once() {
    let world = World::shared().await;
    let (phone, id) = registered(world).await;
    let code = world.code(&phone, "login", 2).await;
    let reply = sign_in(world, &phone, &code).await;
    assert_eq!(user_id(&reply), id);
    let (_, claims) = token_parts(reply.json()["data"]["accessToken"].as_str().unwrap());
    assert_eq!(claims["userType"], "DNT", "what was given at sign-up");
    sign_in(world, &phone, &code)
        .await
        .expect(401, &json!({"error": "invalid or expired otp code"}));
    let events = world.events(&id, 3).await;
    assert_eq!(events[2]["detail"]["method"], "otp");
}

#[tokio::test]
async fn codes_of_other_purposes_and_strangers_open_nothing() {
    let world = World::shared().await;
    let (phone, _) = registered(world).await;
    let refused = json!({"error": "invalid or expired otp code"});
    let code = world.code(&phone, "reset_password", 2).await;
    sign_in(world, &phone, &code).await.expect(401, &refused);
    let stranger = new_phone();
    let code = world.code(&stranger, "sign_up", 1).await;
    sign_in(world, &stranger, &code).await.expect(401, &refused);
    for (body, text) in [
        (json!({}), "phoneNumber is required"),
        (json!({"phoneNumber": phone}), "otpCode is required"),
        (
            json!({"phoneNumber": "0812", "otpCode": "12345"}),
            "phoneNumber must be a phone number in E.164 format",
        ),
        (json!({"phoneNumber": phone, "otpCode": "abc"}), "otpCode must be 4 to 8 digits"),
    ] {
        world.post("/sessions/phone", &body).await.expect(400, &json!({"error": text}));
    }
}

#[tokio::test]
async fn racers_with_one_code_get_one_session() {
    let world = World::with(&NO_LIMITS).await;
    let (phone, _) = registered(&world).await;
    let code = world.code(&phone, "login", 2).await;
    let replies = all((0..20).map(|_| sign_in(&world, &phone, &code))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{replies:?}");
    assert_eq!(world.items("Sessions").await.len(), 2);
}

#[tokio::test]
async fn five_wrong_guesses_burn_the_code() {
    let world = World::shared().await;
    let (phone, _) = registered(world).await;
    let code = world.code(&phone, "login", 2).await;
    let wrong = if code == "00000" { "11111" } else { "00000" };
    for _ in 0..5 {
        assert_eq!(sign_in(world, &phone, wrong).await.status, 401);
    }
    assert_eq!(sign_in(world, &phone, &code).await.status, 401);
}

#[tokio::test]
async fn wrong_guesses_of_one_address_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "2"), ("OTP_SENDS_PER_HOUR", "0")];
    let world = World::with(&env).await;
    let (phone, _) = registered(&world).await;
    let code = world.code(&phone, "login", 2).await;
    let wrong = if code == "00000" { "11111" } else { "00000" };
    for _ in 0..2 {
        assert_eq!(sign_in(&world, &phone, wrong).await.status, 401);
    }
    for code in [wrong, &code] {
        let reply = sign_in(&world, &phone, code).await;
        reply.expect(429, &json!({"error": "too many requests"}));
    }
    assert_eq!(world.items("Sessions").await.len(), 1);
}
