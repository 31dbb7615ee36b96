//! The page behind the link of a mail.

use super::browser::{Browser, in_browser};
use acceptance::{new_email, posbytz};
use serde_json::json;

const HEADING: &str = "return document.getElementById('heading').innerText";

/// Presses the button, and waits until the next page has this heading.
async fn press_until(browser: &Browser<'_>, heading: &str) {
    browser.run("document.getElementById('send').click()").await;
    let shown = || async { Some(browser.run(HEADING).await).filter(|seen| seen == heading) };
    browser.stack.wait_for(heading, shown).await;
}

pub(super) async fn the_button_confirms_the_address_once() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let (email, token) = (new_email(), posbytz(stack).store_token("BROWSER").await);
        let (id, link) = posbytz(stack).mailed(&token, &email).await;
        let path = format!("{}{link}", posbytz(stack).link_of(&id));
        let path = path.strip_prefix(stack.url()).unwrap();
        let verified =
            || async { stack.items_with("Users", &id).await[0]["email_verified"].clone() };

        browser.open(path).await;
        let roles = ["RootWebArea", "main", "heading", "button"];
        assert_eq!(
            browser.exposed(&roles).await,
            [
                "RootWebArea Confirm your address",
                "button Confirm",
                "heading Confirm your address",
                "main ",
            ]
        );
        assert_eq!(verified().await, json!(false));
        press_until(browser, "Your address is confirmed").await;
        assert_eq!(verified().await, json!(true));
        browser.assert_no_error().await;

        browser.open(path).await;
        press_until(browser, "Your address is already confirmed").await;
        browser.assert_no_error().await;
    })
    .await;
}
