//! The program on a machine that has nothing else: no Rust, no project, no other program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use anyhow::{Context, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The longest time that a step may take.
const PATIENCE: Duration = Duration::from_secs(40);
const PHONE: &str = "+6282243350992";

/// An empty folder. Deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        // A run that was interrupted left it.
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The program, in a folder of its own, with an empty environment.
fn program(folder: &Folder) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_latchkey-local"));
    program.current_dir(&folder.0).env_clear().env("PATH", "");
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program.kill_on_drop(true);
    program
}

async fn output(program: &mut Command) -> Output {
    tokio::time::timeout(PATIENCE, program.output()).await.unwrap().unwrap()
}

/// Starts a stack and returns its URL.
async fn start(folder: &Folder) -> anyhow::Result<(Child, String)> {
    let mut program = program(folder);
    let mut stack = program.args(["--port", "0"]).stderr(Stdio::null()).spawn()?;
    let stdout = stack.stdout.take().context("no standard output")?;
    let line = BufReader::new(stdout).lines().next_line().await?.context("the stack ended")?;
    let url = line.strip_prefix("ready ").with_context(|| format!("unexpected line {line:?}"))?;
    Ok((stack, url.to_owned()))
}

/// Sends a request with a body of JSON. Returns the answer, which must be a success.
async fn post(url: &str, body: &Value) -> anyhow::Result<Value> {
    let response = Client::new().post(url).json(body).send().await?;
    let (status, text) = (response.status(), response.text().await?);
    ensure!(status.is_success(), "{url}: {status} {text}");
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

/// Waits for the text with the code. Returns the code.
async fn code(url: &str) -> anyhow::Result<String> {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    loop {
        ticks.tick().await;
        let response = Client::new().get(format!("{url}/_local/messages")).send().await?;
        let page: Value = response.json().await?;
        if let Some(text) = page.pointer("/messages/0/body").and_then(Value::as_str) {
            return Ok(text.chars().take_while(char::is_ascii_digit).collect());
        }
    }
}

async fn sign_up(url: &str) -> anyhow::Result<Value> {
    post(&format!("{url}/otp"), &json!({ "identifier": PHONE, "otpType": "sign_up" })).await?;
    let code = code(url).await?;
    let user = json!({ "phoneNumber": PHONE, "otpCode": code, "userType": "HYG" });
    post(&format!("{url}/users"), &user).await
}

#[tokio::test]
async fn a_sign_up_needs_nothing_but_the_program() {
    let folder = Folder::new("sign-up");
    let (mut stack, url) = tokio::time::timeout(PATIENCE, start(&folder)).await.unwrap().unwrap();
    let answer = tokio::time::timeout(PATIENCE, sign_up(&url)).await.unwrap().unwrap();
    assert_eq!(answer["data"]["tokenType"], "Bearer", "{answer}");
    let id = stack.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let end = tokio::time::timeout(PATIENCE, stack.wait()).await.unwrap().unwrap();
    assert!(end.success(), "{end}");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "the program wrote a file");
}

#[tokio::test]
async fn it_has_no_flag_that_needs_the_sources() {
    let folder = Folder::new("flags");
    for flag in ["--release", "--watch"] {
        let refused = output(program(&folder).arg(flag)).await;
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains(flag), "{message}");
    }
}

#[tokio::test]
async fn a_process_with_a_runtime_api_is_the_function_that_its_argument_names() {
    let folder = Folder::new("function");
    let mut function = program(&folder);
    function.arg("no-such-function").env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
    let refused = output(&mut function).await;
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert_eq!(message, "error: there is no function \"no_such_function\"\n");
}

#[tokio::test]
async fn a_command_gets_a_stack_and_its_exit_code_is_passed_on() {
    let folder = Folder::new("exec");
    let address = "case $LATCHKEY_URL in http://127.0.0.1:*) exit 3;; esac";
    for (command, code) in [
        (&["/bin/sh", "-c", address][..], 3),
        (&["/bin/sh", "-c", "kill -KILL $$"], 137),
        (&["/no/such/program"], 127),
    ] {
        let ended = output(program(&folder).args(["exec", "--"]).args(command)).await;
        assert_eq!(ended.status.code(), Some(code), "{command:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_command_is_told_to_end_and_decides_when() {
    let folder = Folder::new("exec-end");
    let script = "trap 'echo ending; exit 9' TERM; echo begun; while :; do :; done";
    let mut stack = program(&folder).args(["exec", "--", "/bin/sh", "-c", script]).spawn().unwrap();
    let mut lines = BufReader::new(stack.stdout.take().unwrap()).lines();
    let mut line =
        async || tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    assert_eq!(line().await.as_deref(), Some("begun"));
    let id = stack.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert_eq!(line().await.as_deref(), Some("ending"));
    let end = tokio::time::timeout(PATIENCE, stack.wait()).await.unwrap().unwrap();
    assert_eq!(end.code(), Some(9));
}
