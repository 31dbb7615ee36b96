//! Delivering the effects in the outbox.

use crate::shop::{both, by_email};
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::outbox::MAX_TRIES;
use latchkey::domain::sender::TextCarrier;
use latchkey::usecases::SweepPart;
use std::time::Duration;
use usecases::{Answer, Core, START, email, number, other_phone, phone};

#[tokio::test]
async fn texts_mails_and_events_go_to_their_carriers_once() {
    let core = Core::new();
    let client = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&client, both()).await.unwrap();
    let ids = core.waiting();
    for _ in 0..2 {
        assert!(core.deliver_ids(&ids).await.unwrap().is_empty());
        assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (1, 1));
        assert_eq!(core.bus.published(), ["signed_up_to_verify"]);
        assert!(core.waiting().is_empty());
    }
}

#[tokio::test]
async fn a_code_that_was_replaced_is_not_sent() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.wait(Duration::from_secs(30));
    core.request_code(SignUp, phone()).await.unwrap();
    assert_eq!(core.waiting().len(), 2);
    assert!(core.deliver().await.is_empty());
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(SignUp, phone()).await]);
    assert!(core.waiting().is_empty());
}

#[tokio::test]
async fn a_code_that_was_used_is_not_sent() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    core.prove(SignUp, phone(), &code).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.texts.sent().is_empty() && core.waiting().is_empty());
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
        assert!(core.waiting().is_empty());
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
    assert!(core.waiting().is_empty());
}

#[tokio::test]
async fn a_message_that_failed_is_kept_and_sent_later() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.texts.answer(Answer::Fail);
    let ids = core.waiting();
    assert_eq!(core.deliver().await.into_iter().collect::<Vec<_>>(), ids);
    assert_eq!(core.waiting(), ids);
    core.texts.answer(Answer::Accept);
    assert!(core.deliver().await.is_empty());
    assert_eq!(core.texts.sent().len(), 1);
    assert!(core.waiting().is_empty());
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
    assert_eq!(core.waiting().len(), 1);
}

#[tokio::test]
async fn a_code_of_an_unknown_contract_is_dropped() {
    let core = Core::new();
    core.of_contract("another").request_code(SignUp, phone()).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.texts.sent().is_empty() && core.waiting().is_empty());
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
    assert_eq!(core.waiting().len(), 1);
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
    // Each comes again by its own clock.
    assert_eq!(core.sweep().await, (0, 0));
    core.texts.answer(Answer::Accept);
    core.wait(Duration::from_secs(10));
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
    assert!(core.mails.sent().is_empty() && core.waiting().is_empty());
}

#[tokio::test]
async fn a_code_without_a_message_is_dropped() {
    let core = Core::new();
    core.request_code(ChangePhone, phone()).await.unwrap();
    assert!(core.deliver().await.is_empty());
    assert!(core.texts.sent().is_empty() && core.waiting().is_empty());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_kept_and_does_not_hold_up_the_others() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.put_unreadable_entry("newer");
    assert!(core.deliver().await.is_empty());
    assert_eq!(core.texts.sent().len(), 1);
    core.wait(Duration::from_mins(2));
    assert_eq!(core.sweep().await, (1, 1));
    assert_eq!(core.waiting(), ["newer"]);
}

#[tokio::test]
async fn a_sweep_begins_nothing_after_25_seconds_and_the_next_goes_on() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    for n in 0..75 {
        core.request_code(SignUp, number(&format!("+852900000{n:02}"))).await.unwrap();
    }
    core.wait(Duration::from_mins(2));
    core.slow_texts(Duration::from_secs(2));
    let (found, failed) = core.sweep().await;
    assert!((13..40).contains(&found) && failed == 0, "{found} found, {failed} failed");
    core.slow_texts(Duration::ZERO);
    assert_eq!(core.sweep().await, (75 - found, 0));
    assert_eq!(core.texts.sent().len(), 75);
}

#[tokio::test]
async fn the_parts_of_the_outbox_do_not_meet_and_leave_nothing_out() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    for n in 0..40 {
        let phone = number(&format!("+852900000{n:02}"));
        core.sign_up_unverified(phone).await.unwrap();
    }
    core.wait(Duration::from_mins(2));
    let part = |part| core.sweep_part(SweepPart::new(part, 4).unwrap());
    let parts = tokio::join!(part(0), part(1), part(2), part(3));
    let found: usize = [parts.0, parts.1, parts.2, parts.3].map(|(found, _)| found).iter().sum();
    // A message and an event of each.
    assert_eq!(found, 80);
    assert_eq!((core.texts.sent().len(), core.bus.published().len()), (40, 40));
    assert!(core.waiting().is_empty());
}

