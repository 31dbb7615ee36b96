//! Signing up in the shop of a client, to verify the identifiers later.

use crate::shop::{both, by_email, by_phone, shop, shop_with_a_user};
use latchkey::domain::challenge::Purpose::*;
use latchkey::domain::id::UserId;
use std::time::Duration;
use usecases::{
    Core, Refusal, ShopSignUp, abroad, email, other_email, other_phone, other_source, phone,
};

const HOUR: Duration = Duration::from_hours(1);

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
    let one =
        ShopSignUp { email: Some(other_email()), phone: Some(phone()), ..ShopSignUp::default() };
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
    let core = core.ruled(|rules| rules.per_client_hour = 2);
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
        let referrer = Some(named);
        let sign_up = ShopSignUp { phone: Some(phone), referrer, ..ShopSignUp::default() };
        let user = core.sign_up_to_verify(&client, sign_up).await.unwrap();
        let user = core.user(&user).await.unwrap();
        assert_eq!(user.attributes.text("referrer"), stored);
    }
}
