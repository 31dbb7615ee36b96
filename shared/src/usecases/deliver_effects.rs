//! Delivers the effects in the outbox.

use crate::domain::code::CodeSeed;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeDelivery, CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, Clock, CodeKeys, Events, Message, MessageContent, MessageTemplates, Messages,
    MetricEvent, Outbox, PortError, SendOutcome, WaitingEntries, chain, record_metric,
};
use futures_util::{StreamExt as _, stream};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// The age from which on the sweep delivers an entry, because the stream must have missed it.
const OVERDUE: Duration = Duration::from_mins(1);

/// The number of concurrent deliveries: the size of a batch of the stream.
const AT_ONCE: usize = 10;
/// The time after which a sweep reads no further page. It must end well before the timeout of the
/// function.
const SWEEP_TIME: Duration = Duration::from_secs(10);

/// Delivers each effect at least once.
pub struct DeliverEffects {
    pub outbox: Arc<dyn Outbox>,
    /// The challenges, which show whether a code is still valid.
    pub challenges: Arc<dyn Challenges>,
    pub code_keys: Arc<dyn CodeKeys>,
    pub templates: Arc<dyn MessageTemplates>,
    /// The carrier of text messages.
    pub texts: Arc<dyn Messages>,
    /// The carrier of mails.
    pub mail: Arc<dyn Messages>,
    pub events: Arc<dyn Events>,
    pub clock: Arc<dyn Clock>,
}

impl DeliverEffects {
    /// Delivers the entries with these ids and returns the ids that have to be tried again. An
    /// entry that does not exist any more was delivered before.
    ///
    /// # Errors
    /// The outbox could not be read. All ids have to be tried again.
    pub async fn run(&self, ids: &[String]) -> Result<HashSet<String>, PortError> {
        let WaitingEntries { entries, unreadable, .. } = self.outbox.find(ids).await?;
        let mut failed = self.deliver_all(entries).await;
        failed.extend(unreadable);
        Ok(failed)
    }

    /// Delivers the entries that have waited for more than one minute. Returns how many entries
    /// were found and how many of them failed again. Entries that are left after ten seconds wait
    /// for the next sweep.
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
                record_metric(None, MetricEvent::Delivered(age));
                return None;
            };
            record_metric(None, MetricEvent::Waiting(age));
            let error = chain(&error);
            tracing::error!(outbox.id = id, error, "an effect was not delivered");
            Some(id)
        });
        let results = stream::iter(deliveries).buffer_unordered(AT_ONCE);
        results.filter_map(std::future::ready).collect().await
    }

    /// Delivers the codes and links of one entry one by one, and its events in one call. A failure
    /// does not hold up the other effects. Delivered effects are removed from the entry, so that
    /// they are not repeated.
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
        let Some(failure) = failure else { return self.outbox.delete(&entry.id).await };
        if rest.len() != entry.effects.len() {
            entry.effects = rest;
            self.outbox.retain_effects(&entry).await?;
        }
        Err(failure)
    }

    /// Sends a code or the notice instead of it, unless nothing must be sent, or the code has expired,
    /// was replaced or was used.
    async fn send_code(&self, code: &CodeMessage, now: Timestamp) -> Result<(), PortError> {
        // The read comes first, so that an entry with nothing to send causes the same calls.
        let current = self.is_current(&code.seed).await?;
        if code.delivery == CodeDelivery::Nothing || !current || code.expires_at <= now {
            return Ok(());
        }
        let realm = &code.seed.key.realm;
        if code.delivery == CodeDelivery::AccountNotice {
            // A contract without the notice sends nothing.
            let content = self.templates.account_notice(realm, &code.locale);
            return match content {
                Some(content) => self.send(&code.seed, content).await.map(drop),
                None => Ok(()),
            };
        }
        let Some(format) = self.templates.code_format(realm) else {
            tracing::error!(
                contract = realm.contract(),
                "a code of an unknown contract was dropped"
            );
            return Ok(());
        };
        let secret = self.code_keys.derive(&code.seed, format).await?;
        let lifetime = code.expires_at.since(code.sent_at);
        let purpose = code.seed.key.purpose;
        let content = self.templates.code_content(realm, purpose, &code.locale, &secret, lifetime);
        let Some(content) = content else {
            tracing::error!(
                contract = realm.contract(),
                "a code without a message template was dropped"
            );
            return Ok(());
        };
        self.send_counted(&code.seed, content).await
    }

    /// Mails a link, unless it has expired, was replaced or was used.
    async fn send_link(&self, link: &LinkMessage, now: Timestamp) -> Result<(), PortError> {
        if !self.is_current(&link.seed).await? || link.expires_at <= now {
            return Ok(());
        }
        let realm = &link.seed.key.realm;
        let secret = self.code_keys.derive_link(&link.seed).await?;
        let lifetime = link.expires_at.since(link.sent_at);
        let content =
            self.templates.link_content(realm, &link.locale, &link.user, &secret, lifetime);
        let Some(content) = content else {
            tracing::error!(
                contract = realm.contract(),
                "a link without a message template was dropped"
            );
            return Ok(());
        };
        self.send_counted(&link.seed, content).await
    }

    /// Returns whether the challenge still has the code or link of `seed`.
    async fn is_current(&self, seed: &CodeSeed) -> Result<bool, PortError> {
        let current = self.challenges.current(&seed.key).await?;
        Ok(current.is_some_and(|live| live.seed.nonce == seed.nonce))
    }

    /// Sends a message that expects an answer of its recipient, and counts it.
    async fn send_counted(
        &self,
        seed: &CodeSeed,
        content: MessageContent,
    ) -> Result<(), PortError> {
        if self.send(seed, content).await? {
            record_metric(Some(seed.key.realm.contract()), MetricEvent::CodeSent);
        }
        Ok(())
    }

    /// Hands a message to the carrier of its recipient. Returns whether the carrier accepts it.
    async fn send(&self, seed: &CodeSeed, content: MessageContent) -> Result<bool, PortError> {
        let MessageContent { subject, text, html } = content;
        let message = Message { recipient: seed.key.recipient.clone(), subject, text, html };
        let carrier = match &message.recipient {
            Identifier::Phone(_) => &self.texts,
            // The mail carrier refuses recipients that are not e-mail addresses.
            Identifier::Email(_) | Identifier::Username(_) | Identifier::Card(_) => &self.mail,
        };
        match carrier.send(&message).await? {
            SendOutcome::Accepted => Ok(true),
            SendOutcome::Refused(reason) => {
                let recipient = &message.recipient;
                tracing::warn!(?recipient, reason, "the carrier refused the recipient permanently");
                Ok(false)
            }
        }
    }
}
