//! The order of the events about a user: their versions grow in the order of the requests, also if the requests race.

use acceptance::gotu::{PASSWORD, tokens, user_id};
use acceptance::{NO_LIMITS, TestStack, all, count, gotu, new_email};
use std::collections::BTreeSet;

#[tokio::test]
async fn requests_about_one_user_at_once_all_succeed_and_have_an_order() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let email = new_email();
    let signed_up = gotu(stack).sign_up_by_email(&email).await;
    let (id, racers) = (user_id(&signed_up), TestStack::at_once(12));
    let sign_in = || gotu(stack).sign_in(&email, PASSWORD);
    let sessions = all((0..racers).map(|_| sign_in())).await;
    assert_eq!(count(&sessions, 200), racers, "{sessions:?}");
    let ends = sessions.iter().map(|reply| gotu(stack).sign_out(&tokens(reply).access));
    let replies = all(ends.chain((0..racers).map(|_| sign_in()))).await;
    assert_eq!((count(&replies, 204), count(&replies, 200)), (racers, racers), "{replies:?}");

    let events = stack.events(&id, racers.saturating_mul(3).saturating_add(2)).await;
    let version = |event: &serde_json::Value| event["detail"]["userVersion"].as_u64().unwrap();
    let versions: BTreeSet<_> = events.iter().map(version).collect();
    assert_eq!(versions.len(), events.len(), "{events:?}");
    let user = &stack.items_with("Users", &id).await[0];
    assert_eq!(user["event_version"].as_u64().as_ref(), versions.last());
    // The second race began when the first one was over.
    let second = |event: &&serde_json::Value| event["detailType"] == "AUTH_SESSION_REVOKED";
    let first_end = events.iter().filter(second).map(version).min().unwrap();
    let before = versions.iter().filter(|version| **version < first_end).count();
    assert!(before >= racers.saturating_add(2), "{events:?}");
}
