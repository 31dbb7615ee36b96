//! The processes that sign and verify while keys are rotated.

use latchkey::domain::challenge::Purpose;
use latchkey::domain::key_rotation::KeyRotationOutcome::{Promoted, Published, Unchanged};
use latchkey::ports::{CheckedToken, chain};
use serde_json::json;
use std::time::Duration;
use usecases::{COPY_LIFETIME, Core, INTERVAL, KEY, Keys, Refusal, UNTIL_KNOWN, phone};

/// The pause before a ring is read again because of an unknown key or a failure.
const PAUSE: Duration = Duration::from_mins(1);

/// Returns a token that no key of a test signed.
async fn forged() -> String {
    let others = Keys::new();
    others.replace().await;
    others.process().sign().await
}

#[tokio::test]
async fn a_token_is_accepted_until_the_second_key_after_its_own_signs() {
    let keys = Keys::new();
    let token = keys.process().sign().await;
    let first = keys.process().signs_with().await;
    let second = keys.rotate_once().await.current;
    keys.wait(INTERVAL);
    assert_eq!(keys.rotate().await.outcome, Published);
    keys.wait_until_just_before(UNTIL_KNOWN);
    assert_eq!(keys.rotate().await.outcome, Unchanged);
    let process = keys.process();
    assert!(process.accepts(&token).await);
    assert!(process.knows(&first).await);
    keys.tick();
    assert_eq!(keys.rotate().await.outcome, Promoted);
    let process = keys.process();
    assert!(!process.accepts(&token).await);
    assert!(!process.knows(&first).await && process.knows(&second).await);
}

#[tokio::test]
async fn the_last_token_of_a_key_is_accepted_for_a_whole_interval() {
    let keys = Keys::new();
    keys.wait(INTERVAL);
    assert_eq!(keys.rotate().await.outcome, Published);
    keys.wait(UNTIL_KNOWN);
    // Its copy is read right before the promotion, so it signs with the old key for the longest time.
    let late = keys.process();
    late.ring().await.unwrap();
    assert_eq!(keys.rotate().await.outcome, Promoted);
    keys.wait_until_just_before(COPY_LIFETIME);
    let token = late.sign().await;
    keys.tick();
    assert_ne!(late.sign().await, token);
    keys.wait(INTERVAL.saturating_sub(COPY_LIFETIME));
    assert_eq!(keys.rotate().await.outcome, Published);
    keys.wait_until_just_before(UNTIL_KNOWN);
    assert_eq!(keys.rotate().await.outcome, Unchanged);
    for process in [&late, &keys.process()] {
        assert!(process.accepts(&token).await);
    }
}

#[tokio::test]
async fn a_code_is_accepted_after_its_key_was_replaced_and_refused_after_that_key_was_too() {
    let core = Core::new();
    let keys = Keys::beside(&core);
    let warm = core.in_process(&keys.process());
    let code = warm.requested_code(Purpose::SignUp, phone()).await;
    keys.replace().await;
    let cold = core.in_process(&keys.process());
    assert_eq!(cold.check_code(Purpose::SignUp, phone(), &code).await, Ok(()));
    keys.replace().await;
    // A key that is not in the ring is an error, not a wrong code.
    let cold = core.in_process(&keys.process());
    let refused = cold.check_code(Purpose::SignUp, phone(), &code).await;
    assert!(matches!(refused, Err(Refusal::Internal(_))), "{refused:?}");
}

#[tokio::test]
async fn a_code_of_a_new_key_is_accepted_by_a_process_with_an_old_copy() {
    let core = Core::new();
    let keys = Keys::beside(&core);
    let warm = keys.process();
    let old = warm.signs_with().await;
    keys.replace().await;
    let code = core.in_process(&keys.process()).requested_code(Purpose::SignUp, phone()).await;
    assert_eq!(warm.signs_with().await, old);
    let warm = core.in_process(&warm);
    assert_eq!(warm.check_code(Purpose::SignUp, phone(), &code).await, Ok(()));
}

#[tokio::test]
async fn the_successor_of_a_refresh_token_is_the_same_in_every_process() {
    let core = Core::new();
    let keys = Keys::beside(&core);
    let warm = core.in_process(&keys.process());
    let session = warm.signed_up_by_code(phone()).await;
    let next = warm.refresh(&session.refresh_token).await.unwrap();
    keys.replace().await;
    // The first answer was lost.
    let cold = core.in_process(&keys.process());
    assert_eq!(cold.refresh(&session.refresh_token).await, Ok(next));
}

