//! Invariant 3: a crash or a fault at any store call leaves all of a sign-up or none of it, and a
//! retry succeeds or gets the duplicate's answer.

use acceptance::{NO_LIMITS, Reply, World, code_in, new_email, new_phone, user_id};
use serde_json::{Value, json};

const FUNCTION: &str = "gotu-post-users";

/// The tables that an account is made of.
const ACCOUNT: [&str; 4] = ["Users", "Identifiers", "Devices", "Sessions"];

fn fault(mode: &str, operation: &str, count: u32) -> Value {
    json!({"service": "dynamodb", "mode": mode, "operation": operation, "count": count,
        "function": FUNCTION})
}

/// Requires that of the account of `identifier` there is all or nothing, and tells which.
async fn is_whole(world: &World, identifier: &str) -> bool {
    let identifiers = world.items_with("Identifiers", identifier).await;
    let users = world.items_with("Users", identifier).await;
    let Some(found) = identifiers.first() else {
        assert!(users.is_empty(), "a user without an identifier");
        return false;
    };
    let id = found["user_id"].as_str().unwrap();
    for table in ACCOUNT {
        assert_eq!(world.items_with(table, id).await.len(), 1, "{table} of a half-made account");
    }
    true
}

/// Requires that both events of the account come, each once.
async fn assert_events(world: &World, identifier: &str) {
    let id = world.items_with("Identifiers", identifier).await[0]["user_id"].clone();
    world.events(id.as_str().unwrap(), 2).await;
    world.settled(id.as_str().unwrap()).await;
    let events = world.events_of(id.as_str().unwrap()).await;
    assert_eq!(events.len(), 2, "{events:?}");
}

