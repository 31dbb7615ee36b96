//! A crash or a fault at any store call leaves a complete sign-up or none, and a retry succeeds or gets the answer to a
//! code that is used up.

use acceptance::drivers::{AwsCall, Driver, Person, drivers, for_every_contract};
use acceptance::faults::{Fault, of_store};
use acceptance::gotu::{error, user_id};
use acceptance::{NO_LIMITS, Reply, TestStack, gotu, new_email, new_phone};

/// Whether a fault of this mode can happen to an operation: a read meets no conflict.
fn can_happen(mode: &str, operation: &str) -> bool {
    mode != "conflict" || !operation.contains("Get")
}

/// The modes in which one call fails and the next one succeeds.
const PASSING: [&str; 5] = ["error", "throttle", "conflict", "timeout", "lost-reply"];

/// Makes one call of each kind that a function makes fail in this mode.
async fn fail_once_each(stack: &TestStack, mode: &str, function: &str, calls: &[AwsCall]) {
    for (operation, _) in calls {
        if can_happen(mode, operation) {
            stack.fault(&of_store(mode).at(operation).in_function(function).times(1)).await;
        }
    }
}

#[tokio::test]
async fn one_failed_call_is_not_noticed() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let facts = driver.facts();
        for mode in PASSING {
            let person = driver.new_person();
            fail_once_each(stack, mode, facts.asks, facts.calls_to_ask).await;
            let (asked, code) = driver.asked(&person).await;
            fail_once_each(stack, mode, facts.enters, facts.calls_to_enter).await;
            let reply = driver.enter_code(&person, &asked, &code).await;
            assert_eq!(reply.status, 200, "{mode}: {reply:?}");
            stack.clear_faults().await;
            assert!(driver.has_account(&person).await, "{mode}");
            driver.expect_events(&person).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_allowed_guess_is_counted_once_even_if_its_reply_is_lost() {
    let limits: Vec<_> = NO_LIMITS.into_iter().chain([("OTP_MAX_ATTEMPTS", "1")]).collect();
    let stack = &TestStack::with(&limits).await;
    for_every_contract(stack, async |driver| {
        let person = driver.new_person();
        let (asked, code) = driver.asked(&person).await;
        let lost = of_store("lost-reply").at("UpdateItem").in_function(driver.facts().enters);
        stack.fault(&lost.times(2)).await;
        let reply = driver.enter_code(&person, &asked, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        stack.clear_faults().await;
        assert!(driver.has_account(&person).await);
    })
    .await;
}

#[tokio::test]
async fn a_batch_of_which_the_database_processes_nothing_is_asked_for_again() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let partial = of_store("partial").at("BatchGetItem").in_function("gotu-post-otp");
    stack.fault(&partial.clone().times(6)).await;
    let phone = new_phone();
    gotu(stack).code(&phone, "sign_up", 1).await;
    let batches = stack.calls("gotu-post-otp").await;
    let batches: Vec<_> =
        batches.iter().filter(|call| call["operation"] == "BatchGetItem").collect();
    assert_eq!(batches.len(), 7);
    // A database that never processes the batch ends in an internal error.
    stack.fault(&partial).await;
    let refused = gotu(stack).ask_for_code(&new_phone(), "sign_up").await;
    refused.expect(500, &error("internal server error"));
    stack.clear_faults().await;
}

/// On-demand tables throttle for seconds when the traffic doubles.
#[tokio::test]
async fn throttling_is_waited_out() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let (facts, person) = (driver.facts(), driver.new_person());
        let throttle = |operation: &str, function: &str| {
            of_store("throttle").at(operation).in_function(function).times(7)
        };
        let (read, _) = facts.calls_to_ask[0];
        stack.fault(&throttle(read, facts.asks)).await;
        let (asked, code) = driver.asked(&person).await;
        stack.fault(&throttle("TransactWriteItems", facts.enters)).await;
        let reply = driver.enter_code(&person, &asked, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(driver.has_account(&person).await);
        driver.expect_events(&person).await;
    })
    .await;
}

#[tokio::test]
async fn one_failed_call_of_a_sign_up_by_mail_is_not_noticed() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for mode in PASSING {
        let email = new_email();
        let fault = of_store(mode).at("TransactWriteItems").in_function("gotu-post-users");
        stack.fault(&fault.times(1)).await;
        let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
        expect_account_by_mail(stack, &email, &id).await;
        stack.clear_faults().await;
    }
}

/// Requires a complete account of Gotu's whose address is not proved.
async fn expect_account_by_mail(stack: &TestStack, email: &str, id: &str) {
    assert_eq!(stack.items_with("Identifiers", email).await[0]["user_id"], id);
    for table in ["Users", "Identifiers", "Devices", "Sessions"] {
        assert_eq!(stack.items_of_user(table, id).await.len(), 1, "{table}");
    }
    stack.events(id, 2).await;
    stack.wait_until_delivered(id).await;
    assert_eq!(stack.events_of(id).await.len(), 2);
}

#[tokio::test]
async fn a_lasting_fault_is_a_500_that_leaves_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let facts = driver.facts();
        for (operation, _) in facts.calls_to_enter {
            let person = driver.new_person();
            let (asked, code) = driver.asked(&person).await;
            stack.fault(&of_store("error").at(operation).in_function(facts.enters)).await;
            let reply = driver.enter_code(&person, &asked, &code).await;
            driver.expect_internal_error(&reply);
            assert!(!driver.has_account(&person).await, "{operation}");
            stack.clear_faults().await;
            let reply = driver.enter_code(&person, &asked, &code).await;
            assert_eq!(reply.status, 200, "{operation}: {reply:?}");
        }
        let person = driver.new_person();
        stack.fault(&of_store("error").in_function(facts.asks)).await;
        driver.expect_internal_error(&driver.ask_for_code(&person).await);
        stack.clear_faults().await;
        assert!(stack.items_with("Challenges", &person.recipient).await.is_empty());
        driver.signed_up(&person).await;
    })
    .await;
}

