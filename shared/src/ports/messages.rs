//! The port that sends text messages and mails.

use super::PortError;
use crate::domain::identifier::Identifier;
use async_trait::async_trait;
use std::fmt;

/// The name of the carrier of mails.
pub const MAIL_CARRIER: &str = "mail";

/// A text message or a mail to be sent.
pub struct Message {
    /// The recipient, which also decides the channel: SMS or mail.
    pub recipient: Identifier,
    /// The subject; only for mail.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The HTML part; only for mail.
    pub html: String,
}

impl fmt::Debug for Message {
    /// Shows only a part of the recipient, because the message contains a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?})", self.recipient)
    }
}

/// The outcome of [`Messages::send`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The carrier accepted the message.
    Accepted,
    /// The carrier will never accept it, for example because the recipient opted out. Contains the
    /// error code of the carrier.
    Refused(String),
}

/// A carrier of messages.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Hands a message to the carrier.
    ///
    /// # Errors
    /// The carrier could not be reached or failed. The call may be repeated.
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError>;
}
