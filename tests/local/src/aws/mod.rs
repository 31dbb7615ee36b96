//! The one AWS endpoint of the functions: it records each call, applies faults and executes the
//! call in the [`Backend`].

mod call_log;
mod caller;
mod carriers;
mod dynamodb;
mod events;
mod faults;
mod feedback;
mod old_system;
mod reply;
mod resources;
mod rights;
mod secrets;
pub(crate) mod ses;
pub(crate) mod sms_voice;
pub(crate) mod sns;
pub(crate) mod webhook;

pub(crate) use call_log::CallLog;
pub(crate) use caller::{Caller, Instance, Service};
pub(crate) use carriers::{CarrierState, Carriers};
pub(crate) use dynamodb::{DynamoDb, TableWrites};
pub(crate) use events::EventBuses;
pub(crate) use faults::{Fault, Faults};
pub(crate) use feedback::{Fate, Feedback};
pub(crate) use old_system::OldSystem;
pub(crate) use reply::Reply;
pub(crate) use resources::Resources;
pub(crate) use secrets::Secrets;

use crate::activity::Activity;
use crate::backend::Backend;
use crate::records::Records;
use anyhow::Context;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use faults::Mode;
use rights::Right;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// The largest body of a call, which is DynamoDB's limit.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The longest time that a call with the fault `timeout` waits.
const HANG_LIMIT: Duration = Duration::from_mins(1);

/// The endpoint.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) resources: Resources,
    pub(crate) faults: Faults,
    pub(crate) carriers: Carriers,
    pub(crate) old_system: OldSystem,
    pub(crate) calls: CallLog,
    pub(crate) activity: Arc<Activity>,
    pub(crate) backend: Backend,
}

/// One call of a function.
#[derive(Debug)]
pub(crate) struct ApiCall {
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// The logical ids of the resources that the call names.
    pub(crate) resources: Vec<String>,
    /// The rights that the call needs.
    rights: Vec<Right>,
}

/// A secret with all its versions at one moment.
#[derive(Clone, Debug)]
pub struct SecretSnapshot {
    pub name: String,
    /// The values by version id, also of versions without a label.
    pub versions: BTreeMap<String, String>,
    /// The version id by label.
    pub labels: BTreeMap<String, String>,
}

/// Answers a call to an endpoint of the operator, which this stack plays. The call does not say which function
/// makes it.
pub(crate) async fn handle_webhook(aws: &Aws, service: Service, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let function = if service == Service::Webhook { "relay" } else { "" }.to_owned();
    let caller = Caller { function, instance: Instance::Local(String::new()), service };
    answer(aws, &caller, head, body).await
}

/// Answers one call of a function.
pub(crate) async fn handle(State(aws): State<Arc<Aws>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Some(caller) = aws.backend.caller(&head) else {
        return Reply::missing_credentials().into_response();
    };
    answer(&aws, &caller, head, body).await
}

async fn answer(aws: &Aws, caller: &Caller, head: Parts, body: Body) -> Response {
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = ApiCall::parse(caller.service, &head, &body, &aws.resources);
    let id = aws.calls.begin(&caller.function, &call, aws.activity.clock.stamp());
    let followed = aws.activity.call_begins(
        aws.backend.invocation_of(caller).as_deref(),
        &caller.function,
        &call,
        &body,
        &aws.backend,
    );
    let fault = aws.faults.take(&caller.function, call.service, &call.operation);
    if fault.is_some() {
        aws.faults_changed();
    }
    let execution = async {
        match call.service {
            Service::OldSystem => aws.old_system.call(&head.headers, &body),
            _ => aws.backend.execute(&call, &head, body.clone()).await,
        }
    };
    let reply = match fault {
        None => Some(match aws.carriers.answer(&call, &head, &body) {
            Some(reply) => reply,
            None => execution.await,
        }),
        Some(fault) => aws.apply_fault(fault, caller, &call, &body, execution).await,
    };
    let ended = reply.as_ref().map(|reply| (reply.status.as_u16(), reply.units));
    aws.activity.call_ends(followed, &call, ended, fault.map(Mode::name));
    let Some(reply) = reply else {
        return drop_connection();
    };
    aws.calls.finish(id, reply.status.as_u16(), reply.units);
    if reply.status.is_success() {
        let fate = fault.and_then(Mode::fate).or_else(|| aws.carriers.fate(&call, &body));
        let fate = fate.unwrap_or(Fate::Delivered);
        aws.backend.report(call.service, fate, &body, &reply);
    }
    reply.into_response()
}

