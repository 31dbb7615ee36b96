//! The embedded DynamoDB: its tables, and its items as plain JSON.

use crate::files;
use anyhow::{Context, anyhow};
use data_encoding::BASE64;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::{AttributeValue, Database};
use serde_json::{Number, Value as Json, json};
use std::collections::HashMap;
use std::path::Path;
use template::Table;

/// The database, with a `Debug` form.
#[derive(Clone)]
pub(crate) struct DatabaseHandle(pub(crate) Database);

impl std::fmt::Debug for DatabaseHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

/// Opens the database, in memory or in `folder`, and creates the tables that it does not have.
pub(crate) fn open(tables: &[Table], folder: Option<&Path>) -> anyhow::Result<Database> {
    let database = match folder {
        None => Database::memory(),
        Some(folder) => {
            let file = folder.join("tables.sqlite");
            let name = file.to_str().ok_or_else(|| anyhow!("{} is not UTF-8", file.display()))?;
            // Created before SQLite opens it, so that other users of this machine cannot read it.
            files::private(std::fs::OpenOptions::new().append(true).create(true))
                .open(&file)
                .with_context(|| format!("failed to open {}", file.display()))?;
            Database::new(name)
        }
    }
    .context("failed to open the embedded DynamoDB")?;
    for table in tables {
        create(&database, table)
            .with_context(|| format!("failed to create the table {}", table.id))?;
    }
    Ok(database)
}

fn create(database: &Database, table: &Table) -> anyhow::Result<()> {
    if database.get_table_metadata(&table.name)?.is_none() {
        let request = serde_json::from_value(table.create.clone()).map_err(|error| {
            // The database returns a validation error as an error of serde, with a prefix.
            anyhow!("{}", error.to_string().trim_start_matches("VALIDATION:"))
        })?;
        database.create_table(request)?;
    } else {
        add_indexes(database, table)?;
    }
    // Expired items are never removed here: DynamoDB can take days for that, so no function may
    // rely on it.
    if let Some(attribute) = &table.ttl_attribute {
        let request = json!({
            "TableName": table.name,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        });
        database.update_time_to_live(serde_json::from_value(request)?)?;
    }
    Ok(())
}

/// Adds the indexes that the table of an older version does not have.
fn add_indexes(database: &Database, table: &Table) -> anyhow::Result<()> {
    let list = |table: &Json| table.get("GlobalSecondaryIndexes").and_then(Json::as_array).cloned();
    let request = json!({ "TableName": table.name });
    let described = database.describe_table(serde_json::from_value(request)?)?;
    let described = serde_json::to_value(described)?;
    let known = described.get("Table").and_then(list).unwrap_or_default();
    let name = |index: &Json| index.get("IndexName").cloned();
    for index in list(&table.create).unwrap_or_default() {
        if known.iter().all(|other| name(other) != name(&index)) {
            let request = json!({
                "TableName": table.name,
                "AttributeDefinitions": table.create.get("AttributeDefinitions"),
                "GlobalSecondaryIndexUpdates": [{ "Create": index }],
            });
            database.update_table(serde_json::from_value(request)?)?;
        }
    }
    Ok(())
}

/// Deletes every item of a table.
pub(crate) fn clear(database: &Database, table: &Table) -> anyhow::Result<()> {
    delete_where(database, table, |_| true)
}

/// Deletes the items of a table whose TTL is reached.
pub(crate) fn purge(database: &Database, table: &Table, now: i64) -> anyhow::Result<()> {
    let Some(attribute) = &table.ttl_attribute else { return Ok(()) };
    delete_where(database, table, |item| {
        let Some(AttributeValue::N(end)) = item.get(attribute) else { return false };
        end.parse::<i64>().is_ok_and(|end| end <= now)
    })
}

fn delete_where(
    database: &Database,
    table: &Table,
    is_deleted: impl Fn(&HashMap<String, AttributeValue>) -> bool,
) -> anyhow::Result<()> {
    let schema = table.create.get("KeySchema").and_then(Json::as_array).into_iter().flatten();
    let names: Vec<_> = schema.filter_map(|part| part.get("AttributeName")?.as_str()).collect();
    let mut start = None;
    loop {
        let page = database.scan(ScanRequest {
            table_name: table.name.clone(),
            consistent_read: Some(true),
            exclusive_start_key: start,
            ..ScanRequest::default()
        })?;
        for item in page.items.unwrap_or_default().iter().filter(|item| is_deleted(item)) {
            let key = item.iter().filter(|(name, _)| names.contains(&name.as_str()));
            let key: HashMap<_, _> = key.collect();
            let request = json!({ "TableName": table.name, "Key": key });
            database.delete_item(serde_json::from_value(request)?)?;
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(());
        }
    }
}

/// Returns whether a table has an item with this key.
pub(crate) fn has_item(database: &Database, table: &str, key: &str, value: &str) -> bool {
    let request = json!({ "TableName": table, "Key": { key: { "S": value } } });
    let request = serde_json::from_value(request).ok();
    let found = request.and_then(|request| database.get_item(request).ok());
    found.is_some_and(|found| found.item.is_some())
}

/// Returns every item of a table.
pub(crate) fn items(database: &Database, table: &str) -> anyhow::Result<Vec<Json>> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let page = database.scan(ScanRequest {
            table_name: table.to_owned(),
            consistent_read: Some(true),
            exclusive_start_key: start,
            ..ScanRequest::default()
        })?;
        items.extend(page.items.unwrap_or_default().iter().map(plain_item));
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}

