//! The rules: identifiers, codes, passwords, users, sessions and events.
//!
//! Nothing here does I/O, reads a clock or a random source, serializes or names a vendor. Time and
//! random bytes are arguments.

pub mod account;
pub mod attributes;
pub mod bill;
pub mod budget;
pub mod challenge;
pub mod client;
pub mod code;
mod common_passwords;
pub mod delivery;
pub mod device;
pub mod email;
pub mod event;
pub mod history;
pub mod id;
pub mod idempotency;
pub mod identifier;
pub mod key_rotation;
pub mod known_sources;
pub mod link;
mod mac_message;
pub mod outbox;
pub mod password;
pub mod password_attempts;
pub mod phone;
pub mod proof;
pub mod realm;
pub mod risk;
pub mod sender;
pub mod sends;
pub mod session;
pub mod source;
pub mod test_numbers;
pub mod time;
pub mod user;
pub mod username;
pub mod wallet;
