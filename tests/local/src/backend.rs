//! The two places where the functions and their services can run.
//!
//! This is the only module that branches between them. The rest of the stack asks [`Backend`].

use crate::admin_api::Replay;
use crate::aws::{
    ApiCall, Caller, DynamoDb, EventBuses, Fate, Feedback, Instance, Reply, Secrets, Service, ses,
    sms_voice, sns, webhook,
};
use crate::clock::Clock;
use crate::database::{self, DatabaseHandle};
use crate::deployed::{Account, ProxiedResponse};
use crate::lambda::{Lambda, Outcome, invoke_api};
use crate::logs::Logs;
use crate::records::{Message, Records, Replayed};
use anyhow::{bail, ensure};
use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use template::Table;
use tokio::sync::watch;

/// The time in which all processes must end; the whole stack must stop within two seconds.
const STOP_LIMIT: Duration = Duration::from_secs(1);
/// How often an account is asked for new messages and events.
const POLL: Duration = Duration::from_millis(200);

/// Where the functions run, where their calls are executed and where the state is.
#[derive(Debug)]
pub(crate) enum Backend {
    Embedded(Box<Embedded>),
    Deployed(Arc<Account>),
}

/// The functions as processes of this stack, with an embedded DynamoDB and stand-ins for the other
/// services.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) database: DatabaseHandle,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) buses: EventBuses,
    pub(crate) secrets: Secrets,
    pub(crate) records: Records,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) logs: Arc<Logs>,
    /// The physical name of the table Identifiers.
    pub(crate) identifiers: String,
    /// What carriers report of messages, if they do.
    pub(crate) feedback: Option<Feedback>,
}

/// The key of an item, in the form of DynamoDB.
#[derive(Debug)]
pub(crate) struct Key(Json);

impl Key {
    /// Returns the key of an item in plain JSON.
    pub(crate) fn of(table: &Table, item: &Json) -> anyhow::Result<Self> {
        let schema = table.create.get("KeySchema").and_then(Json::as_array);
        let names =
            schema.into_iter().flatten().filter_map(|part| part.get("AttributeName")?.as_str());
        let parts = names.map(|name| {
            let value = match item.get(name) {
                Some(Json::String(text)) => json!({ "S": text }),
                Some(Json::Number(number)) => json!({ "N": number.to_string() }),
                _ => bail!("an item has no {name}"),
            };
            Ok((name.to_owned(), value))
        });
        Ok(Self(Json::Object(parts.collect::<anyhow::Result<_>>()?)))
    }
}

/// Changes of the messages and events.
pub(crate) struct Changes(Option<watch::Receiver<u64>>);

impl Changes {
    /// Waits for the next change, at most so long.
    pub(crate) async fn next(&mut self, longest: Duration) {
        match &mut self.0 {
            // Ends with the stack, which ends the request, too.
            Some(changes) => drop(tokio::time::timeout(longest, changes.changed()).await),
            None => tokio::time::sleep(longest.min(POLL)).await,
        }
    }
}

/// Entries of a page of the admin API, as JSON with their fields in order.
pub(crate) type Entries = anyhow::Result<Vec<Box<RawValue>>>;

impl Backend {
    /// Returns the function instance that makes a call, and the service that it calls.
    pub(crate) fn caller(&self, head: &Parts) -> Option<Caller> {
        match self {
            Self::Embedded(_) => Caller::local(&head.headers),
            Self::Deployed(_) => Caller::deployed(head),
        }
    }

    /// Returns the environment variables of a function of this stack.
    pub(crate) fn environment(&self, function: &str) -> BTreeMap<String, String> {
        match self {
            Self::Embedded(embedded) => {
                let function = embedded.lambda.function(function);
                function.map(|function| function.environment().clone()).unwrap_or_default()
            }
            Self::Deployed(_) => BTreeMap::new(),
        }
    }

    /// Returns the invocation that makes a call, as far as this stack can know.
    pub(crate) fn invocation_of(&self, caller: &Caller) -> Option<String> {
        match (self, &caller.instance) {
            (Self::Embedded(embedded), Instance::Local(instance)) => {
                embedded.lambda.invocation_of(&caller.function, instance)
            }
            _ => None,
        }
    }

    /// Returns whether an identifier belongs to a user.
    pub(crate) fn has_identifier(&self, identifier: &str) -> bool {
        match self {
            Self::Embedded(embedded) => {
                let (database, table) = (&embedded.database.0, &embedded.identifiers);
                database::has_item(database, table, "identifier", identifier)
            }
            Self::Deployed(_) => false,
        }
    }

