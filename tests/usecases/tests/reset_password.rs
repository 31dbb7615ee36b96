//! Setting a new password with a proof.

use latchkey::domain::challenge::Purpose::*;
use latchkey::usecases::RecipientProof;
use std::time::Duration;
use usecases::{Core, Refusal, Session, email, phone};

const OLD: &str = "correct horse";
const NEW: &str = "battery staple";

/// Returns a core with a user, and the session of the sign-up.
async fn core_with_a_user() -> (Core, Session) {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), OLD).await.unwrap();
    core.wait(Duration::from_mins(1));
    (core, session)
}

/// Proves control of the address.
async fn proof(core: &Core) -> RecipientProof {
    let code = core.requested_code(ResetPassword, email()).await;
    core.prove(ResetPassword, email(), &code).await.unwrap()
}

#[tokio::test]
async fn a_proof_sets_a_new_password() {
    let (core, session) = core_with_a_user().await;
    let proof = proof(&core).await;
    core.reset_password(&proof, NEW).await.unwrap();
    assert_eq!(core.sign_in_by_password(email(), OLD).await, Err(Refusal::WrongPassword));
    core.sign_in_by_password(email(), NEW).await.unwrap();
    let changed_at = core.user(&session.user).await.unwrap().password_changed_at;
    assert_eq!(changed_at, Some(core.now()));
    core.deliver().await;
    assert_eq!(core.bus.details("password_changed"), [session.user.as_str()]);
}

#[tokio::test]
async fn a_proof_that_names_a_user_of_another_realm_is_void() {
    let (core, _) = core_with_a_user().await;
    let proof = proof(&core).await;
    let refused = core.in_shop("one").reset_password(&proof, NEW).await;
    assert_eq!(refused, Err(Refusal::ProofUsedUp));
    core.sign_in_by_password(email(), OLD).await.unwrap();
    core.reset_password(&proof, NEW).await.unwrap();
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    let (core, one) = core_with_a_user().await;
    let two = core.sign_in_by_password(email(), OLD).await.unwrap();
    let proof = proof(&core).await;
    core.tick();
    core.reset_password(&proof, NEW).await.unwrap();
    for session in [one, two] {
        assert!(!core.is_open(&session).await);
        assert_eq!(core.refresh(&session.refresh_token).await, Err(Refusal::SessionOver));
    }
    let three = core.sign_in_by_password(email(), NEW).await.unwrap();
    core.refresh(&three.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_proof_allows_one_change() {
    let (core, _) = core_with_a_user().await;
    let proof = proof(&core).await;
    core.reset_password(&proof, NEW).await.unwrap();
    core.wait(Duration::from_secs(1));
    // A proof that is used up does not reveal whether the password is the current one.
    for password in [NEW, "a third one"] {
        let refused = core.reset_password(&proof, password).await;
        assert_eq!(refused, Err(Refusal::ProofUsedUp));
    }
    core.sign_in_by_password(email(), NEW).await.unwrap();
}

#[tokio::test]
async fn the_current_password_is_refused_and_leaves_the_proof_valid() {
    let (core, session) = core_with_a_user().await;
    let proof = proof(&core).await;
    assert_eq!(core.reset_password(&proof, OLD).await, Err(Refusal::SamePassword));
    assert!(core.is_open(&session).await);
    core.reset_password(&proof, NEW).await.unwrap();
}

#[tokio::test]
async fn a_change_uses_up_every_earlier_proof_and_no_later_one() {
    let (core, _) = core_with_a_user().await;
    let early = proof(&core).await;
    core.wait(Duration::from_mins(1));
    let late = proof(&core).await;
    core.wait(Duration::from_mins(1));
    let third = proof(&core).await;
    core.reset_password(&late, NEW).await.unwrap();
    for used in [&early, &late, &third] {
        let refused = core.reset_password(used, "a third one").await;
        assert_eq!(refused, Err(Refusal::ProofUsedUp));
    }
    core.wait(Duration::from_hours(1));
    let later = proof(&core).await;
    core.reset_password(&later, "a third one").await.unwrap();
}

#[tokio::test]
async fn a_user_without_a_password_gets_one() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let code = core.requested_code(ResetPassword, phone()).await;
    let proof = core.prove(ResetPassword, phone(), &code).await.unwrap();
    core.reset_password(&proof, NEW).await.unwrap();
    core.sign_in_by_password(phone(), NEW).await.unwrap();
}

#[tokio::test]
async fn a_user_that_has_expired_gets_no_password() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    let code = core.requested_code(ResetPassword, phone()).await;
    let proof = core.prove(ResetPassword, phone(), &code).await.unwrap();
    core.wait_past(Duration::from_hours(24));
    assert_eq!(core.reset_password(&proof, NEW).await, Err(Refusal::ProofUsedUp));
}

#[tokio::test]
async fn of_two_requests_with_the_same_proof_one_sets_the_password() {
    let (core, _) = core_with_a_user().await;
    let proof = proof(&core).await;
    let same = RecipientProof { key: proof.key.clone(), user: proof.user.clone(), at: proof.at };
    core.interrupt(0, async move |rival| rival.reset_password(&same, NEW).await.unwrap());
    let refused = core.reset_password(&proof, "a third one").await;
    core.expect_interrupted();
    assert_eq!(refused, Err(Refusal::ProofUsedUp));
    core.sign_in_by_password(email(), NEW).await.unwrap();
}
