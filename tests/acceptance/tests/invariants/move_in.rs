//! Users who move in from an old system when an identifier of them is named for the first time.

use acceptance::faults::Fault;
use acceptance::gotu::{PASSWORD, error, tokens, user_id};
use acceptance::urbanfits::new_person;
use acceptance::{
    NO_LIMITS, TestStack, goodcity, gotu, new_email, new_phone, posbytz, urbanfits, without_limits,
};
use data_encoding::BASE64;
use ring::hmac;
use serde_json::{Value, json};

/// bcrypt of `U*U` with the cost 5, a published vector of the reference implementation.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
/// A time of the past.
const THEN: &str = "2020-05-06T07:08:09.123Z";
/// All products with an old system.
const ALL: (&str, &str) = ("MIGRATE_PRODUCTS", "gotu,goodcity,urbanfits,posbytz");
/// The key that signs, in the local stack.
const KEY: &[u8] = b"a key of the local stack, 32 bytes";

/// The highest id of GoodCity's users there.
const HIGHEST: (&str, &str) = ("MIGRATE_HIGHEST_ID", "7002");

/// A new stack whose products have an old system, and no limits.
async fn stack() -> TestStack {
    TestStack::with(&without_limits(&[ALL, HIGHEST])).await
}

/// Sets the users of the old system.
async fn set(stack: &TestStack, users: &[Value]) {
    let reply = stack.request("PUT", "/_local/old-system").json(&json!(users)).await;
    assert_eq!(reply.status, 204, "{reply:?}");
}

/// The identifiers that the old system was asked for, in order.
async fn asked(stack: &TestStack) -> Vec<String> {
    let state = stack.local("old-system").await;
    let body = |asked: &Value| -> Value { asked["body"].as_str().unwrap().parse().unwrap() };
    let asked = state["asked"].as_array().unwrap().iter().map(body);
    asked.map(|asked| asked["identifier"]["value"].as_str().unwrap().to_owned()).collect()
}

/// A user of Gotu in the old system.
fn old_user(id: &str, email: &str, more: &Value) -> Value {
    let mut user = json!({"contract": "gotu", "id": id, "createdAt": THEN,
        "passwordHash": BCRYPT, "attributes": {"user_type": "DNT"},
        "identifiers": [{"kind": "email", "value": email, "verifiedAt": THEN}]});
    user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    user
}

#[tokio::test]
async fn a_user_moves_in_with_the_first_sign_in_and_is_asked_for_once() {
    let stack = &stack().await;
    let (email, id) = (new_email(), "5eb2602a0123456789abc001");
    set(stack, &[old_user(id, &email, &json!({}))]).await;
    // A wrong password moves the user in, too: it is the user's from here on.
    let wrong = gotu(stack).sign_in(&email, "wrong horse").await;
    wrong.expect(401, &error("invalid password"));
    let signed_in = gotu(stack).sign_in(&email, "U*U").await;
    assert_eq!((signed_in.status, user_id(&signed_in).as_str()), (200, id));
    assert_eq!(asked(stack).await, [email.as_str()]);
    let stored = stack.items_with("Users", id).await;
    assert!(stored[0]["password_hash"].as_str().unwrap().starts_with("$argon2id$"), "{stored:?}");
    let moved_in = stack.sum("UsersMovedIn", &[("Contract", "gotu")]);
    assert!((moved_in - 1.0).abs() < f64::EPSILON, "{moved_in}");
    let types: Vec<_> =
        stack.events_of(id).await.iter().map(|it| it["detail-type"].clone()).collect();
    assert!(!types.contains(&json!("AUTH_SIGN_UP")), "{types:?}");
}

