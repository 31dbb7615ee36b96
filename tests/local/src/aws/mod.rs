//! The one AWS endpoint of the functions: real DynamoDB behind it, stand-ins for everything else.

mod caller;
mod calls;
mod dynamodb;
mod events;
mod faults;
mod reply;
mod rights;
mod secrets;
mod ses;
mod sns;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

pub(crate) use calls::Calls;
pub(crate) use dynamodb::{DynamoDb, TableWrites};
pub(crate) use events::EventBuses;
pub(crate) use faults::{Fault, Faults};
pub use secrets::KeptSecret;
pub(crate) use secrets::Secrets;

use caller::{Caller, Instance, Service};
use faults::Mode;
use reply::Reply;
use rights::Right;

use crate::deployed::Account;
use crate::lambda::Lambda;
use crate::records::Records;

/// DynamoDB's limit; nothing here takes more.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// How long a call under a `timeout` fault hangs at the most.
const HANG: Duration = Duration::from_mins(1);

/// Everything the endpoint needs.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) buses: EventBuses,
    pub(crate) secrets: Secrets,
    pub(crate) records: Arc<Records>,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) lambda: Arc<Lambda>,
    /// Where calls are carried out, if not here.
    pub(crate) account: Option<Arc<Account>>,
}

/// One call of a function: what it wants, and of what.
#[derive(Debug)]
struct Ask {
    service: Service,
    operation: String,
    /// Logical ids.
    resources: Vec<String>,
    /// What the call must be allowed.
    rights: Vec<Right>,
}

/// Answers one call of a function.
pub(crate) async fn handle(State(aws): State<Arc<Aws>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let caller = match aws.account {
        None => Caller::of(&head.headers),
        Some(_) => Caller::elsewhere(&head),
    };
    let Some(caller) = caller else {
        return Reply::missing_credentials().into_response();
    };
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let ask = aws.understand(caller.service, &head, &body);
    let ticket = aws.calls.begin(&caller.function, &ask);
    let fault = aws.faults.take(&caller.function, ask.service, &ask.operation);
    let carry_out = aws.carry_out(&ask, &head, body.clone());
    let Some(reply) = aws.under(fault, &caller, &ask, &body, carry_out).await else {
        return hang_up();
    };
    aws.calls.finish(ticket, reply.status.as_u16(), reply.units);
    reply.into_response()
}

impl Aws {
    fn understand(&self, service: Service, head: &Parts, body: &[u8]) -> Ask {
        let target = || {
            let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
            target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned()
        };
        let operation = match service {
            Service::DynamoDb | Service::Events | Service::Secrets => target(),
            Service::Sns => sns::action(body),
            Service::Ses => ses::operation(&head.method, head.uri.path()),
        };
        let resources = match service {
            Service::DynamoDb => self.dynamodb.resources(body),
            Service::Events => self.buses.resources(body),
            Service::Secrets => self.secrets.resources(body),
            Service::Sns | Service::Ses => Vec::new(),
        };
        let on_each = |prefix: &str| {
            resources.iter().map(|id| Right::new(prefix, &operation, id)).collect::<Vec<_>>()
        };
        let rights = match service {
            Service::DynamoDb => self.dynamodb.rights(&operation, body),
            Service::Events => on_each("events"),
            Service::Secrets => on_each("secretsmanager"),
            Service::Sns => sns::rights(&operation, body),
            Service::Ses => ses::rights(&operation, body),
        };
        Ask { service, operation, resources, rights }
    }

