//! The versions of users, as the tests see and change them.

use crate::core::Core;
use dynoxide::AttributeValue;
use std::collections::HashMap;

impl Core {
    /// Returns the versions that are stored with users.
    pub fn stored_versions(&self) -> Vec<u64> {
        let version = |item: &HashMap<String, AttributeValue>| match item.get("event_version")? {
            AttributeValue::N(version) => version.parse().ok(),
            other => panic!("{other:?} is not a number"),
        };
        self.database.items("Users").iter().filter_map(version).collect()
    }

    /// Makes every user one of a version that stored none.
    pub fn forget_versions(&self) {
        self.database.strip("Users", "event_version");
    }
}
