//! What always holds (design.md), each by a test that would fail without it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod costs;
mod faults;
mod key_rotation;
mod races;
mod relay;
mod secrets;
mod sessions;
mod strangers;
