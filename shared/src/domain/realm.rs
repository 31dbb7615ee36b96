//! Realms: the name spaces of users.

/// A name space of users: a contract, or one shop of a contract.
///
/// The same phone number may belong to users of several realms. Users of different realms are never
/// linked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Realm {
    contract: String,
    shop: Option<String>,
}

impl Realm {
    /// Returns the realm of a contract without shops.
    #[must_use]
    pub fn of_contract(contract: &str) -> Self {
        Self { contract: contract.to_owned(), shop: None }
    }

    /// Returns the realm of one shop of a contract.
    #[must_use]
    pub fn of_shop(contract: &str, shop: &str) -> Self {
        Self { contract: contract.to_owned(), shop: Some(shop.to_owned()) }
    }

    #[must_use]
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// The code of the shop; `None` for a contract without shops.
    #[must_use]
    pub fn shop(&self) -> Option<&str> {
        self.shop.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_is_a_contract_or_one_shop_of_it() {
        let (contract, shop) = (Realm::of_contract("a"), Realm::of_shop("a", "S"));
        assert_eq!((contract.contract(), contract.shop()), ("a", None));
        assert_eq!((shop.contract(), shop.shop()), ("a", Some("S")));
    }
}
