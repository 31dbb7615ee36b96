//! Users that come from another system or move to one, by the function `people`.

use acceptance::gotu::{PASSWORD, claims, user_id};
use acceptance::urbanfits::new_person;
use acceptance::{TestStack, goodcity, gotu, new_email, new_phone, posbytz, urbanfits};
use serde_json::{Value, json};

/// bcrypt of `U*U` with the cost 5, a published vector of the reference implementation.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
/// A time of the past.
const THEN: &str = "2020-05-06T07:08:09.123Z";

/// Imports users, and returns the answer.
async fn imported(stack: &TestStack, users: &[Value], dry_run: bool) -> Value {
    let payload = json!({"verb": "import", "who": "support", "why": "the move",
        "users": users, "dryRun": dry_run});
    let reply = stack.invoke("people", &payload).await;
    reply.expect_invoked();
    reply.json()
}

/// Requires that an import answers with these numbers and no problem.
async fn expect_imported(stack: &TestStack, users: &[Value], created: usize, present: usize) {
    let answer = imported(stack, users, false).await;
    assert_eq!(answer, json!({"created": created, "present": present, "problems": []}));
}

/// A user of Gotu with an address.
fn by_email(email: &str, more: &Value) -> Value {
    let mut user = json!({"contract": "gotu", "createdAt": THEN,
        "identifiers": [{"kind": "email", "value": email, "verifiedAt": THEN}]});
    user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    user
}

/// A user of Gotu with a verified phone number.
fn by_phone(phone: &str) -> Value {
    json!({"contract": "gotu", "attributes": {"user_type": "HYG"},
        "identifiers": [{"kind": "phone", "value": phone, "verifiedAt": THEN}]})
}

#[tokio::test]
async fn an_imported_user_signs_in_with_the_old_password_and_id() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let id = "5eb2602a0123456789abcdef";
    let more = json!({"id": id, "passwordHash": BCRYPT, "attributes": {"user_type": "DNT"}});
    let before = stack.all_events().await.len();
    expect_imported(stack, &[by_email(&email, &more)], 1, 0).await;
    let events = stack.all_events().await.split_off(before);
    let about = |event: &&Value| event.to_string().contains(id);
    assert_eq!(events.iter().filter(about).count(), 0, "{events:?}");
    assert_eq!(gotu(stack).sign_in(&email, "wrong horse").await.status, 401);
    let signed_in = gotu(stack).sign_in(&email, "U*U").await;
    assert_eq!((signed_in.status, user_id(&signed_in).as_str()), (200, id));
    assert_eq!(claims(&signed_in)["userType"], "DNT", "{:?}", claims(&signed_in));
    let stored = stack.items_with("Users", id).await;
    assert!(stored[0]["password_hash"].as_str().unwrap().starts_with("$argon2id$"));
    // The user signed in since, and the repetition changes nothing.
    expect_imported(stack, &[by_email(&email, &more)], 0, 1).await;
    assert_eq!(stack.items_with("Users", id).await, stored);
    let ask = json!({"verb": "find", "who": "support", "why": "the move", "person": email});
    let found = stack.invoke("people", &ask).await.json();
    assert_eq!(found["people"][0]["createdAt"], THEN);
    assert_eq!(found["people"][0]["identifiers"][0]["verifiedAt"], THEN);
}

#[tokio::test]
async fn a_user_without_a_hash_sets_a_password_with_a_code() {
    let stack = TestStack::shared().await;
    let (email, phone) = (new_email(), new_phone());
    expect_imported(stack, &[by_email(&email, &json!({})), by_phone(&phone)], 2, 0).await;
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 401);
    let code = gotu(stack).code(&email, "reset_password", 1).await;
    let proved = gotu(stack).verify_code(&email, &code, "reset_password").await;
    let token = proved.json()["data"]["requestToken"].clone();
    let body = json!({"requestToken": token, "newPassword": PASSWORD});
    let reset = gotu(stack).set_password(&body).await;
    reset.expect_text(204, "");
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
    let code = gotu(stack).code(&phone, "login", 1).await;
    assert_eq!(gotu(stack).sign_in_by_phone(&phone, &code).await.status, 200);
}

