//! Signing up in the shop of a client, and verifying the identifiers later.

use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::client::ClientId;
use latchkey::domain::id::UserId;
use std::time::Duration;
use usecases::{
    Core, Refusal, START, ShopSignUp, abroad, email, other_email, other_phone, other_source, phone,
    wrong,
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn both() -> ShopSignUp {
    ShopSignUp { email: Some(email()), phone: Some(phone()), referrer: None }
}

fn by_email() -> ShopSignUp {
    ShopSignUp { email: Some(email()), ..ShopSignUp::default() }
}

fn by_phone() -> ShopSignUp {
    ShopSignUp { phone: Some(phone()), ..ShopSignUp::default() }
}

/// Returns the core of a shop, and its client.
async fn shop() -> (Core, ClientId) {
    let core = Core::new().in_shop("one");
    let client = core.create_client(&["sign_up"]).await.id;
    (core, client)
}

/// Returns the core of a shop with one user, by e-mail and phone.
async fn shop_with_a_user() -> (Core, UserId) {
    let (core, client) = shop().await;
    let user = core.sign_up_to_verify(&client, both()).await.unwrap();
    (core, user)
}

#[tokio::test]
async fn a_sign_up_mails_a_link_and_texts_a_code() {
    let (core, user) = shop_with_a_user().await;
    for identifier in [email(), phone()] {
        assert_eq!(core.owner_of(identifier.clone()).await, Some(user.clone()));
        assert!(!core.is_verified(&user, &identifier).await);
    }
    core.deliver().await;
    assert_eq!(core.mails.sent_to(&email()), [core.link_of(email()).await]);
    assert_eq!(core.texts.sent_to(&phone()), [core.code_of(Verify, phone()).await]);
    assert_eq!(core.bus.details("signed_up_to_verify"), ["email phone"]);
    // The user can sign in and does not expire.
    core.wait(DAY * 400);
    core.sign_in_by_password(phone(), "correct horse").await.unwrap();
}

#[tokio::test]
async fn one_identifier_is_enough() {
    for (sign_up, mails, texts) in [(by_email(), 1, 0), (by_phone(), 0, 1)] {
        let (core, client) = shop().await;
        core.sign_up_to_verify(&client, sign_up).await.unwrap();
        core.deliver().await;
        assert_eq!((core.mails.sent().len(), core.texts.sent().len()), (mails, texts));
    }
}

#[tokio::test]
async fn a_refusal_names_the_identifiers_that_are_taken() {
    let (core, client) = shop().await;
    core.sign_up_to_verify(&client, both()).await.unwrap();
    core.wait(HOUR);
    let one = ShopSignUp { email: Some(other_email()), phone: Some(phone()), referrer: None };
    for (sign_up, taken) in
        [(both(), vec![email(), phone()]), (by_email(), vec![email()]), (one, vec![phone()])]
    {
        let refused = core.sign_up_to_verify(&client, sign_up).await;
        assert_eq!(refused, Err(Refusal::TheseTaken(taken)));
    }
    assert_eq!(core.owner_of(other_email()).await, None);
    let other_shop = core.in_shop("two");
    other_shop.sign_up_to_verify(&client, both()).await.unwrap();
}

#[tokio::test]
async fn a_client_has_a_limit_of_sign_ups() {
    let (core, client) = shop().await;
    let core = core.ruled(|rules| rules.sends.per_client_hour = 2);
    core.wait(Duration::from_mins(5));
    core.sign_up_to_verify(&client, by_email()).await.unwrap();
    // A refusal counts like a sign-up.
    let refused = core.sign_up_to_verify(&client, by_email()).await;
    assert_eq!(refused, Err(Refusal::TheseTaken(vec![email()])));
    let spent = Err(Refusal::TooMany { retry_after: Duration::from_mins(55) });
    assert_eq!(core.sign_up_to_verify(&client, by_email()).await, spent);
    assert_eq!(core.sign_up_to_verify(&client, by_phone()).await, spent);
    assert_eq!(core.owner_of(phone()).await, None);
    // The source does not matter, and another client does.
    let elsewhere = core.from(other_source());
    assert_eq!(elsewhere.sign_up_to_verify(&client, by_phone()).await, spent);
    let other = core.create_client(&[]).await.id;
    core.sign_up_to_verify(&other, by_phone()).await.unwrap();
}

#[tokio::test]
async fn a_country_that_is_not_allowed_gets_no_text() {
    let (core, client) = shop().await;
    let sign_up = ShopSignUp { phone: Some(abroad()), ..by_email() };
    core.sign_up_to_verify(&client, sign_up).await.unwrap();
    core.deliver().await;
    assert_eq!((core.mails.sent().len(), core.texts.sent().len()), (1, 0));
    assert_eq!(core.bus.details("signed_up_to_verify"), ["email"]);
    let code = core.code_of(Verify, abroad()).await;
    assert_eq!(core.verify_by_code(abroad(), &code).await, Err(Refusal::WrongCode));
}

#[tokio::test]
async fn a_recipient_that_got_a_code_before_has_to_wait() {
    let (core, client) = shop().await;
    core.request_code(Verify, phone()).await.unwrap();
    let refused = core.sign_up_to_verify(&client, by_phone()).await;
    assert_eq!(refused, Err(Refusal::TooMany { retry_after: Duration::from_secs(30) }));
    core.wait(Duration::from_secs(30));
    // The record of the recipient is read after the first try.
    let user = core.sign_up_to_verify(&client, by_phone()).await.unwrap();
    assert_eq!(core.owner_of(phone()).await, Some(user));
}

#[tokio::test]
async fn a_sign_up_gives_up_after_four_tries() {
    /// Lets another request send before each of the next `times` tries.
    fn outrun(core: &Core, pass: usize, times: usize) {
        core.interrupt(pass, async move |rival| {
            rival.request_code(Verify, phone()).await.unwrap();
            if let Some(left) = times.checked_sub(1).filter(|left| *left > 0) {
                // A try draws three random values, and this is the first of them.
                outrun(&rival, 2, left);
            }
        });
    }
    for (times, succeeds) in [(3, true), (4, false)] {
        let (core, client) = shop().await;
        let core = core.ruled(|rules| {
            rules.sends.limits.pause = Duration::ZERO;
            rules.sends.limits.per_hour = 9;
            rules.sends.limits.per_day = 9;
        });
        // The id of the user and the salt of the password come first.
        outrun(&core, 2, times);
        let signed_up = core.sign_up_to_verify(&client, by_phone()).await;
        core.expect_interrupted();
        if succeeds {
            signed_up.unwrap();
        } else {
            let retry_after = Duration::from_secs(1);
            assert_eq!(signed_up, Err(Refusal::TooMany { retry_after }));
        }
    }
}

#[tokio::test]
async fn a_referrer_is_stored_if_it_is_a_user_of_the_shop() {
    let (core, client) = shop().await;
    let referrer = core.sign_up_to_verify(&client, by_email()).await.unwrap();
    let stranger = core.in_shop("two").sign_up_to_verify(&client, by_email()).await.unwrap();
    let unknown = UserId::from_stored("unknown");
    for (named, phone, stored) in [
        (referrer.clone(), phone(), Some(referrer.as_str())),
        (stranger, other_phone(), None),
        (unknown, usecases::number("+85291111111"), None),
    ] {
        let sign_up = ShopSignUp { email: None, phone: Some(phone), referrer: Some(named) };
        let user = core.sign_up_to_verify(&client, sign_up).await.unwrap();
        let user = core.user(&user).await.unwrap();
        assert_eq!(user.attributes.get("referrer").map(String::as_str), stored);
    }
}

#[tokio::test]
async fn a_code_verifies_the_phone_number_once() {
    let (core, user) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    assert_eq!(core.verify_by_code(phone(), &wrong(&code)).await, Err(Refusal::WrongCode));
    assert_eq!(core.verify_by_code(phone(), &code).await, Ok(user.clone()));
    assert!(core.is_verified(&user, &phone()).await);
    assert!(!core.is_verified(&user, &email()).await);
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.deliver().await;
    assert_eq!(core.bus.details("identifier_verified"), ["+85291234567"]);
}

#[tokio::test]
async fn a_code_of_an_unknown_recipient_verifies_nothing() {
    let (core, _) = shop().await;
    assert_eq!(core.verify_by_code(phone(), "000000").await, Err(Refusal::NoCode));
    let code = core.requested_code(Verify, phone()).await;
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::WrongCode));
}

