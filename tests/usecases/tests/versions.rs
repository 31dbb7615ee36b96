//! The versions of users, which order the events about a user.

use futures_util::future::join_all;
use latchkey::domain::challenge::Purpose::{ResetPassword, SignIn};
use std::time::Duration;
use usecases::{Core, email, phone};

const PASSWORD: &str = "correct horse";

/// Delivers what waits, and returns the versions of the events of this name that were published so far.
async fn versions_of(core: &Core, name: &str) -> Vec<u64> {
    core.deliver().await;
    core.bus
        .versions()
        .into_iter()
        .filter(|(kind, _)| kind == name)
        .map(|(_, version)| version)
        .collect()
}

/// Delivers what waits, and requires that the versions of all events grow in the order of delivery, which is that of the test.
async fn expect_growth(core: &Core, events: usize) {
    core.deliver().await;
    let versions = core.bus.versions();
    assert_eq!(versions.len(), events, "{versions:?}");
    assert!(versions.is_sorted_by(|(_, before), (_, after)| before < after), "{versions:?}");
}

#[tokio::test]
async fn the_version_is_the_time_in_microseconds() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let expected = u64::try_from(core.now().as_millis()).unwrap() * 1000;
    assert_eq!(versions_of(&core, "signed_up").await, [expected]);
}

#[tokio::test]
async fn each_event_about_a_user_has_a_greater_version_than_the_one_before() {
    let core = Core::new();
    // No time passes, so that the time alone would order nothing.
    let session = core.signed_up_by_code(phone()).await;
    expect_growth(&core, 1).await;
    let code = core.requested_code(SignIn, phone()).await;
    let second = core.sign_in_by_code(phone(), &code).await.unwrap();
    expect_growth(&core, 2).await;
    core.sign_out(&session).await;
    expect_growth(&core, 3).await;
    core.register_device(&session.user, "token").await.unwrap();
    expect_growth(&core, 4).await;
    core.sign_out_of_token(&session.user, "signed", core.now().plus(Duration::from_hours(1))).await;
    expect_growth(&core, 5).await;
    core.sign_out_elsewhere(&second).await;
    expect_growth(&core, 6).await;
    core.sign_out_everywhere(&session.user).await;
    expect_growth(&core, 7).await;
    let code = core.requested_code(ResetPassword, phone()).await;
    let proof = core.prove(ResetPassword, phone(), &code).await.unwrap();
    core.reset_password(&proof, PASSWORD).await.unwrap();
    expect_growth(&core, 8).await;
}

#[tokio::test]
async fn the_deletion_has_the_greatest_version() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    for _ in 0..3 {
        core.sign_in_by_password(email(), PASSWORD).await.unwrap();
        core.deliver().await;
    }
    core.delete_by_password(&session.user, PASSWORD).await.unwrap();
    expect_growth(&core, 5).await;
}

#[tokio::test]
async fn sign_ins_at_once_all_succeed_with_versions_of_their_own() {
    let core = Core::new().ruled(|rules| rules.backoff = None);
    core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let callers: Vec<_> = (0..24).map(|_| core.in_new_process()).collect();
    let entered =
        join_all(callers.iter().map(|core| core.sign_in_by_password(email(), PASSWORD))).await;
    assert!(entered.iter().all(Result::is_ok), "{entered:?}");
    let mut versions = versions_of(&core, "signed_in").await;
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 24);
    assert_eq!(core.stored_versions(), [*versions.last().unwrap()]);
}

#[tokio::test]
async fn a_request_that_is_overtaken_by_one_with_a_later_clock_gets_a_greater_version() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    // Its process is a minute ahead.
    core.interrupt(0, |rival| async move {
        let ahead = rival.with_clock_ahead(Duration::from_mins(1));
        ahead.sign_in_by_password(email(), PASSWORD).await.unwrap();
    });
    core.sign_out(&session).await;
    core.expect_interrupted();
    let signed_in = versions_of(&core, "signed_in").await;
    let ended = versions_of(&core, "session_ended").await;
    assert_eq!(ended, [signed_in[0] + 1]);
}

#[tokio::test]
async fn a_user_of_an_older_version_gets_a_version_with_the_next_event() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    core.forget_versions();
    core.sign_out(&session).await;
    let versions = versions_of(&core, "session_ended").await;
    assert_eq!(core.stored_versions(), versions.as_slice());
}

#[tokio::test]
async fn a_session_of_a_deleted_user_ends_without_an_event() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    core.delete_user(&session.user);
    core.sign_out(&session).await;
    core.sign_out_of_token(&session.user, "signed", core.now().plus(Duration::from_hours(1))).await;
    assert_eq!(versions_of(&core, "session_ended").await, Vec::<u64>::new());
    assert!(core.stored_versions().is_empty(), "no user was made");
}
