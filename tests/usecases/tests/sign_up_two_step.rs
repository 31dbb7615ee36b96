//! Signing up in two steps: the first stores the sign-up, the second completes it with a code.

use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::identifier::{Identifier, IdentifierKind};
use std::time::Duration;
use usecases::{Core, Refusal, START, address, email, other_email, other_source, username, wrong};

const PASSWORD: &str = "correct horse";
const HOUR: Duration = Duration::from_hours(1);

/// Starts a sign-up of `ann-9`. Returns its handle and its code.
async fn started(core: &Core) -> (String, String) {
    let handle = core.start_sign_up(email(), username("Ann-9"), PASSWORD).await.unwrap();
    (handle, core.code_of(SignUp, email()).await)
}

#[tokio::test]
async fn the_first_step_mails_a_code_and_makes_no_user() {
    let core = Core::new();
    let (_, code) = started(&core).await;
    core.deliver().await;
    assert_eq!(core.mails.sent_to(&email()), [code]);
    assert_eq!(core.owner_of(email()).await, None);
    assert_eq!(core.owner_of(username("ann-9")).await, None);
    assert!(core.bus.published().is_empty());
}

#[tokio::test]
async fn the_second_step_makes_the_user_with_a_wallet() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    let user = core.complete_sign_up(&handle, &code).await.unwrap();
    assert_eq!(core.owner_of(email()).await, Some(user.id.clone()));
    assert_eq!(core.owner_of(username("ANN-9")).await, Some(user.id.clone()));
    assert!(core.is_verified(&user.id, &email()).await);
    let stored = core.user(&user.id).await.unwrap();
    let written: Vec<_> =
        stored.identifiers.iter().map(|known| known.identifier.as_written()).collect();
    let Identifier::Card(card) =
        &stored.identifiers.of_kind(IdentifierKind::Card).unwrap().identifier
    else {
        unreachable!("a card")
    };
    assert!(card.as_str().starts_with("705") && card.as_str().len() == 20);
    assert_eq!(written, ["ann@example.com", "Ann-9", card.as_str()]);
    // The attributes of the second step are added to those of the first.
    assert_eq!(
        (stored.attributes.text("name"), stored.attributes.text("plan")),
        (Some("Ann"), Some("gold"))
    );
    assert_eq!(core.credits(&user.id), [25]);
    core.deliver().await;
    assert_eq!(core.bus.details("signed_up"), [format!("{} 25", user.id.as_str())]);
    core.sign_in_by_password(username("ann-9"), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_sign_up_is_completed_once_and_credited_once() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    let user = core.complete_sign_up(&handle, &code).await.unwrap();
    let again = core.complete_sign_up(&handle, &code).await.unwrap_err();
    assert_eq!(again, Refusal::NoCode);
    assert_eq!(core.credits(&user.id), [25]);
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_completes_the_sign_up() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    let (same, secret) = (handle.clone(), code.clone());
    core.interrupt(0, async move |rival| {
        rival.complete_sign_up(&same, &secret).await.unwrap();
    });
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    core.expect_interrupted();
    assert_eq!(refused, Refusal::NoCode);
    let user = core.owner_of(email()).await.unwrap();
    assert_eq!(core.credits(&user), [25]);
}

#[tokio::test]
async fn an_identifier_of_a_user_is_refused_at_once() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    core.complete_sign_up(&handle, &code).await.unwrap();
    let taken = Err(Refusal::Taken);
    assert_eq!(core.start_sign_up(email(), username("ben-9"), PASSWORD).await, taken);
    assert_eq!(core.start_sign_up(other_email(), username("ANN-9"), PASSWORD).await, taken);
    assert!(!core.has_code(SignUp, other_email()).await);
    core.start_sign_up(other_email(), username("ben-9"), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_sign_up_waits_for_its_code_and_blocks_the_next_one() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    let next = async || core.start_sign_up(email(), username("other"), PASSWORD).await;
    assert_eq!(next().await, Err(Refusal::Waiting));
    core.wait_until_just_before(START, Duration::from_mins(5));
    assert_eq!(next().await, Err(Refusal::Waiting));
    core.tick();
    next().await.unwrap();
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::NoCode);
}

#[tokio::test]
async fn a_sign_up_that_another_one_outruns_has_to_wait() {
    let core = Core::new();
    core.interrupt(0, async |rival| {
        rival.start_sign_up(email(), username("first"), PASSWORD).await.unwrap();
    });
    let refused = core.start_sign_up(email(), username("second"), PASSWORD).await;
    core.expect_interrupted();
    assert_eq!(refused, Err(Refusal::Waiting));
}

