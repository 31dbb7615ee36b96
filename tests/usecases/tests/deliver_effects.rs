//! Delivering the effects in the outbox.

use crate::shop::{both, by_email};
use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{Answer, Core, email, number, other_phone, phone};

#[tokio::test]
async fn texts_mails_and_events_go_to_their_carriers_once() {
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&client, both()).await.unwrap();
    let ids = core.waiting().await;
    for _ in 0..2 {
        assert!(core.deliver_ids(&ids).await.unwrap().is_empty());
        assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (1, 1));
        assert_eq!(core.bus.published(), ["signed_up_to_verify"]);
        assert!(core.waiting().await.is_empty());
    }
}

#[tokio::test]
async fn a_code_that_was_replaced_is_not_sent() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.wait(Duration::from_secs(30));
    core.request_code(SignUp, phone()).await.unwrap();
    assert_eq!(core.waiting().await.len(), 2);
    assert!(core.deliver().await.is_empty());
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(SignUp, phone()).await]);
    assert!(core.waiting().await.is_empty());
}

#[tokio::test]
async fn a_code_that_was_used_is_not_sent() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    core.prove(SignUp, phone(), &code).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.texts.sent().is_empty() && core.waiting().await.is_empty());
}

#[tokio::test]
async fn a_code_is_sent_until_it_expires() {
    for (past, sent) in [(false, 1), (true, 0)] {
        let core = Core::new();
        core.request_code(SignUp, phone()).await.unwrap();
        core.wait_until_just_before(core.now(), Duration::from_mins(5));
        if past {
            core.tick();
        }
        assert!(core.deliver().await.is_empty());
        assert_eq!(core.texts.sent().len(), sent);
        assert!(core.waiting().await.is_empty());
    }
}

#[tokio::test]
async fn a_link_is_mailed_until_it_expires_or_is_used_or_replaced() {
    for (wait, sent) in [(Duration::from_hours(23), 1), (Duration::from_hours(24), 0)] {
        let core = Core::new();
        let client = core.create_client(&[]).await.id;
        core.sign_up_to_verify(&client, by_email()).await.unwrap();
        core.wait(wait);
        assert!(core.deliver().await.is_empty());
        assert_eq!(core.mails.sent().len(), sent);
    }
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    let user = core.sign_up_to_verify(&client, by_email()).await.unwrap();
    let link = core.link_of(email()).await;
    core.verify_by_link(&user, &link).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.mails.sent().is_empty());
}

#[tokio::test]
async fn a_recipient_that_the_carrier_refuses_permanently_is_not_tried_again() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.texts.answer(Answer::Refuse);
    assert!(core.deliver().await.is_empty());
    assert!(core.waiting().await.is_empty());
}

#[tokio::test]
async fn a_message_that_failed_is_kept_and_sent_later() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.texts.answer(Answer::Fail);
    let ids = core.waiting().await;
    assert_eq!(core.deliver().await.into_iter().collect::<Vec<_>>(), ids);
    assert_eq!(core.waiting().await, ids);
    core.texts.answer(Answer::Accept);
    assert!(core.deliver().await.is_empty());
    assert_eq!(core.texts.sent().len(), 1);
    assert!(core.waiting().await.is_empty());
}

#[tokio::test]
async fn a_failure_does_not_hold_up_the_other_effects_of_an_entry() {
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&client, both()).await.unwrap();
    core.texts.answer(Answer::Fail);
    assert_eq!(core.deliver().await.len(), 1);
    core.bus.answer(Answer::Fail);
    assert_eq!(core.deliver().await.len(), 1);
    core.texts.answer(Answer::Accept);
    // Only the text is left, so the bus is not called again.
    assert!(core.deliver().await.is_empty());
    assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (1, 1));
    assert_eq!(core.bus.published(), ["signed_up_to_verify"]);
}

#[tokio::test]
async fn events_that_failed_are_kept_and_published_later() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    core.bus.answer(Answer::Fail);
    assert_eq!(core.deliver().await.len(), 1);
    assert_eq!((core.texts.sent().len(), core.bus.published().len()), (1, 0));
    core.bus.answer(Answer::Accept);
    assert!(core.deliver().await.is_empty());
    assert_eq!((core.texts.sent().len(), core.bus.published().len()), (1, 1));
}

#[tokio::test]
async fn one_entry_that_fails_does_not_hold_up_the_others() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.request_code(SignUp, email()).await.unwrap();
    core.texts.answer(Answer::Fail);
    assert_eq!(core.deliver().await.len(), 1);
    assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (0, 1));
    assert_eq!(core.waiting().await.len(), 1);
}

#[tokio::test]
async fn a_code_of_an_unknown_contract_is_dropped() {
    let core = Core::new();
    core.of_contract("another").request_code(SignUp, phone()).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.texts.sent().is_empty() && core.waiting().await.is_empty());
}

#[tokio::test]
async fn the_sweep_delivers_what_has_waited_for_more_than_a_minute() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.wait(Duration::from_mins(1));
    assert_eq!(core.sweep().await, (0, 0));
    core.tick();
    core.request_code(SignUp, other_phone()).await.unwrap();
    assert_eq!(core.sweep().await, (1, 0));
    assert_eq!((core.texts.sent().len(), core.texts.sent_to(&phone()).len()), (1, 1));
    assert_eq!(core.waiting().await.len(), 1);
}

#[tokio::test]
async fn the_sweep_reads_every_page_and_counts_what_failed() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    for n in 0..25 {
        let phone = number(&format!("+852900000{n:02}"));
        core.request_code(SignUp, phone).await.unwrap();
    }
    core.request_code(SignUp, email()).await.unwrap();
    core.wait(Duration::from_mins(2));
    core.texts.answer(Answer::Fail);
    assert_eq!(core.sweep().await, (26, 25));
    core.texts.answer(Answer::Accept);
    assert_eq!(core.sweep().await, (25, 0));
    assert_eq!(core.sweep().await, (0, 0));
    assert_eq!(core.texts.sent().len(), 25);
}

#[tokio::test]
async fn a_link_of_a_contract_without_links_is_dropped() {
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    core.of_contract("another").sign_up_to_verify(&client, by_email()).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.mails.sent().is_empty() && core.waiting().await.is_empty());
}

#[tokio::test]
async fn a_code_without_a_message_is_dropped() {
    let core = Core::new();
    core.request_code(ChangePhone, phone()).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.texts.sent().is_empty() && core.waiting().await.is_empty());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_kept_and_does_not_hold_up_the_others() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.put_unreadable_entry("newer");
    assert_eq!(core.deliver().await.into_iter().collect::<Vec<_>>(), ["newer"]);
    assert_eq!(core.texts.sent().len(), 1);
    core.wait(Duration::from_mins(2));
    assert_eq!(core.sweep().await, (1, 1));
    assert_eq!(core.waiting().await, ["newer"]);
}

#[tokio::test]
async fn the_sweep_reads_no_further_page_after_ten_seconds() {
    // A page has ten entries.
    for (each, found) in [(1000, 20), (1001, 10)] {
        let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
        for n in 0..25 {
            core.request_code(SignUp, number(&format!("+852900000{n:02}"))).await.unwrap();
        }
        core.wait(Duration::from_mins(2));
        core.slow_texts(Duration::from_millis(each));
        assert_eq!(core.sweep().await, (found, 0));
        assert_eq!(core.texts.sent().len(), found);
    }
}
