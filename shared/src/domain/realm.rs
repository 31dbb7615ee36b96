//! Name spaces of users.

/// The name space a user lives in: one per contract, or one per store of a contract.
///
/// The same address may be a user of many realms; users of different realms are never linked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Realm {
    contract: String,
    store: Option<String>,
}

impl Realm {
    /// The realm of a contract that has a single store.
    #[must_use]
    pub fn of_contract(contract: &str) -> Self {
        Self { contract: contract.to_owned(), store: None }
    }

    /// The realm of one store of a contract.
    #[must_use]
    pub fn of_store(contract: &str, store: &str) -> Self {
        Self { contract: contract.to_owned(), store: Some(store.to_owned()) }
    }

    /// The contract's name.
    #[must_use]
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// The store's name; empty when the contract has a single store.
    #[must_use]
    pub fn store(&self) -> &str {
        self.store.as_deref().unwrap_or_default()
    }
}
