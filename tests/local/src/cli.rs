//! The command line: the flags of every program that runs a stack, and the run itself.

use crate::consumers::{Retries, WebConsumer};
use crate::exec;
use crate::options::{LANES, Log, Options};
use crate::stack::Stack;
use crate::terminal::{self, Colours};
use anyhow::Context;
use clap::{ArgAction, Args, Subcommand};
use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// The flags of every program that runs a stack.
#[derive(Debug, Args)]
pub struct Flags {
    /// The HTTP port; 0 picks a free one. 9000 is the default, and 0 with `exec`.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Also listen for other machines: on an address of this one, on all with 0.0.0.0, or under the name by which they reach it.
    #[arg(long, value_name = "ADDRESS", overrides_with = "host")]
    host: Option<String>,
    /// Keep tables, messages and events in this folder between runs; the default is in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Override an environment variable of every function; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Whether the limits of recipients, sources and clients hold; a test suite reaches them soon.
    #[arg(long, value_name = "on|off", default_value = "on", value_parser = switch, action = ArgAction::Set)]
    limits: bool,
    /// What standard error shows: a line for each request, each log line of the functions, or nothing. The
    /// default is text, and off with `exec`.
    #[arg(long, value_name = "text|json|off", value_parser = log)]
    log: Option<Log>,
    /// The most batches of a stream that a function gets at the same time; AWS has as many as the template says.
    #[arg(long, value_name = "N", default_value_t = LANES)]
    lanes: usize,
    /// Send each event to this URL by POST. With an event pattern of EventBridge, which begins at the
    /// first "={", only the events that it takes. May be repeated.
    #[arg(long, value_name = "URL[=PATTERN]")]
    consumer: Vec<WebConsumer>,
    /// Run the rules and the queues of another team's template; may be repeated.
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// How often a delivery to a consumer that failed is tried again.
    #[arg(long, value_name = "N", default_value_t = Retries::default().most)]
    retries: u32,
    #[command(subcommand)]
    command: Option<Task>,
}

/// What a program does besides running a stack.
#[derive(Debug, Subcommand)]
enum Task {
    /// Run a command against a new stack, with its address in `LATCHKEY_URL`, and stop the stack at its end.
    Exec {
        /// The command with its arguments.
        #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}

/// The port of a stack that people start.
const PORT: u16 = 9000;

impl Flags {
    /// Returns the command to run against the stack, if there is one.
    #[must_use]
    pub fn command(&self) -> Option<Vec<OsString>> {
        self.command.as_ref().map(|Task::Exec { command }| command.clone())
    }

    /// Returns the options that the flags stand for.
    #[must_use]
    pub fn options(self) -> Options {
        let is_alone = self.command.is_none();
        Options {
            port: self.port.unwrap_or(if is_alone { PORT } else { 0 }),
            data: self.data,
            env: self.env,
            checks_env: true,
            lanes: self.lanes,
            log: self.log.unwrap_or(if is_alone { Log::Text } else { Log::Off }),
            host: self.host,
            limits: self.limits,
            consumers: self.consumer,
            with: self.with,
            retries: Retries { most: self.retries, ..Retries::default() },
            ..Options::default()
        }
    }
}

/// Runs a stack until SIGINT or SIGTERM, or as long as a command runs. Prints an error in one line to
/// standard error.
#[must_use]
pub fn run(options: Options, command: Option<&[OsString]>) -> ExitCode {
    match try_run(options, command) {
        Ok(code) => code,
        Err(error) => fail(&format!("{error:#}")),
    }
}

/// Prints an error in one line, also if it has several.
pub fn fail(error: &impl Display) -> ExitCode {
    let line = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    terminal::print(&format!("error: {line}"));
    ExitCode::FAILURE
}

fn try_run(options: Options, command: Option<&[OsString]>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    if let Some(command) = command {
        return runtime.block_on(exec::exec(options, command));
    }
    runtime.block_on(async {
        // Registered first, so that a signal also ends the build.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (log, data) = (options.log, options.data.clone());
        let stack = tokio::select! {
            started = Stack::start(options) => started?,
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
            _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
        };
        let mut out = std::io::stdout();
        let data = data.map(|folder| folder.display().to_string());
        let is_for_people = log == Log::Text;
        if is_for_people {
            let colours = Colours::of_stderr();
            let text =
                terminal::banner(colours, stack.url(), stack.dynamodb_url(), data.as_deref());
            terminal::print(&text);
        }
        writeln!(out, "ready {}", stack.url())
            .and_then(|()| out.flush())
            .context("failed to write to standard output")?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stack.shutdown().await;
        if is_for_people {
            terminal::print(&match data {
                Some(folder) => format!("stopped; the data is in {folder}"),
                None => "stopped; the data was in memory: keep it with -- --data DIR".to_owned(),
            });
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    }
}

fn log(text: &str) -> Result<Log, String> {
    match text {
        "text" => Ok(Log::Text),
        "json" => Ok(Log::Json),
        "off" => Ok(Log::Off),
        _ => Err("expected text, json or off".to_owned()),
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        flags: Flags,
    }

    #[test]
    fn flags_have_their_documented_form() {
        let given = [
            "local", "--port", "0", "--env", "A=1", "--env", "B=x=y", "--data", "d", "--lanes",
            "10",
        ];
        let options = Program::try_parse_from(given).unwrap().flags.options();
        assert_eq!((options.port, options.lanes), (0, 10));
        assert_eq!(
            options.env,
            [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "x=y".to_owned())]
        );
        assert_eq!(Program::try_parse_from(["local"]).unwrap().flags.options().port, 9000);
        assert!(Program::try_parse_from(["local", "--env", "A"]).is_err());
        let text = Program::try_parse_from(["local", "--limits", "off"]).unwrap().flags.options();
        assert_eq!((text.log, text.limits), (Log::Text, false));
        // The container gives one, and its user another.
        let twice = ["local", "--host", "0.0.0.0", "--host", "latchkey"];
        let twice = Program::try_parse_from(twice).unwrap().flags.options();
        assert_eq!(twice.host.as_deref(), Some("latchkey"));
    }

    #[test]
    fn consumers_are_checked_by_the_command_line() {
        let hook = r#"http://127.0.0.1:4000/={"source":["x"]}"#;
        let given = ["local", "--consumer", hook, "--with", "a.yaml", "--retries", "3"];
        let options = Program::try_parse_from(given).unwrap().flags.options();
        assert_eq!((options.consumers.len(), options.with.len(), options.retries.most), (1, 1, 3));
        let bad = Program::try_parse_from(["local", "--consumer", r#"http://a/={"b":1}"#]);
        let message = bad.unwrap_err().to_string();
        assert!(message.contains("neither a list nor an object"), "{message}");
    }

    #[test]
    fn a_command_has_flags_of_its_own_and_a_free_port() {
        let given = ["local", "--limits", "off", "exec", "--", "npm", "test", "--port", "1"];
        let flags = Program::try_parse_from(given).unwrap().flags;
        assert_eq!(flags.command().unwrap(), ["npm", "test", "--port", "1"]);
        let options = flags.options();
        assert_eq!((options.port, options.log, options.limits), (0, Log::Off, false));
        assert!(Program::try_parse_from(["local", "exec"]).is_err());
    }
}
