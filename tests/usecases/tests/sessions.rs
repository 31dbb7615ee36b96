//! The sessions of a user: the list, the end of all but one, and the facts of each.

use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::id::{DeviceId, UserId};
use latchkey::domain::session::SignInMethod;
use latchkey::domain::time::Timestamp;
use latchkey::usecases::Refreshed;
use std::time::Duration;
use usecases::{Core, Refusal, START, Session, email, other_email};

const PASSWORD: &str = "correct horse";
const MINUTE: Duration = Duration::from_mins(1);
const MONTH: Duration = Duration::from_hours(30 * 24);

/// Returns a core with a session of each method, opened a minute apart: the password first.
async fn core_with_two_sessions() -> (Core, Session, Session) {
    let core = Core::new();
    let first = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let link = core.requested_code(Verify, email()).await;
    core.forget_openers();
    core.verify_by_code(email(), &link).await.unwrap();
    core.wait(MINUTE);
    let code = core.requested_code(SignIn, email()).await;
    let second = core.sign_in_by_code(email(), &code).await.unwrap();
    core.wait(MINUTE);
    (core, first, second)
}

async fn devices(core: &Core, user: &UserId) -> Vec<DeviceId> {
    core.list_sessions(user).await.into_iter().map(|listed| listed.device).collect()
}

#[tokio::test]
async fn the_list_has_the_newest_session_first_with_its_facts() {
    let (core, first, second) = core_with_two_sessions().await;
    core.refresh(&first.refresh_token).await.unwrap();
    let listed = core.list_sessions(&first.user).await;
    let facts: Vec<_> = listed
        .into_iter()
        .map(|listed| (listed.device, listed.method, listed.opened_at, listed.refreshed_at))
        .collect();
    let refreshed = Some(core.now());
    assert_eq!(
        facts,
        [
            (second.device, Some(SignInMethod::Code), START.plus(MINUTE), None),
            (first.device, Some(SignInMethod::Password), START, refreshed),
        ]
    );
}

#[tokio::test]
async fn the_list_has_only_open_sessions_of_the_user() {
    let (core, first, second) = core_with_two_sessions().await;
    let other = core.sign_up_by_password(other_email(), PASSWORD).await.unwrap();
    core.register_device(&first.user, "push-token").await.unwrap();
    assert_eq!(core.devices_of(&first.user), 3);
    let both = [second.device.clone(), first.device.clone()];
    assert_eq!(devices(&core, &first.user).await, both);
    assert_eq!(devices(&core, &other.user).await, [other.device]);
    core.sign_out(&second).await;
    assert_eq!(devices(&core, &first.user).await, [first.device]);
    core.sign_out_everywhere(&first.user).await;
    assert!(devices(&core, &first.user).await.is_empty());
    assert!(devices(&core, &UserId::from_stored("unknown")).await.is_empty());
}

#[tokio::test]
async fn a_session_leaves_the_list_after_thirty_days_without_a_refresh() {
    let (core, first, second) = core_with_two_sessions().await;
    core.wait_until_just_before(START, MONTH);
    assert_eq!(devices(&core, &first.user).await.len(), 2);
    core.tick();
    assert_eq!(devices(&core, &first.user).await, std::slice::from_ref(&second.device));
    core.refresh(&second.refresh_token).await.unwrap();
    let refreshed_at = core.now();
    core.wait_until_just_before(refreshed_at, MONTH);
    assert_eq!(devices(&core, &first.user).await, [second.device]);
    core.tick();
    assert!(devices(&core, &first.user).await.is_empty());
}

#[tokio::test]
async fn a_session_leaves_the_list_at_the_end_of_its_longest_life() {
    let core = Core::new().ruled(|rules| rules.refreshes.lifetime = 2 * MONTH);
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let (opened_at, mut token) = (core.now(), session.refresh_token);
    for _ in 0..2 {
        core.wait(Duration::from_hours(29 * 24));
        token = core.refresh(&token).await.unwrap().refresh_token;
    }
    core.wait_until_just_before(opened_at, 2 * MONTH);
    assert_eq!(devices(&core, &session.user).await, [session.device]);
    core.tick();
    assert!(devices(&core, &session.user).await.is_empty());
}

#[tokio::test]
async fn the_list_is_complete_if_the_database_reads_it_in_pages() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    for _ in 0..7 {
        core.tick();
        core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    }
    core.enlarge_devices();
    let listed = core.list_sessions(&session.user).await;
    assert_eq!(listed.len(), 8);
    assert!(listed.is_sorted_by(|newer, older| newer.opened_at > older.opened_at));
}

#[tokio::test]
async fn the_end_of_the_other_sessions_keeps_one() {
    let (core, first, second) = core_with_two_sessions().await;
    core.sign_out_elsewhere(&first).await;
    assert!(core.is_open(&first).await && !core.is_open(&second).await);
    assert_eq!(core.refresh(&second.refresh_token).await, Err(Refusal::SessionOver));
    assert_eq!(devices(&core, &first.user).await, std::slice::from_ref(&first.device));
    let next = core.refresh(&first.refresh_token).await.unwrap();
    core.refresh(&next.refresh_token).await.unwrap();
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["signed_out_elsewhere"]);
}

