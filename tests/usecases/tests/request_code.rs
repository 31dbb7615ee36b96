//! Requesting a code.

use latchkey::domain::challenge::Purpose::{self, *};
use std::time::Duration;
use usecases::{
    Core, Refusal, START, abroad, email, number, other_phone, other_source, phone, username,
};

const HOUR: Duration = Duration::from_hours(1);

fn too_many<T>(retry_after: Duration) -> Result<T, Refusal> {
    Err(Refusal::TooMany { retry_after })
}

/// A phone number for each `n` up to nine.
fn phone_of(n: u8) -> latchkey::domain::identifier::Identifier {
    number(&format!("+8529000000{n}"))
}

#[tokio::test]
async fn a_code_is_sent_to_a_new_recipient() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.request_code(SignUp, email()).await.unwrap();
    core.deliver().await;
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(SignUp, phone()).await]);
    assert_eq!(core.mails.sent_to(&email()), [core.code_of(SignUp, email()).await]);
    assert!(core.waiting().is_empty());
}

#[tokio::test]
async fn a_code_of_an_existing_account_is_sent_to_its_recipient() {
    for purpose in [SignIn, ResetPassword, Verify] {
        let core = Core::new();
        core.signed_up_by_code(phone()).await;
        core.request_code(purpose, phone()).await.unwrap();
        core.deliver().await;
        // The code of the sign-up was used before the relay ran.
        assert_eq!(core.texts.sent_to(&phone()), [core.code_of(purpose, phone()).await]);
    }
}

/// Asserts that only these texts were sent, and that the right code of the challenge is refused.
async fn expect_no_code(core: &Core, purpose: Purpose, sent: &[&str]) {
    core.deliver().await;
    assert_eq!(core.texts.sent_to(&phone()), sent, "{purpose:?}");
    let code = core.code_of(purpose, phone()).await;
    assert_eq!(core.check_code(purpose, phone(), &code).await, Err(Refusal::WrongCode));
}

#[tokio::test]
async fn an_unknown_recipient_gets_no_code_of_an_existing_account() {
    for purpose in [SignIn, ResetPassword, Verify] {
        let core = Core::new();
        core.request_code(purpose, phone()).await.unwrap();
        expect_no_code(&core, purpose, &[]).await;
    }
}

#[tokio::test]
async fn the_recipient_of_an_account_gets_no_code_of_a_new_one() {
    // Who asks to sign up is told that there is an account, if the contract says so.
    let notice = "you have an account";
    for (purpose, notices, sent) in
        [(SignUp, true, &[notice][..]), (SignUp, false, &[]), (ChangePhone, true, &[])]
    {
        let core = Core::new().ruled(|rules| rules.account_notice = notices);
        core.signed_up_by_code(phone()).await;
        core.wait(HOUR);
        core.request_code(purpose, phone()).await.unwrap();
        expect_no_code(&core, purpose, sent).await;
    }
}

#[tokio::test]
async fn a_country_that_is_not_allowed_gets_no_text() {
    let core = Core::new();
    core.request_code(SignUp, abroad()).await.unwrap();
    core.deliver().await;
    assert!(core.texts.sent().is_empty());
    let code = core.code_of(SignUp, abroad()).await;
    assert_eq!(core.check_code(SignUp, abroad(), &code).await, Err(Refusal::WrongCode));
}

#[tokio::test]
async fn a_username_gets_no_code() {
    let core = Core::new();
    core.request_code(SignUp, username("ann-9")).await.unwrap();
    core.deliver().await;
    assert!(core.texts.sent().is_empty() && core.mails.sent().is_empty());
}

#[tokio::test]
async fn a_suppressed_request_sends_nothing() {
    let core = Core::new();
    core.request_suppressed(SignUp, phone()).await.unwrap();
    core.deliver().await;
    assert!(core.texts.sent_to(&phone()).is_empty());
    let code = core.code_of(SignUp, phone()).await;
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Err(Refusal::NoCode));
    // By its handle, the code is refused like a wrong one.
    let handle = core.request_suppressed_handle(SignUp, other_phone()).await;
    let code = core.code_of(SignUp, other_phone()).await;
    let refused = core.complete_sign_up(&handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::WrongCode);
}

#[tokio::test]
async fn the_next_code_is_sent_after_a_pause() {
    let core = Core::new();
    let pause = Duration::from_secs(30);
    core.request_code(SignUp, phone()).await.unwrap();
    assert_eq!(core.request_code(SignUp, phone()).await, too_many(pause));
    core.wait_until_just_before(START, pause);
    let one = Duration::from_millis(1);
    assert_eq!(core.request_code(SignUp, phone()).await, too_many(one));
    core.tick();
    core.request_code(SignUp, phone()).await.unwrap();
    core.deliver().await;
    // Only the second code is still valid when the relay runs.
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(SignUp, phone()).await]);
}

#[tokio::test]
async fn a_refused_request_leaves_the_code_before_it_valid() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    let code = core.code_of(SignUp, phone()).await;
    core.request_code(SignUp, phone()).await.unwrap_err();
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Ok(()));
}

