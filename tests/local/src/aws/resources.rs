//! The template's resources, found by the names that calls use.

use super::events;
use super::rights::{self, PartitionKeys, Right};
use secrets_manager::is_name_of_secret;
use serde_json::Value as Json;
use std::collections::HashMap;
use template::{EventBus, Secret, Table, Template};

/// The resources that calls can name.
#[derive(Debug)]
pub(crate) struct Resources {
    /// Logical ids by physical name.
    tables: HashMap<String, String>,
    keys: PartitionKeys,
    buses: Vec<EventBus>,
    secrets: Vec<Secret>,
}

impl Resources {
    pub(crate) fn new(template: &Template) -> Self {
        let id_by_name = |table: &Table| (table.name.clone(), table.id.clone());
        Self {
            tables: template.tables.iter().map(id_by_name).collect(),
            keys: PartitionKeys::new(&template.tables),
            buses: template.buses.clone(),
            secrets: template.secrets.clone(),
        }
    }

    /// Returns the names of the secrets.
    pub(super) fn secret_names(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.name.as_str())
    }

    /// Returns the logical ids of all tables that a request names, sorted.
    pub(super) fn tables(&self, request: &Json) -> Vec<String> {
        let names = table_names(request).into_iter();
        sorted(names.map(|name| self.table_id(name).to_owned()).collect())
    }

    /// Returns the rights that a request to DynamoDB needs, with logical ids.
    pub(super) fn table_rights(&self, operation: &str, request: &Json) -> Vec<Right> {
        let rights = self.keys.rights(operation, request);
        rights::renamed(rights, |table| self.table_id(table).to_owned())
    }

    /// Returns the logical ids of all buses that a request names, sorted.
    pub(super) fn buses(&self, request: &Json) -> Vec<String> {
        let entries = request.get("Entries").and_then(Json::as_array).into_iter().flatten();
        let ids = entries.map(events::bus_name).map(|name| {
            let bus = self.buses.iter().find(|bus| bus.name == name);
            bus.map_or(name, |bus| &bus.id).to_owned()
        });
        sorted(ids.collect())
    }

    /// Returns the logical id of the secret that a request names.
    pub(super) fn secrets(&self, request: &Json) -> Vec<String> {
        let name = request.get("SecretId").and_then(Json::as_str);
        let id = name.map(|name| {
            let named = |secret: &&Secret| is_name_of_secret(name, &secret.name, &secret.arn);
            self.secrets.iter().find(named).map_or(name, |secret| &secret.id).to_owned()
        });
        id.into_iter().collect()
    }

    fn table_id<'n>(&'n self, table: &'n str) -> &'n str {
        let name = rights::table_name(table);
        self.tables.get(name).map_or(name, String::as_str)
    }
}

fn table_names(request: &Json) -> Vec<&str> {
    let mut names = Vec::new();
    names.extend(request.get("TableName").and_then(Json::as_str));
    let actions = request.get("TransactItems").and_then(Json::as_array).into_iter().flatten();
    for action in actions.filter_map(Json::as_object).flat_map(|action| action.values()) {
        names.extend(action.get("TableName").and_then(Json::as_str));
    }
    let batch = request.get("RequestItems").and_then(Json::as_object).into_iter().flatten();
    names.extend(batch.map(|(name, _)| name.as_str()));
    names
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resources() -> Resources {
        let table = |id: &str| Table {
            id: id.to_owned(),
            name: format!("latchkey-{id}"),
            create: Json::Null,
            ttl_attribute: None,
            has_stream: false,
        };
        let mut template = Template::default();
        template.tables = vec![table("Users"), table("Outbox")];
        let name = "latchkey-events".to_owned();
        template.buses = vec![EventBus { id: "Bus".to_owned(), name }];
        template.secrets = vec![Secret {
            id: "OtpKey".to_owned(),
            name: "latchkey/OtpKey".to_owned(),
            arn: "arn:secret:latchkey/OtpKey-abc123".to_owned(),
            object: serde_json::Map::new(),
            key: "key".to_owned(),
            length: 64,
        }];
        Resources::new(&template)
    }

    #[test]
    fn tables_are_found_in_every_part_of_a_request() {
        let tables = |request: Json| resources().tables(&request);
        assert_eq!(tables(json!({ "TableName": "latchkey-Users" })), ["Users"]);
        let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Outbox";
        let transaction = json!({ "TransactItems": [
            { "Put": { "TableName": "latchkey-Users" } },
            { "Update": { "TableName": arn } },
            { "ConditionCheck": { "TableName": "latchkey-Users" } },
        ] });
        assert_eq!(tables(transaction), ["Outbox", "Users"]);
        let batch = json!({ "RequestItems": { "latchkey-Outbox": {}, "x": {} } });
        assert_eq!(tables(batch), ["Outbox", "x"]);
        assert!(tables(Json::Null).is_empty());
    }

    #[test]
    fn a_bus_is_found_by_its_name_and_by_its_arn() {
        let arn = "arn:aws:events:us-east-1:000000000000:event-bus/latchkey-events";
        let entry = |bus: &str| json!({ "EventBusName": bus });
        let request = json!({ "Entries": [entry("latchkey-events"), entry(arn), entry("other")] });
        assert_eq!(resources().buses(&request), ["Bus", "other"]);
    }

    #[test]
    fn a_secret_is_found_by_each_of_its_names() {
        let arn = "arn:secret:latchkey/OtpKey-abc123";
        for name in ["latchkey/OtpKey", arn, arn.trim_end_matches("-abc123")] {
            assert_eq!(resources().secrets(&json!({ "SecretId": name })), ["OtpKey"]);
        }
        assert_eq!(resources().secrets(&json!({ "SecretId": "other" })), ["other"]);
    }
}