#[tokio::test]
async fn five_hundred_users_are_imported_and_each_collision_is_reported_with_its_line() {
    let stack = TestStack::shared().await;
    let known = new_phone();
    let id = gotu(stack).registered(&known).await;
    let stored = stack.items_with("Users", &id).await;
    let phones: Vec<_> = (0..498).map(|_| new_phone()).collect();
    let mut users: Vec<_> = phones.iter().map(|phone| by_phone(phone)).collect();
    users.insert(250, by_phone(&known));
    // A second user with the number of the first line.
    let mut other = by_phone(&phones[0]);
    other["id"] = json!("00000000aaaaaaaaaaaaaaaa");
    users.push(other);
    let problem = "the phone number belongs to another user";
    let problems = json!([{"line": 251, "problem": problem}, {"line": 500, "problem": problem}]);
    let expected = |created: usize, present: usize| json!({"created": created, "present": present, "problems": problems});
    assert_eq!(imported(stack, &users, true).await, expected(498, 0));
    for phone in [&phones[0], &phones[497]] {
        assert_eq!(stack.tables_with(&[phone.as_str()]).await, [""; 0]);
    }
    assert_eq!(imported(stack, &users, false).await, expected(498, 0));
    assert_eq!(imported(stack, &users, true).await, expected(0, 498));
    assert_eq!(imported(stack, &users, false).await, expected(0, 498));
    assert_eq!(stack.items_with("Users", &id).await, stored);
    let last = stack.items_with("Users", &phones[497]).await;
    assert_eq!(last.len(), 1, "{last:?}");
}

#[tokio::test]
async fn users_of_each_contract_are_imported() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let card = format!("705{}", new_phone().trim_start_matches('+'));
    let mobile = goodcity::new_mobile();
    let number = mobile.trim_start_matches('+').get(4..).unwrap();
    let goodcity_id = (900_000_000 + number.parse::<u32>().unwrap() % 1000).to_string();
    let shopper = new_email();
    let users = [
        json!({"contract": "urbanfits", "passwordHash": BCRYPT, "identifiers": [
            {"kind": "email", "value": email, "verifiedAt": THEN},
            {"kind": "username", "value": username}, {"kind": "card", "value": card}]}),
        json!({"contract": "goodcity", "id": goodcity_id,
            "attributes": {"first_name": "Ada", "last_name": "Lee", "district_id": "9"},
            "identifiers": [{"kind": "phone", "value": mobile, "verifiedAt": THEN}]}),
        json!({"contract": "posbytz", "store": "MOVED1", "passwordHash": BCRYPT,
            "identifiers": [{"kind": "email", "value": shopper, "verifiedAt": THEN}]}),
    ];
    expect_imported(stack, &users, 3, 0).await;
    expect_imported(stack, &users, 0, 3).await;
    assert_eq!(urbanfits(stack).log_in(&email, "U*U").await.status, 200);
    let token = posbytz(stack).store_token("MOVED1").await;
    let body = json!({"email": shopper, "password": "U*U"});
    assert_eq!(posbytz(stack).sign_in(&token, &body).await.status, 200);
    // Later users get other ids.
    let sequences = stack.items_with("Sequences", "goodcity#user").await;
    let last: u64 = sequences[0]["last_id"].to_string().parse().unwrap();
    assert!(last >= goodcity_id.parse().unwrap(), "{sequences:?}");
    let sent = goodcity(stack).send_pin(&mobile).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let key = goodcity::otp_auth_key(&sent);
    let pin = goodcity(stack).pin(&mobile, 1).await;
    let verified = goodcity(stack).verify(&key, &pin).await;
    assert_eq!(goodcity::user_id(&verified), goodcity_id);
}

#[tokio::test]
async fn a_banned_user_stays_banned() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let user = by_email(&email, &json!({"passwordHash": BCRYPT, "bannedAt": THEN}));
    expect_imported(stack, &[user], 1, 0).await;
    assert_eq!(gotu(stack).sign_in(&email, "U*U").await.status, 403);
}

