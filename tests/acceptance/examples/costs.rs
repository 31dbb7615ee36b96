//! Prints what a flow costs on AWS, from what the local stack measures:
//! `cargo run -p acceptance --example costs [-- --release]`.
//!
//! Each flow runs against the real functions; the write and read units are the embedded DynamoDB's, the
//! durations the functions' own lines. Durations are of this machine, of its debug builds without
//! `--release`, and of warm processes.

#![expect(clippy::print_stdout, reason = "a table is printed")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that fails, fails"
)]

use acceptance::{Reply, World, code_in, new_email, new_phone};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// List prices in USD, us-east-1, as published guides of 2025 and 2026 gave them on 2026-11-22. Those of mail and text are
/// from memory: texts differ by country and carrier.
mod prices {
    /// A write unit, on demand.
    pub(super) const WRITE_UNIT: f64 = 0.625e-6;
    /// A read unit, on demand.
    pub(super) const READ_UNIT: f64 = 0.125e-6;
    /// A gigabyte-second of Lambda, x86-64.
    pub(super) const GB_SECOND: f64 = 16.6667e-6;
    /// An invocation.
    pub(super) const INVOCATION: f64 = 0.20e-6;
    /// A request of an HTTP API.
    pub(super) const API_REQUEST: f64 = 1.00e-6;
    /// An event put on a bus.
    pub(super) const EVENT: f64 = 1.00e-6;
    /// A mail.
    pub(super) const MAIL: f64 = 0.10e-3;
    /// A text; between 0.003 (India, registered sender) and 0.20 and more, by country.
    pub(super) const TEXT: f64 = 0.05;
}

/// How often a flow runs; the first one, which starts processes, does not count.
const ROUNDS: u32 = 10;

/// Limits that are there, and cost what they cost, but that nobody here reaches.
const WIDE_LIMITS: [(&str, &str); 4] = [
    ("OTP_RESEND_SECONDS", "0"),
    ("OTP_SENDS_PER_HOUR", "1000"),
    ("OTP_SENDS_PER_HOUR_PER_IP", "1000000"),
    ("OTP_GUESSES_PER_HOUR_PER_IP", "1000000"),
];

/// What has been used so far.
#[derive(Clone, Copy, Default)]
struct Used {
    writes: f64,
    reads: f64,
    requests: f64,
    invocations: f64,
    gb_seconds: f64,
    events: f64,
    texts: f64,
    mails: f64,
}

impl Used {
    /// This less `before`, for one round.
    fn each(self, before: Self) -> Self {
        let per = |now: f64, before: f64| (now - before) / f64::from(ROUNDS);
        Self {
            writes: per(self.writes, before.writes),
            reads: per(self.reads, before.reads),
            requests: per(self.requests, before.requests),
            invocations: per(self.invocations, before.invocations),
            gb_seconds: per(self.gb_seconds, before.gb_seconds),
            events: per(self.events, before.events),
            texts: per(self.texts, before.texts),
            mails: per(self.mails, before.mails),
        }
    }

    /// What it costs without texts.
    fn price(self) -> f64 {
        self.writes * prices::WRITE_UNIT
            + self.reads * prices::READ_UNIT
            + self.requests * prices::API_REQUEST
            + self.invocations * prices::INVOCATION
            + self.gb_seconds * prices::GB_SECOND
            + self.events * prices::EVENT
            + self.mails * prices::MAIL
    }
}

fn untagged(value: &yaml_serde::Value) -> &yaml_serde::Value {
    match value {
        yaml_serde::Value::Tagged(tagged) => untagged(&tagged.value),
        value => value,
    }
}

/// The memory of a function in GB.
fn memory(template: &yaml_serde::Value, function: &str) -> f64 {
    let default = &template["Globals"]["Function"]["MemorySize"];
    let resources = template["Resources"].as_mapping().unwrap().iter();
    let own = resources.map(|(_, resource)| resource).find(|resource| {
        untagged(&resource["Metadata"])["BuildProperties"]["Binary"].as_str() == Some(function)
    });
    let own = own.map(|resource| &resource["Properties"]["MemorySize"]);
    own.and_then(yaml_serde::Value::as_f64).or_else(|| default.as_f64()).unwrap() / 1024.0
}

