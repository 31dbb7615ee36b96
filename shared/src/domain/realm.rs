//! Name spaces of users.

/// The name space a user lives in: one per contract, or one per shop of a contract.
///
/// The same address may be a user of many realms; users of different realms are never linked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Realm {
    contract: String,
    shop: Option<String>,
}

impl Realm {
    /// The realm of a contract that has a single shop.
    #[must_use]
    pub fn of_contract(contract: &str) -> Self {
        Self { contract: contract.to_owned(), shop: None }
    }

    /// The realm of one shop of a contract.
    #[must_use]
    pub fn of_shop(contract: &str, shop: &str) -> Self {
        Self { contract: contract.to_owned(), shop: Some(shop.to_owned()) }
    }

    /// The contract's name.
    #[must_use]
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// The shop's name; empty when the contract has a single shop.
    #[must_use]
    pub fn shop(&self) -> &str {
        self.shop.as_deref().unwrap_or_default()
    }
}
