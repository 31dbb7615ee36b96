//! A page of a foreign site cannot make its visitors send messages, sign up or sign in.

use acceptance::drivers::{Sample, driver_of, drivers};
use acceptance::{Call, Reply, TestStack, without_limits};
use latchkey::contracts::{self, Route};

/// The page that each contract allows in these tests.
const CONFIGURED: &str = "https://app.example";

/// A stack whose contracts all allow [`CONFIGURED`].
async fn stack() -> TestStack {
    let names =
        ["GOTU", "GOODCITY", "URBANFITS", "POSBYTZ"].map(|name| format!("ALLOWED_ORIGINS_{name}"));
    let env: Vec<_> = names.iter().map(|name| (name.as_str(), CONFIGURED)).collect();
    TestStack::with(&without_limits(&env)).await
}

/// The headers of requests that foreign pages can make a browser send.
fn foreign(stack: &TestStack) -> Vec<Vec<(&'static str, String)>> {
    let origin = |value: &str| vec![("origin", value.to_owned())];
    let site = |value: &str| ("sec-fetch-site", value.to_owned());
    let mut requests: Vec<_> = [
        "https://evil.example",
        "https://app.example.evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://sub.app.example",
        "null",
        "",
    ]
    .map(origin)
    .into();
    requests.push(vec![site("cross-site")]);
    requests.push(vec![("origin", "https://evil.example".to_owned()), site("same-origin")]);
    // The same host over plain HTTP is another site for a browser.
    requests.push(vec![("origin", stack.url().to_owned()), site("cross-site")]);
    requests
}

/// The headers of requests of apps, of pages of the same site, and of configured pages.
fn accepted(stack: &TestStack) -> Vec<Vec<(&'static str, String)>> {
    let site = |value: &str| ("sec-fetch-site", value.to_owned());
    vec![
        vec![],
        vec![site("none")],
        vec![site("same-origin")],
        vec![site("same-site")],
        vec![("origin", CONFIGURED.to_owned())],
        vec![("origin", CONFIGURED.to_owned()), site("cross-site")],
        vec![("origin", stack.url().to_owned()), site("same-origin")],
    ]
}

fn with<'a>(mut call: Call<'a>, headers: &[(&str, String)]) -> Call<'a> {
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call
}

fn call<'a>(stack: &'a TestStack, route: &Route, sample: &Sample) -> Call<'a> {
    sample.request(stack, route, sample.text.as_bytes())
}

/// Whether an answer is the contract's refusal of a foreign page. No other refusal of a route has this text.
fn refuses_page(reply: &Reply) -> bool {
    reply.status == 403 && reply.body.to_lowercase().contains("this page may not send this request")
}

/// The routes that only read. None of them sends a message, or opens a session. A new route that is read with GET must be
/// added here after a look at what a link in a foreign page can do with it.
const READING: [&str; 4] = [
    "goodcity-current-user-profile",
    "posbytz-email-verify",
    "urbanfits-get-me",
    "urbanfits-verify-otp-page",
];

#[tokio::test]
async fn a_foreign_page_is_refused_before_anything_is_read_or_written() {
    let stack = &stack().await;
    let drivers = drivers(stack).await;
    for route in contracts::routes().filter(|route| !READING.contains(&route.function)) {
        let driver = driver_of(&drivers, &route);
        let sample = driver.requests(route.function).await.swap_remove(0);
        // The calls of the function's start are over then.
        call(stack, &route, &sample).await;
        for headers in foreign(stack) {
            let request = with(call(stack, &route, &sample), &headers);
            let (reply, calls) = stack.calls_during(route.function, request).await;
            let about = format!("{} {} {headers:?}: {reply:?}", route.method, route.path);
            assert!(refuses_page(&reply), "{about}");
            assert!(driver.is_refusal(route.function, &reply), "{about}");
            assert!(calls.is_empty(), "{about}: {calls:?}");
        }
    }
}

