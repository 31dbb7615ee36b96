//! The refusals that the documents of the API promise for every endpoint, each produced once. `cargo run -p openapi -- conform`
//! compares the answers with the documents.

use acceptance::faults::of_store;
use acceptance::goodcity::{new_mobile, token};
use acceptance::posbytz::new_number;
use acceptance::requests::{ENDPOINTS, prepare};
use acceptance::urbanfits::new_person;
use acceptance::{NO_LIMITS, TestStack, goodcity, new_email, posbytz, urbanfits, without_limits};
use latchkey::contracts::CONTRACTS;
use latchkey::contracts::api::Operation;
use serde_json::json;

/// The operation that a function serves; one of several.
fn operation(function: &str) -> &'static Operation {
    let mut operations = CONTRACTS.iter().flat_map(|contract| contract.api.operations);
    operations.find(|operation| operation.function == function).unwrap()
}

/// Whether a refusal of an operation is documented.
fn has(operation: &Operation, name: &str) -> bool {
    (operation.refusals)().iter().any(|refused| refused.name == name)
}

#[tokio::test]
async fn every_endpoint_refuses_a_malformed_key_and_a_body_that_is_too_large() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for endpoint in ENDPOINTS {
        let prepared = prepare(stack, endpoint).await;
        let reply = prepared.call().header("idempotency-key", "\"\"").await;
        assert_eq!(reply.status, 400, "{endpoint:?} {reply:?}");
        let reply = prepared.call().body("{".repeat(20_000)).await;
        let is_read = operation(endpoint.0).body.is_some();
        assert_eq!(reply.status == 413, is_read, "{endpoint:?} {reply:?}");
    }
}

#[tokio::test]
async fn every_endpoint_answers_an_outage_and_a_conflict_that_lasts() {
    let stack = &TestStack::unscheduled(&NO_LIMITS).await;
    for endpoint in ENDPOINTS {
        let prepared = prepare(stack, endpoint).await;
        stack.fault(&of_store("error")).await;
        let reply = prepared.call().await;
        stack.clear_faults().await;
        assert_eq!(reply.status, 500, "{endpoint:?} {reply:?}");
        assert!(has(operation(endpoint.0), "Internal"), "{endpoint:?}");
        stack.fault(&of_store("conflict")).await;
        let reply = prepared.call().await;
        stack.clear_faults().await;
        assert_eq!(reply.status, 429, "{endpoint:?} {reply:?}");
        assert!(has(operation(endpoint.0), "TooMany"), "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_looked_up_is_an_internal_error() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (username, email) = new_person();
    let session = urbanfits::session(&urbanfits(stack).registered(&username, &email).await);
    let token = token(&goodcity(stack).registered(&new_mobile()).await);
    stack.fault(&of_store("error")).await;
    assert_eq!(urbanfits(stack).get_me(&session).await.status, 500);
    assert_eq!(goodcity(stack).current_user_profile(&token).await.status, 500);
}

#[tokio::test]
async fn a_token_of_goodcity_that_has_ended_is_expired_everywhere() {
    let stack = &TestStack::with(&without_limits(&[("ACCESS_TOKEN_SECONDS_GOODCITY", "0")])).await;
    let mobile = new_mobile();
    let token = token(&goodcity(stack).registered(&mobile).await);
    let key = goodcity::otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    let expired = goodcity::error("Expired token");
    goodcity(stack).delete_account(&token, &key, "1234").await.expect(401, &expired);
    goodcity(stack).register_device(&token, "handle", "fcm").await.expect(401, &expired);
}

#[tokio::test]
async fn a_client_of_posbytz_needs_both_scopes_everywhere() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("SCOPES").await;
    let token = &posbytz(stack).token(&client, "user:read").await;
    let (email, mobile) =
        (json!({"email": new_email()}), json!({"mobile": {"code": "91", "number": new_number()}}));
    let posbytz = posbytz(stack);
    for call in [
        posbytz.sign_up(token, &email),
        posbytz.sign_in(token, &email),
        posbytz.enter_code(token, &mobile),
        posbytz.resend(token, &email),
        posbytz.resend(token, &mobile),
        posbytz.forgot_password(token, &email),
        posbytz.reset_password(token, &email, ("123456", "battery staple")),
        posbytz.delete_customer(token, token, "battery staple"),
    ] {
        let reply = call.await;
        assert_eq!(reply.status, 403, "{reply:?}");
        assert!(reply.header("www-authenticate").contains("insufficient_scope"), "{reply:?}");
    }
}

#[tokio::test]
async fn the_documents_are_published_if_the_setting_says_so() {
    let stack = TestStack::with(&[("API_DOCUMENTS", "on")]).await;
    for contract in CONTRACTS {
        let path = format!("/openapi/{}.json", contract.profile.name);
        let reply = stack.request("GET", &path).await;
        reply.expect_text(200, contract.api.document);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("access-control-allow-origin"), "*", "any page may read it");
        assert_eq!(stack.request("POST", &path).await.status, 404);
    }
    assert_eq!(stack.request("GET", "/openapi/unknown.json").await.status, 404);
    let stack = TestStack::with(&[("API_DOCUMENTS", "off")]).await;
    assert_eq!(stack.request("GET", "/openapi/gotu.json").await.status, 404);
}
