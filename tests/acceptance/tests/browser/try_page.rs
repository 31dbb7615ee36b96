//! The page of the local stack to try requests.

use super::browser::in_browser_of;
use super::console::{picture, pictures, wait};
use acceptance::NO_LIMITS;
use serde_json::json;

pub(super) async fn a_request_is_tried_on_the_page() {
    in_browser_of(&NO_LIMITS, async |browser| {
        browser.open("/openapi/?urls.primaryName=gotu").await;
        let operations = "return document.querySelectorAll('.opblock').length === 10";
        wait(browser, "the operations of Gotu", operations).await;
        browser.run("document.querySelector('#operations-default-postOtp .opblock-summary-control').click()").await;
        let button = "#operations-default-postOtp button.execute";
        wait(browser, "the button", &format!("return document.querySelector({}) !== null", json!(button))).await;
        if let Some(folder) = pictures() {
            picture(browser, &folder.join("openapi.png")).await;
        }
        browser.run(&format!("document.querySelector({}).click()", json!(button))).await;
        let answered = "const cells = document.querySelectorAll('.live-responses-table td.response-col_status');
            return [...cells].some((cell) => cell.innerText.startsWith('204'))";
        wait(browser, "the answer", answered).await;
    })
    .await;
}
