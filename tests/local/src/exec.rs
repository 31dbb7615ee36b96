//! `exec -- npm test`: runs a command against a stack that lives as long as the command.

use crate::options::{Log, Options};
use crate::stack::Stack;
use anyhow::Context;
use rustix::process::{Pid, Signal as ProcessSignal, kill_process};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{ExitCode, ExitStatus};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The variable of the command with the address of the API and the admin API.
const ADDRESS: &str = "LATCHKEY_URL";
/// The variable with the address of DynamoDB.
const DYNAMODB: &str = "LATCHKEY_DYNAMODB_URL";
/// The exit code if the command cannot be started, as of a shell.
const NOT_STARTED: u8 = 127;

/// Starts a stack, runs the command with the address of the stack in its environment, and stops the stack. The
/// exit code is that of the command.
pub(crate) async fn exec(options: Options, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (program, arguments) = command.split_first().context("exec needs a command")?;
    let is_silent = options.log == Log::Off;
    let stack = tokio::select! {
        started = Stack::start(options) => started?,
        _ = interrupt.recv() => return Ok(ExitCode::FAILURE),
        _ = terminate.recv() => return Ok(ExitCode::FAILURE),
    };
    let child = Command::new(program)
        .args(arguments)
        .env(ADDRESS, stack.url())
        .env(DYNAMODB, stack.dynamodb_url())
        .kill_on_drop(true)
        .spawn();
    let code = match child {
        Ok(child) => code_of(wait(child, &mut interrupt, &mut terminate).await?),
        Err(error) => {
            let reason = match error.kind() {
                ErrorKind::NotFound => "it was not found".to_owned(),
                _ => error.to_string(),
            };
            let program = program.to_string_lossy();
            crate::terminal::print(&format!("error: failed to start {program}: {reason}"));
            NOT_STARTED
        }
    };
    if code != 0 && is_silent {
        for line in stack.logs().iter().filter(|line| line.contains("\"level\":\"ERROR\"")) {
            crate::terminal::print(line);
        }
    }
    stack.shutdown().await;
    Ok(ExitCode::from(code))
}

/// Waits for the end of the command. Ctrl-C reaches it from the terminal; a SIGTERM is passed on.
async fn wait(
    mut child: Child,
    interrupt: &mut Signal,
    terminate: &mut Signal,
) -> anyhow::Result<ExitStatus> {
    loop {
        tokio::select! {
            status = child.wait() => return status.context("failed to wait for the command"),
            // The command decides when it ends.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {
                if let Some(child) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
                    && let Err(error) = kill_process(child, ProcessSignal::TERM)
                {
                    // It has just ended.
                    crate::terminal::print(&format!("failed to end the command: {error}"));
                }
            }
        }
    }
}

/// Returns the exit code of a command, as a shell shows it: 128 and the signal that ended it.
fn code_of(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let by_signal = || status.signal().map(|signal| signal.saturating_add(128));
    let code = status.code().or_else(by_signal).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
