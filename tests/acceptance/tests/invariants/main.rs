//! What always holds, for every contract. Each test fails without its invariant.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod admin_api;
mod alarms;
mod amazon_roots;
mod attacks;
mod bill;
mod costs;
mod data_model;
mod delivery_reports;
mod documented;
mod enumeration;
mod event_order;
mod faults;
mod first_proof;
mod front;
mod headers;
mod import;
mod key_rotation;
mod logging;
mod malformed_input;
mod move_in;
mod other_hashes;
mod pages;
mod people;
mod races;
mod relay;
mod releases;
mod repeats;
mod secrets;
mod sessions;
mod settings;
mod test_numbers;
mod token_holders;
mod traces;
mod walks;
