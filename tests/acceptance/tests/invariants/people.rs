//! What operators do with single people, by the function `people`.

mod bans;
mod erasure;

use acceptance::drivers::{Driver, Person, for_every_contract};
use acceptance::gotu::{PASSWORD, error, tokens, user_id};
use acceptance::{TestStack, gotu, new_email, new_phone, posbytz, urbanfits, without_limits};
use serde_json::{Value, json};

/// Invokes the function with a verb about a person, and returns the answer.
pub(crate) async fn ask(stack: &TestStack, verb: &str, person: &str, more: &Value) -> Value {
    let mut payload =
        json!({"verb": verb, "who": "support", "why": "ticket 4711", "person": person});
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = stack.invoke("people", &payload).await;
    reply.expect_invoked();
    reply.json()
}

/// Invokes the function with a verb about a person of a contract, which must not be refused.
pub(crate) async fn of(stack: &TestStack, verb: &str, person: &str, contract: &str) -> Value {
    let answer = ask(stack, verb, person, &json!({"contract": contract})).await;
    assert_eq!(answer["refused"], Value::Null, "{verb} {person}: {answer}");
    answer
}

/// A user of a contract, signed up by a code: the recipient and the id.
pub(crate) async fn user_of(driver: &dyn Driver) -> (Person, String) {
    let person = driver.new_person();
    let (asked, code) = driver.asked(&person).await;
    let entered = driver.enter_code(&person, &asked, &code).await;
    let id = driver.user_id(&entered);
    (person, id)
}

#[tokio::test]
async fn a_person_is_found_by_every_name_and_id_in_every_contract() {
    let stack = TestStack::shared().await;
    for_every_contract(stack, async |driver| {
        let (person, id) = user_of(driver).await;
        let name = driver.facts().name;
        let names = [Some(&person.recipient), person.username.as_ref(), Some(&id)];
        for text in names.into_iter().flatten() {
            let found = ask(stack, "find", text, &json!({})).await;
            let list = found["people"].as_array();
            let found = list.unwrap_or_else(|| panic!("{text}: {found}"));
            let own: Vec<_> = found.iter().filter(|one| one["contract"] == name).collect();
            assert_eq!(own.len(), 1, "{text}: {found:?}");
            assert_eq!((&own[0]["userId"], &own[0]["bannedAt"]), (&json!(id), &Value::Null));
            let values = own[0]["identifiers"].to_string();
            assert!(values.contains(&person.recipient), "{values}");
        }
    })
    .await;
    let unknown = ask(stack, "find", &new_phone(), &json!({})).await;
    assert_eq!(unknown, json!({"people": []}));
}

#[tokio::test]
async fn a_person_is_found_with_the_open_sessions_and_signed_out_of_them() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let device = [("user-agent", "an-agent"), ("x-device-id", "1"), ("x-device-token", "a-token")];
    let reply = gotu(stack).sign_up_by_email(&email).headers(&device).await;
    let (session, id) = (tokens(&reply), user_id(&reply));
    gotu(stack).sign_in(&email, PASSWORD).await;
    let found = of(stack, "find", &email, "gotu").await;
    let sessions = found["people"][0]["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{found}");
    assert!(sessions.iter().any(|session| session["userAgent"] == "an-agent"), "{found}");
    assert_eq!(found["people"][0]["hasPassword"], true);
    let ended = of(stack, "sign-out", &email, "gotu").await;
    assert_eq!(ended["sessionsEnded"], 2, "{ended}");
    assert_eq!(of(stack, "find", &email, "gotu").await["people"][0]["sessions"], json!([]));
    let devices = stack.items_of_user("Devices", &id).await;
    assert!(devices.iter().all(|device| device["push_handle"] == Value::Null), "{devices:?}");
    let refused = error("invalid or expired refresh token");
    gotu(stack).refresh(&session.refresh).await.expect(401, &refused);
    let revoked = || async {
        let events = stack.events_of(&id).await;
        events.into_iter().find(|event| event["detail"]["reason"] == "signed_out_everywhere")
    };
    let revoked = stack.wait_for("the event", revoked).await;
    assert_eq!(revoked["detailType"], "AUTH_SESSION_REVOKED");
    // The user is not banned.
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn pauses_of_codes_and_passwords_end_at_once() {
    let env = [("OTP_SENDS_PER_HOUR_PER_IP", "0"), ("OTP_RESEND_SECONDS", "60")];
    let stack = &TestStack::with(&env).await;
    let (phone, email) = (new_phone(), new_email());
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    assert_eq!(gotu(stack).ask_for_code(&phone, "sign_up").await.status, 429);
    assert_eq!(of(stack, "unlock", &phone, "gotu").await, json!({"unlocked": 1}));
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    // The code of the last request works.
    let code = gotu(stack).code_of(&phone, 2).await;
    assert_eq!(gotu(stack).sign_up_by_phone(&phone, &code).await.status, 200);
    gotu(stack).sign_up_by_email(&email).await;
    let elsewhere = "127.0.44.1".parse().unwrap();
    let wrong = || gotu(stack).sign_in(&email, "wrong horse").from(elsewhere);
    for _ in 0..5 {
        assert_eq!(wrong().await.status, 401);
    }
    assert_eq!(wrong().await.status, 429);
    assert_eq!(of(stack, "unlock", &email, "gotu").await, json!({"unlocked": 1}));
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).from(elsewhere).await.status, 200);
}

