//! Attributes: what a contract stores with a user or a session, and what only the contract
//! interprets.

use serde_json::Value;
use std::collections::BTreeMap;

/// Named JSON values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// Sets an attribute.
    pub fn insert(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns the attribute with this name if it is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Returns the attributes in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the attributes with these names.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let wanted = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        Self(wanted.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Sets all attributes of `others`.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

impl FromIterator<(String, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_selected_by_name_and_keep_their_json_types() {
        let mut attributes = Attributes::default();
        attributes.insert("name", "Ada");
        attributes.insert("age", 36);
        let mut more = Attributes::default();
        more.insert("age", 37);
        attributes.extend(more);
        assert_eq!((attributes.text("name"), attributes.text("age")), (Some("Ada"), None));
        assert_eq!(attributes.get("age"), Some(&Value::from(37)));
        let only = attributes.only(&["age", "absent"]);
        assert_eq!(only.iter().collect::<Vec<_>>(), [("age", &Value::from(37))]);
    }
}
