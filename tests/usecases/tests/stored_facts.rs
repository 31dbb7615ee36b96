//! What is stored with a user: the times of proofs, and attributes of every type.

use crate::shop::shop_with_a_user;
use latchkey::domain::attributes::Attributes;
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::id::UserId;
use latchkey::domain::identifier::Identifier;
use latchkey::domain::time::Timestamp;
use serde_json::json;
use std::time::Duration;
use usecases::{Core, START, email, phone, username};

const MINUTE: Duration = Duration::from_mins(1);

async fn verified_at(core: &Core, user: &UserId, identifier: &Identifier) -> Option<Timestamp> {
    core.user(user).await.unwrap().identifiers.find(identifier).unwrap().verified_at()
}

#[tokio::test]
async fn a_verified_identifier_has_the_time_of_its_first_proof() {
    let (core, user) = shop_with_a_user().await;
    assert_eq!(verified_at(&core, &user, &phone()).await, None);
    core.wait(MINUTE);
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &code).await.unwrap();
    let first = START.plus(MINUTE);
    assert_eq!(verified_at(&core, &user, &phone()).await, Some(first));
    core.wait(MINUTE);
    let code = core.requested_code(SignIn, phone()).await;
    core.enter_by_code(SignIn, phone(), &code).await.unwrap();
    assert_eq!(verified_at(&core, &user, &phone()).await, Some(first));
    // Another identifier has a time of its own.
    let link = core.link_of(email()).await;
    core.verify_by_link(&user, &link).await.unwrap();
    assert_eq!(verified_at(&core, &user, &email()).await, Some(START.plus(2 * MINUTE)));
    // A new password with a proof does not move it either.
    core.wait(MINUTE);
    let code = core.requested_code(ResetPassword, phone()).await;
    let proof = core.prove(ResetPassword, phone(), &code).await.unwrap();
    core.reset_password(&proof, "battery staple").await.unwrap();
    assert_eq!(verified_at(&core, &user, &phone()).await, Some(first));
}

#[tokio::test]
async fn a_sign_up_by_code_verifies_its_recipient_at_once() {
    let core = Core::new();
    core.wait(MINUTE);
    let user = core.signed_up_by_code(phone()).await.user;
    assert_eq!(verified_at(&core, &user, &phone()).await, Some(START.plus(MINUTE)));
}

#[tokio::test]
async fn a_new_password_verifies_at_the_time_of_the_change() {
    let core = Core::new();
    let user = core.sign_up_by_password(email(), "correct horse").await.unwrap().user;
    let code = core.requested_code(ResetPassword, email()).await;
    let proof = core.prove(ResetPassword, email(), &code).await.unwrap();
    core.wait(MINUTE);
    core.reset_password(&proof, "battery staple").await.unwrap();
    assert_eq!(verified_at(&core, &user, &email()).await, Some(core.now()));
}

#[tokio::test]
async fn an_identifier_that_was_verified_without_a_time_is_verified_since_the_sign_up() {
    let (core, user) = shop_with_a_user().await;
    core.wait(MINUTE);
    let link = core.link_of(email()).await;
    core.verify_by_link(&user, &link).await.unwrap();
    core.forget_verification_times();
    assert_eq!(verified_at(&core, &user, &email()).await, Some(START));
    assert_eq!(verified_at(&core, &user, &phone()).await, None);
}

/// Returns attributes of every JSON type.
fn of_every_type() -> Attributes {
    let all = json!({
        "nothing": null, "yes": true, "no": false, "text": "Ådám 🗝", "empty": "",
        "integer": -7, "large": 9_007_199_254_740_991_u64, "fraction": 0.25,
        "list": [1, "two", null, [false], {}], "map": { "nested": { "deep": [] } },
    });
    let mut attributes: Attributes =
        all.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    attributes.insert("plan", all);
    attributes
}

#[tokio::test]
async fn attributes_of_every_json_type_survive_each_way_to_sign_up() {
    let core = Core::new().ruled(|rules| rules.attributes = of_every_type());
    let by_code = core.signed_up_by_code(phone()).await.user;
    let by_password = core.sign_up_by_password(email(), "correct horse").await.unwrap().user;
    core.sign_up_unverified(usecases::other_phone()).await.unwrap();
    let unverified = core.owner_of(usecases::other_phone()).await.unwrap();
    for user in [by_code, by_password] {
        assert_eq!(core.user(&user).await.unwrap().attributes, of_every_type());
    }
    let mut numbered = core.user(&unverified).await.unwrap().attributes;
    let address = numbered.text("address_id").unwrap().parse::<u32>();
    assert!(address.is_ok());
    numbered = numbered.iter().filter(|(name, _)| *name != "address_id").map(owned).collect();
    assert_eq!(numbered, of_every_type());
}

fn owned((name, value): (&str, &serde_json::Value)) -> (String, serde_json::Value) {
    (name.to_owned(), value.clone())
}

#[tokio::test]
async fn attributes_of_every_json_type_survive_a_sign_up_that_waits() {
    let core = Core::new().ruled(|rules| rules.attributes = of_every_type());
    let handle = core.start_sign_up(email(), username("Ann-9"), "correct horse").await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    let user = core.complete_sign_up(&handle, &code).await.unwrap();
    let stored = core.user(&user.id).await.unwrap().attributes;
    assert_eq!(stored, user.attributes);
    // The second step replaces one attribute.
    let mut expected = of_every_type();
    expected.insert("plan", "gold");
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn claims_of_every_json_type_survive_each_refresh() {
    let core = Core::new().ruled(|rules| rules.attributes = of_every_type());
    let session = core.signed_up_by_code(phone()).await;
    let mut token = session.refresh_token;
    for _ in 0..3 {
        let claims = core.refreshed_claims(&token).await.unwrap();
        assert_eq!(claims, of_every_type().only(&["plan"]));
        token = core.refresh(&token).await.unwrap().refresh_token;
    }
}
