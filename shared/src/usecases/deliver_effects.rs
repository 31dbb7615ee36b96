//! Delivers the effects in the outbox.

use super::WriteHistory;
use super::breakers::{Begin, Breakers, Line};
use super::sent_messages::SentMessages;
use super::test_codes::TestCodes;
use crate::domain::code::CodeSeed;
use crate::domain::history::{MessageOutcome, Withheld};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{
    CodeDelivery, CodeMessage, Effect, EntryKind, LinkMessage, MAX_TRIES, OutboxEntry, Segment,
    Shard,
};
use crate::domain::sender::{Sender, Senders, TextCarrier};
use crate::domain::test_numbers::TestNumber;
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, Clock, CodeKeys, DuePlace, Events, MAIL_CARRIER, Message, MessageContent,
    MessageTemplates, Messages, MetricEvent, Outbox, PauseChange, PortError, SendOutcome,
    WaitingEntries, chain, record_metric, record_metric_of_group,
};
use futures_util::future::{join, join_all};
use futures_util::{Stream, StreamExt as _, stream};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The number of messages that are sent at the same time.
pub(super) const AT_ONCE: usize = 25;
/// The number of pages of events that a sweep publishes at the same time.
const PAGES_AT_ONCE: usize = 4;
/// The time after which a sweep begins no further delivery. A delivery by three carriers that hang takes 24
/// seconds, and the function has 55.
const SWEEP_TIME: Duration = Duration::from_secs(25);
/// The entries at a place that a sweep leaves due while their carriers are left alone. To read 1,000
/// entries is quick and costs a sixth of the writes that let them wait. More of them would use up the
/// time of each sweep, so that none came past them.
const LEFT_DUE: usize = 1000;
/// How long a claim lasts. It must be longer than the timeout of the function: no process sends any more
/// when it ends.
const CLAIM: Duration = Duration::from_mins(1);
/// The name of the text of a notice. That of a code is named by its purpose.
const NOTICE: &str = "account_notice";
/// The number of failed tries up to which the stream tries again. Afterwards the entry comes again by
/// its own clock, and holds up nothing in the stream.
const TRIES_OF_STREAM: u32 = 3;

/// Delivers each message once and each event at least once. If a process ends between the answer of a
/// carrier and the record of it, that message is sent once more, while its code is valid.
pub struct DeliverEffects {
    pub outbox: Arc<dyn Outbox>,
    /// The challenges, which show whether a code is still valid.
    pub challenges: Arc<dyn Challenges>,
    pub code_keys: Arc<dyn CodeKeys>,
    pub templates: Arc<dyn MessageTemplates>,
    /// The carriers of texts. Each that a sender names must be here.
    pub texts: BTreeMap<TextCarrier, Arc<dyn Messages>>,
    /// Who sends texts, and by which carriers.
    pub senders: Senders,
    /// The carrier of mails.
    pub mail: Arc<dyn Messages>,
    pub events: Arc<dyn Events>,
    /// Remembers sent messages, if carriers report what became of them.
    pub sent: Option<SentMessages>,
    /// Writes what became of effects into histories, unless they are switched off.
    pub history: Option<WriteHistory>,
    /// Keep back what would go to test numbers.
    pub test_codes: TestCodes,
    /// Leave carriers alone that fail.
    pub breakers: Arc<Breakers>,
    /// The longest pause between two tries of an entry.
    pub longest_pause: Duration,
    pub clock: Arc<dyn Clock>,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// The entries that were due.
    pub found: usize,
    /// Those of them that wait again, or are parked.
    pub failed: usize,
}

/// The part of the shards that a sweep delivers, so that several at once do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepPart {
    part: usize,
    of: usize,
}

/// Who delivers an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Stream,
    Sweep {
        /// Whether the entry stays due while its carriers are left alone.
        leaves_due: bool,
    },
}

/// Why effects of an entry were not delivered.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    /// The errors, with their causes.
    errors: Vec<String>,
    /// The end of the longest pause of a breaker that was open.
    broken_off: Option<Timestamp>,
}

/// Why an effect was not delivered.
pub(super) enum Undelivered {
    Failed(PortError),
    /// The breaker of its carrier is open until then: no try was made.
    BrokenOff(Timestamp),
}

