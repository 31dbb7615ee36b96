//! The first proof of an account: it belongs to the owner of the identifier, and ends what a
//! stranger set up before.

use crate::shop::{both, by_email, shop, shop_with_a_user};
use latchkey::domain::challenge::{Audience, Purpose, Purpose::*};
use latchkey::domain::user::KnownBy;
use latchkey::usecases::Entered;
use std::time::Duration;
use usecases::{Core, Refusal, Session, email, phone};

/// The password that the stranger set.
const STRANGE: &str = "correct horse";
/// The password that the owner sets.
const OWN: &str = "battery staple";
const MINUTE: Duration = Duration::from_mins(1);

/// Returns a core in which a stranger signed up with the address of its owner, and the session of
/// the stranger.
async fn occupied() -> (Core, Session) {
    let core = Core::new();
    let stranger = core.sign_up_by_password(email(), STRANGE).await.unwrap();
    core.wait(MINUTE);
    (core, stranger)
}

fn session(entered: Entered) -> Session {
    entered.session.unwrap().into()
}

/// Enters with a code that the owner of the address asked for.
async fn enter(core: &Core, purpose: Purpose) -> Session {
    let code = core.requested_code(purpose, email()).await;
    session(core.enter_by_code(purpose, email(), &code).await.unwrap())
}

/// Asserts that the session of the stranger is over, and the password too.
async fn expect_ended(core: &Core, stranger: &Session) {
    assert!(!core.is_open(stranger).await);
    assert_eq!(core.refresh(&stranger.refresh_token).await, Err(Refusal::SessionOver));
    for identifier in [email(), phone()] {
        let known = core.owner_of(identifier.clone()).await.is_some();
        let refused = if known { Refusal::WrongPassword } else { Refusal::NoSuchUser };
        assert_eq!(core.sign_in_by_password(identifier, STRANGE).await, Err(refused));
    }
}

/// Asserts that the session is open and can be refreshed.
async fn expect_open(core: &Core, session: &Session) {
    assert!(core.is_open(session).await);
    core.refresh(&session.refresh_token).await.unwrap();
}

#[tokio::test]
async fn the_owner_of_an_address_takes_over_the_account_that_a_stranger_made() {
    for audience in [Audience::Everyone, Audience::Registered] {
        let (core, stranger) = occupied().await;
        let core = core.ruled(|rules| rules.audience = audience);
        expect_open(&core, &stranger).await;
        assert!(!core.is_verified(&stranger.user, &email()).await);
        let owner = enter(&core, SignIn).await;
        assert_eq!(owner.user, stranger.user);
        assert!(core.is_verified(&owner.user, &email()).await);
        expect_ended(&core, &stranger).await;
        expect_open(&core, &owner).await;
        assert!(core.user(&owner.user).await.unwrap().password.is_none());
    }
}

#[tokio::test]
async fn every_session_of_the_stranger_ends_and_only_the_one_of_the_owner_is_listed() {
    let (core, first) = occupied().await;
    let second = core.sign_in_by_password(email(), STRANGE).await.unwrap();
    let second = core.refresh(&second.refresh_token).await.unwrap();
    let owner = enter(&core, SignIn).await;
    for stranger in [first, second] {
        expect_ended(&core, &stranger).await;
    }
    let listed = core.list_sessions(&owner.user).await;
    assert_eq!(listed.iter().map(|listed| &listed.device).collect::<Vec<_>>(), [&owner.device]);
}

#[tokio::test]
async fn a_takeover_publishes_the_end_of_the_sessions_before_the_sign_in() {
    let (core, _) = occupied().await;
    core.deliver().await;
    let before = core.bus.event_ids().len();
    enter(&core, SignIn).await;
    // One entry sends the code, and one has both events.
    assert_eq!(core.waiting().len(), 2);
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["identifier_proved"]);
    assert_eq!(core.bus.details("signed_in"), ["Code ann@example.com"]);
    let ids = core.bus.event_ids().split_off(before);
    assert_eq!(ids.len(), 2);
    assert_ne!(ids.first(), ids.last());
}

