//! Ending sessions.

use latchkey::domain::challenge::Purpose::SignIn;
use latchkey::usecases::SessionOwner;
use std::time::Duration;
use usecases::{Core, Session, email, phone};

const PASSWORD: &str = "correct horse";

/// Returns a core with two sessions of one user.
async fn core_with_two_sessions() -> (Core, Session, Session) {
    let core = Core::new();
    let one = core.signed_up_by_code(phone()).await;
    let code = core.requested_code(SignIn, phone()).await;
    let two = core.sign_in_by_code(phone(), &code).await.unwrap();
    core.wait(Duration::from_mins(1));
    (core, one, two)
}

#[tokio::test]
async fn a_sign_out_ends_one_session() {
    let (core, one, two) = core_with_two_sessions().await;
    core.sign_out(&one).await;
    assert!(!core.is_open(&one).await && core.is_open(&two).await);
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["signed_out"]);
}

#[tokio::test]
async fn a_sign_out_everywhere_ends_every_session() {
    let (core, one, two) = core_with_two_sessions().await;
    core.sign_out_everywhere(&one.user).await;
    assert!(!core.is_open(&one).await && !core.is_open(&two).await);
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["signed_out_everywhere"]);
}

#[tokio::test]
async fn a_session_that_is_opened_later_is_open() {
    let (core, one, _) = core_with_two_sessions().await;
    core.sign_out_everywhere(&one.user).await;
    let code = core.requested_code(SignIn, phone()).await;
    let three = core.sign_in_by_code(phone(), &code).await.unwrap();
    assert!(core.is_open(&three).await);
}

#[tokio::test]
async fn a_session_that_is_over_is_not_announced_again() {
    let (core, one, _) = core_with_two_sessions().await;
    core.sign_out(&one).await;
    core.sign_out(&one).await;
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["signed_out"]);
}

#[tokio::test]
async fn an_unknown_user_has_no_session_to_end() {
    let (core, _, _) = core_with_two_sessions().await;
    core.deliver().await;
    let unknown = latchkey::domain::id::UserId::from_stored("unknown");
    core.sign_out_everywhere(&unknown).await;
    assert!(core.waiting().is_empty());
}

#[tokio::test]
async fn a_signed_token_is_accepted_until_it_is_ended() {
    let (core, session, _) = core_with_two_sessions().await;
    let (issued_at, end) = (core.now(), core.now().plus(Duration::from_hours(1)));
    assert!(core.accepts_token(&session.user, "token", issued_at).await);
    core.sign_out_of_token(&session.user, "token", end).await;
    assert!(!core.accepts_token(&session.user, "token", issued_at).await);
    assert!(core.accepts_token(&session.user, "another", issued_at).await);
    core.sign_out_of_token(&session.user, "token", end).await;
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["signed_out"]);
}

#[tokio::test]
async fn a_sign_out_everywhere_ends_the_signed_tokens_of_its_second_too() {
    let core = Core::new();
    let user = core.sign_up_by_password(email(), PASSWORD).await.unwrap().user;
    let core = core.ruled(|rules| rules.sessions = SessionOwner::Token);
    let first = core.token_by_password(email(), PASSWORD).await.unwrap();
    core.sign_out_everywhere_with(&user, first).await;
    assert!(!core.accepts_token(&user, "token", first).await);
    // A token that is issued in the same second works, and ends with the next sign-out.
    for _ in 0..2 {
        let next = core.token_by_password(email(), PASSWORD).await.unwrap();
        assert!(core.accepts_token(&user, "token", next).await);
        core.sign_out_everywhere_with(&user, next).await;
        for token in [first, next] {
            assert!(!core.accepts_token(&user, "token", token).await);
        }
    }
    core.wait(Duration::from_secs(5));
    let later = core.token_by_password(email(), PASSWORD).await.unwrap();
    assert_eq!(later.as_seconds(), core.now().as_seconds());
    assert!(core.accepts_token(&user, "token", later).await);
}

#[tokio::test]
async fn a_signed_token_of_an_unknown_user_is_not_accepted() {
    let core = Core::new();
    let unknown = latchkey::domain::id::UserId::from_stored("unknown");
    assert!(!core.accepts_token(&unknown, "token", core.now()).await);
}
