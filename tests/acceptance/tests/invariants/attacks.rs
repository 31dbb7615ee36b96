//! Attacks on people who have an account, and on those who share an address with an attacker. In each of them the owner
//! succeeds at the first try.
//!
//! The names begin with a mark: `a1` what a refused source uses up, `a2` the attempts at a password, `a3` the sends of a
//! recipient, `a4` the customers of a shop, `b5` people behind one address, `b6` guesses at the codes of many people. Attack
//! `b2`, by pages of strangers, is in `pages`; the ceilings of what messages cost are in `bill` and in
//! `tests/usecases/tests/bill.rs`.

use super::front::{SECRET, SECRET_SHA256};
use acceptance::goodcity::{UNKNOWN_KEY, new_mobile, otp_auth_key};
use acceptance::logs::list;
use acceptance::posbytz::{by_email, by_mobile, new_number, signed_in, typed};
use acceptance::siege::{Siege, password_attempts};
use acceptance::urbanfits::{UNKNOWN_ID, new_person, otp_id};
use acceptance::{
    Call, KNOWN_RING, Reply, TestStack, code_in, goodcity, gotu, new_email, new_phone, other_than,
    posbytz, urbanfits,
};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Settings with which a test takes no minute: a hash that costs nothing, and no pause between two codes.
const QUICK: [(&str, &str); 3] =
    [("ARGON2_MEMORY_KIB", "8"), ("ARGON2_ITERATIONS", "1"), ("OTP_RESEND_SECONDS", "0")];

/// A new stack that has limits.
async fn stack(limits: &[(&str, &str)]) -> TestStack {
    TestStack::with(&[&QUICK[..], limits].concat()).await
}

/// An address in a network of its own, which no account knows.
const fn stranger(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, number, 1)
}

/// An owner's second address, in a network that no account knows.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 2, 1, 1);

/// The items of every table, each with the name of its table.
async fn everything_stored(stack: &TestStack) -> Vec<(String, Value)> {
    stack.wait_until_delivered("").await;
    let tables = stack.local("tables").await;
    let mut stored = Vec::new();
    for table in list(&tables["tables"]).iter().map(|table| table.as_str().unwrap()) {
        let items = stack.items(table).await.into_iter();
        stored.extend(items.map(|item| (table.to_owned(), item)));
    }
    stored
}

/// Requires that no item is new, changed or gone.
#[track_caller]
fn expect_unchanged(before: &[(String, Value)], after: &[(String, Value)]) {
    let new: Vec<_> = after.iter().filter(|item| !before.contains(item)).collect();
    assert!(new.is_empty(), "new or changed: {new:?}");
    assert_eq!(before.len(), after.len());
}

/// A request of an attacker, with the name of its function.
type Request<'a> = (&'static str, Box<dyn Fn() -> Call<'a> + Sync + 'a>);

fn request<'a>(function: &'static str, call: impl Fn() -> Call<'a> + Sync + 'a) -> Request<'a> {
    (function, Box::new(call))
}

