//! Checking a code.

use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{Core, Refusal, START, email, other_phone, other_source, phone, wrong};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn the_right_code_is_accepted_and_not_used_up() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    for _ in 0..2 {
        assert_eq!(core.check_code(SignUp, phone(), &code).await, Ok(()));
    }
}

#[tokio::test]
async fn another_code_is_wrong() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    for guess in [wrong(&code), String::new(), format!("{code}0"), format!(" {code}")] {
        let core = Core::new();
        core.request_code(SignUp, phone()).await.unwrap();
        assert_eq!(core.check_code(SignUp, phone(), &guess).await, Err(Refusal::WrongCode));
    }
}

#[tokio::test]
async fn a_code_is_valid_for_its_recipient_purpose_and_realm_only() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    let none = Err(Refusal::NoCode);
    assert_eq!(core.check_code(SignUp, other_phone(), &code).await, none);
    assert_eq!(core.check_code(ChangePhone, phone(), &code).await, none);
    assert_eq!(core.in_shop("one").check_code(SignUp, phone(), &code).await, none);
}

#[tokio::test]
async fn a_code_allows_three_guesses() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    for _ in 0..3 {
        let guess = wrong(&code);
        assert_eq!(core.check_code(SignUp, phone(), &guess).await, Err(Refusal::WrongCode));
    }
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn the_last_guess_may_be_right() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    for _ in 0..2 {
        core.check_code(SignUp, phone(), &wrong(&code)).await.unwrap_err();
    }
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Ok(()));
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_new_code_allows_new_guesses() {
    let core = Core::new();
    let old = core.requested_code(SignUp, phone()).await;
    for _ in 0..3 {
        core.check_code(SignUp, phone(), &wrong(&old)).await.unwrap_err();
    }
    core.wait(Duration::from_secs(30));
    let new = core.requested_code(SignUp, phone()).await;
    assert_eq!(core.check_code(SignUp, phone(), &old).await, Err(Refusal::WrongCode));
    assert_eq!(core.check_code(SignUp, phone(), &new).await, Ok(()));
}

#[tokio::test]
async fn a_code_expires_after_five_minutes() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    core.wait_until_just_before(START, Duration::from_mins(5));
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Ok(()));
    core.tick();
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_source_has_a_limit_of_wrong_guesses() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 2);
    core.wait(Duration::from_mins(58));
    let code = core.requested_code(SignUp, phone()).await;
    // A guess at a challenge that does not exist counts too.
    assert_eq!(core.check_code(SignUp, other_phone(), &code).await, Err(Refusal::NoCode));
    let guess = wrong(&code);
    assert_eq!(core.check_code(SignUp, phone(), &guess).await, Err(Refusal::WrongCode));
    let spent = Refusal::TooMany { retry_after: Duration::from_mins(2) };
    assert_eq!(core.check_code(SignUp, other_phone(), &code).await, Err(spent.clone()));
    // A code that the source asked for can still be tried, until one guess at it failed.
    assert_eq!(core.prove(SignUp, phone(), &code).await.unwrap_err(), spent);
    let code = core.in_new_process().requested_code(SignUp, other_phone()).await;
    core.in_new_process().prove(SignUp, other_phone(), &code).await.unwrap();
}

#[tokio::test]
async fn the_limit_of_wrong_guesses_ends_with_the_hour() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 1);
    core.wait(Duration::from_mins(58));
    let code = core.requested_code(SignUp, phone()).await;
    core.use_up_guesses().await;
    core.wait_until_just_before(START, HOUR);
    let retry_after = Duration::from_millis(1);
    let spent = Refusal::TooMany { retry_after };
    assert_eq!(core.prove(SignUp, phone(), &code).await.unwrap_err(), spent);
    core.tick();
    core.prove(SignUp, phone(), &code).await.unwrap();
}

#[tokio::test]
async fn another_source_has_guesses_of_its_own() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 1);
    let code = core.requested_code(SignUp, phone()).await;
    core.use_up_guesses().await;
    core.prove(SignUp, phone(), &code).await.unwrap_err();
    core.from(other_source()).prove(SignUp, phone(), &code).await.unwrap();
}

#[tokio::test]
async fn without_a_limit_a_source_may_guess_at_every_code() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 0);
    for _ in 0..30 {
        let checked = core.check_code(SignUp, phone(), "000000").await;
        assert_eq!(checked, Err(Refusal::NoCode));
    }
}

#[tokio::test]
async fn a_handle_allows_guesses_at_its_code() {
    let core = Core::new();
    let handle = core.request_handle(SignUp, email()).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    let guess = wrong(&code);
    assert_eq!(core.check_held_code(SignUp, &handle, &guess).await, Err(Refusal::WrongCode));
    assert_eq!(core.check_held_code(SignUp, &handle, &code).await, Ok(()));
    assert_eq!(core.check_held_code(SignUp, "unknown", &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn the_handle_of_another_contract_is_unknown() {
    let core = Core::new();
    let handle = core.request_handle(SignUp, email()).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    let other = core.of_contract("another");
    assert_eq!(other.check_held_code(SignUp, &handle, &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn the_last_wrong_guess_at_a_handle_makes_the_code_invalid() {
    let core = Core::new();
    let handle = core.request_handle(SignUp, email()).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    for left in [true, true, false] {
        let checked = core.check_held_code(SignUp, &handle, &wrong(&code)).await;
        assert_eq!(checked, Err(Refusal::WrongCode));
        assert_eq!(core.has_code(SignUp, email()).await, left);
    }
    assert_eq!(core.check_held_code(SignUp, &handle, &code).await, Err(Refusal::NoCode));
    assert_eq!(core.check_code(SignUp, email(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn the_code_of_a_handle_expires_after_five_minutes() {
    let core = Core::new();
    let handle = core.request_handle(SignUp, email()).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    core.wait_until_just_before(START, Duration::from_mins(5));
    assert_eq!(core.check_held_code(SignUp, &handle, &code).await, Ok(()));
    core.tick();
    assert_eq!(core.check_held_code(SignUp, &handle, &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_code_survives_a_rotation_of_the_keys() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    let rotated = core.rotated();
    assert_eq!(rotated.check_code(SignUp, phone(), &code).await, Ok(()));
    // A process that does not know the new key yet cannot check a code of it.
    let next = core.rotated_twice().requested_code(SignUp, other_phone()).await;
    let failure = "failed to derive a code: the key is not in the ring".to_owned();
    let refused = rotated.check_code(SignUp, other_phone(), &next).await;
    assert_eq!(refused, Err(Refusal::Internal(failure)));
}
