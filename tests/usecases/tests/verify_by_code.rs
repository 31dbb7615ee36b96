//! Verifying a recipient with the code that was sent to it.

use crate::shop::{shop, shop_with_a_user};
use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{Core, Refusal, email, other_source, phone, wrong};

#[tokio::test]
async fn a_code_verifies_the_phone_number_once() {
    let (core, user) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    assert_eq!(core.verify_by_code(phone(), &wrong(&code)).await, Err(Refusal::WrongCode));
    assert_eq!(core.verify_by_code(phone(), &code).await, Ok(user.clone()));
    assert!(core.is_verified(&user, &phone()).await);
    assert!(!core.is_verified(&user, &email()).await);
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.deliver().await;
    assert_eq!(core.bus.details("signed_in"), ["Code +85291234567"]);
}

#[tokio::test]
async fn a_code_of_an_unknown_recipient_verifies_nothing() {
    let (core, _) = shop().await;
    assert_eq!(core.verify_by_code(phone(), "000000").await, Err(Refusal::NoCode));
    let code = core.requested_code(Verify, phone()).await;
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::WrongCode));
}

#[tokio::test]
async fn a_code_expires_after_five_minutes() {
    let (core, _) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    core.wait(Duration::from_mins(5));
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_source_with_too_many_wrong_guesses_verifies_nothing() {
    let (core, _) = shop_with_a_user().await;
    let core = core.ruled(|rules| rules.sources.guesses_per_hour = 1);
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &wrong(&code)).await.unwrap_err();
    let spent = Refusal::TooMany { retry_after: Duration::from_hours(1) };
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(spent));
    core.from(other_source()).verify_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_verifies() {
    let (core, _) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    let same = code.clone();
    core.interrupt(0, async move |rival| {
        rival.verify_by_code(phone(), &same).await.unwrap();
    });
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
}

#[tokio::test]
async fn a_user_that_has_expired_cannot_be_verified() {
    let core = Core::new().ruled(|rules| rules.sends.code_lifetime = Duration::from_hours(30));
    core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.wait_past(Duration::from_hours(24));
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_user_that_is_deleted_during_the_check_cannot_be_verified() {
    let (core, user) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    core.interrupt(0, async move |rival| rival.delete_user(&user));
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
}
