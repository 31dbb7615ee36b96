//! The holders of signed tokens: a genuine token is good only for a user of its own contract. Two
//! contracts have the same key in some of these tests, which is a mistake of an operator.

use acceptance::drivers::drivers;
use acceptance::tokens::{hs256, part};
use acceptance::urbanfits::{new_person, session, user_id as customer_id};
use acceptance::{
    KNOWN_RING, NO_LIMITS, TestStack, gotu, new_email, token_parts, urbanfits, without_limits,
};
use serde_json::{Value, json};

/// The key of `KNOWN_RING`.
fn known_key() -> String {
    let ring: Value = serde_json::from_str(KNOWN_RING).unwrap();
    ring["v1"]["key"].as_str().unwrap().to_owned()
}

/// A token with these claims, signed with the known key.
fn signed(like: &str, claims: &Value) -> String {
    let header = token_parts(like).0;
    hs256(&format!("{}.{}", part(&header.to_string()), part(&claims.to_string())), &known_key())
}

#[tokio::test]
async fn a_genuine_token_is_refused_when_its_user_belongs_to_another_contract() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mut checked = Vec::new();
    for driver in drivers(stack).await {
        let reply = driver.signed_up(&driver.new_person()).await;
        let (token, user) = (driver.access_token(&reply), driver.user_id(&reply));
        let set = async |contract: &str| {
            let contract = json!({"S": contract});
            stack.set("Users", "user_id", user.as_str(), "contract", &contract).await
        };
        let own = set("another").await;
        for answer in [driver.who_am_i(&token).await, driver.sign_out(&token).await] {
            let Some(answer) = answer else { continue };
            // UrbanFits answers a sign-out without a session like one with a session.
            let refused = answer.status == 401 || driver.facts().name == "urbanfits";
            assert!(refused && answer.status < 500, "{answer:?}");
            checked.push(driver.facts().name);
        }
        set(own["S"].as_str().unwrap()).await;
        if let Some(answer) = driver.who_am_i(&token).await {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        if let Some(answer) = driver.sign_out(&token).await {
            assert!(answer.status < 300, "{answer:?}");
        }
    }
    for contract in ["gotu", "goodcity", "urbanfits"] {
        assert!(checked.contains(&contract), "{checked:?}");
    }
}

#[tokio::test]
async fn a_session_of_a_shared_key_does_not_open_for_a_user_of_another_contract() {
    let env = without_limits(&[
        ("TOKEN_KEY_RING_URBANFITS", KNOWN_RING),
        ("TOKEN_KEY_RING_GOTU", KNOWN_RING),
    ]);
    let stack = &TestStack::with(&env).await;
    let (username, email) = new_person();
    let token = session(&urbanfits(stack).registered(&username, &email).await);
    let mut claims = token_parts(&token).1;
    assert_eq!(urbanfits(stack).get_me(&signed(&token, &claims)).await.status, 200);
    let user = gotu::user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    claims["_id"] = json!(user);
    assert_eq!(urbanfits(stack).get_me(&signed(&token, &claims)).await.status, 401);
}

#[tokio::test]
async fn a_request_token_of_a_shared_key_sets_no_password_of_another_contract() {
    let env = without_limits(&[
        ("TOKEN_KEY_RING_URBANFITS", KNOWN_RING),
        ("TOKEN_KEY_RING_GOTU", KNOWN_RING),
    ]);
    let stack = &TestStack::with(&env).await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let code = gotu(stack).code(&email, "reset_password", 1).await;
    let proved = gotu(stack).verify_code(&email, &code, "reset_password").await;
    let token = proved.json()["data"]["requestToken"].as_str().unwrap().to_owned();
    let mut claims = token_parts(&token).1;
    let (username, address) = new_person();
    let customer = urbanfits(stack).registered(&username, &address).await;
    claims["sub"] = json!(customer_id(&customer));
    let body = json!({"requestToken": signed(&token, &claims), "newPassword": "battery staple"});
    let refused = gotu(stack).set_password(&body).await;
    refused.expect(401, &gotu::error("invalid or expired request token"));
    assert_eq!(urbanfits(stack).log_in(&address, "password").await.status, 200);
    let body = json!({"requestToken": token, "newPassword": "battery staple"});
    gotu(stack).set_password(&body).await.expect_text(204, "");
}
