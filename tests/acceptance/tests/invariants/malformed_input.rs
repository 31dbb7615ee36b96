//! Malformed input of any kind gets a 4xx in the format of its contract, and stores nothing.

use acceptance::drivers::{Driver, Outcome, Sample, driver_of, drivers};
use acceptance::{NO_LIMITS, Reply, TestStack};
use latchkey::contracts::{self, Route};
use serde_json::{Value, json};
use std::num::Wrapping;

/// A small generator of random numbers with a fixed seed: the same malformed requests in every run.
struct Mutations(Wrapping<u64>);

impl Mutations {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0 * Wrapping(6_364_136_223_846_793_005) + Wrapping(1_442_695_040_888_963_407);
        usize::try_from(self.0.0 >> 33).unwrap().checked_rem(below).unwrap()
    }

    /// `text` with a few bytes overwritten, removed or inserted.
    fn of(&mut self, text: &[u8]) -> Vec<u8> {
        const BYTES: &[u8] = b"\0\"{}[],:\\\x80\xff0+eE.-nt \n";
        let mut bytes = text.to_vec();
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

/// The number of malformed requests of each sample at each route.
const ROUNDS: usize = 40;

/// The tables that a refused request must not write to.
const STORED: [&str; 6] = ["Users", "Identifiers", "Devices", "Sessions", "Ledger", "Clients"];

#[track_caller]
fn assert_answered(driver: &dyn Driver, route: &Route, sample: &Sample, reply: &Reply) {
    if reply.status < 300 {
        let accepted = sample.outcome == Outcome::AcceptedOrRefused;
        assert!(accepted, "{} accepted {sample:?}: {reply:?}", route.function);
    } else {
        let refused = (400..500).contains(&reply.status);
        let refused = refused && driver.is_refusal(route.function, reply);
        assert!(refused, "{}: {reply:?}", route.function);
    }
}

async fn stored(stack: &TestStack) -> Vec<usize> {
    let mut counts = Vec::new();
    for table in STORED {
        counts.push(stack.items(table).await.len());
    }
    counts
}

#[tokio::test]
async fn mangled_requests_to_every_route_are_refused_in_the_format_of_its_contract() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let drivers = drivers(stack).await;
    let kinds = ["application/json", "application/x-www-form-urlencoded", "text/plain"];
    let mut mutations = Mutations(Wrapping(7));
    for route in contracts::routes() {
        let driver = driver_of(&drivers, &route);
        let samples = driver.requests(route.function).await;
        let before = stored(stack).await;
        for sample in &samples {
            for _ in 0..ROUNDS {
                let text = mutations.of(sample.text.as_bytes());
                let mut call = sample.request(stack, &route, &text);
                if !sample.headers.iter().any(|(name, _)| *name == "content-type") {
                    call = call.header("content-type", kinds[mutations.next(kinds.len())]);
                }
                let reply = call.await;
                let shown = String::from_utf8_lossy(&text);
                let context = || format!("{} {} {shown:?}", route.method, route.path);
                assert!(reply.status < 500, "{}: {reply:?}", context());
                assert_answered(driver, &route, sample, &reply);
            }
        }
        assert_eq!(stored(stack).await, before, "{} stored something", route.function);
    }
}

/// The event of a request that goes to the fallback.
fn event_of(path: &str, query: &str, headers: &[(&str, &str)]) -> Value {
    let mut event = json!({"version": "2.0", "routeKey": "$default", "rawPath": path,
        "rawQueryString": query, "isBase64Encoded": false,
        "headers": {"host": "api.example.com", "x-forwarded-proto": "https"},
        "requestContext": {"accountId": "000000000000", "apiId": "local", "stage": "$default",
            "domainName": "api.example.com", "domainPrefix": "api", "requestId": "malformed",
            "routeKey": "$default", "time": "22/Nov/2026:00:00:00 +0000", "timeEpoch": 0,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "test"}}});
    for (name, value) in headers {
        event["headers"][name] = json!(value);
    }
    event
}

/// A gateway passes on what a client wrote, even if it is not a valid URI. If such a request ended an invocation, an
/// attacker could raise alarms and roll deployments back.
#[tokio::test]
async fn requests_whose_target_is_not_a_uri_are_answered() {
    let stack = TestStack::shared().await;
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
        let reply = stack.invoke("fallback", &event).await;
        let shown = (&event["rawPath"], &event["rawQueryString"], &event["headers"]);
        assert_eq!(reply.header("x-amz-function-error"), "", "{shown:?}: {reply:?}");
        let answer = reply.json();
        assert_eq!(answer["statusCode"], 404, "{shown:?}: {answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert!(body["error"].is_string(), "{shown:?}: {answer}");
    }
}
