//! `POST /ecommerce/v1/auth/email/verify`: verifies the e-mail address of a customer after the
//! button of its page.

use acceptance::faults::of_store;
use acceptance::posbytz::{SUCCESS, refusal};
use acceptance::{Call, NO_LIMITS, Reply, TestStack, all, new_email, posbytz};
use serde_json::Value;

/// What a browser accepts.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const ASK: &str = "Confirm your address";
const CONFIRMED: &str = "Your address is confirmed";
const ALREADY: &str = "Your address is already confirmed";
const ENDED: &str = "This link no longer works";

/// A browser that follows a link.
fn look<'a>(stack: &'a TestStack, id: &str, link: &str) -> Call<'a> {
    posbytz(stack).verify_email(id, link).header("accept", BROWSER)
}

/// The button of the page.
fn confirm<'a>(stack: &'a TestStack, id: &str, link: &str) -> Call<'a> {
    let query = format!("userId={id}&token={link}");
    stack.call("posbytz-email-confirm").query(&query).header("accept", BROWSER).form("")
}

async fn mailed(stack: &TestStack, store: &str) -> (String, String) {
    posbytz(stack).mailed(&posbytz(stack).store_token(store).await, &new_email()).await
}

#[track_caller]
fn assert_page(reply: &Reply, status: u16, heading: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert!(reply.body.contains(&format!("<h1 id=\"heading\">{heading}</h1>")), "{reply:?}");
}

async fn is_verified(stack: &TestStack, id: &str) -> Value {
    stack.items_with("Users", id).await[0]["email_verified"].clone()
}

#[tokio::test]
async fn looking_at_a_link_uses_nothing_up_and_the_button_verifies_once() {
    let stack = TestStack::shared().await;
    let (id, link) = mailed(stack, "BUTTON").await;
    // A scanner of mails, then the person.
    assert_eq!(look(stack, &id, &link).with_method("HEAD").await.status, 405);
    for _ in 0..2 {
        assert_page(&look(stack, &id, &link).await, 200, ASK);
    }
    assert_eq!(is_verified(stack, &id).await, false);
    assert_page(&confirm(stack, &id, &link).await, 200, CONFIRMED);
    assert_eq!(is_verified(stack, &id).await, true);
    assert_page(&confirm(stack, &id, &link).await, 200, ALREADY);
    // Only who has the link learns that it was used.
    assert_page(&confirm(stack, &id, &"0".repeat(64)).await, 401, ENDED);
    assert_eq!(is_verified(stack, &id).await, true);
}

#[tokio::test]
async fn a_person_whose_scanner_used_the_link_up_reads_that_the_address_is_confirmed() {
    let stack = TestStack::shared().await;
    let (id, link) = mailed(stack, "SCANNER").await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
    assert_page(&look(stack, &id, &link).await, 200, ASK);
    assert_page(&confirm(stack, &id, &link).await, 200, ALREADY);
    // A program gets the answer of before.
    let reply = posbytz(stack).verify_email(&id, &link).await;
    reply.expect(401, &refusal(401, "Invalid token", "Unauthorized"));
}

#[tokio::test]
async fn a_page_calls_nothing_and_says_nothing_of_its_link() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (id, link) = mailed(stack, "STORE1").await;
    let (reply, calls) = stack.calls_during("posbytz-email-verify", look(stack, &id, &link)).await;
    // The first request also makes the calls of the function's start.
    let calls = calls.iter().filter(|call| call["operation"] == "TransactWriteItems");
    assert_eq!(calls.count(), 0);
    for word in [&id, &link] {
        assert!(!reply.body.contains(word.as_str()), "{word}");
    }
    assert_eq!(reply.body, look(stack, &"0".repeat(24), "x").await.body);
    // With `no-referrer` a browser would name no origin of the form.
    assert_eq!(reply.header("referrer-policy"), "same-origin");
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("form-action 'self'; frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("script-src"), "{policy}");
}

#[tokio::test]
async fn a_link_that_is_not_genuine_is_over() {
    let stack = TestStack::shared().await;
    let (id, link) = mailed(stack, "GENUINE").await;
    let (other, _) = mailed(stack, "GENUINE").await;
    for (id, link) in [(&id, &"0".repeat(64)), (&other, &link), (&"1".to_owned(), &link)] {
        assert_page(&confirm(stack, id, link).await, 401, ENDED);
    }
    assert_page(&look(stack, "1", &link).await, 401, ENDED);
    assert_page(&stack.call("posbytz-email-confirm").await, 401, ENDED);
    assert_page(&confirm(stack, &id, &link).await, 200, CONFIRMED);
}

#[tokio::test]
async fn the_button_of_a_foreign_page_is_refused() {
    let stack = TestStack::shared().await;
    let (id, link) = mailed(stack, "FOREIGN").await;
    for origin in ["https://evil.example", "null"] {
        assert_eq!(confirm(stack, &id, &link).header("origin", origin).await.status, 403);
    }
    assert_eq!(is_verified(stack, &id).await, false);
    let own = confirm(stack, &id, &link).header("origin", stack.url()).await;
    assert_page(&own, 200, CONFIRMED);
}

#[tokio::test]
async fn a_fault_keeps_the_link_and_the_button() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (id, link) = mailed(stack, "STORE1").await;
    stack.fault(&of_store("error").in_function("posbytz-email-confirm")).await;
    let failed = confirm(stack, &id, &link).await;
    assert_page(&failed, 500, "That did not work");
    assert!(failed.body.contains("<button"), "{failed:?}");
    stack.clear_faults().await;
    assert_page(&confirm(stack, &id, &link).await, 200, CONFIRMED);
}

#[tokio::test]
async fn of_a_button_and_a_program_at_once_one_verifies() {
    let stack = TestStack::shared().await;
    let (id, link) = mailed(stack, "BOTH").await;
    let button = all((0..10).map(|_| confirm(stack, &id, &link)));
    let program = all((0..10).map(|_| posbytz(stack).verify_email(&id, &link)));
    let (pages, answers) = tokio::join!(button, program);
    let confirmed = pages.iter().filter(|page| page.body.contains(CONFIRMED));
    let answered = answers.iter().filter(|reply| reply.body == SUCCESS);
    assert_eq!(confirmed.chain(answered).count(), 1, "{pages:?} {answers:?}");
}