#[tokio::test]
async fn events_of_several_entries_go_to_the_bus_in_one_call() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    for n in 0..25 {
        core.sign_up_unverified(number(&format!("+852900000{n:02}"))).await.unwrap();
    }
    assert!(core.deliver().await.is_empty());
    assert_eq!((core.bus.calls(), core.bus.published().len()), (vec![10, 10, 5], 25));
}

#[tokio::test]
async fn an_event_that_the_bus_cannot_read_holds_up_no_other() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    let client = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&client, by_email()).await.unwrap();
    for n in 0..4 {
        core.sign_up_unverified(number(&format!("+852900000{n:02}"))).await.unwrap();
    }
    core.bus.break_on("signed_up_to_verify");
    assert_eq!(core.deliver().await.len(), 1);
    assert_eq!(core.bus.published(), ["signed_up"; 4]);
    core.bus.mend();
    core.deliver().await;
    assert_eq!((core.bus.published().len(), core.waiting().len()), (5, 0));
}

#[tokio::test]
async fn an_event_that_is_rejected_makes_its_entry_come_again_and_no_other() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    let client = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&client, by_email()).await.unwrap();
    core.sign_up_unverified(phone()).await.unwrap();
    core.bus.refuse("signed_up_to_verify");
    assert_eq!(core.deliver().await.len(), 1);
    assert_eq!((core.bus.published(), core.waiting().len()), (vec!["signed_up".to_owned()], 1));
    core.bus.mend();
    core.deliver().await;
    assert_eq!((core.bus.published().len(), core.waiting().len()), (2, 0));
}

#[tokio::test]
async fn a_sweep_finds_the_entries_of_older_versions() {
    for make_older in [Core::forget_due_times, Core::put_into_shards] {
        let core = Core::new();
        core.sign_up_unverified(phone()).await.unwrap();
        make_older(&core);
        core.wait(Duration::from_mins(2));
        assert_eq!(core.sweep().await, (2, 0));
        assert!(core.waiting().is_empty());
    }
}

#[tokio::test]
async fn an_entry_is_in_its_shard_after_a_try_that_failed() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    assert_eq!((core.waiting().len(), core.in_shards()), (2, 0));
    core.texts.answer(Answer::Fail);
    core.deliver().await;
    assert_eq!((core.waiting().len(), core.in_shards()), (1, 1));
    core.texts.answer(Answer::Accept);
    core.wait(Duration::from_mins(2));
    assert_eq!(core.sweep().await, (1, 0));
}

#[tokio::test]
async fn a_sweep_reads_past_the_entries_that_wait_for_a_later_try() {
    // More than one scan of a segment looks at.
    const LATER: usize = 3000;
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    core.request_code(SignUp, phone()).await.unwrap();
    let id = core.waiting().remove(0);
    core.put_copies_for_later(&id, LATER);
    for n in 0..32 {
        core.request_code(SignUp, number(&format!("+852900000{n:02}"))).await.unwrap();
    }
    core.wait(Duration::from_mins(2));
    assert_eq!(core.sweep().await, (33, 0));
    assert_eq!((core.texts.sent().len(), core.waiting().len()), (33, LATER));
}

/// Returns a core with one entry, a text, and its id.
async fn one_text() -> (Core, String) {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    let id = core.waiting().remove(0);
    (core, id)
}

#[tokio::test]
async fn a_claimed_message_is_not_sent_by_another_process() {
    let (core, id) = one_text().await;
    let entry = core.read_entry(&id).await;
    assert!(core.claim_entry(&entry).await && !core.claim_entry(&entry).await);
    core.deliver().await;
    core.wait_until_just_before(START, Duration::from_mins(1));
    core.deliver().await;
    assert!(core.texts.sent().is_empty());
    // The process that claimed it has ended, and the code still works.
    core.wait(Duration::from_secs(1));
    core.deliver().await;
    assert_eq!((core.texts.sent().len(), core.waiting().len()), (1, 0));
}

#[tokio::test]
async fn two_relays_at_once_send_one_text() {
    let (core, id) = one_text().await;
    let ids = [id];
    let other = core.in_new_process();
    let (one, two) = tokio::join!(core.deliver_ids(&ids), other.deliver_ids(&ids));
    assert!(one.unwrap().is_empty() && two.unwrap().is_empty());
    assert_eq!((core.texts.sent().len(), core.waiting().len()), (1, 0));
}

