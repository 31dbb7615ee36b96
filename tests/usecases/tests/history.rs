//! What is kept of what happened to recipients and users.

use latchkey::domain::challenge::Lane;
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::delivery::{Blame, DeliveryReport, DeliveryStatus};
use latchkey::domain::history::{Counted, Happening, MessageOutcome, Withheld};
use std::time::Duration;
use usecases::{Answer, Core, Refusal, abroad, email, phone};

const DAY: Duration = Duration::from_hours(24);

fn sent(carrier: &str, id: &str) -> MessageOutcome {
    MessageOutcome::Sent { carrier: carrier.to_owned(), id: Some(id.to_owned()) }
}

fn withheld(reason: Withheld) -> MessageOutcome {
    MessageOutcome::Withheld(Some(reason))
}

#[tokio::test]
async fn a_sent_code_is_kept_with_its_carrier_and_what_the_carrier_reports() {
    let core = Core::new().with_reports();
    core.request_code(SignUp, phone()).await.unwrap();
    let asked_at = core.now();
    core.wait(Duration::from_secs(2));
    core.deliver().await;
    let entry = core.history(&phone()).await.pop().unwrap();
    let Happening::Message(message) = &entry.item.what else { panic!("{entry:?}") };
    assert_eq!((message.purpose, message.lane), (SignUp, Lane::Strangers));
    assert_eq!((message.asked_at, message.settled_at), (asked_at, core.now()));
    assert_eq!(message.outcome, sent("sns", "1"));
    let receipt = entry.receipt.unwrap();
    assert!(receipt.news.is_empty(), "{receipt:?}");
    let report = core.report("sns", "1", DeliveryStatus::Failed);
    let cause = Some("No quota left for account".to_owned());
    let report = DeliveryReport { blame: Blame::Account, cause: cause.clone(), ..report };
    core.take_reports(std::slice::from_ref(&report)).await.unwrap();
    let receipt = core.history(&phone()).await.pop().unwrap().receipt.unwrap();
    assert_eq!(receipt.news, [(DeliveryStatus::Failed, report.at)]);
    assert_eq!((receipt.cause, receipt.blame), (cause, Blame::Account));
}

#[tokio::test]
async fn a_withheld_code_is_kept_with_the_reason() {
    let core = Core::new().ruled(|rules| rules.account_notice = false);
    core.request_code(SignIn, phone()).await.unwrap();
    core.request_code(SignUp, abroad()).await.unwrap();
    core.request_suppressed(SignUp, phone()).await.unwrap();
    core.deliver().await;
    let of_phone = core.outcomes(&phone()).await;
    assert_eq!(of_phone.len(), 2);
    for reason in [Withheld::Unregistered, Withheld::App] {
        assert!(of_phone.contains(&withheld(reason)), "{of_phone:?}");
    }
    assert_eq!(core.outcomes(&abroad()).await, [withheld(Withheld::Country)]);
    core.signed_up_by_code(email()).await;
    core.deliver().await;
    core.wait(DAY);
    core.request_code(SignUp, email()).await.unwrap();
    core.deliver().await;
    let of_email = core.outcomes(&email()).await;
    assert_eq!(of_email.first(), Some(&withheld(Withheld::Registered)));
    assert!(core.mails.sent_to(&email()).len() <= 1);
}

#[tokio::test]
async fn a_notice_is_kept_as_one() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    core.deliver().await;
    core.wait(DAY);
    core.request_code(SignUp, phone()).await.unwrap();
    core.deliver().await;
    let first = core.outcomes(&phone()).await.into_iter().next().unwrap();
    assert!(matches!(first, MessageOutcome::Notified { .. }), "{first:?}");
}

#[tokio::test]
async fn a_refusal_of_the_carrier_is_kept_with_its_words() {
    let core = Core::new();
    core.texts.answer(Answer::Refuse);
    core.request_code(SignUp, phone()).await.unwrap();
    core.deliver().await;
    let outcomes = core.outcomes(&phone()).await;
    assert!(matches!(outcomes.as_slice(), [MessageOutcome::Refused { .. }]), "{outcomes:?}");
}

#[tokio::test]
async fn a_message_that_waits_is_replaced_by_what_becomes_of_it() {
    let core = Core::new();
    core.texts.answer(Answer::Fail);
    core.request_code(SignUp, phone()).await.unwrap();
    assert_eq!(core.deliver().await.len(), 1);
    assert_eq!(core.outcomes(&phone()).await, [MessageOutcome::Waits { account: false }]);
    core.texts.answer(Answer::Accept);
    core.wait(DAY / 1440);
    core.deliver().await;
    assert_eq!(core.outcomes(&phone()).await, [sent("sns", "2")]);
}

