//! `POST /sessions/refresh` (contracts.md A.3; design.md, refresh tokens).

use acceptance::{NO_LIMITS, Reply, World, all, new_email, new_phone, token_parts, user_id};
use serde_json::{Value, json};

async fn refresh(world: &World, token: &str) -> Reply {
    world.post("/sessions/refresh", &json!({"refreshToken": token})).await
}

/// The refresh token of a session answer.
#[track_caller]
fn token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["data"]["refreshToken"].as_str().unwrap().to_owned()
}

fn refused() -> Value {
    json!({"error": "invalid or expired refresh token"})
}

#[tokio::test]
async fn every_use_gives_a_successor_and_an_access_token() {
    let world = World::shared().await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    let signed_up = world.sign_up_by_phone(&phone, &code).await;
    let (id, first) = (user_id(&signed_up), token(&signed_up));
    let reply = refresh(world, &first).await;
    let (json, second) = (reply.json(), token(&reply));
    let access = json["data"]["accessToken"].as_str().unwrap();
    let expected = json!({"data": {"accessToken": access, "expiresIn": 900,
        "refreshToken": second, "tokenType": "Bearer"}});
    assert_eq!(json, expected);
    assert!(second.len() == 52 && second != first);
    let old = signed_up.json()["data"]["accessToken"].as_str().unwrap().to_owned();
    let (old, new) = (token_parts(&old).1, token_parts(access).1);
    for claim in ["sub", "deviceId", "userType", "isAdmin", "iss"] {
        assert_eq!(old[claim], new[claim], "{claim}");
    }
    assert_ne!(old["jti"], new["jti"]);
    token(&refresh(world, &second).await);
    let stored = json!(world.items_with("Sessions", &id).await).to_string();
    assert!(!stored.contains(&first) && !stored.contains(&second));
}

#[tokio::test]
async fn a_lost_answer_is_given_again_until_the_successor_is_used() {
    let world = World::shared().await;
    let first = token(&world.sign_up_by_email(&new_email()).await);
    let second = token(&refresh(world, &first).await);
    for _ in 0..3 {
        assert_eq!(token(&refresh(world, &first).await), second);
    }
    let third = token(&refresh(world, &second).await);
    assert_eq!(token(&refresh(world, &second).await), third);
}

#[tokio::test]
async fn a_token_whose_successor_was_used_ends_the_session_for_everybody() {
    let world = World::shared().await;
    let signed_up = world.sign_up_by_email(&new_email()).await;
    let (id, first) = (user_id(&signed_up), token(&signed_up));
    let second = token(&refresh(world, &first).await);
    let third = token(&refresh(world, &second).await);
    refresh(world, &first).await.expect(401, &refused());
    for token in [&first, &second, &third] {
        refresh(world, token).await.expect(401, &refused());
    }
    world.settled(&id).await;
    let events = world.events_of(&id).await;
    let ended: Vec<_> =
        events.iter().filter(|event| event["detailType"] == "AUTH_SESSION_REVOKED").collect();
    assert_eq!(ended.len(), 1, "{events:?}");
    assert_eq!(ended[0]["detail"]["reason"], "token_reused");
}

#[tokio::test]
async fn a_hundred_at_once_get_one_successor() {
    let world = World::with(&NO_LIMITS).await;
    let first = token(&world.sign_up_by_email(&new_email()).await);
    let replies = all((0..100).map(|_| refresh(&world, &first))).await;
    let mut successors: Vec<_> = replies.iter().map(token).collect();
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1, "one live successor");
    assert_eq!(world.items("Sessions").await.len(), 2);
    token(&refresh(&world, &successors[0]).await);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let world = World::shared().await;
    for body in [
        json!({"refreshToken": "x"}),
        json!({"refreshToken": "v".repeat(52)}),
        json!({"refreshToken": "V".repeat(52)}),
        json!({"refreshToken": "v".repeat(10_000)}),
    ] {
        world.post("/sessions/refresh", &body).await.expect(401, &refused());
    }
    for (body, text) in [
        (json!({}), "refreshToken is required"),
        (json!({"refreshToken": 5}), "refreshToken must be a string"),
    ] {
        world.post("/sessions/refresh", &body).await.expect(400, &json!({"error": text}));
    }
}

#[tokio::test]
async fn an_idle_session_ends_and_so_does_that_of_a_user_who_is_gone() {
    let world = World::shared().await;
    let idle = world.sign_up_by_email(&new_email()).await;
    let item = world.items_with("Sessions", &user_id(&idle)).await.remove(0);
    let life = item["expires_at"].as_f64().unwrap() - item["opened_at"].as_f64().unwrap();
    assert!((life - 2_592_000.0).abs() < 2.0, "30 days, {life}");
    let update = json!({"TableName": "Sessions",
        "Key": {"token_hash": {"S": item["token_hash"]}},
        "UpdateExpression": "SET expires_at = :past",
        "ExpressionAttributeValues": {":past": {"N": "1000"}}});
    world.dynamodb("UpdateItem", &update).await;
    refresh(world, &token(&idle)).await.expect(401, &refused());
    let gone = world.sign_up_by_email(&new_email()).await;
    let delete = json!({"TableName": "Users", "Key": {"user_id": {"S": user_id(&gone)}}});
    world.dynamodb("DeleteItem", &delete).await;
    refresh(world, &token(&gone)).await.expect(401, &refused());
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_lost_commit_gives_the_same() {
    let world = World::with(&NO_LIMITS).await;
    let mut current = token(&world.sign_up_by_email(&new_email()).await);
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        for operation in ["GetItem", "TransactWriteItems"] {
            if mode == "conflict" && operation == "GetItem" {
                continue;
            }
            let fault = json!({"service": "dynamodb", "mode": mode, "operation": operation,
                "count": 1, "function": "gotu-post-sessions-refresh"});
            world.fault(&fault).await;
            current = token(&refresh(&world, &current).await);
            world.heal().await;
        }
    }
    // The process dies after the commit: the client knows nothing, and asks again.
    let fault = json!({"service": "dynamodb", "mode": "crash-after", "count": 1,
        "operation": "TransactWriteItems", "function": "gotu-post-sessions-refresh"});
    world.fault(&fault).await;
    assert!(refresh(&world, &current).await.status >= 500);
    world.heal().await;
    let next = token(&refresh(&world, &current).await);
    token(&refresh(&world, &next).await);
}

#[tokio::test]
async fn refreshing_is_two_round_trips_and_so_is_repeating_it() {
    let world = World::with(&[]).await;
    // The first one warms up.
    let first = token(&refresh(&world, &token(&world.sign_up_by_email(&new_email()).await)).await);
    let function = "gotu-post-sessions-refresh";
    let before = world.calls(function).await.len();
    let second = token(&refresh(&world, &first).await);
    let calls = world.calls(function).await.split_off(before);
    let made: Vec<_> = calls.iter().map(|call| call["operation"].as_str().unwrap()).collect();
    assert_eq!(made, ["GetItem", "TransactWriteItems"]);
    let before = world.calls(function).await.len();
    assert_eq!(token(&refresh(&world, &first).await), second);
    let calls = world.calls(function).await.split_off(before);
    let mut read: Vec<_> = calls.iter().map(|call| call["resources"][0].to_string()).collect();
    read[1..].sort();
    // The last two at once.
    assert_eq!(read, ["\"Sessions\"", "\"Devices\"", "\"Users\""]);
}