#[tokio::test]
async fn a_code_and_a_link_that_wait_are_sent_again() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let resent = of(stack, "resend", &phone, "gotu").await;
    assert_eq!(resent["resent"][0]["purpose"], "sign_up", "{resent}");
    assert_eq!(gotu(stack).code_of(&phone, 2).await, code);
    assert_eq!(gotu(stack).sign_up_by_phone(&phone, &code).await.status, 200);
    let refused = "no code or link waits for the person, who has to ask for a new one";
    let again = ask(stack, "resend", &phone, &json!({"contract": "gotu"})).await;
    assert_eq!(again, json!({"refused": refused}));
    let (token, email) = (posbytz(stack).store_token("STORE1").await, new_email());
    let (id, secret) = posbytz(stack).mailed(&token, &email).await;
    let shop = json!({"contract": "posbytz", "store": "STORE1"});
    assert_eq!(ask(stack, "resend", &email, &shop).await["resent"][0]["recipient"], email);
    assert_eq!(posbytz(stack).mailed_secret(&email, &id, 2).await, secret);
}

#[tokio::test]
async fn an_export_has_everything_about_a_person_and_no_secret() {
    let stack = TestStack::shared().await;
    let (username, email) = urbanfits::new_person();
    let id = urbanfits::user_id(&urbanfits(stack).registered(&username, &email).await);
    let exported = of(stack, "export", &email, "urbanfits").await;
    let stored = &exported["stored"];
    for table in ["users", "identifiers", "devices", "sessions", "ledger", "challenges"] {
        assert!(stored[table].is_array(), "{table}: {exported}");
    }
    assert_eq!(stored["users"][0]["user_id"], id);
    assert_eq!(stored["users"][0]["username"], username);
    assert_eq!(stored["ledger"][0]["points"], 500);
    assert_eq!(stored["identifiers"].as_array().unwrap().len(), 3, "{exported}");
    for secret in ["password_hash", "argon2", "nonce", "token_hash", "known_sources"] {
        assert!(!exported.to_string().contains(secret), "{secret}: {exported}");
    }
}

#[tokio::test]
async fn the_clients_of_all_shops_are_listed_without_secrets() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("LISTED").await;
    let payload = json!({"verb": "clients", "who": "support", "why": "ticket 4711"});
    let reply = stack.invoke("people", &payload).await;
    reply.expect_invoked();
    let clients = reply.json()["clients"].as_array().unwrap().clone();
    let own: Vec<_> = clients.iter().filter(|one| one["clientId"] == client.id).collect();
    assert_eq!(own.len(), 1, "{clients:?}");
    assert_eq!((&own[0]["store"], &own[0]["secrets"]), (&json!("LISTED"), &json!(1)));
    assert!(!reply.body.contains(&client.secret) && !reply.body.contains("hash"));
}

#[tokio::test]
async fn each_call_is_an_audit_item_and_a_log_line_that_names_no_person() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    of(stack, "find", &email, "gotu").await;
    ask(stack, "unban", &email, &json!({"contract": "gotu"})).await;
    ask(stack, "find", &new_email(), &json!({"contract": "none"})).await;
    let items = stack.items("Audit").await;
    let calls: Vec<_> = items
        .iter()
        .map(|item| (item["verb"].as_str().unwrap(), item["outcome"].as_str().unwrap()))
        .collect();
    let expected = [
        ("find", "done"),
        ("unban", "refused: the user is not banned"),
        ("find", "refused: there is no such contract"),
    ];
    assert_eq!(calls.len(), 3, "{items:?}");
    assert!(expected.iter().all(|call| calls.contains(call)), "{items:?}");
    let line = || async {
        let lines = stack.lines("an operator called");
        lines.into_iter().find(|line| line["verb"] == "unban")
    };
    let line = stack.wait_for("the line", line).await;
    assert_eq!((&line["who"], &line["why"]), (&json!("support"), &json!("ticket 4711")));
    let same = |item: &&Value| item["verb"] == "unban" && item["person"] == line["person"];
    assert_eq!(items.iter().filter(same).count(), 1, "{line} {items:?}");
    for name in [&email, &id] {
        assert!(!Value::from(items.clone()).to_string().contains(name), "{items:?}");
        assert!(stack.logs().iter().all(|line| !line.contains(name)), "a log line names {name}");
    }
}

#[tokio::test]
async fn a_call_that_breaks_a_rule_does_nothing_and_is_no_fault() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let refused = async |verb: &str, person: &str, more: Value, rule: &str| {
        let answer = ask(stack, verb, person, &more).await;
        assert_eq!(answer, json!({"refused": rule}), "{verb} {more}");
    };
    let reason = "who and why must be texts of 1 to 200 characters: both are kept";
    refused("ban", &email, json!({"why": ""}), reason).await;
    let names = format!("{email} wrote to us");
    let rule = "why must not name the person, because it is kept";
    refused("ban", &email, json!({"why": names}), rule).await;
    refused("ban", &new_email(), json!({}), "there is no such person").await;
    let rule = "there is no such user: name a contract to do it for the recipient";
    refused("unlock", &new_email(), json!({}), rule).await;
    // The same address in another contract.
    let token = posbytz(stack).store_token("STORE1").await;
    posbytz(stack).registered(&token, &email).await;
    let answer = ask(stack, "ban", &email, &json!({})).await;
    let several = answer["refused"].as_str().unwrap();
    assert!(several.starts_with("there are several such people: name one of "), "{answer}");
    assert!(several.contains("gotu ") && several.contains("posbytz/STORE1 "), "{answer}");
    let users = Value::from(stack.items("Users").await).to_string();
    assert!(!users.contains("banned_at"), "{users}");
}
