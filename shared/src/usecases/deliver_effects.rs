//! Deliver what the outbox holds: send, then forget.

use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeMessage, Effect, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, Clock, CodeKeys, Events, Message, MessageWording, Messages, Outbox, PortError,
    Sent, chain,
};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// An entry this old was missed by the stream; the sweep delivers it.
const OVERDUE: Duration = Duration::from_mins(1);

/// Delivers effects at least once each.
pub struct DeliverEffects {
    /// Where they wait.
    pub outbox: Arc<dyn Outbox>,
    /// Tells which codes are still worth sending.
    pub challenges: Arc<dyn Challenges>,
    /// The keys that codes are derived with.
    pub code_keys: Arc<dyn CodeKeys>,
    /// How contracts word their messages.
    pub wording: Arc<dyn MessageWording>,
    /// Sends texts.
    pub texts: Arc<dyn Messages>,
    /// Sends mail.
    pub mail: Arc<dyn Messages>,
    /// Publishes events.
    pub events: Arc<dyn Events>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl DeliverEffects {
    /// Delivers the entries of these ids and returns the ids that have to be tried again. An id
    /// whose entry is gone was delivered before.
    ///
    /// # Errors
    /// The outbox could not be read: all of them have to be tried again.
    pub async fn run(&self, ids: &[String]) -> Result<HashSet<String>, PortError> {
        let entries = self.outbox.find(ids).await?;
        Ok(self.deliver_all(entries).await)
    }

    /// Delivers what has been waiting for longer than a minute; returns how many entries were
    /// found and how many of them failed again.
    ///
    /// # Errors
    /// The outbox could not be read.
    pub async fn sweep(&self) -> Result<(usize, usize), PortError> {
        let overdue = self.outbox.overdue(self.clock.now().minus(OVERDUE)).await?;
        let found = overdue.len();
        Ok((found, self.deliver_all(overdue).await.len()))
    }

    async fn deliver_all(&self, entries: Vec<OutboxEntry>) -> HashSet<String> {
        let now = self.clock.now();
        let results = join_all(entries.into_iter().map(async |entry| {
            let id = entry.id.clone();
            self.deliver(entry, now).await.err().map(|error| {
                let error = chain(&error);
                tracing::error!(outbox.id = id, error, "an effect was not delivered");
                id
            })
        }));
        results.await.into_iter().flatten().collect()
    }

    /// Delivers one entry in order. When an effect fails after others went out, those others are
    /// struck from the entry, so that they are not repeated.
    async fn deliver(&self, mut entry: OutboxEntry, now: Timestamp) -> Result<(), PortError> {
        let mut rest = entry.effects.as_slice();
        while let Some(first) = rest.first() {
            let (sent, result) = match first {
                Effect::Code(code) => (1, self.send_code(code, now).await),
                Effect::Event(_) => {
                    let events: Vec<_> = rest
                        .iter()
                        .map_while(|effect| match effect {
                            Effect::Event(event) => Some(event),
                            Effect::Code(_) => None,
                        })
                        .collect();
                    (events.len(), self.events.publish(&events).await)
                }
            };
            if let Err(error) = result {
                if rest.len() < entry.effects.len() {
                    entry.effects = rest.to_vec();
                    self.outbox.keep_rest(&entry).await?;
                }
                return Err(error);
            }
            rest = rest.get(sent..).unwrap_or_default();
        }
        self.outbox.finish(&entry.id).await
    }

    /// Sends a code, unless it must not be delivered, has ended, or was replaced or used.
    async fn send_code(&self, code: &CodeMessage, now: Timestamp) -> Result<(), PortError> {
        // The look-up comes first, so that an entry that delivers nothing costs the same calls.
        let current = self.challenges.current(&code.seed.key).await?;
        let current = current.is_some_and(|live| live.nonce == code.seed.nonce);
        if !code.deliver || !current || code.expires_at <= now {
            return Ok(());
        }
        let realm = &code.seed.key.realm;
        let Some(format) = self.wording.code_format(realm) else {
            tracing::error!(
                contract = realm.contract(),
                "a code of an unknown contract is dropped"
            );
            return Ok(());
        };
        let Some(secret) = self.code_keys.derive(&code.seed, format).await? else {
            tracing::error!(
                key.id = code.seed.key_id.as_str(),
                "a code's key is gone; it is dropped"
            );
            return Ok(());
        };
        let life = code.expires_at.since(code.sent_at);
        let purpose = code.seed.key.purpose;
        let words = self.wording.code_words(realm, purpose, &code.locale, &secret, life);
        let Some(words) = words else {
            tracing::error!(contract = realm.contract(), "a code without words is dropped");
            return Ok(());
        };
        let message = Message {
            recipient: code.seed.key.recipient.clone(),
            subject: words.subject,
            text: words.text,
            html: words.html,
        };
        let carrier = match &message.recipient {
            Identifier::Phone(_) => &self.texts,
            Identifier::Email(_) => &self.mail,
        };
        if let Sent::Refused(reason) = carrier.send(&message).await? {
            let recipient = &message.recipient;
            tracing::warn!(?recipient, reason, "the carrier refuses the recipient for good");
        }
        Ok(())
    }
}
