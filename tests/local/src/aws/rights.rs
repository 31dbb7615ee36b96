//! The rights that a call needs: what IAM checks before AWS executes the call.

use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use template::Table;

/// What is between a table and an index of it in an ARN.
const INDEX: &str = "/index/";
/// The resource of an action that names none.
const ANY_RESOURCE: &str = "*";

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Right {
    /// The action as policies name it, such as `dynamodb:PutItem`.
    action: String,
    /// The logical id of a resource of the template, or the ARN of another resource.
    resource: String,
    /// The values of condition keys.
    context: BTreeMap<&'static str, Vec<String>>,
}

impl Right {
    pub(super) fn new(service: &str, operation: &str, resource: &str) -> Self {
        Self {
            action: format!("{service}:{operation}"),
            resource: resource.to_owned(),
            context: BTreeMap::new(),
        }
    }

    pub(super) fn with_context(mut self, key: &'static str, values: Vec<String>) -> Self {
        self.context.insert(key, values);
        self
    }

    /// Returns the right to publish with SNS: a text message has no resource, other messages have a
    /// topic.
    pub(super) fn publish(operation: &str, topic: Option<&str>) -> Self {
        Self::new("sns", operation, topic.unwrap_or(ANY_RESOURCE))
    }
}

/// The partition keys of the tables, by physical name.
#[derive(Debug)]
pub(super) struct PartitionKeys(HashMap<String, String>);

impl PartitionKeys {
    pub(super) fn new(tables: &[Table]) -> Self {
        let key = |table: &Table| {
            let schema = table.create.get("KeySchema")?.as_array()?;
            let hash = schema.iter().find(|part| part.get("KeyType") == Some(&json!("HASH")))?;
            Some((table.name.clone(), hash.get("AttributeName")?.as_str()?.to_owned()))
        };
        Self(tables.iter().filter_map(key).collect())
    }

    /// Returns the rights that a request to DynamoDB needs. A transaction needs those of its parts,
    /// a batch one for each table.
    pub(super) fn rights(&self, operation: &str, request: &Json) -> Vec<Right> {
        let mut rights = Vec::new();
        match operation {
            "TransactWriteItems" => {
                let parts = request.get("TransactItems").and_then(Json::as_array);
                let parts = parts.into_iter().flatten().filter_map(Json::as_object).flatten();
                for (kind, part) in parts {
                    let action = match kind.as_str() {
                        "ConditionCheck" => "ConditionCheckItem".to_owned(),
                        kind => format!("{kind}Item"),
                    };
                    rights.push(self.right(&action, table(part), [part]));
                }
            }
            "BatchGetItem" => {
                let batches = request.get("RequestItems").and_then(Json::as_object);
                for (table, batch) in batches.into_iter().flatten() {
                    let keys = batch.get("Keys").and_then(Json::as_array);
                    rights.push(self.right(operation, table, keys.into_iter().flatten()));
                }
            }
            _ => rights.push(self.right(operation, table(request), [request])),
        }
        rights
    }

