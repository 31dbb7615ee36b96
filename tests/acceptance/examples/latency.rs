//! Prints how long requests take: `cargo run -p acceptance --example latency [-- --release]`.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use acceptance::{NO_LIMITS, Reply, World, new_email, new_phone};
use serde_json::json;
use std::future::Future;
use std::time::{Duration, Instant};

/// Requests that are measured, one after the other.
const ROUNDS: usize = 200;

async fn measure<F: Future<Output = Reply>>(what: &str, status: u16, ask: impl Fn() -> F) {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let started = Instant::now();
        let reply = ask().await;
        assert_eq!(reply.status, status, "{what}: {reply:?}");
        // The first one starts the process.
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

/// Registered and unregistered mobiles in turn: what an attacker with a clock would see.
async fn interleaved(world: &World) {
    let known = "+85251224538";
    let body = json!({"user_auth": {"mobile": known, "address_attributes": {}}});
    assert_eq!(world.post("/api/v1/auth/signup", &body).await.status, 200);
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (mobile, times) in [known, "+85251641822"].into_iter().zip(&mut times) {
            let started = Instant::now();
            let reply = world.post("/api/v1/auth/send_pin", &json!({"mobile": mobile})).await;
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
    let world = World::measured(release, &NO_LIMITS).await;
    measure("POST /otp", 204, || async {
        world.post("/otp", &json!({"identifier": new_phone(), "otpType": "sign_up"})).await
    })
    .await;
    measure("POST /users by e-mail, with its password's hash", 200, || async {
        world.sign_up_by_email(&new_email()).await
    })
    .await;
    interleaved(&world).await;
    let cheap = [("ARGON2_MEMORY_KIB", "8"), ("ARGON2_ITERATIONS", "1")];
    let world = World::measured(release, &[NO_LIMITS.as_slice(), &cheap].concat()).await;
    measure("POST /users by e-mail, with a hash that costs nothing", 200, || async {
        world.sign_up_by_email(&new_email()).await
    })
    .await;
}