#[tokio::test]
async fn a_takeover_of_an_account_without_a_password_ends_nothing_that_is_announced() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &code).await.unwrap();
    core.deliver().await;
    assert!(core.bus.details("session_ended").is_empty());
}

#[tokio::test]
async fn a_session_that_the_stranger_opened_at_the_same_time_is_over() {
    let (core, _) = occupied().await;
    let code = core.requested_code(SignIn, email()).await;
    // Both happen in the same millisecond.
    let stranger = core.sign_in_by_password(email(), STRANGE).await.unwrap();
    let owner = session(core.enter_by_code(SignIn, email(), &code).await.unwrap());
    expect_ended(&core, &stranger).await;
    expect_open(&core, &owner).await;
}

#[tokio::test]
async fn a_new_password_with_a_proof_takes_over_too() {
    let (core, stranger) = occupied().await;
    let code = core.requested_code(ResetPassword, email()).await;
    let proof = core.prove(ResetPassword, email(), &code).await.unwrap();
    // The proof alone changes nothing.
    assert!(!core.is_verified(&stranger.user, &email()).await);
    core.tick();
    core.reset_password(&proof, OWN).await.unwrap();
    assert!(core.is_verified(&stranger.user, &email()).await);
    expect_ended(&core, &stranger).await;
    core.wait(MINUTE);
    // The address is verified, so a later entry by code is not the first proof.
    let by_code = enter(&core, SignIn).await;
    let by_password = core.sign_in_by_password(email(), OWN).await.unwrap();
    for owner in [by_code, by_password] {
        expect_open(&core, &owner).await;
    }
    core.deliver().await;
    assert!(core.bus.details("session_ended").is_empty());
}

#[tokio::test]
async fn a_new_password_keeps_a_user_that_would_expire() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    core.wait(MINUTE);
    let code = core.requested_code(ResetPassword, phone()).await;
    let proof = core.prove(ResetPassword, phone(), &code).await.unwrap();
    core.reset_password(&proof, OWN).await.unwrap();
    core.wait_past(Duration::from_hours(24));
    core.sign_in_by_password(phone(), OWN).await.unwrap();
}

#[tokio::test]
async fn a_code_of_the_sign_up_itself_completes_it() {
    let (core, user) = shop_with_a_user().await;
    let open = core.sign_in_by_password(phone(), STRANGE).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &code).await.unwrap();
    expect_open(&core, &open).await;
    core.sign_in_by_password(email(), STRANGE).await.unwrap();
    core.deliver().await;
    assert!(core.is_verified(&user, &phone()).await);
    assert!(core.bus.details("session_ended").is_empty());
}

#[tokio::test]
async fn a_link_of_the_sign_up_itself_completes_it() {
    let (core, user) = shop_with_a_user().await;
    let open = core.sign_in_by_password(email(), STRANGE).await.unwrap();
    let link = core.link_of(email()).await;
    core.verify_by_link(&user, &link).await.unwrap();
    expect_open(&core, &open).await;
    core.sign_in_by_password(phone(), STRANGE).await.unwrap();
    core.deliver().await;
    assert!(core.bus.details("session_ended").is_empty());
}

#[tokio::test]
async fn a_code_or_link_that_was_requested_again_takes_over() {
    for recipient in [phone(), email()] {
        let (core, user) = shop_with_a_user().await;
        let open = core.sign_in_by_password(recipient.clone(), STRANGE).await.unwrap();
        core.wait(MINUTE);
        // The request states no password, so its sender may be anyone.
        core.request_code(Verify, recipient.clone()).await.unwrap();
        if recipient == phone() {
            let code = core.code_of(Verify, phone()).await;
            core.verify_by_code(phone(), &code).await.unwrap();
        } else {
            let link = core.link_of(email()).await;
            core.verify_by_link(&user, &link).await.unwrap();
        }
        assert!(core.is_verified(&user, &recipient).await);
        expect_ended(&core, &open).await;
        core.deliver().await;
        assert_eq!(core.bus.details("session_ended"), ["identifier_proved"]);
    }
}

