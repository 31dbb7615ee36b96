//! One code or one recipient makes one account, a code is worth a bounded number of guesses, and an expired code is refused.

use acceptance::codes::guesses;
use acceptance::drivers::{Driver, for_every_contract};
use acceptance::faults::of_store;
use acceptance::goodcity::{self, new_mobile};
use acceptance::gotu::user_id;
use acceptance::tokens::seconds_between;
use acceptance::{NO_LIMITS, TestStack, all, count, gotu, new_email, new_phone, without_limits};
use serde_json::json;

/// Has clients enter one code at the same time, and requires that one of them gets the account.
async fn race_with_one_code(driver: &dyn Driver) {
    let person = driver.new_person();
    let (asked, code) = driver.asked(&person).await;
    let racers = 0..TestStack::at_once(50);
    let replies = all(racers.map(|_| driver.enter_code(&person, &asked, &code))).await;
    assert_eq!(count(&replies, 200), 1, "{replies:?}");
    for loser in replies.iter().filter(|reply| reply.status != 200) {
        driver.expect_code_refused(loser);
    }
    assert!(driver.has_account(&person).await);
    driver.expect_events(&person).await;
}

#[tokio::test]
async fn fifty_racers_with_one_code_make_one_account() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, race_with_one_code).await;
}

#[tokio::test]
async fn fifty_racers_that_may_all_guess_make_one_account() {
    // Every racer reaches the transaction, because no guess is refused before it.
    let env = without_limits(&[("OTP_MAX_ATTEMPTS", "1000")]);
    let stack = &TestStack::with(&env).await;
    for_every_contract(stack, race_with_one_code).await;
}

#[tokio::test]
async fn racing_sign_ups_of_one_recipient_make_one_user_at_most() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let person = driver.new_person();
        let replies = all((0..20).map(|_| driver.ask_for_code(&person))).await;
        let accepted = replies.iter().filter(|reply| reply.status < 300);
        assert!(accepted.count() > 0, "{replies:?}");
        for reply in replies.iter().filter(|reply| reply.status >= 300) {
            assert!(
                reply.status < 500 && driver.is_refusal(driver.facts().asks, reply),
                "{reply:?}"
            );
        }
        for table in ["Users", "Identifiers"] {
            let items = stack.items_with(table, &person.recipient).await;
            assert!(items.len() <= 1, "{table}: {items:?}");
        }
    })
    .await;
}

/// Gotu is the only contract that opens a session without a code.
#[tokio::test]
async fn fifty_racers_with_one_address_make_one_account() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let email = new_email();
    let replies = all((0..50).map(|_| gotu(stack).sign_up_by_email(&email))).await;
    assert_eq!((count(&replies, 200), count(&replies, 400)), (1, 49), "{replies:?}");
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    let id = user_id(winner);
    for table in ["Users", "Identifiers", "Devices", "Sessions"] {
        let items = stack.items(table).await;
        assert_eq!((items.len(), &items[0]["user_id"]), (1, &id.clone().into()), "{table}");
    }
    stack.wait_until_delivered(&id).await;
    let events = stack.all_events().await;
    assert_eq!(acceptance::events::types(&events), ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"]);
}

#[tokio::test]
async fn two_hundred_wrong_guesses_at_once_are_worth_five() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let person = driver.new_person();
        let (asked, code) = driver.asked(&person).await;
        let guesses = guesses(&code, TestStack::at_once(200));
        let entered = guesses.iter().map(|guess| driver.enter_code(&person, &asked, guess));
        for reply in all(entered).await {
            driver.expect_code_refused(&reply);
        }
        driver.expect_code_refused(&driver.enter_code(&person, &asked, &code).await);
        let challenges = stack.items_with("Challenges", &person.recipient).await;
        let attempts = challenges.iter().filter_map(|item| item["attempts"].as_u64()).max();
        assert_eq!(attempts, Some(5), "{challenges:?}");
        assert!(!driver.has_account(&person).await);
    })
    .await;
}