impl From<PortError> for Undelivered {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

impl Failures {
    pub(super) const fn is_none(&self) -> bool {
        self.errors.is_empty() && self.broken_off.is_none()
    }

    /// Returns whether no try was made, because the breaker was open.
    pub(super) const fn is_broken_off(&self) -> bool {
        self.errors.is_empty() && self.broken_off.is_some()
    }

    pub(super) fn add(&mut self, failure: Undelivered) {
        match failure {
            Undelivered::Failed(error) => self.errors.push(chain(&error)),
            Undelivered::BrokenOff(until) => self.broken_off = self.broken_off.max(Some(until)),
        }
    }
}

impl From<Undelivered> for Failures {
    fn from(failure: Undelivered) -> Self {
        let mut failures = Self::default();
        failures.add(failure);
        failures
    }
}

impl SweepPart {
    /// Every shard.
    pub const WHOLE: Self = Self { part: 0, of: 1 };

    /// Returns the part with this number, counted from 0, of `of` parts. `None` if there is none.
    #[must_use]
    pub fn new(part: usize, of: usize) -> Option<Self> {
        (part < of).then_some(Self { part, of })
    }

    /// Returns where the entries of a kind are: in the shards, and untried in the table.
    fn places(self, kind: EntryKind) -> impl Iterator<Item = DuePlace> {
        let shards = Shard::all(kind).into_iter().skip(self.part).step_by(self.of);
        let segments = Segment::all().skip(self.part).step_by(self.of);
        let shards = shards.map(|shard| DuePlace::Shard(shard, None));
        shards.chain(segments.map(move |segment| DuePlace::Untried(kind, segment, None)))
    }
}

/// The outcome of the delivery of an entry.
pub(super) enum Delivery {
    Done,
    /// Another process has a claim on it, or made a try since it was read.
    Claimed,
    /// Something is left. `is_soon` says whether the stream should try again soon.
    Left {
        is_soon: bool,
    },
}

/// An entry of which something is left.
pub(super) struct LeftEntry {
    pub(super) id: String,
    is_soon: bool,
}

impl DeliverEffects {
    /// Delivers the entries with these ids and returns the ids that the stream should send again soon.
    /// An entry that does not exist any more was delivered before.
    ///
    /// # Errors
    /// The outbox could not be read. All ids have to be tried again.
    pub async fn run(&self, ids: &[String]) -> Result<HashSet<String>, PortError> {
        let now = self.clock.now();
        let WaitingEntries { entries, paused, .. } = self.outbox.find(ids).await?;
        self.breakers.learn(paused.as_ref(), now);
        let (messages, events): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(OutboxEntry::has_message);
        let messages = stream::iter(messages).map(|entry| self.deliver(entry, By::Stream));
        let messages = messages.buffer_unordered(AT_ONCE).collect::<Vec<_>>();
        let (messages, events) = join(messages, self.publish_entries(events, By::Stream)).await;
        let left = messages.into_iter().flatten().chain(events);
        Ok(left.filter(|left| left.is_soon).map(|left| left.id).collect())
    }

    /// Delivers the entries of a part that are due. Messages and events do not wait for each other, and a
    /// delivery that hangs holds up no other. Entries that are left after 25 seconds wait for the next
    /// sweep.
    ///
    /// # Errors
    /// The outbox could not be read.
    pub async fn sweep(&self, part: SweepPart) -> Result<Swept, PortError> {
        let started = self.clock.now();
        self.test_codes.count_open(started);
        let messages = self.pages(part.places(EntryKind::Messages), started);
        let messages = messages.flat_map(|page| stream::iter(each(page))).map(async |entry| {
            let failed = match entry? {
                (Some(_), _) if self.is_over(started) => return Ok(Swept::default()),
                (Some(entry), by) => usize::from(self.deliver(entry, by).await.is_some()),
                (None, _) => 1,
            };
            Ok(Swept { found: 1, failed })
        });
        let events = self.pages(part.places(EntryKind::Events), started).map(async |page| {
            let (WaitingEntries { entries, unreadable, .. }, by) = page?;
            let (found, unreadable) = (entries.len(), unreadable.len());
            let left = self.publish_entries(entries, by).await.len();
            Ok(Swept {
                found: found.saturating_add(unreadable),
                failed: left.saturating_add(unreadable),
            })
        });
        // What has begun goes on if a read fails.
        let messages = messages.buffer_unordered(AT_ONCE).collect::<Vec<_>>();
        let events = events.buffer_unordered(PAGES_AT_ONCE).collect::<Vec<_>>();
        let (messages, events) = join(messages, events).await;
        let mut swept = Swept::default();
        for result in messages.into_iter().chain(events) {
            let Swept { found, failed } = result?;
            swept.found = swept.found.saturating_add(found);
            swept.failed = swept.failed.saturating_add(failed);
        }
        record_metric_of_group(None, &part.part.to_string(), MetricEvent::Swept);
        Ok(swept)
    }

