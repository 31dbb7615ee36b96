//! Every outcome of every use case, on the real adapters over an embedded DynamoDB.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::similar_names, reason = "a core has codes")]

mod attacks;
mod bill;
mod check_code;
mod clients;
mod delete_account;
mod deliver_effects;
mod enter_by_code;
mod first_proof;
mod hashes;
mod history;
mod key_ring;
mod models;
mod other_hashes;
mod prove_recipient;
mod refresh;
mod register_device;
mod report_deliveries;
mod request_code;
mod reset_password;
mod rotate_keys;
mod sessions;
mod shop;
mod sign_in;
mod sign_out;
mod sign_up;
mod sign_up_to_verify;
mod sign_up_two_step;
mod sign_up_unverified;
mod stored_facts;
mod unverified;
mod verify_by_code;
mod verify_by_handle;
mod verify_by_link;
mod versions;
