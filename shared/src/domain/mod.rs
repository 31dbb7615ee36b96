//! What is true: identifiers, codes, passwords, users, sessions, events.
//!
//! Nothing here does I/O, reads a clock, asks for randomness, knows JSON or names a vendor.
//! Time and random bytes come in as arguments.

pub mod budget;
pub mod challenge;
pub mod client;
pub mod code;
pub mod device;
pub mod email;
pub mod event;
pub mod id;
pub mod identifier;
pub mod key_rotation;
pub mod link;
pub mod outbox;
pub mod password;
pub mod password_attempts;
pub mod phone;
pub mod realm;
pub mod sends;
pub mod session;
pub mod source;
pub mod time;
pub mod user;
pub mod username;
pub mod wallet;