#[tokio::test]
async fn the_limits_of_recipients_and_purposes_are_separate() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.request_code(SignUp, other_phone()).await.unwrap();
    core.request_code(SignIn, phone()).await.unwrap();
    core.in_shop("one").request_code(SignUp, phone()).await.unwrap();
}

#[tokio::test]
async fn an_hour_has_three_sends() {
    let core = Core::new();
    for _ in 0..3 {
        core.request_code(SignUp, phone()).await.unwrap();
        core.wait(Duration::from_secs(30));
    }
    let left = HOUR.saturating_sub(Duration::from_secs(90));
    assert_eq!(core.request_code(SignUp, phone()).await, too_many(left));
    core.wait_until_just_before(START, HOUR);
    assert_eq!(core.request_code(SignUp, phone()).await, too_many(Duration::from_millis(1)));
    core.tick();
    core.request_code(SignUp, phone()).await.unwrap();
}

#[tokio::test]
async fn a_day_has_five_sends() {
    let core = Core::new();
    for _ in 0..5 {
        core.request_code(SignUp, phone()).await.unwrap();
        core.wait(HOUR);
    }
    // The test began at 09:00, and it is 14:00 now.
    let midnight = Duration::from_hours(10);
    assert_eq!(core.request_code(SignUp, phone()).await, too_many(midnight));
    core.wait(midnight);
    core.request_code(SignUp, phone()).await.unwrap();
}

#[tokio::test]
async fn a_used_code_resets_the_limit_of_the_day() {
    let core = Core::new().ruled(|rules| rules.sends.limits.per_day = 2);
    for _ in 0..2 {
        core.request_code(SignUp, phone()).await.unwrap();
        core.wait(Duration::from_mins(1));
    }
    core.request_code(SignUp, phone()).await.unwrap_err();
    let code = core.code_of(SignUp, phone()).await;
    core.prove(SignUp, phone(), &code).await.unwrap();
    for _ in 0..2 {
        core.wait(HOUR);
        core.request_code(SignUp, phone()).await.unwrap();
    }
    core.wait(HOUR);
    core.request_code(SignUp, phone()).await.unwrap_err();
}

#[tokio::test]
async fn without_limits_every_code_is_sent() {
    let core = Core::new().ruled(|rules| {
        rules.sends.limits.per_hour = 0;
        rules.sources.sends_per_hour = 0;
    });
    for _ in 0..8 {
        core.request_code(SignUp, phone()).await.unwrap();
    }
}

#[tokio::test]
async fn a_source_has_a_limit_for_all_recipients() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 2);
    core.wait(Duration::from_mins(10));
    for n in 0..2 {
        core.request_code(SignUp, phone_of(n)).await.unwrap();
    }
    let left = Duration::from_mins(50);
    assert_eq!(core.request_code(SignUp, phone_of(2)).await, too_many(left));
    assert!(!core.has_code(SignUp, phone_of(2)).await);
    core.from(other_source()).request_code(SignUp, phone_of(2)).await.unwrap();
    core.wait_until_just_before(core.now(), left);
    core.request_code(SignUp, phone_of(3)).await.unwrap_err();
    core.tick();
    core.request_code(SignUp, phone_of(3)).await.unwrap();
}

#[tokio::test]
async fn a_request_that_another_one_outruns_is_refused() {
    let core = Core::new();
    core.interrupt(0, async |rival| rival.request_code(SignUp, phone()).await.unwrap());
    let refused = core.request_code(SignUp, phone()).await;
    core.expect_interrupted();
    assert_eq!(refused, too_many(Duration::from_secs(30)));
    core.deliver().await;
    assert_eq!(core.texts.sent_to(&phone()).len(), 1);
}

#[tokio::test]
async fn without_a_pause_a_request_that_another_one_outruns_is_served_after_it() {
    let core = Core::new().ruled(|rules| rules.sends.limits.pause = Duration::ZERO);
    core.interrupt(0, async |rival| rival.request_code(SignUp, phone()).await.unwrap());
    core.request_code(SignUp, phone()).await.unwrap();
    core.expect_interrupted();
    core.deliver().await;
    // The code of the other request was replaced before the relay ran.
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(SignUp, phone()).await]);
}

/// Lets another request send before each of the next `times` tries.
fn outrun(core: &Core, pass: usize, times: usize) {
    core.interrupt(pass, async move |rival| {
        rival.request_code(SignUp, phone()).await.unwrap();
        if let Some(left) = times.checked_sub(1).filter(|left| *left > 0) {
            // A try draws four random values, and this is the first of them.
            outrun(&rival, 3, left);
        }
    });
}

#[tokio::test]
async fn a_request_gives_up_after_four_tries() {
    for (times, expected) in [(3, Ok(())), (4, too_many(Duration::from_secs(1)))] {
        let core = Core::new().ruled(|rules| {
            rules.sends.limits.pause = Duration::ZERO;
            rules.sends.limits.per_hour = 5;
        });
        outrun(&core, 0, times);
        assert_eq!(core.request_code(SignUp, phone()).await, expected);
        core.expect_interrupted();
    }
}

#[tokio::test]
async fn a_contract_without_handles_sends_the_same_code() {
    let core = Core::new().ruled(|rules| rules.handles = false);
    let code = core.requested_code(SignUp, phone()).await;
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Ok(()));
}
