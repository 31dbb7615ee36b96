//! Prints what each flow costs on AWS, from the measurements of the local stack:
//! `cargo run -p acceptance --example costs [-- --release]`.
//!
//! Each flow runs against the real functions. The write and read units are those of the embedded DynamoDB, and the durations are
//! those in the functions' own lines. The durations are of this machine, of debug builds unless `--release` is given, and of
//! warm processes.

#![expect(clippy::print_stdout, reason = "a table is printed")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that fails, fails"
)]

use acceptance::drivers::for_every_contract;
use acceptance::gotu::{PASSWORD, tokens};
use acceptance::{TestStack, WIDE_LIMITS, gotu, new_email, posbytz};
use serde_json::Value;
use std::sync::Mutex;
use template::Template;

/// List prices in USD, us-east-1, as published guides of 2025 and 2026 gave them on 2026-11-22. The prices of e-mails and SMS
/// are estimates, and the price of a text differs by country and carrier.
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
    /// A gigabyte of log lines that CloudWatch takes in.
    pub(super) const LOG_GIGABYTE: f64 = 0.50;
    /// A trace that X-Ray records.
    pub(super) const TRACE: f64 = 5.0e-6;
    /// A secret for a month.
    pub(super) const SECRET: f64 = 0.40;
    /// A call of Secrets Manager.
    pub(super) const SECRET_CALL: f64 = 0.05e-4;
    /// A metric that an alarm reads, for a month.
    pub(super) const ALARM_METRIC: f64 = 0.10;
    /// A metric of our own, for a month, up to 10,000 of them.
    pub(super) const METRIC: f64 = 0.30;
    /// A dashboard for a month, after the three that are free.
    pub(super) const DASHBOARD: f64 = 3.0;
    /// A text. Its price is between 0.003 (India, registered sender) and more than 0.20, by country.
    pub(super) const TEXT: f64 = 0.05;
}

/// The number of measured runs of a flow. One more run before them starts the processes.
const ROUNDS: u32 = 10;

/// The resources that were used so far.
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
    log_bytes: f64,
}

impl Used {
    /// The difference from `before`, for one round.
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
            log_bytes: per(self.log_bytes, before.log_bytes),
        }
    }

    /// The price without SMS.
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

/// The memory of a function in GB.
fn memory(template: &Template, function: &str) -> f64 {
    let megabytes = template.function(function).unwrap().memory_mb;
    f64::from(u32::try_from(megabytes).unwrap()) / 1024.0
}

