//! Latchkey's local stack: everything that `template.yaml` describes, running on this machine.
//!
//! [`Stack::start`] builds the function binaries and boots them behind an HTTP API front, with an embedded
//! DynamoDB, a poller for its streams, and stand-ins for SNS, SES, EventBridge and Secrets Manager that record
//! what they are given. Tests start as many stacks as they like in one process; `cargo run` starts one.
//!
//! The way of a request: [`gateway`] makes an event of it, [`lambda`] hands that to a process of the function,
//! the process calls [`aws`], which looks at each call, passes it to [`database`] or a stand-in, and can fail
//! on request. [`streams`] and [`schedules`] invoke the functions that nobody calls over HTTP. [`inspect`]
//! shows what happened. [`deployed`] puts the same
//! interface in front of functions that are deployed elsewhere.
#![expect(
    clippy::disallowed_methods,
    reason = "the rules on clocks and tasks are for code that runs in Lambda; this is the world around it"
)]

mod aws;
mod binaries;
mod clock;
mod database;
mod deployed;
mod files;
mod gateway;
mod inspect;
mod lambda;
mod logs;
mod options;
mod pattern;
mod project;
mod random;
mod records;
mod schedules;
mod stack;
mod streams;
mod sync;
mod template;

pub use aws::KeptSecret;
pub use options::Options;
pub use stack::Stack;
pub use streams::DeadLetter;