#[tokio::test]
async fn every_process_knows_a_key_before_it_signs() {
    let keys = Keys::new();
    keys.wait(INTERVAL);
    // This copy is read right before the publication, and looks for an unknown key then.
    let process = keys.process();
    assert!(!process.accepts(&forged().await).await);
    let next = keys.rotate().await.next.unwrap();
    keys.wait_until_just_before(COPY_LIFETIME);
    assert!(!process.knows(&next).await);
    keys.tick();
    assert!(process.knows(&next).await);
    keys.wait_until_just_before(UNTIL_KNOWN.saturating_sub(COPY_LIFETIME));
    assert_eq!(keys.rotate().await.outcome, Unchanged);
}

#[tokio::test]
async fn a_new_process_reads_the_current_key_in_one_call_and_the_others_when_one_is_named() {
    let keys = Keys::new();
    let old = keys.process().sign().await;
    keys.rotate_once().await;
    let process = keys.process();
    keys.secrets.take_calls();
    let token = process.sign().await;
    assert_eq!(keys.secrets.take_calls(), ["GetSecretValue"]);
    assert!(process.accepts(&token).await);
    assert!(keys.secrets.take_calls().is_empty());
    assert!(process.accepts(&old).await);
    assert_eq!(keys.secrets.take_calls(), ["DescribeSecret", "GetSecretValue", "GetSecretValue"]);
}

#[tokio::test]
async fn a_search_that_found_its_key_does_not_delay_the_next_search() {
    let keys = Keys::new();
    let old = keys.process().sign().await;
    keys.replace().await;
    let process = keys.process();
    process.sign().await;
    assert!(process.accepts(&old).await);
    keys.replace().await;
    let new = keys.process().sign().await;
    assert!(process.accepts(&new).await);
}

