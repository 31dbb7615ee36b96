//! Logs, as one JSON object for each line on standard output, and the counters and the trace of each
//! request.

use super::counters::CountingLayer;
use super::trace::TraceLayer;
use crate::ports::{METRIC_EVENTS, TRACE_EVENTS};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

/// Starts logging at the level `INFO`. A second call has no effect.
pub fn init() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_filter(filter_fn(|metadata| {
            ![METRIC_EVENTS, TRACE_EVENTS].contains(&metadata.target())
        }));
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(CountingLayer)
        .with(TraceLayer)
        .with(lines);
    // A process keeps its first subscriber.
    _ = tracing::subscriber::set_global_default(subscriber);
}
