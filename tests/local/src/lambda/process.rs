//! One instance as a process of this machine.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::pool::{Function, InstanceId};
use crate::clock;
use crate::logs::Logs;
use crate::random;

/// How long the last words of a process are waited for once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs an instance to its end, by itself or because `killed` fires, and says how it ended.
pub(super) async fn run(
    function: &Function,
    id: InstanceId,
    killed: oneshot::Receiver<()>,
) -> String {
    let mut child = match spawn(function, id) {
        Ok(child) => child,
        Err(error) => {
            return format!("cannot start {}: {error}", function.launch.executable.display());
        }
    };
    let pumps = [
        child.stdout.take().map(|out| pump(out, function)),
        child.stderr.take().map(|err| pump(err, function)),
    ];
    let status = tokio::select! {
        status = child.wait() => status,
        // Used or dropped, it means the same.
        _ = killed => {
            // It may have ended in this very moment, which is just as well.
            drop(child.start_kill());
            child.wait().await
        }
    };
    for pump in pumps.into_iter().flatten() {
        drop(tokio::time::timeout(LAST_WORDS, pump).await);
    }
    status.map_or_else(|error| error.to_string(), describe)
}

fn spawn(function: &Function, id: InstanceId) -> std::io::Result<Child> {
    let launch = &function.launch;
    let name = &launch.name;
    let folder = launch.executable.parent().unwrap_or(Path::new("/"));
    let stream = format!(
        "{}/[$LATEST]{}",
        clock::slashed_day(clock::unix_millis()),
        random::uuid().replace('-', "")
    );
    Command::new(&launch.executable)
        // The binary of every function takes the name; a function's own binary ignores it.
        .arg(name)
        // Nothing of this machine leaks into a function, as in Lambda's sandbox.
        .env_clear()
        .envs(&launch.environment)
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://{}/{name}/{id}", launch.runtime_api))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", stream)
        // The identity under which the instance signs its calls: faults must hit the right process.
        .env("AWS_ACCESS_KEY_ID", format!("{name}.{id}"))
        .env("LAMBDA_TASK_ROOT", folder)
        .current_dir(folder)
        // A group of its own: Ctrl-C is for the stack, which ends its instances itself.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

fn pump(stream: impl AsyncRead + Unpin + Send + 'static, function: &Function) -> JoinHandle<()> {
    let logs: Arc<Logs> = Arc::clone(&function.logs);
    let name = function.name().to_owned();
    tokio::spawn(async move {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        // A line that is not UTF-8 is still a line.
        while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            logs.line(&name, String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    })
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, signal) => {
            format!("Runtime exited with error: signal {}", signal.unwrap_or_default())
        }
    }
}