#[tokio::test]
async fn a_request_to_the_old_system_names_product_shop_and_identifier_and_is_signed() {
    let stack = &stack().await;
    let token = posbytz(stack).store_token("OLD1").await;
    let body = json!({"email": "ann@example.com", "password": "U*U"});
    posbytz(stack).sign_in(&token, &body).await;
    let state = stack.local("old-system").await;
    let asked = &state["asked"][0];
    let text = |name: &str| asked[name].as_str().unwrap();
    let sent: Value = text("body").parse().unwrap();
    let identifier = json!({"kind": "email", "value": "ann@example.com"});
    assert_eq!(sent, json!({"contract": "posbytz", "store": "OLD1", "identifier": identifier}));
    let signed = format!("{}.{}.{}", text("webhook-id"), text("webhook-timestamp"), text("body"));
    let signature = text("webhook-signature").strip_prefix("v1,").unwrap();
    let signature = BASE64.decode(signature.as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
    hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn whatever_names_an_unknown_identifier_finds_the_user_of_the_old_system() {
    let stack = &stack().await;
    let [by_code, by_address] = [new_phone(), new_email()];
    let [mobile, other_mobile] = [goodcity::new_mobile(), goodcity::new_mobile()];
    let [(name, address), (other_name, other_address), (third_name, third_address)] =
        [new_person(), new_person(), new_person()];
    let shoppers = [new_email(), new_email(), new_email(), new_email()];
    let member = |id: u32, name: &str, email: &str| {
        let card = format!("70500000000000{id:06}");
        json!({"contract": "urbanfits", "id": format!("5eb2602a01234567892{id:05}"),
            "passwordHash": BCRYPT, "identifiers": [
                {"kind": "email", "value": email, "verifiedAt": THEN},
                {"kind": "username", "value": name}, {"kind": "card", "value": card}]})
    };
    let resident = |id: u32, mobile: &str| {
        json!({"contract": "goodcity", "id": id.to_string(),
            "attributes": {"first_name": "Ada", "last_name": "Lee", "district_id": "9"},
            "identifiers": [{"kind": "phone", "value": mobile, "verifiedAt": THEN}]})
    };
    let mut users = vec![
        json!({"contract": "gotu", "id": "5eb2602a0123456789abc101",
            "identifiers": [{"kind": "phone", "value": by_code, "verifiedAt": THEN}]}),
        old_user("5eb2602a0123456789abc102", &by_address, &json!({})),
        resident(7001, &mobile),
        resident(7002, &other_mobile),
        member(1, &name, &address),
        member(2, &other_name, &other_address),
        member(3, &third_name, &third_address),
    ];
    users.extend(shoppers.iter().zip(1..).map(|(email, id)| {
        // The last one has not verified the address.
        let mut identifier = json!({"kind": "email", "value": email});
        if id < 4 {
            identifier["verifiedAt"] = json!(THEN);
        }
        json!({"contract": "posbytz", "store": "OLD2", "id": format!("5eb2602a01234567893{id:05}"),
            "passwordHash": BCRYPT, "identifiers": [identifier]})
    }));
    set(stack, &users).await;

    // Gotu: a code for signing in reaches a phone, and an address is taken.
    let code = gotu(stack).code(&by_code, "login", 1).await;
    let signed_in = gotu(stack).sign_in_by_phone(&by_code, &code).await;
    assert_eq!(user_id(&signed_in), "5eb2602a0123456789abc101");
    let taken = gotu(stack).sign_up_by_email(&by_address).await;
    taken.expect(400, &error("email already registered"));

    // GoodCity: a pin, and a sign-up of the same person.
    let key = goodcity::otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    let pin = goodcity(stack).pin(&mobile, 1).await;
    assert_eq!(goodcity::user_id(&goodcity(stack).verify(&key, &pin).await), "7001");
    assert_eq!(goodcity(stack).sign_up(&other_mobile).await.status, 200);
    assert_eq!(stack.items_with("Users", &other_mobile).await[0]["user_id"], "7002");

    // UrbanFits: a sign-in by address, a new password, a sign-up with the old name and address.
    assert_eq!(urbanfits(stack).log_in(&address, "U*U").await.status, 200);
    let (otp_id, otp) = urbanfits(stack).reset_code(&other_address, 1).await;
    assert_eq!(urbanfits(stack).change_password(&otp_id, &otp, "Correct-h0rse").await.status, 200);
    assert_eq!(urbanfits(stack).log_in(&other_name, "Correct-h0rse").await.status, 200);
    // Both are of one user, who is asked for once.
    let refused = urbanfits(stack).sign_up(&third_name, &third_address).await;
    refused.expect(409, &urbanfits::refusal("This Email or Username already in use."));

    // PosBytz: a sign-in, a new password, a sign-up, a link.
    let client = posbytz(stack).store_token("OLD2").await;
    let body = json!({"email": shoppers[0], "password": "U*U"});
    assert_eq!(posbytz(stack).sign_in(&client, &body).await.status, 200);
    let body = json!({"email": shoppers[1]});
    assert_eq!(posbytz(stack).forgot_password(&client, &body).await.status, 200);
    stack.text(&shoppers[1], 1).await;
    let refused = posbytz(stack).sign_up(&client, &posbytz::by_email(&shoppers[2])).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    // Whoever has not verified the address gets a link with the right password.
    let body = json!({"email": shoppers[3], "password": "U*U"});
    assert_eq!(posbytz(stack).sign_in(&client, &body).await.status, 403);
    stack.text(&shoppers[3], 1).await;

    let asked = asked(stack).await;
    for user in &users {
        let known = user["identifiers"].as_array().unwrap().iter();
        let times = |known: &Value| asked.iter().filter(|asked| known["value"] == **asked).count();
        assert!(known.map(times).sum::<usize>() == 1, "{user}: {asked:?}");
    }
}

#[tokio::test]
async fn an_identifier_that_no_system_knows_is_new() {
    let stack = &stack().await;
    let (email, phone) = (new_email(), new_phone());
    gotu(stack).sign_in(&email, PASSWORD).await.expect(404, &error("user not found"));
    assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 200);
    gotu(stack).registered(&phone).await;
    // Who is known here is not asked for.
    let before = asked(stack).await.len();
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
    assert_eq!(asked(stack).await.len(), before);
    let once = asked(stack).await.iter().filter(|asked| **asked == phone).count();
    assert_eq!(once, 1, "the request that redeems the code asks no more");
}

#[tokio::test]
async fn a_new_user_gets_no_id_of_one_who_has_not_moved() {
    let stack = &stack().await;
    let (mover, newcomer) = (goodcity::new_mobile(), goodcity::new_mobile());
    let old = json!({"contract": "goodcity", "id": "7001",
        "attributes": {"first_name": "Ada", "last_name": "Lee", "district_id": "9"},
        "identifiers": [{"kind": "phone", "value": mover, "verifiedAt": THEN}]});
    set(stack, &[old]).await;
    let registered = goodcity(stack).registered(&newcomer).await;
    let id: u32 = goodcity::user_id(&registered).parse().unwrap();
    assert!(id > 7002, "{id}");
    let key = goodcity::otp_auth_key(&goodcity(stack).send_pin(&mover).await);
    let pin = goodcity(stack).pin(&mover, 1).await;
    assert_eq!(goodcity::user_id(&goodcity(stack).verify(&key, &pin).await), "7001");
}

#[tokio::test]
async fn products_without_an_old_system_ask_nothing() {
    let stack = &TestStack::with(&without_limits(&[("MIGRATE_PRODUCTS", "posbytz")])).await;
    gotu(stack).sign_in(&new_email(), PASSWORD).await;
    goodcity(stack).registered(&goodcity::new_mobile()).await;
    assert!(asked(stack).await.is_empty());
}

#[tokio::test]
async fn while_the_old_system_fails_unknown_people_get_a_fault_and_nothing_is_written() {
    let stack = &stack().await;
    let (email, id) = (new_email(), "5eb2602a0123456789abc201");
    let known = new_email();
    assert_eq!(gotu(stack).sign_up_by_email(&known).await.status, 200);
    set(stack, &[old_user(id, &email, &json!({}))]).await;
    for mode in ["error", "throttle", "timeout", "lost-reply"] {
        stack.fault(&Fault::of("old-system", mode)).await;
        for reply in [
            gotu(stack).sign_in(&email, "U*U").await,
            gotu(stack).sign_up_by_email(&email).await,
            gotu(stack).ask_for_code(&email, "reset_password").await,
        ] {
            assert_eq!(reply.status, 500, "{mode}: {reply:?}");
        }
        // Who is known here does not wait for it.
        assert_eq!(gotu(stack).sign_in(&known, PASSWORD).await.status, 200, "{mode}");
        assert_eq!(stack.tables_with(&[email.as_str(), id]).await, [""; 0], "{mode}");
        stack.clear_faults().await;
    }
    assert_eq!(gotu(stack).sign_in(&email, "U*U").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_breaks_a_rule_is_a_fault_and_nothing_is_written() {
    let stack = &stack().await;
    let id = "5eb2602a0123456789abc301";
    let address = |email: &str| json!([{"kind": "email", "value": email, "shop": "S"}]);
    let cases = [
        (json!({"id": null}), "the answer has no id"),
        (json!({"id": "7"}), "id must have the format"),
        (json!({"passwordHash": "md5"}), "passwordHash has an unknown format"),
        (json!({"pasword": "x"}), "the line must be an object"),
        (json!({"identifiers": address("bad@example.com")}), "an identifier must be an object"),
    ];
    for (more, rule) in cases {
        let email = more["identifiers"][0]["value"].as_str().map_or_else(new_email, str::to_owned);
        set(stack, &[old_user(id, &email, &more)]).await;
        let reply = gotu(stack).sign_in(&email, "U*U").await;
        assert_eq!(reply.status, 500, "{rule}: {reply:?}");
        assert_eq!(stack.tables_with(&[email.as_str(), id]).await, [""; 0], "{rule}");
    }
}

#[tokio::test]
async fn a_user_whose_account_was_deleted_does_not_move_in_again() {
    let stack = &stack().await;
    let (email, id) = (new_email(), "5eb2602a0123456789abc401");
    set(stack, &[old_user(id, &email, &json!({}))]).await;
    let signed_in = gotu(stack).sign_in(&email, "U*U").await;
    let access = tokens(&signed_in).access;
    let deleted = gotu(stack).delete_account(&access, &json!({"password": "U*U"})).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    assert_eq!(stack.items_with("Users", id).await, [json!(null); 0]);
    gotu(stack).sign_in(&email, "U*U").await.expect(404, &error("user not found"));
    assert_eq!(stack.items_with("Users", id).await, [json!(null); 0]);
    let message = "a user of the old system cannot move in, so the identifier stays unknown";
    let lines = stack.lines(message);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["reason"], "the user moved in before and was deleted here");
    // The person can sign up anew.
    assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 200);
}

#[tokio::test]
async fn a_user_of_whom_another_user_has_an_identifier_stays_outside() {
    let stack = &stack().await;
    let (email, phone) = (new_email(), new_phone());
    let id = "5eb2602a0123456789abc501";
    gotu(stack).registered(&phone).await;
    let both = json!({"identifiers": [{"kind": "email", "value": email, "verifiedAt": THEN},
        {"kind": "phone", "value": phone, "verifiedAt": THEN}]});
    set(stack, &[old_user(id, &email, &both)]).await;
    gotu(stack).sign_in(&email, "U*U").await.expect(404, &error("user not found"));
    assert_eq!(stack.items_with("Users", id).await, [json!(null); 0]);
    let message = "a user of the old system cannot move in, so the identifier stays unknown";
    let reasons: Vec<_> = stack.lines(message).iter().map(|line| line["reason"].clone()).collect();
    assert_eq!(reasons, ["the phone number belongs to another user"]);
}

#[tokio::test]
async fn sign_ins_at_the_same_time_move_one_user_in() {
    let stack = &stack().await;
    let (email, id) = (new_email(), "5eb2602a0123456789abc601");
    set(stack, &[old_user(id, &email, &json!({}))]).await;
    let sign_ins = (0..TestStack::at_once(12)).map(|_| gotu(stack).sign_in(&email, "U*U"));
    let replies = futures_util::future::join_all(sign_ins.map(IntoFuture::into_future)).await;
    // One that meets the new hash of another is refused like a wrong password, or told to wait.
    let entered = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(entered >= 1, "{replies:?}");
    assert!(replies.iter().all(|reply| [200, 401, 429].contains(&reply.status)), "{replies:?}");
    assert_eq!(stack.items_with("Users", id).await.len(), 1);
    assert!(stack.sum("UsersMovedIn", &[("Contract", "gotu")]) >= 1.0);
    assert_eq!(gotu(stack).sign_in(&email, "U*U").await.status, 200);
}

#[tokio::test]
async fn a_source_whose_budget_is_spent_asks_nothing() {
    let limits = [ALL, HIGHEST, ("OTP_GUESSES_PER_HOUR_PER_IP", "2"), NO_LIMITS[2]];
    let stack = &TestStack::with(&limits).await;
    for _ in 0..2 {
        let unknown = gotu(stack).sign_in(&new_email(), PASSWORD).await;
        unknown.expect(404, &error("user not found"));
    }
    let before = asked(stack).await.len();
    let refused = gotu(stack).sign_in(&new_email(), PASSWORD).await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(asked(stack).await.len(), before);
}

#[tokio::test]
async fn a_user_of_a_file_who_was_deleted_moves_in_by_no_request() {
    let stack = &stack().await;
    let (email, id) = (new_email(), "5eb2602a0123456789abc701");
    let user = old_user(id, &email, &json!({}));
    set(stack, std::slice::from_ref(&user)).await;
    let payload = json!({"verb": "import", "who": "support", "why": "the move", "users": [user]});
    let created = json!({"created": 1, "present": 0, "problems": []});
    assert_eq!(stack.invoke("people", &payload).await.json(), created);
    let access = tokens(&gotu(stack).sign_in(&email, "U*U").await).access;
    let deleted = gotu(stack).delete_account(&access, &json!({"password": "U*U"})).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    gotu(stack).sign_in(&email, "U*U").await.expect(404, &error("user not found"));
    // A file of an operator brings the user back.
    assert_eq!(stack.invoke("people", &payload).await.json(), created);
    assert_eq!(gotu(stack).sign_in(&email, "U*U").await.status, 200);
}