impl ApiCall {
    fn parse(service: Service, head: &Parts, body: &[u8], resources: &Resources) -> Self {
        let operation = match service {
            Service::DynamoDb | Service::Events | Service::Secrets | Service::SmsVoice => {
                let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
                target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned()
            }
            Service::Sns => sns::action(body),
            Service::Ses => ses::operation(&head.method, head.uri.path()),
            Service::Webhook => "Send".to_owned(),
            Service::OldSystem => "Ask".to_owned(),
        };
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        let ids = match service {
            Service::DynamoDb => resources.tables(&request),
            Service::Events => resources.buses(&request),
            Service::Secrets => resources.secrets(&request),
            Service::Sns
            | Service::Ses
            | Service::SmsVoice
            | Service::Webhook
            | Service::OldSystem => Vec::new(),
        };
        let on_each = |prefix: &str| {
            ids.iter().map(|id| Right::new(prefix, &operation, id)).collect::<Vec<_>>()
        };
        let rights = match service {
            Service::DynamoDb => resources.table_rights(&operation, &request),
            Service::Events => on_each("events"),
            Service::Secrets => on_each("secretsmanager"),
            Service::Sns => sns::rights(&operation, body),
            Service::Ses => ses::rights(&operation, &request),
            Service::SmsVoice => sms_voice::rights(&operation, &request),
            Service::Webhook | Service::OldSystem => Vec::new(),
        };
        Self { service, operation, resources: ids, rights }
    }
}

impl Aws {
    /// Tells those who watch which faults are left.
    pub(crate) fn faults_changed(&self) {
        self.activity.feed.add(|| json!({ "kind": "faults", "faults": self.faults.list() }));
    }

    /// Returns every secret with all its versions.
    pub(crate) async fn secrets(&self) -> anyhow::Result<Vec<SecretSnapshot>> {
        let mut snapshots = Vec::new();
        for name in self.resources.secret_names() {
            let request = json!({ "SecretId": name, "IncludeDeprecated": true });
            let listed = self.backend.request_secret("ListSecretVersionIds", &request).await?;
            let ids = listed.get("Versions").and_then(Json::as_array).into_iter().flatten();
            let (mut versions, mut labels) = (BTreeMap::new(), BTreeMap::new());
            for id in ids.filter_map(|version| version.get("VersionId").and_then(Json::as_str)) {
                let request = json!({ "SecretId": name, "VersionId": id });
                let version = self.backend.request_secret("GetSecretValue", &request).await?;
                let value = version.get("SecretString").and_then(Json::as_str);
                versions.insert(id.to_owned(), value.context("a secret without text")?.to_owned());
                let stages = version.get("VersionStages").and_then(Json::as_array);
                for stage in stages.into_iter().flatten().filter_map(Json::as_str) {
                    labels.insert(stage.to_owned(), id.to_owned());
                }
            }
            snapshots.push(SecretSnapshot { name: name.to_owned(), versions, labels });
        }
        Ok(snapshots)
    }

    /// Answers a call in the way of a fault. Returns `None` if the connection is to be dropped
    /// without a reply.
    async fn apply_fault(
        &self,
        fault: Mode,
        caller: &Caller,
        call: &ApiCall,
        body: &[u8],
        execution: impl Future<Output = Reply>,
    ) -> Option<Reply> {
        match fault {
            Mode::Error => Some(Reply::fault_error(call.service)),
            Mode::Throttle => Some(Reply::fault_throttle(call.service)),
            Mode::Conflict => Some(dynamodb::conflict(&call.operation, body)),
            Mode::Partial if call.service == Service::DynamoDb => {
                Some(dynamodb::none_processed(body))
            }
            Mode::Partial => Some(events::all_failed(body)),
            Mode::Refuse => Some(match call.service {
                Service::Ses => ses::refused(),
                Service::SmsVoice => sms_voice::refused(),
                Service::Webhook => webhook::status(StatusCode::UNPROCESSABLE_ENTITY),
                _ => sns::refused(),
            }),
            Mode::Misconfigured => Some(match call.service {
                Service::Ses => ses::misconfigured(),
                Service::SmsVoice => sms_voice::misconfigured(),
                Service::Webhook => webhook::status(StatusCode::UNAUTHORIZED),
                _ => sns::misconfigured(),
            }),
            // The carrier takes the message as always.
            Mode::Complained => Some(execution.await),
            Mode::Undelivered | Mode::Bounced | Mode::Spent => {
                let (operation, unseen) = (call.operation.as_str(), Records::default());
                Some(match call.service {
                    Service::Ses => ses::call(operation, body, &unseen),
                    Service::SmsVoice => sms_voice::call(operation, body, &unseen),
                    _ => sns::call(operation, body, &unseen),
                })
            }
            Mode::Timeout => {
                let cleared = self.faults.cleared();
                drop(tokio::time::timeout(HANG_LIMIT, cleared).await);
                None
            }
            Mode::CrashBefore => {
                self.backend.crash(caller).await;
                None
            }
            Mode::CrashAfter => {
                execution.await;
                self.backend.crash(caller).await;
                None
            }
            Mode::LostReply => {
                execution.await;
                None
            }
        }
    }
}

/// Ends the connection without a reply: a body that fails before its first byte makes the server
/// close the connection before it sends the headers.
fn drop_connection() -> Response {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let stream = futures_util::stream::once(std::future::ready(Err::<Bytes, _>(broken)));
    Response::new(Body::from_stream(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_connection_sends_no_status() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().fallback(async || drop_connection());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&received), "");
    }
}