/// The resources that were used since the start, once every effect is delivered.
async fn used(stack: &TestStack, template: &Template) -> Used {
    stack.wait_until_delivered("").await;
    let mut used = Used::default();
    for call in stack.local("calls").await["calls"].as_array().unwrap() {
        let units = call["units"].as_f64().unwrap_or_default();
        let operation = call["operation"].as_str().unwrap_or_default();
        if ["GetItem", "BatchGetItem", "Query", "Scan"].contains(&operation) {
            used.reads += units;
        } else {
            used.writes += units;
        }
    }
    for (function, line) in stack.json_lines() {
        if line["message"] != "request" && line["message"] != "batch" {
            continue;
        }
        // Lambda rounds up to a millisecond.
        let seconds = (line["duration_ms"].as_f64().unwrap() + 1.0) / 1000.0;
        used.gb_seconds += seconds * memory(template, &function);
        used.invocations += 1.0;
        used.requests += if line["message"] == "request" { 1.0 } else { 0.0 };
    }
    let lines: u32 = stack.logs().iter().map(|line| u32::try_from(line.len()).unwrap()).sum();
    used.log_bytes = f64::from(lines);
    used.events = count(&stack.local("events").await["events"]);
    let messages = stack.local("messages").await["messages"].as_array().unwrap().clone();
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

async fn measure(stack: &TestStack, name: &str, flow: impl AsyncFn()) -> Used {
    let template = Template::load().unwrap();
    flow().await;
    let before = used(stack, &template).await;
    for _ in 0..ROUNDS {
        flow().await;
    }
    let each = used(stack, &template).await.each(before);
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
    each
}

/// The seconds of a month of 30 days.
const MONTH: f64 = 30.0 * 86_400.0;
/// The line of the gateway's access log, in bytes, about.
const ACCESS_LINE: f64 = 600.0;
/// The part of requests that X-Ray records, besides one in each second.
const TRACED: f64 = 0.05;
/// What the metrics of our own are, by contract and function, in a stack that people use (`shared/docs/decisions/0010-operations.md`).
const METRICS: f64 = 60.0;
/// The age up to which a process keeps a key ring, in seconds, and the calls with which it reads one.
const KEY_RING: (f64, f64) = (300.0, 2.0);

/// The number of metrics that the alarms read.
fn alarm_metrics(template: &Template) -> f64 {
    let of_alarm = |alarm: &template::Alarm| {
        let queries = alarm.properties["Metrics"].as_array();
        let read =
            queries.map(|queries| queries.iter().filter(|it| it.get("MetricStat").is_some()));
        read.map_or(1.0, |queries| queries.map(|_| 1.0).sum())
    };
    template.alarms.iter().map(of_alarm).sum()
}

/// The invocations of the schedules in a second, each with the memory of its function, in GB.
fn scheduled(template: &Template) -> Vec<(f64, f64)> {
    let of_function = |function: &template::Function| {
        let memory = memory(template, &function.name);
        function.schedules().map(|it| (1.0 / it.period.as_secs_f64(), memory)).collect::<Vec<_>>()
    };
    template.functions.iter().flat_map(of_function).collect()
}

/// Prints what a stack without users costs in a month, in USD.
fn print_idle(template: &Template) -> f64 {
    let secrets: f64 = template.secrets.iter().map(|_| prices::SECRET).sum();
    let alarms = alarm_metrics(template) * prices::ALARM_METRIC;
    // Each sweep counts itself, also if there is nothing to deliver.
    let relay = template.functions.iter().filter(|function| function.name == "relay");
    let counted: f64 = relay.flat_map(template::Function::schedules).map(|_| prices::METRIC).sum();
    // A sweep that finds nothing takes some 30 ms.
    let runs = scheduled(template).into_iter();
    let runs: f64 = runs
        .map(|(rate, memory)| rate * (prices::INVOCATION + 0.03 * memory * prices::GB_SECOND))
        .sum();
    let sweeps = runs * MONTH;
    let parts = [
        ("secrets", secrets),
        ("alarms", alarms),
        ("metrics: the sweeps, by part", counted),
        ("the dashboard, if the account has three others", prices::DASHBOARD),
        ("schedules", sweeps),
    ];
    println!("\n| of a stack without users | USD a month |\n| --- | --- |");
    for (name, price) in parts {
        println!("| {name} | {price:.2} |");
    }
    let idle: f64 = parts.iter().map(|(_, price)| price).sum();
    println!("| in all | {idle:.2} |");
    idle
}

/// Prints what a stack costs in a month at so many sign-ups a second, in USD.
fn print_rates(idle: f64, sign_up: Used) {
    println!(
        "\n| sign-ups a second | requests and tables | logs and traces | metrics and keys | idle | without SMS, a sign-up | SMS | \n| --- | --- | --- | --- | --- | --- | --- |"
    );
    for rate in [1.0, 100.0, 10_000.0_f64] {
        let count = rate * MONTH;
        let bytes = sign_up.requests.mul_add(ACCESS_LINE, sign_up.log_bytes);
        let logs = count * bytes / 1e9 * prices::LOG_GIGABYTE;
        let traced = (sign_up.requests * rate).mul_add(TRACED, 1.0_f64.min(rate));
        let recorded = traced * MONTH * prices::TRACE;
        // Each request keeps a process busy for its duration; each process reads two rings.
        let processes = (rate * sign_up.gb_seconds / 0.25).ceil();
        let (age, calls) = KEY_RING;
        let keys = processes * 2.0 * calls / age * MONTH * prices::SECRET_CALL;
        let (work, seen, watch) =
            (count * sign_up.price(), logs + recorded, METRICS * prices::METRIC + keys);
        let each = (work + seen + watch + idle) / count;
        println!(
            "| {rate:.0} | {work:.0} | {seen:.0} | {watch:.0} | {idle:.0} | {each:.6} | {:.0} |",
            count * sign_up.texts * prices::TEXT
        );
    }
}

#[tokio::main]
async fn main() {
    let release = std::env::args().any(|argument| argument == "--release");
    let stack = &TestStack::measured(release, &WIDE_LIMITS).await;
    println!(
        "| flow | write units | read units | requests | GB s | events | e-mails | SMS | USD per 1000 without SMS | with SMS at {} USD |",
        prices::TEXT
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let sign_up = Mutex::new(Used::default());
    for_every_contract(stack, async |driver| {
        let name = driver.facts().name;
        let title = format!("{name}: sign up with a code");
        let each = measure(stack, &title, async || {
            driver.signed_up(&driver.new_person()).await;
        });
        let each = each.await;
        if name == "gotu" {
            *sign_up.lock().unwrap() = each;
        }
        measure(stack, &format!("{name}: a code that is not used"), async || {
            driver.asked(&driver.new_person()).await;
        })
        .await;
        let person = driver.new_person();
        driver.signed_up(&person).await;
        measure(stack, &format!("{name}: sign in"), async || {
            assert_eq!(driver.sign_in(&person).await.status, 200);
        })
        .await;
    })
    .await;
    measure_gotu_by_mail(stack).await;
    measure_posbytz_by_mail(stack).await;
    let idle = print_idle(&Template::load().unwrap());
    let sign_up = *sign_up.lock().unwrap();
    print_rates(idle, sign_up);
}

async fn measure_gotu_by_mail(stack: &TestStack) {
    measure(stack, "gotu: sign up by e-mail", async || {
        assert_eq!(gotu(stack).sign_up_by_email(&new_email()).await.status, 200);
    })
    .await;
    let email = new_email();
    assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 200);
    measure(stack, "gotu: sign in by e-mail", async || {
        assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
    })
    .await;
    let latest = Mutex::new(tokens(&gotu(stack).sign_in(&email, PASSWORD).await).refresh);
    measure(stack, "gotu: refresh a session", async || {
        let token = latest.lock().unwrap().clone();
        let next = tokens(&gotu(stack).refresh(&token).await).refresh;
        *latest.lock().unwrap() = next;
    })
    .await;
}

async fn measure_posbytz_by_mail(stack: &TestStack) {
    let token = posbytz(stack).store_token("STORE1").await;
    measure(stack, "posbytz: sign up by e-mail", async || {
        posbytz(stack).registered(&token, &new_email()).await;
    })
    .await;
}
