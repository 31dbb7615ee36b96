//! The delivery of effects.

use crate::Core;
use crate::contract::{PlainMessages, PlainTestNumberEvents};
use crate::stepping::{Stepped, Steps};
use dynoxide::AttributeValue;
use latchkey::domain::outbox::{OutboxEntry, Shard};
use latchkey::domain::sender::TextCarrier;
use latchkey::ports::{Messages, Outbox as _, ParkedEntry, PortError};
use latchkey::usecases::{Breakers, DeliverEffects, SweepPart, Swept, TestCodes};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

impl Core {
    /// Returns a relay whose calls wait for `steps`, one by one.
    pub fn stepped_relay(&self, steps: &Arc<Steps>) -> DeliverEffects {
        let outbox = Stepped { inner: Arc::clone(&self.store), steps: Arc::clone(steps) };
        let texts = Stepped { inner: Arc::clone(&self.texts), steps: Arc::clone(steps) };
        let texts = BTreeMap::from([(TextCarrier::Sns, Arc::new(texts) as Arc<dyn Messages>)]);
        DeliverEffects { outbox: Arc::new(outbox), texts, ..self.relay() }
    }

    fn relay(&self) -> DeliverEffects {
        DeliverEffects {
            outbox: Arc::clone(&self.store) as _,
            challenges: Arc::clone(&self.store) as _,
            code_keys: Arc::clone(&self.code_keys),
            templates: Arc::new(PlainMessages),
            texts: [
                (TextCarrier::Sns, Arc::clone(&self.texts) as Arc<dyn Messages>),
                (TextCarrier::Webhook, Arc::clone(&self.other_texts) as _),
            ]
            .into(),
            senders: self.senders.clone(),
            mail: Arc::clone(&self.mails) as _,
            events: Arc::clone(&self.bus) as _,
            sent: self.sent_messages(),
            history: Some(self.write_history.clone()),
            test_codes: TestCodes {
                numbers: self.test_numbers.clone(),
                events: Arc::new(PlainTestNumberEvents),
            },
            breakers: Arc::clone(&self.breakers),
            longest_pause: Duration::from_mins(10),
            clock: self.clock_port(),
        }
    }

    /// Returns the core of a relay whose breakers stay open for this long at first.
    #[must_use]
    pub fn with_breakers(&self, pause: Duration) -> Self {
        let mut core = self.clone();
        core.breakers = Arc::new(Breakers::new(pause));
        core
    }

    /// Returns the core of a relay that tries these carriers of texts in this order.
    #[must_use]
    pub fn with_carriers(&self, carriers: &[TextCarrier]) -> Self {
        let mut core = self.clone();
        core.senders.default.carriers = carriers.to_vec();
        core
    }

    /// Makes every text take this long: the clock moves with each of them.
    pub fn slow_texts(&self, span: Duration) {
        self.texts.slow(Arc::clone(&self.clock), span);
    }

    /// Returns the ids of the entries that wait in the outbox.
    pub fn waiting(&self) -> Vec<String> {
        let id = |item: HashMap<String, AttributeValue>| match item.get("event_id") {
            Some(AttributeValue::S(id)) => id.clone(),
            other => panic!("{other:?} is not an id"),
        };
        let mut ids: Vec<_> = self.database.items("Outbox").into_iter().map(id).collect();
        ids.sort();
        ids
    }

    /// Writes an entry with an effect that this version of the program does not know.
    pub fn put_unreadable_entry(&self, id: &str) {
        let effect = json!({ "M": { "effect": { "S": "unknown" } } });
        let written_at = self.now().as_seconds().to_string();
        let item = json!({
            "event_id": { "S": id },
            "written_at": { "N": written_at },
            "due_at": { "N": written_at },
            "due_shard": { "S": Shard::of(id).as_str() },
            "effects": { "L": [effect] },
        });
        self.database.put("Outbox", &item);
    }