/// Sends requests of a source whose budget is spent. Each is refused after one read, and after none when it is repeated at
/// once. Nothing is stored.
async fn expect_free(stack: &TestStack, requests: &[Request<'_>]) {
    for (function, _) in requests {
        // The calls of the function's start are over then.
        stack.call(function).body("{").await;
    }
    let before = everything_stored(stack).await;
    for (function, request) in requests {
        let (first, calls) = stack.calls_during(function, request()).await;
        let (again, more) = stack.calls_during(function, request()).await;
        assert_eq!([first.status, again.status], [429, 429], "{function}: {first:?} {again:?}");
        let operations: Vec<_> = calls.iter().map(|call| &call["operation"]).collect();
        assert!(operations.is_empty() || operations == ["BatchGetItem"], "{function}: {calls:?}");
        assert!(more.is_empty(), "{function}, again: {more:?}");
    }
    expect_unchanged(&before, &everything_stored(stack).await);
}

#[track_caller]
fn expect_ok(reply: &Reply) {
    assert!((200..300).contains(&reply.status), "{reply:?}");
}

/// Spends the wrong guesses of an address at Gotu, at numbers that belong to no user.
async fn spend_guesses(stack: &TestStack, source: Ipv4Addr, guesses: u32) {
    for _ in 0..guesses {
        let refused = gotu(stack).sign_in_by_phone(&new_phone(), "123456").from(source).await;
        assert_eq!(refused.status, 401, "{refused:?}");
    }
    let refused = gotu(stack).sign_in_by_phone(&new_phone(), "123456").from(source).await;
    assert_eq!(refused.status, 429, "{refused:?}");
}

/// Asks for a code of Gotu from an address and returns it. A code that is replaced before it is sent is not sent, so it waits
/// for all messages before.
async fn code_for(stack: &TestStack, phone: &str, otp_type: &str, source: Ipv4Addr) -> String {
    stack.wait_until_delivered(phone).await;
    let count = stack.messages(phone).await.len().saturating_add(1);
    let asked = gotu(stack).ask_for_code(phone, otp_type).from(source).await;
    asked.expect_text(204, "");
    code_in(&stack.text(phone, count).await)
}

/// The limit of wrong guesses and of sends of an address in these tests, and of a client.
const FEW: u32 = 10;
const FEW_GUESSES: (&str, &str) = ("OTP_GUESSES_PER_HOUR_PER_IP", "10");
const FEW_SENDS: (&str, &str) = ("OTP_SENDS_PER_HOUR_PER_IP", "10");
const FEW_OF_A_CLIENT: (&str, &str) = ("SENDS_PER_HOUR_PER_CLIENT", "10");

#[tokio::test]
async fn a1_a_spent_address_uses_up_no_guesses_of_a_code() {
    let stack = &stack(&[FEW_GUESSES]).await;
    let phone = new_phone();
    gotu(stack).registered(&phone).await;
    spend_guesses(stack, stranger(1), FEW).await;
    let code = code_for(stack, &phone, "login", ELSEWHERE).await;
    let wrong = other_than(&code);
    for _ in 0..5 {
        for code in [&wrong, &code] {
            let reply = gotu(stack).sign_in_by_phone(&phone, code).from(stranger(1)).await;
            assert_eq!(reply.status, 429, "{reply:?}");
        }
    }
    expect_ok(&gotu(stack).sign_in_by_phone(&phone, &code).from(ELSEWHERE).await);
}

#[tokio::test]
async fn a1_refusals_of_a_spent_address_are_free_at_gotu() {
    let stack = &stack(&[FEW_GUESSES, FEW_SENDS]).await;
    let gotu = gotu(stack);
    let (phone, email, new) = (&new_phone(), &new_email(), &new_email());
    gotu.registered(phone).await;
    expect_ok(&gotu.sign_up_by_email(email).await);
    let code = &gotu.code(phone, "login", 2).await;
    let attacker = stranger(1);
    spend_guesses(stack, attacker, FEW).await;
    for _ in 0..FEW {
        let call = gotu.ask_for_code(&new_phone(), "sign_up");
        call.from(attacker).await.expect_text(204, "");
    }
    let sign_in = || gotu.sign_in(email, gotu::PASSWORD);
    expect_free(
        stack,
        &[
            request("gotu-post-sessions-phone", || {
                gotu.sign_in_by_phone(phone, code).from(attacker)
            }),
            request("gotu-post-sessions", || sign_in().from(attacker)),
            request("gotu-post-users", || gotu.sign_up_by_phone(phone, code).from(attacker)),
            request("gotu-post-users", || gotu.sign_up_by_email(new).from(attacker)),
            request("gotu-post-otp", || gotu.ask_for_code(phone, "login").from(attacker)),
            request("gotu-post-otp-verification", || {
                gotu.verify_code(phone, code, "reset_password").from(attacker)
            }),
        ],
    )
    .await;
    expect_ok(&gotu.sign_in_by_phone(phone, code).await);
    expect_ok(&sign_in().await);
}

#[tokio::test]
async fn a1_refusals_of_a_spent_address_are_free_at_goodcity() {
    let stack = &stack(&[FEW_GUESSES, FEW_SENDS]).await;
    let goodcity = goodcity(stack);
    let (mobile, new) = (&new_mobile(), &new_mobile());
    goodcity.registered(mobile).await;
    let key = &otp_auth_key(&goodcity.send_pin(mobile).await);
    let pin = &goodcity.pin(mobile, 2).await;
    let attacker = stranger(1);
    for _ in 0..FEW {
        let refused = goodcity.verify(UNKNOWN_KEY, "1234").from(attacker).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        otp_auth_key(&goodcity.send_pin(&new_mobile()).from(attacker).await);
    }
    expect_free(
        stack,
        &[
            request("goodcity-verify", || goodcity.verify(key, pin).from(attacker)),
            request("goodcity-send-pin", || goodcity.send_pin(mobile).from(attacker)),
            request("goodcity-signup", || goodcity.sign_up(mobile).from(attacker)),
            request("goodcity-signup", || goodcity.sign_up(new).from(attacker)),
        ],
    )
    .await;
    expect_ok(&goodcity.verify(key, pin).await);
}

#[tokio::test]
async fn a1_refusals_of_a_spent_address_are_free_at_urbanfits() {
    let stack = &stack(&[FEW_GUESSES, FEW_SENDS]).await;
    let urbanfits = urbanfits(stack);
    let ((username, email), (other, new)) = (&new_person(), &new_person());
    urbanfits.registered(username, email).await;
    let (waiting, address) = &new_person();
    let (id, code) = &urbanfits.pending(waiting, address).await;
    let attacker = stranger(1);
    for number in 0..FEW {
        let refused =
            urbanfits.log_in(&format!("unknown_{number}"), "password").from(attacker).await;
        assert_ne!(refused.status, 429, "{refused:?}");
        let (username, email) = new_person();
        expect_ok(&urbanfits.sign_up(&username, &email).from(attacker).await);
    }
    expect_free(
        stack,
        &[
            request("urbanfits-signup-callback", || urbanfits.enter_code(id, code).from(attacker)),
            request("urbanfits-signup", || urbanfits.sign_up(other, new).from(attacker)),
            request("urbanfits-login", || urbanfits.log_in(email, "password").from(attacker)),
            request("urbanfits-login", || urbanfits.log_in(username, "password").from(attacker)),
        ],
    )
    .await;
    expect_ok(&urbanfits.enter_code(id, code).await);
    expect_ok(&urbanfits.log_in(email, "password").await);
}

#[tokio::test]
async fn a1_refusals_of_a_spent_client_are_free_at_posbytz() {
    let stack = &stack(&[FEW_OF_A_CLIENT]).await;
    let posbytz = posbytz(stack);
    let (shop, rival) = (&posbytz.store_token("SHOP").await, &posbytz.store_token("RIVAL").await);
    let (number, new) = (&new_number(), &new_number());
    expect_ok(&posbytz.sign_up(shop, &by_mobile("+91", number)).await);
    let code = &code_in(&stack.text(&format!("+91{number}"), 1).await);
    for _ in 0..FEW {
        let refused = posbytz.sign_in(rival, &by_mobile("+91", &new_number())).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        expect_ok(&posbytz.sign_up(rival, &by_mobile("+91", &new_number())).await);
    }
    // A client is linked to the customers of its own shop alone.
    expect_free(
        stack,
        &[
            request("posbytz-signin", || posbytz.sign_in(rival, &by_mobile("+91", number))),
            request("posbytz-otp-verify", || posbytz.enter_code(rival, &typed(number, code))),
            request("posbytz-signup", || posbytz.sign_up(rival, &by_mobile("+91", new))),
        ],
    )
    .await;
    expect_ok(&posbytz.enter_code(shop, &typed(number, code)).await);
}

/// A request that is refused in every test of this file, from one of twenty addresses.
async fn refused(stack: &TestStack, client: &str, taken: [&str; 2], index: u32) -> Reply {
    let source = stranger(u8::try_from(index % 20).unwrap());
    let [email, number] = taken;
    match index / 20 % 8 {
        0 => gotu(stack).sign_up_by_email(email).from(source).await,
        1 => gotu(stack).sign_in(email, "a wrong horse").from(source).await,
        2 => gotu(stack).sign_up_by_phone(&new_phone(), "123456").from(source).await,
        3 => gotu(stack).sign_in_by_phone(&new_phone(), "123456").from(source).await,
        4 => goodcity(stack).verify(UNKNOWN_KEY, "1234").from(source).await,
        5 => urbanfits(stack).enter_code(UNKNOWN_ID, "12345").from(source).await,
        6 => posbytz(stack).sign_up(client, &by_mobile("+91", number)).from(source).await,
        // The budget of this address is spent.
        _ => goodcity(stack).sign_up(&new_mobile()).from(stranger(100)).await,
    }
}

#[tokio::test]
async fn a1_a_thousand_refused_requests_move_no_sequence() {
    let stack = &stack(&[FEW_GUESSES, FEW_SENDS, ("SENDS_PER_HOUR_PER_CLIENT", "50")]).await;
    let (email, number, mobile) = (&new_email(), &new_number(), &new_mobile());
    let client = &posbytz(stack).store_token("S").await;
    expect_ok(&gotu(stack).sign_up_by_email(email).await);
    expect_ok(&posbytz(stack).sign_up(client, &by_mobile("+91", number)).await);
    goodcity(stack).registered(mobile).await;
    for _ in 0..FEW {
        otp_auth_key(&goodcity(stack).send_pin(&new_mobile()).from(stranger(100)).await);
    }
    let before = stack.items("Sequences").await;
    assert!(!before.is_empty());
    for index in 0..1000 {
        let reply = refused(stack, client, [email, number], index).await;
        assert!((400..500).contains(&reply.status), "{index}: {reply:?}");
    }
    assert_eq!(stack.items("Sequences").await, before);
    expect_ok(&gotu(stack).sign_in(email, gotu::PASSWORD).await);
}

#[tokio::test]
async fn a2_strangers_who_fail_at_a_password_do_not_delay_its_owner() {
    let stack = &stack(&[]).await;
    let (email, (username, address), customer) = (&new_email(), &new_person(), &new_email());
    let shop = &posbytz(stack).store_token("S").await;
    let rival = &posbytz(stack).store_token("S").await;
    expect_ok(&gotu(stack).sign_up_by_email(email).await);
    urbanfits(stack).registered(username, address).await;
    let id = posbytz(stack).registered(shop, customer).await;
    let known = posbytz(stack).sign_in(shop, &by_email(customer)).await;
    assert_eq!(signed_in(&known), id);
    let wrong = json!({"email": customer, "password": "a wrong horse"});
    for index in 0..10 {
        let source = stranger(index);
        let replies = [
            gotu(stack).sign_in(email, "a wrong horse").from(source).await,
            urbanfits(stack).log_in(username, "a wrong horse").from(source).await,
            posbytz(stack).sign_in(rival, &wrong).await,
        ];
        let expected = if index < 5 { 401 } else { 429 };
        assert!(
            replies.iter().all(|reply| reply.status == expected || reply.status == 404),
            "{replies:?}"
        );
    }
    expect_ok(&gotu(stack).sign_in(email, gotu::PASSWORD).await);
    expect_ok(&urbanfits(stack).log_in(address, "password").await);
    assert_eq!(signed_in(&posbytz(stack).sign_in(shop, &by_email(customer)).await), id);
}

#[tokio::test]
async fn a2_a_network_becomes_known_with_the_first_entry_from_it() {
    let stack = &stack(&[]).await;
    let (email, phone, (username, address)) = (&new_email(), &new_phone(), &new_person());
    expect_ok(&gotu(stack).sign_up_by_email(email).await);
    gotu(stack).registered(phone).await;
    urbanfits(stack).registered(username, address).await;
    let sources = |item: &Value| item["known_sources"].as_object().map_or(0, serde_json::Map::len);
    let known = async |identifier: &str| -> Vec<usize> {
        let items = stack.items_with("Identifiers", identifier).await;
        items.iter().map(sources).collect()
    };
    for identifier in [email, phone, address] {
        assert_eq!(known(identifier).await, [1], "{identifier}");
    }
    for _ in 0..2 {
        expect_ok(&gotu(stack).sign_in(email, gotu::PASSWORD).from(ELSEWHERE).await);
        expect_ok(&urbanfits(stack).log_in(address, "password").from(ELSEWHERE).await);
    }
    expect_ok(&gotu(stack).ask_for_code(phone, "login").from(ELSEWHERE).await);
    let code = code_in(&stack.text(phone, 2).await);
    expect_ok(&gotu(stack).sign_in_by_phone(phone, &code).from(ELSEWHERE).await);
    for identifier in [email, phone, address] {
        assert_eq!(known(identifier).await, [2], "{identifier}");
    }
}

#[tokio::test]
async fn a2_a_new_password_ends_the_pause_that_strangers_caused() {
    let stack = &stack(&[]).await;
    let email = &new_email();
    expect_ok(&gotu(stack).sign_up_by_email(email).await);
    for index in 0..10 {
        gotu(stack).sign_in(email, "a wrong horse").from(stranger(index)).await;
    }
    let ask = gotu(stack).ask_for_code(email, "reset_password").from(ELSEWHERE);
    ask.await.expect_text(204, "");
    let code = code_in(&stack.text(email, 1).await);
    let proved = gotu(stack).verify_code(email, &code, "reset_password").from(ELSEWHERE).await;
    let token = &proved.json()["data"]["requestToken"];
    let body = json!({"requestToken": token, "newPassword": "battery staple"});
    expect_ok(&gotu(stack).set_password(&body).from(ELSEWHERE).await);
    let other = Ipv4Addr::new(127, 3, 1, 1);
    expect_ok(&gotu(stack).sign_in(email, "battery staple").from(other).await);
}

#[tokio::test]
async fn a3_requests_that_send_nothing_take_no_send_and_no_pin_of_the_owner() {
    let stack = &stack(&[]).await;
    let (mobile, goodcity) = (&new_mobile(), goodcity(stack));
    goodcity.registered(mobile).await;
    let key = otp_auth_key(&goodcity.send_pin(mobile).from(ELSEWHERE).await);
    let pin = goodcity.pin(mobile, 2).await;
    let mut statuses = Vec::new();
    for index in 0..10 {
        let call = goodcity.send_pin(mobile).header("x-goodcity-app-name", "admin.goodcity");
        statuses.push(call.from(stranger(index)).await.status);
    }
    expect_ok(&goodcity.verify(&key, &pin).from(ELSEWHERE).await);
    // The owner gets another pin, where the account knows the address and where it does not.
    for (count, source) in [(3, Ipv4Addr::LOCALHOST), (4, Ipv4Addr::new(127, 3, 1, 1))] {
        let key = otp_auth_key(&goodcity.send_pin(mobile).from(source).await);
        let pin = goodcity.pin(mobile, count).await;
        expect_ok(&goodcity.verify(&key, &pin).from(source).await);
    }
    // They look like requests that send: they have limits of their own.
    assert_eq!(statuses, [[200; 5], [429; 5]].concat());
}

#[tokio::test]
async fn a3_strangers_use_up_neither_the_sends_nor_the_code_of_an_owner() {
    let stack = &stack(&[]).await;
    let (phone, gotu) = (&new_phone(), gotu(stack));
    gotu.registered(phone).await;
    let code = code_for(stack, phone, "login", Ipv4Addr::LOCALHOST).await;
    let mut sent = 0;
    for index in 0..10 {
        let reply = gotu.ask_for_code(phone, "login").from(stranger(index)).await;
        sent += u32::from(reply.status == 204);
    }
    expect_ok(&gotu.sign_in_by_phone(phone, &code).await);
    let code = code_for(stack, phone, "login", Ipv4Addr::LOCALHOST).await;
    expect_ok(&gotu.sign_in_by_phone(phone, &code).await);
    assert_eq!(sent, 5);
}

#[tokio::test]
async fn a3_a_burnt_sign_up_of_an_address_sends_no_second_mail_at_once() {
    let limits = [("OTP_RESEND_SECONDS", "60")];
    let stack = &stack(&limits).await;
    let (username, email) = &new_person();
    let urbanfits = urbanfits(stack);
    let mut mails = 0;
    for index in 0..5 {
        let source = stranger(index);
        let reply = urbanfits.sign_up(username, email).from(source).await;
        if reply.status != 200 {
            reply.expect_wait(60);
            continue;
        }
        mails += 1;
        let id = otp_id(&reply, email);
        let wrong = other_than(&urbanfits.code(email, mails).await);
        for _ in 0..5 {
            urbanfits.enter_code(&id, &wrong).from(source).await;
        }
    }
    assert_eq!(mails, 1);
    // A minute later.
    let challenges = stack.items_with("Challenges", email).await;
    for challenge in challenges.iter().filter(|item| !item["sent_at"].is_null()) {
        let id = challenge["challenge_id"].as_str().unwrap();
        stack.set_past("Challenges", "challenge_id", id, "sent_at").await;
    }
    let id = otp_id(&urbanfits.sign_up(username, email).await, email);
    let code = urbanfits.code(email, 2).await;
    expect_ok(&urbanfits.enter_code(&id, &code).await);
}

#[tokio::test]
async fn a4_the_typos_of_one_visitor_lock_no_customer_of_any_shop_out() {
    let stack = &stack(&[FEW_OF_A_CLIENT, FEW_GUESSES]).await;
    let posbytz = posbytz(stack);
    let (one, other) = (&posbytz.store_token("ONE").await, &posbytz.store_token("OTHER").await);
    let mut customers = Vec::new();
    for shop in [one, other] {
        let email = new_email();
        posbytz.registered(shop, &email).await;
        expect_ok(&posbytz.sign_in(shop, &by_email(&email)).await);
        let number = new_number();
        expect_ok(&posbytz.sign_up(shop, &by_mobile("+91", &number)).await);
        let code = code_in(&stack.text(&format!("+91{number}"), 1).await);
        customers.push((shop, email, number, code));
    }
    let mut statuses = Vec::new();
    for _ in 0..2 * FEW {
        let visitor = posbytz.sign_in(one, &by_mobile("+91", &new_number()));
        statuses.push(visitor.await.status);
    }
    assert_eq!(statuses, [[401; 10], [429; 10]].concat());
    for (shop, email, number, code) in &customers {
        expect_ok(&posbytz.sign_in(shop, &by_email(email)).await);
        expect_ok(&posbytz.enter_code(shop, &typed(number, code)).await);
    }
    // An unknown customer of the other shop is answered as usual.
    let unknown = posbytz.sign_in(other, &by_mobile("+91", &new_number())).await;
    assert_eq!(unknown.status, 401, "{unknown:?}");
}

#[tokio::test]
async fn b5_people_behind_the_address_of_an_attacker_use_their_codes_and_passwords() {
    let stack = &stack(&[FEW_GUESSES]).await;
    let (gotu, carrier) = (gotu(stack), stranger(1));
    let (email, phone) = (&new_email(), &new_phone());
    expect_ok(&gotu.sign_up_by_email(email).from(carrier).await);
    let code = code_for(stack, phone, "sign_up", carrier).await;
    spend_guesses(stack, carrier, FEW).await;
    expect_ok(&gotu.sign_in(email, gotu::PASSWORD).from(carrier).await);
    expect_ok(&gotu.sign_up_by_phone(phone, &code).from(carrier).await);
    let code = code_for(stack, phone, "login", carrier).await;
    expect_ok(&gotu.sign_in_by_phone(phone, &code).from(carrier).await);
    // The other contracts count for themselves.
    let wrong = goodcity(stack).verify(UNKNOWN_KEY, "1234").from(carrier).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
}

#[tokio::test]
async fn b5_people_behind_one_address_sign_up_as_long_as_they_use_their_codes() {
    let stack = &stack(&[FEW_SENDS]).await;
    let carrier = stranger(1);
    for _ in 0..3 * FEW {
        let phone = &new_phone();
        let code = code_for(stack, phone, "sign_up", carrier).await;
        expect_ok(&gotu(stack).sign_up_by_phone(phone, &code).from(carrier).await);
    }
}

/// The number of guesses that strangers have at the pins of 20 accounts, each from addresses of its own.
async fn sprayed(stack: &TestStack, mobiles: &[String]) -> u64 {
    let mut evaluated = Vec::new();
    for (index, mobile) in mobiles.iter().enumerate() {
        let source = stranger(u8::try_from(index).unwrap());
        let asked = goodcity(stack).send_pin(mobile).from(source).await;
        let key = otp_auth_key(&asked);
        let wrong = other_than(&goodcity(stack).pin(mobile, 2).await);
        for _ in 0..5 {
            goodcity(stack).verify(&key, &wrong).from(source).await;
        }
        let handles = stack.items("Challenges").await;
        let handle = handles.iter().filter(|item| item.to_string().contains(mobile));
        let guesses = handle.filter_map(|item| item["attempts"].as_u64()).max().unwrap_or(0);
        evaluated.push(guesses);
    }
    evaluated.iter().sum()
}

#[tokio::test]
async fn b6_many_addresses_that_spray_wrong_pins_leave_each_pin_two_guesses() {
    let stack = &stack(&[("WRONG_CODES_PER_HOUR", "10")]).await;
    let mut mobiles = Vec::new();
    for _ in 0..20 {
        let mobile = new_mobile();
        goodcity(stack).registered(&mobile).await;
        mobiles.push(mobile);
    }
    // Five guesses at each of the first two pins, and two at each of the others.
    assert_eq!(sprayed(stack, &mobiles).await, 2 * 5 + 18 * 2);
    for mobile in &mobiles {
        let key = otp_auth_key(&goodcity(stack).send_pin(mobile).await);
        let pin = goodcity(stack).pin(mobile, 3).await;
        expect_ok(&goodcity(stack).verify(&key, &pin).await);
    }
}

/// The address of an IPv6 client, which only a front reports here.
fn seen_by_a_front<'a>(call: Call<'a>, address: &str) -> Call<'a> {
    let viewer = format!("{address}:443");
    call.header("x-origin-secret", SECRET).header("cloudfront-viewer-address", viewer)
}

