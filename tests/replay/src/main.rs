//! `cargo run -p replay`: brings events that were published to consumers again, from the record of a local stack or from the
//! archive of an event bus.

#![expect(
    clippy::disallowed_methods,
    reason = "a tool of operators reads its environment, the clock of the machine, and waits"
)]

mod account;
mod choice;
mod known;
mod local;
mod time;

use anyhow::Result;
use clap::Parser;
use jiff::Timestamp;
use time::Moment;

/// Brings published events to their consumers again.
///
/// Without --bus, the events come from the record of a local stack. With --bus, they come from the archive of an event bus in
/// AWS, and region and credentials from the environment: eval "$(aws configure export-credentials --format env)".
#[derive(Debug, Parser)]
#[command(name = "replay", version)]
struct Program {
    /// The time of the first event: 2026-11-28T09:00:00Z, or 2h for two hours ago.
    #[arg(long, value_name = "TIME")]
    from: Moment,
    /// The time of the last event; now by default.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    to: Moment,
    /// The detail type of the events, such as `AUTH_USER_CREATED`; all by default.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// The source of the events, such as `goodcity.auth`; all by default.
    #[arg(long)]
    source: Option<String>,
    /// The local stack.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9000",
        conflicts_with = "bus"
    )]
    local: String,
    /// The name of an event bus in AWS: the output `EventBusName` of the stack.
    #[arg(long, value_name = "NAME")]
    bus: Option<String>,
    /// A rule on the bus whose targets get the events; may be repeated. By default, all rules that take them.
    #[arg(long, value_name = "NAME", requires = "bus")]
    rule: Vec<String>,
    /// Start the replay although the chosen rules take other events as well, which come with it.
    #[arg(long, requires = "bus")]
    with_others: bool,
}

/// Which events are wanted.
#[derive(Debug)]
struct Wanted {
    from: Timestamp,
    to: Timestamp,
    kind: Option<String>,
    source: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let program = Program::parse();
    let now = time::now()?;
    let (from, to) = (program.from.before(now)?, program.to.before(now)?);
    anyhow::ensure!(from < to, "--from {from} is not before --to {to}");
    let wanted = Wanted { from, to, kind: program.kind, source: program.source };
    known::check(&wanted)?;
    match program.bus {
        None => local::replay(&program.local, &wanted).await,
        Some(bus) => account::replay(&bus, &wanted, &program.rule, program.with_others).await,
    }
}

#[expect(clippy::print_stdout, reason = "a command prints what it does")]
fn say(line: &str) {
    println!("{line}");
}