#[tokio::test]
async fn a_copy_is_read_again_at_the_end_of_its_lifetime() {
    let keys = Keys::new();
    let process = keys.process();
    let first = process.signs_with().await;
    let second = keys.replace().await.current;
    keys.wait_until_just_before(COPY_LIFETIME);
    keys.secrets.take_calls();
    assert_eq!(process.signs_with().await, first);
    assert!(keys.secrets.take_calls().is_empty());
    keys.tick();
    assert_eq!(process.signs_with().await, second);
    // It describes the secret and reads two versions.
    assert_eq!(keys.secrets.take_calls().len(), 3);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_a_minute() {
    let keys = Keys::new();
    let process = keys.process();
    process.ring().await.unwrap();
    let forged = forged().await;
    keys.secrets.take_calls();
    assert!(!process.accepts(&forged).await);
    assert_eq!(keys.secrets.take_calls().len(), 2);
    keys.wait_until_just_before(PAUSE);
    assert!(!process.accepts(&forged).await);
    assert!(keys.secrets.take_calls().is_empty());
    keys.tick();
    assert!(!process.accepts(&forged).await);
    assert_eq!(keys.secrets.take_calls().len(), 2);
}

#[tokio::test]
async fn an_old_copy_is_used_while_the_secret_cannot_be_read() {
    let keys = Keys::new();
    let process = keys.process();
    let token = process.sign().await;
    let second = keys.replace().await.current;
    keys.secrets.set_unreadable(true);
    keys.wait(COPY_LIFETIME);
    keys.secrets.take_calls();
    assert_ne!(process.signs_with().await, second);
    assert!(process.accepts(&token).await);
    // The read is repeated after each pause.
    assert_eq!(keys.secrets.take_calls(), ["DescribeSecret"]);
    keys.wait_until_just_before(PAUSE);
    assert!(process.accepts(&token).await);
    assert!(keys.secrets.take_calls().is_empty());
    keys.tick();
    assert!(process.accepts(&token).await);
    assert_eq!(keys.secrets.take_calls(), ["DescribeSecret"]);
    keys.secrets.set_unreadable(false);
    keys.wait(PAUSE);
    assert_eq!(process.signs_with().await, second);
}

#[tokio::test]
async fn a_key_that_cannot_be_looked_for_is_an_error_and_its_token_is_not_called_forged() {
    let keys = Keys::new();
    let process = keys.process();
    process.ring().await.unwrap();
    keys.replace().await;
    let token = keys.process().sign().await;
    keys.secrets.set_unreadable(true);
    let error = process.check(&token).await.unwrap_err();
    assert!(chain(&error).contains("AccessDeniedException"), "{}", chain(&error));
    keys.secrets.set_unreadable(false);
    keys.wait_until_just_before(PAUSE);
    let error = process.check(&token).await.unwrap_err();
    assert!(chain(&error).contains("could not be read a moment ago"), "{}", chain(&error));
    keys.tick();
    assert!(process.accepts(&token).await);
}

#[tokio::test]
async fn a_process_that_never_read_the_ring_fails_until_it_can() {
    let keys = Keys::new();
    let process = keys.process();
    keys.secrets.set_unreadable(true);
    for _ in 0..2 {
        let error = process.try_sign(0).await.unwrap_err();
        assert!(chain(&error).contains("AccessDeniedException"), "{}", chain(&error));
    }
    keys.secrets.set_unreadable(false);
    // There is no pause without a copy.
    process.sign().await;
}

#[tokio::test]
async fn a_key_that_is_not_the_current_one_need_not_be_readable() {
    let keys = Keys::new();
    let labels = keys.secrets.labels(KEY);
    let broken =
        json!({ "SecretId": KEY, "SecretString": "not a key", "VersionStages": ["AWSPENDING"] });
    let broken = keys.secrets.operate("PutSecretValue", &broken);
    let process = keys.process();
    assert!(!process.accepts(&forged().await).await);
    process.sign().await;
    let current = json!({ "SecretId": KEY, "VersionStage": "AWSCURRENT",
        "RemoveFromVersionId": labels["AWSCURRENT"], "MoveToVersionId": broken["VersionId"] });
    keys.secrets.operate("UpdateSecretVersionStage", &current);
    let error = keys.process().try_sign(0).await.unwrap_err();
    let text = chain(&error);
    assert!(text.contains(&format!(r#"the value of {KEY} is not {{"key":"…"}}"#)), "{text}");
    assert!(!text.contains("not a key"), "{text}");
}

#[tokio::test]
async fn a_short_key_signs_nothing_and_verifies_nothing() {
    let keys = Keys::new();
    let labels = keys.secrets.labels(KEY);
    let value = json!({ "key": "hunter2" }).to_string();
    let short = json!({ "SecretId": KEY, "SecretString": value, "VersionStages": ["AWSPENDING"] });
    let short = keys.secrets.operate("PutSecretValue", &short);
    // While it is not the current one, the others are used.
    let process = keys.process();
    assert!(!process.accepts(&forged().await).await);
    process.sign().await;
    let current = json!({ "SecretId": KEY, "VersionStage": "AWSCURRENT",
        "RemoveFromVersionId": labels["AWSCURRENT"], "MoveToVersionId": short["VersionId"] });
    keys.secrets.operate("UpdateSecretVersionStage", &current);
    let text = chain(&keys.process().try_sign(0).await.unwrap_err());
    assert!(text.contains(&format!("a key of {KEY} has fewer than 32 bytes")), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_process_without_the_right_to_read_keys_knows_the_current_one() {
    let keys = Keys::new();
    let current = keys.process().signs_with().await;
    let process = keys.process_without_keys();
    keys.secrets.take_calls();
    assert_eq!(process.signs_with().await, current);
    assert!(!process.knows(&current).await);
    assert_eq!(keys.secrets.take_calls(), ["DescribeSecret"]);
    let error = process.try_sign(0).await.unwrap_err();
    assert!(chain(&error).contains("the ring has no keys"), "{}", chain(&error));
}

#[tokio::test]
async fn a_token_without_the_id_of_a_key_is_forged_and_the_ring_is_not_read() {
    let keys = Keys::new();
    let forged = keys.process().check("a.b.c").await;
    assert_eq!(forged.unwrap(), CheckedToken::Forged);
    assert!(keys.secrets.take_calls().is_empty());
}

#[tokio::test]
async fn a_text_is_read_from_a_secret_or_the_secret_is_named() {
    let keys = Keys::new();
    let text = keys.text(KEY).await.unwrap();
    assert!(text.starts_with(r#"{"key":""#), "{text}");
    let error = chain(&keys.text("absent").await.unwrap_err());
    assert!(error.contains("failed to read a secret: the service answered Resource"), "{error}");
}
