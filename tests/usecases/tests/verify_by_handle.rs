//! Verifying an identifier with a handle and its code. See also `sign_up_unverified`.

use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{Core, Refusal, START, other_source, phone};

#[tokio::test]
async fn a_known_user_is_verified_again() {
    let core = Core::new();
    let user = core.signed_up_by_code(phone()).await.user;
    let handle = core.request_handle(Verify, phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    assert_eq!(core.verify_by_handle(&handle, &code).await, Ok(user));
}

#[tokio::test]
async fn the_handle_of_an_unknown_recipient_verifies_no_user() {
    let core = Core::new();
    let handle = core.request_handle(Verify, phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::WrongCode));
    assert_eq!(core.verify_by_handle("unknown", &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_code_that_was_sent_without_a_user_verifies_none() {
    let core = Core::new();
    let handle = core.request_handle(SignUp, phone()).await.unwrap();
    let code = core.code_of(SignUp, phone()).await;
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_newer_handle_makes_the_one_before_it_useless() {
    let core = Core::new();
    let old = core.sign_up_unverified(phone()).await.unwrap();
    let old_code = core.code_of(Verify, phone()).await;
    core.wait(Duration::from_secs(30));
    let new = core.sign_up_unverified(phone()).await.unwrap();
    let new_code = core.code_of(Verify, phone()).await;
    assert_eq!(core.verify_by_handle(&old, &old_code).await, Err(Refusal::NoCode));
    assert_eq!(core.verify_by_handle(&new, &old_code).await, Err(Refusal::WrongCode));
    core.verify_by_handle(&new, &new_code).await.unwrap();
}

#[tokio::test]
async fn a_handle_expires_with_its_code() {
    let core = Core::new();
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.wait_until_just_before(START, Duration::from_mins(5));
    core.tick();
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_user_that_has_expired_cannot_be_verified() {
    let core = Core::new().ruled(|rules| rules.sends.code_lifetime = Duration::from_hours(30));
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.wait_past(Duration::from_hours(24));
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_source_with_too_many_wrong_guesses_verifies_nothing() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 1);
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.use_up_guesses().await;
    let spent = Refusal::TooMany { retry_after: Duration::from_hours(1) };
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(spent));
    core.from(other_source()).verify_by_handle(&handle, &code).await.unwrap();
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_verifies() {
    let core = Core::new();
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    let (same, secret) = (handle.clone(), code.clone());
    core.interrupt(0, async move |rival| {
        rival.verify_by_handle(&same, &secret).await.unwrap();
    });
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
}

#[tokio::test]
async fn a_user_that_is_deleted_during_the_check_cannot_be_verified() {
    let core = Core::new();
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    let user = core.owner_of(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.interrupt(0, async move |rival| rival.delete_user(&user));
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::NoCode));
}