#[tokio::test]
async fn a_code_expires_after_five_minutes() {
    let (core, _) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    core.wait(Duration::from_mins(5));
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_source_with_too_many_wrong_guesses_verifies_nothing() {
    let (core, _) = shop_with_a_user().await;
    let core = core.ruled(|rules| rules.guesses.per_source_hour = 1);
    let code = core.code_of(Verify, phone()).await;
    core.verify_by_code(phone(), &wrong(&code)).await.unwrap_err();
    let spent = Refusal::TooMany { retry_after: HOUR };
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(spent));
    core.from(other_source()).verify_by_code(phone(), &code).await.unwrap();
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_verifies() {
    let (core, _) = shop_with_a_user().await;
    let code = core.code_of(Verify, phone()).await;
    let same = code.clone();
    core.interrupt(0, async move |rival| {
        rival.verify_by_code(phone(), &same).await.unwrap();
    });
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
    core.expect_interrupted();
}

#[tokio::test]
async fn a_user_that_has_expired_cannot_be_verified_with_a_code() {
    let core = Core::new().ruled(|rules| rules.sends.code_lifetime = Duration::from_hours(30));
    core.sign_up_unverified(phone()).await.unwrap();
    let code = core.code_of(Verify, phone()).await;
    core.wait_past(DAY);
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
}

#[tokio::test]
async fn a_link_verifies_the_address_once() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    assert_eq!(core.verify_by_link(&user, &link).await, Ok(()));
    assert!(core.is_verified(&user, &email()).await);
    assert!(!core.is_verified(&user, &phone()).await);
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    core.deliver().await;
    assert_eq!(core.bus.details("identifier_verified"), ["ann@example.com"]);
}

