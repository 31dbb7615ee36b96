//! What an operator asks the relay about parked entries of the outbox (`shared/docs/runbook.md`).

use super::envelope::date_time;
use crate::domain::identifier::Identifier;
use crate::domain::time::Timestamp;
use crate::ports::{Outbox, ParkedEntry, PortError};
use crate::usecases::SweepPart;
use serde_json::{Value, json};

/// A task of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxTask {
    /// Lists the parked entries.
    Parked,
    /// Makes a parked entry due at once.
    Release(String),
    /// Deletes a parked entry undelivered.
    Drop(String),
}

/// The payload names no task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(r#"outbox must be "parked", {{"release":"<id>"}} or {{"drop":"<id>"}}"#)]
pub struct UnknownTask;

impl OutboxTask {
    /// Reads the member `outbox` of a payload.
    ///
    /// # Errors
    /// [`UnknownTask`] for anything else.
    pub fn read(task: &Value) -> Result<Self, UnknownTask> {
        let id = |name: &str| task.get(name).and_then(Value::as_str).map(str::to_owned);
        let members = task.as_object().map_or(0, serde_json::Map::len);
        match (id("release"), id("drop")) {
            _ if task == "parked" => Ok(Self::Parked),
            (Some(id), None) if members == 1 => Ok(Self::Release(id)),
            (None, Some(id)) if members == 1 => Ok(Self::Drop(id)),
            _ => Err(UnknownTask),
        }
    }

    /// Does the task, and returns the answer.
    ///
    /// # Errors
    /// The outbox could not be read or written.
    pub async fn run(&self, outbox: &dyn Outbox, at: Timestamp) -> Result<Value, PortError> {
        match self {
            Self::Parked => {
                let parked = outbox.parked().await?;
                Ok(json!({"parked": parked.iter().map(shown).collect::<Vec<_>>()}))
            }
            Self::Release(id) => {
                let done = outbox.release(id, at).await?;
                tracing::warn!(outbox.id = id, done, "an operator released a parked entry");
                Ok(json!({"released": done}))
            }
            Self::Drop(id) => {
                let done = outbox.drop_parked(id).await?;
                tracing::warn!(outbox.id = id, done, "an operator dropped a parked entry");
                Ok(json!({"dropped": done}))
            }
        }
    }
}

/// The payload of a schedule names no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(r#"sweep must be {{"part":<number from 0>,"of":<number of parts>}}"#)]
pub struct UnknownPart;

/// Reads the part of the outbox that a schedule sweeps. Without the member `sweep`, it is the whole.
///
/// # Errors
/// [`UnknownPart`] for anything else.
pub fn sweep_part(event: &Value) -> Result<SweepPart, UnknownPart> {
    let Some(sweep) = event.get("sweep") else { return Ok(SweepPart::WHOLE) };
    let number = |name: &str| usize::try_from(sweep.get(name)?.as_u64()?).ok();
    let part = number("part").zip(number("of")).and_then(|(part, of)| SweepPart::new(part, of));
    part.ok_or(UnknownPart)
}

/// The payload names no recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "lift must be a phone number with a plus sign and the country's code, or an e-mail address"
)]
pub struct UnknownRecipient;

/// Reads the recipient that is to get messages again.
///
/// # Errors
/// [`UnknownRecipient`] for anything else.
pub fn lifted_recipient(value: &Value) -> Result<Identifier, UnknownRecipient> {
    let text = value.as_str().ok_or(UnknownRecipient)?;
    let kind = if text.starts_with('+') { "phone" } else { "email" };
    Identifier::from_parts(kind, text).ok_or(UnknownRecipient)
}

fn shown(entry: &ParkedEntry) -> Value {
    let ParkedEntry { id, written_at, parked_at, tries, error, effects } = entry;
    json!({"id": id, "writtenAt": date_time(*written_at), "parkedAt": date_time(*parked_at),
        "tries": tries, "error": error, "effects": effects})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_names_a_part_or_none() {
        assert_eq!(sweep_part(&json!({"source": "aws.events"})), Ok(SweepPart::WHOLE));
        let part = |part: Value| sweep_part(&json!({"sweep": part}));
        assert_eq!(part(json!({"part": 1, "of": 4})), Ok(SweepPart::new(1, 4).unwrap()));
        for unknown in [
            json!({"part": 4, "of": 4}),
            json!({"part": 1}),
            json!({"part": -1, "of": 4}),
            Value::Null,
        ] {
            assert_eq!(part(unknown.clone()), Err(UnknownPart), "{unknown}");
        }
    }

    #[test]
    fn a_recipient_is_a_number_or_an_address() {
        for text in ["+85291234567", "ann@example.com"] {
            assert_eq!(lifted_recipient(&json!(text)).unwrap().as_str(), text);
        }
        for unknown in [json!("ann"), json!("85291234567"), json!(1)] {
            assert_eq!(lifted_recipient(&unknown), Err(UnknownRecipient));
        }
    }

    #[test]
    fn a_payload_names_one_task() {
        let read = |task: Value| OutboxTask::read(&task);
        assert_eq!(read(json!("parked")), Ok(OutboxTask::Parked));
        assert_eq!(read(json!({"release": "a"})), Ok(OutboxTask::Release("a".to_owned())));
        assert_eq!(read(json!({"drop": "a"})), Ok(OutboxTask::Drop("a".to_owned())));
        for unknown in [
            json!("all"),
            json!({}),
            json!({"drop": 1}),
            json!({"drop": "a", "release": "a"}),
            Value::Null,
        ] {
            assert_eq!(read(unknown.clone()), Err(UnknownTask), "{unknown}");
        }
    }
}
