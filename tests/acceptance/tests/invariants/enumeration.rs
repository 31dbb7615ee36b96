//! An attacker who may ask about any recipient cannot find out who has an account.
//!
//! Two contracts answer a *sign-up* of a taken identifier with a documented refusal. That answer counts in the budgets of its
//! source or client (`contracts/*/signup*`), and is not what these tests are about.

use acceptance::drivers::for_every_contract;
use acceptance::{NO_LIMITS, TestStack};
use serde_json::{Value, json};

#[tokio::test]
async fn registered_and_unregistered_recipients_get_the_same_answer_for_the_same_calls() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let (registered, unregistered) = (driver.new_person(), driver.new_person());
        driver.signed_up(&registered).await;
        stack.wait_until_delivered(&registered.recipient).await;
        let mut seen = Vec::new();
        // The first round makes the items of both recipients, and the two rounds after it are compared.
        for round in 0..3 {
            for person in [&registered, &unregistered] {
                let probe = driver.probe(&person.recipient);
                let (reply, calls) = stack.calls_during(driver.facts().probes, probe).await;
                let call = |call: &Value| {
                    json!([call["operation"], call["resources"], call["status"]]).to_string()
                };
                let mut calls: Vec<_> = calls.iter().map(call).collect();
                // Some calls are made at the same time.
                calls.sort();
                assert!(!calls.is_empty());
                if round > 0 {
                    seen.push((reply.visible(), calls));
                }
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{seen:?}");
        stack.wait_until_delivered(&unregistered.recipient).await;
        assert!(stack.messages(&unregistered.recipient).await.is_empty());
    })
    .await;
}
