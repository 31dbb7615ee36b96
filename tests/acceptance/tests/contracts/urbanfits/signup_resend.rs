//! `POST /auth/signup/resend`, `POST /api/auth/signup/resend`: sends the code of a sign-up that
//! waits again.

use acceptance::urbanfits::{
    EXPIRED, INCORRECT, TOO_MANY, UNKNOWN_ID, WRONG, new_person, otp_id, refusal,
};
use acceptance::{NO_LIMITS, TestStack, all, count, urbanfits};
use serde_json::{Value, json};

/// The answer for an address of [`new_person`].
fn sent_again(otp_id: &str) -> String {
    let msg = "Verification Email sent to f•••@d•••.com";
    format!(r#"{{"success":true,"otp_id":"{otp_id}","msg":"{msg}"}}"#)
}

/// The key of the item of the handle and that of the item of the recipient, of a sign-up that waits.
async fn keys(stack: &TestStack, email: &str) -> (Value, Value) {
    let mut items = stack.items_with("Challenges", email).await;
    items.sort_by_key(|item| item.get("recipient").is_none());
    assert_eq!(items.len(), 2, "{items:?}");
    (items[0]["challenge_id"].clone(), items[1]["challenge_id"].clone())
}

#[tokio::test]
async fn a_new_code_comes_under_the_same_id_and_the_one_before_is_over() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let (otp_id, first) = urbanfits(stack).pending(&username, &email).await;
    urbanfits(stack).resend(&otp_id).await.expect_text(200, &sent_again(&otp_id));
    let mut second = urbanfits(stack).code(&email, 2).await;
    // One code in 90000 is like the one before.
    if second == first {
        urbanfits(stack).resend(&otp_id).under("/api").await.expect_text(200, &sent_again(&otp_id));
        second = urbanfits(stack).code(&email, 3).await;
    }
    let refused = urbanfits(stack).enter_code(&otp_id, &first).await;
    refused.expect(401, &refusal(INCORRECT));
    let registered = urbanfits(stack).enter_code(&otp_id, &second).await;
    assert_eq!(registered.json()["user"]["username"], username, "{registered:?}");
    let used = urbanfits(stack).resend(&otp_id).await;
    used.expect(401, &refusal(EXPIRED));
    stack.wait_until_delivered(&email).await;
    assert_eq!(stack.messages(&email).await.len(), if second == first { 3 } else { 2 });
}

#[tokio::test]
async fn a_resend_is_a_send_of_the_address() {
    let stack = &TestStack::with(&[]).await;
    let (username, email) = new_person();
    let otp_id = otp_id(&urbanfits(stack).sign_up(&username, &email).await, &email);
    urbanfits(stack).code(&email, 1).await;
    let early = urbanfits(stack).resend(&otp_id).await;
    early.expect(429, &refusal(TOO_MANY));
    early.expect_wait(60);
    let (_, recipient) = keys(stack, &email).await;
    stack.set_past("Challenges", "challenge_id", recipient, "sent_at").await;
    // Of many at once, one sends.
    let replies = all((0..6).map(|_| urbanfits(stack).resend(&otp_id))).await;
    assert_eq!((count(&replies, 200), count(&replies, 429)), (1, 5), "{replies:?}");
    stack.wait_until_delivered(&email).await;
    assert_eq!(stack.messages(&email).await.len(), 2);
    let code = urbanfits(stack).code(&email, 2).await;
    assert_eq!(urbanfits(stack).enter_code(&otp_id, &code).await.status, 200);
}

#[tokio::test]
async fn the_limits_of_the_hour_and_of_the_source_count_resends() {
    let hour = [("OTP_SENDS_PER_HOUR", "2"), ("OTP_RESEND_SECONDS", "0")];
    let source = [("OTP_SENDS_PER_HOUR_PER_IP", "2"), ("OTP_RESEND_SECONDS", "0")];
    for limits in [hour, source] {
        let stack = &TestStack::with(&limits).await;
        let (username, email) = new_person();
        let otp_id = otp_id(&urbanfits(stack).sign_up(&username, &email).await, &email);
        // A code that is replaced before it is sent is never sent.
        urbanfits(stack).code(&email, 1).await;
        urbanfits(stack).resend(&otp_id).await.expect_text(200, &sent_again(&otp_id));
        let over = urbanfits(stack).resend(&otp_id).await;
        over.expect(429, &refusal(TOO_MANY));
        over.expect_wait(3600);
        let code = urbanfits(stack).code(&email, 2).await;
        assert_eq!(urbanfits(stack).enter_code(&otp_id, &code).await.status, 200);
    }
}

#[tokio::test]
async fn a_code_that_has_expired_is_replaced_until_the_sign_up_is_an_hour_old() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let (otp_id, _) = urbanfits(stack).pending(&username, &email).await;
    let (handle, recipient) = keys(stack, &email).await;
    for item in [&handle, &recipient] {
        stack.expire("Challenges", "challenge_id", item.clone()).await;
    }
    urbanfits(stack).resend(&otp_id).await.expect_text(200, &sent_again(&otp_id));
    let code = urbanfits(stack).code(&email, 2).await;

    let item = stack.items_with("Challenges", &email).await;
    let held = item.iter().find(|item| item["challenge_id"] == handle).unwrap();
    let time = |value: &Value| value.as_f64().unwrap();
    let (began, kept) = (time(&held["pending"]["began_at"]), time(&held["purge_at"]));
    assert!((3600.0..3601.5).contains(&(kept - began)), "{held}");
    let update = json!({"TableName": "Challenges", "Key": {"challenge_id": {"S": handle}},
        "UpdateExpression": "SET pending.began_at = :then",
        "ExpressionAttributeValues": {":then": {"N": (began - 3601.0).to_string()}}});
    stack.dynamodb("UpdateItem", &update).await;
    urbanfits(stack).resend(&otp_id).await.expect(401, &refusal(EXPIRED));
    // The last code still works.
    assert_eq!(urbanfits(stack).enter_code(&otp_id, &code).await.status, 200);
}

