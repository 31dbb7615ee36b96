//! The ports through which contracts give messages and events their format.

use crate::domain::challenge::ChallengeKey;
use crate::domain::code::{CodeFormat, OneTimeCode};
use crate::domain::event::{EventIds, EventMessage, Fact};
use crate::domain::id::UserId;
use crate::domain::link::LinkToken;
use crate::domain::realm::Realm;
use crate::ports::PortError;
use std::time::Duration;

/// The content of a message.
#[derive(Debug)]
pub struct MessageContent {
    /// What follows the name of the text: empty for the first language of a contract, such as `.hi` for
    /// another one.
    pub variant: String,
    /// The subject; only for mail.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The HTML part; only for mail.
    pub html: String,
}

impl MessageContent {
    /// A message in the first language of its contract.
    #[must_use]
    pub const fn new(subject: String, text: String, html: String) -> Self {
        Self { variant: String::new(), subject, text, html }
    }
}

/// The message templates of the contracts.
pub trait MessageTemplates: Send + Sync {
    /// Returns the format of a contract's codes; `None` for an unknown contract.
    fn code_format(&self, realm: &Realm) -> Option<CodeFormat>;

    /// Returns the message that contains the code of a challenge. `lifetime` is the time for which the
    /// code is valid. An empty `locale` is the first language of the contract. `None` for an unknown
    /// contract.
    fn code_content(
        &self,
        challenge: &ChallengeKey,
        locale: &str,
        code: &OneTimeCode,
        lifetime: Duration,
    ) -> Option<MessageContent>;

    /// Returns the message to a recipient that asks to sign up and has an account: how to enter it.
    /// `None` if the contract has no such message.
    fn account_notice(&self, realm: &Realm, locale: &str) -> Option<MessageContent>;

    /// Returns the mail that contains a link to verify an e-mail address. `lifetime` is the time
    /// for which the link is valid. `None` when the contract has no such mail.
    fn link_content(
        &self,
        realm: &Realm,
        locale: &str,
        user: &UserId,
        link: &LinkToken,
        lifetime: Duration,
    ) -> Option<MessageContent>;
}

/// The mapping from facts to the events of a contract.
pub trait EventMapper: Send + Sync {
    /// Returns the events for a fact, in order. The list is empty if the contract has no event for
    /// it.
    ///
    /// # Errors
    /// An event could not be serialized, which is a defect of the contract.
    fn events(&self, fact: &Fact, ids: &EventIds) -> Result<Vec<EventMessage>, PortError>;
}
