//! Prints how long requests take: `cargo run -p acceptance --example latency [-- --release]`.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use acceptance::goodcity::otp_auth_key;
use acceptance::{
    NO_LIMITS, Reply, TestStack, goodcity, gotu, new_email, new_phone, without_limits,
};
use std::future::IntoFuture;
use std::time::{Duration, Instant};

/// The number of measured requests, one after the other.
const ROUNDS: usize = 200;

async fn measure<F: IntoFuture<Output = Reply>>(what: &str, status: u16, ask: impl Fn() -> F) {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let started = Instant::now();
        let reply = ask().await;
        assert_eq!(reply.status, status, "{what}: {reply:?}");
        // The first request starts the process.
        if round > 0 {
            times.push(started.elapsed());
        }
    }
    times.sort();
    let at =
        |share: usize| times.get(ROUNDS.saturating_mul(share) / 100).copied().unwrap_or_default();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    println!("{what}: median {:.1} ms, p95 {:.1} ms", millis(at(50)), millis(at(95)));
}

/// Measures registered and unregistered mobiles in turn, as an attacker with a clock would.
async fn interleaved(stack: &TestStack) {
    let known = "+85251224538";
    assert_eq!(otp_auth_key(&goodcity(stack).sign_up(known).await).len(), 24);
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (mobile, times) in [known, "+85251641822"].into_iter().zip(&mut times) {
            let started = Instant::now();
            let reply = goodcity(stack).send_pin(mobile).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            if round > 0 {
                times.push(started.elapsed());
            }
        }
    }
    let medians = times.map(|mut times| {
        times.sort();
        times.get(ROUNDS / 2).map_or(0.0, Duration::as_secs_f64)
    });
    let [registered, unregistered] = medians.map(|median| median * 1000.0);
    let apart = (registered - unregistered).abs() / registered.max(unregistered) * 100.0;
    println!(
        "send_pin: median {registered:.2} ms registered, {unregistered:.2} ms not; {apart:.1} % apart"
    );
}

#[tokio::main]
async fn main() {
    let release = std::env::args().any(|argument| argument == "--release");
    let stack = &TestStack::measured(release, &NO_LIMITS).await;
    measure("gotu: ask for a code", 204, || gotu(stack).ask_for_code(&new_phone(), "sign_up"))
        .await;
    let sign_up = || gotu(stack).sign_up_by_email(&new_email());
    measure("gotu: sign up by e-mail, with the hash of a password", 200, sign_up).await;
    interleaved(stack).await;
    let cheap = [("ARGON2_MEMORY_KIB", "8"), ("ARGON2_ITERATIONS", "1")];
    let stack = &TestStack::measured(release, &without_limits(&cheap)).await;
    let sign_up = || gotu(stack).sign_up_by_email(&new_email());
    measure("gotu: sign up by e-mail, with a hash that costs nothing", 200, sign_up).await;
}
