//! People of all contracts who do everything that an event tells.

use acceptance::events::types;
use acceptance::faults::Fault;
use acceptance::gotu::{PASSWORD, tokens};
use acceptance::posbytz::{by_email, by_mobile, customer_id, new_number, session, typed};
use acceptance::urbanfits::{new_person, session as cookie};
use acceptance::{TestStack, code_in, goodcity, gotu, new_email, new_phone, posbytz, urbanfits};
use serde_json::{Value, json};

/// A number that nothing is sent to.
pub(crate) const TEST_NUMBER: &str = "+447700900123";

/// Lets people act, and returns all events of the stack once those after the first `before` are complete.
pub(crate) async fn run(stack: &TestStack, before: usize) -> Vec<Value> {
    let messages = messages(stack).await.len();
    // Several users of each contract, so that a rule has several events.
    for turn in 0..2 {
        of_gotu(stack).await;
        of_goodcity(stack).await;
        of_urbanfits(stack).await;
        of_posbytz(stack, turn).await;
        of_operators(stack).await;
    }
    of_messages(stack, before).await;
    let complete = async || {
        if !stack.items("Outbox").await.is_empty() {
            return None;
        }
        let arrived = self::messages(stack).await.len().checked_sub(messages)?;
        let events = stack.all_events().await;
        let kinds = types(events.get(before..)?);
        let count = |name: &str| kinds.iter().filter(|kind| **kind == name).count();
        // Two of the messages that were sent did not arrive. The list has the others.
        let is_complete = count("MESSAGE_SENT") == arrived.saturating_add(2)
            && count("MESSAGE_DELIVERED") == arrived
            && stack.items("Outbox").await.is_empty();
        is_complete.then_some(events)
    };
    stack.wait_for("all events", complete).await
}

async fn messages(stack: &TestStack) -> Vec<Value> {
    stack.local("messages").await["messages"].as_array().unwrap().clone()
}

async fn of_gotu(stack: &TestStack) {
    let (email, phone) = (new_email(), new_phone());
    let first = tokens(&gotu(stack).sign_up_by_email(&email).await);
    let second = tokens(&gotu(stack).sign_in(&email, PASSWORD).await);
    gotu(stack).sign_out(&first.access).await.expect_text(204, "");
    let body = gotu(stack).proved_phone(&phone, 1).await;
    gotu(stack).change_phone(&second.access, &body).await.expect_text(204, "");
    let code = gotu(stack).code(&email, "reset_password", 1).await;
    let proof = gotu(stack).verify_code(&email, &code, "reset_password").await;
    let token = proof.json()["data"]["requestToken"].clone();
    let body = json!({"newPassword": "battery staple", "requestToken": token});
    let reply = gotu(stack).set_password(&body).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    let third = tokens(&gotu(stack).sign_in(&email, "battery staple").await);
    let body = json!({"password": "battery staple"});
    gotu(stack).delete_account(&third.access, &body).await.expect_text(204, "");
}

async fn of_goodcity(stack: &TestStack) {
    let mobile = goodcity::new_mobile();
    let token = goodcity::token(&goodcity(stack).registered(&mobile).await);
    for handle in ["one", "two"] {
        let handle = format!("{handle} of {mobile}");
        goodcity(stack).register_device(&token, &handle, "fcm").await.expect_text(204, "");
    }
    let key = goodcity::otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    let pin = goodcity(stack).pin(&mobile, 2).await;
    goodcity(stack).delete_account(&token, &key, &pin).await.expect_text(204, "");
}

async fn of_urbanfits(stack: &TestStack) {
    let (username, email) = new_person();
    let first = cookie(&urbanfits(stack).registered(&username, &email).await);
    assert_eq!(urbanfits(stack).log_out(&first).await.status, 200);
    let (otp_id, code) = urbanfits(stack).reset_code(&email, 2).await;
    let reply = urbanfits(stack).change_password(&otp_id, &code, "battery staple").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let second = cookie(&urbanfits(stack).log_in(&email, "battery staple").await);
    let reply = urbanfits(stack).delete_account(&second, "battery staple").await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

async fn of_posbytz(stack: &TestStack, turn: u32) {
    let client = posbytz(stack).store_token(&format!("MATRIX{turn}")).await;
    // By mobile: the code verifies and signs in.
    let number = new_number();
    let id = customer_id(&posbytz(stack).sign_up(&client, &by_mobile("+91", &number)).await);
    let code = code_in(&stack.text(&format!("+91{number}"), 1).await);
    let entered = posbytz(stack).enter_code(&client, &typed(&number, &code)).await;
    assert_eq!(entered.status, 200, "{entered:?}");
    // By mail, with the first one as referrer: the link verifies.
    let email = new_email();
    let mut body = by_email(&email);
    body["referredBy"] = json!(id);
    let id = customer_id(&posbytz(stack).sign_up(&client, &body).await);
    let secret = posbytz(stack).mailed_secret(&email, &id, 1).await;
    assert_eq!(posbytz(stack).verify_email(&id, &secret).await.status, 200);
    let to = json!({"email": email});
    assert_eq!(posbytz(stack).forgot_password(&client, &to).await.status, 200);
    let otp = code_in(&stack.text(&email, 2).await);
    let reply = posbytz(stack).reset_password(&client, &to, (&otp, "battery staple")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let entry = json!({"email": email, "password": "battery staple"});
    let customer = session(&posbytz(stack).sign_in(&client, &entry).await);
    let reply = posbytz(stack).delete_customer(&client, &customer, "battery staple").await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// What operators do with a user, and a request for the code of a test number.
async fn of_operators(stack: &TestStack) {
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    for verb in ["ban", "unban", "erase"] {
        let payload = json!({"verb": verb, "who": "support", "why": "a test", "person": email});
        let reply = stack.invoke("people", &payload).await;
        reply.expect_invoked();
        assert!(!reply.body.contains("refused"), "{reply:?}");
    }
    gotu(stack).ask_for_code(TEST_NUMBER, "sign_up").await.expect_text(204, "");
}

/// Messages that do not arrive, or that are called spam.
async fn of_messages(stack: &TestStack, before: usize) {
    for (service, mode, kind) in [
        ("sns", "undelivered", "MESSAGE_FAILED"),
        ("ses", "bounced", "MESSAGE_BOUNCED"),
        ("ses", "complained", "MESSAGE_COMPLAINED"),
    ] {
        stack.fault(&Fault::of(service, mode).times(1)).await;
        let to = if service == "sns" { new_phone() } else { new_email() };
        gotu(stack).ask_for_code(&to, "sign_up").await.expect_text(204, "");
        let told = async || {
            let events = stack.all_events().await;
            types(events.get(before..)?).contains(&kind).then_some(())
        };
        stack.wait_for(kind, told).await;
    }
}
