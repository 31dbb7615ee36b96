//! The port that sends text messages and mails.

use super::PortError;
use crate::domain::identifier::Identifier;
use crate::domain::sender::Sender;
use async_trait::async_trait;
use std::fmt;

/// The name of the carrier of mails.
pub const MAIL_CARRIER: &str = "mail";

/// A text message or a mail to be sent.
pub struct Message {
    /// An id that is the same in every try, so that a carrier can tell a repetition.
    pub id: String,
    /// The recipient, which also decides the channel: SMS or mail.
    pub recipient: Identifier,
    /// The name of the contract, by which the carrier of mails knows its sender.
    pub contract: String,
    /// The name of the text, such as `posbytz.verify` or `posbytz.verify.hi`, by which a country's
    /// register knows it.
    pub name: String,
    /// Who sends a text.
    pub sender: Sender,
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
    /// The carrier accepted the message. Contains its id for it, by which it reports what became of it, unless
    /// it does not report.
    Accepted(Option<String>),
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
    /// The carrier could not be reached, failed, or refuses everything that the account sends
    /// ([`PortError::is_misconfiguration`]). The call may be repeated.
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError>;
}
