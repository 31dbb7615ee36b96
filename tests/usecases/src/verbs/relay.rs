//! The delivery of effects.

use crate::Core;
use crate::contract::PlainMessages;
use latchkey::ports::{Outbox as _, PortError};
use latchkey::usecases::DeliverEffects;
use std::collections::HashSet;
use std::sync::Arc;

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

    /// Returns the ids of the entries that wait in the outbox.
    pub async fn waiting(&self) -> Vec<String> {
        let (mut ids, mut next) = (Vec::new(), None);
        loop {
            let end = self.now().plus(std::time::Duration::from_millis(1));
            let page = self.store.overdue(end, next).await.expect("the outbox");
            ids.extend(page.entries.into_iter().map(|entry| entry.id));
            ids.extend(page.unreadable);
            next = page.next;
            if next.is_none() {
                return ids;
            }
        }
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
