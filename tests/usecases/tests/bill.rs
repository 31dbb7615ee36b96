//! The ceilings of what is sent, and the guard of prefixes.

use latchkey::domain::bill::MicroUsd;
use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{
    Core, Refusal, ShopSignUp, abroad, email, number, other_email, other_phone, other_source,
    phone, source_at,
};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn too_many<T>(retry_after: Duration) -> Result<T, Refusal> {
    Err(Refusal::TooMany { retry_after })
}

/// The number of a person in Hong Kong, in the range of one operator.
fn person(index: u32) -> latchkey::domain::identifier::Identifier {
    number(&format!("+8526000{index:04}"))
}

#[tokio::test]
async fn a_dial_code_has_a_ceiling_of_messages_in_an_hour() {
    let core = Core::new().ruled(|rules| rules.bill.messages = [3, 0]);
    for index in 0..3 {
        core.request_code(SignUp, person(index)).await.unwrap();
    }
    for core in [core.clone(), core.from(other_source()), core.in_new_process()] {
        assert_eq!(core.request_code(SignUp, person(9)).await, too_many(HOUR));
    }
    // Other dial codes and mails are not concerned.
    core.request_code(SignUp, number("+6281234567890")).await.unwrap();
    core.request_code(SignUp, email()).await.unwrap();
    core.of_contract("other").request_code(SignUp, person(9)).await.unwrap();
    core.wait(HOUR);
    core.request_code(SignUp, person(9)).await.unwrap();
}

#[tokio::test]
async fn a_dial_code_has_a_ceiling_of_money() {
    // A message costs 0.05 USD.
    let core = Core::new().ruled(|rules| rules.bill.spend = [MicroUsd(0), MicroUsd(149_999)]);
    for index in 0..2 {
        core.request_code(SignUp, person(index)).await.unwrap();
    }
    core.request_code(SignUp, person(9)).await.unwrap_err();
    core.wait(HOUR);
    core.request_code(SignUp, person(9)).await.unwrap_err();
}

#[tokio::test]
async fn a_contract_has_a_ceiling_of_money_for_everything() {
    let core = Core::new().ruled(|rules| {
        rules.bill.total = MicroUsd(500_000);
        rules.sends.countries = latchkey::domain::phone::DialCodes::All;
    });
    // 0.35 USD and 0.05 USD, which is all that strangers may spend.
    core.request_code(SignUp, number("+6281234567890")).await.unwrap();
    core.request_code(SignUp, person(1)).await.unwrap();
    core.request_code(SignUp, person(2)).await.unwrap_err();
    // A mail costs little, but nothing is left.
    core.request_code(SignUp, email()).await.unwrap_err();
}

#[tokio::test]
async fn a_request_that_sends_nothing_costs_nothing_and_is_refused_alike() {
    let core = Core::new().ruled(|rules| rules.bill.messages = [2, 0]);
    for index in 0..10 {
        let stranger = core.from(source_at(&format!("192.0.{index}.1")));
        // No account has this number, and no text goes abroad.
        stranger.request_code(SignIn, person(index)).await.unwrap();
        stranger.request_code(SignUp, abroad()).await.ok();
    }
    for index in 0..2 {
        core.request_code(SignUp, person(index)).await.unwrap();
    }
    assert_eq!(core.request_code(SignUp, person(8)).await, too_many(HOUR));
    assert_eq!(core.request_code(SignIn, person(8)).await, too_many(HOUR));
    assert_eq!(core.request_suppressed(SignIn, person(8)).await, too_many(HOUR));
}

#[tokio::test]
async fn strangers_use_four_fifths_of_a_ceiling_and_never_more() {
    let core = Core::new().ruled(|rules| {
        rules.bill.messages = [400, 0];
        rules.sources.sends_per_hour = 0;
    });
    let mut sent = 0;
    for index in 0..500 {
        sent += u32::from(core.request_code(SignUp, person(index)).await.is_ok());
    }
    assert_eq!(sent, 320);
}

#[tokio::test]
async fn owners_have_the_last_fifth_of_a_ceiling() {
    let core = Core::new();
    core.signed_up_by_code(person(100)).await;
    let core = core.ruled(|rules| rules.bill.messages = [5, 0]);
    for index in 0..9 {
        let stranger = core.from(source_at(&format!("192.0.{index}.1")));
        let sent = stranger.request_code(SignUp, person(index)).await;
        assert_eq!(sent.is_ok(), index < 4);
    }
    let code = core.requested_code(SignIn, person(100)).await;
    core.sign_in_by_code(person(100), &code).await.unwrap();
    core.wait(MINUTE);
    assert_eq!(core.request_code(SignIn, person(100)).await, too_many(59 * MINUTE));
}

#[tokio::test]
async fn a_shop_that_mails_and_texts_counts_both() {
    let core = Core::new().ruled(|rules| rules.bill.total = MicroUsd(62_625));
    let shop = core.in_shop("one");
    let client = core.create_client(&[]).await.id;
    let both = ShopSignUp { email: Some(email()), phone: Some(phone()), ..ShopSignUp::default() };
    shop.sign_up_to_verify(&client, both).await.unwrap();
    let mail = ShopSignUp { email: Some(other_email()), ..ShopSignUp::default() };
    shop.sign_up_to_verify(&client, mail).await.unwrap_err();
}

#[tokio::test]
async fn a_prefix_whose_codes_stay_unused_is_slowed_down_for_ten_minutes() {
    let core = Core::new().ruled(|rules| rules.bill.unused_per_prefix = 3);
    for index in 0..3 {
        core.request_code(SignUp, person(index)).await.unwrap();
    }
    let stranger = core.from(other_source());
    assert_eq!(stranger.request_code(SignUp, person(9)).await, too_many(10 * MINUTE));
    // Another range of the same country is not concerned.
    core.request_code(SignUp, phone()).await.unwrap();
    core.wait(10 * MINUTE);
    stranger.request_code(SignUp, person(9)).await.unwrap();
}

#[tokio::test]
async fn a_prefix_whose_codes_are_used_is_not_slowed_down() {
    let core = Core::new().ruled(|rules| {
        rules.bill.unused_per_prefix = 3;
        rules.sources.sends_per_hour = 0;
    });
    for index in 0..40 {
        // One of four codes is used.
        let code = core.requested_code(SignUp, person(index)).await;
        if index % 4 == 0 {
            core.sign_up_by_code(person(index), &code).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_owner_gets_a_code_although_the_prefix_is_slowed_down() {
    let core = Core::new();
    core.signed_up_by_code(person(100)).await;
    let core = core.ruled(|rules| rules.bill.unused_per_prefix = 3);
    for index in 0..3 {
        let stranger = core.from(source_at(&format!("192.0.{index}.1")));
        stranger.request_code(SignUp, person(index)).await.unwrap();
    }
    core.from(other_source()).request_code(SignIn, person(100)).await.unwrap_err();
    let code = core.requested_code(SignIn, person(100)).await;
    core.sign_in_by_code(person(100), &code).await.unwrap();
    assert!(core.request_code(SignUp, other_phone()).await.is_ok());
}
