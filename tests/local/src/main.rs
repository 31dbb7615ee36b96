//! `cargo run`: the local stack as a program.

use anyhow::Context;
use clap::Parser;
use local::{Options, Stack};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Builds the functions and runs everything that template.yaml declares on this machine.
#[derive(Debug, Parser)]
#[command(name = "local", about, long_about = None)]
struct Flags {
    /// The HTTP port on 127.0.0.1; 0 picks a free one.
    #[arg(long, value_name = "N", default_value_t = 9000)]
    port: u16,
    /// Keep tables, messages and events in this folder between runs; the default is in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Override an environment variable of every function; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Run release builds of the functions.
    #[arg(long)]
    release: bool,
    /// The most batches of a stream that a function gets at the same time; AWS has as many as the template says.
    #[arg(long, value_name = "N", default_value_t = local::LANES)]
    lanes: usize,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(flags) {
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

fn run(flags: Flags) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    runtime.block_on(async {
        // Registered first, so that a signal also ends the build.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let options = Options {
            port: flags.port,
            data: flags.data,
            env: flags.env,
            release: flags.release,
            lanes: flags.lanes,
            quiet: false,
            ..Options::default()
        };
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

    #[test]
    fn flags_have_their_documented_form() {
        let flags = Flags::try_parse_from([
            "local",
            "--port",
            "0",
            "--env",
            "A=1",
            "--env",
            "B=x=y",
            "--data",
            "d",
            "--release",
            "--lanes",
            "10",
        ])
        .unwrap();
        assert_eq!((flags.port, flags.release, flags.lanes), (0, true, 10));
        assert_eq!(
            flags.env,
            [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "x=y".to_owned())]
        );
        assert_eq!(Flags::try_parse_from(["local"]).unwrap().port, 9000);
        assert!(Flags::try_parse_from(["local", "--env", "A"]).is_err());
    }
}
