//! The command line: the flags of every program that runs a stack, and the run itself.

use crate::options::{LANES, Log, Options};
use crate::stack::Stack;
use crate::terminal::{self, Colours};
use anyhow::Context;
use clap::{ArgAction, Args};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// The flags of every program that runs a stack.
#[derive(Debug, Args)]
pub struct Flags {
    /// The HTTP port; 0 picks a free one.
    #[arg(long, value_name = "N", default_value_t = 9000)]
    port: u16,
    /// Also listen for other machines: on an address of this one, on all with 0.0.0.0, or under the name by which they reach it.
    #[arg(long, value_name = "ADDRESS")]
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
    /// What standard error shows: a line for each request, or each log line of the functions.
    #[arg(long, value_name = "text|json", default_value = "text", value_parser = log)]
    log: Log,
    /// The most batches of a stream that a function gets at the same time; AWS has as many as the template says.
    #[arg(long, value_name = "N", default_value_t = LANES)]
    lanes: usize,
}

impl Flags {
    /// Returns the options that the flags stand for.
    #[must_use]
    pub fn options(self) -> Options {
        Options {
            port: self.port,
            data: self.data,
            env: self.env,
            lanes: self.lanes,
            log: self.log,
            host: self.host,
            limits: self.limits,
            ..Options::default()
        }
    }
}

/// Runs a stack until SIGINT or SIGTERM. Prints an error in one line to standard error.
#[must_use]
pub fn run(options: Options) -> ExitCode {
    match try_run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, also if a cause has several.
            let line = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
            // There is no other place to report that standard error is closed.
            drop(writeln!(std::io::stderr().lock(), "error: {line}"));
            ExitCode::FAILURE
        }
    }
}

fn try_run(options: Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    runtime.block_on(async {
        // Registered first, so that a signal also ends the build.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (log, data) = (options.log, options.data.clone());
        let stack = tokio::select! {
            started = Stack::start(options) => started?,
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        };
        let mut out = std::io::stdout();
        let data = data.map(|folder| folder.display().to_string());
        let is_for_people = log == Log::Text;
        if is_for_people {
            let colours = Colours::of_stderr();
            let text =
                terminal::banner(colours, stack.port(), stack.dynamodb_url(), data.as_deref());
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
        Ok(())
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
        _ => Err("expected text or json".to_owned()),
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
    }
}
