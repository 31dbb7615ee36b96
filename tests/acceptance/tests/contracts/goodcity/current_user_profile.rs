//! `GET /api/v1/auth/current_user_profile`.

use acceptance::goodcity::{error, new_mobile, token, user_id};
use acceptance::gotu::tokens;
use acceptance::tokens::part;
use acceptance::{TestStack, goodcity, gotu, new_email, without_limits};

#[tokio::test]
async fn the_user_of_the_token_is_answered_at_the_top_level() {
    let stack = TestStack::shared().await;
    let reply = goodcity(stack).registered(&new_mobile()).await;
    let user = &reply.json()["user"];
    for scheme in ["Bearer", "bearer"] {
        let ask = stack.call("goodcity-current-user-profile");
        let ask = ask.header("authorization", format!("{scheme} {}", token(&reply)));
        ask.await.expect(200, user);
    }
}

#[tokio::test]
async fn a_text_that_is_not_a_token_of_goodcity_is_invalid() {
    let stack = TestStack::shared().await;
    let token = token(&goodcity(stack).registered(&new_mobile()).await);
    let foreign = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).access;
    let mut parts = token.split('.');
    let (header, claims, signature) =
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let none = format!("{}.{claims}.", part(r#"{"alg":"none","typ":"JWT"}"#));
    let other_claims = part(r#"{"user_id":1,"iat":1,"iss":"GoodCityHK","exp":9999999999}"#);
    let invalid = error("Invalid token");
    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {foreign}"),
        format!("Bearer {none}"),
        format!("Bearer {header}.{other_claims}.{signature}"),
        format!("Bearer {header}.{claims}.{}", signature.chars().rev().collect::<String>()),
    ] {
        let ask = stack.call("goodcity-current-user-profile");
        ask.header("authorization", &authorization).await.expect(401, &invalid);
    }
    stack.call("goodcity-current-user-profile").await.expect(401, &invalid);
}

#[tokio::test]
async fn a_token_that_has_ended_is_expired() {
    let env = without_limits(&[("ACCESS_TOKEN_SECONDS_GOODCITY", "0")]);
    let stack = &TestStack::with(&env).await;
    let token = token(&goodcity(stack).registered(&new_mobile()).await);
    goodcity(stack).current_user_profile(&token).await.expect(401, &error("Expired token"));
}

#[tokio::test]
async fn the_token_of_a_deleted_user_is_invalid() {
    let stack = TestStack::shared().await;
    let reply = goodcity(stack).registered(&new_mobile()).await;
    stack.delete("Users", "user_id", user_id(&reply)).await;
    let profile = goodcity(stack).current_user_profile(&token(&reply)).await;
    profile.expect(401, &error("Invalid token"));
}