    /// Reads the entries at some places that are due, until a read fails or the time of the sweep is up.
    /// The places take turns, a page each, so that none waits for another.
    fn pages(
        &self,
        places: impl Iterator<Item = DuePlace>,
        started: Timestamp,
    ) -> impl Stream<Item = Result<(WaitingEntries, By), PortError>> {
        let turns: VecDeque<_> = places.map(|place| (place, 0_usize)).collect();
        stream::unfold(turns, move |mut turns| async move {
            let (place, before) = turns.pop_front()?;
            if self.is_over(started) {
                return None;
            }
            let now = self.clock.now();
            let mut page = self.outbox.due(place, started).await;
            match &mut page {
                Ok(page) => {
                    self.breakers.learn(page.paused.as_ref(), now);
                    let read = before.saturating_add(page.entries.len());
                    turns.extend(page.next.take().map(|next| (next, read)));
                }
                Err(_) => turns.clear(),
            }
            let by = By::Sweep { leaves_due: before < LEFT_DUE };
            Some((page.map(|page| (page, by)), turns))
        })
    }

    /// Returns whether the time of a sweep is up.
    fn is_over(&self, started: Timestamp) -> bool {
        self.clock.now().since(started) > SWEEP_TIME
    }

    /// Delivers an entry with messages. Returns it if something is left.
    async fn deliver(&self, entry: OutboxEntry, by: By) -> Option<LeftEntry> {
        let (id, written_at) = (entry.id.clone(), entry.written_at);
        let delivered = self.send_all(entry, by).await;
        self.left(id, written_at, delivered)
    }

    /// Records how the delivery of an entry ended. Returns the entry if something is left.
    pub(super) fn left(
        &self,
        id: String,
        written_at: Timestamp,
        delivered: Result<Delivery, PortError>,
    ) -> Option<LeftEntry> {
        let age = self.clock.now().since(written_at);
        match delivered {
            Ok(Delivery::Done) => {
                record_metric(None, MetricEvent::Delivered(age));
                None
            }
            // Another process has it.
            Ok(Delivery::Claimed) => None,
            Ok(Delivery::Left { is_soon }) => {
                record_metric(None, MetricEvent::Waiting(age));
                Some(LeftEntry { id, is_soon })
            }
            Err(error) => {
                record_metric(None, MetricEvent::Waiting(age));
                let error = chain(&error);
                tracing::error!(outbox.id = id, error, "an effect was not delivered");
                Some(LeftEntry { id, is_soon: true })
            }
        }
    }

    /// Claims an entry until no process with the claim can run any more. Returns whether this call has
    /// the claim.
    pub(super) async fn claim(&self, entry: &OutboxEntry) -> Result<bool, PortError> {
        let now = self.clock.now();
        self.outbox.claim(entry, now.plus(CLAIM), now).await
    }

