//! Measures the built functions: `cargo run -p bench -- --help`.

#![expect(clippy::print_stdout, reason = "tables are printed")]
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a measurement that fails, fails"
)]

mod counts;
mod events;
mod flows;
mod growth;
mod hash;
mod hot;
mod peers;
mod plot;
mod process;
mod runtime;
mod times;
mod tls;

use acceptance::{TestStack, WIDE_LIMITS};
use anyhow::Context as _;
use clap::{Parser, Subcommand};
use flows::Flow;
use process::Program;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The smallest hash, so that the rest of a request can be seen.
const SMALLEST_HASH: (&str, &str) = ("ARGON2_MEMORY_KIB", "8");

/// A stack for measurements: its limits are counted, and no flow reaches them. Passwords are hashed at the default cost of the
/// template or at the smallest one.
async fn stack(smallest_hash: bool) -> TestStack {
    let hash = smallest_hash.then_some(SMALLEST_HASH);
    TestStack::with(&WIDE_LIMITS.into_iter().chain(hash).collect::<Vec<_>>()).await
}

/// A stack with these settings, whose passwords are hashed at the smallest cost.
async fn stack_with(settings: &[(&str, &str)]) -> TestStack {
    TestStack::with(&[settings, &[SMALLEST_HASH]].concat()).await
}

#[derive(Debug, Parser)]
#[command(name = "bench", about = "Measures the built functions.")]
struct Flags {
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Debug, Subcommand)]
enum Measure {
    /// Counts the instructions of a start and of a request with valgrind.
    Counts {
        #[command(flatten)]
        built: Built,
        /// Compares the counts with those in this file, and fails if one has grown by more than 10 %.
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
        /// Writes the counts to this file.
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },
    /// Measures the times and the memory of a start and of a request.
    Times {
        #[command(flatten)]
        built: Built,
        /// Hashes passwords at the default cost.
        #[arg(long)]
        hash: bool,
    },
    /// Compares the instructions of a hash, in a built function and as the release profile builds it, with those of the crate at
    /// opt-level 3, and fails if there are many more.
    Hash {
        #[command(flatten)]
        built: Built,
    },
    /// Computes hashes: what the others are compared with.
    #[command(hide = true)]
    OneHash { hasher: String, hashes: u32 },
    /// Measures what requests cost while the number of users grows, and fails if they cost more.
    Growth {
        #[command(flatten)]
        built: Built,
        /// The numbers of users.
        #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1000,100000")]
        users: Vec<usize>,
    },
    /// Measures what sign-ups with the same dial code, shop or address write, simulates how they meet, and fails if an item gets
    /// more than half of what it takes.
    Hot(hot::Options),
    /// Measures the functions beside other services and languages, in turns. Installs them first.
    Peers {
        #[command(flatten)]
        built: Built,
        /// The folder that gets the tables and plots.
        #[arg(long, value_name = "DIR", default_value = "shared/docs/performance")]
        output: PathBuf,
    },
}

/// Where the built functions are.
#[derive(Clone, Debug, clap::Args)]
struct Built {
    /// The folder in which `cargo lambda build` puts the functions.
    #[arg(long, value_name = "DIR", default_value = "target/lambda")]
    functions: PathBuf,
}

impl Built {
    /// The function of a flow, in the environment of the local stack, with the credentials of an instance of its own.
    fn program(&self, stack: &TestStack, flow: Flow) -> anyhow::Result<Program> {
        let function = flow.function();
        let path = self.path(function)?;
        let mut environment = stack.environment(function);
        // The stack tells its callers apart by the key id.
        environment.insert("AWS_ACCESS_KEY_ID".to_owned(), format!("{function}.1000"));
        environment.insert("AWS_LAMBDA_LOG_STREAM_NAME".to_owned(), "bench".to_owned());
        Ok(Program { command: vec![path], environment })
    }

    /// The path of a built program.
    fn path(&self, name: &str) -> anyhow::Result<String> {
        let path = self.functions.join(name).join("bootstrap");
        let path = std::fs::canonicalize(&path).with_context(|| {
            format!("failed to find {}; `cargo lambda build --release` builds it", path.display())
        })?;
        Ok(path.display().to_string())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Flags { measure } = Flags::parse();
    match run(measure).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(measure: Measure) -> anyhow::Result<()> {
    match measure {
        Measure::Counts { built, check, write } => {
            counts::run(&built, check.as_deref(), write.as_deref()).await
        }
        Measure::Times { built, hash } => times::run(&built, hash).await,
        Measure::Hash { built } => hash::run(&built).await,
        Measure::OneHash { hasher, hashes } => one_hash::run(&hasher, hashes),
        Measure::Growth { built, users } => growth::run(&built, &users).await,
        Measure::Hot(options) => hot::run(options).await,
        Measure::Peers { built, output } => peers::run(&built, &output).await,
    }
}

/// Reads a file of measurements.
fn read_json(path: &Path) -> anyhow::Result<serde_json::Value> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

fn milliseconds(time: Duration) -> String {
    format!("{}.{:02}", time.as_millis(), time.as_micros() % 1000 / 10)
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
