//! `$default`: what no route serves.

use acceptance::TestStack;
use acceptance::gotu::error;
use serde_json::json;

#[tokio::test]
async fn an_unknown_path_gets_the_answer_of_the_contract_that_owns_it() {
    let stack = TestStack::shared().await;
    for path in ["/otp/other", "/users/", "/sessions/other", "/users/1/devices"] {
        let reply = stack.request("POST", path).body("{}").await;
        reply.expect(404, &error("not found"));
        assert_eq!(reply.header("content-type"), "application/json");
    }
    for path in ["/", "/unknown", "/otpx", "/userx"] {
        let reply = stack.request("GET", path).await;
        reply.expect(404, &json!({"message": "Not Found"}));
    }
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_the_right_one() {
    let stack = TestStack::shared().await;
    for (method, function, allowed) in [
        ("GET", "gotu-post-otp", "POST"),
        ("DELETE", "gotu-post-otp", "POST"),
        ("PUT", "gotu-post-users", "POST, DELETE"),
    ] {
        let reply = stack.call(function).with_method(method).await;
        reply.expect(405, &error("method not allowed"));
        assert_eq!(reply.header("allow"), allowed);
    }
}

#[tokio::test]
async fn preflights_are_answered_and_answers_are_readable() {
    let stack = TestStack::shared().await;
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-device-id"),
    ];
    let reply = stack.call("gotu-post-users").with_method("OPTIONS").headers(&asked).await;
    reply.expect_text(204, "");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-methods"), "POST, DELETE");
    let allowed = reply.header("access-control-allow-headers");
    for header in ["content-type", "x-device-id", "x-device-token", "x-device-platform"] {
        assert!(allowed.contains(header), "{header} in {allowed}");
    }
    let reply = stack.call("gotu-post-users").json(&json!({})).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-credentials"), "");
}
