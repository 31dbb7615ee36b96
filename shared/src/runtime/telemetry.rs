//! Logs: one JSON object a line, on standard output.

use tracing::Level;

/// Starts logging at `info`. A second call changes nothing.
pub fn init() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(Level::INFO)
        .finish();
    // Only the first subscriber of a process is taken.
    _ = tracing::subscriber::set_global_default(subscriber);
}
