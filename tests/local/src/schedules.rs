//! Schedules that invoke functions.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use crate::lambda::Lambda;
use crate::template::{self, ACCOUNT, REGION, ScheduleSpec};
use crate::{clock, random};

/// The longest period between two ticks here. AWS keeps to the template's rate; the local stack promises that
/// whatever a fault held up is delivered within 30 seconds of its end, so it does not make anybody wait longer.
const LONGEST_PERIOD: Duration = Duration::from_secs(20);

/// Invokes a function at the schedule's rate, one invocation at a time, until the stack stops.
pub(crate) async fn run(function: String, schedule: ScheduleSpec, lambda: Arc<Lambda>) {
    let period = schedule.period.min(LONGEST_PERIOD);
    let first = Instant::now().checked_add(period).unwrap_or_else(Instant::now);
    let mut ticks = tokio::time::interval_at(first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let payload = schedule.input.clone().unwrap_or_else(|| event(&schedule.name));
        // A tick that fails is logged by the Lambda service; the next one comes anyway.
        drop(lambda.invoke(&function, Bytes::from(payload)).await);
    }
}

/// What EventBridge sends to a schedule's target.
fn event(rule: &str) -> String {
    json!({
        "version": "0",
        "id": random::uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": clock::iso_seconds(clock::unix_millis()),
        "region": REGION,
        "resources": [template::rule_arn(rule)],
        "detail": {},
    })
    .to_string()
}