#[tokio::test]
async fn each_fault_is_logged_once() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&of_store("error")).await;
    for _ in 0..3 {
        let reply = gotu(stack).sign_up_by_email(&new_email()).await;
        reply.expect(500, &error("internal server error"));
    }
    // The line of a request follows the lines of its faults, and is written after the answer.
    let answered = || async {
        let failed = stack.lines("request").iter().filter(|it| it["http.status"] == 500).count();
        (failed == 3).then(|| stack.logs().join("\n"))
    };
    let logs = stack.wait_for("the lines of three failed requests", answered).await;
    assert_eq!(logs.matches(r#""level":"ERROR""#).count(), 3, "{logs}");
    assert!(logs.contains("InternalServerError"), "the cause is logged");
}

#[tokio::test]
async fn a_committed_sign_up_whose_reply_is_lost_is_a_success() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let person = driver.new_person();
        let (asked, code) = driver.asked(&person).await;
        let fault = of_store("lost-reply").at("TransactWriteItems");
        stack.fault(&fault.in_function(driver.facts().enters).times(2)).await;
        let reply = driver.enter_code(&person, &asked, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        stack.clear_faults().await;
        let users = stack.items_with("Users", &person.recipient).await;
        assert_eq!((users.len(), &users[0]["user_id"]), (1, &driver.user_id(&reply).into()));
        assert!(driver.has_account(&person).await);
        driver.expect_events(&person).await;
    })
    .await;
}

/// The writes at which a function crashes, each with the number of equal calls before it. The second update is that of the
/// sequence of ids, which a new process reads from. A crash at a read leaves less than a crash before the first write.
const WRITES: [(&str, u32); 3] = [("UpdateItem", 0), ("UpdateItem", 1), ("TransactWriteItems", 0)];

#[tokio::test]
async fn a_crash_at_any_write_leaves_all_or_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        for crash in ["crash-before", "crash-after"] {
            for (operation, after) in WRITES {
                let fault = of_store(crash).at(operation).after(after).times(1);
                let fault = fault.in_function(driver.facts().enters);
                let crashed = crash_and_retry(stack, driver, &fault, crash, operation).await;
                assert!(crashed || after == 1, "{crash} {operation}");
            }
        }
    })
    .await;
}

/// Crashes a sign-up and repeats it. Returns whether there was a call to crash at.
async fn crash_and_retry(
    stack: &TestStack,
    driver: &dyn Driver,
    fault: &Fault,
    crash: &str,
    operation: &str,
) -> bool {
    let person = driver.new_person();
    let (asked, code) = driver.asked(&person).await;
    stack.fault(fault).await;
    let reply = driver.enter_code(&person, &asked, &code).await;
    stack.clear_faults().await;
    if reply.status == 200 {
        return false;
    }
    assert_eq!(reply.status, 500, "{fault:?}: {reply:?}");
    let whole = driver.has_account(&person).await;
    let committed = crash == "crash-after" && operation == "TransactWriteItems";
    assert_eq!(whole, committed, "{fault:?}");
    expect_retry(driver, &person, &asked, &code, whole).await;
    true
}

/// Requires that the repeated request completes a sign-up, or is refused if the first one did.
async fn expect_retry(
    driver: &dyn Driver,
    person: &Person,
    asked: &Reply,
    code: &str,
    whole: bool,
) {
    let again = driver.enter_code(person, asked, code).await;
    if whole {
        driver.expect_code_refused(&again);
    } else {
        assert_eq!(again.status, 200, "{again:?}");
    }
    assert!(driver.has_account(person).await);
    driver.expect_events(person).await;
}

#[tokio::test]
async fn a_crash_of_a_sign_up_by_mail_leaves_all_or_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for (crash, again) in [("crash-before", 200), ("crash-after", 400)] {
        let email = new_email();
        let fault = of_store(crash).at("TransactWriteItems").in_function("gotu-post-users");
        stack.fault(&fault.times(1)).await;
        assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 500);
        stack.clear_faults().await;
        let users = stack.items_with("Users", &email).await;
        assert_eq!(users.len(), usize::from(crash == "crash-after"));
        let reply = gotu(stack).sign_up_by_email(&email).await;
        assert_eq!(reply.status, again, "{crash}: {reply:?}");
        if again == 400 {
            reply.expect(400, &error("email already registered"));
        }
        let id = stack.items_with("Users", &email).await[0]["user_id"].clone();
        expect_account_by_mail(stack, &email, id.as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn the_first_requests_make_up_for_a_start_without_secrets() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let drivers = drivers(stack).await;
    stack.fault(&Fault::of("secrets", "error")).await;
    for driver in &drivers {
        driver.expect_internal_error(&driver.ask_for_code(&driver.new_person()).await);
    }
    let reply = gotu(stack).sign_up_by_email(&new_email()).await;
    reply.expect(500, &error("internal server error"));
    assert!(stack.items("Users").await.is_empty());
    stack.clear_faults().await;
    for driver in &drivers {
        driver.signed_up(&driver.new_person()).await;
    }
    assert_eq!(gotu(stack).sign_up_by_email(&new_email()).await.status, 200);
}
