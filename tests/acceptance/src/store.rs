//! Changes of stored items that no endpoint makes, such as the passing of time.

use crate::TestStack;
use serde_json::{Value, json};

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
}