    /// Returns whether a function may send texts to a number.
    pub(crate) fn sends_texts_to(&self, function: &str, phone: &str) -> bool {
        let environment = self.environment(function);
        let Some(countries) = environment.get("SMS_COUNTRIES") else { return true };
        countries.split(',').any(|dial| dial == "*" || phone.starts_with(dial))
    }

    /// Executes a call of a function.
    pub(crate) async fn execute(&self, call: &ApiCall, head: &Parts, body: Bytes) -> Reply {
        match self {
            Self::Embedded(embedded) => embedded.execute(call, head, body).await,
            Self::Deployed(account) => match account.execute(head, body).await {
                Ok(response) => Reply::from(response),
                Err(error) => {
                    let message = format!("{error:#}");
                    Reply::rest_error(StatusCode::BAD_GATEWAY, "Unreachable", &message)
                }
            },
        }
    }

    /// Lets a carrier report what becomes of a message that it accepted with `reply`.
    pub(crate) fn report(&self, service: Service, fate: Fate, request: &[u8], reply: &Reply) {
        if let Self::Embedded(embedded) = self
            && let Some(feedback) = &embedded.feedback
        {
            feedback.report(service, fate, request, reply);
        }
    }

    /// Kills the process that makes a call.
    pub(crate) async fn crash(&self, caller: &Caller) {
        match (self, &caller.instance) {
            (Self::Embedded(embedded), Instance::Local(instance)) => {
                embedded.lambda.crash(&caller.function, instance).await;
            }
            (_, Instance::Deployed(connection)) => Account::crash(*connection).await,
            (Self::Deployed(_), Instance::Local(_)) => {}
        }
    }

    /// Sends a request of the stack itself to Secrets Manager.
    pub(crate) async fn request_secret(
        &self,
        operation: &str,
        request: &Json,
    ) -> anyhow::Result<Json> {
        match self {
            Self::Embedded(embedded) => {
                let reply = embedded.secrets.call(operation, request.to_string().as_bytes());
                ensure!(reply.status.is_success(), "failed to call {operation}: {}", reply.status);
                Ok(serde_json::from_slice(&reply.body)?)
            }
            Self::Deployed(account) => {
                let target = format!("secretsmanager.{operation}");
                account.call("secretsmanager", &target, request).await
            }
        }
    }

    /// Returns the messages to one recipient, or all.
    pub(crate) async fn messages(&self, to: Option<&str>) -> anyhow::Result<Vec<Message>> {
        match self {
            Self::Embedded(embedded) => Ok(embedded.records.messages(to)),
            Self::Deployed(account) => account.messages(to).await,
        }
    }

    /// Returns the events of one detail type, or all.
    pub(crate) async fn events(&self, detail_type: Option<&str>) -> Entries {
        match self {
            Self::Embedded(embedded) => entries(&embedded.records.events(detail_type)),
            Self::Deployed(account) => entries(&account.events(detail_type).await?),
        }
    }

    /// Hands recorded events to their consumers again.
    pub(crate) fn replay(&self, replay: &Replay) -> anyhow::Result<Replayed> {
        Ok(self.embedded()?.records.replay(replay))
    }

    /// Returns the changes of messages and events from now on.
    pub(crate) fn changes(&self) -> Changes {
        match self {
            Self::Embedded(embedded) => Changes(Some(embedded.records.watch())),
            Self::Deployed(_) => Changes(None),
        }
    }

    /// Deletes all messages.
    pub(crate) fn clear_messages(&self) -> anyhow::Result<()> {
        self.embedded()?.records.clear_messages()
    }

    /// Deletes all events.
    pub(crate) fn clear_events(&self) -> anyhow::Result<()> {
        self.embedded()?.records.clear_events()
    }

    /// Deletes all items, messages and events, and what the processes of the functions remember.
    pub(crate) async fn clear(&self, tables: &[Table]) -> anyhow::Result<()> {
        let embedded = self.embedded()?;
        // First, so that no process writes what it began before.
        embedded.lambda.restart().await;
        for table in tables {
            database::clear(&embedded.database.0, table)?;
        }
        embedded.records.clear_messages()?;
        embedded.records.clear_events()?;
        embedded.records.consumers.clear();
        Ok(())
    }