#[tokio::test]
async fn a_wrong_code_completes_nothing_and_the_last_one_frees_the_address_after_the_pause() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    for _ in 0..3 {
        let refused = core.complete_sign_up(&handle, &wrong(&code)).await.unwrap_err();
        assert_eq!(refused, Refusal::WrongCode);
    }
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::NoCode);
    let again = core.start_sign_up(email(), username("Ann-9"), PASSWORD).await;
    let retry_after = Duration::from_secs(30);
    assert_eq!(again, Err(Refusal::TooMany { retry_after }));
    core.wait(retry_after);
    let (handle, code) = started(&core).await;
    core.complete_sign_up(&handle, &code).await.unwrap();
}

#[tokio::test]
async fn a_handle_without_a_sign_up_completes_nothing() {
    let core = Core::new();
    let handle = core.request_handle(SignUp, email()).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    for (handle, code) in [(handle.as_str(), code.as_str()), ("unknown", "000000")] {
        let refused = core.complete_sign_up(handle, code).await.unwrap_err();
        assert_eq!(refused, Refusal::NoCode);
    }
}

#[tokio::test]
async fn a_username_that_was_taken_in_the_meantime_is_refused() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    let other = core.start_sign_up(other_email(), username("ANN-9"), PASSWORD).await.unwrap();
    let other_code = core.code_of(SignUp, other_email()).await;
    core.entropy.force(16, 7);
    let user = core.complete_sign_up(&other, &other_code).await.unwrap();
    for _ in 0..2 {
        // The code stays valid. That the card number is taken too makes no difference.
        core.entropy.force(16, 7);
        let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
        assert_eq!(refused, Refusal::Taken);
    }
    assert_eq!(core.owner_of(username("ann-9")).await, Some(user.id));
    assert_eq!(core.owner_of(email()).await, None);
}

#[tokio::test]
async fn an_address_that_was_taken_in_the_meantime_is_refused() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::Taken);
}

#[tokio::test]
async fn a_card_number_that_is_taken_is_a_failure() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    core.entropy.force(16, 7);
    core.complete_sign_up(&handle, &code).await.unwrap();
    let handle = core.start_sign_up(other_email(), username("ben-9"), PASSWORD).await.unwrap();
    let code = core.code_of(SignUp, other_email()).await;
    core.entropy.force(16, 7);
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    let failure = "failed to open a wallet: its card number is taken";
    assert_eq!(refused, Refusal::Internal(failure.to_owned()));
    // The next try draws another number.
    core.complete_sign_up(&handle, &code).await.unwrap();
}

#[tokio::test]
async fn a_refusal_costs_the_source_as_much_as_a_sign_up() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 3);
    core.wait(Duration::from_mins(1));
    started(&core).await;
    let next = async |core: &Core| core.start_sign_up(email(), username("other"), PASSWORD).await;
    for _ in 0..2 {
        assert_eq!(next(&core).await, Err(Refusal::Waiting));
    }
    let spent = Refusal::TooMany { retry_after: Duration::from_mins(59) };
    assert_eq!(next(&core).await, Err(spent.clone()));
    let fresh = address("cat@example.com");
    assert_eq!(core.start_sign_up(fresh, username("cat-9"), PASSWORD).await, Err(spent));
    assert_eq!(next(&core.from(other_source())).await, Err(Refusal::Waiting));
}

#[tokio::test]
async fn a_taken_identifier_costs_the_source_as_much_as_a_sign_up() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 1);
    core.from(other_source()).sign_up_by_password(email(), PASSWORD).await.unwrap();
    let start = async || core.start_sign_up(email(), username("ann-9"), PASSWORD).await;
    assert_eq!(start().await, Err(Refusal::Taken));
    assert_eq!(start().await, Err(Refusal::TooMany { retry_after: HOUR }));
}

#[tokio::test]
async fn an_address_has_three_sends_in_an_hour() {
    let core = Core::new();
    for _ in 0..3 {
        started(&core).await;
        core.wait(Duration::from_mins(5));
    }
    let refused = core.start_sign_up(email(), username("ann-9"), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::TooMany { retry_after: Duration::from_mins(45) }));
}

#[tokio::test]
async fn a_source_with_too_many_wrong_guesses_completes_nothing() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 1);
    let (handle, code) = started(&core).await;
    core.use_up_guesses().await;
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::TooMany { retry_after: HOUR });
    core.from(other_source()).complete_sign_up(&handle, &code).await.unwrap();
}

