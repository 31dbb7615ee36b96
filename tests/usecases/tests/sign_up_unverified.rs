//! Signing up with a code that creates the user first.

use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{Core, Refusal, START, abroad, email, phone, wrong};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn an_unknown_recipient_becomes_an_unverified_user() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    let id = core.owner_of(phone()).await.unwrap();
    assert!(!core.is_verified(&id, &phone()).await);
    let user = core.user(&id).await.unwrap();
    assert_eq!(user.attributes.text("name"), Some("Ann"));
    assert!(user.attributes.text("address_id").unwrap().parse::<u32>().unwrap() > 0);
    core.deliver().await;
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(Verify, phone()).await]);
    assert_eq!(core.bus.details("signed_up"), [id.as_str()]);
}

#[tokio::test]
async fn an_unverified_user_expires_after_a_day_and_the_identifier_is_free_again() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    let first = core.owner_of(phone()).await.unwrap();
    core.wait_until_just_before(START, DAY);
    assert_eq!(core.owner_of(phone()).await, Some(first.clone()));
    assert!(core.user(&first).await.is_some());
    core.wait_past(Duration::from_millis(1));
    assert_eq!(core.owner_of(phone()).await, None);
    assert!(core.user(&first).await.is_none());
    core.sign_up_unverified(phone()).await.unwrap();
    let second = core.owner_of(phone()).await.unwrap();
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_verified_user_does_not_expire() {
    let core = Core::new();
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    let user = core.verify_by_handle(&handle, &code).await.unwrap();
    core.wait(DAY * 400);
    assert_eq!(core.owner_of(phone()).await, Some(user.clone()));
    assert!(core.is_verified(&user, &phone()).await);
}

#[tokio::test]
async fn a_known_user_gets_a_code_and_does_not_change() {
    let core = Core::new();
    let user = core.signed_up_by_code(phone()).await.user;
    core.sign_up_unverified(phone()).await.unwrap();
    assert_eq!(core.owner_of(phone()).await, Some(user.clone()));
    assert!(core.user(&user).await.unwrap().attributes.get("address_id").is_none());
    core.deliver().await;
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(Verify, phone()).await]);
    assert_eq!(core.bus.published(), ["signed_up"]);
}

#[tokio::test]
async fn a_refused_request_makes_no_user() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 1);
    core.request_code(SignUp, email()).await.unwrap();
    let spent = Refusal::TooMany { retry_after: Duration::from_hours(1) };
    assert_eq!(core.sign_up_unverified(phone()).await, Err(spent));
    assert_eq!(core.owner_of(phone()).await, None);
}

#[tokio::test]
async fn a_recipient_that_gets_no_text_cannot_be_verified() {
    let core = Core::new();
    let handle = core.sign_up_unverified(abroad()).await.unwrap();
    core.deliver().await;
    assert!(core.texts.sent().is_empty());
    let code = core.code_of(Verify, abroad()).await;
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::WrongCode));
}

#[tokio::test]
async fn of_two_sign_ups_of_one_recipient_one_makes_the_user() {
    let core = Core::new().ruled(|rules| rules.sends.limits.pause = Duration::ZERO);
    core.interrupt(0, async |rival| {
        rival.sign_up_unverified(phone()).await.unwrap();
    });
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    core.expect_interrupted();
    let owner = core.owner_of(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    assert_eq!(core.verify_by_handle(&handle, &code).await, Ok(owner));
    core.deliver().await;
    assert_eq!(core.bus.published(), ["signed_in", "signed_up"]);
}

#[tokio::test]
async fn a_handle_verifies_once() {
    let core = Core::new();
    let handle = core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    let refused = core.verify_by_handle(&handle, &wrong(&code)).await;
    assert_eq!(refused, Err(Refusal::WrongCode));
    core.verify_by_handle(&handle, &code).await.unwrap();
    // A used handle allows no guesses, right or wrong.
    assert_eq!(core.check_held_code(Verify, &handle, &code).await, Err(Refusal::NoCode));
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::NoCode));
    core.deliver().await;
    assert_eq!(core.bus.published(), ["signed_in", "signed_up"]);
}

#[tokio::test]
async fn a_suppressed_request_makes_no_user_and_sends_nothing() {
    let core = Core::new();
    let handle = core.sign_up_suppressed(phone()).await.unwrap();
    core.deliver().await;
    assert_eq!(core.owner_of(phone()).await, None);
    assert!(core.texts.sent().is_empty() && core.bus.published().is_empty());
    let code = core.code_of(Verify, phone()).await;
    assert_eq!(core.verify_by_handle(&handle, &code).await, Err(Refusal::WrongCode));
}