#[tokio::test]
async fn b6_an_attacker_with_every_network_of_an_ipv6_site_has_the_guesses_of_four() {
    let limits = [("OTP_GUESSES_PER_HOUR_PER_IP", "1"), ("EDGE_SECRET_SHA256", SECRET_SHA256)];
    let stack = &stack(&limits).await;
    let goodcity = goodcity(stack);
    let (mobile, owner) = (&new_mobile(), "2001:db8:1:ffff::1");
    let asked = seen_by_a_front(goodcity.sign_up(mobile), owner).await;
    let pin = goodcity.pin(mobile, 1).await;
    let key = otp_auth_key(&asked);
    expect_ok(&seen_by_a_front(goodcity.verify(&key, &pin), owner).await);
    let guess = |address: String| async move {
        seen_by_a_front(goodcity.verify(UNKNOWN_KEY, "1234"), &address).await.status
    };
    let mut statuses = Vec::new();
    for network in 0..8 {
        statuses.push(guess(format!("2001:db8:1:{network:x}::1")).await);
    }
    assert_eq!(statuses, [[422; 4], [429; 4]].concat());
    assert_eq!(guess("2001:db8:2:1::1".to_owned()).await, 422);
    // The owner is in the same site, and uses the pin that was asked for there.
    let asked = seen_by_a_front(goodcity.send_pin(mobile), owner).await;
    let pin = goodcity.pin(mobile, 2).await;
    let entered = goodcity.verify(&otp_auth_key(&asked), &pin);
    expect_ok(&seen_by_a_front(entered, owner).await);
}

