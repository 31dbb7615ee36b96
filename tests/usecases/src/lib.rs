//! What the tests of the use cases share: a [`Core`] whose verbs are the use cases.
//!
//! A core has its own embedded `DynamoDB`, a clock that the test moves and entropy that follows from
//! a seed. It runs in the process of the test, so a test takes milliseconds. The adapters are the
//! real ones; only the carriers of messages and events record what they get. [`Keys`] are rotated in
//! the same way, over a stand-in for Secrets Manager.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::missing_panics_doc, reason = "each function panics when the test fails")]
#![expect(clippy::must_use_candidate, reason = "some tests only need what a function changes")]

mod carriers;
mod clock;
mod contract;
mod core;
mod database;
mod entropy;
mod hashes;
mod keys;
mod people;
mod refusal;
mod secrets;
mod stepping;
mod verbs;

pub use carriers::{Answer, Carrier, EventBus, Sent};
pub use clock::{ManualClock, START};
pub use contract::{CONTRACT, wrong};
pub use core::{Core, Rules};
pub use entropy::SeededEntropy;
pub use hashes::HashCase;
pub use keys::{COPY_LIFETIME, INTERVAL, KEY, Keys, Process, Turn, UNTIL_KNOWN};
pub use people::{
    abroad, address, email, number, other_email, other_phone, other_source, password, phone,
    source, source_at, username,
};
pub use refusal::Refusal;
pub use secrets::{Mishap, ServedSecrets};
pub use stepping::Steps;
pub use verbs::{SUPPRESSION, Session, ShopSignUp};
