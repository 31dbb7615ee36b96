//! The messages, events and items of the account, in the form of the admin API.

use super::Account;
use crate::database;
use crate::records::Message;
use anyhow::Context;
use dynoxide::AttributeValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// A page of a scan.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    items: Vec<HashMap<String, AttributeValue>>,
    last_evaluated_key: Option<Json>,
}

impl Account {
    /// Returns the messages to one recipient, or all: text messages, then mail, each oldest first.
    pub(crate) async fn messages(&self, to: Option<&str>) -> anyhow::Result<Vec<Message>> {
        let text = |of: &Json, name: &str| of.get(name).and_then(Json::as_str).map(str::to_owned);
        let wanted = |recipient: &str| to.is_none_or(|to| to == recipient);
        let mut messages = Vec::new();
        let texts = self.page("/_ministack/sns/sms-messages").await?;
        let texts = texts.get("sms_messages").and_then(Json::as_object);
        for (phone, texts) in texts.into_iter().flatten().filter(|(phone, _)| wanted(phone)) {
            for sent in texts.as_array().into_iter().flatten() {
                messages.push(Message {
                    id: text(sent, "MessageId").unwrap_or_default(),
                    channel: "sms".to_owned(),
                    to: phone.clone(),
                    body: text(sent, "Message").unwrap_or_default(),
                    ..Message::default()
                });
            }
        }
        let mail = self.page("/_ministack/ses/messages").await?;
        let mail = mail.get("messages").and_then(Json::as_object).into_iter().flatten();
        for letter in mail.filter_map(|(_, letters)| letters.as_array()).flatten() {
            let to = letter.get("To").and_then(Json::as_array).into_iter().flatten();
            for to in to.filter_map(Json::as_str).filter(|to| wanted(to)) {
                messages.push(Message {
                    id: text(letter, "MessageId").unwrap_or_default(),
                    channel: "email".to_owned(),
                    to: to.to_owned(),
                    subject: text(letter, "Subject"),
                    body: text(letter, "BodyText").unwrap_or_default(),
                    html: text(letter, "BodyHtml"),
                    sent_at: text(letter, "Timestamp").unwrap_or_default(),
                    ..Message::default()
                });
            }
        }
        Ok(messages)
    }

    /// Returns the events of one detail type, or all, as a rule sent them to the queue.
    pub(crate) async fn events(&self, detail_type: Option<&str>) -> anyhow::Result<Vec<Json>> {
        // This page shows the messages without taking them from the queue.
        let queue = utf8_percent_encode(&self.stack.queue, NON_ALPHANUMERIC);
        let answer = self.page(&format!("/_ministack/sqs/messages?QueueUrl={queue}")).await?;
        let regions = answer.get("messages").and_then(Json::as_object).into_iter().flatten();
        let queues = regions.filter_map(|(_, regions)| regions.as_object()).flatten();
        let messages = queues.filter_map(|(_, queues)| queues.as_object()).flatten();
        let mut events = Vec::new();
        for message in messages.filter_map(|(_, messages)| messages.as_array()).flatten() {
            let body =
                message.get("Body").and_then(Json::as_str).context("a message has no body")?;
            let event: Json = serde_json::from_str(body)?;
            if detail_type.is_none_or(|kind| event.get("detail-type") == Some(&json!(kind))) {
                events.push(json!({
                    "id": event.get("id"), "source": event.get("source"),
                    "detailType": event.get("detail-type"), "detail": event.get("detail"),
                    "time": event.get("time"),
                }));
            }
        }
        Ok(events)
    }

    /// Returns every item of a table.
    pub(crate) async fn items(&self, table: &str) -> anyhow::Result<Vec<Json>> {
        let mut items = Vec::new();
        let mut request = json!({ "TableName": table, "ConsistentRead": true });
        loop {
            let answer = self.call("dynamodb", "DynamoDB_20120810.Scan", &request).await?;
            let page: Page = serde_json::from_value(answer)?;
            items.extend(page.items.iter().map(database::plain_item));
            match (page.last_evaluated_key, request.as_object_mut()) {
                (Some(key), Some(request)) => {
                    request.insert("ExclusiveStartKey".to_owned(), key);
                }
                _ => return Ok(items),
            }
        }
    }
}
