//! Rotating keys.

use latchkey::domain::key_rotation::KeyRotationOutcome::{
    Conflict, Promoted, Published, Replaced, Unchanged,
};
use latchkey::ports::chain;
use latchkey::usecases::RotateKeysError;
use serde_json::json;
use std::time::Duration;
use usecases::{COPY_LIFETIME, INTERVAL, KEY, Keys, Mishap, Turn, UNTIL_KNOWN};

/// Returns the only key whose first successor is published now.
async fn published() -> (Keys, Turn) {
    let keys = Keys::new();
    keys.wait(INTERVAL);
    let turn = keys.rotate().await;
    assert_eq!(turn.outcome, Published);
    (keys, turn)
}

#[tokio::test]
async fn a_key_signs_for_the_interval_before_its_successor_is_published() {
    let keys = Keys::new();
    let first = keys.process().signs_with().await;
    let rests = Turn { key: KEY.to_owned(), outcome: Unchanged, current: first, next: None };
    assert_eq!(keys.rotate().await, rests);
    keys.wait_until_just_before(INTERVAL);
    assert_eq!(keys.rotate().await, rests);
    assert_eq!(keys.secrets.versions(KEY), 1);
    keys.tick();
    let turn = keys.rotate().await;
    assert_eq!((turn.outcome, &turn.current), (Published, &rests.current));
    assert!(turn.next.is_some_and(|next| next != rests.current));
    assert_eq!(keys.secrets.versions(KEY), 2);
}

#[tokio::test]
async fn a_published_key_signs_after_two_lifetimes_of_a_copy() {
    let (keys, published) = published().await;
    let waits = Turn { outcome: Unchanged, ..published.clone() };
    assert_eq!(keys.rotate().await, waits);
    keys.wait_until_just_before(UNTIL_KNOWN);
    assert_eq!(keys.rotate().await, waits);
    keys.tick();
    let next = published.next.unwrap();
    let promoted = Turn { outcome: Promoted, current: next, next: None, ..waits };
    assert_eq!(keys.rotate().await, promoted);
    assert_eq!(keys.rotate().await, Turn { outcome: Unchanged, ..promoted });
}

#[tokio::test]
async fn a_promoted_key_signs_for_a_whole_interval() {
    let keys = Keys::new();
    keys.rotate_once().await;
    keys.wait_until_just_before(INTERVAL);
    assert_eq!(keys.rotate().await.outcome, Unchanged);
    keys.tick();
    assert_eq!(keys.rotate().await.outcome, Published);
}

#[tokio::test]
async fn a_rotation_that_runs_late_takes_one_step_at_a_time() {
    let keys = Keys::new();
    keys.wait(INTERVAL * 3);
    assert_eq!(keys.rotate().await.outcome, Published);
    assert_eq!(keys.rotate().await.outcome, Unchanged);
    keys.wait(INTERVAL * 3);
    assert_eq!(keys.rotate().await.outcome, Promoted);
    assert_eq!(keys.rotate().await.outcome, Unchanged);
}

#[tokio::test]
async fn each_key_takes_the_step_that_is_due_for_it() {
    let keys = Keys::of(&["A", "B"]);
    keys.try_replace(&["A"]).await.unwrap();
    keys.wait(INTERVAL.saturating_sub(Duration::from_mins(5)));
    let younger = keys.try_replace(&["B"]).await.unwrap();
    keys.wait(Duration::from_mins(5));
    let turns = keys.try_rotate().await.unwrap();
    let outcomes: Vec<_> = turns.iter().map(|turn| (&*turn.key, turn.outcome)).collect();
    assert_eq!(outcomes, [("A", Published), ("B", Unchanged)]);
    assert_eq!(turns[1].current, younger[0].current);
}