#[tokio::test]
async fn a_link_that_is_not_valid_is_refused() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    let refused = Err(Refusal::LinkRefused);
    let unknown = UserId::from_stored("unknown");
    assert_eq!(core.verify_by_link(&unknown, &link).await, refused);
    assert_eq!(core.verify_by_link(&user, &"0".repeat(64)).await, refused);
    assert_eq!(core.of_contract("another").verify_by_link(&user, &link).await, refused);
    // The guesses before did not use it up.
    assert_eq!(core.verify_by_link(&user, &link).await, Ok(()));
}

#[tokio::test]
async fn a_user_without_an_address_has_no_link() {
    let (core, client) = shop().await;
    let user = core.sign_up_to_verify(&client, by_phone()).await.unwrap();
    let refused = core.verify_by_link(&user, &"0".repeat(64)).await;
    assert_eq!(refused, Err(Refusal::LinkRefused));
}

#[tokio::test]
async fn a_link_expires_after_a_day() {
    for (past, expected) in [(false, Ok(())), (true, Err(Refusal::LinkRefused))] {
        let (core, user) = shop_with_a_user().await;
        let link = core.link_of(email()).await;
        core.wait_until_just_before(START, DAY);
        if past {
            core.tick();
        }
        assert_eq!(core.verify_by_link(&user, &link).await, expected);
    }
}

#[tokio::test]
async fn a_link_that_was_replaced_is_refused() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    core.wait(Duration::from_mins(1));
    core.request_code(Verify, email()).await.unwrap();
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
}

#[tokio::test]
async fn a_link_that_was_not_sent_is_refused() {
    let (core, client) = shop().await;
    let user = core.sign_up_to_verify(&client, by_email()).await.unwrap();
    core.wait(Duration::from_mins(1));
    core.request_suppressed(Verify, email()).await.unwrap();
    let link = core.link_of(email()).await;
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
}

#[tokio::test]
async fn of_two_requests_with_the_same_link_one_verifies() {
    let (core, user) = shop_with_a_user().await;
    let link = core.link_of(email()).await;
    let (same, secret) = (user.clone(), link.clone());
    core.interrupt(0, async move |rival| {
        rival.verify_by_link(&same, &secret).await.unwrap();
    });
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    core.expect_interrupted();
}

#[tokio::test]
async fn a_user_that_is_deleted_cannot_be_verified() {
    let (core, user) = shop_with_a_user().await;
    let (code, link) = (core.code_of(Verify, phone()).await, core.link_of(email()).await);
    let deleted = user.clone();
    core.interrupt(0, async move |rival| rival.delete_user(&deleted));
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    core.expect_interrupted();
    assert_eq!(core.verify_by_link(&user, &link).await, Err(Refusal::LinkRefused));
    assert_eq!(core.verify_by_code(phone(), &code).await, Err(Refusal::NoCode));
}
