//! The data model: each attribute that is stored is in its document.

use acceptance::drivers::for_every_contract;
use acceptance::requests::{ENDPOINTS, prepare};
use acceptance::{TestStack, without_limits};
use std::collections::{BTreeMap, BTreeSet};

const DOCUMENT: &str = include_str!("../../../../shared/src/adapters/dynamodb/README.md");

/// The attributes of each table, from the rows right below the table's heading.
fn documented() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut tables: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut table = None;
    for line in DOCUMENT.lines() {
        if line.starts_with('#') {
            table = line.strip_prefix("## ");
        }
        // | `attribute` | type | when | meaning |
        let cells: Vec<_> = line.split(" | ").collect();
        let attribute = cells[0].strip_prefix("| `").and_then(|cell| cell.strip_suffix('`'));
        if let (Some(table), Some(attribute), 4) = (table, attribute, cells.len()) {
            tables.entry(table).or_default().insert(attribute);
        }
    }
    tables
}

#[tokio::test]
async fn each_stored_attribute_is_in_the_document() {
    let stack = &TestStack::with(&without_limits(&[("DELIVERY_REPORTS", "on")])).await;
    for_every_contract(stack, async |driver| drop(driver.journey().await)).await;
    for endpoint in ENDPOINTS {
        let answer = prepare(stack, endpoint)
            .await
            .call()
            .header("idempotency-key", format!("k{}", endpoint.1.len()))
            .await;
        assert!(answer.status < 300, "{endpoint:?}: {answer:?}");
    }
    let documented = documented();
    assert_eq!(documented.len(), 14, "{:?}", documented.keys());
    for (table, attributes) in &documented {
        for item in stack.items(table).await {
            for name in item.as_object().unwrap().keys() {
                // The document names the counter of the first hour of a day.
                let hour = name.strip_prefix('h').is_some_and(|hour| hour.parse::<u8>().is_ok());
                let name = if hour { "h00" } else { name.as_str() };
                assert!(attributes.contains(name), "{table}.{name} is not documented");
            }
        }
    }
    for table in [
        "Users",
        "Identifiers",
        "Challenges",
        "Answers",
        "Devices",
        "Sessions",
        "Ledger",
        "Deliveries",
        "Histories",
    ] {
        assert!(!stack.items(table).await.is_empty(), "{table} has items");
    }
}