#[tokio::test]
async fn the_stream_repeats_twice_and_then_the_entry_has_its_own_clock() {
    let (core, id) = one_text().await;
    core.texts.answer(Answer::Fail);
    for again in [true, true, false] {
        assert_eq!(core.deliver().await.contains(&id), again);
    }
    core.texts.answer(Answer::Accept);
    assert_eq!(core.sweep().await, (0, 0));
    core.wait(Duration::from_secs(30));
    assert_eq!(core.sweep().await, (1, 0));
    assert_eq!(core.texts.sent().len(), 1);
}

#[tokio::test]
async fn what_fails_for_a_day_waits_for_an_operator() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    core.bus.answer(Answer::Fail);
    core.deliver().await;
    let id = core.waiting().remove(0);
    for _ in 1..MAX_TRIES {
        assert!(core.parked().await.is_empty());
        core.wait(Duration::from_mins(15));
        assert_eq!(core.sweep().await, (1, 1));
    }
    let parked = core.parked().await;
    let entry = &parked[0];
    assert_eq!((parked.len(), &entry.id, entry.tries), (1, &id, MAX_TRIES));
    assert_eq!(entry.effects, ["signed_up"]);
    assert!(entry.error.contains("publish"), "{}", entry.error);
    // No try is made of it until it is released.
    core.bus.answer(Answer::Accept);
    core.wait(Duration::from_hours(1));
    assert_eq!(core.sweep().await, (0, 0));
    assert!(core.deliver().await.is_empty() && core.bus.published().is_empty());
    assert!(core.release(&id).await && !core.release(&id).await);
    core.tick();
    assert_eq!(core.sweep().await, (1, 0));
    assert_eq!((core.bus.published().len(), core.waiting().len()), (1, 0));
}

#[tokio::test]
async fn an_operator_drops_parked_entries_only() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    let id = core.waiting().remove(0);
    assert!(!core.drop_parked(&id).await && !core.release(&id).await);
    core.bus.answer(Answer::Fail);
    core.deliver().await;
    for _ in 1..MAX_TRIES {
        core.wait(Duration::from_mins(15));
        core.sweep().await;
    }
    assert!(core.drop_parked(&id).await);
    assert!(core.waiting().is_empty() && core.parked().await.is_empty());
}

#[tokio::test]
async fn a_carrier_that_fails_is_left_alone_and_holds_up_no_other() {
    let core = Core::new().with_breakers(Duration::from_secs(15));
    let core = core.ruled(|rules| rules.sources.sends_per_hour = 0);
    core.texts.answer(Answer::Fail);
    for n in 0..5 {
        core.request_code(SignUp, number(&format!("+852900000{n:02}"))).await.unwrap();
    }
    // The first three fail and open the breaker. No try is made of the others, and the stream does not
    // repeat them.
    let mut again = 0;
    for id in core.waiting() {
        again += core.deliver_ids(&[id]).await.unwrap().len();
    }
    assert_eq!(again, 3);
    core.request_code(SignUp, email()).await.unwrap();
    core.texts.answer(Answer::Accept);
    core.deliver().await;
    assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (0, 1));
    // One text tries the carrier. Those that begin before its end wait.
    core.wait(Duration::from_mins(1));
    assert_eq!(core.sweep().await.0, 5);
    assert!(!core.texts.sent().is_empty());
    core.wait(Duration::from_mins(1));
    core.sweep().await;
    assert_eq!(core.texts.sent().len(), 5);
}

#[tokio::test]
async fn a_sweep_writes_nothing_to_the_entries_in_front_that_wait_for_their_carrier() {
    const FRONT: usize = 1000;
    const AT_ONCE: usize = 25;
    let core = Core::new().with_breakers(Duration::from_secs(15));
    core.request_code(SignUp, phone()).await.unwrap();
    let id = core.waiting().remove(0);
    core.put_copies(&id, FRONT + 99);
    core.put_into_shards();
    core.texts.answer(Answer::Fail);
    core.wait(Duration::from_mins(2));
    // Some are tried until the breaker opens.
    assert_eq!(core.sweep().await.0, FRONT + 100);
    assert!(core.texts.calls() <= AT_ONCE);
    core.wait(Duration::from_secs(1));
    let (found, failed) = core.sweep().await;
    assert!((FRONT - 2 * AT_ONCE..=FRONT).contains(&found), "{found} in front are still due");
    assert_eq!(failed, found);
}

