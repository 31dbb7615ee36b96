//! The local stack: everything that `template.yaml` declares, on this machine.
//!
//! [`Stack::start`] builds the binary of the functions and starts them behind an HTTP API, with
//! an embedded DynamoDB and stand-ins for SNS, SES, EventBridge and Secrets Manager that record
//! what they get. `cargo run` starts one stack. Tests start as many as they like in one process.
//!
//! A request goes this way: [`gateway`] makes an event of it, [`lambda`] gives the event to a
//! process of the function, the process calls [`aws`], which records the call, applies faults and
//! executes the call in the [`backend`]. [`streams`] and [`schedules`] invoke the functions that
//! have no route. [`consumers`] get the events that the functions put on the bus. [`admin_api`] shows
//! what happened. [`deployed`] runs the functions in an emulated
//! AWS account instead. README.md of this crate describes the flags and the admin API.
#![expect(
    clippy::disallowed_methods,
    reason = "the rules on clocks and tasks are for code that runs in Lambda"
)]

mod activity;
mod admin_api;
mod asyncapi;
mod aws;
mod backend;
mod binary;
pub mod cli;
mod clock;
mod console;
mod consumers;
mod database;
mod deployed;
mod exec;
mod files;
mod gateway;
mod lambda;
mod logs;
mod namespaces;
mod options;
mod random;
mod records;
mod schedules;
mod settings;
mod stack;
mod streams;
mod sync;
mod terminal;
mod try_page;
mod watch;

pub use aws::SecretSnapshot;
pub use consumers::{Retries, WebConsumer};
pub use options::{Functions, LANES, Log, Options};
pub use stack::Stack;
pub use watch::{BuildState, BuildStatus};
