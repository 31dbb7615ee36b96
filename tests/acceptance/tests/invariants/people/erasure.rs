//! Erasure: afterwards nothing names the person, whatever happened at the same time.

use super::{ask, of};
use acceptance::drivers::for_every_contract;
use acceptance::events::of_type;
use acceptance::gotu::{PASSWORD, tokens, user_id};
use acceptance::{TestStack, all, gotu, new_email, new_phone, urbanfits, without_limits};
use serde_json::{Value, json};

/// Requires that no table and no log line of a stack contains one of these names.
async fn expect_nothing_of(stack: &TestStack, names: &[&str]) {
    for name in names {
        stack.wait_until_delivered(name).await;
    }
    assert_eq!(stack.tables_with(names).await, [""; 0], "{names:?}");
    for line in stack.logs() {
        let found = names.iter().find(|name| line.contains(**name));
        assert_eq!(found, None, "a log line names a person: {line}");
    }
}

#[tokio::test]
async fn nothing_of_an_erased_person_is_left_in_any_table_or_log_line() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    for_every_contract(stack, async |driver| {
        let name = driver.facts().name;
        let (person, id) = super::user_of(driver).await;
        // Another request for a code, which the contract refuses or answers like any other.
        driver.ask_for_code(&person).await;
        let before = stack.events(&id, 1).await.len();
        let answer = ask(stack, "erase", &person.recipient, &json!({"contract": name})).await;
        assert_eq!(answer["erased"]["users"], 1, "{answer}");
        assert_eq!(answer["keptElsewhere"]["archiveOfEventsDays"], 30, "{answer}");
        let events = stack.events(&id, before.saturating_add(2)).await;
        let tombstone = of_type(&events, "USER_ERASED");
        assert_eq!(tombstone.len(), 1, "{events:?}");
        assert_eq!(tombstone[0]["detail"]["contract"], name);
        // The id of GoodCity is a small number, which other things can be, too.
        let id = (id.len() > 12).then_some(id);
        let names = [Some(&person.recipient), person.username.as_ref(), id.as_ref()];
        let names: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
        expect_nothing_of(stack, &names).await;
        // An erasure can be repeated.
        let again = ask(stack, "erase", &person.recipient, &json!({"contract": name})).await;
        let is_shop = name == "posbytz";
        assert!(is_shop || again["erased"]["users"] == 0, "{again}");
    })
    .await;
}

#[tokio::test]
async fn a_person_with_sessions_devices_and_effects_that_wait_is_erased() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    let email = new_email();
    let device = [("x-device-id", "a-device"), ("x-device-token", "a-push-token")];
    let reply = gotu(stack).sign_up_by_email(&email).headers(&device).await;
    let (session, id) = (tokens(&reply), user_id(&reply));
    let mut refresh = session.refresh;
    for _ in 0..3 {
        refresh = tokens(&gotu(stack).refresh(&refresh).headers(&device).await).refresh;
    }
    gotu(stack).sign_in(&email, "wrong horse").await;
    stack.fault(&acceptance::faults::Fault::of("ses", "error")).await;
    gotu(stack).ask_for_code(&email, "reset_password").await.expect_text(204, "");
    let answer = of(stack, "erase", &email, "gotu").await;
    let erased = &answer["erased"];
    assert_eq!((&erased["users"], &erased["sessions"]), (&json!(1), &json!(4)), "{answer}");
    // The relay may have the entry of the code at this moment. Then the next call erases it.
    let complete = || async {
        let again = ask(stack, "erase", &email, &json!({"contract": "gotu"})).await;
        (again["isComplete"] == true).then_some(())
    };
    stack.wait_for("a complete erasure", complete).await;
    expect_nothing_of(stack, &[&email, &id, "a-push-token", "a-device"]).await;
    assert_eq!(gotu(stack).refresh(&refresh).await.status, 401);
}

