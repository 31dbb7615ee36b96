//! The messages to a new customer.

use super::documented;
use acceptance::faults::Fault;
use acceptance::posbytz::{by_mobile, customer_id, new_number};
use acceptance::tokens::seconds_between;
use acceptance::{
    KNOWN_RING, NO_LIMITS, TestStack, code_in, derived_code, posbytz, without_limits,
};
use latchkey::contracts::posbytz as contract;
use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::realm::Realm;
use serde_json::json;

#[tokio::test]
async fn a_mobile_gets_a_code_that_is_a_number() {
    let env = without_limits(&[("OTP_KEY_RING", KNOWN_RING)]);
    let stack = &TestStack::with(&env).await;
    let token = posbytz(stack).store_token("STORE1").await;
    for _ in 0..8 {
        let number = new_number();
        customer_id(&posbytz(stack).sign_up(&token, &by_mobile("+91", &number)).await);
        let to = format!("+91{number}");
        let message = stack.message(&to, 1).await;
        assert_eq!(message["channel"], "sms");
        let body = message["body"].as_str().unwrap();
        let code = code_in(body);
        assert!(code.len() == 6 && !code.starts_with('0'), "{code}");
        assert_eq!(
            body.replace(&code, "######"),
            "###### is your code to confirm your number. It works for 5 minutes. \
             Not you? Ignore this message."
        );
        let id = format!("posbytz#STORE1#verify#phone#{to}");
        let item = stack.items_with("Challenges", &id).await.remove(0);
        assert_eq!((&item["attempts"], &item["sent"]), (&json!(0), &json!(true)));
        let life = seconds_between(&item, "sent_at", "expires_at");
        assert!((life - 300.0).abs() < 0.002, "{life}");
        let realm = Realm::of_shop(contract::PROFILE.name, "STORE1");
        let recipient = Identifier::from_parts("phone", &to).unwrap();
        let key = ChallengeKey::new(realm, Purpose::Verify, recipient);
        assert_eq!(derived_code(key, &item, contract::PROFILE.code_format).await, code);
    }
}

#[tokio::test]
async fn a_country_that_is_not_allowed_gets_the_usual_answer_and_no_text() {
    let env = without_limits(&[("SMS_COUNTRIES", "+62")]);
    let stack = &TestStack::with(&env).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let reply = posbytz(stack).sign_up(&token, &documented()).await;
    let id = customer_id(&reply);
    assert_eq!(reply.json()["data"]["mobile"]["number"], "9962794005");
    stack.message("harish@bytize.in", 1).await;
    stack.wait_until_delivered("harish").await;
    assert!(stack.messages("+919962794005").await.is_empty());
    let challenge = &stack.items_with("Challenges", "#phone#").await[0];
    assert_eq!(challenge["sent"], false, "a code that was not sent proves nothing");
    let events = stack.events(&id, 2).await;
    let channels: Vec<_> =
        events.iter().filter_map(|event| event["detail"]["channel"].as_str()).collect();
    assert_eq!(channels, ["email"]);
    let warned = || stack.logs().iter().any(|line| line.contains("the country is not allowed"));
    stack.wait_for("the warning", || async { warned().then_some(()) }).await;
}

#[tokio::test]
async fn services_that_are_down_delay_the_messages_and_nothing_else() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    for service in ["ses", "sns", "events"] {
        stack.fault(&Fault::of(service, "error").times(1)).await;
    }
    let id = customer_id(&posbytz(stack).sign_up(&token, &documented()).await);
    stack.message("harish@bytize.in", 1).await;
    stack.message("+919962794005", 1).await;
    stack.events(&id, 3).await;
    stack.wait_until_delivered(&id).await;
    for to in ["harish@bytize.in", "+919962794005"] {
        assert_eq!(stack.messages(to).await.len(), 1, "{to}");
    }
}
