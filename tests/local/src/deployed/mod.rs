//! The stack's interface in front of functions in an emulated AWS account.
//!
//! The command in [`Options::account`](crate::Options::account) deploys the template into a new
//! account. The functions call the stack's endpoints, which record calls and apply faults, and then
//! forward the calls to the account. The stack also forwards requests to the API of the account,
//! and reads messages, events and items from the account.

mod pages;
mod processes;

pub(crate) use processes::Connection;

use crate::sync::lock;
use anyhow::{Context, anyhow, bail};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use template::Template;
use template::arn::{ACCOUNT, REGION};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Semaphore;

/// The largest body that API Gateway accepts.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The largest number of requests at a time. The emulator starts a process for each, and a process
/// that waits too long for a processor times out.
const MAX_CONCURRENT_REQUESTS: usize = 32;

/// The headers that belong to one connection.
const HOP_HEADERS: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

/// An account that the template is deployed into.
#[derive(Debug)]
pub(crate) struct Account {
    stack: DeployedStack,
    client: reqwest::Client,
    process: tokio::sync::Mutex<Child>,
    /// The command deletes the account when this closes.
    stdin: Mutex<Option<ChildStdin>>,
    requests: Semaphore,
}

/// The stack in the account, as the command describes it.
#[derive(Debug, Deserialize)]
struct DeployedStack {
    /// The endpoint of the account's services.
    url: String,
    /// The base URL of the API.
    api: String,
    /// The URL of a queue that gets every event.
    queue: String,
    /// The file with the output of the functions.
    log: PathBuf,
    /// The physical names of the functions, by binary.
    functions: BTreeMap<String, String>,
    /// The physical ids of the resources, by logical id.
    resources: BTreeMap<String, String>,
}

/// The function that an endpoint belongs to, and the address of the endpoint.
#[derive(Debug, Clone)]
pub(crate) struct EndpointOf(pub(crate) String, pub(crate) SocketAddr);