#[tokio::test]
async fn a_takeover_takes_away_the_other_identifiers_that_could_receive_a_code() {
    let (core, user) = shop_with_a_user().await;
    // The stranger owns the address and can read its code. The owner has the phone number.
    let (_, strangers_code) = core.requested_entry(SignIn, email()).await;
    let reset = core.requested_code(ResetPassword, email()).await;
    let proof = core.prove(ResetPassword, email(), &reset).await.unwrap();
    let link = core.link_of(email()).await;
    core.wait(MINUTE);
    let code = core.requested_code(SignIn, phone()).await;
    let owner = session(core.enter_by_code(SignIn, phone(), &code).await.unwrap());
    assert_eq!(owner.user, user);
    let found = core.user(&user).await.unwrap();
    assert_eq!(found.identifiers.iter().map(KnownBy::text).collect::<Vec<_>>(), ["+85291234567"]);
    assert_eq!(core.owner_of(email()).await, None);
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    assert_eq!(core.reset_password(&proof, STRANGE).await, Err(Refusal::ProofUsedUp));
    // The address is free, so its code makes another user.
    let stranger = session(core.enter_by_code(SignIn, email(), &strangers_code).await.unwrap());
    assert_ne!(stranger.user, user);
    expect_open(&core, &owner).await;
}

#[tokio::test]
async fn a_sign_up_that_waited_for_its_code_keeps_its_password() {
    let core = Core::new();
    let name = usecases::username("Ann-9");
    let handle = core.start_sign_up(email(), name.clone(), STRANGE).await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    core.complete_sign_up(&handle, &code).await.unwrap();
    core.wait(MINUTE);
    // The address is verified by the sign-up, so this is not the first proof.
    enter(&core, SignIn).await;
    core.sign_in_by_password(name, STRANGE).await.unwrap();
}

#[tokio::test]
async fn a_second_proof_keeps_the_password_and_the_sessions() {
    let (core, user) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &code).await.unwrap();
    let open = core.sign_in_by_password(phone(), STRANGE).await.unwrap();
    core.wait(MINUTE);
    // Another identifier.
    let owner = enter(&core, SignIn).await;
    assert_eq!(owner.user, user);
    core.wait(MINUTE);
    // The same one again.
    let code = core.requested_code(SignIn, phone()).await;
    let again = session(core.enter_by_code(SignIn, phone(), &code).await.unwrap());
    for session in [open, owner, again] {
        expect_open(&core, &session).await;
    }
    core.sign_in_by_password(email(), STRANGE).await.unwrap();
    core.deliver().await;
    assert!(core.bus.details("session_ended").is_empty());
}

#[tokio::test]
async fn a_challenge_of_a_version_that_stored_no_opener_completes_the_sign_up() {
    let (core, user) = shop_with_a_user().await;
    let open = core.sign_in_by_password(email(), STRANGE).await.unwrap();
    core.forget_openers();
    let link = core.link_of(email()).await;
    core.verify_by_link(&user, &link).await.unwrap();
    expect_open(&core, &open).await;
    core.sign_in_by_password(phone(), STRANGE).await.unwrap();
}

/// The most random values that an entry by code draws before its transaction.
const DRAWS: usize = 5;

#[tokio::test]
async fn of_two_takeovers_at_the_same_time_both_enter_and_the_stranger_does_not() {
    for (first, second) in [(SignIn, ResetPassword), (ResetPassword, Verify)] {
        for pass in 0..DRAWS {
            let (core, stranger) = occupied().await;
            let one = core.requested_code(first, email()).await;
            let two = core.requested_code(second, email()).await;
            core.interrupt(pass, async move |rival| {
                rival.tick();
                rival.enter_by_code(second, email(), &two).await.unwrap();
            });
            let owner = session(core.enter_by_code(first, email(), &one).await.unwrap());
            core.expect_interrupted();
            expect_ended(&core, &stranger).await;
            expect_open(&core, &owner).await;
            // The second one found an owner, so it ended nothing.
            assert_eq!(core.list_sessions(&owner.user).await.len(), 2);
            core.deliver().await;
            assert_eq!(core.bus.details("session_ended"), ["identifier_proved"]);
        }
    }
}

