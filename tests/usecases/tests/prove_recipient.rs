//! Proving control of a recipient.

use latchkey::domain::challenge::Purpose::*;
use std::time::Duration;
use usecases::{Core, Refusal, phone, wrong};

#[tokio::test]
async fn a_proof_names_the_user_and_the_time() {
    let core = Core::new();
    let user = core.signed_up_by_code(phone()).await.user;
    let code = core.requested_code(ResetPassword, phone()).await;
    core.wait(Duration::from_mins(1));
    let proof = core.prove(ResetPassword, phone(), &code).await.unwrap();
    assert_eq!((proof.user, proof.at), (Some(user), core.now()));
    assert_eq!((proof.key.purpose, proof.key.recipient), (ResetPassword, phone()));
}

#[tokio::test]
async fn a_recipient_without_an_account_can_be_proved() {
    let core = Core::new();
    let code = core.requested_code(ChangePhone, phone()).await;
    assert_eq!(core.prove(ChangePhone, phone(), &code).await.unwrap().user, None);
}

#[tokio::test]
async fn a_code_proves_once() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    core.prove(SignUp, phone(), &code).await.unwrap();
    assert_eq!(core.prove(SignUp, phone(), &code).await.unwrap_err(), Refusal::NoCode);
    assert!(!core.has_code(SignUp, phone()).await);
}

#[tokio::test]
async fn a_wrong_code_proves_nothing() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    let refused = core.prove(SignUp, phone(), &wrong(&code)).await.unwrap_err();
    assert_eq!(refused, Refusal::WrongCode);
}

#[tokio::test]
async fn of_two_requests_with_the_same_code_one_succeeds() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    let same = code.clone();
    core.interrupt(0, async move |rival| {
        rival.prove(SignUp, phone(), &same).await.unwrap();
    });
    assert_eq!(core.prove(SignUp, phone(), &code).await.unwrap_err(), Refusal::NoCode);
    core.expect_interrupted();
}

#[tokio::test]
async fn a_code_that_is_replaced_during_the_check_proves_nothing() {
    let core = Core::new();
    let code = core.requested_code(SignUp, phone()).await;
    core.wait(Duration::from_secs(30));
    core.interrupt(0, async |rival| rival.request_code(SignUp, phone()).await.unwrap());
    assert_eq!(core.prove(SignUp, phone(), &code).await.unwrap_err(), Refusal::NoCode);
    core.expect_interrupted();
}
