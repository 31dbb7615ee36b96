//! Deliver what the outbox holds: send, then forget.

use crate::domain::code::CodeSeed;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, Clock, CodeKeys, Events, Message, MessageContent, MessageTemplates, Messages,
    MetricEvent, Outbox, PortError, Sent, WaitingEntries, chain, count,
};
use futures_util::{StreamExt as _, stream};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// An entry this old was missed by the stream; the sweep delivers it.
const OVERDUE: Duration = Duration::from_mins(1);

/// Deliveries at once: as many as the stream hands over, and as connections are worth opening.
const AT_ONCE: usize = 10;
/// When a sweep stops taking more, so that it ends well before the function's time is up.
const SWEEP_TIME: Duration = Duration::from_secs(10);

/// Delivers effects at least once each.
pub struct DeliverEffects {
    /// Where they wait.
    pub outbox: Arc<dyn Outbox>,
    /// Tells which codes are still worth sending.
    pub challenges: Arc<dyn Challenges>,
    /// The keys that codes are derived with.
    pub code_keys: Arc<dyn CodeKeys>,
    /// How contracts word their messages.
    pub templates: Arc<dyn MessageTemplates>,
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
        let WaitingEntries { entries, unreadable, .. } = self.outbox.find(ids).await?;
        let mut failed = self.deliver_all(entries).await;
        failed.extend(unreadable);
        Ok(failed)
    }

    /// Delivers what has been waiting for longer than a minute; returns how many entries were
    /// found and how many of them failed again. What is left after ten seconds waits for the
    /// next sweep.
    ///
    /// # Errors
    /// The outbox could not be read.
    pub async fn sweep(&self) -> Result<(usize, usize), PortError> {
        let started = self.clock.now();
        let (mut found, mut failed): (usize, usize) = (0, 0);
        let mut next = None;
        loop {
            let page = self.outbox.overdue(started.minus(OVERDUE), next).await?;
            found = found.saturating_add(page.entries.len().saturating_add(page.unreadable.len()));
            let again = self.deliver_all(page.entries).await;
            failed = failed.saturating_add(again.len().saturating_add(page.unreadable.len()));
            next = page.next;
            if next.is_none() || self.clock.now().since(started) > SWEEP_TIME {
                return Ok((found, failed));
            }
        }
    }

    async fn deliver_all(&self, entries: Vec<OutboxEntry>) -> HashSet<String> {
        let now = self.clock.now();
        let deliveries = entries.into_iter().map(async |entry| {
            let (id, written_at) = (entry.id.clone(), entry.written_at);
            let delivered = self.deliver(entry, now).await;
            let age = self.clock.now().since(written_at);
            let Err(error) = delivered else {
                count("", MetricEvent::Delivered(age));
                return None;
            };
            count("", MetricEvent::Waiting(age));
            let error = chain(&error);
            tracing::error!(outbox.id = id, error, "an effect was not delivered");
            Some(id)
        });
        let results = stream::iter(deliveries).buffer_unordered(AT_ONCE);
        results.filter_map(std::future::ready).collect().await
    }

    /// Delivers one entry: its codes and links and, in one call and in order, its events. What
    /// fails does not hold up the rest; what went out is struck from the entry, so that it is not
    /// repeated.
    async fn deliver(&self, mut entry: OutboxEntry, now: Timestamp) -> Result<(), PortError> {
        let events: Vec<_> = entry.effects.iter().filter_map(Effect::as_event).collect();
        let published = match events.as_slice() {
            [] => Ok(()),
            events => self.events.publish(events).await,
        };
        let mut failure = published.err();
        let events_failed = failure.is_some();
        let mut rest = Vec::new();
        for effect in &entry.effects {
            let sent = match effect {
                Effect::Event(_) if events_failed => {
                    rest.push(effect.clone());
                    continue;
                }
                Effect::Event(_) => Ok(()),
                Effect::Code(code) => self.send_code(code, now).await,
                Effect::Link(link) => self.send_link(link, now).await,
            };
            if let Err(error) = sent {
                failure = Some(error);
                rest.push(effect.clone());
            }
        }
        let Some(failure) = failure else { return self.outbox.finish(&entry.id).await };
        if rest.len() < entry.effects.len() {
            entry.effects = rest;
            self.outbox.keep_rest(&entry).await?;
        }
        Err(failure)
    }

    /// Sends a code, unless it must not be delivered, has ended, or was replaced or used.
    async fn send_code(&self, code: &CodeMessage, now: Timestamp) -> Result<(), PortError> {
        // The look-up comes first, so that an entry that delivers nothing costs the same calls.
        let current = self.is_current(&code.seed).await?;
        if !code.deliver || !current || code.expires_at <= now {
            return Ok(());
        }
        let realm = &code.seed.key.realm;
        let Some(format) = self.templates.code_format(realm) else {
            tracing::error!(
                contract = realm.contract(),
                "a code of an unknown contract is dropped"
            );
            return Ok(());
        };
        let secret = self.code_keys.derive(&code.seed, format).await?;
        let lifetime = code.expires_at.since(code.sent_at);
        let purpose = code.seed.key.purpose;
        let words = self.templates.code_content(realm, purpose, &code.locale, &secret, lifetime);
        let Some(words) = words else {
            tracing::error!(contract = realm.contract(), "a code without words is dropped");
            return Ok(());
        };
        self.send(&code.seed, words).await
    }

    /// Mails a link, unless it has ended, or was replaced or used.
    async fn send_link(&self, link: &LinkMessage, now: Timestamp) -> Result<(), PortError> {
        if !self.is_current(&link.seed).await? || link.expires_at <= now {
            return Ok(());
        }
        let realm = &link.seed.key.realm;
        let secret = self.code_keys.derive_link(&link.seed).await?;
        let lifetime = link.expires_at.since(link.sent_at);
        let words = self.templates.link_content(realm, &link.locale, &link.user, &secret, lifetime);
        let Some(words) = words else {
            tracing::error!(contract = realm.contract(), "a link without words is dropped");
            return Ok(());
        };
        self.send(&link.seed, words).await
    }

    /// Whether the challenge still has the secret of `seed`.
    async fn is_current(&self, seed: &CodeSeed) -> Result<bool, PortError> {
        let current = self.challenges.current(&seed.key).await?;
        Ok(current.is_some_and(|live| live.nonce == seed.nonce))
    }

    /// Hands a message to its recipient's carrier.
    async fn send(&self, seed: &CodeSeed, words: MessageContent) -> Result<(), PortError> {
        let MessageContent { subject, text, html } = words;
        let message = Message { recipient: seed.key.recipient.clone(), subject, text, html };
        let carrier = match &message.recipient {
            Identifier::Phone(_) => &self.texts,
            // The mailer refuses what is no mailbox.
            Identifier::Email(_) | Identifier::Username(_) | Identifier::Card(_) => &self.mail,
        };
        match carrier.send(&message).await? {
            Sent::Accepted => count(seed.key.realm.contract(), MetricEvent::CodeSent),
            Sent::Refused(reason) => {
                let recipient = &message.recipient;
                tracing::warn!(?recipient, reason, "the carrier refuses the recipient for good");
            }
        }
        Ok(())
    }
}
