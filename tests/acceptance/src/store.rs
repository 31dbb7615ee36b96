//! Changes of stored items that no endpoint makes, such as the passing of time.

use crate::TestStack;
use serde_json::{Value, json};
use std::time::Duration;

impl TestStack {
    /// Deletes an item.
    pub async fn delete(&self, table: &str, key: &str, id: impl Into<Value>) {
        let request = json!({"TableName": table, "Key": {key: {"S": id.into()}}});
        self.dynamodb("DeleteItem", &request).await;
    }

    /// Puts an item.
    pub async fn put(&self, table: &str, item: &Value) {
        self.dynamodb("PutItem", &json!({"TableName": table, "Item": item})).await;
    }

    /// Sets an attribute of an existing item to a time in the past, and returns the old value.
    pub async fn set_past(
        &self,
        table: &str,
        key: &str,
        id: impl Into<Value>,
        attribute: &str,
    ) -> Value {
        self.set(table, key, id, attribute, &json!({"N": "1000"})).await
    }

    /// Makes an existing item an expired one, and returns the old time of its end.
    pub async fn expire(&self, table: &str, key: &str, id: impl Into<Value>) -> Value {
        self.set_past(table, key, id, "expires_at").await
    }

    /// Sets an attribute of an existing item, and returns the old value.
    pub async fn set(
        &self,
        table: &str,
        key: &str,
        id: impl Into<Value>,
        attribute: &str,
        value: &Value,
    ) -> Value {
        let request = json!({"TableName": table, "Key": {key: {"S": id.into()}},
            "UpdateExpression": "SET #name = :value",
            "ConditionExpression": format!("attribute_exists({key})"),
            "ExpressionAttributeNames": {"#name": attribute},
            "ExpressionAttributeValues": {":value": value}, "ReturnValues": "UPDATED_OLD"});
        self.dynamodb("UpdateItem", &request).await["Attributes"][attribute].take()
    }

    /// Moves everything that is stored about people `span` into the past, which is as if the clock had
    /// moved forward. Tokens and the integer ids stay as they are.
    pub async fn age(&self, span: Duration) {
        for (table, _) in AGING {
            for item in self.stored(table).await {
                self.put(table, &older(&item, span.as_secs_f64())).await;
            }
        }
    }

    /// Deletes everything that [`Self::age`] moves.
    pub async fn forget_people(&self) {
        for (table, key) in AGING {
            for item in self.stored(table).await {
                self.delete(table, key, item[key]["S"].clone()).await;
            }
        }
    }

    /// The items of a table in the format of DynamoDB.
    async fn stored(&self, table: &str) -> Vec<Value> {
        let Value::Array(items) =
            self.dynamodb("Scan", &json!({"TableName": table})).await["Items"].take()
        else {
            panic!("a scan of {table} has no items")
        };
        items
    }
}

/// The tables whose times [`TestStack::age`] moves, and their keys.
const AGING: [(&str, &str); 5] = [
    ("Users", "user_id"),
    ("Identifiers", "identifier"),
    ("Challenges", "challenge_id"),
    ("Sessions", "token_hash"),
    ("Budgets", "bucket"),
];

/// Moves every time in a stored value into the past. A time is a number of seconds since 1970; no
/// other stored number is as large.
fn older(value: &Value, seconds: f64) -> Value {
    match value {
        Value::Object(members) => {
            let moved = members.iter().map(|(name, value)| match (name.as_str(), value) {
                ("N", Value::String(number)) => {
                    let known: f64 = number.parse().unwrap();
                    let moved = if known > 1e9 {
                        format!("{:.3}", known - seconds)
                    } else {
                        number.clone()
                    };
                    (name.clone(), json!(moved.trim_end_matches(".000")))
                }
                (_, value) => (name.clone(), older(value, seconds)),
            });
            Value::Object(moved.collect())
        }
        Value::Array(values) => values.iter().map(|value| older(value, seconds)).collect(),
        other => other.clone(),
    }
}