    /// Writes copies of a waiting entry that belong to its shard, due at the same time.
    pub fn put_copies(&self, id: &str, count: usize) {
        let entries = self.database.items("Outbox");
        let is_it =
            |item: &&HashMap<_, _>| item.get("event_id") == Some(&AttributeValue::S(id.to_owned()));
        let entry = entries.iter().find(is_it).unwrap_or_else(|| panic!("no entry {id}"));
        for number in 0..count {
            let mut copy = entry.clone();
            let end = id.chars().next_back().expect("a digit");
            copy.insert("event_id".to_owned(), AttributeValue::S(format!("m#{number:05}{end}")));
            self.database.put("Outbox", &json!(copy));
        }
    }

    /// Writes copies of a waiting entry that wait in their shards for a try far in the future.
    pub fn put_copies_for_later(&self, id: &str, count: usize) {
        self.put_copies(id, count);
        for mut item in self.database.items("Outbox") {
            let Some(AttributeValue::S(copy)) = item.get("event_id") else {
                panic!("no id: {item:?}")
            };
            if copy != id {
                let shard = AttributeValue::S(Shard::of(copy).as_str().to_owned());
                item.insert("due_shard".to_owned(), shard);
                item.insert("due_at".to_owned(), AttributeValue::N(i64::MAX.to_string()));
                self.database.put("Outbox", &json!(item));
            }
        }
    }

    /// Delivers every entry that waits, as the stream of the outbox does. Returns the ids that
    /// failed.
    pub async fn deliver(&self) -> HashSet<String> {
        let ids = self.waiting();
        if ids.is_empty() {
            return HashSet::new();
        }
        self.deliver_ids(&ids).await.expect("the outbox")
    }

    /// Delivers the entries with these ids. Returns the ids that failed.
    pub async fn deliver_ids(&self, ids: &[String]) -> Result<HashSet<String>, PortError> {
        self.relay().run(ids).await
    }

    /// Delivers the entries that are due. Returns how many were found and how many failed again.
    pub async fn sweep(&self) -> (usize, usize) {
        self.sweep_part(SweepPart::WHOLE).await
    }

    /// Delivers the entries of a part that are due.
    pub async fn sweep_part(&self, part: SweepPart) -> (usize, usize) {
        let Swept { found, failed } = self.relay().sweep(part).await.expect("the outbox");
        (found, failed)
    }

    /// Makes the stored entries those of the oldest versions, which were not due at a time.
    pub fn forget_due_times(&self) {
        self.database.strip("Outbox", "due_at");
    }

    /// Puts the stored entries into their shards, as a try that failed does, and as a version before this one did when it
    /// wrote them.
    pub fn put_into_shards(&self) {
        for mut item in self.database.items("Outbox") {
            let Some(AttributeValue::S(id)) = item.get("event_id") else {
                panic!("no id: {item:?}")
            };
            let shard = AttributeValue::S(Shard::of(id).as_str().to_owned());
            item.insert("due_shard".to_owned(), shard);
            self.database.put("Outbox", &json!(item));
        }
    }

    /// Returns the number of entries that are in a shard.
    pub fn in_shards(&self) -> usize {
        let items = self.database.items("Outbox");
        items.iter().filter(|item| item.contains_key("due_shard")).count()
    }

    /// Reads an entry, as a relay does before it delivers it.
    pub async fn read_entry(&self, id: &str) -> OutboxEntry {
        let mut found = self.store.find(&[id.to_owned()]).await.expect("the outbox");
        found.entries.pop().unwrap_or_else(|| panic!("no entry {id}"))
    }

    /// Claims an entry, as a relay does that ends before it sends.
    pub async fn claim_entry(&self, entry: &OutboxEntry) -> bool {
        let until = self.now().plus(Duration::from_mins(1));
        self.store.claim(entry, until, self.now()).await.expect("the outbox")
    }

    /// Returns the entries that wait for an operator.
    pub async fn parked(&self) -> Vec<ParkedEntry> {
        self.store.parked().await.expect("the outbox")
    }

    /// Releases a parked entry. Returns whether it was parked.
    pub async fn release(&self, id: &str) -> bool {
        self.store.release(id, self.now()).await.expect("the outbox")
    }

    /// Drops a parked entry. Returns whether it was parked.
    pub async fn drop_parked(&self, id: &str) -> bool {
        self.store.drop_parked(id).await.expect("the outbox")
    }
}
