//! Signing in with a password or with a code.

use crate::shop::{both, by_phone};
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::identifier::Identifier;
use latchkey::usecases::{Admission, SessionOwner};
use std::time::Duration;
use usecases::{Core, Refusal, Session, email, other_email, other_source, phone, wrong};

const PASSWORD: &str = "correct horse";
const HOUR: Duration = Duration::from_hours(1);

/// Returns a core with one user, and the session of the sign-up.
async fn core_with_a_user() -> (Core, Session) {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    (core, session)
}

fn too_many<T>(retry_after: Duration) -> Result<T, Refusal> {
    Err(Refusal::TooMany { retry_after })
}

#[tokio::test]
async fn the_right_password_opens_another_session() {
    let (core, first) = core_with_a_user().await;
    core.wait(HOUR);
    let session = core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    assert_eq!(session.user, first.user);
    assert_ne!(session.device, first.device);
    assert!(core.is_open(&session).await && core.is_open(&first).await);
    assert_eq!(core.user(&first.user).await.unwrap().last_active_at, Some(core.now()));
    assert_eq!(core.devices_of(&first.user), 2);
    core.deliver().await;
    assert_eq!(core.bus.details("signed_in"), ["Password"]);
}

#[tokio::test]
async fn an_unknown_identifier_and_a_wrong_password_are_refused() {
    let (core, session) = core_with_a_user().await;
    let refused = core.sign_in_by_password(other_email(), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::NoSuchUser));
    let refused = core.sign_in_by_password(email(), "Correct horse").await;
    assert_eq!(refused, Err(Refusal::WrongPassword));
    let refused = core.in_shop("one").sign_in_by_password(email(), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::NoSuchUser));
    assert_eq!(core.devices_of(&session.user), 1);
}

#[tokio::test]
async fn a_password_is_the_same_from_every_keyboard() {
    // "é" as one scalar value, and as "e" with a combining accent.
    let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
    for (chosen, typed) in [(composed, decomposed), (decomposed, composed)] {
        let core = Core::new();
        core.sign_up_by_password(email(), chosen).await.unwrap();
        core.sign_in_by_password(email(), typed).await.unwrap();
        core.sign_in_by_password(email(), chosen).await.unwrap();
        let refused = core.sign_in_by_password(email(), "cafe au lait").await;
        assert_eq!(refused, Err(Refusal::WrongPassword));
    }
}

#[tokio::test]
async fn a_user_without_a_password_cannot_sign_in_with_one() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    assert_eq!(core.sign_in_by_password(phone(), PASSWORD).await, Err(Refusal::WrongPassword));
}

#[tokio::test]
async fn a_contract_may_admit_verified_users_only() {
    let core = Core::new().ruled(|rules| rules.admission = Admission::VerifiedUsers);
    let client = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&client, by_phone()).await.unwrap();
    // Only a caller who knows the password learns that the user is not verified.
    assert_eq!(core.sign_in_by_password(phone(), "wrong").await, Err(Refusal::WrongPassword));
    assert_eq!(core.sign_in_by_password(phone(), PASSWORD).await, Err(Refusal::NotVerified));
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &code).await.unwrap();
    core.sign_in_by_password(phone(), PASSWORD).await.unwrap();
}

/// Asserts the pauses between failed attempts at one identifier.
async fn expect_growing_pauses(core: &Core, identifier: Identifier, refusal: Refusal) {
    let attempt = async || core.sign_in_by_password(identifier.clone(), "wrong").await;
    for _ in 0..5 {
        assert_eq!(attempt().await, Err(refusal.clone()));
    }
    for seconds in [2, 4, 8, 16, 32, 60, 60] {
        let pause = Duration::from_secs(seconds);
        assert_eq!(attempt().await, too_many(pause));
        core.wait_until_just_before(core.now(), pause);
        assert_eq!(attempt().await, too_many(Duration::from_millis(1)));
        core.tick();
        assert_eq!(attempt().await, Err(refusal.clone()));
    }
}

#[tokio::test]
async fn the_pauses_between_attempts_double_up_to_a_minute() {
    let (core, _) = core_with_a_user().await;
    expect_growing_pauses(&core, email(), Refusal::WrongPassword).await;
}

#[tokio::test]
async fn an_unknown_identifier_has_the_same_pauses() {
    let core = Core::new();
    expect_growing_pauses(&core, email(), Refusal::NoSuchUser).await;
}

