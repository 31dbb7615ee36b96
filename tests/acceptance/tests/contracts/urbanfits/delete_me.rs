//! `DELETE /user/delete/me`, `DELETE /api/user/delete/me`: deletes the account of the signed-in
//! user after the password, and clears both cookies.

use acceptance::events::of_type;
use acceptance::urbanfits::{new_person, otp_id, refusal, session, user_id};
use acceptance::{NO_LIMITS, NO_PAUSE, TestStack, urbanfits};
use serde_json::json;

#[tokio::test]
async fn the_password_deletes_the_account_and_clears_the_cookies() {
    let stack = &TestStack::with(&NO_PAUSE).await;
    let (username, email) = new_person();
    let registered = urbanfits(stack).registered(&username, &email).await;
    let (cookie, id) = (session(&registered), user_id(&registered));
    let card = registered.json()["user"]["uf_wallet"]["card_number"].as_str().map(str::to_owned);
    let wrong = urbanfits(stack).delete_account(&cookie, "a wrong password").await;
    wrong.expect(401, &refusal("Your email, username or password is incorrect."));
    let reply = urbanfits(stack).delete_account(&cookie, "password").await;
    reply.expect_text(200, r#"{"success":true,"msg":"Your account was deleted."}"#);
    assert!(reply.header("set-cookie").contains("Max-Age=0"), "{reply:?}");
    let events = stack.events(&id, 3).await;
    assert_eq!(of_type(&events, "user.deleted")[0]["detail"]["userId"], id);
    // The ledger keeps the credit of the wallet. The count of codes to the address ends by itself.
    assert_eq!(stack.tables_with(&[&id]).await, ["Ledger"]);
    assert_eq!(stack.tables_with(&[&email]).await, ["Challenges"]);
    assert!(stack.tables_with(&[&username]).await.is_empty());
    if let Some(card) = card {
        assert!(stack.tables_with(&[&card]).await.is_empty());
    }
    assert_eq!(urbanfits(stack).get_me(&cookie).await.status, 401);
    assert_eq!(urbanfits(stack).log_in(&email, "password").await.status, 401);
    // Name and address are free.
    let reply = urbanfits(stack).sign_up(&username, &email).await;
    let (otp_id, code) = (otp_id(&reply, &email), urbanfits(stack).code(&email, 2).await);
    assert_eq!(urbanfits(stack).enter_code(&otp_id, &code).await.status, 200);
}

#[tokio::test]
async fn without_a_session_or_a_password_nothing_is_deleted() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let cookie = session(&urbanfits(stack).registered(&username, &email).await);
    let parameters = "All valid parameters are required. Body Parameter: password";
    for body in [json!({}), json!({"password": ""}), json!({"password": 1}), json!([])] {
        let call =
            stack.call("urbanfits-delete-me").header("cookie", format!("session-token={cookie}"));
        call.json(&body).await.expect(400, &refusal(parameters));
    }
    let ended = "Your session is invalid or expired. Please sign in again.";
    let reply = urbanfits(stack).delete_account("no-session", "password").await;
    reply.expect(401, &refusal(ended));
    assert_eq!(stack.items("Users").await.len(), 1);
}
