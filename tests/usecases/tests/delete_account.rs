//! Deleting accounts.

use latchkey::domain::challenge::Purpose::{DeleteAccount, ResetPassword, SignIn};
use std::time::Duration;
use usecases::{Core, Refusal, email, other_phone, phone, wrong};

const DAY: Duration = Duration::from_hours(24);
const PASSWORD: &str = "correct horse";

#[tokio::test]
async fn a_deleted_account_leaves_nothing_but_hashes_of_tokens() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    core.register_device(&session.user, "token").await.unwrap();
    let refused = core.delete_by_password(&session.user, "wrong horse").await;
    assert_eq!(refused, Err(Refusal::NotProved));
    core.delete_by_password(&session.user, PASSWORD).await.unwrap();
    assert_eq!(core.tables_with(session.user.as_str()), ["Sessions"]);
    assert!(core.owner_of_push_token("token").await.is_none());
    assert!(core.owner_of(email()).await.is_none());
    assert!(!core.is_open(&session).await);
    assert_eq!(core.refresh(&session.refresh_token).await.unwrap_err(), Refusal::SessionOver);
    let again = core.delete_by_password(&session.user, PASSWORD).await;
    assert_eq!(again, Err(Refusal::NotProved));
    core.deliver().await;
    assert_eq!(core.bus.details("user_deleted").len(), 1);
    // The identifier is free.
    assert!(core.sign_up_by_password(email(), PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_code_deletes_the_account_of_its_recipient_only() {
    let core = Core::new();
    let one = core.signed_up_by_code(phone()).await;
    let other = core.signed_up_by_code(other_phone()).await;
    let code = core.requested_code(DeleteAccount, phone()).await;
    let refused = Err(Refusal::NotProved);
    assert_eq!(core.delete_by_code(&one.user, phone(), &wrong(&code)).await, refused);
    assert_eq!(core.delete_by_code(&other.user, phone(), &code).await, refused);
    let login = core.requested_code(SignIn, other_phone()).await;
    assert_eq!(core.delete_by_code(&other.user, other_phone(), &login).await, refused);
    core.delete_by_code(&one.user, phone(), &code).await.unwrap();
    assert!(core.user(&one.user).await.is_none());
    assert!(core.is_open(&other).await);
}

#[tokio::test]
async fn a_code_that_has_ended_deletes_nothing() {
    let core = Core::new();
    let session = core.signed_up_by_code(phone()).await;
    let code = core.requested_code(DeleteAccount, phone()).await;
    core.wait(Duration::from_mins(5));
    let refused = core.delete_by_code(&session.user, phone(), &code).await;
    assert_eq!(refused, Err(Refusal::NotProved));
    assert!(core.is_open(&session).await);
}

#[tokio::test]
async fn more_devices_than_a_transaction_has_room_for_are_deleted() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    for number in 0..90 {
        core.register_device(&session.user, &format!("token {number}")).await.unwrap();
    }
    core.delete_by_password(&session.user, PASSWORD).await.unwrap();
    assert_eq!(core.devices_of(&session.user), 0);
    assert!(core.owner_of_push_token("token 89").await.is_none());
}

#[tokio::test]
async fn a_sign_in_between_the_read_and_the_deletion_leaves_no_device() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    core.tick();
    // The first random value is drawn after the devices were read.
    core.interrupt(0, async |rival| {
        rival.sign_in_by_password(email(), PASSWORD).await.unwrap();
    });
    core.delete_by_password(&session.user, PASSWORD).await.unwrap();
    core.expect_interrupted();
    assert_eq!(core.tables_with(session.user.as_str()), ["Sessions"]);
}

#[tokio::test]
async fn a_device_that_is_registered_between_the_read_and_the_deletion_is_deleted() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let user = session.user.clone();
    core.interrupt(0, async move |rival| {
        rival.register_device(&user, "token").await.unwrap();
    });
    core.delete_by_password(&session.user, PASSWORD).await.unwrap();
    core.expect_interrupted();
    assert_eq!(core.tables_with(session.user.as_str()), ["Sessions"]);
    assert!(core.owner_of_push_token("token").await.is_none());
}

#[tokio::test]
async fn a_deletion_between_the_read_and_the_registration_refuses_the_device() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let user = session.user.clone();
    core.interrupt(0, async move |rival| {
        rival.delete_by_password(&user, PASSWORD).await.unwrap();
    });
    let refused = core.register_device(&session.user, "token").await;
    core.expect_interrupted();
    assert_eq!(refused, Err(Refusal::NoSuchUser));
    assert_eq!(core.tables_with(session.user.as_str()), ["Sessions"]);
}

#[tokio::test]
async fn a_new_password_between_the_check_and_the_deletion_keeps_the_account() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    core.interrupt(0, async |rival| {
        let code = rival.requested_code(ResetPassword, email()).await;
        let proof = rival.prove(ResetPassword, email(), &code).await.unwrap();
        rival.reset_password(&proof, "battery staple").await.unwrap();
    });
    let refused = core.delete_by_password(&session.user, PASSWORD).await;
    core.expect_interrupted();
    assert_eq!(refused, Err(Refusal::NotProved));
    assert!(core.user(&session.user).await.is_some());
}

#[tokio::test]
async fn a_device_that_has_ended_and_is_registered_again_does_not_stop_a_deletion() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    core.register_device(&session.user, "token").await.unwrap();
    core.wait(DAY * 91);
    core.delete_push_tokens();
    core.register_device(&session.user, "token").await.unwrap();
    assert_eq!(core.devices_of(&session.user), 3);
    core.delete_by_password(&session.user, PASSWORD).await.unwrap();
    assert_eq!(core.devices_of(&session.user), 0);
    assert!(core.owner_of_push_token("token").await.is_none());
}

#[tokio::test]
async fn a_device_that_has_ended_and_is_anothers_now_does_not_stop_a_deletion() {
    let core = Core::new();
    let session = core.sign_up_by_password(email(), PASSWORD).await.unwrap();
    let other = core.signed_up_by_code(phone()).await;
    core.register_device(&session.user, "token").await.unwrap();
    core.wait(DAY * 91);
    core.delete_push_tokens();
    core.register_device(&other.user, "token").await.unwrap();
    core.delete_by_password(&session.user, PASSWORD).await.unwrap();
    assert_eq!(core.devices_of(&session.user), 0);
    assert_eq!(core.owner_of_push_token("token").await.unwrap().user, other.user);
}
