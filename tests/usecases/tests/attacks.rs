//! Attacks on people who have an account, and on those who share an address with an attacker. In
//! each of them the owner succeeds at the first try. The marks in the names are those of
//! `tests/acceptance/tests/invariants/attacks.rs`.

use crate::shop::{by_phone, shop};
use latchkey::domain::challenge::Lane;
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::source::Source;
use std::time::Duration;
use usecases::{
    Core, Refusal, email, number, other_email, other_phone, other_source, phone, source_at,
    username, wrong,
};

const PASSWORD: &str = "correct horse";
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// The source of an attacker.
fn attacker() -> Source {
    source_at("192.0.2.66")
}

/// Returns the core for an attacker whose budget of wrong guesses is spent.
async fn spent_attacker(core: &Core) -> Core {
    let attacker = core.from(attacker());
    for index in 0..20 {
        let target = number(&format!("+8526000{index:04}"));
        let refused = attacker.check_code(SignIn, target, "000000").await;
        assert_eq!(refused, Err(Refusal::NoCode));
    }
    expect_too_many(attacker.check_code(SignIn, phone(), "000000").await);
    attacker
}

#[track_caller]
fn expect_too_many<T>(result: Result<T, Refusal>) {
    let refused = result.map(drop).unwrap_err();
    assert!(matches!(refused, Refusal::TooMany { .. }), "{refused:?}");
}

