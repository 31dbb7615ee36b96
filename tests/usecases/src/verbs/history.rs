//! What happened to recipients and users.

use crate::Core;
use dynoxide::AttributeValue;
use latchkey::adapters::dynamodb::DynamoHistories;
use latchkey::domain::history::{Counted, Happening, HistoryOf, MessageOutcome};
use latchkey::domain::id::UserId;
use latchkey::domain::identifier::Identifier;
use latchkey::ports::Histories;
use latchkey::usecases::{HistoryEntry, ReadHistory};
use std::collections::HashMap;
use std::sync::Arc;

impl Core {
    fn histories(&self) -> Arc<dyn Histories> {
        Arc::new(DynamoHistories::new((*self.store).clone(), Arc::clone(&self.history_keys)))
    }

    pub(crate) fn read_history(&self) -> ReadHistory {
        ReadHistory {
            histories: self.histories(),
            deliveries: Arc::clone(&self.store) as _,
            clock: self.clock_port(),
        }
    }

    /// Returns the history of a recipient, the newest first.
    pub async fn history(&self, of: &Identifier) -> Vec<HistoryEntry> {
        let of = HistoryOf::Recipient(self.realm.clone(), of.clone());
        self.read_history().run(&[of]).await.expect("the store")
    }

    /// Returns what became of the messages to a recipient, the newest first.
    pub async fn outcomes(&self, of: &Identifier) -> Vec<MessageOutcome> {
        let entries = self.history(of).await.into_iter();
        let outcomes = entries.filter_map(|entry| match entry.item.what {
            Happening::Message(message) => Some(message.outcome),
            Happening::Events(_) | Happening::Times(..) => None,
        });
        outcomes.collect()
    }

    /// Returns what was counted of a recipient, the newest first.
    pub async fn counted(&self, of: &Identifier) -> Vec<(Counted, u64)> {
        let entries = self.history(of).await.into_iter();
        let counted = entries.filter_map(|entry| match entry.item.what {
            Happening::Times(what, times) => Some((what, times)),
            Happening::Events(_) | Happening::Message(_) => None,
        });
        counted.collect()
    }

    /// Returns the types of the events about a user, the newest first.
    pub async fn events_of(&self, user: &UserId) -> Vec<String> {
        let entries = self.read_history().run(&[HistoryOf::User(user.clone())]).await;
        let types =
            entries.expect("the store").into_iter().filter_map(|entry| match entry.item.what {
                Happening::Events(types) => Some(types),
                Happening::Times(..) | Happening::Message(_) => None,
            });
        types.flatten().collect()
    }

    /// Deletes the history of a recipient. Returns how many items it had.
    pub async fn forget_history(&self, of: &Identifier) -> usize {
        let of = HistoryOf::Recipient(self.realm.clone(), of.clone());
        self.read_history().forget(&[of]).await.expect("the store")
    }

    /// Returns all texts in the items of the histories.
    pub fn history_texts(&self) -> Vec<String> {
        let items = self.database.items("Histories").into_iter();
        let texts = items.flat_map(HashMap::into_values).filter_map(|value| match value {
            AttributeValue::S(text) => Some(text),
            _ => None,
        });
        texts.collect()
    }

    /// Makes every write and read of histories fail.
    pub fn lose_histories(&self) {
        self.database.drop_table("Histories");
    }
}