/// Everything used since the start, once nothing is on its way any more.
async fn used(world: &World, template: &yaml_serde::Value) -> Used {
    let idle = || async { world.items("Outbox").await.is_empty().then_some(()) };
    world.until("an empty outbox", idle).await;
    let mut used = Used::default();
    for call in world.local("calls").await["calls"].as_array().unwrap() {
        let units = call["units"].as_f64().unwrap_or_default();
        let operation = call["operation"].as_str().unwrap_or_default();
        if ["GetItem", "BatchGetItem", "Query", "Scan"].contains(&operation) {
            used.reads += units;
        } else {
            used.writes += units;
        }
    }
    for line in world.stack().logs() {
        let Some((function, line)) = line.strip_prefix('[').and_then(|l| l.split_once("] ")) else {
            continue;
        };
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        if line["message"] != "request" && line["message"] != "batch" {
            continue;
        }
        // Lambda rounds up to a millisecond.
        let seconds = (line["duration_ms"].as_f64().unwrap() + 1.0) / 1000.0;
        used.gb_seconds += seconds * memory(template, function);
        used.invocations += 1.0;
        used.requests += if line["message"] == "request" { 1.0 } else { 0.0 };
    }
    used.events = count(&world.local("events").await["events"]);
    let messages = world.local("messages").await["messages"].as_array().unwrap().clone();
    for message in &messages {
        if message["channel"] == "sms" {
            used.texts += 1.0;
        } else {
            used.mails += 1.0;
        }
    }
    used
}

fn count(list: &Value) -> f64 {
    list.as_array().unwrap().iter().map(|_| 1.0).sum()
}

async fn measure(world: &World, name: &str, flow: impl AsyncFn()) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    flow().await;
    let before = used(world, &template).await;
    for _ in 0..ROUNDS {
        flow().await;
    }
    let each = used(world, &template).await.each(before);
    println!(
        "| {name} | {:.1} | {:.1} | {:.1} | {:.3} | {:.1} | {:.1} | {:.1} | {:.3} | {:.2} |",
        each.writes,
        each.reads,
        each.requests,
        each.gb_seconds,
        each.events,
        each.mails,
        each.texts,
        each.price() * 1000.0,
        each.texts.mul_add(prices::TEXT, each.price()) * 1000.0,
    );
}

