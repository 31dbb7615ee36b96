//! `POST /auth/otp/forgot-password`, `POST /api/auth/otp/forgot-password`: mails a code that allows
//! a new password.

use acceptance::urbanfits::{new_person, refusal};
use acceptance::{NO_LIMITS, TestStack, urbanfits};
use serde_json::{Value, json};

#[tokio::test]
async fn the_caller_cannot_tell_who_has_an_account() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let ((username, known), (_, unknown)) = (new_person(), new_person());
    urbanfits(stack).registered(&username, &known).await;
    let mut answers = Vec::new();
    // The first one warms up.
    for email in [&known, &known, &unknown] {
        let asked = urbanfits(stack).forgot_password(email);
        let (reply, calls) = stack.calls_during("urbanfits-forgot-password", asked).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let otp_id = reply.json()["otp_id"].as_str().unwrap().to_owned();
        let text = reply.body.replace(&otp_id, "<id>").replace(email, "<email>");
        let calls: Vec<_> =
            calls.iter().map(|call| json!([call["operation"], call["resources"]])).collect();
        answers.push((text, otp_id.len(), calls));
    }
    assert_eq!(answers[1], answers[2]);
    let expected = r#"{"success":true,"otp_id":"<id>","msg":"Verification Email sent to <email>"}"#;
    assert_eq!(answers[2].0, expected);
    let mail = stack.message(&known, 2).await;
    assert_eq!(mail["subject"], "Set a new password for UrbanFits");
    stack.wait_until_delivered(&unknown).await;
    assert!(stack.messages(&unknown).await.is_empty());
}

#[tokio::test]
async fn a_malformed_request_is_named_and_sends_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let missing = "All valid parameters are required. Body Parameter: email";
    for (body, text) in [
        (json!({}), missing),
        (json!({"email": ""}), missing),
        (json!({"email": 1}), missing),
        (Value::Null, missing),
        (json!({"email": "x"}), "Email should be a valid email address."),
    ] {
        let reply = stack.call("urbanfits-forgot-password").json(&body).await;
        reply.expect(400, &refusal(text));
    }
    assert!(stack.items("Challenges").await.is_empty());
}
