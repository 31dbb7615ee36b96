//! What operators did, in the table Audit (README.md, "Audit").

use super::DynamoStore;
use super::items::value::{Item, purge_time, text, time};
use crate::adapters::aws::port_error;
use crate::adapters::trace_hash::date_of;
use crate::ports::{Audit, AuditEntry, PortError};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use std::time::Duration;

/// How long an entry is kept.
const KEPT: Duration = Duration::from_hours(400 * 24);

/// The place of an entry in its day.
fn place(entry: &AuditEntry) -> String {
    format!("{:013}#{}", entry.at.as_millis(), entry.id)
}

#[async_trait]
impl Audit for DynamoStore {
    async fn begin(&self, entry: &AuditEntry) -> Result<(), PortError> {
        let mut item = Item::from([
            ("day".to_owned(), text(date_of(entry.at))),
            ("call".to_owned(), text(place(entry))),
            ("called_at".to_owned(), time(entry.at)),
            ("verb".to_owned(), text(&entry.what)),
            ("who".to_owned(), text(&entry.who)),
            ("why".to_owned(), text(&entry.why)),
            ("outcome".to_owned(), text("begun")),
            ("purge_at".to_owned(), purge_time(entry.at.plus(KEPT))),
        ]);
        if let Some(person) = &entry.person {
            item.insert("person".to_owned(), text(person));
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.audit)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        put.send().await.map_err(|error| port_error("record the call of an operator", &error))?;
        Ok(())
    }

    async fn end(&self, entry: &AuditEntry, outcome: &str) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.audit)
            .key("day", text(date_of(entry.at)))
            .key("call", text(place(entry)))
            .update_expression("SET outcome = :outcome")
            .expression_attribute_values(":outcome", text(outcome))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let ended = self.retry_on_conflict(|| update.clone().send()).await;
        ended.map_err(|error| port_error("record how the call of an operator ended", &error))?;
        Ok(())
    }
}
