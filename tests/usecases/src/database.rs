//! The embedded DynamoDB of one test, with the tables of the template.

use anyhow::Context as _;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::{AttributeValue, Database};
use latchkey::adapters::dynamodb::TableNames;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use template::Template;
use tokio::sync::oneshot;

/// The template is read once in a process.
static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::load().expect("the template"));

/// A database on a port of its own. Its server ends with this value.
pub(crate) struct EmbeddedDatabase {
    pub(crate) endpoint: String,
    database: Database,
    _stop: oneshot::Sender<()>,
}

impl EmbeddedDatabase {
    /// Creates the tables in memory and serves them on a thread of their own, so that a request is
    /// answered even while the thread of the test is busy.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let database = Database::memory().context("the embedded DynamoDB")?;
        for table in &TEMPLATE.tables {
            database.create_table(serde_json::from_value(table.create.clone())?)?;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let served = database.clone();
        std::thread::spawn(move || serve(listener, served, stopped));
        Ok(Self { endpoint, database, _stop: stop })
    }

    /// Deletes the item with this key.
    pub(crate) fn delete(&self, table: &str, key: &str, value: &str) {
        let request = json!({ "TableName": name(table), "Key": { key: { "S": value } } });
        let request = serde_json::from_value(request).expect("a request");
        self.database.delete_item(request).expect("the item is deleted");
    }

    /// Deletes the table with this logical id, so that every call of it fails.
    pub(crate) fn drop_table(&self, table: &str) {
        let request = json!({ "TableName": name(table) });
        let request = serde_json::from_value(request).expect("a request");
        self.database.delete_table(request).expect("the table is deleted");
    }

    /// Writes an item, in the JSON of DynamoDB.
    pub(crate) fn put(&self, table: &str, item: &Json) {
        let request = json!({ "TableName": name(table), "Item": item });
        let request = serde_json::from_value(request).expect("a request");
        self.database.put_item(request).expect("the item is written");
    }

    /// Removes an attribute from every item of the table with this logical id.
    pub(crate) fn strip(&self, table: &str, attribute: &str) {
        for mut item in self.items(table) {
            item.remove(attribute);
            self.put(table, &serde_json::to_value(item).expect("an item"));
        }
    }

    /// Returns every item of the table with this logical id.
    pub(crate) fn items(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let scan = ScanRequest { table_name: name(table), ..ScanRequest::default() };
        self.database.scan(scan).expect("the items").items.unwrap_or_default()
    }
}

/// Serves until the other end of `stopped` is dropped.
fn serve(listener: TcpListener, database: Database, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        let stop = async { drop(stopped.await) };
        drop(dynoxide::server::serve_with_shutdown(listener, database, stop).await);
    });
}

/// Returns the physical name of the table with this logical id.
fn name(id: &str) -> String {
    let table = TEMPLATE.tables.iter().find(|table| table.id == id);
    table.expect("a table of the template").name.clone()
}

/// Returns the names of all tables.
pub(crate) fn table_names() -> TableNames {
    TableNames {
        users: name("Users"),
        identifiers: name("Identifiers"),
        challenges: name("Challenges"),
        answers: name("Answers"),
        deliveries: name("Deliveries"),
        histories: name("Histories"),
        devices: name("Devices"),
        sessions: name("Sessions"),
        budgets: name("Budgets"),
        ledger: name("Ledger"),
        clients: name("Clients"),
        outbox: name("Outbox"),
        sequences: name("Sequences"),
        audit: name("Audit"),
    }
}
