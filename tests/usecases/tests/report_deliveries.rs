//! What carriers report of messages that they accepted.

use latchkey::domain::challenge::Purpose::SignUp;
use latchkey::domain::delivery::{Blame, DeliveryReport, DeliveryStatus};
use latchkey::usecases::Reported;
use std::time::Duration;
use usecases::{Core, SUPPRESSION, email, phone};

const ONE_NEW: Reported = Reported { new: 1, repeated: 0, unknown: 0 };
const ONE_REPEATED: Reported = Reported { new: 0, repeated: 1, unknown: 0 };

/// Sends a code and the events about it.
async fn send(core: &Core, recipient: latchkey::domain::identifier::Identifier) {
    core.request_code(SignUp, recipient).await.unwrap();
    deliver_all(core).await;
}

/// Delivers until nothing waits: a message that is sent leaves an event.
async fn deliver_all(core: &Core) {
    while !core.waiting().is_empty() {
        assert!(core.deliver().await.is_empty());
    }
}

/// A report of the recipient's matter, such as a mailbox that does not exist.
fn of_recipient(report: DeliveryReport) -> DeliveryReport {
    DeliveryReport { blame: Blame::Recipient, cause: Some("gone".to_owned()), ..report }
}

#[tokio::test]
async fn a_message_and_what_became_of_it_are_events() {
    let core = Core::new().with_reports();
    send(&core, phone()).await;
    send(&core, email()).await;
    assert_eq!(core.bus.details("message_sent"), ["plain.sign_up +852 -", "plain.sign_up mail -"]);
    assert_eq!(core.delivery_keys(), ["mail#1", "sns#1"]);
    let delivered = core.report("sns", "1", DeliveryStatus::Delivered);
    let bounced = of_recipient(core.report("mail", "1", DeliveryStatus::Bounced));
    let reports = [delivered, bounced];
    let two = Reported { new: 2, ..Reported::default() };
    assert_eq!(core.take_reports(&reports).await.unwrap(), two);
    deliver_all(&core).await;
    assert_eq!(core.bus.details("message_delivered"), ["plain.sign_up +852 -"]);
    assert_eq!(core.bus.details("message_bounced"), ["plain.sign_up mail gone"]);
}

#[tokio::test]
async fn a_report_that_comes_again_causes_no_second_event() {
    let core = Core::new().with_reports();
    send(&core, phone()).await;
    let report = core.report("sns", "1", DeliveryStatus::Delivered);
    assert_eq!(core.take_reports(std::slice::from_ref(&report)).await.unwrap(), ONE_NEW);
    deliver_all(&core).await;
    assert_eq!(core.take_reports(std::slice::from_ref(&report)).await.unwrap(), ONE_REPEATED);
    assert!(core.waiting().is_empty());
    // Two in one batch.
    let failed = core.report("sns", "1", DeliveryStatus::Failed);
    let twice = core.take_reports(&[failed.clone(), failed]).await.unwrap();
    assert_eq!(twice, Reported { new: 1, repeated: 1, unknown: 0 });
}

#[tokio::test]
async fn a_message_of_another_stack_is_left_alone() {
    let core = Core::new().with_reports();
    send(&core, phone()).await;
    // The id of another carrier is another message.
    let others = [
        core.report("sns", "2", DeliveryStatus::Delivered),
        of_recipient(core.report("mail", "1", DeliveryStatus::Bounced)),
    ];
    let two = Reported { unknown: 2, ..Reported::default() };
    assert_eq!(core.take_reports(&others).await.unwrap(), two);
    assert!(core.waiting().is_empty());
    assert_eq!(core.delivery_keys(), ["sns#1"]);
}

#[tokio::test]
async fn a_recipient_that_cannot_be_reached_is_left_alone_for_a_while() {
    let core = Core::new().with_reports();
    send(&core, email()).await;
    let at = core.now();
    let bounced = of_recipient(core.report("mail", "1", DeliveryStatus::Bounced));
    assert_eq!(core.take_reports(&[bounced]).await.unwrap(), ONE_NEW);
    core.wait(Duration::from_hours(1));
    send(&core, email()).await;
    assert_eq!(core.mails.calls(), 1);
    // Other recipients get theirs.
    send(&core, phone()).await;
    assert_eq!(core.texts.calls(), 1);
    core.wait_until_just_before(at, SUPPRESSION);
    send(&core, email()).await;
    assert_eq!(core.mails.calls(), 1);
    core.wait(Duration::from_hours(1));
    send(&core, email()).await;
    assert_eq!(core.mails.calls(), 2);
}

#[tokio::test]
async fn an_operator_lets_a_recipient_get_messages_again() {
    let core = Core::new().with_reports();
    send(&core, phone()).await;
    let opted_out = of_recipient(core.report("sns", "1", DeliveryStatus::Failed));
    core.take_reports(&[opted_out]).await.unwrap();
    assert!(core.lift(&phone()).await);
    assert!(!core.lift(&phone()).await);
    core.wait(Duration::from_hours(1));
    send(&core, phone()).await;
    assert_eq!(core.texts.calls(), 2);
}

#[tokio::test]
async fn a_report_that_comes_again_does_not_undo_what_the_operator_did() {
    let core = Core::new().with_reports();
    send(&core, email()).await;
    let bounced = [of_recipient(core.report("mail", "1", DeliveryStatus::Bounced))];
    assert_eq!(core.take_reports(&bounced).await.unwrap(), ONE_NEW);
    assert!(core.lift(&email()).await);
    assert_eq!(core.take_reports(&bounced).await.unwrap(), ONE_REPEATED);
    assert!(!core.lift(&email()).await);
}

#[tokio::test]
async fn a_carrier_that_could_not_deliver_this_time_is_asked_again() {
    let core = Core::new().with_reports();
    send(&core, phone()).await;
    let failed = core.report("sns", "1", DeliveryStatus::Failed);
    assert_eq!(core.take_reports(&[failed]).await.unwrap(), ONE_NEW);
    core.wait(Duration::from_hours(1));
    send(&core, phone()).await;
    assert_eq!(core.texts.calls(), 2);
}

#[tokio::test]
async fn a_message_is_sent_once_even_if_it_cannot_be_remembered() {
    let core = Core::new().with_reports();
    core.lose_deliveries();
    send(&core, phone()).await;
    assert_eq!(core.texts.sent().len(), 1);
    assert!(core.bus.published().is_empty());
    let report = core.report("sns", "1", DeliveryStatus::Delivered);
    assert!(core.take_reports(&[report]).await.is_err());
}

#[tokio::test]
async fn nothing_is_remembered_if_carriers_do_not_report() {
    let core = Core::new();
    send(&core, phone()).await;
    assert!(core.bus.published().is_empty() && core.delivery_keys().is_empty());
}
