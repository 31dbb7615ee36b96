//! Entering with a code, known or not: a contract without passwords.

use latchkey::domain::challenge::{Audience, Purpose::*};
use latchkey::domain::id::IdFormat;
use latchkey::usecases::SessionOwner;
use std::time::Duration;
use usecases::{Core, Refusal, email, phone, username, wrong};

#[tokio::test]
async fn an_unknown_recipient_signs_up_and_a_known_one_signs_in() {
    let core = Core::new();
    let (_, code) = core.requested_entry(SignIn, phone()).await;
    let new = core.enter_by_code(SignIn, phone(), &code).await.unwrap();
    assert!(new.is_new && new.session.is_some());
    assert_eq!(core.owner_of(phone()).await, Some(new.user.id.clone()));
    assert!(core.is_verified(&new.user.id, &phone()).await);
    assert_eq!(new.user.attributes.text("name"), Some("Ann"));
    core.wait(Duration::from_mins(1));
    let (_, code) = core.requested_entry(SignIn, phone()).await;
    let known = core.enter_by_code(SignIn, phone(), &code).await.unwrap();
    assert!(!known.is_new && known.session.is_some());
    assert_eq!((known.user.id, known.at), (new.user.id.clone(), core.now()));
    core.deliver().await;
    assert_eq!(core.bus.details("signed_up"), [new.user.id.as_str()]);
    assert_eq!(core.bus.details("signed_in"), ["Code +85291234567"]);
}

#[tokio::test]
async fn a_code_that_is_not_right_enters_nothing() {
    let core = Core::new();
    assert_eq!(core.enter_by_code(SignIn, phone(), "000000").await.unwrap_err(), Refusal::NoCode);
    let (_, code) = core.requested_entry(SignIn, phone()).await;
    let refused = core.enter_by_code(SignIn, phone(), &wrong(&code)).await.unwrap_err();
    assert_eq!(refused, Refusal::WrongCode);
    // A code of one purpose is not valid for another one.
    let refused = core.enter_by_code(Verify, phone(), &code).await.unwrap_err();
    assert_eq!(refused, Refusal::NoCode);
    assert_eq!(core.owner_of(phone()).await, None);
}

#[tokio::test]
async fn only_registered_recipients_enter_if_the_contract_says_so() {
    let core = Core::new().ruled(|rules| rules.audience = Audience::Registered);
    let (_, code) = core.requested_entry(SignIn, phone()).await;
    let refused = core.enter_by_code(SignIn, phone(), &code).await.unwrap_err();
    assert_eq!(refused, Refusal::NoCode);
    assert_eq!(core.owner_of(phone()).await, None);
}

