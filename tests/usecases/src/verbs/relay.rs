//! The delivery of effects.

use crate::Core;
use crate::contract::PlainMessages;
use latchkey::ports::{Outbox as _, PortError};
use latchkey::usecases::DeliverEffects;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

impl Core {
    fn relay(&self) -> DeliverEffects {
        DeliverEffects {
            outbox: Arc::clone(&self.store) as _,
            challenges: Arc::clone(&self.store) as _,
            code_keys: Arc::clone(&self.code_keys),
            templates: Arc::new(PlainMessages),
            texts: Arc::clone(&self.texts) as _,
            mail: Arc::clone(&self.mails) as _,
            events: Arc::clone(&self.bus) as _,
            clock: self.clock_port(),
        }
    }

    /// Makes every text take this long: the clock moves with each of them.
    pub fn slow_texts(&self, span: Duration) {
        self.texts.slow(Arc::clone(&self.clock), span);
    }

    /// Returns the ids of the entries that wait in the outbox.
    pub async fn waiting(&self) -> Vec<String> {
        let (mut ids, mut next) = (Vec::new(), None);
        loop {
            let end = self.now().plus(Duration::from_millis(1));
            let page = self.store.overdue(end, next).await.expect("the outbox");
            ids.extend(page.entries.into_iter().map(|entry| entry.id));
            ids.extend(page.unreadable);
            next = page.next;
            if next.is_none() {
                return ids;
            }
        }
    }

    /// Writes an entry with an effect that this version of the program does not know.
    pub fn put_unreadable_entry(&self, id: &str) {
        let effect = json!({ "M": { "effect": { "S": "unknown" } } });
        let written_at = self.now().as_seconds().to_string();
        let item = json!({
            "event_id": { "S": id },
            "written_at": { "N": written_at },
            "effects": { "L": [effect] },
        });
        self.database.put("Outbox", &item);
    }

    /// Delivers every entry that waits, as the stream of the outbox does. Returns the ids that
    /// failed.
    pub async fn deliver(&self) -> HashSet<String> {
        let ids = self.waiting().await;
        if ids.is_empty() {
            return HashSet::new();
        }
        self.deliver_ids(&ids).await.expect("the outbox")
    }

    /// Delivers the entries with these ids. Returns the ids that failed.
    pub async fn deliver_ids(&self, ids: &[String]) -> Result<HashSet<String>, PortError> {
        self.relay().run(ids).await
    }

    /// Delivers the entries that have waited too long. Returns how many were found and how many
    /// failed again.
    pub async fn sweep(&self) -> (usize, usize) {
        self.relay().sweep().await.expect("the outbox")
    }
}