#[tokio::test]
async fn the_processes_of_the_relay_share_what_they_learn_of_a_carrier() {
    let one = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    let one = one.with_breakers(Duration::from_secs(15));
    let others = [(); 3].map(|()| one.with_breakers(Duration::from_secs(15)));
    let ask = async |n: u32| {
        one.request_code(SignUp, number(&format!("+852900001{n:02}"))).await.unwrap();
    };
    one.texts.answer(Answer::Fail);
    for n in 0..3 {
        ask(n).await;
    }
    one.deliver().await;
    assert_eq!(one.texts.calls(), 3);
    // The pause holds for processes that never called the carrier, from the first batch on.
    ask(3).await;
    for other in &others {
        assert!(other.deliver().await.is_empty());
    }
    assert_eq!(one.texts.calls(), 3);
    // After it, one call of one process tries the carrier.
    one.wait(Duration::from_mins(1));
    for other in &others {
        other.deliver().await;
    }
    one.deliver().await;
    assert_eq!(one.texts.calls(), 4);
    // It works again, and all processes know.
    one.texts.answer(Answer::Accept);
    one.wait(Duration::from_mins(1));
    for other in &others[..2] {
        other.deliver().await;
    }
    assert!(one.waiting().is_empty());
    for (n, core) in (4..).zip(others.iter().chain([&one])) {
        ask(n).await;
        core.deliver().await;
        assert!(one.waiting().is_empty());
    }
}

#[tokio::test]
async fn an_entry_that_another_relay_tried_since_it_was_read_is_not_claimed() {
    let (core, id) = one_text().await;
    let read = core.read_entry(&id).await;
    core.texts.answer(Answer::Fail);
    core.deliver().await;
    // It may have sent a part of the entry, which the first reader does not know.
    assert!(!core.claim_entry(&read).await);
    assert!(core.claim_entry(&core.read_entry(&id).await).await);
}

#[tokio::test]
async fn a_text_goes_by_the_next_carrier_if_the_first_fails_or_is_left_alone() {
    for answer in [Answer::Fail, Answer::Misconfigured] {
        let core = Core::new().with_breakers(Duration::from_secs(15));
        let core = core.with_carriers(&[TextCarrier::Webhook, TextCarrier::Sns]);
        let core = core.ruled(|rules| rules.sources.sends_per_hour = 0);
        core.other_texts.answer(answer);
        for n in 0..5 {
            core.request_code(SignUp, number(&format!("+852900000{n:02}"))).await.unwrap();
            assert!(core.deliver().await.is_empty());
        }
        assert_eq!((core.texts.sent().len(), core.waiting().len()), (5, 0));
        // A carrier that fails has been left alone since the third text. One that refuses this sender works.
        assert_eq!(core.other_texts.calls(), if answer == Answer::Fail { 3 } else { 5 });
        core.other_texts.answer(Answer::Accept);
        core.wait(Duration::from_secs(15));
        core.request_code(SignUp, other_phone()).await.unwrap();
        core.deliver().await;
        assert_eq!((core.texts.sent().len(), core.other_texts.sent().len()), (5, 1));
    }
}

#[tokio::test]
async fn a_text_waits_if_all_carriers_fail_and_no_carrier_sends_to_a_refused_recipient() {
    let core = Core::new().with_carriers(&[TextCarrier::Webhook, TextCarrier::Sns]);
    core.request_code(SignUp, phone()).await.unwrap();
    core.other_texts.answer(Answer::Misconfigured);
    core.texts.answer(Answer::Fail);
    assert_eq!(core.deliver().await.len(), 1);
    assert_eq!((core.waiting().len(), core.texts.calls()), (1, 1));
    core.other_texts.answer(Answer::Refuse);
    assert!(core.deliver().await.is_empty());
    assert_eq!((core.waiting().len(), core.texts.calls()), (0, 1));
}

#[tokio::test]
async fn what_the_account_may_not_send_is_kept_until_it_may() {
    let core = Core::new();
    core.request_code(SignUp, phone()).await.unwrap();
    core.texts.answer(Answer::Misconfigured);
    for _ in 0..3 {
        core.deliver().await;
    }
    assert_eq!(core.waiting().len(), 1);
    core.texts.answer(Answer::Accept);
    core.deliver().await;
    assert_eq!((core.texts.sent().len(), core.waiting().len()), (1, 0));
}