#[tokio::main]
async fn main() {
    let release = std::env::args().any(|argument| argument == "--release");
    let world = &World::measured(release, &WIDE_LIMITS).await;
    println!(
        "| flow | write units | read units | requests | GB s | events | mails | texts | USD per 1000 without texts | with texts at {} USD |",
        prices::TEXT
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    measure(world, "Gotu: sign up by phone", async || {
        let phone = new_phone();
        let code = world.code(&phone, "sign_up", 1).await;
        assert_eq!(world.sign_up_by_phone(&phone, &code).await.status, 200);
    })
    .await;
    measure(world, "Gotu: sign up by e-mail", async || {
        assert_eq!(world.sign_up_by_email(&new_email()).await.status, 200);
    })
    .await;
    measure(world, "Gotu: a code that nobody uses", async || {
        let body = json!({"identifier": new_phone(), "otpType": "sign_up"});
        assert_eq!(world.post("/otp", &body).await.status, 204);
    })
    .await;
    let email = new_email();
    assert_eq!(world.sign_up_by_email(&email).await.status, 200);
    let sign_in = json!({"email": email, "password": "correct horse"});
    measure(world, "Gotu: sign in by e-mail", async || {
        assert_eq!(world.post("/sessions", &sign_in).await.status, 200);
    })
    .await;
    let session = world.post("/sessions", &sign_in).await;
    let latest = Mutex::new(session.json()["data"]["refreshToken"].clone());
    measure(world, "Gotu: refresh a session", async || {
        let body = json!({"refreshToken": *latest.lock().unwrap()});
        let reply = world.post("/sessions/refresh", &body).await;
        assert_eq!(reply.status, 200);
        *latest.lock().unwrap() = reply.json()["data"]["refreshToken"].clone();
    })
    .await;
    measure_urbanfits(world).await;
    measure_goodcity(world).await;
    measure_posbytz(world).await;
}

async fn measure_urbanfits(world: &World) {
    let sign_up = async || {
        let email = new_email();
        let name = email.split('@').next().unwrap();
        let body = json!({"username": name, "email": email, "phone_prefix": "+92",
            "phone_number": "30142353150", "password": "correct horse", "timezone": "Asia/Dubai",
            "accept_policies": true});
        let otp_id = world.post("/auth/signup", &body).await.json()["otp_id"].clone();
        let otp = sent_code(world, &email, 1).await;
        let body = json!({"otp_id": otp_id, "otp": otp});
        assert_eq!(world.post("/auth/signup/callback", &body).await.status, 200);
        email
    };
    measure(world, "UrbanFits: sign up", async || drop(sign_up().await)).await;
    let sign_in = json!({"email": sign_up().await, "password": "correct horse"});
    measure(world, "UrbanFits: log in", async || {
        assert_eq!(world.post("/auth/login", &sign_in).await.status, 200);
    })
    .await;
}

async fn measure_goodcity(world: &World) {
    let (mobiles, pins) = (AtomicU32::new(51_000_000), AtomicUsize::new(1));
    let verify = async |mobile: &str, asked: &Reply, count: usize| {
        let pin = sent_code(world, mobile, count).await;
        let body = json!({"otp_auth_key": asked.json()["otp_auth_key"], "pin": pin});
        assert_eq!(world.post("/api/v1/auth/verify", &body).await.status, 200);
    };
    let sign_up = async || {
        let mobile = format!("+852{}", mobiles.fetch_add(1, Ordering::Relaxed));
        let body = json!({"user_auth": {"mobile": mobile, "address_attributes": {}}});
        let asked = world.post("/api/v1/auth/signup", &body).await;
        verify(&mobile, &asked, 1).await;
        mobile
    };
    measure(world, "GoodCity: sign up and verify", async || drop(sign_up().await)).await;
    let mobile = sign_up().await;
    measure(world, "GoodCity: sign in by pin", async || {
        let asked = world.post("/api/v1/auth/send_pin", &json!({"mobile": mobile})).await;
        let count = pins.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        verify(&mobile, &asked, count).await;
    })
    .await;
}

async fn measure_posbytz(world: &World) {
    let payload = json!({"store": "STORE1", "scopes": ["user:read", "user:write"]});
    let client = world.invoke("posbytz-create-client", &payload).await.json();
    let body = json!({"grant_type": "client_credentials", "client_id": client["clientId"],
        "client_secret": client["clientSecret"], "scope": "user:read user:write"});
    let token = world.post("/ecommerce/oauth2/token", &body).await.json()["access_token"].clone();
    let authorization = format!("Bearer {}", token.as_str().unwrap());
    let headers = [("content-type", "application/json"), ("authorization", &authorization)];
    let call = async |path: &str, body: Value| {
        let path = format!("/ecommerce/v1/auth/{path}");
        world.send("POST", &path, &headers, body.to_string(), None).await
    };
    let numbers = AtomicU32::new(9_900_000);
    measure(world, "PosBytz: sign up by mobile", async || {
        let number = format!("990{}", numbers.fetch_add(1, Ordering::Relaxed));
        let mobile = json!({"code": "+91", "number": number});
        let body = json!({"mobile": mobile, "password": "correct horse"});
        assert_eq!(call("signup", body).await.status, 201);
        let code: u32 = sent_code(world, &format!("+91{number}"), 1).await.parse().unwrap();
        let body = json!({"otp": code, "source": "mobile", "mobile": mobile});
        assert_eq!(call("otp/verify", body).await.status, 200);
    })
    .await;
    let sign_up = async || {
        let email = new_email();
        let body = json!({"email": email, "password": "correct horse"});
        assert_eq!(call("signup", body.clone()).await.status, 201);
        let mail = world.message(&email, 1).await;
        let mut words = mail["body"].as_str().unwrap().split_whitespace();
        let link = words.find_map(|word| word.strip_prefix(world.stack().url())).unwrap();
        assert_eq!(world.send("GET", link, &[], "", None).await.status, 200);
        body
    };
    measure(world, "PosBytz: sign up by e-mail", async || drop(sign_up().await)).await;
    let sign_in = sign_up().await;
    measure(world, "PosBytz: sign in", async || {
        assert_eq!(call("signin", sign_in.clone()).await.status, 200);
    })
    .await;
}

/// The code in message number `count` to somebody.
async fn sent_code(world: &World, to: &str, count: usize) -> String {
    code_in(world.message(to, count).await["body"].as_str().unwrap())
}