/// Converts an item to plain JSON, without DynamoDB's type tags.
pub(crate) fn plain_item(item: &HashMap<String, AttributeValue>) -> Json {
    item.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// Converts an attribute to plain JSON.
fn plain(value: &AttributeValue) -> Json {
    match value {
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(digits) => number(digits),
        AttributeValue::B(bytes) => BASE64.encode(bytes).into(),
        AttributeValue::BOOL(truth) => (*truth).into(),
        AttributeValue::NULL(_) => Json::Null,
        AttributeValue::SS(texts) => texts.as_slice().into(),
        AttributeValue::NS(numbers) => numbers.iter().map(|digits| number(digits)).collect(),
        AttributeValue::BS(list) => list.iter().map(|bytes| BASE64.encode(bytes)).collect(),
        AttributeValue::L(list) => list.iter().map(plain).collect(),
        AttributeValue::M(map) => {
            map.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
    }
}

/// Converts a number of up to 38 digits. Integers of up to 64 bits are exact.
fn number(digits: &str) -> Json {
    let whole = digits
        .parse::<i64>()
        .map(Number::from)
        .or_else(|_| digits.parse::<u64>().map(Number::from));
    let fraction = || Number::from_f64(digits.parse().ok()?);
    whole.ok().or_else(fraction).map_or_else(|| digits.into(), Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            id: "Things".to_owned(),
            name: "latchkey-Things".to_owned(),
            create: json!({
                "TableName": "latchkey-Things",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            }),
            ttl_attribute: Some("expires_at".to_owned()),
            has_stream: false,
        }
    }

    fn put(database: &Database, item: &Json) {
        let request = json!({ "TableName": "latchkey-Things", "Item": item });
        database.put_item(serde_json::from_value(request).unwrap()).unwrap();
    }

    #[test]
    fn a_table_of_an_older_version_gets_the_index_that_it_lacks() {
        let database = open(&[table()], None).unwrap();
        put(&database, &json!({ "id": { "S": "1" }, "part": { "S": "a" } }));
        let mut newer = table();
        let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        newer.create["AttributeDefinitions"] = json!([attribute("id"), attribute("part")]);
        newer.create["GlobalSecondaryIndexes"] = json!([{ "IndexName": "due",
            "KeySchema": [{ "AttributeName": "part", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "KEYS_ONLY" } }]);
        for _ in 0..2 {
            create(&database, &newer).unwrap();
            let query = json!({ "TableName": newer.name, "IndexName": "due",
                "KeyConditionExpression": "part = :a",
                "ExpressionAttributeValues": { ":a": { "S": "a" } } });
            let found = database.query(serde_json::from_value(query).unwrap()).unwrap();
            assert_eq!(found.items.unwrap_or_default().len(), 1);
        }
    }

    #[test]
    fn items_are_plain_json() {
        let database = open(&[table()], None).unwrap();
        put(
            &database,
            &json!({
                "id": { "S": "a" }, "n": { "N": "9007199254740993" }, "f": { "N": "-1.5" }, "b": { "B": "/w==" },
                "t": { "BOOL": true }, "z": { "NULL": true }, "s": { "SS": ["x"] }, "ns": { "NS": ["1"] },
                "l": { "L": [{ "S": "y" }, { "N": "2" }] }, "m": { "M": { "k": { "S": "v" } } },
            }),
        );
        let expected = json!({
            "id": "a", "n": 9_007_199_254_740_993_i64, "f": -1.5, "b": "/w==", "t": true, "z": null,
            "s": ["x"], "ns": [1], "l": ["y", 2], "m": { "k": "v" },
        });
        assert_eq!(items(&database, "latchkey-Things").unwrap(), [expected]);
    }

    #[test]
    fn all_pages_of_a_table_are_read() {
        let database = open(&[table()], None).unwrap();
        for n in 0..8 {
            put(
                &database,
                &json!({ "id": { "S": n.to_string() }, "p": { "S": "x".repeat(300_000) } }),
            );
        }
        assert_eq!(items(&database, "latchkey-Things").unwrap().len(), 8);
    }

    #[test]
    fn expired_items_are_not_removed() {
        let database = open(&[table()], None).unwrap();
        put(&database, &json!({ "id": { "S": "old" }, "expires_at": { "N": "1" } }));
        assert_eq!(items(&database, "latchkey-Things").unwrap().len(), 1);
    }

    #[test]
    fn tables_and_items_survive_a_restart() {
        let folder = std::env::temp_dir().join(format!("local-tables-{}", crate::random::uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        put(&open(&[table()], Some(&folder)).unwrap(), &json!({ "id": { "S": "kept" } }));
        let again = open(&[table()], Some(&folder)).unwrap();
        assert_eq!(items(&again, "latchkey-Things").unwrap(), [json!({ "id": "kept" })]);
        drop(again);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_table_without_a_key_is_an_error_with_its_name() {
        let mut table = table();
        table.create = json!({ "TableName": "latchkey-Things", "BillingMode": "PAY_PER_REQUEST" });
        let message = format!("{:#}", open(&[table], None).err().unwrap());
        assert!(message.contains("Things"), "{message}");
    }
}