#[tokio::test]
async fn a_code_that_is_sent_again_completes_the_sign_up_under_the_same_handle() {
    let core = Core::new();
    let (handle, first) = started(&core).await;
    let early = core.resend_sign_up(&handle).await;
    assert_eq!(early, Err(Refusal::TooMany { retry_after: Duration::from_secs(30) }));
    core.wait(Duration::from_secs(30));
    core.resend_sign_up(&handle).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    core.deliver().await;
    // The relay drops a code that was replaced before it was sent.
    assert_eq!(core.mails.sent_to(&email()), std::slice::from_ref(&code));
    assert_ne!(code, first);
    // The new code has all its guesses, and its whole life.
    core.wait_until_just_before(START, Duration::from_secs(330));
    for _ in 0..2 {
        let refused = core.complete_sign_up(&handle, &first).await.unwrap_err();
        assert_eq!(refused, Refusal::WrongCode);
    }
    core.complete_sign_up(&handle, &code).await.unwrap();
    assert_eq!(core.resend_sign_up(&handle).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_sign_up_is_sent_again_for_an_hour() {
    let core = Core::new().ruled(|rules| rules.sends.limits.per_hour = 0);
    let (handle, _) = started(&core).await;
    // The code has expired, and no other sign-up began.
    core.wait(Duration::from_mins(20));
    core.resend_sign_up(&handle).await.unwrap();
    core.wait_until_just_before(START, HOUR);
    core.resend_sign_up(&handle).await.unwrap();
    core.tick();
    assert_eq!(core.resend_sign_up(&handle).await, Err(Refusal::NoCode));
    // The last code keeps its life.
    let code = core.code_of(SignUp, email()).await;
    core.complete_sign_up(&handle, &code).await.unwrap();
}

#[tokio::test]
async fn a_sign_up_that_was_replaced_or_guessed_at_too_often_is_not_sent_again() {
    let core = Core::new();
    let (replaced, _) = started(&core).await;
    core.wait(Duration::from_mins(5));
    let (handle, code) = started(&core).await;
    assert_eq!(core.resend_sign_up(&replaced).await, Err(Refusal::NoCode));
    for _ in 0..3 {
        core.complete_sign_up(&handle, &wrong(&code)).await.unwrap_err();
    }
    assert_eq!(core.resend_sign_up(&handle).await, Err(Refusal::NoCode));
    assert_eq!(core.resend_sign_up("unknown").await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_handle_of_another_realm_or_purpose_is_not_sent_again() {
    let core = Core::new();
    let (handle, _) = started(&core).await;
    core.wait(Duration::from_mins(1));
    assert_eq!(core.in_shop("other").resend_sign_up(&handle).await, Err(Refusal::NoCode));
    let plain = core.request_handle(SignUp, other_email()).await.unwrap();
    core.wait(Duration::from_mins(1));
    assert_eq!(core.resend_sign_up(&plain).await, Err(Refusal::NoCode));
    core.resend_sign_up(&handle).await.unwrap();
}

#[tokio::test]
async fn an_address_that_got_an_account_in_the_meantime_is_sent_nothing() {
    let core = Core::new().ruled(|rules| rules.account_notice = false);
    let (handle, _) = started(&core).await;
    core.deliver().await;
    core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    for _ in 0..2 {
        core.wait(Duration::from_secs(30));
        core.resend_sign_up(&handle).await.unwrap();
        core.deliver().await;
    }
    assert_eq!(core.mails.sent_to(&email()).len(), 1);
    let code = core.code_of(SignUp, email()).await;
    // A code that was not sent is never right.
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::WrongCode);
}

#[tokio::test]
async fn a_code_can_be_sent_again_after_midnight() {
    let core = Core::new();
    let day = core.now().window_start(HOUR * 24);
    core.wait_until_just_before(day, Duration::from_mins(24 * 60 - 10));
    let (handle, _) = started(&core).await;
    core.wait(Duration::from_mins(15));
    core.purge_challenges();
    core.resend_sign_up(&handle).await.unwrap();
}

#[tokio::test]
async fn of_two_resends_one_sends_and_the_other_has_to_wait() {
    let core = Core::new();
    let (handle, _) = started(&core).await;
    core.wait(Duration::from_secs(30));
    let same = handle.clone();
    core.interrupt(0, async move |rival| rival.resend_sign_up(&same).await.unwrap());
    let refused = core.resend_sign_up(&handle).await;
    core.expect_interrupted();
    assert_eq!(refused, Err(Refusal::TooMany { retry_after: Duration::from_secs(30) }));
    let code = core.code_of(SignUp, email()).await;
    core.deliver().await;
    assert_eq!(core.mails.sent_to(&email()), [code]);
}

#[tokio::test]
async fn a_resend_that_the_code_outruns_sends_nothing() {
    let core = Core::new();
    let (handle, code) = started(&core).await;
    core.wait(Duration::from_secs(30));
    let same = handle.clone();
    core.interrupt(0, async move |rival| {
        rival.complete_sign_up(&same, &code).await.unwrap();
    });
    let refused = core.resend_sign_up(&handle).await;
    core.expect_interrupted();
    assert_eq!(refused, Err(Refusal::NoCode));
    assert!(!core.has_code(SignUp, email()).await);
}

#[tokio::test]
async fn a_contract_without_handles_has_no_second_step() {
    let core = Core::new().ruled(|rules| rules.handles = false);
    let refused = core.start_sign_up(email(), username("ann-9"), PASSWORD).await;
    let failure = "failed to start a sign-up: the contract has no handles";
    assert_eq!(refused, Err(Refusal::Internal(failure.to_owned())));
}