#[tokio::test]
async fn the_history_and_what_carriers_reported_are_erased() {
    let stack = &TestStack::with(&without_limits(&[("DELIVERY_REPORTS", "on")])).await;
    let phone = new_phone();
    let id = gotu(stack).registered(&phone).await;
    let sent = || async {
        let history = of(stack, "history", &phone, "gotu").await.to_string();
        history.contains("messageId").then_some(())
    };
    stack.wait_for("the text in the history", sent).await;
    assert!(stack.tables_with(&[&phone]).await.contains(&"Deliveries"));
    let answer = of(stack, "erase", &phone, "gotu").await;
    assert_eq!(answer["erased"]["messages"], 1, "{answer}");
    assert!(answer["erased"]["history"].as_u64() >= Some(2), "{answer}");
    expect_nothing_of(stack, &[&phone, &id]).await;
}

#[tokio::test]
async fn credits_stay_without_a_name_or_are_deleted() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    for (ledger, left) in [("anonymize", 1), ("delete", 0)] {
        let (username, email) = urbanfits::new_person();
        let reply = urbanfits(stack).registered(&username, &email).await;
        let id = urbanfits::user_id(&reply);
        let before = stack.items("Ledger").await.len();
        let query = json!({"contract": "urbanfits", "ledger": ledger});
        let answer = ask(stack, "erase", &email, &query).await;
        assert_eq!(answer["erased"]["credits"], 1, "{answer}");
        let items = stack.items("Ledger").await;
        assert_eq!(items.len(), before.saturating_sub(1).saturating_add(left), "{items:?}");
        let items = Value::from(items).to_string();
        assert!(!items.contains(&id) && (left == 0 || items.contains("erased-")), "{items}");
        expect_nothing_of(stack, &[&username, &email, &id]).await;
    }
}

#[tokio::test]
async fn an_erasure_that_races_with_sign_ins_and_refreshes_leaves_nothing() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    for _ in 0..5 {
        let email = new_email();
        let reply = gotu(stack).sign_up_by_email(&email).await;
        let (session, id) = (tokens(&reply), user_id(&reply));
        let query = json!({"contract": "gotu"});
        let erase = ask(stack, "erase", &email, &query);
        let sign_ins = all((0..3).map(|_| gotu(stack).sign_in(&email, PASSWORD)));
        let refreshes = all((0..2).map(|_| gotu(stack).refresh(&session.refresh)));
        let code = async { gotu(stack).ask_for_code(&email, "reset_password").await };
        let (erased, sign_ins, refreshes, _) =
            futures_util::future::join4(erase, sign_ins, refreshes, code).await;
        // Requests that change the user in every try of the erasure make it refuse; then it is repeated.
        if erased["erased"]["users"] != 1 {
            of(stack, "erase", &email, "gotu").await;
        }
        for reply in sign_ins.iter().chain(&refreshes).filter(|reply| reply.status == 200) {
            assert_eq!(gotu(stack).refresh(&tokens(reply).refresh).await.status, 401);
        }
        // The code may have been asked for after the erasure, and its failed sign-ins, too.
        of(stack, "erase", &email, "gotu").await;
        expect_nothing_of(stack, &[&email, &id]).await;
    }
}

#[tokio::test]
async fn a_recipient_without_a_user_is_erased_too() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    let phone = new_phone();
    gotu(stack).code(&phone, "sign_up", 1).await;
    let (username, email) = urbanfits::new_person();
    urbanfits(stack).pending(&username, &email).await;
    let answer = of(stack, "erase", &phone, "gotu").await;
    assert_eq!(
        (&answer["erased"]["users"], &answer["erased"]["challenges"]),
        (&json!(0), &json!(1))
    );
    let answer = of(stack, "erase", &email, "urbanfits").await;
    assert_eq!(answer["erased"]["challenges"], 2, "the challenge and its handle: {answer}");
    expect_nothing_of(stack, &[&phone, &email, &username]).await;
}