#[tokio::test]
async fn a_line_that_breaks_a_rule_is_reported_with_the_rule() {
    let stack = TestStack::shared().await;
    let email = || new_email();
    let of = |contract: &str, identifiers: Value| json!({"contract": contract, "identifiers": identifiers});
    let address = || json!({"kind": "email", "value": new_email()});
    let phone = || json!({"kind": "phone", "value": new_phone()});
    let cases = [
        (json!("text"), "the line must be an object"),
        (by_email(&email(), &json!({"pasword": "x"})), "the line must be an object"),
        (of("other", json!([address()])), "there is no such contract"),
        (by_email(&email(), &json!({"store": "S"})), "store must be the code of a shop"),
        (of("posbytz", json!([address()])), "store must be the code of a shop"),
        (by_email(&email(), &json!({"id": "7"})), "id must have the format"),
        (of("goodcity", json!([phone()])), "id is missing"),
        (of("gotu", json!([])), "a user has at least one identifier"),
        (of("gotu", json!(["a"])), "an identifier must be an object"),
        (of("gotu", json!([{"kind": "email", "value": "a@"}])), "the e-mail address is not valid"),
        (
            of("gotu", json!([{"kind": "username", "value": "ann_1"}])),
            "users of the contract have no username",
        ),
        (of("gotu", json!([address(), address()])), "a user has one e-mail address at most"),
        (of("urbanfits", json!([address()])), "users of the contract have a username"),
        (
            by_email(&email(), &json!({"attributes": {"a": 1}})),
            "attributes must be an object of texts",
        ),
        (by_email(&email(), &json!({"passwordHash": "md5"})), "passwordHash has an unknown format"),
        (
            by_email(&email(), &json!({"createdAt": "2999-01-01T00:00:00Z"})),
            "createdAt, verifiedAt",
        ),
        (by_email(&email(), &json!({"createdAt": "yesterday"})), "createdAt, verifiedAt"),
    ];
    let users: Vec<_> = cases.iter().map(|(user, _)| user.clone()).collect();
    for dry_run in [true, false] {
        let answer = imported(stack, &users, dry_run).await;
        assert_eq!((&answer["created"], &answer["present"]), (&json!(0), &json!(0)));
        let problems = answer["problems"].as_array().unwrap();
        assert_eq!(problems.len(), cases.len(), "{answer}");
        for ((index, (_, rule)), problem) in cases.iter().enumerate().zip(problems) {
            assert_eq!(problem["line"], index + 1);
            assert!(problem["problem"].as_str().unwrap().starts_with(rule), "{rule}: {problem}");
        }
    }
    let refused = "users must be a list of 1 to 500 users, and dryRun true or false";
    assert_eq!(imported(stack, &[], false).await, json!({"refused": refused}));
}

/// All users of a stack, or those of a contract, in the order of their texts.
async fn exported(stack: &TestStack, contract: Option<&str>) -> Vec<Value> {
    let (mut users, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let payload = json!({"verb": "export-users", "who": "support", "why": "the move",
            "contract": contract, "cursor": cursor});
        let page = stack.invoke("people", &payload).await.json();
        users.extend(page["users"].as_array().unwrap().iter().cloned());
        cursor = page["cursor"].clone();
        if cursor.is_null() {
            users.sort_by_key(Value::to_string);
            return users;
        }
    }
}

#[tokio::test]
async fn users_that_are_exported_and_imported_are_exported_the_same() {
    let (from, to) = (&TestStack::with(&[]).await, &TestStack::with(&[]).await);
    let (email, banned) = (new_email(), new_email());
    gotu(from).sign_up_by_email(&email).await;
    gotu(from).registered(&new_phone()).await;
    let (username, address) = new_person();
    urbanfits(from).registered(&username, &address).await;
    let token = posbytz(from).store_token("MOVES1").await;
    posbytz(from).registered(&token, &new_email()).await;
    goodcity(from).registered(&goodcity::new_mobile()).await;
    // This sign-up is not verified, and ends in a day.
    let unverified = goodcity::new_mobile();
    goodcity(from).sign_up(&unverified).await;
    let mut users: Vec<_> = (0..498).map(|_| by_phone(&new_phone())).collect();
    users.push(by_email(&banned, &json!({"passwordHash": BCRYPT, "bannedAt": THEN})));
    expect_imported(from, &users, 499, 0).await;
    let all = exported(from, None).await;
    assert!(all.iter().any(|user| user["bannedAt"] == THEN && user["passwordHash"] == BCRYPT));
    assert!(!all.iter().any(|user| user.to_string().contains(&unverified)));
    for users in all.chunks(500) {
        expect_imported(to, users, users.len(), 0).await;
    }
    assert_eq!(exported(to, None).await, all);
    assert_eq!(gotu(to).sign_in(&email, PASSWORD).await.status, 200);
    let of_gotu = exported(from, Some("gotu")).await;
    assert_eq!(of_gotu.len(), 501);
    assert!(of_gotu.iter().all(|user| user["contract"] == "gotu"));
    let payload = json!({"verb": "export-users", "who": "a", "why": "b", "contract": "another"});
    let refused = from.invoke("people", &payload).await.json();
    assert_eq!(refused, json!({"refused": "there is no such contract"}));
}
