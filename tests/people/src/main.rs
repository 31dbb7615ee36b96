//! `cargo run -p people`: finds, bans, signs out, unlocks, erases and exports people, on a local stack or
//! in an account, by the function `people`.

#![expect(
    clippy::disallowed_methods,
    reason = "a tool of operators reads its environment and the clock of the machine"
)]

mod clients;
mod export;
mod import;
mod invoke;
mod object;
mod show;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clients::ClientVerb;
use export::ExportUsersArgs;
use import::ImportArgs;
use invoke::Target;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Does for an operator what concerns single people.
///
/// Each call is recorded, with who calls and why. By default it goes to a local stack. With --function, it goes to the function of
/// an account, and region and credentials come from the environment: eval "$(aws configure export-credentials --format env)".
#[derive(Debug, Parser)]
#[command(name = "people", version)]
struct Program {
    /// Why you call, such as the number of a ticket. It is kept, so it must not name the person.
    #[arg(long, value_name = "TEXT", global = true)]
    why: Option<String>,
    /// Who calls; by default the name of the user of this machine.
    #[arg(long, value_name = "NAME", env = "PEOPLE_WHO", global = true)]
    who: Option<String>,
    /// The local stack.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9000",
        conflicts_with = "function",
        global = true
    )]
    local: String,
    /// The name or the ARN of the function in an account: the output `PeopleFunctionName` of the stack.
    #[arg(long, value_name = "NAME", global = true)]
    function: Option<String>,
    /// Print the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows who a person is, with the open sessions.
    Find(PersonArgs),
    /// Shows what happened to a person in 30 days: codes and what became of them, guesses, events.
    History(PersonArgs),
    /// Explains why a person gets no texts or mails.
    Explain(PersonArgs),
    /// Bans a user: all sessions end, and the user can neither enter nor get codes.
    Ban(PersonArgs),
    /// Ends the ban of a user.
    Unban(PersonArgs),
    /// Ends all sessions of a user.
    SignOut(PersonArgs),
    /// Ends the pauses of a person: of codes, of passwords, of messages that could not be delivered.
    Unlock(PersonArgs),
    /// Sends the codes and links again that wait for a person.
    Resend(PersonArgs),
    /// Erases a person. This cannot be undone.
    Erase {
        #[command(flatten)]
        person: PersonArgs,
        /// What happens to the credits of the wallet.
        #[arg(long, value_enum, default_value_t = Ledger::Anonymize)]
        ledger: Ledger,
        /// Erase without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Prints everything that is stored about a person.
    Export(PersonArgs),
    /// Takes users over from another system.
    Import(ImportArgs),
    /// Writes all users, with their password hashes, into a file that only the receiver can read.
    ExportUsers(ExportUsersArgs),
    /// Lists, makes and changes the clients of shops.
    #[command(subcommand)]
    Clients(ClientVerb),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ledger {
    /// They stay for the accounts, under a random name.
    Anonymize,
    /// They are deleted.
    Delete,
}

#[derive(Args, Clone, Debug)]
struct PersonArgs {
    /// A phone number with a plus sign, an e-mail address, a username or an id.
    person: String,
    /// The contract; by default every one.
    #[arg(long)]
    contract: Option<String>,
    /// The shop of a contract with shops.
    #[arg(long, requires = "contract")]
    store: Option<String>,
}

impl PersonArgs {
    fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::from_iter([("person".to_owned(), json!(self.person))]);
        for (name, value) in [("contract", &self.contract), ("store", &self.store)] {
            fields.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
        }
        fields
    }
}

impl Verb {
    /// The name of the verb, and the fields of the payload.
    fn payload(&self) -> (&'static str, Map<String, Value>) {
        match self {
            Self::Find(person) => ("find", person.fields()),
            Self::History(person) => ("history", person.fields()),
            Self::Explain(person) => ("explain", person.fields()),
            Self::Ban(person) => ("ban", person.fields()),
            Self::Unban(person) => ("unban", person.fields()),
            Self::SignOut(person) => ("sign-out", person.fields()),
            Self::Unlock(person) => ("unlock", person.fields()),
            Self::Resend(person) => ("resend", person.fields()),
            Self::Export(person) => ("export", person.fields()),
            Self::Erase { person, ledger, .. } => {
                let mut fields = person.fields();
                let ledger = match ledger {
                    Ledger::Anonymize => "anonymize",
                    Ledger::Delete => "delete",
                };
                fields.insert("ledger".to_owned(), json!(ledger));
                ("erase", fields)
            }
            Self::Import(_) => ("import", Map::new()),
            Self::ExportUsers(_) => ("export-users", Map::new()),
            Self::Clients(_) => ("clients", Map::new()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Program::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The causes, and no backtrace: it is a person who reads it.
            ask(&format!("{error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Does what the arguments say. Returns whether all of it could be done.
async fn run(program: &Program) -> Result<bool> {
    if let Verb::Erase { person, yes: false, .. } = &program.verb
        && !confirmed(&person.person)?
    {
        bail!("nothing was erased");
    }
    let target = match &program.function {
        Some(function) => Target::Account(function.clone()),
        None => Target::Local(program.local.clone()),
    };
    if let Verb::Clients(verb) = &program.verb
        && let Some(payload) = verb.payload()
    {
        print(program, &invoke::invoke(&target, clients::FUNCTION, &payload).await?)?;
        return Ok(true);
    }
    let (verb, mut payload) = program.verb.payload();
    let who = program.who.clone().or_else(|| std::env::var("USER").ok());
    let who = who.filter(|who| !who.is_empty());
    let who = who.or_else(|| program.function.is_none().then(|| "a developer".to_owned()));
    let who = who.context("--who is missing: who calls?")?;
    let why = program.why.clone().context("--why is missing: why do you call?")?;
    payload.extend(
        [("verb", verb), ("who", &who), ("why", &why)]
            .map(|(name, value)| (name.to_owned(), json!(value))),
    );
    if let Verb::Import(arguments) = &program.verb {
        return import::import(&target, arguments, &payload).await;
    }
    if let Verb::ExportUsers(arguments) = &program.verb {
        export::export(&target, arguments, &payload).await?;
        return Ok(true);
    }
    let answer = invoke::invoke(&target, "people", &Value::Object(payload)).await?;
    if let Some(rule) = answer.get("refused").and_then(Value::as_str) {
        bail!("{rule}");
    }
    print(program, &answer)?;
    Ok(true)
}

fn print(program: &Program, answer: &Value) -> Result<()> {
    let text =
        if program.json { serde_json::to_string_pretty(answer)? } else { show::text(answer) };
    say(&text);
    Ok(())
}

/// Asks whether a person should be erased.
fn confirmed(person: &str) -> Result<bool> {
    ask(&format!("Type {person} again to erase this person: "));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("failed to read the answer")?;
    Ok(answer.trim() == person)
}

#[expect(clippy::print_stdout, reason = "a command prints what it does")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a command asks")]
fn ask(text: &str) {
    eprint!("{text}");
}
