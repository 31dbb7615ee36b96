//! Users in the table Users, found by their ids or by their identifiers in the table Identifiers
//! (README.md, the sections of these names).

use super::DynamoStore;
use super::items::identifier::read_holder;
use super::items::user::read_user;
use super::items::{is_over, keys};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{Holder, PortError, Users};
use async_trait::async_trait;

#[async_trait]
impl Users for DynamoStore {
    async fn find(&self, id: &UserId, now: Timestamp) -> Result<Option<User>, PortError> {
        let key = [("user_id", id.as_str())];
        let item = self.read_item("read a user", &self.tables.users, &key).await?;
        let item = item.filter(|item| !is_over(item, now));
        item.as_ref().map(|item| read_user(item, now)).transpose()
    }

    async fn known_by(
        &self,
        realm: &Realm,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<Option<Holder>, PortError> {
        let key = keys::identifier(realm, identifier);
        let key = [("identifier", key.as_str())];
        let item = self.read_item("read an identifier", &self.tables.identifiers, &key).await?;
        let item = item.filter(|item| !is_over(item, now));
        item.as_ref().map(read_holder).transpose()
    }
}
