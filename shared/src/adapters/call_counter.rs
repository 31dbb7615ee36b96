//! Counts the calls of AWS services, their duration and the write units of DynamoDB.

use crate::ports::{METRIC_EVENTS, MetricEvent, record_metric};
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::client::interceptors::context::Output;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use serde::Deserialize;
use std::time::Instant;

/// Records each call of a client as a metric. A call with its retries counts once.
#[derive(Debug)]
pub(super) struct CallCounter {
    /// The name of the service, as in `AWS_ENDPOINT_URL_<NAME>`.
    pub(super) service: &'static str,
}

/// The services whose refusals can be the release's fault. What carriers refuse is mostly the account's.
const OF_THE_STACK: [&str; 2] = ["DYNAMODB", "SECRETS_MANAGER"];
/// What these services answer if the release asks for what it may not, or in a form that they do not know. An outage or
/// a throttle has other codes.
const DEFECTS: [&str; 3] =
    ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"];

/// The error in the answer of a service with the JSON protocol.
#[derive(Deserialize)]
struct ErrorAnswer {
    /// The code, behind a name space and `#` with some services.
    #[serde(rename = "__type")]
    kind: String,
}

/// Returns whether the answer of a service says that the release is wrong. The rest of the answer can hold what
/// users typed, as the item of a condition that failed, so it decides nothing.
fn is_defect(service: &str, answer: &[u8]) -> bool {
    if !OF_THE_STACK.contains(&service) {
        return false;
    }
    let Ok(ErrorAnswer { kind }) = serde_json::from_slice(answer) else { return false };
    let code = kind.rsplit('#').next().unwrap_or_default();
    DEFECTS.contains(&code)
}

/// The start of a call.
#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

/// Returns the write units of an answer. DynamoDB reports them only for successful writes.
fn write_units(output: &Output) -> f64 {
    let units = |used: &ConsumedCapacity| used.capacity_units();
    if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
        return output.consumed_capacity().iter().filter_map(units).sum();
    }
    let used = if let Some(output) = output.downcast_ref::<PutItemOutput>() {
        output.consumed_capacity()
    } else if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
        output.consumed_capacity()
    } else if let Some(output) = output.downcast_ref::<DeleteItemOutput>() {
        output.consumed_capacity()
    } else {
        None
    };
    used.and_then(units).unwrap_or_default()
}

impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    #[expect(clippy::disallowed_methods, reason = "measures a call for the request's log line")]
    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Began(Instant::now()));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let took = config.load::<Began>().map(|began| began.0.elapsed()).unwrap_or_default();
        let call_micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let outcome = context.output_or_error();
        if outcome.is_some_and(|outcome| outcome.is_err()) {
            let answer = context.response().and_then(|response| response.body().bytes());
            if answer.is_some_and(|answer| is_defect(self.service, answer)) {
                record_metric(None, MetricEvent::Defect);
            }
        }
        let answer = outcome.and_then(Result::ok);
        let write_units = answer.map(write_units).unwrap_or_default();
        tracing::info!(target: METRIC_EVENTS, service = self.service, call_micros, write_units);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_release_does_wrong_is_told_from_an_outage() {
        let answer = |code: &str| {
            format!("{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{code}\",\"message\":\"m\"}}")
        };
        for code in DEFECTS {
            assert!(is_defect("DYNAMODB", answer(code).as_bytes()), "{code}");
            let short = format!("{{\"__type\":\"{code}\"}}");
            assert!(is_defect("SECRETS_MANAGER", short.as_bytes()), "{code}");
            assert!(!is_defect("SNS", answer(code).as_bytes()), "a carrier: {code}");
        }
        for code in [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "TransactionCanceledException",
            "InternalServerError",
        ] {
            assert!(!is_defect("DYNAMODB", answer(code).as_bytes()), "{code}");
        }
        assert!(!is_defect("DYNAMODB", b""));
        // A user can type the code, and a condition that failed shows the item.
        let typed = br#"{"Item":{"first_name":{"S":"AccessDeniedException"}},"message":"ValidationException",
            "__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}"#;
        assert!(!is_defect("DYNAMODB", typed));
    }
}
