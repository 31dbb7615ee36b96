//! A contract for tests: codes of six digits, one event for each fact, messages that contain nothing
//! but the code or the link.

use latchkey::domain::challenge::{ChallengeKey, Purpose};
use latchkey::domain::code::{CodeFormat, OneTimeCode};
use latchkey::domain::delivery::{DeliveryReport, SentMessage};
use latchkey::domain::event::{EventIds, EventMessage, Fact};
use latchkey::domain::id::UserId;
use latchkey::domain::link::LinkToken;
use latchkey::domain::outbox::CodeMessage;
use latchkey::domain::realm::Realm;
use latchkey::domain::test_numbers::{TestNumber, event_ids};
use latchkey::domain::time::Timestamp;
use latchkey::ports::{
    DeliveryEvent, DeliveryEvents, EventMapper, MessageContent, MessageTemplates, PortError,
    TestNumberEvents,
};
use std::sync::Arc;
use std::time::Duration;

/// The name of the contract.
pub const CONTRACT: &str = "plain";

/// The format of its codes.
pub(crate) const FORMAT: CodeFormat = CodeFormat::all_of(6);

/// Returns a code that differs from `code`.
#[must_use]
pub fn wrong(code: &str) -> String {
    let next = code.parse::<u32>().expect("a code").wrapping_add(1) % 1_000_000;
    format!("{next:06}")
}

/// The events of the contract. The detail of an event is what the fact adds to its name, and in lines of
/// their own the id of the event and the version of the user.
struct PlainEvents;

impl EventMapper for PlainEvents {
    fn events(&self, fact: &Fact, ids: &EventIds) -> Result<Vec<EventMessage>, PortError> {
        let (name, detail, at) = match fact {
            Fact::UserSignedUp { user, asked, .. } if !asked.is_empty() => {
                let asked =
                    asked.iter().map(|asked| asked.identifier.kind().as_str()).collect::<Vec<_>>();
                ("signed_up_to_verify", asked.join(" "), user.created_at)
            }
            Fact::UserSignedUp { user, credit, .. } => {
                let credit = credit.as_ref().map(|credit| format!(" {}", credit.points));
                let detail = format!("{}{}", user.id.as_str(), credit.unwrap_or_default());
                ("signed_up", detail, user.created_at)
            }
            Fact::IdentifierVerified { identifier, at, .. } => {
                ("identifier_verified", identifier.as_str().to_owned(), *at)
            }
            Fact::VerificationAsked { asked, at, .. } => {
                let asked = asked.iter().map(|asked| asked.identifier.as_str());
                ("verification_asked", asked.collect::<Vec<_>>().join(" "), *at)
            }
            Fact::SignedIn { method, proved, at, .. } => {
                let proved = proved.as_ref().map(|proved| format!(" {}", proved.as_str()));
                ("signed_in", format!("{method:?}{}", proved.unwrap_or_default()), *at)
            }
            Fact::SessionEnded { reason, at, .. } => {
                ("session_ended", reason.as_str().to_owned(), *at)
            }
            Fact::PasswordChanged { user, at, .. } => {
                ("password_changed", user.as_str().to_owned(), *at)
            }
            Fact::PhoneChanged { phone, at, .. } => {
                ("phone_changed", phone.as_str().to_owned(), *at)
            }
            Fact::UserDeleted { user, at, .. } => ("user_deleted", user.as_str().to_owned(), *at),
            Fact::DeviceRegistered { taken_from, at, .. } => {
                let from = taken_from.as_ref().map(UserId::as_str).unwrap_or_default();
                ("device_registered", from.to_owned(), *at)
            }
        };
        let detail = format!("{detail}\n{}\n0", ids.event_id(1));
        let version_place = detail.len().checked_sub(1);
        Ok(vec![EventMessage { version_place, ..event(name, detail, at) }])
    }
}

fn event(name: &str, detail: String, occurred_at: Timestamp) -> EventMessage {
    let (source, detail_type) = (CONTRACT.to_owned(), name.to_owned());
    EventMessage { source, detail_type, detail, occurred_at, user: None, version_place: None }
}

/// The events about messages: the name of the text, its group and the cause of a failure.
pub(crate) struct PlainDeliveryEvents;

impl DeliveryEvents for PlainDeliveryEvents {
    fn event(
        &self,
        message: &SentMessage,
        report: &DeliveryReport,
    ) -> Result<DeliveryEvent, PortError> {
        let ids = message.id.event_ids(report.status);
        let cause = report.cause.as_deref().unwrap_or("-");
        let (name, group) = (&message.name, &message.group);
        let detail = format!("{name} {group} {cause}\n{}", ids.event_id(1));
        let event = event(&format!("message_{}", report.status.as_str()), detail, report.at);
        Ok(DeliveryEvent { entry: ids.correlation_id(), event })
    }
}

/// The events about test numbers: the number and the purpose of the code.
pub(crate) struct PlainTestNumberEvents;

impl TestNumberEvents for PlainTestNumberEvents {
    fn used(
        &self,
        entry_id: &str,
        code: &CodeMessage,
        number: &TestNumber,
    ) -> Result<EventMessage, PortError> {
        let (phone, purpose) = (number.phone.as_str(), code.seed.key.purpose.as_str());
        let id = event_ids(entry_id).event_id(1);
        Ok(event("test_number_used", format!("{phone} {purpose}\n{id}"), code.sent_at))
    }
}

/// Returns what maps facts to the events of the contract.
pub(crate) fn event_mapper() -> Arc<dyn EventMapper> {
    Arc::new(PlainEvents)
}

/// The messages of the contract. It has none for a change of the phone number.
pub(crate) struct PlainMessages;

fn content(text: &str) -> MessageContent {
    MessageContent::new(String::new(), text.to_owned(), String::new())
}

impl MessageTemplates for PlainMessages {
    fn code_format(&self, realm: &Realm) -> Option<CodeFormat> {
        (realm.contract() == CONTRACT).then_some(FORMAT)
    }

    fn code_content(
        &self,
        challenge: &ChallengeKey,
        _: &str,
        code: &OneTimeCode,
        _: Duration,
    ) -> Option<MessageContent> {
        (challenge.purpose != Purpose::ChangePhone).then(|| content(code.expose()))
    }

    fn account_notice(&self, realm: &Realm, _: &str) -> Option<MessageContent> {
        (realm.contract() == CONTRACT).then(|| content("you have an account"))
    }

    fn link_content(
        &self,
        realm: &Realm,
        _: &str,
        _: &UserId,
        link: &LinkToken,
        _: Duration,
    ) -> Option<MessageContent> {
        (realm.contract() == CONTRACT).then(|| content(link.expose()))
    }
}