#[tokio::test]
async fn only_unregistered_recipients_enter_if_the_contract_says_so() {
    let core = Core::new();
    core.sign_up_by_password(email(), "correct horse").await.unwrap();
    let (_, code) = core.requested_entry(SignUp, email()).await;
    let newcomers = core.ruled(|rules| rules.audience = Audience::Unregistered);
    for _ in 0..2 {
        let refused = newcomers.enter_by_code(SignUp, email(), &code).await.unwrap_err();
        assert_eq!(refused, Refusal::Taken);
    }
    // The code is still valid.
    let entered = core.enter_by_code(SignUp, email(), &code).await.unwrap();
    assert!(!entered.is_new);
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_makes_the_account() {
    for pass in 0..6 {
        let core = Core::new();
        let (_, code) = core.requested_entry(SignIn, phone()).await;
        let same = code.clone();
        core.interrupt(pass, async move |rival| {
            rival.enter_by_code(SignIn, phone(), &same).await.unwrap();
        });
        let refused = core.enter_by_code(SignIn, phone(), &code).await.unwrap_err();
        core.expect_interrupted();
        assert_eq!(refused, Refusal::NoCode);
        let user = core.owner_of(phone()).await.unwrap();
        assert_eq!(core.devices_of(&user), 1);
    }
}

#[tokio::test]
async fn of_two_requests_with_two_codes_one_signs_up_and_the_other_signs_in() {
    for pass in 0..6 {
        let core = Core::new();
        let (_, one) = core.requested_entry(SignIn, phone()).await;
        let (_, two) = core.requested_entry(SignUp, phone()).await;
        core.interrupt(pass, async move |rival| {
            assert!(rival.enter_by_code(SignUp, phone(), &two).await.unwrap().is_new);
        });
        let entered = core.enter_by_code(SignIn, phone(), &one).await.unwrap();
        core.expect_interrupted();
        assert!(!entered.is_new);
        assert_eq!(core.owner_of(phone()).await, Some(entered.user.id.clone()));
        assert_eq!(core.list_sessions(&entered.user.id).await.len(), 2);
        core.deliver().await;
        assert_eq!(core.bus.published(), ["signed_in", "signed_up"]);
    }
}

#[tokio::test]
async fn a_recipient_that_is_taken_during_the_sign_up_cannot_sign_up() {
    let core = Core::new().ruled(|rules| rules.audience = Audience::Unregistered);
    let (_, code) = core.requested_entry(SignUp, email()).await;
    core.interrupt(0, async |rival| {
        rival.sign_up_by_password(email(), "correct horse").await.unwrap();
    });
    let refused = core.enter_by_code(SignUp, email(), &code).await.unwrap_err();
    core.expect_interrupted();
    assert_eq!(refused, Refusal::Taken);
}

#[tokio::test]
async fn a_sign_up_whose_username_is_taken_cannot_sign_in_instead() {
    let core = Core::new();
    let handle = core.start_sign_up(email(), username("Ann-9"), "correct horse").await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    let other = usecases::other_email();
    let first = core.start_sign_up(other.clone(), username("ann-9"), "a secret").await.unwrap();
    let first_code = core.code_of(SignUp, other).await;
    core.complete_sign_up(&first, &first_code).await.unwrap();
    let refused = core.enter_by_handle(SignUp, &handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::Taken);
    assert_eq!(core.owner_of(email()).await, None);
}

#[tokio::test]
async fn a_sign_up_that_waits_is_completed_by_its_handle() {
    let core = Core::new();
    let handle = core.start_sign_up(email(), username("Ann-9"), "correct horse").await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    let entered = core.enter_by_handle(SignUp, &handle, &code).await.unwrap();
    assert!(entered.is_new);
    core.sign_in_by_password(username("ann-9"), "correct horse").await.unwrap();
}

#[tokio::test]
async fn a_sign_up_that_waits_is_not_completed_by_its_recipient() {
    let core = Core::new();
    core.start_sign_up(email(), username("Ann-9"), "correct horse").await.unwrap();
    let code = core.code_of(SignUp, email()).await;
    // The caller may be anyone who reads the mail, and does not hold the handle. The password of
    // the request that sent the code does not become the one of the account.
    let entered = core.enter_by_code(SignUp, email(), &code).await.unwrap();
    assert!(entered.is_new && entered.user.password.is_none());
    assert_eq!(core.owner_of(username("ann-9")).await, None);
}

#[tokio::test]
async fn a_handle_enters_the_account_that_it_was_given_for() {
    let core = Core::new();
    let user = core.signed_up_by_code(phone()).await.user;
    let (handle, code) = core.requested_entry(SignIn, phone()).await;
    let refused = core.enter_by_handle(SignIn, &handle, &wrong(&code)).await.unwrap_err();
    assert_eq!(refused, Refusal::WrongCode);
    let entered = core.enter_by_handle(SignIn, &handle, &code).await.unwrap();
    assert_eq!((entered.user.id, entered.is_new), (user, false));
    assert_eq!(core.enter_by_handle(SignIn, &handle, &code).await.unwrap_err(), Refusal::NoCode);
}

#[tokio::test]
async fn a_handle_of_a_user_is_refused_where_only_newcomers_enter() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let (handle, code) = core.requested_entry(SignIn, phone()).await;
    let newcomers = core.ruled(|rules| rules.audience = Audience::Unregistered);
    assert_eq!(
        newcomers.enter_by_handle(SignIn, &handle, &code).await.unwrap_err(),
        Refusal::NoCode
    );
    core.enter_by_handle(SignIn, &handle, &code).await.unwrap();
}