    /// Every secret with all of its versions, from wherever they are kept.
    pub(crate) async fn kept_secrets(&self) -> anyhow::Result<Vec<KeptSecret>> {
        let mut kept = Vec::new();
        for name in self.secrets.names() {
            let request = json!({ "SecretId": name, "IncludeDeprecated": true });
            let listed = self.ask_secrets("ListSecretVersionIds", &request).await?;
            let ids = listed.get("Versions").and_then(Json::as_array).into_iter().flatten();
            let (mut versions, mut labels) = (BTreeMap::new(), BTreeMap::new());
            for id in ids.filter_map(|version| version.get("VersionId").and_then(Json::as_str)) {
                let request = json!({ "SecretId": name, "VersionId": id });
                let answer = self.ask_secrets("GetSecretValue", &request).await?;
                let value = answer.get("SecretString").and_then(Json::as_str);
                versions.insert(id.to_owned(), value.context("a secret without text")?.to_owned());
                let stages = answer.get("VersionStages").and_then(Json::as_array);
                for stage in stages.into_iter().flatten().filter_map(Json::as_str) {
                    labels.insert(stage.to_owned(), id.to_owned());
                }
            }
            kept.push(KeptSecret { name, versions, labels });
        }
        Ok(kept)
    }

    /// A call of the stack itself to Secrets Manager.
    async fn ask_secrets(&self, operation: &str, request: &Json) -> anyhow::Result<Json> {
        if let Some(account) = &self.account {
            let target = format!("secretsmanager.{operation}");
            return account.call("secretsmanager", &target, request).await;
        }
        let reply = self.secrets.call(operation, request.to_string().as_bytes());
        ensure!(reply.status.is_success(), "{operation}: {}", reply.status);
        Ok(serde_json::from_slice(&reply.body)?)
    }

    async fn carry_out(&self, ask: &Ask, head: &Parts, body: Bytes) -> Reply {
        if let Some(account) = &self.account {
            return account.carry_out(head, body).await.map_or_else(
                |error| {
                    Reply::rest_error(StatusCode::BAD_GATEWAY, "Unreachable", &format!("{error:#}"))
                },
                Reply::from,
            );
        }
        match ask.service {
            Service::DynamoDb => {
                self.dynamodb.call(&ask.operation, &ask.resources, head, body).await
            }
            Service::Sns => sns::call(&ask.operation, &body, &self.records),
            Service::Ses => ses::call(&ask.operation, &body, &self.records),
            Service::Events => self.buses.call(&ask.operation, &body, &self.records),
            Service::Secrets => self.secrets.call(&ask.operation, &body),
        }
    }

    /// Carries the call out, or whatever a fault makes of it. `None`: there is no answer.
    async fn under(
        &self,
        fault: Option<Mode>,
        caller: &Caller,
        ask: &Ask,
        body: &[u8],
        carry_out: impl Future<Output = Reply>,
    ) -> Option<Reply> {
        match fault {
            None => Some(carry_out.await),
            Some(Mode::Error) => Some(Reply::fault_error(ask.service)),
            Some(Mode::Throttle) => Some(Reply::fault_throttle(ask.service)),
            Some(Mode::Conflict) => Some(dynamodb::conflict(&ask.operation, body)),
            Some(Mode::Partial) => Some(events::all_failed(body)),
            Some(Mode::Refuse) if ask.service == Service::Ses => Some(ses::refused()),
            Some(Mode::Refuse) => Some(sns::refused()),
            Some(Mode::Timeout) => {
                let cleared = self.faults.cleared();
                drop(tokio::time::timeout(HANG, cleared).await);
                None
            }
            Some(Mode::CrashBefore) => {
                self.crash(caller).await;
                None
            }
            Some(Mode::CrashAfter) => {
                carry_out.await;
                self.crash(caller).await;
                None
            }
            Some(Mode::LostReply) => {
                carry_out.await;
                None
            }
        }
    }

    /// Kills the calling process.
    async fn crash(&self, caller: &Caller) {
        match &caller.instance {
            Instance::Here(instance) => self.lambda.crash(&caller.function, instance).await,
            Instance::Elsewhere(connection) => Account::crash(*connection).await,
        }
    }
}

/// Ends the connection without an answer: a body that fails before its first byte makes the server drop the
/// connection with the headers still unsent.
fn hang_up() -> Response {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let stream = futures_util::stream::once(std::future::ready(Err::<Bytes, _>(broken)));
    Response::new(Body::from_stream(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hanging_up_sends_no_status() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().fallback(async || hang_up());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&received), "");
    }
}