    fn right<'a>(
        &self,
        operation: &str,
        table: &str,
        items: impl IntoIterator<Item = &'a Json>,
    ) -> Right {
        let name = table_name(table);
        let mut items = items.into_iter().peekable();
        let index = items.peek().and_then(|item| item.get("IndexName")?.as_str());
        let resource =
            index.map_or_else(|| table.to_owned(), |index| format!("{table}{INDEX}{index}"));
        let right = Right::new("dynamodb", operation, &resource);
        let keys = items.filter_map(|item| {
            let item = ["Key", "Item"].iter().find_map(|name| item.get(name)).unwrap_or(item);
            let value = item.get(self.0.get(name)?)?.as_object()?.values().next()?;
            Some(value.as_str()?.to_owned())
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys.dedup();
        if keys.is_empty() { right } else { right.with_context("dynamodb:LeadingKeys", keys) }
    }
}

/// Returns the table that a request, or a part of a request, names.
fn table(request: &Json) -> &str {
    request.get("TableName").and_then(Json::as_str).unwrap_or(ANY_RESOURCE)
}

/// Returns the name of a table that a request names by name or by ARN.
pub(super) fn table_name(table: &str) -> &str {
    table.rsplit_once(":table/").map_or(table, |(_, name)| name)
}

/// Renames the resources of rights, and keeps each right once. An index keeps its name.
pub(super) fn renamed(rights: Vec<Right>, id: impl Fn(&str) -> String) -> Vec<Right> {
    let named = |right: Right| {
        let resource = match right.resource.split_once(INDEX) {
            Some((table, index)) => format!("{}{INDEX}{index}", id(table)),
            None => id(&right.resource),
        };
        Right { resource, ..right }
    };
    let mut rights: Vec<_> = rights.into_iter().map(named).collect();
    rights.sort();
    rights.dedup();
    rights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(operation: &str, request: &Json) -> Vec<(String, String, Json)> {
        let table = Table {
            id: "Users".to_owned(),
            name: "latchkey-Users".to_owned(),
            create: json!({ "KeySchema": [
                { "AttributeName": "device_id", "KeyType": "RANGE" },
                { "AttributeName": "user_id", "KeyType": "HASH" },
            ] }),
            ttl_attribute: None,
            has_stream: false,
        };
        let flat = |right: Right| (right.action, right.resource, json!(right.context));
        PartitionKeys::new(&[table]).rights(operation, request).into_iter().map(flat).collect()
    }

    fn right(action: &str, resource: &str, keys: &[&str]) -> (String, String, Json) {
        let context = match keys {
            [] => json!({}),
            keys => json!({ "dynamodb:LeadingKeys": keys }),
        };
        (action.to_owned(), resource.to_owned(), context)
    }

    #[test]
    fn a_transaction_needs_the_rights_of_its_parts() {
        let key = |id: &str| json!({ "user_id": { "S": id }, "device_id": { "S": "d" } });
        let request = json!({ "TransactItems": [
            { "Put": { "TableName": "latchkey-Users", "Item": key("a") } },
            { "Update": { "TableName": "latchkey-Users", "Key": key("b") } },
            { "Delete": { "TableName": "latchkey-Users", "Key": key("c") } },
            { "ConditionCheck": { "TableName": "other", "Key": key("d") } },
        ] });
        let expected = [
            right("dynamodb:PutItem", "latchkey-Users", &["a"]),
            right("dynamodb:UpdateItem", "latchkey-Users", &["b"]),
            right("dynamodb:DeleteItem", "latchkey-Users", &["c"]),
            right("dynamodb:ConditionCheckItem", "other", &[]),
        ];
        assert_eq!(rights("TransactWriteItems", &request), expected);
    }

    #[test]
    fn a_batch_needs_a_right_for_each_table() {
        let request = json!({ "RequestItems": {
            "latchkey-Users": { "Keys": [{ "user_id": { "S": "b" } }, { "user_id": { "S": "a" } }] },
            "other": { "Keys": [] },
        } });
        let expected = [
            right("dynamodb:BatchGetItem", "latchkey-Users", &["a", "b"]),
            right("dynamodb:BatchGetItem", "other", &[]),
        ];
        assert_eq!(rights("BatchGetItem", &request), expected);
    }

    #[test]
    fn a_single_call_needs_a_right_for_its_table() {
        let request = json!({ "TableName": "latchkey-Users", "Key": { "user_id": { "S": "a" } } });
        let expected = [right("dynamodb:GetItem", "latchkey-Users", &["a"])];
        assert_eq!(rights("GetItem", &request), expected);
    }

    #[test]
    fn a_query_of_an_index_needs_a_right_for_the_index() {
        let request = json!({ "TableName": "latchkey-Users", "IndexName": "due" });
        let expected = [right("dynamodb:Query", "latchkey-Users/index/due", &[])];
        assert_eq!(rights("Query", &request), expected);
        let query = vec![Right::new("dynamodb", "Query", "latchkey-Users/index/due")];
        let named = renamed(query, |table| table.replace("latchkey-", ""));
        assert_eq!(named.first().unwrap().resource, "Users/index/due");
    }

    #[test]
    fn renamed_rights_are_kept_once() {
        let twice = vec![Right::publish("Publish", None), Right::publish("Publish", None)];
        assert_eq!(renamed(twice, str::to_owned).len(), 1);
        let topic = vec![Right::publish("Publish", Some("arn:topic"))];
        let named = renamed(topic, |arn| arn.replace("arn:", ""));
        assert_eq!(named.first().unwrap().resource, "topic");
    }
}
