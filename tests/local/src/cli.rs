//! The command line: the flags of every program that runs a stack, and the run itself.

use crate::options::{LANES, Options};
use crate::stack::Stack;
use anyhow::Context;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// The flags of every program that runs a stack.
#[derive(Debug, Args)]
pub struct Flags {
    /// The HTTP port on 127.0.0.1; 0 picks a free one.
    #[arg(long, value_name = "N", default_value_t = 9000)]
    port: u16,
    /// Keep tables, messages and events in this folder between runs; the default is in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Override an environment variable of every function; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
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
            quiet: false,
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
        let stack = tokio::select! {
            started = Stack::start(options) => started?,
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        };
        let mut out = std::io::stdout();
        writeln!(out, "ready {}", stack.url())
            .and_then(|()| out.flush())
            .context("failed to write to standard output")?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stack.shutdown().await;
        Ok(())
    })
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