#[tokio::test]
async fn a1_a_spent_source_uses_up_no_guesses_of_a_victim() {
    let core = Core::new();
    core.from(other_source()).signed_up_by_code(phone()).await;
    let attacker = spent_attacker(&core).await;
    let owner = core.from(source_at("198.51.100.200"));
    let code = owner.requested_code(SignIn, phone()).await;
    let before = core.everything_stored();
    for _ in 0..20 {
        expect_too_many(attacker.check_code(SignIn, phone(), &wrong(&code)).await);
        // The right code of a victim is refused too: the attacker learns nothing.
        expect_too_many(attacker.check_code(SignIn, phone(), &code).await);
    }
    assert_eq!(core.everything_stored(), before);
    owner.sign_in_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a1_a_spent_source_uses_up_no_attempts_hashes_ids_or_sends() {
    let core = Core::new();
    core.from(other_source()).sign_up_by_password(email(), PASSWORD).await.unwrap();
    let attacker = spent_attacker(&core).await;
    let attacker = attacker.ruled(|rules| rules.sources.sends_per_hour = 1);
    attacker.request_code(SignUp, other_phone()).await.unwrap();
    let before = core.everything_stored();
    for process in [attacker.clone(), attacker.in_new_process()] {
        for _ in 0..10 {
            expect_too_many(process.sign_in_by_password(email(), PASSWORD).await);
            expect_too_many(process.sign_in_by_password(other_email(), PASSWORD).await);
            expect_too_many(process.request_code(SignUp, phone()).await);
            expect_too_many(process.sign_up_by_password(other_email(), PASSWORD).await);
            expect_too_many(process.sign_up_unverified(phone()).await);
            expect_too_many(process.start_sign_up(email(), username("ann-9"), PASSWORD).await);
        }
    }
    assert_eq!(core.everything_stored(), before);
}

#[tokio::test]
async fn a1_a_thousand_refused_requests_move_no_sequence() {
    let core = Core::new().ruled(|rules| {
        rules.sources.sends_per_hour = 30;
        rules.user_ids = latchkey::domain::id::IdFormat::Number;
    });
    core.from(other_source()).sign_up_by_password(email(), PASSWORD).await.unwrap();
    let taken = core.ids_taken();
    let mut refused = 0;
    for process in 0..10 {
        // Each process would take ids of its own.
        let core = core.in_new_process();
        for index in 0..100 {
            let phone = number(&format!("+85260{process}{index:03}0"));
            let result = match index % 5 {
                0 => core.sign_up_by_password(email(), PASSWORD).await.map(drop),
                1 => core.sign_in_by_password(email(), "wrong").await.map(drop),
                2 => core.sign_up_by_code(phone, "000000").await.map(drop),
                3 => core.sign_in_by_code(phone, "000000").await.map(drop),
                _ => core.enter_by_code(SignUp, phone, "000000").await.map(drop),
            };
            refused += i32::from(result.is_err());
        }
    }
    assert_eq!(refused, 1000);
    assert_eq!(core.ids_taken(), taken);
}

#[tokio::test]
async fn a1_ids_of_a_sign_up_that_loses_a_race_are_given_back() {
    let core = Core::new();
    core.sign_up_by_password(other_email(), PASSWORD).await.unwrap();
    core.interrupt(0, async |rival| {
        rival.sign_up_by_password(email(), PASSWORD).await.unwrap();
    });
    core.sign_up_by_password(email(), PASSWORD).await.unwrap_err();
    core.expect_interrupted();
    let taken = core.ids_taken();
    // The process has a block of fifty ids, of which one was given back.
    for index in 0..49 {
        core.from(source_at(&format!("198.51.{index}.1")))
            .sign_up_by_password(usecases::address(&format!("a{index}@example.com")), PASSWORD)
            .await
            .unwrap();
    }
    assert_eq!(core.ids_taken(), taken);
}

/// Returns a core with a user, whose source it is; the attackers fail at the password as often as
/// they can.
async fn attacked_by_password(attackers: usize) -> (Core, Vec<Core>) {
    let core = Core::new();
    core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let sources = (0..attackers).map(|index| source_at(&format!("192.0.{index}.1")));
    let attackers: Vec<_> = sources.map(|source| core.from(source)).collect();
    for attacker in &attackers {
        attacker.sign_in_by_password(email(), "wrong").await.unwrap_err();
    }
    (core, attackers)
}

#[tokio::test]
async fn a2_strangers_who_keep_failing_do_not_delay_a_known_source() {
    let (core, attackers) = attacked_by_password(10).await;
    for round in 0..30 {
        for attacker in &attackers {
            attacker.sign_in_by_password(email(), "wrong").await.unwrap_err();
        }
        if round % 10 == 0 {
            core.sign_in_by_password(email(), PASSWORD).await.unwrap();
        }
        core.wait(Duration::from_secs(5));
    }
    // A stranger with the right password has to wait like the attackers.
    let stranger = core.from(other_source());
    expect_too_many(stranger.sign_in_by_password(email(), PASSWORD).await);
}

#[tokio::test]
async fn a2_a_device_is_known_in_another_network() {
    let core = Core::new();
    let phone = |address| source_at(address).with_device(Some("device-1"));
    core.from(phone("203.0.113.9")).sign_up_by_password(email(), PASSWORD).await.unwrap();
    for index in 0..10 {
        let attacker = core.from(source_at(&format!("192.0.{index}.1")));
        attacker.sign_in_by_password(email(), "wrong").await.unwrap_err();
    }
    let roaming = core.from(phone("198.51.100.7"));
    roaming.sign_in_by_password(email(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a2_the_failures_of_a_known_source_delay_it_too() {
    let (core, _) = attacked_by_password(0).await;
    for _ in 0..5 {
        let refused = core.sign_in_by_password(email(), "wrong").await;
        assert_eq!(refused, Err(Refusal::WrongPassword));
    }
    expect_too_many(core.sign_in_by_password(email(), PASSWORD).await);
}

#[tokio::test]
async fn a2_a_new_password_clears_the_record_of_attempts() {
    let (core, _) = attacked_by_password(10).await;
    let elsewhere = core.from(other_source());
    let code = elsewhere.requested_code(ResetPassword, email()).await;
    let proof = elsewhere.prove(ResetPassword, email(), &code).await.unwrap();
    core.from(source_at("198.51.101.7")).sign_in_by_password(email(), "wrong").await.unwrap_err();
    elsewhere.reset_password(&proof, "battery staple").await.unwrap();
    elsewhere.sign_in_by_password(email(), "battery staple").await.unwrap();
    core.from(source_at("198.51.102.7"))
        .sign_in_by_password(email(), "battery staple")
        .await
        .unwrap();
}

#[tokio::test]
async fn a2_a_new_password_leaves_only_the_source_of_its_owner_known() {
    let (core, _) = attacked_by_password(0).await;
    let elsewhere = core.from(other_source());
    let code = elsewhere.requested_code(ResetPassword, email()).await;
    let proof = elsewhere.prove(ResetPassword, email(), &code).await.unwrap();
    elsewhere.reset_password(&proof, "battery staple").await.unwrap();
    for index in 0..6 {
        let attacker = core.from(source_at(&format!("192.0.{index}.1")));
        attacker.sign_in_by_password(email(), "wrong").await.unwrap_err();
    }
    // The source of before may have been a thief's.
    expect_too_many(core.sign_in_by_password(email(), "battery staple").await);
    elsewhere.sign_in_by_password(email(), "battery staple").await.unwrap();
}

#[tokio::test]
async fn a3_requests_that_send_nothing_take_nothing_from_the_owner() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let code = core.requested_code(SignIn, phone()).await;
    core.wait(MINUTE);
    for index in 0..3 {
        let stranger = core.from(source_at(&format!("192.0.{index}.1")));
        stranger.request_suppressed(SignIn, phone()).await.unwrap();
        core.wait(MINUTE);
    }
    // They look like requests that send: they have limits of their own.
    expect_too_many(core.from(attacker()).request_suppressed(SignIn, phone()).await);
    let stranger = core.from(attacker());
    stranger.request_code(SignIn, phone()).await.unwrap();
    core.sign_in_by_code(phone(), &code).await.unwrap();
    core.request_code(SignIn, phone()).await.unwrap();
}

#[tokio::test]
async fn a3_strangers_cannot_use_up_the_sends_of_a_known_source() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    for hour in 0..3 {
        for index in 0..3 {
            let stranger = core.from(source_at(&format!("192.{hour}.{index}.1")));
            let sent = stranger.request_code(SignIn, phone()).await;
            assert_eq!(sent.is_ok(), hour < 1 || (hour == 1 && index < 2), "{hour} {index}");
            core.wait(MINUTE);
        }
        expect_too_many(core.from(attacker()).request_code(SignIn, phone()).await);
        let code = core.requested_code(SignIn, phone()).await;
        core.sign_in_by_code(phone(), &code).await.unwrap();
        core.wait(HOUR);
    }
}

#[tokio::test]
async fn a3_a_request_of_a_stranger_does_not_replace_the_code_of_the_owner() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let code = core.requested_code(SignIn, phone()).await;
    let handle = core.ruled(|rules| rules.handles = true);
    let stranger = handle.from(attacker());
    stranger.request_code(SignIn, phone()).await.unwrap();
    let strange = core.code_in_lane(Lane::Strangers, SignIn, phone()).await;
    assert_ne!(strange, code);
    core.sign_in_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a3_an_owner_may_enter_the_code_in_another_network() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let code = core.requested_code(SignIn, phone()).await;
    core.from(other_source()).sign_in_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a3_a_burnt_sign_up_keeps_its_pause() {
    let core = Core::new();
    let attacker = core.from(attacker());
    let handle = attacker.start_sign_up(email(), username("ann-9"), PASSWORD).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    for _ in 0..3 {
        attacker.complete_sign_up(&handle, &wrong(&code)).await.unwrap_err();
    }
    expect_too_many(attacker.start_sign_up(email(), username("ann-9"), PASSWORD).await);
    core.wait(Duration::from_secs(30));
    core.start_sign_up(email(), username("ann-9"), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a4_the_typos_of_one_visitor_lock_no_customer_out() {
    let (core, client) = shop().await;
    let server = core.from(Source::of_client(client.clone()));
    core.sign_up_to_verify(&client, by_phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    for index in 0..21 {
        let stranger = number(&format!("+8526000{index:04}"));
        server.sign_in_by_password(stranger, "wrong").await.unwrap_err();
    }
    // The client has reached its ceiling, so strangers to it are refused without a comparison.
    expect_too_many(server.sign_in_by_password(other_phone(), PASSWORD).await);
    server.verify_by_code(phone(), &code).await.unwrap();
    server.sign_in_by_password(phone(), PASSWORD).await.unwrap();
    // Another client at the same address is not concerned.
    let other = Source::of_client(core.create_client(&[]).await.id);
    core.from(other).sign_in_by_password(phone(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a4_over_the_ceiling_a_customer_has_only_the_pauses_of_the_own_account() {
    let (core, client) = shop().await;
    let server = core.from(Source::of_client(client.clone()));
    core.sign_up_to_verify(&client, by_phone()).await.unwrap();
    for index in 0..20 {
        let stranger = number(&format!("+8526000{index:04}"));
        server.sign_in_by_password(stranger, "wrong").await.unwrap_err();
    }
    // The comparison happens, but a wrong password looks like every refusal of a spent source.
    for _ in 0..4 {
        expect_too_many(server.sign_in_by_password(phone(), "wrong").await);
    }
    let verified = core.code_of(Verify, phone()).await;
    server.verify_by_code(phone(), &verified).await.unwrap();
    server.sign_in_by_password(phone(), PASSWORD).await.unwrap();
    for _ in 0..5 {
        expect_too_many(server.sign_in_by_password(phone(), "wrong").await);
    }
    let refused = server.sign_in_by_password(phone(), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::TooMany { retry_after: Duration::from_secs(2) }));
    core.wait(Duration::from_secs(2));
    server.sign_in_by_password(phone(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn b5_people_behind_the_address_of_an_attacker_sign_up_and_in() {
    let core = Core::new();
    let neighbour = core.from(attacker());
    neighbour.sign_up_by_password(email(), PASSWORD).await.unwrap();
    spent_attacker(&core).await;
    // A newcomer asks for a code and uses it.
    let code = neighbour.requested_code(SignUp, other_phone()).await;
    neighbour.sign_up_by_code(other_phone(), &code).await.unwrap();
    neighbour.sign_in_by_password(email(), PASSWORD).await.unwrap();
    // A wrong one gets no answer of its own.
    core.wait(MINUTE);
    let code = neighbour.requested_code(SignIn, other_phone()).await;
    expect_too_many(neighbour.sign_in_by_code(other_phone(), &wrong(&code)).await);
    // The first failure at a target ends the exception for this target.
    expect_too_many(neighbour.sign_in_by_code(other_phone(), &code).await);
}

#[tokio::test]
async fn b5_the_exception_of_a_spent_source_ends_at_twice_its_limit() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 3);
    let attacker = core.from(attacker());
    let mut evaluated = 0;
    for index in 0..20 {
        let victim = number(&format!("+8526000{index:04}"));
        let code = attacker.requested_code(SignUp, victim.clone()).await;
        let before = core.everything_stored();
        attacker.check_code(SignUp, victim, &wrong(&code)).await.unwrap_err();
        evaluated += i32::from(core.everything_stored() != before);
    }
    assert_eq!(evaluated, 6);
}

#[tokio::test]
async fn b5_the_budget_of_one_contract_is_not_that_of_another() {
    let core = Core::new();
    spent_attacker(&core).await;
    let elsewhere = core.of_contract("other").from(attacker());
    let refused = elsewhere.sign_in_by_password(email(), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::NoSuchUser));
}

#[tokio::test]
async fn b5_a_used_code_does_not_count_for_its_source() {
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 2);
    for index in 0..30 {
        core.signed_up_by_code(number(&format!("+8526000{index:04}"))).await;
    }
    core.request_code(SignUp, phone()).await.unwrap();
    core.request_code(SignUp, other_phone()).await.unwrap();
    expect_too_many(core.request_code(SignUp, number("+85260009999")).await);
}

#[tokio::test]
async fn b6_an_attacker_who_changes_the_64_network_is_limited_by_the_48() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 2);
    let mut evaluated = 0;
    for index in 0..100 {
        let attacker = core.from(source_at(&format!("2001:db8:1:{index:x}::1")));
        let target = number(&format!("+8526000{index:04}"));
        match attacker.check_code(SignIn, target, "000000").await {
            Err(Refusal::NoCode) => evaluated += 1,
            refused => expect_too_many(refused),
        }
    }
    assert_eq!(evaluated, 2 * 4);
    let elsewhere = core.from(source_at("2001:db8:2:1::1"));
    assert_eq!(elsewhere.check_code(SignIn, phone(), "000000").await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn b6_a_contract_under_attack_allows_fewer_guesses_per_code() {
    let core = Core::new().ruled(|rules| rules.sources.wrong_codes_per_hour = 10);
    for index in 0..10 {
        let attacker = core.from(source_at(&format!("192.0.{index}.1")));
        let target = number(&format!("+8526000{index:04}"));
        attacker.check_code(SignIn, target, "000000").await.unwrap_err();
    }
    let code = core.requested_code(SignUp, phone()).await;
    for _ in 0..2 {
        let refused = core.check_code(SignUp, phone(), &wrong(&code)).await;
        assert_eq!(refused, Err(Refusal::WrongCode));
    }
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Err(Refusal::NoCode));
    core.wait(HOUR);
    let code = core.requested_code(SignUp, phone()).await;
    for _ in 0..2 {
        core.check_code(SignUp, phone(), &wrong(&code)).await.unwrap_err();
    }
    assert_eq!(core.check_code(SignUp, phone(), &code).await, Ok(()));
}

#[tokio::test]
async fn strangers_cannot_use_up_the_guesses_of_whoever_asked_for_the_code() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    for index in 0..5 {
        let stranger = core.from(source_at(&format!("192.0.{index}.1")));
        let refused = stranger.check_code(SignUp, phone(), &wrong(&code)).await;
        // Strangers have half of the guesses.
        let expected = if index < 2 { Refusal::WrongCode } else { Refusal::NoCode };
        assert_eq!(refused, Err(expected));
    }
    core.sign_up_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a_source_is_known_for_ninety_days_after_its_last_entry() {
    let (core, attackers) = attacked_by_password(10).await;
    let attack = async || {
        for attacker in &attackers {
            attacker.sign_in_by_password(email(), "wrong").await.unwrap_err();
        }
    };
    core.wait(HOUR * 24 * 60);
    attack().await;
    core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    core.wait(HOUR * 24 * 89);
    attack().await;
    core.sign_in_by_password(email(), PASSWORD).await.unwrap();
    core.wait(HOUR * 24 * 90);
    attack().await;
    expect_too_many(core.sign_in_by_password(email(), PASSWORD).await);
}

#[tokio::test]
async fn whoever_made_an_account_with_the_address_of_another_burns_no_code_of_the_owner() {
    let core = Core::new();
    let squatter = core.from(attacker());
    squatter.sign_up_by_password(email(), "battery staple").await.unwrap();
    let owner = core.from(other_source());
    let code = owner.requested_code(ResetPassword, email()).await;
    for _ in 0..5 {
        squatter.prove(ResetPassword, email(), &wrong(&code)).await.unwrap_err();
    }
    // The squatter has no lane either: it shares the limits of strangers.
    core.wait(Duration::from_secs(29));
    expect_too_many(squatter.request_code(ResetPassword, email()).await);
    let proof = owner.prove(ResetPassword, email(), &code).await.unwrap();
    owner.reset_password(&proof, PASSWORD).await.unwrap();
    owner.sign_in_by_password(email(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn neighbours_in_the_network_take_nothing_from_a_known_device() {
    let core = Core::new();
    let owner = core.from(source_at("203.0.113.9").with_device(Some("phone")));
    owner.signed_up_by_code(phone()).await;
    let neighbour = core.from(source_at("203.0.113.66").with_device(Some("other")));
    core.wait(MINUTE);
    let code = owner.requested_code(SignIn, phone()).await;
    // The neighbour counts as known by its network, and uses up what that allows.
    neighbour.request_code(SignIn, phone()).await.unwrap();
    for _ in 0..6 {
        neighbour.sign_in_by_code(phone(), &wrong(&code)).await.unwrap_err();
    }
    for _ in 0..2 {
        core.wait(MINUTE);
        neighbour.request_code(SignIn, phone()).await.unwrap();
    }
    core.wait(MINUTE);
    expect_too_many(neighbour.request_code(SignIn, phone()).await);
    owner.sign_in_by_code(phone(), &code).await.unwrap();
    let code = owner.requested_code(SignIn, phone()).await;
    owner.sign_in_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a_live_code_of_a_stranger_does_not_hide_the_code_of_the_owner() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let code = core.requested_code(SignIn, phone()).await;
    core.from(attacker()).request_code(SignIn, phone()).await.unwrap();
    // The owner types the code in a network that the account does not know.
    core.from(other_source()).sign_in_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn guesses_at_the_same_time_gain_nothing() {
    let core = Core::new().ruled(|rules| rules.sources.guesses_per_hour = 5);
    let attacker = core.from(attacker());
    let target = (0..40).map(|index| number(&format!("+8526000{index:04}")));
    let guesses = target.map(|phone| attacker.check_code(SignIn, phone, "000000"));
    let refused = futures_util::future::join_all(guesses).await;
    let evaluated = refused.iter().filter(|refused| **refused == Err(Refusal::NoCode)).count();
    assert_eq!(evaluated, 5);
    let attempts = (0..40).map(|index| usecases::address(&format!("a{index}@example.com")));
    let core = core.ruled(|rules| rules.sources.guesses_per_hour = 8);
    let attempts = attempts.map(|email| {
        let attacker = core.from(source_at("192.0.2.66"));
        async move { attacker.sign_in_by_password(email, "wrong").await }
    });
    let refused = futures_util::future::join_all(attempts).await;
    let evaluated = refused.iter().filter(|refused| **refused == Err(Refusal::NoSuchUser)).count();
    assert_eq!(evaluated, 3);
}

#[tokio::test]
async fn a_refused_neighbour_does_not_make_a_process_refuse_a_known_device() {
    let core = Core::new();
    let owner = core.from(attacker().with_device(Some("phone")));
    owner.signed_up_by_code(phone()).await;
    let neighbour = spent_attacker(&core).await.from(source_at("192.0.2.66"));
    core.wait(MINUTE);
    let code = owner.requested_code(SignIn, phone()).await;
    for _ in 0..3 {
        neighbour.sign_in_by_code(phone(), &wrong(&code)).await.unwrap_err();
    }
    owner.sign_in_by_code(phone(), &code).await.unwrap();
}
