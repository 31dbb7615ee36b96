use super::PortError;
use crate::domain::identifier::Identifier;
use async_trait::async_trait;
use std::fmt;

/// A text message or a mail, ready to be sent.
pub struct Message {
    /// Who gets it, and with that the channel: SMS or mail.
    pub recipient: Identifier,
    /// The subject, for mail.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The HTML part, for mail.
    pub html: String,
}

impl fmt::Debug for Message {
    /// Shows the recipient's tail only: a message carries a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?})", self.recipient)
    }
}

/// What the carrier said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It took the message.
    Accepted,
    /// It will never take it: opted out, no such recipient. Holds the carrier's error code.
    Refused(String),
}

/// Sends messages.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Hands a message to the carrier.
    ///
    /// # Errors
    /// The carrier is out of reach or out of order: worth another try.
    async fn send(&self, message: &Message) -> Result<Sent, PortError>;
}