#[tokio::test]
async fn a_stranger_who_signs_in_during_a_takeover_is_signed_out() {
    for pass in 0..DRAWS {
        for span in [Duration::ZERO, Duration::from_millis(1), MINUTE] {
            let (core, first) = occupied().await;
            let code = core.requested_code(SignIn, email()).await;
            core.interrupt(pass, async move |rival| {
                rival.wait(span);
                rival.sign_in_by_password(email(), STRANGE).await.unwrap();
            });
            let owner = session(core.enter_by_code(SignIn, email(), &code).await.unwrap());
            core.expect_interrupted();
            expect_ended(&core, &first).await;
            expect_open(&core, &owner).await;
            assert_eq!(core.devices_of(&owner.user), 3);
            assert_eq!(core.list_sessions(&owner.user).await.len(), 1);
            // Later sessions of the owner are open too.
            core.wait(MINUTE);
            let next = enter(&core, SignIn).await;
            expect_open(&core, &next).await;
        }
    }
}

#[tokio::test]
async fn a_stranger_who_signs_in_during_a_new_password_is_signed_out() {
    for pass in 0..3 {
        for span in [Duration::ZERO, Duration::from_millis(1), MINUTE] {
            let (core, first) = occupied().await;
            let code = core.requested_code(ResetPassword, email()).await;
            let proof = core.prove(ResetPassword, email(), &code).await.unwrap();
            core.tick();
            core.interrupt(pass, async move |rival| {
                rival.wait(span);
                rival.sign_in_by_password(email(), STRANGE).await.unwrap();
            });
            core.reset_password(&proof, OWN).await.unwrap();
            core.expect_interrupted();
            expect_ended(&core, &first).await;
            assert!(core.list_sessions(&first.user).await.is_empty());
            core.wait(MINUTE);
            let owner = core.sign_in_by_password(email(), OWN).await.unwrap();
            expect_open(&core, &owner).await;
        }
    }
}

#[tokio::test]
async fn a_stranger_who_keeps_one_session_during_a_takeover_is_signed_out() {
    for pass in 0..DRAWS {
        let (core, stranger) = occupied().await;
        let code = core.requested_code(SignIn, email()).await;
        let same = stranger.clone();
        core.interrupt(pass, async move |rival| {
            rival.tick();
            rival.sign_out_elsewhere(&same).await;
        });
        let owner = session(core.enter_by_code(SignIn, email(), &code).await.unwrap());
        core.expect_interrupted();
        // Afterwards the session of the stranger cannot end others.
        core.sign_out_elsewhere(&stranger).await;
        expect_ended(&core, &stranger).await;
        expect_open(&core, &owner).await;
    }
}

#[tokio::test]
async fn a_takeover_during_a_sign_in_by_password_ends_the_sign_in() {
    for (pass, memory) in [(0, 8), (1, 8), (3, 8), (0, 16)] {
        let (core, stranger) = occupied().await;
        let code = core.requested_code(SignIn, email()).await;
        core.interrupt(pass, async move |rival| {
            rival.enter_by_code(SignIn, email(), &code).await.unwrap();
        });
        // With another cost of the hash, the sign-in stores a new hash.
        let stranger_core = core.ruled(|rules| rules.hash_memory = memory);
        let refused = stranger_core.sign_in_by_password(email(), STRANGE).await;
        core.expect_interrupted();
        assert_eq!(refused, Err(Refusal::WrongPassword));
        expect_ended(&core, &stranger).await;
        assert!(core.user(&stranger.user).await.unwrap().password.is_none());
    }
}

#[tokio::test]
async fn a_refresh_during_a_takeover_gives_no_session_that_lasts() {
    for pass in 0..DRAWS {
        let (core, stranger) = occupied().await;
        let code = core.requested_code(SignIn, email()).await;
        let token = stranger.refresh_token.clone();
        core.interrupt(pass, async move |rival| {
            rival.tick();
            rival.refresh(&token).await.unwrap();
        });
        let owner = session(core.enter_by_code(SignIn, email(), &code).await.unwrap());
        core.expect_interrupted();
        // The stranger has the successor, or gets it again with the old token.
        expect_ended(&core, &stranger).await;
        expect_open(&core, &owner).await;
    }
}

