//! Simulates a day of SMS pumping and prints what it costs, and what people notice:
//! `cargo run -p usecases --example pumping`.
//!
//! 500 addresses ask for codes to 10,000 numbers of one country, as often as they get an answer, and
//! use none. Meanwhile people sign up in another country, and owners in the attacked one sign in from
//! their own networks. The limits are the defaults of the template.

#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::arithmetic_side_effects, reason = "small figures")]
#![expect(clippy::similar_names, reason = "a core has codes")]

use anyhow::Context as _;
use latchkey::domain::bill::{Bill, MicroUsd, Prices};
use latchkey::domain::challenge::Purpose::{SignIn, SignUp};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::phone::DialCodes;
use latchkey::domain::time::DAY;
use std::time::Duration;
use template::Template;
use usecases::{Core, number, source_at};

const ADDRESSES: u32 = 500;
const NUMBERS: u32 = 10_000;
const OWNERS: u32 = 20;
/// The length of one step. There are 144 in a day.
const STEP: Duration = Duration::from_mins(10);
const STEPS: u32 = 144;
/// The requests of one address in a step.
const REQUESTS: u32 = 2;

/// Returns the bill of the template.
fn bill() -> anyhow::Result<Bill> {
    let template = Template::load()?;
    let function = template.functions.first().context("a function in the template")?;
    let value = |name: &str| {
        function.environment.get(name).with_context(|| format!("{name} is not in the template"))
    };
    let count = |name: &str| anyhow::Ok(value(name)?.parse::<u64>()?);
    let usd =
        |name: &str| MicroUsd::parse(value(name)?).with_context(|| format!("{name} is no amount"));
    Ok(Bill {
        prices: Prices::parse(value("MESSAGE_PRICES_USD")?).context("prices")?,
        messages: [count("MESSAGES_PER_HOUR")?, count("MESSAGES_PER_DAY")?],
        spend: [usd("MESSAGES_USD_PER_HOUR")?, usd("MESSAGES_USD_PER_DAY")?],
        total: usd("MESSAGES_USD_PER_DAY_IN_ALL")?,
        unused_per_prefix: count("UNUSED_CODES_PER_PREFIX")?,
    })
}

/// A number of the attacked country, in one of ten ranges.
fn pumped(index: u32) -> Identifier {
    number(&format!("+628{}0{:07}", index % 10, index))
}

fn dollars(messages: u64, price: MicroUsd) -> String {
    let cents = messages * price.0 / 10_000;
    format!("{}.{:02} USD", cents / 100, cents % 100)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let bill = bill()?;
    let price = bill.prices.of(&pumped(0)).1;
    let core = Core::new().ruled(|rules| {
        rules.bill = bill.clone();
        rules.sources.sends_per_hour = 100;
        rules.sources.guesses_per_hour = 30;
        rules.sources.wrong_codes_per_hour = 3000;
        rules.sends.limits.per_hour = 5;
        rules.sends.limits.per_day = 10;
        rules.sends.countries = DialCodes::All;
    });
    let owner = |index: u32| {
        let network = source_at(&format!("203.0.{index}.7"));
        (core.from(network), number(&format!("+62899{index:07}")))
    };
    for index in 0..OWNERS {
        let (core, phone) = owner(index);
        core.signed_up_by_code(phone).await;
    }
    // The day of the limits begins at midnight.
    core.wait(core.now().window_start(DAY).plus(DAY).since(core.now()));
    let (mut asked, mut sent) = (0_u64, 0_u64);
    let (mut honest, mut served, mut entries, mut entered) = (0_u64, 0_u64, 0_u64, 0_u64);
    for step in 0..STEPS {
        for request in 0..ADDRESSES * REQUESTS {
            let address = request % ADDRESSES;
            let attacker =
                core.from(source_at(&format!("10.{}.{}.1", address / 250, address % 250)));
            let target = pumped((step * 7919 + request * 13) % NUMBERS);
            asked += 1;
            sent += u64::from(attacker.request_code(SignUp, target).await.is_ok());
        }
        for person in 0..5 {
            let visitor = core.from(source_at(&format!("198.51.{person}.9")));
            let phone = number(&format!("+8526{:07}", step * 5 + person));
            honest += 1;
            if visitor.request_code(SignUp, phone.clone()).await.is_ok() {
                let code = core.code_of(SignUp, phone.clone()).await;
                served += u64::from(visitor.sign_up_by_code(phone, &code).await.is_ok());
            }
        }
        let (core_of_owner, phone) = owner(step % OWNERS);
        entries += 1;
        if core_of_owner.request_code(SignIn, phone.clone()).await.is_ok() {
            let code = core.code_of(SignIn, phone.clone()).await;
            entered += u64::from(core_of_owner.sign_in_by_code(phone, &code).await.is_ok());
        }
        core.wait(STEP);
    }
    let MicroUsd(ceiling) = bill.spend[1];
    println!("requests of the pump                 {asked}");
    println!("texts that it caused                 {sent}, {}", dollars(sent, price));
    println!(
        "ceiling of the dial code and day     {} USD, four fifths of it for strangers",
        ceiling / 1_000_000
    );
    println!("people who signed up elsewhere       {served} of {honest}");
    println!(
        "owners in the attacked country       {entered} of {entries} signed in at the first try"
    );
    Ok(())
}
