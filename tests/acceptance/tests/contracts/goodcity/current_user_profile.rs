//! `GET /api/v1/auth/current_user_profile` (contracts.md B.4).

use super::{PROFILE, new_mobile, signed_in};
use acceptance::{NO_LIMITS, Reply, World, new_email};
use serde_json::json;

async fn profile(world: &World, authorization: &str) -> Reply {
    let headers = [("authorization", authorization)];
    world.send("GET", PROFILE, &headers, "", None).await
}

#[tokio::test]
async fn the_user_of_the_token_is_answered_at_the_top_level() {
    let world = World::shared().await;
    let answer = signed_in(world, &new_mobile()).await.json();
    let token = answer["jwt_token"].as_str().unwrap();
    profile(world, &format!("Bearer {token}")).await.expect(200, &answer["user"]);
    profile(world, &format!("bearer {token}")).await.expect(200, &answer["user"]);
}

#[tokio::test]
async fn whatever_is_no_token_of_goodcity_is_invalid() {
    let world = World::shared().await;
    let token =
        signed_in(world, &new_mobile()).await.json()["jwt_token"].as_str().unwrap().to_owned();
    let gotu = world.sign_up_by_email(&new_email()).await.json();
    let gotu = gotu["data"]["accessToken"].as_str().unwrap();
    let base64 = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let mut parts = token.split('.');
    let (header, claims, signature) =
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let none = format!("{}.{claims}.", base64(r#"{"alg":"none","typ":"JWT"}"#));
    let other_claims = base64(r#"{"user_id":1,"iat":1,"iss":"GoodCityHK","exp":9999999999}"#);
    let invalid = json!({"error": "Invalid token"});
    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {gotu}"),
        format!("Bearer {none}"),
        format!("Bearer {header}.{other_claims}.{signature}"),
        format!("Bearer {header}.{claims}.{}", signature.chars().rev().collect::<String>()),
    ] {
        profile(world, &authorization).await.expect(401, &invalid);
    }
    world.send("GET", PROFILE, &[], "", None).await.expect(401, &invalid);
}

#[tokio::test]
async fn a_token_that_has_ended_is_expired() {
    let mut env = NO_LIMITS.to_vec();
    env.push(("ACCESS_TOKEN_SECONDS_GOODCITY", "0"));
    let world = World::with(&env).await;
    let token =
        signed_in(&world, &new_mobile()).await.json()["jwt_token"].as_str().unwrap().to_owned();
    profile(&world, &format!("Bearer {token}"))
        .await
        .expect(401, &json!({"error": "Expired token"}));
}

#[tokio::test]
async fn the_token_of_a_user_who_is_gone_is_invalid() {
    let world = World::shared().await;
    let answer = signed_in(world, &new_mobile()).await.json();
    let id = answer["user"]["user_profile"]["id"].to_string();
    let delete = json!({"TableName": "Users", "Key": {"user_id": {"S": id}}});
    world.dynamodb("DeleteItem", &delete).await;
    let token = answer["jwt_token"].as_str().unwrap();
    profile(world, &format!("Bearer {token}"))
        .await
        .expect(401, &json!({"error": "Invalid token"}));
}