    /// Does what time does: deletes the items whose end is reached, and lets the schedules come.
    pub(crate) fn time_passed(&self, tables: &[Table], clock: &Clock) -> anyhow::Result<()> {
        let embedded = self.embedded()?;
        let now = clock.millis().checked_div(1000).unwrap_or_default();
        for table in tables {
            database::purge(&embedded.database.0, table, now)?;
        }
        clock.passed();
        Ok(())
    }

    /// Deletes an item.
    pub(crate) fn delete_item(&self, table: &Table, key: &Key) -> anyhow::Result<()> {
        let request = json!({ "TableName": table.name, "Key": key.0 });
        self.embedded()?.database.0.delete_item(serde_json::from_value(request)?)?;
        Ok(())
    }

    /// Sets an attribute of an item.
    pub(crate) fn set_number(
        &self,
        table: &Table,
        key: &Key,
        attribute: &str,
        value: i64,
    ) -> anyhow::Result<()> {
        let request = json!({
            "TableName": table.name, "Key": key.0, "UpdateExpression": "SET #a = :v",
            "ExpressionAttributeNames": { "#a": attribute },
            "ExpressionAttributeValues": { ":v": { "N": value.to_string() } },
        });
        self.embedded()?.database.0.update_item(serde_json::from_value(request)?)?;
        Ok(())
    }

    /// Invokes a function.
    pub(crate) async fn outcome(&self, name: &str, payload: Bytes) -> anyhow::Result<Outcome> {
        Ok(self.embedded()?.lambda.invoke(name, payload).await)
    }

    fn embedded(&self) -> anyhow::Result<&Embedded> {
        match self {
            Self::Embedded(embedded) => Ok(embedded),
            Self::Deployed(_) => bail!("this works in the local stack alone, not in an account"),
        }
    }

    /// Returns the items of the table with this physical name.
    pub(crate) async fn items(&self, table: &str) -> Entries {
        match self {
            Self::Embedded(embedded) => entries(&database::items(&embedded.database.0, table)?),
            Self::Deployed(account) => entries(&account.items(table).await?),
        }
    }

    /// Answers a request of Lambda's Invoke API.
    pub(crate) async fn invoke(&self, name: &str, headers: &HeaderMap, payload: Bytes) -> Response {
        match self {
            Self::Embedded(embedded) => {
                invoke_api::invoke(&embedded.lambda, name, headers, payload).await
            }
            Self::Deployed(account) => match account.invoke(name, payload).await {
                Ok(ProxiedResponse { status, headers, body }) => {
                    (status, headers, body).into_response()
                }
                Err(error) => {
                    let body = json!({ "error": format!("{error:#}") });
                    (StatusCode::BAD_GATEWAY, axum::Json(body)).into_response()
                }
            },
        }
    }

    /// Returns every line that the functions have written, oldest first, as `[function] line`.
    pub(crate) fn logs(&self) -> Vec<String> {
        match self {
            Self::Embedded(embedded) => embedded.logs.all(),
            Self::Deployed(account) => account.lines(),
        }
    }

    /// Stops all functions and waits for their end.
    pub(crate) async fn stop(&self) {
        match self {
            Self::Embedded(embedded) => {
                drop(tokio::time::timeout(STOP_LIMIT, embedded.lambda.stop()).await);
            }
            Self::Deployed(account) => account.close().await,
        }
    }

    /// Kills the functions of this stack without waiting.
    pub(crate) fn kill(&self) {
        match self {
            Self::Embedded(embedded) => embedded.lambda.close(),
            // The account ends when its standard input closes.
            Self::Deployed(_) => {}
        }
    }
}

impl Embedded {
    async fn execute(&self, call: &ApiCall, head: &Parts, body: Bytes) -> Reply {
        let operation = call.operation.as_str();
        match call.service {
            Service::DynamoDb => self.dynamodb.call(operation, &call.resources, head, body).await,
            Service::Sns => sns::call(operation, &body, &self.records),
            Service::Ses => ses::call(operation, &body, &self.records),
            Service::Events => self.buses.call(operation, &body, &self.records),
            Service::Secrets => self.secrets.call(operation, &body),
            Service::SmsVoice => sms_voice::call(operation, &body, &self.records),
            Service::Webhook => webhook::call(&head.headers, &body, &self.records),
            // The endpoint answers these itself.
            Service::OldSystem => webhook::status(StatusCode::NOT_FOUND),
        }
    }
}

fn entries(entries: &[impl Serialize]) -> Entries {
    Ok(entries.iter().map(to_raw_value).collect::<Result<_, _>>()?)
}
