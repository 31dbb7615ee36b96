//! What always holds (design.md), each by a test that would fail without it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod alarms;
mod cloudwatch;
mod costs;
mod faults;
mod key_rotation;
mod lines;
mod races;
mod relay;
mod secrets;
mod sessions;
mod strangers;