#[tokio::test]
async fn an_expired_code_is_refused_while_its_item_is_there() {
    let stack = TestStack::shared().await;
    for_every_contract(stack, async |driver| {
        let person = driver.new_person();
        let (asked, code) = driver.asked(&person).await;
        let mut ends = Vec::new();
        for item in driver.challenges(&person).await {
            let id = item["challenge_id"].clone();
            ends.push((id.clone(), stack.expire("Challenges", "challenge_id", id).await));
        }
        driver.expect_code_refused(&driver.enter_code(&person, &asked, &code).await);
        assert!(!driver.has_account(&person).await);
        // The end was the only reason.
        for (id, end) in ends {
            stack.set("Challenges", "challenge_id", id, "expires_at", &end).await;
        }
        let reply = driver.enter_code(&person, &asked, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    })
    .await;
}

#[tokio::test]
async fn a_code_works_for_as_long_as_configured() {
    let env = without_limits(&[("OTP_TTL_SECONDS", "77")]);
    let stack = &TestStack::with(&env).await;
    for_every_contract(stack, async |driver| {
        let person = driver.new_person();
        driver.asked(&person).await;
        let challenges = driver.challenges(&person).await;
        let sent = challenges.iter().find(|item| item["sent_at"].is_number()).unwrap();
        let lifetime = seconds_between(sent, "sent_at", "expires_at");
        assert!((lifetime - 77.0).abs() < 0.002, "{lifetime}");
        assert!(seconds_between(sent, "expires_at", "purge_at") > 0.0, "{sent}");
    })
    .await;
}

/// Requires that no function wrote an error line.
fn expect_no_error_line(stack: &TestStack) {
    let faults: Vec<_> =
        stack.json_lines().into_iter().filter(|(_, line)| line["level"] == "ERROR").collect();
    assert!(faults.is_empty(), "{faults:?}");
}

/// Returns the token of a new user of GoodCity.
async fn goodcity_token(stack: &TestStack) -> String {
    goodcity::token(&acceptance::goodcity(stack).registered(&new_mobile()).await)
}

#[tokio::test]
async fn a_thousand_registrations_of_one_push_token_end_in_one_owner_and_no_fault() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let tokens = all((0..10).map(|_| goodcity_token(stack))).await;
    let register = |token: &String| acceptance::goodcity(stack).register_device(token, "h", "aps");
    let replies = all((0..100).flat_map(|_| tokens.iter().map(register))).await;
    // A request that is overtaken too often is refused.
    assert_eq!(count(&replies, 204).saturating_add(count(&replies, 429)), 1000, "{replies:?}");
    assert!(count(&replies, 204) > 0);
    let devices = stack.items("Devices").await;
    let owners = stack.items_with("Identifiers", "#handle#").await;
    assert_eq!((devices.len(), owners.len()), (1, 1));
    assert_eq!(devices[0]["user_id"], owners[0]["user_id"]);
    expect_no_error_line(stack);
}

#[tokio::test]
async fn a_request_that_conflicts_with_others_too_often_is_refused_without_a_fault() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = goodcity_token(stack).await;
    let conflict = of_store("conflict").at("TransactWriteItems");
    stack.fault(&conflict.in_function("goodcity-register-device").times(1000)).await;
    let register = || acceptance::goodcity(stack).register_device(&token, "h", "aps");
    let reply = register().await;
    reply.expect(429, &json!({"errors": "Too many requests"}));
    assert_eq!(reply.header("retry-after"), "1");
    stack.clear_faults().await;
    register().await.expect_text(204, "");
    expect_no_error_line(stack);
}

#[tokio::test]
async fn a_write_that_meets_transactions_in_every_try_is_refused_without_a_fault() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let conflict = of_store("conflict").at("UpdateItem");
    stack.fault(&conflict.in_function("gotu-post-users").times(1000)).await;
    let sign_up = || gotu(stack).sign_up_by_phone(&phone, &code);
    let reply = sign_up().await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"), "{reply:?}");
    stack.clear_faults().await;
    assert!(!user_id(&sign_up().await).is_empty());
    expect_no_error_line(stack);
}