#[tokio::test]
async fn apps_and_configured_pages_are_served() {
    let stack = &stack().await;
    let drivers = drivers(stack).await;
    for route in contracts::routes() {
        let driver = driver_of(&drivers, &route);
        let sample = driver.requests(route.function).await.swap_remove(0);
        for headers in accepted(stack) {
            let reply = with(call(stack, &route, &sample), &headers).await;
            assert!(!refuses_page(&reply), "{} {} {headers:?}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn a_link_in_a_foreign_page_or_mail_leads_to_every_route_that_only_reads() {
    let stack = &stack().await;
    let drivers = drivers(stack).await;
    let (reading, others): (Vec<_>, Vec<_>) =
        contracts::routes().partition(|route| READING.contains(&route.function));
    assert!(others.iter().all(|route| route.method != "GET"), "{others:?}");
    for route in reading {
        assert_eq!(route.method, "GET");
        let sample = driver_of(&drivers, &route).requests(route.function).await.swap_remove(0);
        for headers in foreign(stack) {
            let reply = with(call(stack, &route, &sample), &headers).await;
            assert!(!refuses_page(&reply), "{} {headers:?}", route.path);
        }
    }
}

#[tokio::test]
async fn a_foreign_page_gets_the_usual_answers_about_paths_methods_and_preflights() {
    let stack = &stack().await;
    let page = |method, path| stack.request(method, path).header("origin", "https://evil.example");
    for path in ["/otp/x", "/api/v1/x", "/auth/x", "/ecommerce/x", "/x"] {
        assert_eq!(page("POST", path).await.status, 404, "{path}");
    }
    for route in contracts::routes() {
        assert_eq!(page("OPTIONS", route.path).await.status, 204, "{}", route.path);
        // No contract has a route for this method.
        assert_eq!(page("QUERY", route.path).await.status, 405, "{}", route.path);
    }
}

/// Its requests have no preflight, because a form sends them.
#[tokio::test]
async fn a_form_in_a_foreign_page_sends_no_text_and_no_mail() {
    let stack = &stack().await;
    let headers = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let (phone, mobile, email) =
        (acceptance::new_phone(), acceptance::goodcity::new_mobile(), acceptance::new_email());
    let otp = format!(r#"{{"identifier":"{phone}","otpType":"sign_up"}}"#);
    let reply = stack
        .call("gotu-post-otp")
        .headers(&headers)
        .header("content-type", "text/plain")
        .body(otp);
    reply.await.expect_text(403, r#"{"error":"this page may not send this request"}"#);
    let form = format!(
        "user_auth[mobile]={}&user_auth[address_attributes][district_id]=1",
        mobile.replace('+', "%2B")
    );
    let reply = stack.call("goodcity-signup").headers(&headers).form(form).await;
    reply.expect_text(403, r#"{"error":"This page may not send this request"}"#);
    let sign_up = format!(
        r#"{{"username":"a_visitor","email":"{email}","phone_prefix":"+971","phone_number":"501234567",
            "password":"a long password","timezone":"Asia/Dubai","accept_policies":true}}"#
    );
    let reply = stack.call("urbanfits-signup").headers(&headers).body(sign_up).await;
    reply.expect_text(403, r#"{"success":false,"msg":"This page may not send this request."}"#);
    let token = "grant_type=client_credentials&client_id=a&client_secret=b";
    let reply = stack.call("posbytz-oauth2-token").headers(&headers).form(token).await;
    let body =
        r#"{"error":"invalid_request","error_description":"This page may not send this request"}"#;
    reply.expect_text(403, body);
    let reply = stack.call("posbytz-signin").headers(&headers).body("{}").await;
    let body =
        r#"{"statusCode":403,"message":"This page may not send this request","error":"Forbidden"}"#;
    reply.expect_text(403, body);
    for table in ["Challenges", "Users", "Identifiers", "Budgets", "Outbox"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
}