#[tokio::test]
async fn the_right_password_has_to_wait_too_and_then_resets_the_pauses() {
    let (core, _) = core_with_a_user().await;
    for _ in 0..5 {
        core.sign_in_by_password(email(), "wrong").await.unwrap_err();
    }
    let pause = Duration::from_secs(2);
    assert_eq!(core.sign_in_by_password(email(), PASSWORD).await, too_many(pause));
    core.wait(pause);
    core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    for _ in 0..5 {
        let refused = core.sign_in_by_password(email(), "wrong").await;
        assert_eq!(refused, Err(Refusal::WrongPassword));
    }
}

#[tokio::test]
async fn attempts_are_forgotten_after_an_hour() {
    let (core, _) = core_with_a_user().await;
    for _ in 0..5 {
        core.sign_in_by_password(email(), "wrong").await.unwrap_err();
    }
    core.wait(HOUR);
    for _ in 0..5 {
        let refused = core.sign_in_by_password(email(), "wrong").await;
        assert_eq!(refused, Err(Refusal::WrongPassword));
    }
    core.sign_in_by_password(email(), "wrong").await.unwrap_err();
}

#[tokio::test]
async fn without_limits_there_are_no_pauses() {
    let (core, _) = core_with_a_user().await;
    let core = core.ruled(|rules| rules.backoff = None);
    for _ in 0..8 {
        let refused = core.sign_in_by_password(email(), "wrong").await;
        assert_eq!(refused, Err(Refusal::WrongPassword));
    }
}

#[tokio::test]
async fn of_many_concurrent_attempts_each_is_counted() {
    let (core, _) = core_with_a_user().await;
    let mut attempts = Vec::new();
    for _ in 0..8 {
        attempts.push(core.sign_in_by_password(email(), "wrong"));
    }
    let refused = futures_util::future::join_all(attempts).await;
    let wrong = refused.iter().filter(|refused| **refused == Err(Refusal::WrongPassword));
    assert!((1..=5).contains(&wrong.count()));
}

