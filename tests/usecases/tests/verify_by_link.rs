//! Verifying an e-mail address with a link.

use crate::shop::{by_email, by_phone, shop, shop_with_a_user};
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::id::UserId;
use std::time::Duration;
use usecases::{Refusal, START, email, phone};

#[tokio::test]
async fn a_link_verifies_the_address_once() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    assert_eq!(core.verify_by_link(&user, &link).await, Ok(()));
    assert!(core.is_verified(&user, &email()).await);
    assert!(!core.is_verified(&user, &phone()).await);
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkUsed));
    assert_eq!(core.verify_by_link(&user, "wrong").await, Err(Refusal::LinkRefused));
    core.deliver().await;
    assert_eq!(core.bus.details("identifier_verified"), ["ann@example.com"]);
}

#[tokio::test]
async fn a_link_that_is_not_valid_is_refused() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    let refused = Err(Refusal::LinkRefused);
    let unknown = UserId::from_stored("unknown");
    assert_eq!(core.verify_by_link(&unknown, &link).await, refused);
    assert_eq!(core.verify_by_link(&user, &"0".repeat(64)).await, refused);
    assert_eq!(core.of_contract("another").verify_by_link(&user, &link).await, refused);
    // The guesses before did not use it up.
    assert_eq!(core.verify_by_link(&user, &link).await, Ok(()));
}

#[tokio::test]
async fn a_user_without_an_address_has_no_link() {
    let (core, client) = shop().await;
    let user = core.sign_up_to_verify(&client, by_phone()).await.unwrap();
    let refused = core.verify_by_link(&user, &"0".repeat(64)).await;
    assert_eq!(refused, Err(Refusal::LinkRefused));
}

#[tokio::test]
async fn a_link_expires_after_a_day() {
    for (past, expected) in [(false, Ok(())), (true, Err(Refusal::LinkRefused))] {
        let (core, user) = shop_with_a_user().await;
        let link = core.link_of(email()).await;
        core.wait_until_just_before(START, Duration::from_hours(24));
        if past {
            core.tick();
        }
        assert_eq!(core.verify_by_link(&user, &link).await, expected);
    }
}

#[tokio::test]
async fn a_link_that_was_replaced_is_refused() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    core.wait(Duration::from_mins(1));
    core.request_code(Verify, email()).await.unwrap();
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
}

#[tokio::test]
async fn a_request_that_sends_nothing_leaves_the_link_of_before_valid() {
    let (core, client) = shop().await;
    let user = core.sign_up_to_verify(&client, by_email()).await.unwrap();
    let link = core.link_of(email()).await;
    core.request_suppressed(Verify, email()).await.unwrap();
    core.verify_by_link(&user, &link).await.unwrap();
}

#[tokio::test]
async fn of_two_requests_with_the_same_link_one_verifies() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    let (same, secret) = (user.clone(), link.clone());
    core.interrupt(0, async move |rival| {
        rival.verify_by_link(&same, &secret).await.unwrap();
    });
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkUsed));
    core.expect_interrupted();
}

#[tokio::test]
async fn a_user_that_is_deleted_during_the_check_cannot_be_verified() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    let deleted = user.clone();
    core.interrupt(0, async move |rival| rival.delete_user(&deleted));
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    core.expect_interrupted();
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
}
