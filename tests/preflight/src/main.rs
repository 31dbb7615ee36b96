//! `cargo run -p preflight`: asks an AWS account what must be right before a deployment, and says what to do.

#![expect(
    clippy::disallowed_methods,
    reason = "a tool of operators reads its environment and the clock of the machine"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the results are printed")]

mod aws;
mod checks;
mod parameters;

use aws::Account;
use checks::{Finding, Verdict};
use clap::Parser;
use parameters::Parameters;
use std::path::PathBuf;
use std::process::ExitCode;

/// Asks an AWS account what must be right before a deployment.
///
/// It only reads. Region and credentials come from the environment: eval "$(aws configure export-credentials --format env)". The exit
/// status is 0 if all is ready, 1 if something is to be done, 2 if something could not be asked.
#[derive(Debug, Parser)]
#[command(name = "preflight", version)]
struct Program {
    /// The parameters of the stage, such as shared/stages/production.yaml.
    #[arg(long, value_name = "FILE")]
    stage: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Program { stage } = Program::parse();
    let ready = Account::of_environment()
        .and_then(|account| Ok((account, Parameters::read(stage.as_deref())?)));
    let (account, parameters) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(2);
        }
    };
    let findings = checks::run(&account, &parameters).await;
    for Finding { what, verdict } in &findings {
        match verdict {
            Verdict::Ready(text) => println!("ready    {what}: {text}"),
            Verdict::Do(text) => println!("to do    {what}: {text}"),
            Verdict::Unknown(text) => println!("unknown  {what}: {text}"),
        }
    }
    let any = |is: fn(&Verdict) -> bool| findings.iter().any(|finding| is(&finding.verdict));
    if any(|verdict| matches!(verdict, Verdict::Do(_))) {
        return ExitCode::from(1);
    }
    if any(|verdict| matches!(verdict, Verdict::Unknown(_))) {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}
