//! No route (Latchkey): takes what carriers report of messages.
//!
//! CloudWatch Logs invokes it with the delivery log of SNS, and EventBridge with the events of SES and End User
//! Messaging. An operator ends the time for which a recipient is left alone with `{"lift":"<number or address>"}`.

use latchkey::adapters::carrier_reports::read_reports;
use latchkey::contracts::{LatchkeyEvents, lifted_recipient};
use latchkey::runtime::{Error, serve_events, settings};
use latchkey::usecases::{ReportDeliveries, Reported};
use latchkey::wiring::Bootstrap;
use serde_json::{Value, json};
use std::sync::Arc;

async fn delivery_reports(report: &ReportDeliveries, event: Value) -> Result<Value, Error> {
    if let Some(recipient) = event.get("lift") {
        let recipient = lifted_recipient(recipient)?;
        let lifted = report.lift(&recipient).await?;
        tracing::warn!(?recipient, lifted, "an operator lets a recipient get messages again");
        return Ok(json!({"lifted": lifted}));
    }
    let Reported { new, repeated, unknown } = report.run(&read_reports(&event)?).await?;
    if unknown > 0 {
        tracing::info!(unknown, "reports about messages that this stack did not send lately");
    }
    Ok(json!({"new": new, "repeated": repeated, "unknown": unknown}))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut base = Bootstrap::from_env()?;
    let report = ReportDeliveries {
        deliveries: Arc::new(base.store()?),
        events: Arc::new(LatchkeyEvents),
        suppress_for: settings::suppression()?,
        clock: base.clock.clone(),
    };
    base.warm_up().await;
    serve_events(module_path!(), report, delivery_reports).await
}