#[tokio::test]
async fn a_handle_without_a_user_and_without_a_sign_up_is_refused() {
    for audience in [Audience::Everyone, Audience::Registered, Audience::Unregistered] {
        let core = Core::new().ruled(|rules| rules.audience = audience);
        let decoy = core.request_handle(SignIn, phone()).await.unwrap();
        let code = core.code_of(SignIn, phone()).await;
        // The code of a decoy was not sent, so not even the right digits are accepted.
        let refused = core.enter_by_handle(SignIn, &decoy, &code).await.unwrap_err();
        assert_eq!(refused, Refusal::WrongCode);
        let (handle, code) = core.requested_entry(SignUp, phone()).await;
        let refused = core.enter_by_handle(SignUp, &handle, &code).await.unwrap_err();
        assert_eq!(refused, Refusal::NoCode);
        assert_eq!(core.owner_of(phone()).await, None);
    }
}

#[tokio::test]
async fn a_source_with_too_many_wrong_guesses_does_not_enter() {
    for known in [false, true] {
        let core = Core::new();
        if known {
            core.sign_up_by_password(email(), "correct horse").await.unwrap();
        }
        let (_, code) = core.requested_entry(SignIn, email()).await;
        let core = core.ruled(|rules| rules.sources.guesses_per_hour = 1);
        core.use_up_guesses().await;
        let refused = core.enter_by_code(SignIn, email(), &code).await.unwrap_err();
        assert_eq!(refused, Refusal::TooMany { retry_after: Duration::from_hours(1) });
    }
}

#[tokio::test]
async fn the_ids_of_users_and_devices_have_the_format_of_the_contract() {
    use IdFormat::{Number, ObjectId, Uuid};
    let is_number = |id: &str| id.parse::<u32>().is_ok();
    let is_object_id = |id: &str| id.len() == 24 && id.chars().all(|c| c.is_ascii_hexdigit());
    let is_uuid = |id: &str| id.len() == 36 && id.as_bytes().get(14) == Some(&b'4');
    let has = |format: IdFormat, id: &str| match format {
        Number => is_number(id),
        ObjectId => is_object_id(id),
        Uuid => is_uuid(id),
    };
    for users in [Number, ObjectId, Uuid] {
        for devices in [Number, ObjectId, Uuid] {
            let core = Core::new().ruled(|rules| {
                rules.user_ids = users;
                rules.sessions = SessionOwner::Device(devices);
            });
            let one = core.signed_up_by_code(phone()).await;
            let two = core.sign_up_by_password(email(), "correct horse").await.unwrap();
            for session in [&one, &two] {
                assert!(has(users, session.user.as_str()), "{users:?} {session:?}");
                assert!(has(devices, session.device.as_str()), "{devices:?} {session:?}");
            }
            assert!(one.user != two.user && one.device != two.device);
            // Only numbers are taken from sequences.
            let numbers = [users, devices].into_iter().filter(|format| *format == Number);
            assert_eq!(core.sequences(), numbers.count());
        }
    }
}

#[tokio::test]
async fn a_handle_of_another_purpose_is_refused_and_stays_valid_for_its_own() {
    let core = Core::new();
    core.signed_up_by_code(phone()).await;
    let (handle, code) = core.requested_entry(ResetPassword, phone()).await;
    let refused = core.enter_by_handle(SignIn, &handle, &code).await.unwrap_err();
    assert_eq!(refused, Refusal::NoCode);
    core.enter_by_handle(ResetPassword, &handle, &code).await.unwrap();
}
