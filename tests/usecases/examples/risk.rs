//! Prints the risk that codes are guessed, for each contract, from the defaults of the template:
//! `cargo run -p usecases --example risk [KEY=VALUE …]`. A pair replaces a variable, such as
//! `OTP_MAX_ATTEMPTS_GOODCITY=3`.

#![expect(clippy::print_stdout, reason = "a table is printed")]
#![expect(clippy::arithmetic_side_effects, reason = "small figures")]

use anyhow::Context as _;
use latchkey::contracts::CONTRACTS;
use latchkey::domain::challenge::GuessLimits;
use latchkey::domain::risk::{AttackLimits, Risk};
use latchkey::domain::sends::SendLimits;
use latchkey::usecases::{Callers, Profile};
use std::collections::BTreeMap;
use std::time::Duration;
use template::Template;

/// The variables of the functions.
struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Returns those of the template, with the pairs of the command line.
    fn read() -> anyhow::Result<Self> {
        let template = Template::load()?;
        let function = template.functions.first().context("a function in the template")?;
        let mut variables = function.environment.clone();
        for pair in std::env::args().skip(1) {
            let (name, value) = pair.split_once('=').context("arguments are KEY=VALUE")?;
            variables.insert(name.to_owned(), value.to_owned());
        }
        Ok(Self(variables))
    }

    fn number(&self, name: &str) -> anyhow::Result<u32> {
        let value = self.0.get(name).with_context(|| format!("{name} is not in the template"))?;
        value.parse().with_context(|| format!("{name} is not a number"))
    }

    /// The number of guesses at one code of a contract.
    fn attempts(&self, contract: &str) -> anyhow::Result<u32> {
        let own = format!("OTP_MAX_ATTEMPTS_{}", contract.to_uppercase());
        let is_set = self.0.get(&own).is_some_and(|value| !value.is_empty());
        self.number(if is_set { &own } else { "OTP_MAX_ATTEMPTS" })
    }
}

/// Returns a part of all codes as a percentage.
fn percent(risk: &Risk, guesses: u64) -> String {
    let per_million = risk.per_million(guesses).min(1_000_000);
    let (whole, rest) = (per_million / 10_000, per_million % 10_000 / 10);
    format!("{whole}.{rest:03} %")
}

/// Prints the risks of one contract.
fn print(profile: &Profile, variables: &Variables) -> anyhow::Result<()> {
    let per_code = variables.attempts(profile.name)?;
    let risk = Risk {
        limits: SendLimits {
            pause: Duration::from_secs(variables.number("OTP_RESEND_SECONDS")?.into()),
            per_hour: variables.number("OTP_SENDS_PER_HOUR")?,
            per_day: variables.number("OTP_SENDS_PER_DAY")?,
        },
        guesses: GuessLimits { per_code, per_code_in_attack: per_code.min(2) },
        codes: profile.code_format.count,
    };
    let (sends, guesses) = match profile.callers {
        Callers::People => ("OTP_SENDS_PER_HOUR_PER_IP", "OTP_GUESSES_PER_HOUR_PER_IP"),
        Callers::Servers => ("SENDS_PER_HOUR_PER_CLIENT", "SENDS_PER_HOUR_PER_CLIENT"),
    };
    let attack = AttackLimits {
        sends_per_source: variables.number(sends)?,
        guesses_per_source: variables.number(guesses)?,
        wrong_codes: variables.number("WRONG_CODES_PER_HOUR")?.into(),
        codes: variables.number("MESSAGES_PER_HOUR")?.into(),
    };
    let [strangers, all] = risk.guesses_per_day(profile.handle.is_some());
    println!("{} ({} codes, {per_code} guesses each)", profile.name, risk.codes);
    println!(
        "  one recipient and purpose, a day, strangers            {strangers:>9} guesses  {}",
        percent(&risk, strangers)
    );
    println!(
        "  one recipient and purpose, a day, with known sources   {all:>9} guesses  {}",
        percent(&risk, all)
    );
    let source = match profile.callers {
        Callers::People => "address",
        Callers::Servers => "client ",
    };
    for (name, sources) in [
        (format!("1 {source}"), 1),
        ("one /48 (IPv6)".to_owned(), 16),
        (format!("1000 {source}es"), 1000),
    ] {
        let guesses = risk.guesses_of(sources, &attack);
        println!(
            "  any recipients, a day, {name:<32}{guesses:>9} guesses  {} to break one code; expected codes broken: {}.{:02}",
            percent(&risk, guesses),
            guesses / risk.codes,
            guesses % risk.codes * 100 / risk.codes,
        );
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let variables = Variables::read()?;
    for contract in CONTRACTS {
        print(contract.profile, &variables)?;
    }
    Ok(())
}
