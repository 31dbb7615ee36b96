use crate::domain::challenge::Purpose;
use crate::domain::code::{CodeFormat, OneTimeCode};
use crate::domain::event::{EventIds, EventMessage, Fact};
use crate::domain::id::UserId;
use crate::domain::link::LinkToken;
use crate::domain::realm::Realm;
use crate::ports::PortError;
use std::time::Duration;

/// A message's words.
pub struct MessageContent {
    /// The subject, for mail.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The HTML part, for mail.
    pub html: String,
}

/// How contracts word their messages.
pub trait MessageTemplates: Send + Sync {
    /// The codes of a contract; `None` when there is no such contract.
    fn code_format(&self, realm: &Realm) -> Option<CodeFormat>;

    /// The message that carries a code. `lifetime` is how long the code works.
    fn code_content(
        &self,
        realm: &Realm,
        purpose: Purpose,
        locale: &str,
        code: &OneTimeCode,
        lifetime: Duration,
    ) -> Option<MessageContent>;

    /// The mail that carries a link which verifies a user's address; `None` when the contract has
    /// no such mail. `lifetime` is how long the link works.
    fn link_content(
        &self,
        realm: &Realm,
        locale: &str,
        user: &UserId,
        link: &LinkToken,
        lifetime: Duration,
    ) -> Option<MessageContent>;
}

/// How a contract spells its events.
pub trait EventMapper: Send + Sync {
    /// The events that say that something happened, in order; none, if the contract does not say
    /// it.
    ///
    /// # Errors
    /// An event could not be written, which is a mistake in the contract.
    fn events(&self, fact: &Fact, ids: &EventIds) -> Result<Vec<EventMessage>, PortError>;
}