#[tokio::test]
async fn one_failed_call_is_not_noticed() {
    let world = World::with(&NO_LIMITS).await;
    for mode in ["error", "throttle", "conflict", "timeout", "lost-reply"] {
        for operation in ["UpdateItem", "TransactWriteItems"] {
            let phone = new_phone();
            let code = world.code(&phone, "sign_up", 1).await;
            world.fault(&fault(mode, operation, 1)).await;
            let reply = world.sign_up_by_phone(&phone, &code).await;
            assert_eq!(reply.status, 200, "{mode} {operation}: {reply:?}");
            assert!(is_whole(&world, &phone).await, "{mode} {operation}");
            assert_events(&world, &phone).await;
        }
        let email = new_email();
        world.fault(&fault(mode, "TransactWriteItems", 1)).await;
        let reply = world.sign_up_by_email(&email).await;
        assert_eq!(reply.status, 200, "{mode}: {reply:?}");
        assert!(is_whole(&world, &email).await, "{mode}");
        assert_events(&world, &email).await;
        let phone = new_phone();
        for operation in ["BatchGetItem", "TransactWriteItems"] {
            if (mode, operation) != ("conflict", "BatchGetItem") {
                let mut fault = fault(mode, operation, 1);
                fault["function"] = json!("gotu-post-otp");
                world.fault(&fault).await;
            }
        }
        world.code(&phone, "sign_up", 1).await;
        world.heal().await;
    }
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_by_a_mobile_either() {
    let world = World::with(&NO_LIMITS).await;
    let at = |mode: &str, function: &str, operation: &str| {
        json!({"service": "dynamodb", "mode": mode, "operation": operation, "count": 1,
            "function": function})
    };
    for (number, mode) in ["error", "throttle", "conflict", "lost-reply"].into_iter().enumerate() {
        let mobile = format!("+8525122453{number}");
        let body = json!({"user_auth": {"mobile": mobile, "address_attributes": {}}});
        world.fault(&at(mode, "goodcity-signup", "TransactWriteItems")).await;
        let reply = world.post("/api/v1/auth/signup", &body).await;
        assert_eq!(reply.status, 200, "{mode}: {reply:?}");
        let pin = code_in(world.message(&mobile, 1).await["body"].as_str().unwrap());
        for operation in ["UpdateItem", "TransactWriteItems"] {
            world.fault(&at(mode, "goodcity-verify", operation)).await;
        }
        let key = &reply.json()["otp_auth_key"];
        let reply =
            world.post("/api/v1/auth/verify", &json!({"otp_auth_key": key, "pin": pin})).await;
        assert_eq!(reply.status, 200, "{mode}: {reply:?}");
        world.fault(&at(mode, "goodcity-register-device", "TransactWriteItems")).await;
        let authorization = format!("Bearer {}", reply.json()["jwt_token"].as_str().unwrap());
        let headers = [("authorization", authorization.as_str())];
        let path = "/api/v1/auth/register_device";
        let reply = world.send("POST", path, &headers, "handle=h&platform=fcm", None).await;
        assert_eq!(reply.status, 204, "{mode}: {reply:?}");
        assert_eq!(world.items_with("Users", &mobile).await.len(), 1);
        world.heal().await;
    }
    world.settled("goodcity.auth").await;
    let types = |name: &str, events: &[Value]| {
        events.iter().filter(|event| event["detailType"] == name).count()
    };
    let events = world.all_events().await;
    for name in ["user.created", "user.verified", "device.registered"] {
        assert_eq!(types(name, &events), 4, "{name}");
    }
}

#[tokio::test]
async fn a_lasting_fault_is_a_500_that_leaves_nothing() {
    let world = World::with(&NO_LIMITS).await;
    for operation in ["UpdateItem", "TransactWriteItems"] {
        let phone = new_phone();
        let code = world.code(&phone, "sign_up", 1).await;
        world.fault(&fault("error", operation, 1000)).await;
        let reply = world.sign_up_by_phone(&phone, &code).await;
        reply.expect(500, &json!({"error": "internal server error"}));
        assert!(!is_whole(&world, &phone).await);
        world.heal().await;
        let reply = world.sign_up_by_phone(&phone, &code).await;
        assert_eq!(reply.status, 200, "{operation}: {reply:?}");
    }
    world.fault(&json!({"service": "dynamodb", "mode": "error", "count": 1000})).await;
    let body = json!({"identifier": new_phone(), "otpType": "sign_up"});
    let reply = world.post("/otp", &body).await;
    reply.expect(500, &json!({"error": "internal server error"}));
    // A request's own line follows those of its faults, and comes behind its answer.
    let answered = || async {
        let logs = world.stack().logs().join("\n");
        (logs.matches("\"http.status\":500").count() == 3).then_some(logs)
    };
    let logs = world.until("the lines of three failed requests", answered).await;
    let faults = logs.matches("a request failed").count();
    assert_eq!(faults, 3, "each fault is logged once");
    assert!(logs.contains("could not register a user") && logs.contains("InternalServerError"));
}

#[tokio::test]
async fn a_committed_sign_up_whose_reply_is_lost_is_a_success() {
    let world = World::with(&NO_LIMITS).await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    world.fault(&fault("lost-reply", "TransactWriteItems", 2)).await;
    let reply = world.sign_up_by_phone(&phone, &code).await;
    let id = user_id(&reply);
    assert_eq!(world.items_with("Users", &phone).await[0]["user_id"], id);
    assert_eq!(world.items("Users").await.len(), 1);
    assert_events(&world, &phone).await;
}

#[tokio::test]
async fn a_crash_at_any_call_leaves_all_or_nothing() {
    let world = World::with(&NO_LIMITS).await;
    // The calls of a first sign-up by phone: count the guess, take a block of ids, register.
    for crash in ["crash-before", "crash-after"] {
        for after in 0..3 {
            let phone = new_phone();
            let code = world.code(&phone, "sign_up", 1).await;
            // Every crash ends the process, so the next one starts with its warm-up read.
            let fault = json!({"service": "dynamodb", "mode": crash, "count": 1, "after": after,
                "function": FUNCTION, "operation": if after == 2 { "TransactWriteItems" } else { "UpdateItem" }});
            let fault = if after == 2 { without(fault, "after") } else { fault };
            world.fault(&fault).await;
            let crashed = world.sign_up_by_phone(&phone, &code).await;
            world.heal().await;
            if crashed.status == 200 {
                // An id was left of the last block: there was no such call.
                assert_eq!(after, 1, "{crash} {after}: {crashed:?}");
                continue;
            }
            assert_eq!(crashed.status, 500, "{crash} {after}: {crashed:?}");
            let whole = is_whole(&world, &phone).await;
            assert_eq!(whole, after == 2 && crash == "crash-after", "{crash} {after}");
            let again = world.sign_up_by_phone(&phone, &code).await;
            if whole {
                again.expect(401, &json!({"error": "invalid or expired otp code"}));
            } else {
                assert_eq!(again.status, 200, "{crash} {after}: {again:?}");
            }
            assert!(is_whole(&world, &phone).await);
            assert_events(&world, &phone).await;
        }
        let email = new_email();
        world.fault(&fault(crash, "TransactWriteItems", 1)).await;
        assert_eq!(world.sign_up_by_email(&email).await.status, 500);
        let whole = is_whole(&world, &email).await;
        assert_eq!(whole, crash == "crash-after");
        let again = world.sign_up_by_email(&email).await;
        if whole {
            again.expect(400, &json!({"error": "email already registered"}));
        } else {
            assert_eq!(again.status, 200, "{again:?}");
        }
        assert_events(&world, &email).await;
    }
}

fn without(mut fault: Value, key: &str) -> Value {
    fault.as_object_mut().unwrap().remove(key);
    fault
}

#[tokio::test]
async fn a_start_without_secrets_or_store_is_made_up_for_by_the_first_requests() {
    let world = World::with(&NO_LIMITS).await;
    world.fault(&json!({"service": "secrets", "mode": "error", "count": 1000})).await;
    let failed = |reply: &Reply| reply.expect(500, &json!({"error": "internal server error"}));
    failed(&world.sign_up_by_email(&new_email()).await);
    failed(&world.post("/otp", &json!({"identifier": new_phone(), "otpType": "login"})).await);
    assert!(world.items("Users").await.is_empty());
    world.heal().await;
    assert_eq!(world.sign_up_by_email(&new_email()).await.status, 200);
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    assert_eq!(world.sign_up_by_phone(&phone, &code).await.status, 200);
}
