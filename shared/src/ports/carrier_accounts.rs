//! The port for what carriers say of the account and of a recipient, without sending anything.

use super::PortError;
use crate::domain::email::EmailAddress;
use crate::domain::phone::PhoneNumber;
use async_trait::async_trait;

/// What the carrier of texts says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextAccount {
    /// Whether the number asked for no more texts.
    pub opted_out: bool,
    /// Whether the account may send to verified numbers alone, and this one is not.
    pub is_outside_sandbox: bool,
    /// The most that the account may spend in a month, in US dollars as the carrier writes them.
    pub monthly_limit_usd: Option<String>,
}

/// What the carrier of mails says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailAccount {
    /// Whether the account may send to verified addresses alone.
    pub in_sandbox: bool,
    /// Whether the account may send nothing at the moment.
    pub is_paused: bool,
    /// Why the carrier sends nothing to the address, such as `BOUNCE`.
    pub suppressed: Option<String>,
}

/// Questions to carriers.
#[async_trait]
pub trait CarrierAccounts: Send + Sync {
    /// Asks about texts to a number.
    async fn of_texts(&self, phone: &PhoneNumber) -> Result<TextAccount, PortError>;

    /// Asks about mails to an address.
    async fn of_mails(&self, email: &EmailAddress) -> Result<MailAccount, PortError>;
}
