//! `cargo run -p preflight`: asks an AWS account what must be right before a deployment, and says what to do.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the results are printed")]

mod aws;
mod checks;
mod deployment;

use checks::{Finding, Verdict};
use clap::Parser;
use deployment::Options;
use operator_account::Account;
use std::process::ExitCode;

/// Asks an AWS account what must be right before a deployment.
///
/// It only reads. Region and credentials come from the environment: eval "$(aws configure export-credentials --format env)". The exit
/// status is 0 if all is ready, 1 if something is to be done, 2 if something could not be asked.
#[derive(Debug, Parser)]
#[command(name = "preflight", version)]
struct Program {
    #[command(flatten)]
    options: Options,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Program { options } = Program::parse();
    let ready = Account::from_env().and_then(|account| Ok((account, options.deployment()?)));
    let (account, deployment) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(2);
        }
    };
    let findings = checks::run(&account, &deployment).await;
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