#[tokio::test]
async fn a_source_has_a_limit_of_wrong_passwords() {
    let (core, _) = core_with_a_user().await;
    let core = core.ruled(|rules| rules.sources.guesses_per_hour = 2);
    core.wait(Duration::from_mins(15));
    core.sign_in_by_password(email(), "wrong").await.unwrap_err();
    core.sign_in_by_password(other_email(), "wrong").await.unwrap_err();
    let spent = Duration::from_mins(45);
    assert_eq!(core.sign_in_by_password(other_email(), "wrong").await, too_many(spent));
    // The account knows the source, but an attempt at it failed.
    assert_eq!(core.sign_in_by_password(email(), PASSWORD).await, too_many(spent));
    core.from(other_source()).sign_in_by_password(email(), PASSWORD).await.unwrap();
    core.wait(spent);
    core.sign_in_by_password(email(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn an_outdated_hash_is_renewed() {
    let (core, session) = core_with_a_user().await;
    let hash = async || core.user(&session.user).await.unwrap().password.unwrap();
    assert!(hash().await.expose().contains("$m=8,t=1,p=1$"));
    let dearer = core.ruled(|rules| rules.hash_memory = 16);
    dearer.sign_in_by_password(email(), "wrong").await.unwrap_err();
    assert!(hash().await.expose().contains("$m=8,t=1,p=1$"));
    dearer.sign_in_by_password(email(), PASSWORD).await.unwrap();
    assert!(hash().await.expose().contains("$m=16,t=1,p=1$"));
    dearer.sign_in_by_password(email(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_password_that_is_changed_during_the_sign_in_is_wrong() {
    let (core, session) = core_with_a_user().await;
    let code = core.requested_code(ResetPassword, email()).await;
    let proof = core.prove(ResetPassword, email(), &code).await.unwrap();
    core.interrupt(0, async move |rival| {
        rival.reset_password(&proof, "battery staple").await.unwrap();
    });
    let refused = core.sign_in_by_password(email(), PASSWORD).await;
    core.expect_interrupted();
    assert_eq!(refused, Err(Refusal::WrongPassword));
    assert_eq!(core.devices_of(&session.user), 1);
}

#[tokio::test]
async fn a_contract_without_refresh_tokens_stores_no_session() {
    let (core, session) = core_with_a_user().await;
    let core = core.ruled(|rules| rules.sessions = SessionOwner::Token);
    assert_eq!(core.enter_by_password(email(), PASSWORD).await, Ok(None));
    assert_eq!(core.devices_of(&session.user), 1);
    core.deliver().await;
    assert_eq!(core.bus.details("signed_in"), ["Password"]);
}

#[tokio::test]
async fn the_right_code_opens_another_session() {
    let core = Core::new();
    let first = core.signed_up_by_code(phone()).await;
    let code = core.requested_code(SignIn, phone()).await;
    let session = core.sign_in_by_code(phone(), &code).await.unwrap();
    assert_eq!(session.user, first.user);
    assert!(core.is_open(&session).await && core.is_open(&first).await);
    core.deliver().await;
    assert_eq!(core.bus.details("signed_in"), ["Code +85291234567"]);
}

#[tokio::test]
async fn a_code_that_is_not_valid_opens_no_session() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let refused = Err(Refusal::NoCode);
    assert_eq!(core.sign_in_by_code(phone(), "000000").await, refused);
    let code = core.requested_code(SignIn, phone()).await;
    let guess = wrong(&code);
    assert_eq!(core.sign_in_by_code(phone(), &guess).await, Err(Refusal::WrongCode));
    core.sign_in_by_code(phone(), &code).await.unwrap();
    assert_eq!(core.sign_in_by_code(phone(), &code).await, refused);
}

#[tokio::test]
async fn an_unknown_recipient_cannot_sign_in_with_a_code() {
    let core = Core::new();
    // The code is not sent, so not even the right digits are accepted.
    let code = core.requested_code(SignIn, phone()).await;
    assert_eq!(core.sign_in_by_code(phone(), &code).await, Err(Refusal::WrongCode));
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_opens_a_session() {
    let core = Core::new();
    let user = core.signed_up_by_code(phone()).await.user;
    let code = core.requested_code(SignIn, phone()).await;
    let same = code.clone();
    core.interrupt(0, async move |rival| {
        rival.sign_in_by_code(phone(), &same).await.unwrap();
    });
    assert_eq!(core.sign_in_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
    assert_eq!(core.devices_of(&user), 2);
}

#[tokio::test]
async fn a_user_that_has_expired_cannot_sign_in_with_a_code() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    core.wait(Duration::from_mins(24 * 60 - 1));
    // The user is kept until the code ends.
    let code = core.requested_code(SignIn, phone()).await;
    core.wait_past(Duration::from_mins(5));
    assert_eq!(core.sign_in_by_code(phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_source_with_too_many_wrong_guesses_opens_no_session() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 1);
    core.signed_up_by_code(phone()).await;
    let code = core.requested_code(SignIn, phone()).await;
    core.use_up_guesses().await;
    assert_eq!(core.sign_in_by_code(phone(), &code).await, too_many(HOUR));
    core.from(other_source()).sign_in_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a_user_that_is_deleted_during_the_sign_in_opens_no_session() {
    let core = Core::new();
    let user = core.signed_up_by_code(phone()).await.user;
    let code = core.requested_code(SignIn, phone()).await;
    core.interrupt(0, async move |rival| rival.delete_user(&user));
    assert_eq!(core.sign_in_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
    // Its identifier may be deleted later.
    assert_eq!(core.sign_in_by_password(phone(), PASSWORD).await, Err(Refusal::WrongPassword));
}

#[tokio::test]
async fn a_session_has_the_claims_of_the_user() {
    let (core, _) = core_with_a_user().await;
    let session = core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    let claims = core.refreshed_claims(&session.refresh_token).await.unwrap();
    let claims: Vec<_> =
        claims.iter().map(|(name, value)| (name, value.as_str().unwrap())).collect();
    assert_eq!(claims, [("plan", "free")]);
}

#[tokio::test]
async fn all_identifiers_of_a_user_share_the_pauses() {
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&client, both()).await.unwrap();
    for identifier in [email(), phone(), email(), phone(), email()] {
        let refused = core.sign_in_by_password(identifier, "wrong").await;
        assert_eq!(refused, Err(Refusal::WrongPassword));
    }
    let pause = Duration::from_secs(2);
    assert_eq!(core.sign_in_by_password(phone(), "wrong").await, too_many(pause));
}
