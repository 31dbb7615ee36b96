//! The schedules that invoke functions.

use crate::clock::Clock;
use crate::lambda::Lambda;
use crate::{clock, random};
use axum::body::Bytes;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use template::Schedule;
use template::arn::{self, ACCOUNT, REGION};
use tokio::time::{Instant, MissedTickBehavior};

/// The longest period of a schedule. The local stack promises that effects that a fault delayed are
/// delivered within 30 seconds after the fault ends, so it does not wait for the template's rate.
const MAX_PERIOD: Duration = Duration::from_secs(10);

/// Invokes a function by a schedule, one invocation at a time, until the stack stops.
pub(crate) async fn run(function: String, schedule: Schedule, lambda: Arc<Lambda>, clock: Clock) {
    let period = schedule.period.min(MAX_PERIOD);
    let first = Instant::now().checked_add(period).unwrap_or_else(Instant::now);
    let mut ticks = tokio::time::interval_at(first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut passes = clock.passes();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // The clock lives as long as the stack.
            _ = passes.changed() => {}
        }
        let payload = match &schedule.input {
            Some(input) => input.to_string(),
            None => event(&schedule.name, clock.millis()),
        };
        // `Lambda` logs a failure. The next tick follows anyway.
        drop(lambda.invoke(&function, Bytes::from(payload)).await);
    }
}

/// Returns the event that EventBridge sends to the target of a schedule.
fn event(rule: &str, now: i64) -> String {
    json!({
        "version": "0",
        "id": random::uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": clock::iso_seconds(now),
        "region": REGION,
        "resources": [arn::rule(rule)],
        "detail": {},
    })
    .to_string()
}
