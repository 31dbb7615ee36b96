//! Users and identifiers that are not verified: how long they are kept, and how their owners go on.

use crate::shop::{both, by_email, by_phone, shop};
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::client::ClientId;
use latchkey::domain::id::UserId;
use latchkey::domain::source::Source;
use latchkey::usecases::Admission;
use std::time::Duration;
use usecases::{Core, Refusal, START, ShopSignUp, email, phone};

const DAY: Duration = Duration::from_hours(24);
/// The age of a user one minute before its end.
const A_MINUTE_LESS: Duration = Duration::from_mins(24 * 60 - 1);
const PASSWORD: &str = "correct horse";
/// The shortest time between two messages to one recipient.
const PAUSE: Duration = Duration::from_secs(30);

/// Returns the core of a shop that admits verified users only, its client, and a new user.
async fn waiting(sign_up: ShopSignUp) -> (Core, ClientId, UserId) {
    let (core, client) = shop().await;
    let core = core.ruled(|rules| rules.admission = Admission::VerifiedUsers);
    let user = core.sign_up_to_verify(&client, sign_up).await.unwrap();
    core.deliver().await;
    (core, client, user)
}

async fn verify_phone(core: &Core) {
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn a_user_who_verifies_nothing_ends_after_a_day_and_can_sign_up_again() {
    let (core, client, user) = waiting(both()).await;
    core.wait_until_just_before(START, DAY);
    assert_eq!(core.owner_of(email()).await, Some(user.clone()));
    core.wait_past(Duration::from_millis(1));
    assert!(core.user(&user).await.is_none());
    for identifier in [email(), phone()] {
        assert_eq!(core.owner_of(identifier.clone()).await, None);
        let refused = core.sign_in_by_password(identifier, PASSWORD).await;
        assert_eq!(refused, Err(Refusal::NoSuchUser));
    }
    let second = core.sign_up_to_verify(&client, both()).await.unwrap();
    assert_eq!(core.owner_of(email()).await, Some(second));
}

#[tokio::test]
async fn a_verified_user_keeps_only_verified_identifiers() {
    let (core, client, user) = waiting(both()).await;
    verify_phone(&core).await;
    core.wait_past(DAY);
    let stored = core.user(&user).await.unwrap();
    let known: Vec<_> = stored.identifiers.iter().map(|known| known.identifier.clone()).collect();
    assert_eq!(known, [phone()]);
    core.sign_in_by_password(phone(), PASSWORD).await.unwrap();
    // The link that was mailed to the address verifies nothing any more.
    let link = core.link_of(email()).await;
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    let owner = core.sign_up_to_verify(&client, by_email()).await.unwrap();
    let link = core.link_of(email()).await;
    core.verify_by_link(&owner, &link).await.unwrap();
    core.wait(DAY * 400);
    assert_eq!(core.owner_of(email()).await, Some(owner));
    assert_eq!(core.owner_of(phone()).await, Some(user));
}

#[tokio::test]
async fn both_identifiers_stay_if_both_are_verified() {
    let (core, _, user) = waiting(both()).await;
    let link = core.link_of(email()).await;
    core.verify_by_link(&user, &link).await.unwrap();
    verify_phone(&core).await;
    core.wait(DAY * 400);
    for identifier in [email(), phone()] {
        assert_eq!(core.owner_of(identifier.clone()).await, Some(user.clone()));
        core.sign_in_by_password(identifier, PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn the_first_user_of_an_identifier_that_ended_goes_on_without_it() {
    let (core, client, user) = waiting(both()).await;
    verify_phone(&core).await;
    core.wait_past(DAY);
    core.sign_up_to_verify(&client, by_email()).await.unwrap();
    // Another proof of the phone number changes the user, and leaves the address alone.
    let code = core.requested_code(Verify, phone()).await;
    core.verify_by_code(phone(), &code).await.unwrap();
    assert_eq!(core.owner_of(phone()).await, Some(user.clone()));
    assert_ne!(core.owner_of(email()).await, Some(user));
}

#[tokio::test]
async fn an_unverified_identifier_of_a_verified_user_is_no_way_in() {
    let (core, _, _) = waiting(both()).await;
    verify_phone(&core).await;
    let refused = core.sign_in_by_password(email(), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::NotVerified));
}

#[tokio::test]
async fn a_right_password_sends_a_new_message() {
    let (core, _, user) = waiting(both()).await;
    core.wait(PAUSE);
    let (code, link) = (core.code_of(Verify, phone()).await, core.link_of(email()).await);
    let wrong = core.sign_in_by_password(phone(), "wrong").await;
    assert_eq!(wrong, Err(Refusal::WrongPassword));
    core.deliver().await;
    assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (1, 1));
    for identifier in [phone(), email()] {
        let refused = core.sign_in_by_password(identifier, PASSWORD).await;
        assert_eq!(refused, Err(Refusal::NotVerified));
    }
    core.deliver().await;
    let (new_code, new_link) = (core.code_of(Verify, phone()).await, core.link_of(email()).await);
    assert_eq!(core.texts.sent_to(&phone()), [code.clone(), new_code.clone()]);
    assert_eq!(core.mails.sent_to(&email()), [link.clone(), new_link.clone()]);
    let asked = ["+85291234567", "ann@example.com"];
    assert_eq!(core.bus.details("verification_asked"), asked);
    // The new messages work, the old ones do not, and the password stays.
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    core.verify_by_link(&user, &new_link).await.unwrap();
    core.verify_by_code(phone(), &new_code).await.unwrap();
    core.sign_in_by_password(email(), PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_number_beside_a_verified_address_gets_no_code() {
    let (core, client, user) = waiting(both()).await;
    let link = core.link_of(email()).await;
    core.verify_by_link(&user, &link).await.unwrap();
    core.wait(PAUSE);
    let refused = core.sign_in_by_password(phone(), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::NotVerified));
    let refused = core.sign_up_to_verify(&client, by_phone()).await;
    assert_eq!(refused, Err(Refusal::TheseTaken(vec![phone()])));
    core.deliver().await;
    assert_eq!(core.texts.sent().len(), 1);
}

#[tokio::test]
async fn a_repeated_sign_up_with_the_right_password_sends_new_messages() {
    let (core, client, user) = waiting(both()).await;
    core.wait(PAUSE);
    let taken = Err(Refusal::TheseTaken(vec![email(), phone()]));
    let guess = ShopSignUp { password: Some("another horse"), ..both() };
    assert_eq!(core.sign_up_to_verify(&client, guess).await, taken);
    core.deliver().await;
    assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (1, 1));
    assert_eq!(core.sign_up_to_verify(&client, both()).await, taken);
    core.deliver().await;
    assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (2, 2));
    assert_eq!(core.bus.details("verification_asked"), ["ann@example.com +85291234567"]);
    verify_phone(&core).await;
    assert_eq!(core.owner_of(phone()).await, Some(user));
    // A verified identifier gets nothing more.
    core.wait(PAUSE);
    let known = core.sign_up_to_verify(&client, by_phone()).await;
    assert_eq!(known, Err(Refusal::TheseTaken(vec![phone()])));
    core.deliver().await;
    assert_eq!(core.texts.sent().len(), 2);
}

#[tokio::test]
async fn a_sign_up_is_no_way_to_guess_a_password() {
    let (core, client, _) = waiting(both()).await;
    core.wait(PAUSE);
    let guess = || ShopSignUp { password: Some("another horse"), ..both() };
    for _ in 0..5 {
        core.sign_up_to_verify(&client, guess()).await.unwrap_err();
    }
    // The pause of the account: the right password sends nothing.
    let refused = core.sign_up_to_verify(&client, both()).await;
    assert_eq!(refused, Err(Refusal::TheseTaken(vec![email(), phone()])));
    core.deliver().await;
    assert_eq!((core.texts.sent().len(), core.mails.sent().len()), (1, 1));
}

#[tokio::test]
async fn messages_that_are_sent_again_have_the_limits_of_their_recipient() {
    let (core, _, _) = waiting(by_phone()).await;
    // Three texts in an hour: one for the sign-up, and two more. The right password has no pauses.
    for _ in 0..20 {
        core.wait(PAUSE);
        let refused = core.sign_in_by_password(phone(), PASSWORD).await;
        assert_eq!(refused, Err(Refusal::NotVerified));
        core.deliver().await;
    }
    assert_eq!(core.texts.sent().len(), 3);
}

#[tokio::test]
async fn a_client_without_room_for_messages_still_says_that_the_user_is_not_verified() {
    let (core, client, _) = waiting(by_phone()).await;
    let core = core.ruled(|rules| rules.per_client_hour = 1);
    core.wait(PAUSE);
    let shop = core.from(Source::of_client(client));
    let refused = shop.sign_in_by_password(phone(), PASSWORD).await;
    assert_eq!(refused, Err(Refusal::NotVerified));
    core.deliver().await;
    assert_eq!(core.texts.sent().len(), 1);
}

#[tokio::test]
async fn a_message_near_the_end_of_a_user_works_for_its_whole_life() {
    for minute in [1, 4] {
        let (core, _, user) = waiting(by_phone()).await;
        core.wait(DAY.saturating_sub(Duration::from_mins(minute)));
        core.sign_in_by_password(phone(), PASSWORD).await.unwrap_err();
        core.wait_until_just_before(core.now(), Duration::from_mins(5));
        verify_phone(&core).await;
        core.wait(DAY * 400);
        assert_eq!(core.owner_of(phone()).await, Some(user));
    }
}

#[tokio::test]
async fn a_code_near_the_end_of_an_unverified_user_works_for_its_whole_life() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    let user = core.owner_of(phone()).await.unwrap();
    core.wait(A_MINUTE_LESS);
    let handle = core.request_handle(Verify, phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.wait_until_just_before(core.now(), Duration::from_mins(5));
    assert_eq!(core.verify_by_handle(&handle, &code).await, Ok(user));
    // Without a verification the user ends with the last code.
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    core.wait(A_MINUTE_LESS);
    core.sign_up_unverified(phone()).await.unwrap();
    core.wait_past(Duration::from_mins(5));
    assert_eq!(core.owner_of(phone()).await, None);
}

#[tokio::test]
async fn a_code_does_not_keep_a_user_that_is_verified_meanwhile() {
    let core = Core::new();
    core.sign_up_unverified(phone()).await.unwrap();
    core.wait(A_MINUTE_LESS);
    let handle = core.request_handle(Verify, phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.wait(PAUSE);
    // The handle and the nonce of the new code come first.
    core.interrupt(2, async move |rival| {
        rival.verify_by_handle(&handle, &code).await.unwrap();
    });
    core.request_handle(Verify, phone()).await.unwrap();
    core.expect_interrupted();
    let user = core.owner_of(phone()).await.unwrap();
    core.wait(DAY * 400);
    assert_eq!(core.owner_of(phone()).await, Some(user));
}

#[tokio::test]
async fn an_address_is_not_reserved_for_ever_by_asking_for_links() {
    let (core, _, user) = waiting(both()).await;
    let mut days = 0_u32;
    // A stranger who knows the password asks whenever the limits allow it.
    while core.owner_of(email()).await == Some(user.clone()) {
        for _ in 0..48 {
            core.wait(Duration::from_mins(30));
            core.sign_in_by_password(email(), PASSWORD).await.unwrap_err();
        }
        days += 1;
        assert!(days < 4, "the address is still reserved");
    }
}
