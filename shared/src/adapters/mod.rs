//! The adapters: implementations of the ports. Only they name vendors and use the machine.

pub mod answer_keys;
pub mod argon2;
pub mod aws;
mod call_counter;
pub mod carrier_accounts;
pub mod carrier_reports;
pub mod code_keys;
pub mod dynamodb;
pub mod end_user_messaging;
pub mod eventbridge;
pub mod hashes;
pub mod jwt;
pub mod key_ring;
pub mod old_system;
pub mod person_hashes;
pub mod refresh_keys;
mod ring_mac;
pub mod secret_rotation;
pub mod ses;
mod signed_calls;
pub mod sns;
pub mod system;
pub mod trace_hash;
pub mod webhook;
