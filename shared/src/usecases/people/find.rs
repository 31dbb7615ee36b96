//! Finds people by an identifier or an id.

use super::{ManagePeople, PersonRefused, Refused, refused};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use crate::domain::session::ListedSession;
use crate::domain::user::User;
use crate::ports::{Person, PortError};
use futures_util::future::try_join_all;
use std::collections::BTreeSet;

/// How a caller names a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonName {
    Id(UserId),
    Identifier(Identifier),
    /// A text that is an id or a username.
    Either(UserId, Identifier),
}

/// Which person is meant.
#[derive(Clone, Debug)]
pub struct PersonQuery {
    /// The contract; `None` for every one.
    pub contract: Option<String>,
    /// The shop of a contract with shops; `None` for every one.
    pub shop: Option<String>,
    pub name: PersonName,
}

/// A user, and the sessions that are open.
#[derive(Debug)]
pub struct FoundPerson {
    pub user: User,
    pub sessions: Vec<ListedSession>,
}

impl PersonName {
    /// Reads a name: a phone number with a plus sign, an e-mail address, a username or an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let identifier = |kind| Identifier::from_parts(kind, text).map(Self::Identifier);
        if text.starts_with('+') {
            return identifier("phone");
        }
        if text.contains('@') {
            return identifier("email");
        }
        let is_id = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let id = (is_id && (1..=36).contains(&text.len())).then(|| UserId::from_stored(text));
        let username = Identifier::from_parts("username", text);
        match (id, username) {
            (Some(id), Some(username)) => Some(Self::Either(id, username)),
            (Some(id), None) => Some(Self::Id(id)),
            (None, username) => username.map(Self::Identifier),
        }
    }

    /// The kind of the name in hashes.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Id(_) | Self::Either(..) => "user",
            Self::Identifier(identifier) => identifier.kind().as_str(),
        }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Id(id) | Self::Either(id, _) => id.as_str(),
            Self::Identifier(identifier) => identifier.as_str(),
        }
    }

    /// Returns whether a text with the name in it names the person. A short id or username can be a part of
    /// any text.
    pub(super) fn is_telling(&self) -> bool {
        match self {
            Self::Identifier(identifier) if identifier.receives_codes() => true,
            Self::Id(_) | Self::Either(..) | Self::Identifier(_) => self.text().len() > 12,
        }
    }

    const fn id(&self) -> Option<&UserId> {
        match self {
            Self::Id(id) | Self::Either(id, _) => Some(id),
            Self::Identifier(_) => None,
        }
    }

    const fn identifier(&self) -> Option<&Identifier> {
        match self {
            Self::Identifier(identifier) | Self::Either(_, identifier) => Some(identifier),
            Self::Id(_) => None,
        }
    }
}

impl ManagePeople {
    /// Returns every user that a query means, with the sessions that are open.
    ///
    /// # Errors
    /// There is no such contract, or the store failed.
    pub async fn find(&self, query: &PersonQuery) -> Result<Vec<FoundPerson>, Refused> {
        let now = self.clock.now();
        let realms = self.realms(query).await?;
        let by_identifier = async {
            let Some(identifier) = query.name.identifier() else { return Ok(Vec::new()) };
            let holders = realms.iter().map(|realm| self.users.known_by(realm, identifier, now));
            let holders = try_join_all(holders).await?;
            Ok::<_, PortError>(holders.into_iter().flatten().map(|holder| holder.user).collect())
        };
        let mut ids: Vec<UserId> = by_identifier.await?;
        ids.extend(query.name.id().cloned());
        let mut found = Vec::new();
        for id in &ids {
            let user = self.users.find(id, now).await?;
            let user = user.filter(|user| query.contract.is_none() || realms.contains(&user.realm));
            let Some(user) = user else { continue };
            let is_known = |known: &FoundPerson| known.user.id == user.id;
            if !found.iter().any(is_known) {
                let sessions = self.sessions.list(&user.id, now).await?;
                found.push(FoundPerson { user, sessions });
            }
        }
        Ok(found)
    }

    /// Returns the one user that a query means.
    pub(super) async fn user(&self, query: &PersonQuery) -> Result<FoundPerson, Refused> {
        let mut found = self.find(query).await?;
        if found.len() > 1 {
            let names = found.iter().map(|found| {
                let User { id, realm, .. } = &found.user;
                let shop = realm.shop().map(|shop| format!("/{shop}")).unwrap_or_default();
                format!("{}{shop} {}", realm.contract(), id.as_str())
            });
            return Err(refused(PersonRefused::Several(names.collect())));
        }
        found.pop().ok_or(refused(PersonRefused::Unknown))
    }

    /// Returns the person that a query means: a user, or the recipient in one realm.
    pub(super) async fn person(&self, query: &PersonQuery) -> Result<Person, Refused> {
        match self.user(query).await {
            Ok(found) => {
                let User { id, realm, identifiers, .. } = found.user;
                let identifiers = identifiers.iter().map(|known| known.identifier.clone());
                Ok(Person { realm, user: Some(id), identifiers: identifiers.collect() })
            }
            Err(super::Failure::Refused(PersonRefused::Unknown)) => {
                let realms = self.realms(query).await?;
                let [realm] = realms.as_slice() else {
                    return Err(refused(PersonRefused::NoRealm));
                };
                let identifier = query.name.identifier().cloned();
                let identifiers = identifier.ok_or(refused(PersonRefused::Unknown))?;
                let (realm, user) = (realm.clone(), query.name.id().cloned());
                Ok(Person { realm, user, identifiers: vec![identifiers] })
            }
            Err(other) => Err(other),
        }
    }

    /// Returns the realms that a query means. The shops of a contract are those that have a client.
    async fn realms(&self, query: &PersonQuery) -> Result<Vec<Realm>, Refused> {
        let contracts = self.contracts.keys().copied();
        let contracts: Vec<_> = match &query.contract {
            Some(name) => contracts.filter(|contract| contract == name).collect(),
            None => contracts.collect(),
        };
        if contracts.is_empty() {
            return Err(refused(PersonRefused::NoContract));
        }
        if let (Some(shop), [contract]) = (&query.shop, contracts.as_slice()) {
            return Ok(vec![Realm::of_shop(contract, shop)]);
        }
        let shops: BTreeSet<_> = self
            .clients()
            .await?
            .into_iter()
            .map(|client| {
                (client.realm.contract().to_owned(), client.realm.shop().map(str::to_owned))
            })
            .filter_map(|(contract, shop)| Some((contract, shop?)))
            .collect();
        let mut realms = Vec::new();
        for contract in contracts {
            let of_contract = shops.iter().filter(|(name, _)| name == contract);
            let of_contract: Vec<_> =
                of_contract.map(|(_, shop)| Realm::of_shop(contract, shop)).collect();
            if of_contract.is_empty() {
                realms.push(Realm::of_contract(contract));
            }
            realms.extend(of_contract);
        }
        Ok(realms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_by_a_number_an_address_a_name_or_an_id() {
        let name =
            |text: &str| PersonName::parse(text).map(|name| (name.kind(), name.text().to_owned()));
        let cases = [
            ("+85291234567", Some("phone")),
            ("Ann@Example.com", Some("email")),
            ("1831", Some("user")),
            ("6b026ecdd7986f187a939bf5", Some("user")),
            ("550e8400-e29b-41d4-a716-446655440000", Some("user")),
            ("user_123", Some("username")),
            ("", None),
            ("+12", None),
            ("a@", None),
            ("two words", None),
        ];
        for (text, kind) in cases {
            assert_eq!(name(text).map(|(kind, _)| kind), kind, "{text}");
        }
    }
}
