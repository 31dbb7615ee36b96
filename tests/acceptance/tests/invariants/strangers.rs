//! Invariant 8: malformed input of any kind gets the contract's own 4xx and stores nothing.

use acceptance::{NO_LIMITS, World};
use serde_json::{Value, json};
use std::num::Wrapping;

/// A small generator with a fixed seed: the same bad bodies in every run.
struct Mutations(Wrapping<u64>);

impl Mutations {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0 * Wrapping(6_364_136_223_846_793_005) + Wrapping(1_442_695_040_888_963_407);
        usize::try_from(self.0.0 >> 33).unwrap().checked_rem(below).unwrap()
    }

    /// `body` with a few bytes overwritten, removed or repeated.
    fn of(&mut self, body: &[u8]) -> Vec<u8> {
        const BYTES: &[u8] = b"\0\"{}[],:\\\x80\xff0+eE.-nt \n";
        let mut bytes = body.to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(bytes.len());
            match self.next(3) {
                0 => bytes[at] = BYTES[self.next(BYTES.len())],
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, BYTES[self.next(BYTES.len())]),
            }
        }
        bytes
    }
}

#[tokio::test]
async fn mangled_requests_are_refused_in_the_contracts_words() {
    let world = World::with(&NO_LIMITS).await;
    let valid: [(&str, &[u8]); 8] = [
        ("/otp", br#"{"identifier":"+6282243350992","otpType":"sign_up"}"#),
        ("/users", br#"{"type":"phone","phoneNumber":"+6282243350992","otpCode":"22222","userType":"DNT"}"#),
        ("/users", br#"{"type":"email","email":"a@example.com","password":"short"}"#),
        ("/api/v1/auth/send_pin", br#"{"mobile":"+85251224538"}"#),
        ("/api/v1/auth/send_pin", b"mobile=%2B85251224538"),
        ("/api/v1/auth/signup", b"user_auth[mobile]=%2B8525122453&user_auth[address_attributes][district_id]=1"),
        ("/api/v1/auth/verify", br#"{"otp_auth_key":"/JqONEgEjrZefDV3ZIQsNA==","pin":"1234"}"#),
        ("/api/v1/auth/register_device", b"handle=h&platform=fcm"),
    ];
    let kinds = ["application/json", "application/x-www-form-urlencoded", "text/plain"];
    let mut mutations = Mutations(Wrapping(7));
    for round in 0..480 {
        let (path, body) = valid[round % valid.len()];
        let body = mutations.of(body);
        let shown = String::from_utf8_lossy(&body).into_owned();
        let kind = kinds[mutations.next(kinds.len())];
        let reply = world.send("POST", path, &[("content-type", kind)], body, None).await;
        // A mangled request may still be a request: for another number, or with a wrong code.
        let fine = matches!((path, reply.status), ("/otp", 204) | ("/api/v1/auth/send_pin", 200));
        if !fine {
            assert!(matches!(reply.status, 400 | 401 | 422), "{path} {shown}: {reply:?}");
            let json = reply.json();
            let said = json.as_object().unwrap();
            assert!(said.len() == 1 && (said.contains_key("error") || said.contains_key("errors")));
        }
    }
    for table in ["Users", "Identifiers", "Devices", "Sessions"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn mangled_requests_of_clients_are_refused_too() {
    let world = World::with(&NO_LIMITS).await;
    let invoke = "/2015-03-31/functions/posbytz-create-client/invocations";
    let client = json!({"store": "STORE1", "scopes": ["user:read", "user:write"]});
    let client = world.post(invoke, &client).await.json();
    let asked = json!({"grant_type": "client_credentials", "client_id": client["clientId"],
        "client_secret": client["clientSecret"], "scope": "user:read user:write"});
    let token = world.post("/ecommerce/oauth2/token", &asked).await.json()["access_token"].clone();
    let authorization = format!("Bearer {}", token.as_str().unwrap());
    let asked = asked.to_string();
    // Neither is ever right: a password is too short, and a mangled secret is another one.
    let valid: [(&str, &[u8]); 4] = [
        (
            "/ecommerce/v1/auth/signup",
            br#"{"email":"a@example.com","mobile":{"code":"+91","number":"9962794005"},"password":"short"}"#,
        ),
        ("/ecommerce/v1/auth/signup", br#"{"password":"1234567","referredBy":"632c34752269f12c57952275"}"#),
        ("/ecommerce/oauth2/token", asked.as_bytes()),
        ("/ecommerce/oauth2/token", b"grant_type=client_credentials&client_id=a&client_secret=b&scope=user%3Aread"),
    ];
    let mut mutations = Mutations(Wrapping(11));
    for round in 0..240 {
        let (path, body) = valid[round % valid.len()];
        let body = mutations.of(body);
        let shown = String::from_utf8_lossy(&body).into_owned();
        let headers = [("authorization", authorization.as_str())];
        let reply = world.send("POST", path, &headers, body, None).await;
        if path.ends_with("token") {
            // What was mangled may be the scope alone, or a space.
            let said = &reply.json();
            let known = matches!(reply.status, 400 | 401) && said["error"].is_string();
            assert!(known || said["access_token"].is_string(), "{shown}: {reply:?}");
        } else {
            assert_eq!(reply.status, 400, "{shown}: {reply:?}");
            let said = reply.json();
            assert!(said["errors"].is_object() && said["message"] == "Bad Request", "{reply:?}");
        }
    }
    for table in ["Users", "Identifiers", "Challenges", "Outbox"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

/// The event of a request that goes to the fallback.
fn event_of(path: &str, query: &str, headers: &[(&str, &str)]) -> Value {
    let mut event = json!({"version": "2.0", "routeKey": "$default", "rawPath": path,
        "rawQueryString": query, "isBase64Encoded": false,
        "headers": {"host": "api.example.com", "x-forwarded-proto": "https"},
        "requestContext": {"accountId": "000000000000", "apiId": "local", "stage": "$default",
            "domainName": "api.example.com", "domainPrefix": "api", "requestId": "stranger",
            "routeKey": "$default", "time": "22/Nov/2026:00:00:00 +0000", "timeEpoch": 0,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "stranger"}}});
    for (name, value) in headers {
        event["headers"][name] = json!(value);
    }
    event
}

/// A gateway hands on what a client wrote, whether a URI may hold it or not. If that killed an
/// invocation, a stranger could ring alarms and roll deployments back.
#[tokio::test]
async fn requests_that_are_no_uris_are_answered() {
    let world = World::shared().await;
    let paths = [
        "/users/a b",
        "/users/<b>",
        "/users/a?b",
        "/users/a#b",
        "/users/%",
        "/users/\u{e9}",
        "/users/^`\\|",
        "/users/\u{1f}\u{7f}",
    ];
    let queries = [
        "a=<b>",
        "a b",
        "\"",
        "a#b",
        "#",
        "\u{e9}=\u{1f600}",
        "%",
        "%zz",
        "\u{1}\u{7f}",
        "?",
        "a=^`{|}\\",
        "&&=&",
    ];
    let values = ["\u{e9}", "a\tb", "", "<b>", "a b,https"];
    let events = paths
        .iter()
        .map(|path| event_of(path, "", &[]))
        .chain(queries.iter().map(|query| event_of("/users/a", query, &[])))
        .chain(values.iter().map(|value| event_of("/users/a", "", &[("x-a", value)])))
        .chain(
            values.iter().map(|value| event_of("/users/a", "", &[("x-forwarded-proto", value)])),
        );
    for event in events {
        let reply = world.invoke("fallback", &event).await;
        let shown = (&event["rawPath"], &event["rawQueryString"], &event["headers"]);
        assert_eq!(reply.header("x-amz-function-error"), "", "{shown:?}: {reply:?}");
        let answer = reply.json();
        assert_eq!(answer["statusCode"], 404, "{shown:?}: {answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert!(body["error"].is_string(), "{shown:?}: {answer}");
    }
}
