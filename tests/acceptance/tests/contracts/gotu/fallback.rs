//! `$default`: what no route serves.

use acceptance::World;
use serde_json::json;

#[tokio::test]
async fn unknown_paths_get_the_owners_words() {
    let world = World::shared().await;
    for path in ["/otp/other", "/users/", "/sessions/other", "/users/1/devices"] {
        let reply = world.send("POST", path, &[], "{}", None).await;
        reply.expect(404, &json!({"error": "not found"}));
        assert_eq!(reply.header("content-type"), "application/json");
    }
    for path in ["/", "/nobody", "/otpx", "/userx"] {
        let reply = world.send("GET", path, &[], "", None).await;
        reply.expect(404, &json!({"message": "Not Found"}));
    }
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_one() {
    let world = World::shared().await;
    for (method, path) in [("GET", "/otp"), ("PUT", "/users"), ("DELETE", "/users")] {
        let reply = world.send(method, path, &[], "", None).await;
        reply.expect(405, &json!({"error": "method not allowed"}));
        assert_eq!(reply.header("allow"), "POST");
    }
}

#[tokio::test]
async fn preflights_are_answered_and_answers_are_readable() {
    let world = World::shared().await;
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-device-id"),
    ];
    let reply = world.send("OPTIONS", "/users", &asked, "", None).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-methods"), "POST");
    let allowed = reply.header("access-control-allow-headers");
    for header in ["content-type", "x-device-id", "x-device-token", "x-device-platform"] {
        assert!(allowed.contains(header), "{header} in {allowed}");
    }
    let reply = world.post("/users", &json!({})).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-credentials"), "");
}