/// A response of the account that is forwarded.
pub(crate) struct ProxiedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Account {
    /// Deploys with the command. Each function calls the endpoint that has its name. With `schedules`
    /// the relay sweeps as often as in the local stack.
    pub(crate) async fn open(
        command: &[String],
        endpoints: &BTreeMap<String, String>,
        environment: &[(String, String)],
        schedules: bool,
    ) -> anyhow::Result<Self> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| anyhow!("the command to deploy is empty"))?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to run {program}"))?;
        let (Some(mut stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("{program} has no stdin or stdout");
        };
        let environment: BTreeMap<_, _> = environment.iter().cloned().collect();
        let request = json!({
            "endpoints": endpoints,
            "environment": environment,
            "schedules": schedules,
        });
        stdin.write_all(format!("{request}\n").as_bytes()).await?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let line = line.ok_or_else(|| anyhow!("failed to deploy with {program}"))?;
        let stack = serde_json::from_str(&line)
            .with_context(|| format!("failed to read the output of {program}"))?;
        // A proxy in the environment of this machine must not get calls to the account.
        let client = reqwest::Client::builder().no_proxy().build()?;
        let (process, stdin) = (process.into(), Mutex::new(Some(stdin)));
        Ok(Self {
            stack,
            client,
            process,
            stdin,
            requests: Semaphore::new(MAX_CONCURRENT_REQUESTS),
        })
    }

    /// Returns the endpoint of the account's services.
    pub(crate) fn url(&self) -> &str {
        &self.stack.url
    }

    /// Gives the resources of the template their physical names in the account.
    pub(crate) async fn rename(&self, template: &mut Template) -> anyhow::Result<()> {
        let name = |id: &str| {
            let name = self.stack.resources.get(id).cloned();
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

    /// Returns the function whose endpoint a call came to, and the connection of the call.
    pub(crate) fn caller(head: &Parts) -> Option<(String, Connection)> {
        let ConnectInfo(from) = head.extensions.get::<ConnectInfo<SocketAddr>>()?;
        let EndpointOf(function, to) = head.extensions.get::<EndpointOf>()?;
        Some((function.clone(), Connection { from: *from, to: *to }))
    }

    /// Kills the process that opened a connection.
    pub(crate) async fn crash(connection: Connection) {
        let found = tokio::task::spawn_blocking(move || processes::opener(connection)).await;
        if let Ok(Some(process)) = found {
            let mut kill = Command::new("kill");
            // A process that has ended already cannot be killed.
            drop(kill.arg("-KILL").arg(process.to_string()).stderr(Stdio::null()).status().await);
        }
    }

    /// Forwards a call of a function to the account without changes, because it is signed.
    pub(crate) async fn execute(
        &self,
        head: &Parts,
        body: Bytes,
    ) -> anyhow::Result<ProxiedResponse> {
        forward(&self.client, &self.stack.url, head, body).await
    }

    /// Forwards a request of a client to the API, from the address of the client.
    pub(crate) async fn request(
        &self,
        peer: SocketAddr,
        head: &Parts,
        body: Bytes,
    ) -> anyhow::Result<ProxiedResponse> {
        let _permit = self.requests.acquire().await?;
        let client = reqwest::Client::builder().no_proxy().local_address(peer.ip()).build()?;
        forward(&client, &self.stack.api, head, body).await
    }

    /// Invokes a function with a payload.
    pub(crate) async fn invoke(
        &self,
        function: &str,
        body: Bytes,
    ) -> anyhow::Result<ProxiedResponse> {
        let name = self.stack.functions.get(function).map_or(function, String::as_str);
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.stack.url);
        send(self.client.post(url).header("authorization", scope("lambda")).body(body)).await
    }

    /// Returns every line that the functions printed, as `[binary] line`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.stack.log).unwrap_or_default();
        let binary = |line: &str| {
            let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
            let found = self.stack.functions.iter().find(|(_, physical)| *physical == name)?;
            Some(format!("[{}]{rest}", found.0))
        };
        text.lines().map(|line| binary(line).unwrap_or_else(|| line.to_owned())).collect()
    }

    /// Deletes the account and waits for the end of the command.
    pub(crate) async fn close(&self) {
        drop(lock(&self.stdin).take());
        // The exit status does not matter.
        drop(self.process.lock().await.wait().await);
    }

    /// Sends a call of the stack itself to a service that uses AWS JSON.
    pub(crate) async fn call(
        &self,
        service: &str,
        target: &str,
        request: &Json,
    ) -> anyhow::Result<Json> {
        let call = self
            .client
            .post(&self.stack.url)
            .header("authorization", scope(service))
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body(request.to_string());
        let answer = send(call).await?;
        if !answer.status.is_success() {
            bail!(
                "failed to call {target}: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Returns a page of the emulator's own API.
    async fn page(&self, path: &str) -> anyhow::Result<Json> {
        let answer = send(self.client.get(format!("{}{path}", self.stack.url))).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }
}

/// Forwards one request of a client to the API.
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
        Ok(ProxiedResponse { status, headers, body }) => (status, headers, body).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

/// Returns a header that names the account and the service; the emulator checks nothing else in it.
fn scope(service: &str) -> String {
    let scope = format!("{ACCOUNT}/20260101/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}

async fn forward(
    client: &reqwest::Client,
    base: &str,
    head: &Parts,
    body: Bytes,
) -> anyhow::Result<ProxiedResponse> {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut headers = head.headers.clone();
    for name in HOP_HEADERS {
        headers.remove(name);
    }
    let url = format!("{base}{target}");
    send(client.request(head.method.clone(), url).headers(headers).body(body)).await
}

async fn send(request: reqwest::RequestBuilder) -> anyhow::Result<ProxiedResponse> {
    let response = request.send().await?;
    let (status, mut headers) = (response.status(), response.headers().clone());
    for name in HOP_HEADERS {
        headers.remove(name);
    }
    Ok(ProxiedResponse { status, headers, body: response.bytes().await? })
}
