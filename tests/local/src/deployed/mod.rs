//! The same interface in front of functions that are deployed elsewhere: an (emulated) AWS account.
//!
//! A command, given in [`Options::account`](crate::Options::account), deploys the template into an account of its
//! own. The functions' calls come here first, so that they are recorded and can fail on request, and go on to the
//! account; requests go to its API; messages, events and items are read where the account keeps them.

mod pages;
mod processes;

pub(crate) use processes::Connection;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow, bail};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Semaphore;

use crate::sync::lock;
use crate::template::Template;

/// API Gateway takes no larger body.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// How many requests may be at work at once. Lambda starts as many processes as there are requests; this machine
/// cannot, and a process that waits too long for its turn gives up.
const AT_ONCE: usize = 32;

/// Headers that belong to one connection.
const HOP: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

/// An account that the template is deployed into.
#[derive(Debug)]
pub(crate) struct Account {
    place: Place,
    client: reqwest::Client,
    process: tokio::sync::Mutex<Child>,
    /// The account is kept as long as this is open.
    stdin: Mutex<Option<ChildStdin>>,
    turns: Semaphore,
}

/// Where everything is, as the deploying command says it.
#[derive(Debug, Deserialize)]
struct Place {
    /// The endpoint of the account's services.
    url: String,
    /// The base of the API.
    api: String,
    /// A queue that has every event.
    queue: String,
    /// What the functions printed.
    log: PathBuf,
    /// Physical names of the functions, by binary.
    functions: BTreeMap<String, String>,
    /// Physical ids of the stack's resources, by logical id.
    resources: BTreeMap<String, String>,
}

/// Says whose calls come to an endpoint, and where that is.
#[derive(Debug, Clone)]
pub(crate) struct EndpointOf(pub(crate) String, pub(crate) SocketAddr);

/// An answer that is passed on.
pub(crate) struct Passed {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Account {
    /// Deploys with `command`. Each function calls the endpoint that has its name.
    pub(crate) async fn open(
        command: &[String],
        endpoints: &BTreeMap<String, String>,
        environment: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| anyhow!("an empty command deploys nothing"))?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {program}"))?;
        let (Some(mut stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("{program} has no stdin or stdout");
        };
        let environment: BTreeMap<_, _> = environment.iter().cloned().collect();
        let asked = json!({ "endpoints": endpoints, "environment": environment });
        stdin.write_all(format!("{asked}\n").as_bytes()).await?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let line = line.ok_or_else(|| anyhow!("{program} did not deploy"))?;
        let place = serde_json::from_str(&line).context("what the deploying command says")?;
        // A proxy that this machine's environment names has no business with the account.
        let client = reqwest::Client::builder().no_proxy().build()?;
        let (process, stdin) = (process.into(), Mutex::new(Some(stdin)));
        Ok(Self { place, client, process, stdin, turns: Semaphore::new(AT_ONCE) })
    }

    /// Where the account's services answer.
    pub(crate) fn url(&self) -> &str {
        &self.place.url
    }

    /// Gives the template's resources the names that they have in the account.
    pub(crate) async fn rename(&self, template: &mut Template) -> anyhow::Result<()> {
        let name = |id: &str| {
            let name = self.place.resources.get(id).cloned();
            name.ok_or_else(|| anyhow!("{id} was not deployed"))
        };
        for table in &mut template.tables {
            table.name = name(&table.id)?;
        }
        for secret in &mut template.secrets {
            secret.name = name(&secret.id)?;
            let request = json!({ "SecretId": secret.name });
            let kept =
                self.call("secretsmanager", "secretsmanager.DescribeSecret", &request).await?;
            let arn = kept.get("ARN").and_then(Json::as_str).context("a secret without an ARN")?;
            arn.clone_into(&mut secret.arn);
        }
        for bus in &mut template.buses {
            bus.name = name(&bus.id)?;
        }
        Ok(())
    }

