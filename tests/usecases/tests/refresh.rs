//! Refreshing a session.

use std::time::Duration;
use usecases::{Core, Refusal, START, Session, phone};

const MONTH: Duration = Duration::from_hours(30 * 24);

/// Returns a core with one session.
async fn core_with_a_session() -> (Core, Session) {
    let core = Core::new();
    let session = core.signed_up_by_code(phone()).await;
    (core, session)
}

#[tokio::test]
async fn a_token_is_exchanged_for_its_successor() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    assert_eq!((&next.user, &next.device), (&session.user, &session.device));
    assert_ne!(next.refresh_token, session.refresh_token);
    let third = core.refresh(&next.refresh_token).await.unwrap();
    assert_ne!(third.refresh_token, next.refresh_token);
}

#[tokio::test]
async fn a_token_gives_the_same_successor_until_that_is_used() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    for wait in [Duration::ZERO, Duration::from_mins(1), Duration::from_hours(24)] {
        core.wait(wait);
        assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    }
}

#[tokio::test]
async fn a_token_whose_successor_was_used_ends_the_session() {
    let (core, session) = core_with_a_session().await;
    let second = core.refresh(&session.refresh_token).await.unwrap();
    let third = core.refresh(&second.refresh_token).await.unwrap();
    let over = Err(Refusal::SessionOver);
    assert_eq!(core.refresh(&session.refresh_token).await, over);
    for token in [&second.refresh_token, &third.refresh_token] {
        assert_eq!(core.refresh(token).await, over);
    }
    assert!(!core.is_open(&session).await);
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["token_reused"]);
}

#[tokio::test]
async fn a_copied_token_ends_one_session_only() {
    let (core, session) = core_with_a_session().await;
    let code = core.requested_code(latchkey::domain::challenge::Purpose::SignIn, phone()).await;
    let other = core.sign_in_by_code(phone(), &code).await.unwrap();
    let second = core.refresh(&session.refresh_token).await.unwrap();
    core.refresh(&second.refresh_token).await.unwrap();
    core.refresh(&session.refresh_token).await.unwrap_err();
    core.refresh(&other.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_text_that_is_no_stored_token_is_refused() {
    let (core, _) = core_with_a_session().await;
    for token in ["", "short", &"0".repeat(52), &"z".repeat(52)] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver), "{token}");
    }
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_without_a_refresh() {
    let (core, session) = core_with_a_session().await;
    core.wait_until_just_before(START, MONTH);
    let next = core.refresh(&session.refresh_token).await.unwrap();
    // The refresh began another thirty days.
    core.wait_until_just_before(core.now(), MONTH);
    let last = core.refresh(&next.refresh_token).await.unwrap();
    core.wait_past(MONTH);
    assert_eq!(core.refresh(&last.refresh_token).await, Err(Refusal::SessionOver));
    assert_eq!(core.refresh(&next.refresh_token).await, Err(Refusal::SessionOver));
}

#[tokio::test]
async fn the_tokens_of_a_session_that_was_ended_are_refused() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.sign_out(&session).await;
    // One token was used and one was not.
    for token in [&session.refresh_token, &next.refresh_token] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver));
    }
}

#[tokio::test]
async fn a_sign_out_everywhere_ends_the_tokens_too() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.tick();
    core.sign_out_everywhere(&session.user).await;
    for token in [&session.refresh_token, &next.refresh_token] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver));
    }
}

#[tokio::test]
async fn the_claims_of_a_session_survive_its_refresh() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    let claims = core.refreshed_claims(&next.refresh_token).await.unwrap();
    // Of the attributes of the user, the contract names one.
    let claims: Vec<_> =
        claims.iter().map(|(name, value)| (name, value.as_str().unwrap())).collect();
    assert_eq!(claims, [("plan", "free")]);
}

#[tokio::test]
async fn of_two_requests_with_the_same_token_both_get_the_same_successor() {
    let (core, session) = core_with_a_session().await;
    let token = session.refresh_token.clone();
    core.interrupt(0, async move |rival| {
        rival.refresh(&token).await.unwrap();
    });
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.expect_interrupted();
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_token_whose_successor_is_used_during_the_refresh_is_refused() {
    let (core, session) = core_with_a_session().await;
    let token = session.refresh_token.clone();
    core.interrupt(0, async move |rival| {
        let next = rival.refresh(&token).await.unwrap();
        rival.refresh(&next.refresh_token).await.unwrap();
    });
    assert_eq!(core.refresh(&session.refresh_token).await, Err(Refusal::SessionOver));
    core.expect_interrupted();
}

#[tokio::test]
async fn a_session_that_ends_during_the_refresh_is_over() {
    let (core, session) = core_with_a_session().await;
    let same = session.clone();
    core.interrupt(0, async move |rival| rival.sign_out(&same).await);
    assert_eq!(core.refresh(&session.refresh_token).await, Err(Refusal::SessionOver));
    core.expect_interrupted();
}

#[tokio::test]
async fn the_session_of_a_user_that_is_deleted_is_over() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.delete_user(&session.user);
    for token in [&session.refresh_token, &next.refresh_token] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver));
    }
}

#[tokio::test]
async fn a_successor_survives_a_rotation_of_the_keys() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    let core = core.rotated();
    // The answer was lost, and the key was rotated in the meantime.
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn of_two_requests_with_different_keys_both_get_the_same_successor() {
    let (core, session) = core_with_a_session().await;
    let token = session.refresh_token.clone();
    core.interrupt(0, async move |rival| {
        rival.refresh(&token).await.unwrap();
    });
    let core = core.rotated();
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.expect_interrupted();
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_successor_whose_key_has_left_the_ring_is_a_failure() {
    let (core, session) = core_with_a_session().await;
    core.refresh(&session.refresh_token).await.unwrap();
    let failure = "failed to derive a refresh token: the key is not in the ring";
    let refused = core.rotated_twice().refresh(&session.refresh_token).await;
    assert_eq!(refused, Err(Refusal::Internal(failure.to_owned())));
}
