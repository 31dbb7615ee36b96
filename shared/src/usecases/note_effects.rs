//! Writes what became of the effects of the outbox into histories.

use super::deliver_effects::{DeliverEffects, Undelivered};
use crate::domain::code::CodeSeed;
use crate::domain::history::{Happening, HistoryOf, MessageHistory, MessageKind, MessageOutcome};
use crate::domain::outbox::{Effect, OutboxEntry, transaction_of};
use crate::domain::time::Timestamp;
use futures_util::future::join_all;

impl DeliverEffects {
    /// Writes what became of the messages of an entry. A message that waits for another try is written, too:
    /// what becomes of it later replaces that.
    pub(super) fn note_messages(
        &self,
        id: &str,
        sent: &[(Effect, Result<MessageOutcome, Undelivered>)],
        now: Timestamp,
    ) -> impl Future<Output = ()> + use<> {
        let transaction = transaction_of(id).to_owned();
        let history = self.history.clone();
        let notes: Vec<_> =
            sent.iter().filter_map(|(effect, sent)| note(effect, sent, now)).collect();
        async move {
            let Some(history) = history else { return };
            let writes = notes.iter().map(|(of, message)| {
                let (at, what) = (message.asked_at, Happening::Message(message.clone()));
                history.add(of, &transaction, at, what)
            });
            join_all(writes).await;
        }
    }

    /// Writes the events of an entry into the history of the user that they are about.
    pub(super) async fn note_events(&self, entry: &OutboxEntry) {
        let (Some(history), Some(user)) = (&self.history, entry.user()) else { return };
        let events = || entry.effects.iter().filter_map(Effect::as_event);
        let Some(at) = events().map(|event| event.occurred_at).min() else { return };
        let types = events().map(|event| event.detail_type.clone()).collect();
        let of = HistoryOf::User(user.clone());
        history.add(&of, transaction_of(&entry.id), at, Happening::Events(types)).await;
    }
}

/// Returns whose history a message belongs to, and what it says there; `None` for an event.
fn note(
    effect: &Effect,
    sent: &Result<MessageOutcome, Undelivered>,
    now: Timestamp,
) -> Option<(HistoryOf, MessageHistory)> {
    let outcome = match sent {
        Ok(outcome) => outcome.clone(),
        Err(Undelivered::Failed(error)) => {
            MessageOutcome::Waits { account: error.is_misconfiguration() }
        }
        Err(Undelivered::BrokenOff(_)) => MessageOutcome::Waits { account: false },
    };
    let (kind, CodeSeed { key, .. }, asked_at) = match effect {
        Effect::Code(code) => (MessageKind::Code, &code.seed, code.sent_at),
        Effect::Link(link) => (MessageKind::Link, &link.seed, link.sent_at),
        Effect::Event(_) => return None,
    };
    let of = HistoryOf::Recipient(key.realm.clone(), key.recipient.clone());
    let (purpose, lane) = (key.purpose, key.lane);
    Some((of, MessageHistory { kind, purpose, lane, asked_at, settled_at: now, outcome }))
}