#[tokio::test]
async fn wrong_guesses_and_refusals_are_counted_by_day() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    let wrong = usecases::wrong(&core.code_of(SignUp, phone()).await);
    for _ in 0..2 {
        let refused = core.check_code(SignUp, phone(), &wrong).await;
        assert_eq!(refused, Err(Refusal::WrongCode));
    }
    assert_eq!(core.counted(&phone()).await, [(Counted::WrongCode, 2)]);
    // The pause after the first code. A second refusal in the same minute is not counted.
    for _ in 0..2 {
        let refused = core.request_code(SignUp, phone()).await;
        assert!(matches!(refused, Err(Refusal::TooMany { .. })), "{refused:?}");
    }
    let counted = core.counted(&phone()).await;
    assert!(counted.contains(&(Counted::OverRecipientLimit, 1)), "{counted:?}");
    core.wait(DAY);
    core.request_code(SignUp, phone()).await.unwrap();
    drop(core.check_code(SignUp, phone(), &wrong).await);
    let mut guesses = core.counted(&phone()).await;
    guesses.retain(|(what, _)| *what == Counted::WrongCode);
    assert_eq!(guesses, [(Counted::WrongCode, 1), (Counted::WrongCode, 2)]);
}

#[tokio::test]
async fn a_known_and_an_unknown_recipient_leave_the_same_items() {
    let core = Core::new();
    core.signed_up_by_code(email()).await;
    core.deliver().await;
    core.wait(DAY);
    let before = core.history(&email()).await.len();
    for recipient in [email(), phone()] {
        core.request_code(SignIn, recipient.clone()).await.unwrap();
        core.deliver().await;
        drop(core.check_code(SignIn, recipient, "0").await);
    }
    assert_eq!(core.history(&email()).await.len() - before, 2);
    assert_eq!(core.history(&phone()).await.len(), 2);
}

#[tokio::test]
async fn the_events_about_a_user_are_kept_under_the_user() {
    let core = Core::new();
    let user = core.signed_up_by_code(phone()).await.user;
    core.deliver().await;
    let events = core.events_of(&user).await;
    assert!(!events.is_empty());
    let published = core.bus.published();
    assert!(events.iter().all(|kind| published.contains(kind)), "{events:?} of {published:?}");
}

#[tokio::test]
async fn a_history_names_no_person_and_holds_no_secret() {
    let core = Core::new();
    for recipient in [phone(), email()] {
        core.signed_up_by_code(recipient.clone()).await;
        core.deliver().await;
        core.wait(DAY);
        core.request_code(SignIn, recipient.clone()).await.unwrap();
        core.deliver().await;
        drop(core.check_code(SignIn, recipient.clone(), "0").await);
    }
    let texts = core.history_texts().join("\n");
    assert!(texts.contains("sign_in"));
    for named in [phone(), email()] {
        assert!(!texts.contains(named.as_str()), "{texts}");
    }
    let codes = core.texts.sent_to(&phone()).into_iter().chain(core.mails.sent_to(&email()));
    for code in codes {
        assert!(!texts.contains(&code), "{code}");
    }
}

#[tokio::test]
async fn a_history_outlives_a_rotation_of_the_keys_and_ends_after_thirty_days() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.deliver().await;
    let core = core.rotated();
    core.wait(DAY);
    core.request_code(SignUp, phone()).await.unwrap();
    core.deliver().await;
    assert_eq!(core.outcomes(&phone()).await.len(), 2);
    core.wait(DAY * 29);
    assert_eq!(core.outcomes(&phone()).await.len(), 1);
    core.wait(DAY);
    assert!(core.history(&phone()).await.is_empty());
}

#[tokio::test]
async fn a_history_is_forgotten_as_a_whole() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.request_code(SignUp, email()).await.unwrap();
    core.deliver().await;
    drop(core.check_code(SignUp, phone(), "0").await);
    assert_eq!(core.rotated().forget_history(&phone()).await, 2);
    assert!(core.history(&phone()).await.is_empty());
    assert_eq!(core.history(&email()).await.len(), 1);
}

#[tokio::test]
async fn nothing_waits_for_a_history_that_cannot_be_written() {
    let core = Core::new();
    core.lose_histories();
    core.request_code(SignUp, phone()).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert_eq!(core.texts.sent_to(&phone()).len(), 1);
    let wrong = usecases::wrong(&core.code_of(SignUp, phone()).await);
    assert_eq!(core.check_code(SignUp, phone(), &wrong).await, Err(Refusal::WrongCode));
    assert!(core.waiting().is_empty());
}