#[tokio::test]
async fn a_takeover_during_a_refresh_ends_the_refresh() {
    let (core, stranger) = occupied().await;
    let code = core.requested_code(SignIn, email()).await;
    core.interrupt(0, async move |rival| {
        rival.enter_by_code(SignIn, email(), &code).await.unwrap();
    });
    assert_eq!(core.refresh(&stranger.refresh_token).await, Err(Refusal::SessionOver));
    core.expect_interrupted();
    expect_ended(&core, &stranger).await;
}

#[tokio::test]
async fn a_takeover_keeps_the_password_that_the_owner_sets_at_the_same_time() {
    for pass in 0..DRAWS {
        let (core, stranger) = occupied().await;
        let reset = core.requested_code(ResetPassword, email()).await;
        let proof = core.prove(ResetPassword, email(), &reset).await.unwrap();
        let code = core.requested_code(SignIn, email()).await;
        core.interrupt(pass, async move |rival| {
            rival.tick();
            rival.reset_password(&proof, OWN).await.unwrap();
        });
        core.enter_by_code(SignIn, email(), &code).await.unwrap();
        core.expect_interrupted();
        expect_ended(&core, &stranger).await;
        core.sign_in_by_password(email(), OWN).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_password_is_set_although_a_takeover_happens_at_the_same_time() {
    for pass in 0..3 {
        let (core, stranger) = occupied().await;
        let reset = core.requested_code(ResetPassword, email()).await;
        let proof = core.prove(ResetPassword, email(), &reset).await.unwrap();
        let code = core.requested_code(SignIn, email()).await;
        core.tick();
        core.interrupt(pass, async move |rival| {
            rival.enter_by_code(SignIn, email(), &code).await.unwrap();
        });
        core.reset_password(&proof, OWN).await.unwrap();
        core.expect_interrupted();
        expect_ended(&core, &stranger).await;
        core.wait(MINUTE);
        let owner = core.sign_in_by_password(email(), OWN).await.unwrap();
        expect_open(&core, &owner).await;
    }
}

#[tokio::test]
async fn a_takeover_that_finds_a_completed_sign_up_keeps_the_password() {
    for pass in 0..DRAWS {
        let (core, user) = shop_with_a_user().await;
        let open = core.sign_in_by_password(email(), STRANGE).await.unwrap();
        let link = core.link_of(email()).await;
        core.wait(MINUTE);
        let code = core.requested_code(SignIn, phone()).await;
        let same = user.clone();
        core.interrupt(pass, async move |rival| {
            rival.verify_by_link(&same, &link).await.unwrap();
        });
        let owner = session(core.enter_by_code(SignIn, phone(), &code).await.unwrap());
        core.expect_interrupted();
        assert!(core.is_verified(&user, &phone()).await);
        core.sign_in_by_password(email(), STRANGE).await.unwrap();
        for session in [open, owner] {
            expect_open(&core, &session).await;
        }
    }
}

#[tokio::test]
async fn a_sign_up_that_is_completed_after_a_takeover_does_not_bring_its_password_back() {
    for pass in 0..2 {
        let (core, user) = shop_with_a_user().await;
        let open = core.sign_in_by_password(email(), STRANGE).await.unwrap();
        let link = core.link_of(email()).await;
        core.wait(MINUTE);
        let code = core.requested_code(SignIn, phone()).await;
        core.interrupt(pass, async move |rival| {
            rival.enter_by_code(SignIn, phone(), &code).await.unwrap();
        });
        let refused = core.verify_by_link(&user, &link).await;
        core.expect_interrupted();
        assert_eq!(refused, Err(Refusal::LinkRefused));
        assert_eq!(core.owner_of(email()).await, None);
        expect_ended(&core, &open).await;
        assert_eq!(core.list_sessions(&user).await.len(), 1);
    }
}

#[tokio::test]
async fn a_link_to_an_address_that_another_takeover_took_away_is_refused() {
    for pass in 0..2 {
        let (core, client) = shop().await;
        let user = core.sign_up_to_verify(&client, both()).await.unwrap();
        let open = core.sign_in_by_password(email(), STRANGE).await.unwrap();
        core.wait(MINUTE);
        core.request_code(Verify, email()).await.unwrap();
        let link = core.link_of(email()).await;
        let code = core.requested_code(SignIn, phone()).await;
        core.interrupt(pass, async move |rival| {
            rival.tick();
            rival.enter_by_code(SignIn, phone(), &code).await.unwrap();
        });
        let refused = core.verify_by_link(&user, &link).await;
        core.expect_interrupted();
        assert_eq!(refused, Err(Refusal::LinkRefused));
        expect_ended(&core, &open).await;
        assert_eq!(core.list_sessions(&user).await.len(), 1);
        core.deliver().await;
        assert_eq!(core.bus.details("session_ended"), ["identifier_proved"]);
    }
}

/// Lets the stranger sign in before each of the next `times` tries. A try draws `pass` random values
/// before the last one, and one after it: the store repeats a transaction with a newer version of the user.
fn disturb(core: &Core, pass: usize, times: usize) {
    core.interrupt(pass, async move |rival| {
        rival.tick();
        rival.sign_in_by_password(email(), STRANGE).await.unwrap();
        if let Some(left) = times.checked_sub(1).filter(|left| *left > 0) {
            disturb(&rival, pass.saturating_add(1), left);
        }
    });
}

#[tokio::test]
async fn a_takeover_gives_up_after_four_tries() {
    for (times, succeeds) in [(3, true), (4, false)] {
        let (core, stranger) = occupied().await;
        let code = core.requested_code(SignIn, email()).await;
        disturb(&core, DRAWS - 1, times);
        let entered = core.enter_by_code(SignIn, email(), &code).await;
        core.expect_interrupted();
        if succeeds {
            entered.unwrap();
        } else {
            let retry_after = Duration::from_secs(1);
            assert_eq!(entered.unwrap_err(), Refusal::TooMany { retry_after });
            // The code is still valid.
            core.enter_by_code(SignIn, email(), &code).await.unwrap();
        }
        expect_ended(&core, &stranger).await;
    }
}

#[tokio::test]
async fn a_link_gives_up_after_four_tries() {
    for (times, succeeds) in [(3, true), (4, false)] {
        let (core, client) = shop().await;
        let user = core.sign_up_to_verify(&client, by_email()).await.unwrap();
        core.wait(MINUTE);
        core.request_code(Verify, email()).await.unwrap();
        let link = core.link_of(email()).await;
        disturb(&core, 1, times);
        let verified = core.verify_by_link(&user, &link).await;
        core.expect_interrupted();
        let overtaken = Refusal::TooMany { retry_after: Duration::from_secs(1) };
        assert_eq!(verified, if succeeds { Ok(()) } else { Err(overtaken) });
        assert_eq!(core.verify_by_link(&user, &link).await.is_ok(), !succeeds);
    }
}

#[tokio::test]
async fn a_new_password_gives_up_after_four_tries() {
    for (times, succeeds) in [(3, true), (4, false)] {
        let (core, stranger) = occupied().await;
        let code = core.requested_code(ResetPassword, email()).await;
        let proof = core.prove(ResetPassword, email(), &code).await.unwrap();
        core.tick();
        disturb(&core, 2, times);
        let reset = core.reset_password(&proof, OWN).await;
        core.expect_interrupted();
        if succeeds {
            reset.unwrap();
        } else {
            let retry_after = Duration::from_secs(1);
            assert_eq!(reset, Err(Refusal::TooMany { retry_after }));
            // The proof is still valid.
            core.reset_password(&proof, OWN).await.unwrap();
        }
        expect_ended(&core, &stranger).await;
        core.wait(MINUTE);
        core.sign_in_by_password(email(), OWN).await.unwrap();
    }
}
