//! `DELETE /ecommerce/v1/user`: deletes the signed-in customer of a shop after the password.

use acceptance::events::of_type;
use acceptance::posbytz::{PASSWORD, bad_request, by_email, customer_id, refusal, session};
use acceptance::{NO_LIMITS, NO_PAUSE, TestStack, new_email, posbytz};
use serde_json::json;

#[tokio::test]
async fn the_password_deletes_the_customer() {
    let stack = &TestStack::with(&NO_PAUSE).await;
    let client = posbytz(stack).store_token("DELETE1").await;
    let email = new_email();
    let id = posbytz(stack).registered(&client, &email).await;
    let customer = session(&posbytz(stack).sign_in(&client, &by_email(&email)).await);
    let wrong = posbytz(stack).delete_customer(&client, &customer, "wrong horse").await;
    wrong.expect(401, &refusal(401, "Invalid credentials", "Unauthorized"));
    let reply = posbytz(stack).delete_customer(&client, &customer, PASSWORD).await;
    reply.expect_text(200, r#"{"statusCode":200}"#);
    let events = stack.events(&id, 5).await;
    let deleted = &of_type(&events, "customer.deleted")[0]["detail"];
    assert_eq!((&deleted["userId"], &deleted["store"]), (&json!(id), &json!("DELETE1")));
    assert!(stack.tables_with(&[&id]).await.is_empty());
    // The count of links to the address ends by itself.
    assert_eq!(stack.tables_with(&[&email]).await, ["Challenges"]);
    let again = posbytz(stack).delete_customer(&client, &customer, PASSWORD).await;
    let missing = refusal(401, "authorization header missing or invalid", "Unauthorized");
    again.expect(401, &missing);
    // The address is free.
    let new = posbytz(stack).sign_up(&client, &by_email(&email)).await;
    assert_ne!(customer_id(&new), id);
}

#[tokio::test]
async fn a_customer_of_another_shop_and_a_missing_token_are_refused() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("DELETE2").await;
    let other = posbytz(stack).store_token("DELETE3").await;
    let email = new_email();
    posbytz(stack).registered(&client, &email).await;
    let customer = session(&posbytz(stack).sign_in(&client, &by_email(&email)).await);
    let missing = refusal(401, "authorization header missing or invalid", "Unauthorized");
    for (client, customer) in [(&other, &customer), (&client, &client), (&customer, &customer)] {
        let reply = posbytz(stack).delete_customer(client, customer, PASSWORD).await;
        reply.expect(401, &missing);
    }
    let call = stack.call("posbytz-delete-user").header("x-api-authorization", &client);
    call.json(&json!({"password": PASSWORD})).await.expect(401, &missing);
    let text = "password must be a string";
    for (body, texts) in [
        (json!({}), json!([text, "password should not be empty"])),
        (json!({"password": ""}), json!(["password should not be empty"])),
    ] {
        let call = stack.call("posbytz-delete-user").header("x-api-authorization", &client);
        let reply = call.bearer(&customer).json(&body).await;
        reply.expect(400, &bad_request(&json!({"password": texts})));
    }
    assert_eq!(stack.items("Users").await.len(), 1);
}