    /// Delivers the codes and links of one entry at the same time, and then the events that an older version
    /// put beside them. A failure does not hold up the other effects. What is delivered is removed from the
    /// entry, and the rest comes again by the entry's own clock.
    ///
    /// # Errors
    /// The outbox could not be written. If a message was sent, it is sent again after the claim.
    async fn send_all(&self, mut entry: OutboxEntry, by: By) -> Result<Delivery, PortError> {
        if let Some(until) = self.broken_off(&entry) {
            return self.defer(&entry, until, by).await;
        }
        if !self.claim(&entry).await? {
            return Ok(Delivery::Claimed);
        }
        let now = self.clock.now();
        let (mut left, mut failures) = (Vec::new(), Failures::default());
        let (messages, events): (Vec<_>, Vec<_>) = std::mem::take(&mut entry.effects)
            .into_iter()
            .partition(|effect| effect.as_event().is_none());
        let sends = messages.into_iter().map(async |message| {
            let sent = match &message {
                Effect::Code(code) => self.send_code(&entry.id, code, now).await,
                Effect::Link(link) => self.send_link(&entry.id, link, now).await,
                Effect::Event(_) => Ok(MessageOutcome::Dropped),
            };
            (message, sent)
        });
        let sent = join_all(sends).await;
        let written = self.note_messages(&entry.id, &sent, now);
        for (message, sent) in sent {
            if let Err(failure) = sent {
                failures.add(failure);
                left.push(message);
            }
        }
        if let Err(failure) = self.publish_together(&events).await {
            failures.add(failure);
            left.extend(events);
        }
        let settled = async {
            if left.is_empty() {
                self.outbox.delete(&entry.id).await?;
                return Ok(Delivery::Done);
            }
            entry.effects = left;
            self.keep(entry, &failures).await
        };
        join(settled, written).await.0
    }