#[tokio::test]
async fn a3_five_wrong_guesses_of_a_stranger_do_not_burn_the_code_of_an_owner() {
    let stack = &stack(&[]).await;
    let (phone, gotu) = (&new_phone(), gotu(stack));
    gotu.registered(phone).await;
    // The owner asks where the account knows the address, and where it does not.
    for source in [Ipv4Addr::LOCALHOST, ELSEWHERE] {
        let code = code_for(stack, phone, "login", source).await;
        let wrong = other_than(&code);
        for index in 0..10 {
            let reply = gotu.sign_in_by_phone(phone, &wrong).from(stranger(index)).await;
            assert_eq!(reply.status, 401, "{reply:?}");
        }
        expect_ok(&gotu.sign_in_by_phone(phone, &code).from(source).await);
    }
}

#[tokio::test]
async fn a3_ten_requests_of_a_stranger_in_a_day_leave_an_owner_a_code() {
    let stack = &stack(&[("OTP_SENDS_PER_HOUR", "10")]).await;
    let (phone, gotu) = (&new_phone(), gotu(stack));
    gotu.registered(phone).await;
    for _ in 0..10 {
        gotu.ask_for_code(phone, "login").from(stranger(1)).await.expect_text(204, "");
    }
    assert_eq!(gotu.ask_for_code(phone, "login").from(stranger(2)).await.status, 429);
    let code = code_for(stack, phone, "login", Ipv4Addr::LOCALHOST).await;
    expect_ok(&gotu.sign_in_by_phone(phone, &code).await);
}

#[tokio::test]
async fn owners_succeed_at_the_first_try_during_a_siege() {
    let limits = [FEW_GUESSES, FEW_SENDS, ("WRONG_CODES_PER_HOUR", "40")];
    let stack = &stack(&[&limits[..], &[("OTP_KEY_RING", KNOWN_RING)]].concat()).await;
    let siege = Siege::prepare(stack, 5, 8).await;
    siege.run(8, |sent| sent < 100, async |round| (round < 3).then_some(true)).await;
    assert_eq!(siege.failures(), Vec::<String>::new());
    let tally = siege.tally();
    assert_eq!(tally.values().copied().collect::<Vec<_>>(), [[15, 15]; 4], "{tally:?}");
    // An account lets strangers try five passwords without a pause.
    let attempts = password_attempts(stack).await;
    assert!(attempts.iter().all(|attempts| *attempts < 10), "{attempts:?}");
}
