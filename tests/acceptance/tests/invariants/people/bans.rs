//! Bans: no session stays, no entry succeeds, no code is sent, and the answers are the contracts' own.

use super::{ask, of, user_of};
use acceptance::drivers::for_every_contract;
use acceptance::events::of_type;
use acceptance::gotu::{PASSWORD, error, tokens, user_id};
use acceptance::urbanfits::new_person;
use acceptance::{
    TestStack, all, goodcity, gotu, new_email, new_phone, posbytz, urbanfits, without_limits,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_ban_and_its_end_are_events_of_the_user() {
    let stack = TestStack::shared().await;
    for_every_contract(stack, async |driver| {
        let name = driver.facts().name;
        let (person, id) = user_of(driver).await;
        let before = stack.events(&id, 1).await.len();
        let query = json!({"contract": name});
        let banned = ask(stack, "ban", &person.recipient, &query).await;
        assert!(banned["banned"]["bannedAt"].is_string(), "{banned}");
        let again = ask(stack, "ban", &person.recipient, &query).await;
        assert_eq!(again, json!({"refused": "the user is banned already"}));
        let ended = ask(stack, "unban", &person.recipient, &query).await;
        assert_eq!(ended["unbanned"]["bannedAt"], Value::Null, "{ended}");
        let again = ask(stack, "unban", &person.recipient, &query).await;
        assert_eq!(again, json!({"refused": "the user is not banned"}));
        let events = stack.events(&id, before.saturating_add(2)).await;
        let versions: Vec<_> = ["USER_BANNED", "USER_UNBANNED"]
            .map(|kind| {
                let found = of_type(&events, kind);
                assert_eq!(found.len(), 1, "{events:?}");
                assert_eq!(found[0]["detail"]["contract"], name);
                found[0]["detail"]["userVersion"].as_u64().unwrap()
            })
            .into();
        assert!(versions[0] < versions[1], "{versions:?}");
    })
    .await;
}

#[tokio::test]
async fn a_banned_user_of_gotu_is_out_and_stays_out() {
    let stack = TestStack::shared().await;
    let (email, phone) = (new_email(), new_phone());
    let session = tokens(&gotu(stack).sign_up_by_email(&email).await);
    let reset = gotu(stack).code(&email, "reset_password", 1).await;
    let token = gotu(stack).verify_code(&email, &reset, "reset_password").await;
    let token = token.json()["data"]["requestToken"].as_str().unwrap().to_owned();
    gotu(stack).registered(&phone).await;
    let code = gotu(stack).code(&phone, "login", 2).await;
    for recipient in [&email, &phone] {
        of(stack, "ban", recipient, "gotu").await;
    }
    let refused = error("invalid or expired refresh token");
    gotu(stack).refresh(&session.refresh).await.expect(401, &refused);
    let refused = error("invalid or expired access token");
    gotu(stack).sign_out(&session.access).await.expect(401, &refused);
    let forbidden = error("forbidden");
    gotu(stack).sign_in(&email, PASSWORD).await.expect(403, &forbidden);
    // Who does not know the password learns nothing.
    gotu(stack).sign_in(&email, "wrong horse").await.expect(401, &error("invalid password"));
    // A code and a token from before the ban.
    gotu(stack).sign_in_by_phone(&phone, &code).await.expect(403, &forbidden);
    let body = json!({"newPassword": "another horse", "requestToken": token});
    gotu(stack).set_password(&body).await.expect(403, &forbidden);
    // No code is sent, and the answer is the same.
    gotu(stack).ask_for_code(&phone, "login").await.expect_text(204, "");
    stack.wait_until_delivered(&phone).await;
    assert_eq!(stack.messages(&phone).await.len(), 2);
    for recipient in [&email, &phone] {
        of(stack, "unban", recipient, "gotu").await;
    }
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
    let code = gotu(stack).code(&phone, "login", 3).await;
    assert_eq!(gotu(stack).sign_in_by_phone(&phone, &code).await.status, 200);
    // The sessions of before stay over.
    assert_eq!(gotu(stack).refresh(&session.refresh).await.status, 401);
}

#[tokio::test]
async fn a_banned_user_of_the_other_contracts_is_out() {
    let stack = TestStack::shared().await;
    let mobile = goodcity::new_mobile();
    let verified = goodcity(stack).registered(&mobile).await;
    let token = goodcity::token(&verified);
    let asked = goodcity(stack).send_pin(&mobile).await;
    let key = goodcity::otp_auth_key(&asked);
    let pin = goodcity(stack).pin(&mobile, 2).await;
    of(stack, "ban", &mobile, "goodcity").await;
    let refused = goodcity::error("Invalid token");
    goodcity(stack).current_user_profile(&token).await.expect(401, &refused);
    let refused = goodcity::pin_refused();
    goodcity(stack).verify(&key, &pin).await.expect(422, &refused);

    let (username, email) = new_person();
    let reply = urbanfits(stack).registered(&username, &email).await;
    let session = urbanfits::session(&reply);
    of(stack, "ban", &username, "urbanfits").await;
    assert_eq!(urbanfits(stack).get_me(&session).await.status, 401);
    let wrong = urbanfits(stack).log_in(&email, "wrong horse").await;
    let right = urbanfits(stack).log_in(&email, "password").await;
    assert_eq!((right.status, &right.body), (wrong.status, &wrong.body));

    let (shop, address) = (posbytz(stack).store_token("STORE1").await, new_email());
    posbytz(stack).registered(&shop, &address).await;
    let body = posbytz::by_email(&address);
    let customer = posbytz::session(&posbytz(stack).sign_in(&shop, &body).await);
    let query = json!({"contract": "posbytz", "store": "STORE1"});
    ask(stack, "ban", &address, &query).await;
    let blocked = posbytz::refusal(403, "Account blocked", "Forbidden");
    posbytz(stack).sign_in(&shop, &body).await.expect(403, &blocked);
    let password = posbytz::PASSWORD;
    let deleted = posbytz(stack).delete_customer(&shop, &customer, password).await;
    assert_eq!(deleted.status, 401, "{deleted:?}");
    let wrong = json!({"email": address, "password": "wrong horse"});
    assert_eq!(posbytz(stack).sign_in(&shop, &wrong).await.status, 401);
}

#[tokio::test]
async fn no_session_survives_a_ban_that_races_with_sign_ins_and_refreshes() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    for _ in 0..6 {
        let email = new_email();
        let reply = gotu(stack).sign_up_by_email(&email).await;
        let (session, id) = (tokens(&reply), user_id(&reply));
        let ban = async { of(stack, "ban", &email, "gotu").await };
        let sign_ins = all((0..4).map(|_| gotu(stack).sign_in(&email, PASSWORD)));
        let refresh = async { gotu(stack).refresh(&session.refresh).await };
        let (banned, sign_ins, refreshed) =
            futures_util::future::join3(ban, sign_ins, refresh).await;
        assert!(banned["banned"].is_object(), "{banned}");
        let opened = sign_ins.iter().chain([&refreshed]).filter(|reply| reply.status == 200);
        for reply in opened {
            let tokens = tokens(reply);
            assert_eq!(gotu(stack).refresh(&tokens.refresh).await.status, 401);
            assert_eq!(gotu(stack).sign_out(&tokens.access).await.status, 401);
        }
        let found = of(stack, "find", &id, "gotu").await;
        assert_eq!(found["people"][0]["sessions"], json!([]), "{found}");
    }
}
