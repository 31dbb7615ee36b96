//! Signing up with a code, or with an e-mail address and a password.

use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{
    Core, Refusal, address, email, other_email, other_phone, other_source, phone, wrong,
};

const PASSWORD: &str = "correct horse";

/// The refusal of a sign-up with an address that belongs to another user.
fn taken<T>() -> Result<T, Refusal> {
    Err(Refusal::TheseTaken(vec![email()]))
}

#[tokio::test]
async fn the_right_code_makes_an_account_and_opens_a_session() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    let session = core.sign_up_by_code(phone(), &code).await.unwrap();
    assert_eq!(core.owner_of(phone()).await, Some(session.user.clone()));
    assert!(core.is_verified(&session.user, &phone()).await);
    assert!(core.is_open(&session).await);
    let user = core.user(&session.user).await.unwrap();
    assert_eq!(user.attributes.text("name"), Some("Ann"));
    assert_eq!((user.created_at, user.password.is_none()), (core.now(), true));
    core.deliver().await;
    assert_eq!(core.bus.details("signed_up"), [session.user.as_str()]);
}

#[tokio::test]
async fn a_code_that_is_not_valid_makes_no_account() {
    let core = Core::new();
    let refused = Err(Refusal::NoCode);
    assert_eq!(core.sign_up_by_code(phone(), "000000").await, refused);
    let code = core.requested_code(SignUp, phone()).await;
    let guess = wrong(&code);
    assert_eq!(core.sign_up_by_code(phone(), &guess).await, Err(Refusal::WrongCode));
    assert_eq!(core.sign_up_by_code(other_phone(), &code).await, refused);
    core.wait(Duration::from_mins(5));
    assert_eq!(core.sign_up_by_code(phone(), &code).await, refused);
    assert_eq!(core.owner_of(phone()).await, None);
}

#[tokio::test]
async fn a_code_makes_one_account() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    let session = core.sign_up_by_code(phone(), &code).await.unwrap();
    assert_eq!(core.sign_up_by_code(phone(), &code).await, Err(Refusal::NoCode));
    assert_eq!(core.owner_of(phone()).await, Some(session.user));
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_makes_the_account() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    let same = code.clone();
    core.interrupt(0, async move |rival| {
        rival.sign_up_by_code(phone(), &same).await.unwrap();
    });
    assert_eq!(core.sign_up_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
    core.deliver().await;
    assert_eq!(core.bus.published(), ["signed_up"]);
}

#[tokio::test]
async fn a_phone_number_that_was_taken_in_the_meantime_is_refused() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    core.sign_up_unverified(phone()).await.unwrap();
    let owner = core.owner_of(phone()).await;
    for _ in 0..2 {
        // The code stays valid.
        assert_eq!(core.sign_up_by_code(phone(), &code).await, Err(Refusal::Taken));
    }
    assert_eq!(core.owner_of(phone()).await, owner);
}

#[tokio::test]
async fn a_source_with_too_many_wrong_guesses_makes_no_account() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 1);
    let code = core.requested_code(SignUp, phone()).await;
    core.use_up_guesses().await;
    let spent = Err(Refusal::TooMany { retry_after: Duration::from_hours(1) });
    assert_eq!(core.sign_up_by_code(phone(), &code).await, spent);
    core.from(other_source()).sign_up_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a_password_makes_an_account_whose_address_is_not_verified() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    assert!(!core.is_verified(&session.user, &email()).await);
    assert!(core.is_open(&session).await);
    core.wait(Duration::from_hours(24 * 365));
    // The account does not expire.
    assert_eq!(core.owner_of(email()).await, Some(session.user));
}

#[tokio::test]
async fn an_address_belongs_to_one_user_of_a_realm() {
    let core = Core::new();
    core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    assert_eq!(core.sign_up_by_password(email(), "another").await, taken());
    core.sign_up_by_password(other_email(), PASSWORD).await.unwrap();
    core.in_shop("one").sign_up_by_password(email(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_source_has_a_limit_of_sign_ups() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 2);
    core.wait(Duration::from_mins(20));
    core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    // A refusal counts like a sign-up.
    assert_eq!(core.sign_up_by_password(email(), PASSWORD).await, taken());
    let spent = Err(Refusal::TooMany { retry_after: Duration::from_mins(40) });
    assert_eq!(core.sign_up_by_password(email(), PASSWORD).await, spent);
    assert_eq!(core.sign_up_by_password(other_email(), PASSWORD).await, spent);
    assert_eq!(core.owner_of(other_email()).await, None);
    core.from(other_source()).sign_up_by_password(other_email(), PASSWORD).await.unwrap();
    core.wait(Duration::from_mins(40));
    core.sign_up_by_password(address("cat@example.com"), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn without_a_limit_a_refused_sign_up_costs_nothing() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    for _ in 0..3 {
        assert_eq!(core.sign_up_by_password(email(), PASSWORD).await, taken());
    }
}

#[tokio::test]
async fn every_sign_up_has_ids_of_its_own() {
    let core = Core::new();
    let one = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let two = core.sign_up_by_password(other_email(), PASSWORD).await.unwrap();
    assert!(one.user != two.user && one.device != two.device);
    assert_ne!(one.refresh_token, two.refresh_token);
}
