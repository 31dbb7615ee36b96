//! The verbs of the core. Each builds its use case and runs it.

mod accounts;
mod clients;
mod codes;
mod deliveries;
mod devices;
mod history;
mod relay;
mod sessions;
mod versions;

pub use accounts::ShopSignUp;
pub use deliveries::SUPPRESSION;
pub use sessions::Session;