    /// Returns the time until which the carriers of all effects of an entry are left alone; `None` if a
    /// try can be made.
    pub(super) fn broken_off(&self, entry: &OutboxEntry) -> Option<Timestamp> {
        let now = self.clock.now();
        let ends = entry.effects.iter().map(|effect| match effect {
            Effect::Code(CodeMessage { seed, .. }) | Effect::Link(LinkMessage { seed, .. }) => {
                let (_, carriers) = self.carriers(seed);
                let ends = carriers.iter().map(|(_, line, _)| self.breakers.open_until(line, now));
                ends.collect::<Option<Vec<_>>>()?.into_iter().min()
            }
            Effect::Event(event) => self.breakers.open_until(&Line::of_events(event), now),
        });
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Lets an entry wait for its carriers. No try is made, so none is counted, and one write is enough,
    /// or none for an entry that stays due.
    pub(super) async fn defer(
        &self,
        entry: &OutboxEntry,
        until: Timestamp,
        by: By,
    ) -> Result<Delivery, PortError> {
        if by == (By::Sweep { leaves_due: true }) {
            return Ok(Delivery::Left { is_soon: false });
        }
        let due_at = entry.next_try(until, self.longest_pause);
        let is_deferred = self.outbox.defer(entry, due_at, self.clock.now()).await?;
        Ok(if is_deferred { Delivery::Left { is_soon: false } } else { Delivery::Claimed })
    }

    /// Stores what is left of an entry.
    pub(super) async fn keep(
        &self,
        mut entry: OutboxEntry,
        failures: &Failures,
    ) -> Result<Delivery, PortError> {
        let now = self.clock.now();
        let Failures { errors, broken_off } = failures;
        if errors.is_empty() {
            // No try was made, so none is counted. The next one is after the breaker, and spread.
            entry.due_at = entry.next_try(broken_off.unwrap_or(now), self.longest_pause);
            self.outbox.postpone(&entry, "its carrier fails, so no try was made").await?;
            return Ok(Delivery::Left { is_soon: false });
        }
        let (id, error) = (entry.id.as_str(), errors.join("; "));
        entry.due_at = entry.next_try(now, self.longest_pause);
        entry.tries = entry.tries.saturating_add(1);
        if entry.tries >= MAX_TRIES {
            tracing::error!(
                outbox.id = id,
                error,
                tries = entry.tries,
                "an effect was parked: release or drop it"
            );
            self.outbox.park(&entry, &error, now).await?;
            return Ok(Delivery::Left { is_soon: false });
        }
        tracing::error!(outbox.id = id, error, tries = entry.tries, "an effect was not delivered");
        self.outbox.postpone(&entry, &error).await?;
        Ok(Delivery::Left { is_soon: entry.tries < TRIES_OF_STREAM && broken_off.is_none() })
    }

    /// Makes a call to a carrier, unless its breaker is open.
    pub(super) async fn guarded<T>(
        &self,
        line: Line,
        call: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, Undelivered> {
        match self.breakers.begin(&line, self.clock.now()) {
            Begin::Now => {}
            Begin::AsProbe(change) => {
                let holds = self.share(&line, &change).await;
                if let Some(until) = holds.filter(|until| Some(*until) != change.to) {
                    return Err(Undelivered::BrokenOff(until));
                }
            }
            Begin::After(until) => return Err(Undelivered::BrokenOff(until)),
        }
        let started = self.clock.now();
        let result = call.await;
        let now = self.clock.now();
        let change = match &result {
            Ok(_) => self.breakers.succeeded(&line, now),
            // The carrier works. It refuses this sender, which must not hold up the others.
            Err(error) if error.is_misconfiguration() => self.breakers.succeeded(&line, now),
            Err(_) => self.breakers.failed(&line, now.since(started), now),
        };
        if let Some(change) = change {
            self.share(&line, &change).await;
        }
        Ok(result?)
    }

    /// Tells the other processes of a change of a pause. Returns the end of the pause that holds then:
    /// theirs, if they changed it meanwhile. If they cannot be told, the change holds in this process.
    async fn share(&self, line: &Line, change: &PauseChange) -> Option<Timestamp> {
        match self.outbox.change_pause(change).await {
            Ok(holds) => {
                if holds != change.to {
                    self.breakers.shared(line, holds);
                }
                holds
            }
            Err(error) => {
                let (carrier, error) = (change.carrier.as_str(), chain(&error));
                tracing::warn!(carrier, error, "the pause of a carrier could not be shared");
                change.to
            }
        }
    }

    /// Sends a code or the notice instead of it, unless nothing must be sent, or the code has expired,
    /// was replaced or was used.
    async fn send_code(
        &self,
        id: &str,
        code: &CodeMessage,
        now: Timestamp,
    ) -> Result<MessageOutcome, Undelivered> {
        // The read comes first, so that an entry with nothing to send causes the same calls.
        let current = self.is_current(&code.seed).await?;
        if code.delivery == CodeDelivery::Nothing {
            return Ok(MessageOutcome::Withheld(code.withheld));
        }
        // A fixed code can be used before the relay comes to it. Its use is announced all the same.
        if let Some(number) = self.test_codes.numbers.of(&code.seed.key, now) {
            self.withhold(id, code, number).await?;
            return Ok(MessageOutcome::Withheld(Some(Withheld::TestNumber)));
        }
        if !current {
            return Ok(MessageOutcome::Replaced);
        }
        if has_ended(&code.seed, code.expires_at, now) {
            return Ok(MessageOutcome::Ended);
        }
        let realm = &code.seed.key.realm;
        if code.delivery == CodeDelivery::AccountNotice {
            // A contract without the notice sends nothing.
            let write = |locale: &str| self.templates.account_notice(realm, locale);
            return match self.registered(&code.seed, NOTICE, &code.locale, write) {
                Some(content) => {
                    let sent = self.send(id, &code.seed, NOTICE, content).await?;
                    Ok(match sent {
                        MessageOutcome::Sent { carrier, id } => {
                            MessageOutcome::Notified { carrier, id }
                        }
                        other => other,
                    })
                }
                None => Ok(MessageOutcome::Withheld(code.withheld)),
            };
        }
        let Some(format) = self.templates.code_format(realm) else {
            tracing::error!(
                contract = realm.contract(),
                "a code of an unknown contract was dropped"
            );
            return Ok(MessageOutcome::Dropped);
        };
        let secret = self.code_keys.derive(&code.seed, format).await?;
        let lifetime = code.expires_at.since(code.sent_at);
        let (key, name) = (&code.seed.key, code.seed.key.purpose.as_str());
        let write = |locale: &str| self.templates.code_content(key, locale, &secret, lifetime);
        let Some(content) = self.registered(&code.seed, name, &code.locale, write) else {
            tracing::error!(
                contract = realm.contract(),
                "a code without a message template was dropped"
            );
            return Ok(MessageOutcome::Dropped);
        };
        self.send_counted(id, &code.seed, name, content).await
    }

    /// Publishes the event that a code was asked for a test number, in the place of the message. If that
    /// fails, the entry comes again, as after a message that failed.
    async fn withhold(
        &self,
        id: &str,
        code: &CodeMessage,
        number: &TestNumber,
    ) -> Result<(), Undelivered> {
        let event = self.test_codes.events.used(id, code, number)?;
        self.publish_together(&[Effect::Event(event)]).await?;
        let contract = number.contract.as_str();
        tracing::warn!(contract, "a code of a test number was asked for, and nothing was sent");
        Ok(())
    }

    /// Mails a link, unless it has expired, was replaced or was used.
    async fn send_link(
        &self,
        id: &str,
        link: &LinkMessage,
        now: Timestamp,
    ) -> Result<MessageOutcome, Undelivered> {
        if !self.is_current(&link.seed).await? {
            return Ok(MessageOutcome::Replaced);
        }
        if has_ended(&link.seed, link.expires_at, now) {
            return Ok(MessageOutcome::Ended);
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
            return Ok(MessageOutcome::Dropped);
        };
        self.send_counted(id, &link.seed, "link", content).await
    }

    /// Returns whether the challenge still has the code or link of `seed`.
    async fn is_current(&self, seed: &CodeSeed) -> Result<bool, PortError> {
        let current = self.challenges.current(&seed.key).await?;
        Ok(current.is_some_and(|live| live.seed.nonce == seed.nonce))
    }

    /// Sends a message that expects an answer of its recipient, and counts it.
    async fn send_counted(
        &self,
        id: &str,
        seed: &CodeSeed,
        name: &str,
        content: MessageContent,
    ) -> Result<MessageOutcome, Undelivered> {
        let outcome = self.send(id, seed, name, content).await?;
        if matches!(outcome, MessageOutcome::Sent { .. }) {
            record_metric(Some(seed.key.realm.contract()), MetricEvent::CodeSent);
        }
        Ok(outcome)
    }

    /// Returns who sends to the recipient of a code or link, and the carriers in the order in which they
    /// are tried, with their breakers.
    fn carriers(&self, seed: &CodeSeed) -> (&Sender, Vec<(&'static str, Line, &dyn Messages)>) {
        let contract = seed.key.realm.contract();
        match &seed.key.recipient {
            Identifier::Phone(phone) => {
                let sender = self.senders.of(contract, phone);
                let known = sender.carriers.iter().filter_map(|carrier| {
                    let (name, region) = (carrier.name(), sender.region.as_deref());
                    let line = Line::of_messages(name, contract, region);
                    Some((name, line, &**self.texts.get(carrier)?))
                });
                (sender, known.collect())
            }
            // The mail carrier refuses recipients that are not e-mail addresses.
            Identifier::Email(_) | Identifier::Username(_) | Identifier::Card(_) => {
                let line = Line::of_messages(MAIL_CARRIER, contract, None);
                (&self.senders.default, vec![(MAIL_CARRIER, line, &*self.mail)])
            }
        }
    }

    /// Writes a message in the language of a locale, or in the first language of its contract if the
    /// recipient's sender has registered that text alone.
    fn registered(
        &self,
        seed: &CodeSeed,
        name: &str,
        locale: &str,
        write: impl Fn(&str) -> Option<MessageContent>,
    ) -> Option<MessageContent> {
        let content = write(locale)?;
        if content.variant.is_empty() {
            return Some(content);
        }
        let (sender, _) = self.carriers(seed);
        let is_registered = |content: &MessageContent| {
            sender.unregistered(&text_name(seed, name, content)).is_none()
        };
        if is_registered(&content) {
            return Some(content);
        }
        let first = write("")?;
        Some(if is_registered(&first) { first } else { content })
    }

    /// Hands a message to the first carrier of its recipient that takes it. Returns what became
    /// of it. A carrier that took too long may have sent it, too.
    async fn send(
        &self,
        id: &str,
        seed: &CodeSeed,
        name: &str,
        content: MessageContent,
    ) -> Result<MessageOutcome, Undelivered> {
        let name = text_name(seed, name, &content);
        let MessageContent { subject, text, html, .. } = content;
        let contract = seed.key.realm.contract();
        let (sender, carriers) = self.carriers(seed);
        let message = Message {
            id: id.to_owned(),
            recipient: seed.key.recipient.clone(),
            contract: contract.to_owned(),
            name,
            sender: sender.clone(),
            subject,
            text,
            html,
        };
        if let Some(missing) = sender.unregistered(&message.name) {
            record_metric(Some(contract), MetricEvent::SenderRefused);
            return Err(PortError::misconfiguration("send a text", missing).into());
        }
        if let Some(sent) = &self.sent
            && sent.is_suppressed(&message.recipient, self.clock.now()).await
        {
            let recipient = &message.recipient;
            record_metric(Some(contract), MetricEvent::RecipientRefused);
            tracing::warn!(?recipient, "the recipient is left alone, as carriers reported");
            return Ok(MessageOutcome::LeftAlone);
        }
        let mut failure = None;
        let last = carriers.len().saturating_sub(1);
        for (place, (carrier_name, line, carrier)) in carriers.into_iter().enumerate() {
            match self.guarded(line, carrier.send(&message)).await {
                Ok(SendOutcome::Accepted(carrier_id)) => {
                    if let (Some(sent), Some(carrier_id)) = (&self.sent, carrier_id.clone()) {
                        let carrier = (carrier_name, carrier_id);
                        sent.remember(&message, contract, carrier, self.clock.now()).await;
                    }
                    let carrier = carrier_name.to_owned();
                    return Ok(MessageOutcome::Sent { carrier, id: carrier_id });
                }
                Ok(SendOutcome::Refused(reason)) => {
                    let recipient = &message.recipient;
                    record_metric(Some(contract), MetricEvent::RecipientRefused);
                    tracing::warn!(
                        ?recipient,
                        carrier = carrier_name,
                        reason = reason.as_str(),
                        "the carrier refused the recipient permanently"
                    );
                    let carrier = carrier_name.to_owned();
                    return Ok(MessageOutcome::Refused { carrier, words: reason });
                }
                Err(new) => {
                    if let Undelivered::Failed(error) = &new {
                        if error.is_misconfiguration() {
                            record_metric(Some(contract), MetricEvent::SenderRefused);
                        }
                        // The error of the last one is that of the entry, which is logged with it.
                        if place < last {
                            let error = chain(error);
                            tracing::warn!(carrier = carrier_name, error, "a carrier failed");
                        }
                    }
                    failure = match (failure, new) {
                        // A try was made, whatever the other carriers say.
                        (Some(Undelivered::Failed(error)), Undelivered::BrokenOff(_)) => {
                            Some(Undelivered::Failed(error))
                        }
                        (_, new) => Some(new),
                    };
                }
            }
        }
        let none = || PortError::misconfiguration("send a message", "it has no carrier").into();
        Err(failure.unwrap_or_else(none))
    }
}

/// Returns the entries of a page one by one, with `None` for one that cannot be read.
fn each(
    page: Result<(WaitingEntries, By), PortError>,
) -> Vec<Result<(Option<OutboxEntry>, By), PortError>> {
    match page {
        Ok((WaitingEntries { entries, unreadable, .. }, by)) => {
            let unreadable = unreadable.into_iter().map(|_| None);
            let entries = entries.into_iter().map(Some).chain(unreadable);
            entries.map(|entry| Ok((entry, by))).collect()
        }
        Err(error) => vec![Err(error)],
    }
}

/// Returns the name of a text with its contract and its variant, such as `posbytz.verify.hi`.
fn text_name(seed: &CodeSeed, name: &str, content: &MessageContent) -> String {
    format!("{}.{name}{}", seed.key.realm.contract(), content.variant)
}

/// Returns whether a message has ended before it was sent, and counts it then.
fn has_ended(seed: &CodeSeed, expires_at: Timestamp, now: Timestamp) -> bool {
    let ended = expires_at <= now;
    if ended {
        record_metric(Some(seed.key.realm.contract()), MetricEvent::CodeEnded);
    }
    ended
}