    /// Who makes this call: the function whose endpoint it came to, and the connection.
    pub(crate) fn caller(head: &Parts) -> Option<(String, Connection)> {
        let ConnectInfo(from) = head.extensions.get::<ConnectInfo<SocketAddr>>()?;
        let EndpointOf(function, to) = head.extensions.get::<EndpointOf>()?;
        Some((function.clone(), Connection { from: *from, to: *to }))
    }

    /// Kills the process that opened a connection.
    pub(crate) async fn crash(connection: Connection) {
        let found = tokio::task::spawn_blocking(move || processes::that_opened(connection)).await;
        if let Ok(Some(process)) = found {
            let mut kill = Command::new("kill");
            // One that is gone already has crashed.
            drop(kill.arg("-KILL").arg(process.to_string()).stderr(Stdio::null()).status().await);
        }
    }

    /// Passes a call of a function on to the account, exactly as it was signed.
    pub(crate) async fn carry_out(&self, head: &Parts, body: Bytes) -> anyhow::Result<Passed> {
        pass(&self.client, &self.place.url, head, body).await
    }

    /// Passes a client's request on to the API, from the client's own address.
    pub(crate) async fn request(
        &self,
        peer: SocketAddr,
        head: &Parts,
        body: Bytes,
    ) -> anyhow::Result<Passed> {
        let _turn = self.turns.acquire().await?;
        let client = reqwest::Client::builder().no_proxy().local_address(peer.ip()).build()?;
        pass(&client, &self.place.api, head, body).await
    }

    /// Invokes a function with a payload.
    pub(crate) async fn invoke(&self, function: &str, body: Bytes) -> anyhow::Result<Passed> {
        let name = self.place.functions.get(function).map_or(function, String::as_str);
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.place.url);
        passed(self.client.post(url).header("authorization", scope("lambda")).body(body)).await
    }

    /// Every line that the functions printed, as `[binary] line`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.place.log).unwrap_or_default();
        let binary = |line: &str| {
            let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
            let found = self.place.functions.iter().find(|(_, physical)| *physical == name)?;
            Some(format!("[{}]{rest}", found.0))
        };
        text.lines().map(|line| binary(line).unwrap_or_else(|| line.to_owned())).collect()
    }

    /// Gives the account up and waits for its end.
    pub(crate) async fn close(&self) {
        drop(lock(&self.stdin).take());
        // Whatever it exits with, it is gone.
        drop(self.process.lock().await.wait().await);
    }

    /// A call of the stack itself to a service that speaks AWS JSON.
    pub(crate) async fn call(
        &self,
        service: &str,
        target: &str,
        request: &Json,
    ) -> anyhow::Result<Json> {
        let call = self
            .client
            .post(&self.place.url)
            .header("authorization", scope(service))
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body(request.to_string());
        let answer = passed(call).await?;
        if !answer.status.is_success() {
            bail!("{target}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// A page of the emulator's own.
    async fn page(&self, path: &str) -> anyhow::Result<Json> {
        let answer = passed(self.client.get(format!("{}{path}", self.place.url))).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }
}

/// Answers one request of a client with what the API answers.
pub(crate) async fn front(
    State(account): State<Arc<Account>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match account.request(peer, &head, body).await {
        Ok(Passed { status, headers, body }) => (status, headers, body).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

/// The emulator looks at nothing but the account and the service.
fn scope(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{service}/aws4_request, SignedHeaders=host, Signature=0",
        crate::template::ACCOUNT,
        crate::template::REGION,
    )
}

async fn pass(
    client: &reqwest::Client,
    base: &str,
    head: &Parts,
    body: Bytes,
) -> anyhow::Result<Passed> {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut headers = head.headers.clone();
    for name in HOP {
        headers.remove(name);
    }
    let url = format!("{base}{target}");
    passed(client.request(head.method.clone(), url).headers(headers).body(body)).await
}

async fn passed(request: reqwest::RequestBuilder) -> anyhow::Result<Passed> {
    let response = request.send().await?;
    let (status, mut headers) = (response.status(), response.headers().clone());
    for name in HOP {
        headers.remove(name);
    }
    Ok(Passed { status, headers, body: response.bytes().await? })
}