#[tokio::test]
async fn the_session_that_was_kept_ends_when_another_one_ends_the_others() {
    let (core, first, second) = core_with_two_sessions().await;
    core.sign_out_elsewhere(&first).await;
    core.wait(MINUTE);
    let third = core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    assert!(core.is_open(&first).await && core.is_open(&third).await);
    core.wait(MINUTE);
    core.sign_out_elsewhere(&third).await;
    for over in [&first, &second] {
        assert!(!core.is_open(over).await);
        assert_eq!(core.refresh(&over.refresh_token).await, Err(Refusal::SessionOver));
    }
    core.refresh(&third.refresh_token).await.unwrap();
    // A sign-out of every session ends the kept one too.
    core.wait(MINUTE);
    core.sign_out_everywhere(&third.user).await;
    assert!(!core.is_open(&third).await);
}

#[tokio::test]
async fn a_session_that_is_over_ends_no_other_one() {
    let (core, first, second) = core_with_two_sessions().await;
    core.sign_out(&first).await;
    core.deliver().await;
    core.sign_out_elsewhere(&first).await;
    assert!(!core.is_open(&first).await && core.is_open(&second).await);
    core.sign_out_elsewhere(&second).await;
    core.deliver().await;
    // A session that others ended does not open again.
    let third = core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    core.wait(MINUTE);
    core.sign_out_elsewhere(&third).await;
    core.deliver().await;
    core.wait(MINUTE);
    core.sign_out_elsewhere(&second).await;
    assert!(!core.is_open(&second).await && core.is_open(&third).await);
    assert!(core.waiting().is_empty());
    // Neither does a device that does not exist.
    let unknown = Session { device: DeviceId::from_stored("unknown"), ..third.clone() };
    core.sign_out_elsewhere(&unknown).await;
    assert!(core.is_open(&third).await && core.waiting().is_empty());
}

#[tokio::test]
async fn a_session_that_ends_during_the_end_of_the_others_does_not_open_again() {
    for pass in 0..2 {
        let (core, first, second) = core_with_two_sessions().await;
        let same = first.clone();
        core.interrupt(pass, async move |rival| rival.sign_out_everywhere(&same.user).await);
        core.sign_out_elsewhere(&first).await;
        core.expect_interrupted();
        assert!(!core.is_open(&first).await && !core.is_open(&second).await);
    }
}

#[tokio::test]
async fn a_refresh_changes_no_fact_of_the_session() {
    let (core, first, second) = core_with_two_sessions().await;
    for (session, method, opened_at) in
        [(first, SignInMethod::Password, START), (second, SignInMethod::Code, START.plus(MINUTE))]
    {
        let mut token = session.refresh_token.clone();
        let mut families = Vec::new();
        for _ in 0..3 {
            core.wait(MINUTE);
            let Refreshed { session: open, user } = core.refreshed(&token).await.unwrap();
            let facts = open.grant.session;
            assert_eq!((&facts.user, &facts.device), (&session.user, &session.device));
            assert_eq!((facts.method, facts.opened_at), (Some(method), opened_at));
            assert_eq!(facts.token_claims.text("plan"), Some("free"));
            assert_eq!(open.grant.issued_at, core.now());
            let user = user.unwrap();
            assert_eq!(user.id, session.user);
            assert_eq!(user.attributes.text("name"), Some("Ann"));
            families.push(facts.family);
            open.refresh_token.expose().clone_into(&mut token);
        }
        families.dedup();
        assert_eq!(families.len(), 1);
    }
}

#[tokio::test]
async fn a_refresh_reads_the_user_only_for_a_contract_whose_answer_carries_it() {
    let (core, first, _) = core_with_two_sessions().await;
    let core = core.ruled(|rules| rules.refresh_carries_user = false);
    assert!(core.refreshed(&first.refresh_token).await.unwrap().user.is_none());
}

#[tokio::test]
async fn each_session_has_a_family_of_its_own() {
    let (core, first, second) = core_with_two_sessions().await;
    let one = core.refreshed(&first.refresh_token).await.unwrap().session.grant;
    let two = core.refreshed(&second.refresh_token).await.unwrap().session.grant;
    assert_ne!(one.session.family, two.session.family);
    assert_ne!(one.id, two.id);
}

/// The time in the item of a device that is deleted at `at`: the next whole second.
fn purged(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.as_seconds().saturating_add(1))
}

#[tokio::test]
async fn a_device_is_stored_for_thirty_days_after_its_session() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    // The session ends after thirty days without a refresh.
    assert_eq!(core.ends_of_devices(&session.user), [purged(START.plus(2 * MONTH))]);
    core.wait(MINUTE);
    let next = core.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(core.ends_of_devices(&session.user), [purged(core.now().plus(2 * MONTH))]);
    core.wait(MINUTE);
    core.sign_out(&next).await;
    assert_eq!(core.ends_of_devices(&session.user), [purged(core.now().plus(MONTH))]);
}

#[tokio::test]
async fn a_session_that_an_older_version_opened_is_listed_before_and_after_its_refresh() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    core.forget_ends_of_sessions();
    assert_eq!(devices(&core, &session.user).await, std::slice::from_ref(&session.device));
    core.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(core.ends_of_devices(&session.user).len(), 1);
    assert_eq!(devices(&core, &session.user).await, [session.device]);
}
