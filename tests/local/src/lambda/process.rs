//! The process of one instance.

use super::pool::{Function, InstanceId};
use crate::clock;
use crate::random;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The time to wait for the rest of the output after the process has ended.
const OUTPUT_LIMIT: Duration = Duration::from_millis(200);

/// Runs an instance until it ends or `killed` completes. Returns a description of its end.
pub(super) async fn run(
    function: &Arc<Function>,
    executable: &Path,
    id: InstanceId,
    killed: oneshot::Receiver<()>,
) -> String {
    let mut child = match spawn(function, executable, id) {
        Ok(child) => child,
        Err(error) => {
            return format!("failed to start {}: {error}", executable.display());
        }
    };
    let readers = [
        child.stdout.take().map(|out| log_lines(out, function, id)),
        child.stderr.take().map(|err| log_lines(err, function, id)),
    ];
    let status = tokio::select! {
        status = child.wait() => status,
        // Completes when the sender is used or dropped.
        _ = killed => {
            // Fails if the process has just ended.
            drop(child.start_kill());
            child.wait().await
        }
    };
    for reader in readers.into_iter().flatten() {
        drop(tokio::time::timeout(OUTPUT_LIMIT, reader).await);
    }
    status.map_or_else(|error| error.to_string(), describe)
}

fn spawn(function: &Function, executable: &Path, id: InstanceId) -> std::io::Result<Child> {
    let launch = &function.launch;
    let name = &launch.name;
    let folder = executable.parent().unwrap_or(Path::new("/"));
    let stream = format!(
        "{}/[$LATEST]{}",
        clock::slashed_day(function.activity.clock.millis()),
        random::uuid().replace('-', "")
    );
    Command::new(executable)
        // The binary of every function takes the name; a function's own binary ignores it.
        .arg(name)
        .args(function.activity.clock.file())
        // A function does not see the environment of this machine, as in Lambda.
        .env_clear()
        .envs(&launch.environment)
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://{}/{name}/{id}", launch.runtime_api))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", stream)
        // Identifies the instance in its calls, so that faults apply to the right process.
        .env("AWS_ACCESS_KEY_ID", format!("{name}.{id}"))
        .env("LAMBDA_TASK_ROOT", folder)
        .current_dir(folder)
        // A separate process group: Ctrl-C goes to the stack only, which stops its instances.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

fn log_lines(
    stream: impl AsyncRead + Unpin + Send + 'static,
    function: &Arc<Function>,
    id: InstanceId,
) -> JoinHandle<()> {
    let function = Arc::clone(function);
    tokio::spawn(async move {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        // Read as bytes, because a line may not be UTF-8.
        while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line);
            if let Some(invocation) = function.invocation_of(id) {
                function.activity.line(&invocation, function.name(), text.trim_end());
            }
            function.logs.line(function.name(), text.trim_end());
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
