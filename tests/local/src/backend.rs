//! The two places where the functions and their services can run.
//!
//! This is the only module that branches between them. The rest of the stack asks [`Backend`].

use crate::aws::{
    ApiCall, Caller, DynamoDb, EventBuses, Fate, Feedback, Instance, Reply, Secrets, Service, ses,
    sms_voice, sns, webhook,
};
use crate::database::{self, DatabaseHandle};
use crate::deployed::{Account, ProxiedResponse};
use crate::lambda::{Lambda, invoke_api};
use crate::logs::Logs;
use crate::records::Records;
use anyhow::ensure;
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

/// The time in which all processes must end; the whole stack must stop within two seconds.
const STOP_LIMIT: Duration = Duration::from_secs(1);

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
    /// What carriers report of messages, if they do.
    pub(crate) feedback: Option<Feedback>,
}

/// Entries of a page of the admin API, as JSON with their fields in order.
type Entries = anyhow::Result<Vec<Box<RawValue>>>;

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
    pub(crate) async fn messages(&self, to: Option<&str>) -> Entries {
        match self {
            Self::Embedded(embedded) => entries(&embedded.records.messages(to)),
            Self::Deployed(account) => entries(&account.messages(to).await?),
        }
    }

    /// Returns the events of one detail type, or all.
    pub(crate) async fn events(&self, detail_type: Option<&str>) -> Entries {
        match self {
            Self::Embedded(embedded) => entries(&embedded.records.events(detail_type)),
            Self::Deployed(account) => entries(&account.events(detail_type).await?),
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
        }
    }
}

fn entries(entries: &[impl Serialize]) -> Entries {
    Ok(entries.iter().map(to_raw_value).collect::<Result<_, _>>()?)
}
