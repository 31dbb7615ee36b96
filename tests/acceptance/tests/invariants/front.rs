//! A front before the API is believed only if it proves itself, and may be made the only way in.

use acceptance::{Call, NO_LIMITS, Reply, TestStack, new_phone};
use latchkey::contracts;

/// The secret of the front.
pub(super) const SECRET: &str = "front-secret-4c1d";
pub(super) const SECRET_SHA256: &str =
    "0475c2fe646e9be7145c08b8d447d06d36bee260f726f4eb57d648b7ac3bb678";
/// The secret that replaces [`SECRET`].
const NEXT_SECRET: &str = "front-secret-next";
const NEXT_SECRET_SHA256: &str = "911bd80ecd90540550e84c6741f757f4c00e54a06992f9148f3e2dc5425a12ca";

/// A stack where a source address may ask for two codes in an hour.
async fn stack(env: &[(&str, &str)]) -> TestStack {
    let limit = [("OTP_SENDS_PER_HOUR_PER_IP", "2"), ("OTP_SENDS_PER_HOUR", "5")];
    TestStack::with(&[&limit[..], env].concat()).await
}

/// A request for a code to a new phone.
fn ask(stack: &TestStack) -> Call<'_> {
    let phone = new_phone();
    let body = format!(r#"{{"identifier":"{phone}","otpType":"sign_up"}}"#);
    stack.call("gotu-post-otp").body(body)
}

/// Asks for three codes, two of which a source may have.
async fn statuses(stack: &TestStack, headers: &[(&str, &str)]) -> [u16; 3] {
    let mut statuses = [0; 3];
    for status in &mut statuses {
        *status = ask(stack).headers(headers).await.status;
    }
    statuses
}

/// What each request of a source with two codes left is answered.
const NEW_SOURCE: [u16; 3] = [204, 204, 429];
/// What each request of a source without codes left is answered.
const SPENT_SOURCE: [u16; 3] = [429, 429, 429];

#[tokio::test]
async fn without_a_front_the_headers_of_one_are_not_read() {
    let stack = &stack(&[]).await;
    let headers = |viewer| [("x-origin-secret", SECRET), ("cloudfront-viewer-address", viewer)];
    assert_eq!(statuses(stack, &headers("198.51.100.1:443")).await, NEW_SOURCE);
    assert_eq!(statuses(stack, &headers("198.51.100.2:443")).await, SPENT_SOURCE);
}

#[tokio::test]
async fn the_address_of_the_viewer_counts_only_with_the_secret() {
    let stack = &stack(&[("EDGE_SECRET_SHA256", SECRET_SHA256)]).await;
    let viewer = |address| ("cloudfront-viewer-address", address);
    let secret = ("x-origin-secret", SECRET);
    for address in ["198.51.100.1:46532", "198.51.100.2:46532", "[2001:db8:1::1]:443"] {
        assert_eq!(statuses(stack, &[secret, viewer(address)]).await, NEW_SOURCE, "{address}");
    }
    // CloudFront writes an IPv6 address without brackets. Both are addresses of one network of 64 bits.
    for (address, expected) in
        [("2001:db8:2::1:46532", NEW_SOURCE), ("2001:db8:2:0:1:2:3:4:46533", SPENT_SOURCE)]
    {
        assert_eq!(statuses(stack, &[secret, viewer(address)]).await, expected, "{address}");
    }
    // All others are the address of the gateway's caller.
    let mut expected = NEW_SOURCE;
    for headers in [
        &[viewer("198.51.100.3:46532")][..],
        &[("x-origin-secret", ""), viewer("198.51.100.3:46532")],
        &[("x-origin-secret", "front-secret-4c1e"), viewer("198.51.100.4:46532")],
        &[("x-origin-secret", SECRET_SHA256), viewer("198.51.100.5:46532")],
        &[("x-origin-secret", SECRET), ("x-origin-secret", "other"), viewer("198.51.100.6:1")],
        &[secret, viewer("198.51.100.7")],
        &[secret, viewer("nonsense:1")],
        &[secret],
        &[],
    ] {
        assert_eq!(statuses(stack, headers).await, expected, "{headers:?}");
        expected = SPENT_SOURCE;
    }
}

#[tokio::test]
async fn the_front_can_replace_its_secret_without_a_gap() {
    let both = format!("{SECRET_SHA256},{}", NEXT_SECRET_SHA256.to_uppercase());
    let stack = &stack(&[("EDGE_SECRET_SHA256", &both)]).await;
    for (secret, address) in [(SECRET, "198.51.100.1:1"), (NEXT_SECRET, "198.51.100.2:1")] {
        let headers = [("x-origin-secret", secret), ("cloudfront-viewer-address", address)];
        assert_eq!(statuses(stack, &headers).await, NEW_SOURCE, "{secret}");
    }
}

#[track_caller]
fn assert_forbidden(reply: &Reply) {
    reply.expect_text(403, r#"{"message":"Forbidden"}"#);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_front_that_is_required_cannot_be_passed_by() {
    let env = [("EDGE_SECRET_SHA256", SECRET_SHA256), ("EDGE_REQUIRED", "true")];
    let stack = &TestStack::with(&[&NO_LIMITS[..], &env].concat()).await;
    let requests = contracts::routes().map(|route| (route.method, route.path));
    let others = [("OPTIONS", "/otp"), ("GET", "/otp"), ("POST", "/auth/unknown"), ("GET", "/")];
    for (method, path) in requests.chain(others) {
        let request = || stack.request(method, path).body("{}");
        let viewer = ("cloudfront-viewer-address", "198.51.100.1:443");
        assert_forbidden(&request().await);
        assert_forbidden(&request().headers(&[viewer, ("x-origin-secret", "a guess")]).await);
        let reply = request().headers(&[viewer, ("x-origin-secret", SECRET)]).await;
        assert!(reply.body != r#"{"message":"Forbidden"}"#, "{method} {path}: {reply:?}");
    }
    let (reply, calls) = stack.calls_during("gotu-post-otp", ask(stack)).await;
    assert_forbidden(&reply);
    assert!(calls.is_empty(), "{calls:?}");
    let logs = stack.logs().join("\n");
    for text in [SECRET, SECRET_SHA256, "a guess"] {
        assert!(!logs.contains(text), "a log line has {text}");
    }
}

#[tokio::test]
async fn a_front_that_cannot_be_recognized_stops_the_start() {
    for env in [
        [("EDGE_SECRET_SHA256", ""), ("EDGE_REQUIRED", "true")],
        [("EDGE_SECRET_SHA256", SECRET), ("EDGE_REQUIRED", "false")],
        [("EDGE_SECRET_SHA256", SECRET_SHA256), ("EDGE_REQUIRED", "perhaps")],
    ] {
        let stack = &TestStack::with(&[&NO_LIMITS[..], &env].concat()).await;
        for function in ["gotu-post-otp", "urbanfits-verify-otp-page"] {
            let reply = stack.call(function).await;
            assert!(reply.status >= 500, "{function} started with {env:?}: {reply:?}");
        }
        assert!(!stack.logs().join("\n").contains(SECRET), "a log line has the secret");
    }
}
