//! Reads of the state of everything that a request touches, over the tables Budgets, Identifiers and
//! Challenges (README.md, the sections of these names).

use super::DynamoStore;
use super::budgets::read_used;
use super::items::challenge::{challenge_state, read_challenge_key};
use super::items::identifier::read_holder;
use super::items::value::{Item, as_text};
use super::items::{is_over, keys};
use super::reads::WantedItems;
use crate::domain::budget::Budget;
use crate::domain::time::Timestamp;
use crate::ports::{PortError, Standing, StandingQuery, Standings};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap};

/// Returns the items by their keys.
fn by_key(items: Option<Vec<Item>>, key: &str) -> HashMap<String, Item> {
    let items = items.into_iter().flatten();
    let named = items.filter_map(|item| Some((item.get(key).and_then(as_text)?.to_owned(), item)));
    named.collect()
}

#[async_trait]
impl Standings for DynamoStore {
    async fn standing(
        &self,
        query: &StandingQuery<'_>,
        now: Timestamp,
    ) -> Result<Standing, PortError> {
        let tables = &self.tables;
        let buckets: BTreeSet<_> =
            query.budgets.iter().map(|budget| budget.bucket.clone()).collect();
        let identifiers: Vec<_> = query
            .identifiers
            .iter()
            .map(|(realm, identifier)| keys::identifier(realm, identifier))
            .collect();
        let challenges: Vec<_> = query.challenges.iter().map(|key| keys::challenge(key)).collect();
        let handle = query.handle.map(keys::handle);
        let wanted = [
            WantedItems {
                table: &tables.budgets,
                key: "bucket",
                values: buckets.into_iter().collect(),
                // A count that is a moment old admits a few requests more than the limit, at half of
                // the price. The limits that must be exact are conditions of writes.
                consistent: false,
            },
            WantedItems {
                table: &tables.identifiers,
                key: "identifier",
                values: identifiers.clone(),
                consistent: true,
            },
            WantedItems {
                table: &tables.challenges,
                key: "challenge_id",
                values: challenges.iter().chain(&handle).cloned().collect(),
                consistent: true,
            },
        ];
        let mut found = self.read_batch("read the standing of a request", wanted).await?;
        let budgets = by_key(found.remove(&tables.budgets), "bucket");
        let holders = by_key(found.remove(&tables.identifiers), "identifier");
        let states = by_key(found.remove(&tables.challenges), "challenge_id");
        let used = |budget: &Budget| read_used(budget, budgets.get(&budget.bucket));
        let holder = |key: &String| {
            holders.get(key).filter(|item| !is_over(item, now)).map(read_holder).transpose()
        };
        let handle = handle.and_then(|handle| states.get(&handle));
        let handle = handle.map(|item| (item, challenge_state(Some(item), now)));
        let held = handle.filter(|(_, state)| state.is_live);
        let held = held.map(|(item, state)| Ok::<_, PortError>((read_challenge_key(item)?, state)));
        Ok(Standing {
            used: query.budgets.iter().map(|budget| used(budget)).collect(),
            holders: identifiers.iter().map(holder).collect::<Result<_, _>>()?,
            challenges: challenges
                .iter()
                .map(|key| challenge_state(states.get(key), now))
                .collect(),
            held: held.transpose()?,
        })
    }
}
