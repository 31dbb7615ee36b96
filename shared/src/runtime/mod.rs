//! The Lambda runtime: the environment, logs, metrics, and the loop of a function.

mod brands;
mod counters;
mod emf;
mod error;
mod once;
mod senders;
mod serve;
pub mod settings;
mod telemetry;
mod test_numbers;
mod trace;

pub use error::Error;
pub use once::{Once, SecretForm, Successors, Ticket};
pub use serve::{CallerOf, Handler, OnceFor, serve, serve_events};
pub use telemetry::init as init_telemetry;
pub use test_numbers::TestNumbersError;
pub use trace::trace_with;