#[tokio::test]
async fn the_hour_of_a_sign_up_that_an_older_version_stored_begins_with_its_mail() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let (otp_id, _) = urbanfits(stack).pending(&username, &email).await;
    let (handle, _) = keys(stack, &email).await;
    let update = json!({"TableName": "Challenges", "Key": {"challenge_id": {"S": handle}},
        "UpdateExpression": "REMOVE pending.began_at"});
    stack.dynamodb("UpdateItem", &update).await;
    urbanfits(stack).resend(&otp_id).await.expect_text(200, &sent_again(&otp_id));
    // The resend stored it.
    stack.set_past("Challenges", "challenge_id", handle.clone(), "sent_at").await;
    urbanfits(stack).resend(&otp_id).await.expect_text(200, &sent_again(&otp_id));
    stack.dynamodb("UpdateItem", &update).await;
    stack.set_past("Challenges", "challenge_id", handle, "sent_at").await;
    urbanfits(stack).resend(&otp_id).await.expect(401, &refusal(EXPIRED));
}

#[tokio::test]
async fn a_sign_up_that_is_over_gets_no_code() {
    let stack = TestStack::shared().await;
    urbanfits(stack).resend(UNKNOWN_ID).await.expect(401, &refusal(EXPIRED));

    let (username, email) = new_person();
    let (guessed, _) = urbanfits(stack).pending(&username, &email).await;
    for _ in 0..5 {
        urbanfits(stack).enter_code(&guessed, WRONG).await.expect(401, &refusal(INCORRECT));
    }
    urbanfits(stack).resend(&guessed).await.expect(401, &refusal(EXPIRED));

    let newer = otp_id(&urbanfits(stack).sign_up(&username, &email).await, &email);
    for item in stack.items_with("Challenges", &email).await {
        stack.expire("Challenges", "challenge_id", item["challenge_id"].clone()).await;
    }
    let newest = otp_id(&urbanfits(stack).sign_up(&username, &email).await, &email);
    for replaced in [&guessed, &newer] {
        urbanfits(stack).resend(replaced).await.expect(401, &refusal(EXPIRED));
    }
    let code = urbanfits(stack).code(&email, 3).await;
    assert_eq!(urbanfits(stack).enter_code(&newest, &code).await.status, 200);

    // The id of a code for a new password names no sign-up.
    let asked = urbanfits(stack).forgot_password(&email).await;
    let reset = asked.json()["otp_id"].as_str().unwrap().to_owned();
    urbanfits(stack).resend(&reset).await.expect(401, &refusal(EXPIRED));
    stack.wait_until_delivered(&email).await;
    assert_eq!(stack.messages(&email).await.len(), 4);
}

#[tokio::test]
async fn a_decoy_answers_and_costs_the_same_and_sends_nothing() {
    let ceilings = [("MESSAGES_USD_PER_HOUR", "10"), ("MESSAGES_USD_PER_DAY", "10")];
    let env = [&[("OTP_RESEND_SECONDS", "0")], &ceilings[..]].concat();
    let stack = &TestStack::with(&env).await;
    let ((username, genuine), (other_name, decoy)) = (new_person(), new_person());
    let genuine_id = otp_id(&urbanfits(stack).sign_up(&username, &genuine).await, &genuine);
    let decoy_id = otp_id(&urbanfits(stack).sign_up(&other_name, &decoy).await, &decoy);
    // A sign-up is stored so if its address got an account while it began.
    let (handle, _) = keys(stack, &decoy).await;
    stack.set("Challenges", "challenge_id", handle, "sent", &json!({"BOOL": false})).await;
    // A mail that is replaced before it is sent is never sent.
    stack.message(&decoy, 1).await;
    let mut answers = Vec::new();
    // The first one warms up.
    for (otp_id, mails) in [(&genuine_id, 1), (&genuine_id, 2), (&decoy_id, 3), (&decoy_id, 3)] {
        stack.message(&genuine, mails).await;
        let resend = urbanfits(stack).resend(otp_id);
        let (reply, calls) = stack.calls_during("urbanfits-signup-resend", resend).await;
        reply.expect_text(200, &sent_again(otp_id));
        let calls: Vec<_> =
            calls.iter().map(|call| json!([call["operation"], call["resources"]])).collect();
        answers.push((reply.visible(), calls));
    }
    assert!(answers[1] == answers[2] && answers[2] == answers[3], "{answers:?}");
    for (email, mails) in [(&genuine, 3), (&decoy, 1)] {
        stack.wait_until_delivered(email).await;
        assert_eq!(stack.messages(email).await.len(), mails, "{email}");
    }
}

#[tokio::test]
async fn a_malformed_request_is_named_and_sends_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let missing = refusal("All valid parameters are required. Body Parameter: otp_id");
    for body in [
        json!({}),
        json!({"otp_id": ""}),
        json!({"otp_id": "short"}),
        json!({"otp_id": 1}),
        json!([UNKNOWN_ID]),
        Value::Null,
    ] {
        stack.call("urbanfits-signup-resend").json(&body).await.expect(400, &missing);
    }
    assert!(stack.items("Challenges").await.is_empty());
}