#[tokio::test]
async fn a_change_by_an_operator_only_delays_the_next_step() {
    let keys = Keys::new();
    let first = keys.secrets.labels(KEY)["AWSCURRENT"].clone();
    let promoted = keys.rotate_once().await;
    let second = keys.secrets.labels(KEY)["AWSCURRENT"].clone();
    // The operator takes the last step back.
    let back = json!({ "SecretId": KEY, "VersionStage": "AWSCURRENT",
        "RemoveFromVersionId": second, "MoveToVersionId": first });
    keys.secrets.operate("UpdateSecretVersionStage", &back);
    keys.wait_until_just_before(INTERVAL);
    let rests = keys.rotate().await;
    assert_eq!((rests.outcome, &rests.next), (Unchanged, &None));
    assert_ne!(rests.current, promoted.current);
    keys.tick();
    let turn = keys.rotate().await;
    assert_eq!((turn.outcome, turn.current), (Published, rests.current));
    assert!(turn.next.is_some_and(|next| next != promoted.current));
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_an_error_and_the_others_are_rotated() {
    let keys = Keys::of(&["A", "B"]);
    keys.wait(INTERVAL);
    let missing = keys.and("MISSING");
    let error = missing.try_rotate().await.unwrap_err();
    let RotateKeysError::Internal(error) = error else { panic!("{error}") };
    assert!(chain(&error).contains("ResourceNotFoundException"), "{}", chain(&error));
    for name in ["A", "B"] {
        assert_eq!(keys.secrets.versions(name), 2, "{name}");
    }
}

#[tokio::test]
async fn a_secret_without_a_current_key_is_an_error() {
    let keys = Keys::new();
    keys.secrets.add("EMPTY", None);
    let error = keys.and("EMPTY").try_rotate().await.unwrap_err();
    let RotateKeysError::Internal(error) = error else { panic!("{error}") };
    assert!(chain(&error).contains("it has no current key"), "{}", chain(&error));
}

#[tokio::test]
async fn a_step_that_is_refused_is_an_error_and_the_next_run_takes_it() {
    let keys = Keys::new();
    keys.wait(INTERVAL);
    for (operation, outcome) in
        [("PutSecretValue", Published), ("UpdateSecretVersionStage", Promoted)]
    {
        let before = keys.secrets.labels(KEY);
        keys.secrets.at_next(operation, Mishap::Refused);
        let error = keys.try_rotate().await.unwrap_err();
        assert!(chain(&error).contains("AccessDeniedException"), "{}", chain(&error));
        assert_eq!(keys.secrets.labels(KEY), before);
        assert_eq!(keys.rotate().await.outcome, outcome);
        keys.wait(UNTIL_KNOWN);
    }
}

#[tokio::test]
async fn a_process_that_ends_before_a_step_leaves_the_step_to_the_next_run() {
    let keys = Keys::new();
    keys.wait(INTERVAL);
    for (operation, outcome) in
        [("PutSecretValue", Published), ("UpdateSecretVersionStage", Promoted)]
    {
        let before = keys.secrets.labels(KEY);
        for operation in ["DescribeSecret", operation] {
            keys.secrets.at_next(operation, Mishap::CrashBefore);
            keys.rotate_until_crash().await;
            assert_eq!(keys.secrets.labels(KEY), before);
        }
        assert_eq!(keys.rotate().await.outcome, outcome);
        keys.wait(UNTIL_KNOWN);
    }
    assert_eq!(keys.secrets.versions(KEY), 2);
}

#[tokio::test]
async fn a_process_that_ends_after_a_step_has_taken_it() {
    let keys = Keys::new();
    let first = keys.process().signs_with().await;
    keys.wait(INTERVAL);
    keys.secrets.at_next("PutSecretValue", Mishap::CrashAfter);
    keys.rotate_until_crash().await;
    let turn = keys.rotate().await;
    assert_eq!((turn.outcome, &turn.current), (Unchanged, &first));
    let next = turn.next.unwrap();
    keys.wait(UNTIL_KNOWN);
    keys.secrets.at_next("UpdateSecretVersionStage", Mishap::CrashAfter);
    keys.rotate_until_crash().await;
    let turn = keys.rotate().await;
    assert_eq!((turn.outcome, turn.current, turn.next), (Unchanged, next, None));
    assert_eq!(keys.secrets.versions(KEY), 2);
}

#[tokio::test]
async fn a_lost_answer_to_a_publication_does_not_publish_twice() {
    let keys = Keys::new();
    keys.wait(INTERVAL);
    keys.secrets.at_next("PutSecretValue", Mishap::AnswerLost);
    let turn = keys.rotate().await;
    // The repeated call has the same token and the same key.
    assert_eq!(turn.outcome, Published);
    assert_eq!(keys.secrets.versions(KEY), 2);
    assert_eq!(keys.rotate().await, Turn { outcome: Unchanged, ..turn });
}

#[tokio::test]
async fn a_lost_answer_to_a_promotion_looks_like_a_conflict() {
    let (keys, published) = published().await;
    keys.wait(UNTIL_KNOWN);
    keys.secrets.at_next("UpdateSecretVersionStage", Mishap::AnswerLost);
    // The repeated call finds that the stage has moved.
    assert_eq!(keys.rotate().await, Turn { outcome: Conflict, ..published.clone() });
    let turn = keys.rotate().await;
    assert_eq!((turn.outcome, Some(turn.current)), (Unchanged, published.next));
}

#[tokio::test]
async fn of_two_processes_at_once_one_publishes() {
    let keys = Keys::new();
    let first = keys.process().signs_with().await;
    keys.wait(INTERVAL);
    let (one, other) = keys.together(keys.rotate(), keys.rotate()).await;
    let (won, lost) = if one.outcome == Published { (one, other) } else { (other, one) };
    assert_eq!((won.outcome, &won.current), (Published, &first));
    assert_eq!((lost.outcome, &lost.current, &lost.next), (Conflict, &first, &None));
    assert_eq!(keys.secrets.versions(KEY), 2);
    assert_eq!(keys.rotate().await, Turn { outcome: Unchanged, ..won });
}

#[tokio::test]
async fn of_two_processes_at_once_one_promotes() {
    let (keys, published) = published().await;
    keys.wait(UNTIL_KNOWN);
    let (one, other) = keys.together(keys.rotate(), keys.rotate()).await;
    let (won, lost) = if one.outcome == Promoted { (one, other) } else { (other, one) };
    assert_eq!((won.outcome, Some(&won.current)), (Promoted, published.next.as_ref()));
    assert_eq!(lost, Turn { outcome: Conflict, ..published });
    assert_eq!(keys.rotate().await, Turn { outcome: Unchanged, ..won });
}

#[tokio::test]
async fn of_two_processes_at_once_one_replaces() {
    let keys = Keys::new();
    let (one, other) = keys.together(keys.replace(), keys.replace()).await;
    let (won, lost) = if one.outcome == Replaced { (one, other) } else { (other, one) };
    assert_eq!((won.outcome, lost.outcome), (Replaced, Conflict));
    assert_eq!(keys.secrets.versions(KEY), 2);
    assert_eq!(keys.process().signs_with().await, won.current);
}

#[tokio::test]
async fn a_replacement_is_not_stopped_by_a_promotion_at_the_same_time() {
    let (keys, published) = published().await;
    keys.wait(UNTIL_KNOWN);
    let (promotion, replacement) = keys.together(keys.rotate(), keys.replace()).await;
    assert!([Promoted, Conflict].contains(&promotion.outcome), "{promotion:?}");
    assert_eq!(replacement.outcome, Replaced);
    let turn = keys.rotate().await;
    assert_eq!((turn.outcome, &turn.current), (Unchanged, &replacement.current));
    // Neither order lets the published key sign later.
    assert!(turn.next.is_none());
    assert_ne!(Some(turn.current), published.next);
}

#[tokio::test]
async fn a_key_is_replaced_although_nothing_is_due() {
    let keys = Keys::new();
    let before = keys.process();
    let (first, token) = (before.signs_with().await, before.sign().await);
    let turn = keys.replace().await;
    assert_eq!((turn.outcome, &turn.next), (Replaced, &None));
    assert_ne!(turn.current, first);
    let process = keys.process();
    assert_eq!(process.signs_with().await, turn.current);
    // The key before it still verifies.
    assert!(process.accepts(&token).await);
    assert!(process.knows(&first).await);
}

#[tokio::test]
async fn a_replacement_drops_the_key_that_was_published() {
    let (keys, published) = published().await;
    let next = published.next.unwrap();
    let turn = keys.replace().await;
    assert_eq!((turn.outcome, &turn.next), (Replaced, &None));
    let process = keys.process();
    assert_eq!(process.signs_with().await, turn.current);
    keys.wait(UNTIL_KNOWN);
    assert_eq!(process.signs_with().await, turn.current);
    assert!(!process.knows(&next).await);
    assert_eq!(keys.rotate().await, Turn { outcome: Unchanged, ..turn });
}

#[tokio::test]
async fn what_a_leaked_key_signed_is_refused_after_two_replacements() {
    let keys = Keys::new();
    let warm = keys.process();
    let leaked = warm.sign().await;
    keys.replace().await;
    keys.wait(COPY_LIFETIME);
    assert!(warm.accepts(&leaked).await);
    let between = warm.sign().await;
    keys.replace().await;
    assert!(!keys.process().accepts(&leaked).await);
    // A warm process uses its copy until the end of its lifetime.
    keys.wait_until_just_before(COPY_LIFETIME);
    assert!(warm.accepts(&leaked).await);
    keys.tick();
    assert!(!warm.accepts(&leaked).await);
    assert!(warm.accepts(&between).await);
}

#[tokio::test]
async fn only_the_named_keys_are_replaced() {
    let keys = Keys::of(&["A", "B", "C"]);
    let turns = keys.try_replace(&["C", "A"]).await.unwrap();
    let outcomes: Vec<_> = turns.iter().map(|turn| (&*turn.key, turn.outcome)).collect();
    assert_eq!(outcomes, [("C", Replaced), ("A", Replaced)]);
    let versions = ["A", "B", "C"].map(|name| keys.secrets.versions(name));
    assert_eq!(versions, [2, 1, 2]);
}

#[tokio::test]
async fn an_unknown_name_is_refused_and_no_key_is_replaced() {
    let keys = Keys::of(&["A", "B"]);
    keys.secrets.take_calls();
    let error = keys.try_replace(&["A", "a"]).await.unwrap_err();
    assert!(matches!(&error, RotateKeysError::Unknown(name) if name == "a"), "{error}");
    assert_eq!(error.to_string(), "there is no key a");
    assert!(keys.secrets.take_calls().is_empty());
}

#[tokio::test]
async fn no_name_replaces_no_key() {
    let keys = Keys::of(&["A", "B"]);
    assert_eq!(keys.try_replace(&[]).await.unwrap(), []);
    assert_eq!(keys.secrets.versions("A"), 1);
}
