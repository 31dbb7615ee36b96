//! Users that come from another system or move to one, in the tables Users, Identifiers and Sequences (README.md, the sections
//! of these names).

use super::DynamoStore;
use super::items::identifier::{identifier_item, read_holder};
use super::items::realm::read_realm;
use super::items::user::{read_user, read_user_id, user_item};
use super::items::value::{Item, as_text, flag, number, text, time};
use super::items::{is_over, keys};
use super::reads::WantedItems;
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use crate::adapters::aws::port_error;
use crate::domain::id::{Sequence, UserId};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::{Identifiers, User};
use crate::ports::{Arrivals, ImportPlace, Imports, PortError, UserPage, UserPages};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Put, ReturnConsumedCapacity};
use std::collections::{BTreeSet, HashMap};

/// The most keys of one batch (DynamoDB, `BatchGetItem`).
const MOST_KEYS: usize = 100;
/// The users of a page. An answer of Lambda has 6 MB at most, and a page of a scan 1 MB.
const PAGE: i32 = 500;

impl DynamoStore {
    /// Reads the items of a table with these keys, by key.
    async fn read_places(
        &self,
        table: &str,
        key: &'static str,
        values: BTreeSet<String>,
    ) -> Result<HashMap<String, Item>, PortError> {
        let values: Vec<_> = values.into_iter().collect();
        let mut found = HashMap::new();
        for values in values.chunks(MOST_KEYS) {
            let wanted = WantedItems { table, key, values: values.to_vec(), consistent: true };
            let items = self.read_batch("read which users are there already", [wanted]).await?;
            for item in items.into_values().flatten() {
                if let Some(name) = item.get(key).and_then(as_text) {
                    found.insert(name.to_owned(), item);
                }
            }
        }
        Ok(found)
    }

    /// Returns the action that remembers a user who came from another system.
    fn arrival(&self, user: &User, arrivals: Arrivals) -> Result<Option<Put>, PortError> {
        let key = text(keys::arrival(&user.realm, &user.id));
        let item = Item::from([("identifier".to_owned(), key)]);
        let table = &self.tables.identifiers;
        Ok(match arrivals {
            Arrivals::Forgotten => None,
            Arrivals::Kept => {
                let put = Put::builder().table_name(table).set_item(Some(item));
                Some(put.build().map_err(malformed)?)
            }
            Arrivals::Once => Some(put_new(table, "identifier", item)?),
        })
    }
}

#[async_trait]
impl Imports for DynamoStore {
    async fn places(
        &self,
        users: &[&User],
        arrivals: Arrivals,
        now: Timestamp,
    ) -> Result<Vec<ImportPlace>, PortError> {
        let ids = users.iter().map(|user| user.id.as_str().to_owned()).collect();
        let names = users.iter().flat_map(|user| {
            user.identifiers.iter().map(|known| keys::identifier(&user.realm, &known.identifier))
        });
        let names = names.collect();
        let ids = self.read_places(&self.tables.users, "user_id", ids).await?;
        let names = self.read_places(&self.tables.identifiers, "identifier", names).await?;
        let arrived = match arrivals {
            Arrivals::Forgotten | Arrivals::Kept => HashMap::new(),
            Arrivals::Once => {
                let keys = users.iter().map(|user| keys::arrival(&user.realm, &user.id)).collect();
                self.read_places(&self.tables.identifiers, "identifier", keys).await?
            }
        };
        let mut realms = HashMap::new();
        for (id, item) in &ids {
            realms.insert(id.as_str(), read_realm(item)?);
        }
        let mut holders = HashMap::new();
        for (name, item) in names.iter().filter(|(_, item)| !is_over(item, now)) {
            holders.insert(name.as_str(), read_holder(item)?.user);
        }
        let place = |user: &&User| {
            let holder = |known: &crate::domain::user::KnownBy| {
                holders.get(keys::identifier(&user.realm, &known.identifier).as_str())
            };
            if let Some(realm) = realms.get(user.id.as_str()) {
                let is_own = user.identifiers.iter().all(|known| holder(known) == Some(&user.id));
                let is_same = *realm == user.realm && is_own;
                return if is_same { ImportPlace::Present } else { ImportPlace::IdTaken };
            }
            if arrived.contains_key(&keys::arrival(&user.realm, &user.id)) {
                return ImportPlace::Departed;
            }
            let taken = user.identifiers.iter().find(|known| holder(known).is_some());
            taken.map_or(ImportPlace::Free, |known| ImportPlace::Taken(known.identifier.kind()))
        };
        Ok(users.iter().map(place).collect())
    }

    async fn create(
        &self,
        users: &[&User],
        arrivals: Arrivals,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let mut transaction = Transaction::default();
        for user in users {
            for known in user.identifiers.iter() {
                let mut item = identifier_item(user, &known.identifier, None);
                if user.is_banned() {
                    item.insert("banned".to_owned(), flag(true));
                }
                let put = self.assign_identifier(now, item)?;
                transaction.put(Subject::Identifier(0), put);
            }
            let mut item = user_item(user);
            if let Some(at) = user.banned_at {
                item.insert("banned_at".to_owned(), time(at));
            }
            transaction.put(Subject::Account, put_new(&self.tables.users, "user_id", item)?);
            if let Some(arrival) = self.arrival(user, arrivals)? {
                transaction.put(Subject::Other, arrival);
            }
        }
        let commit = self.transact("import users", transaction).await?;
        Ok(matches!(commit, Commit::Done))
    }

    async fn reserve_ids(&self, realm: &Realm, highest: u32) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.sequences)
            .key("name", text(keys::sequence(realm, Sequence::User)))
            .update_expression("SET last_id = :highest")
            .condition_expression("attribute_not_exists(last_id) OR last_id < :highest")
            .expression_attribute_values(":highest", number(highest))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(port_error("reserve the ids of imported users", &error)),
            },
        }
    }
}

#[async_trait]
impl UserPages for DynamoStore {
    async fn page(
        &self,
        contract: Option<&str>,
        after: Option<&UserId>,
        now: Timestamp,
    ) -> Result<UserPage, PortError> {
        let start = after.map(|id| Item::from([("user_id".to_owned(), text(id.as_str()))]));
        let mut scan = self
            .client
            .scan()
            .table_name(&self.tables.users)
            .consistent_read(true)
            .limit(PAGE)
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if let Some(contract) = contract {
            scan = scan
                .filter_expression("contract = :contract")
                .expression_attribute_values(":contract", text(contract));
        }
        let page = scan.send().await.map_err(|error| port_error("read all users", &error))?;
        let next = page.last_evaluated_key.as_ref().map(read_user_id).transpose()?;
        let mut users = Vec::new();
        for item in page.items.unwrap_or_default() {
            let user = read_user(&item, now)?;
            if user.expires_at.is_none() {
                let known = user.identifiers.iter();
                let kept = known.filter(|known| known.reserved_until().is_none()).cloned();
                let identifiers = Identifiers::new(kept.collect());
                users.push(User { identifiers, ..user });
            }
        }
        Ok(UserPage { users, next })
    }
}
