//! `GET /auth/signup/verify-otp`: the answer; what it does in a browser is in `tests/browser`.

use acceptance::World;

#[tokio::test]
async fn the_page_is_the_same_for_everybody_and_loads_nothing() {
    let world = World::shared().await;
    let path = "/auth/signup/verify-otp";
    let plain = world.send("GET", path, &[], "", None).await;
    assert_eq!(plain.status, 200);
    assert_eq!(plain.header("content-type"), "text/html; charset=utf-8");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(plain.header(name), value);
    }
    let policy = plain.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for other in [
        format!("{path}?otp_id=6661902bb6c41aba2ac07fc3"),
        format!("{path}?otp_id=%3Cscript%3Ealert(1)%3C/script%3E"),
        format!("/api{path}"),
    ] {
        let reply = world.send("GET", &other, &[], "", None).await;
        assert_eq!((reply.status, &reply.body), (200, &plain.body), "{other}");
    }
}
