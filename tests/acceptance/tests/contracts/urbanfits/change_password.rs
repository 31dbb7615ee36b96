//! `PUT /auth/otp/change-password`, `PUT /api/auth/otp/change-password`: sets a new password with a
//! code.

use acceptance::events::of_type;
use acceptance::urbanfits::{EXPIRED, INCORRECT, WRONG, new_person, refusal, session, user_id};
use acceptance::{NO_LIMITS, TestStack, all, count, urbanfits};
use serde_json::json;

#[tokio::test]
async fn a_code_sets_a_new_password_and_ends_every_session() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let registered = urbanfits(stack).registered(&username, &email).await;
    let (otp_id, code) = urbanfits(stack).reset_code(&email, 2).await;
    let reply = urbanfits(stack).change_password(&otp_id, &code, "battery staple").await;
    let changed = r#"{"success":true,"msg":"Your password was changed. Please sign in."}"#;
    reply.expect_text(200, changed);
    assert_eq!(urbanfits(stack).get_me(&session(&registered)).await.status, 401);
    assert_eq!(urbanfits(stack).log_in(&email, "password").await.status, 401);
    assert_eq!(urbanfits(stack).log_in(&email, "battery staple").await.status, 200);
    let again = urbanfits(stack).change_password(&otp_id, &code, "other staple").await;
    again.expect(401, &refusal(EXPIRED));
    let id = user_id(&registered);
    let events = stack.events(&id, 5).await;
    let changed = &of_type(&events, "user.password_changed")[0]["detail"];
    let ended = &of_type(&events, "session.revoked")[0]["detail"];
    assert_eq!(ended["reason"], "password_reset");
    assert_eq!(changed["correlationId"], ended["correlationId"]);
}

#[tokio::test]
async fn limits_and_ceilings_allow_a_reset() {
    let ceilings = [("MESSAGES_USD_PER_HOUR", "10"), ("MESSAGES_USD_PER_DAY", "10")];
    let env = [&[("OTP_RESEND_SECONDS", "0")], &ceilings[..]].concat();
    let stack = &TestStack::with(&env).await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    let (_, unknown) = new_person();
    assert_eq!(urbanfits(stack).forgot_password(&unknown).await.status, 200);
    for (password, count) in [("battery staple", 2), ("other staple", 3)] {
        let (otp_id, code) = urbanfits(stack).reset_code(&email, count).await;
        let reply = urbanfits(stack).change_password(&otp_id, &code, password).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(urbanfits(stack).log_in(&email, password).await.status, 200);
    }
}

#[tokio::test]
async fn many_at_once_with_one_code_set_one_password() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    urbanfits(stack).registered(&username, &email).await;
    let (otp_id, code) = urbanfits(stack).reset_code(&email, 2).await;
    let passwords: Vec<_> = (0..4).map(|number| format!("new password {number}")).collect();
    let changes = passwords.iter().map(|new| urbanfits(stack).change_password(&otp_id, &code, new));
    let replies = all(changes).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 3), "{replies:?}");
    let winner = replies.iter().position(|reply| reply.status == 200).unwrap();
    assert_eq!(urbanfits(stack).log_in(&email, &passwords[winner]).await.status, 200);
}

#[tokio::test]
async fn every_refusal_is_named_and_changes_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let (sign_up_id, sign_up_code) = urbanfits(stack).pending(&username, &email).await;
    urbanfits(stack).enter_code(&sign_up_id, &sign_up_code).await;
    let (otp_id, code) = urbanfits(stack).reset_code(&email, 2).await;
    let missing =
        refusal("All valid parameters are required. Body Parameters: otp_id, otp, new_password");
    for body in [
        json!({}),
        json!({"otp_id": "short", "otp": code, "new_password": "battery staple"}),
        json!({"otp_id": otp_id, "new_password": "battery staple"}),
        json!({"otp_id": otp_id, "otp": code}),
    ] {
        stack.call("urbanfits-change-password").json(&body).await.expect(400, &missing);
    }
    for (otp_id, code, password, status, text) in [
        (&otp_id, &*code, "short", 400, "Password should be at least 8 characters."),
        (&otp_id, &*code, "password", 400, "Password is too common."),
        (&otp_id, WRONG, "battery staple", 401, INCORRECT),
        (&sign_up_id, &*sign_up_code, "battery staple", 401, EXPIRED),
    ] {
        let reply = urbanfits(stack).change_password(otp_id, code, password).await;
        reply.expect(status, &refusal(text));
    }
    // A code for a new password completes no sign-up.
    urbanfits(stack).enter_code(&otp_id, &code).await.expect(401, &refusal(EXPIRED));
    assert_eq!(urbanfits(stack).log_in(&email, "password").await.status, 200);
}

#[tokio::test]
async fn the_code_of_an_unknown_address_sets_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (_, email) = new_person();
    let asked = urbanfits(stack).forgot_password(&email).await;
    let otp_id = asked.json()["otp_id"].as_str().unwrap().to_owned();
    let guesses = (10_000..10_005).map(|code| code.to_string());
    for code in guesses {
        let refused = urbanfits(stack).change_password(&otp_id, &code, "battery staple").await;
        refused.expect(401, &refusal(INCORRECT));
    }
    let over = urbanfits(stack).change_password(&otp_id, "10005", "battery staple").await;
    over.expect(401, &refusal(EXPIRED));
}
