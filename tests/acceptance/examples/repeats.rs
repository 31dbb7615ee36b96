//! What an idempotency key costs at each endpoint: round trips and write units of a warm process, without and with it. Prints
//! the table of `shared/docs/costs.md`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "prints its results")]

use acceptance::requests::{ENDPOINTS, prepare};
use acceptance::{NO_LIMITS, TestStack};
use serde_json::Value;

/// The calls of a request, and the units that they wrote.
fn cost(calls: &[Value]) -> (usize, f64) {
    let writes = calls.iter().filter(|call| !call["operation"].as_str().unwrap().contains("Get"));
    (calls.len(), writes.filter_map(|call| call["units"].as_f64()).sum())
}

#[tokio::main]
async fn main() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    println!("| endpoint | calls | write units | calls with a key | write units with a key |");
    println!("| --- | --- | --- | --- | --- |");
    for endpoint in ENDPOINTS {
        prepare(stack, endpoint).await.call().await;
        let plain = prepare(stack, endpoint).await;
        let (_, plain) = stack.calls_during(endpoint.0, plain.call()).await;
        let keyed = prepare(stack, endpoint).await;
        let keyed = keyed.call().header("idempotency-key", format!("k-{}", endpoint.1.len()));
        let (_, keyed) = stack.calls_during(endpoint.0, keyed).await;
        let ((calls, units), (keyed_calls, keyed_units)) = (cost(&plain), cost(&keyed));
        let name = [endpoint.0, endpoint.1].join(" ");
        println!("| {} | {calls} | {units} | {keyed_calls} | {keyed_units} |", name.trim_end());
    }
}
