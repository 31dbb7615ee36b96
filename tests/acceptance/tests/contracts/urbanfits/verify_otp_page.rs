//! `GET /auth/signup/verify-otp`: the answer; what it does in a browser is in `tests/browser`.

use acceptance::{TestStack, urbanfits};

#[tokio::test]
async fn the_page_is_the_same_for_every_request_and_loads_nothing() {
    let stack = TestStack::shared().await;
    let page = || urbanfits(stack).verify_otp_page();
    let plain = page().await;
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
        page().query("otp_id=6661902bb6c41aba2ac07fc3"),
        page().query("otp_id=%3Cscript%3Ealert(1)%3C/script%3E"),
        page().under("/api"),
    ] {
        other.await.expect_text(200, &plain.body);
    }
}
