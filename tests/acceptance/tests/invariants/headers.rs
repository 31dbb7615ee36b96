//! Every response tells browsers to use HTTPS alone, and not to guess types.

use acceptance::drivers::{driver_of, drivers};
use acceptance::faults::of_store;
use acceptance::{NO_LIMITS, Reply, TestStack};
use latchkey::contracts;

#[track_caller]
fn assert_secured(reply: &Reply, about: &str) {
    for (name, value) in [
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
    ] {
        let values: Vec<_> = reply.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{about}: {reply:?}");
    }
}

#[tokio::test]
async fn every_response_of_every_function_has_the_security_headers() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let drivers = drivers(stack).await;
    let mut statuses = Vec::new();
    for route in contracts::routes() {
        let sample = driver_of(&drivers, &route).requests(route.function).await.swap_remove(0);
        let evil = ("origin", "https://evil.example");
        for call in [
            sample.request(stack, &route, sample.text.as_bytes()),
            sample.request(stack, &route, sample.text.as_bytes()).headers(&[evil]),
            stack.request(route.method, route.path).body("{"),
            stack.request("OPTIONS", route.path).headers(&[evil]),
            stack.request("QUERY", route.path),
            stack.request("GET", &format!("{}/unknown", route.path)),
        ] {
            let reply = call.await;
            assert_secured(&reply, &format!("{} {}", route.method, route.path));
            statuses.push(reply.status);
        }
    }
    assert_secured(&stack.request("GET", "/").await, "/");
    stack.fault(&of_store("error")).await;
    let otp = r#"{"identifier":"+6282243350992","otpType":"sign_up"}"#;
    let reply = stack.call("gotu-post-otp").body(otp).await;
    assert_eq!(reply.status, 500);
    assert_secured(&reply, "a fault");
    for status in [200, 204, 400, 401, 403, 404, 405] {
        assert!(statuses.contains(&status), "no response had the status {status}");
    }
}
