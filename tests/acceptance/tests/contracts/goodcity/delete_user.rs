//! `DELETE /api/v1/auth/current_user_profile`: deletes the account of the signed-in user after a
//! pin.

use acceptance::events::of_type;
use acceptance::goodcity::{new_mobile, otp_auth_key, pin_refused, token, user_id};
use acceptance::{NO_LIMITS, NO_PAUSE, TestStack, goodcity, other_than};

/// A handle and the pin, which is in the message number `count`.
async fn pin(stack: &TestStack, mobile: &str, count: usize) -> (String, String) {
    let key = otp_auth_key(&goodcity(stack).send_pin(mobile).await);
    (key, goodcity(stack).pin(mobile, count).await)
}

#[tokio::test]
async fn a_pin_deletes_the_account_and_its_devices() {
    let stack = &TestStack::with(&NO_PAUSE).await;
    let mobile = new_mobile();
    let registered = goodcity(stack).registered(&mobile).await;
    let (access, id) = (token(&registered), user_id(&registered));
    for handle in ["a-handle", "another-handle"] {
        goodcity(stack).register_device(&access, handle, "fcm").await.expect_text(204, "");
    }
    let (key, right) = pin(stack, &mobile, 2).await;
    let wrong = other_than(&right);
    goodcity(stack).delete_account(&access, &key, &wrong).await.expect(422, &pin_refused());
    goodcity(stack).delete_account(&access, &key, &right).await.expect_text(204, "");
    let events = stack.events(&id, 5).await;
    let deleted = of_type(&events, "user.deleted");
    assert_eq!(deleted[0]["detail"]["userId"].to_string(), id);
    assert_eq!(stack.tables_with(&[&mobile]).await, ["Challenges"]);
    assert!(stack.tables_with(&["a-handle", "another-handle"]).await.is_empty());
    for table in ["Users", "Identifiers", "Devices"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
    assert_eq!(goodcity(stack).current_user_profile(&access).await.status, 401);
    assert_eq!(goodcity(stack).register_device(&access, "h", "fcm").await.status, 401);
    // The mobile is free.
    assert_ne!(user_id(&goodcity(stack).registered_again(&mobile, 3).await), id);
}

#[tokio::test]
async fn a_handle_that_another_user_has_by_now_stays() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (mine, theirs) = (new_mobile(), new_mobile());
    let first = token(&goodcity(stack).registered(&mine).await);
    let other = goodcity(stack).registered(&theirs).await;
    let second = token(&other);
    for access in [&first, &second] {
        goodcity(stack).register_device(access, "one-handle", "fcm").await.expect_text(204, "");
    }
    // The pin of another user deletes nothing.
    let (key, right) = pin(stack, &theirs, 2).await;
    goodcity(stack).delete_account(&first, &key, &right).await.expect(422, &pin_refused());
    let (key, right) = pin(stack, &mine, 2).await;
    goodcity(stack).delete_account(&first, &key, &right).await.expect_text(204, "");
    let devices = stack.items("Devices").await;
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0]["user_id"], user_id(&other));
    assert_eq!(stack.items_with("Identifiers", &user_id(&other)).await.len(), 2);
}
