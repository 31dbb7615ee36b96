//! The items that sign-ups share: what reaches the hottest one, and how often sign-ups meet at it.

mod load;
mod recorder;
mod scenarios;
mod simulation;

use crate::stack_with;
use acceptance::{TestStack, WIDE_LIMITS};
use anyhow::{Context as _, bail};
use load::{Limits, is_of_sign_up, load};
use recorder::{Call, Recorder};
use scenarios::{Hot, Scenario};
use simulation::{Load, Outcome, Settings, WRITE_LIMIT, simulate};
use template::Template;

/// The most of an item's write limit that a documented rate may use, in percent.
const MOST_PERCENT: f64 = 50.0;
/// The writes in 1,000 sign-ups that may run out of tries.
const MOST_FAILURES: f64 = 1.0;
/// The steps of the search for the highest rate. Each halves what is left.
const STEPS: u32 = 12;
/// The letters of a name that are printed.
const SHORT: usize = 44;
/// The variable with the endpoint of DynamoDB.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// Limits that one thing does not reach, beside [`WIDE_LIMITS`].
const WIDER_LIMITS: [(&str, &str); 3] = [
    ("OTP_SENDS_PER_DAY", "1000000"),
    ("SENDS_PER_HOUR_PER_CLIENT", "1000000"),
    ("MESSAGES_USD_PER_HOUR", "1000000"),
];
/// Limits of a source and of a client that a few requests reach. Those of a recipient are the default ones.
const NARROW_LIMITS: [(&str, &str); 2] =
    [("OTP_SENDS_PER_HOUR_PER_IP", "5"), ("SENDS_PER_HOUR_PER_CLIENT", "5")];

/// The options.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Options {
    /// The sign-ups that are measured for each hot thing.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u8).range(10..=250))]
    requests: u8,
    /// How long a transaction holds its items, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 20)]
    hold: u32,
    /// The sign-ups of one simulation.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    sign_ups: u32,
    /// The start of the random numbers.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Options {
    fn settings(self) -> Settings {
        let Self { hold, sign_ups, seed, .. } = self;
        Settings { hold_us: u64::from(hold) * 1000, sign_ups, seed }
    }
}

/// Measures and simulates every hot thing, and fails if an item gets more than [`MOST_PERCENT`] of its limit at a documented rate.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let limits = Limits::read(&Template::load()?)?;
    let (stack, recorder) = recorded(&[&WIDE_LIMITS[..], &WIDER_LIMITS].concat()).await?;
    println!(
        "| the same | sign-up | rate | hottest item | shards | units of a sign-up | units a second | of 1,000 | \
         with repeats | conflicts and throttles in 100 sign-ups | writes out of tries in 1,000 | highest rate a second |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let (mut above, mut of_index) = (Vec::new(), 0.0_f64);
    for scenario in scenarios::all(false) {
        let runs = runs(&scenario, &stack, &recorder, options.requests).await?;
        let calls = runs.into_iter().map(|(_, calls)| calls).collect::<Vec<_>>();
        let load = load(&calls, &limits);
        of_index = of_index.max(load.hottest(true).map_or(0.0, |(units, _)| units));
        above.extend(report(&scenario, &load, &limits, options.settings()));
    }
    println!("\nA key of the outbox's index gets {of_index:.2} units of a sign-up at most.");
    drop(stack);
    beyond_limits(options.requests).await?;
    if !above.is_empty() {
        bail!("above {MOST_PERCENT} % of the limit of an item: {}", above.join("; "));
    }
    Ok(())
}

/// A stack with these settings, whose calls of DynamoDB are recorded.
async fn recorded(limits: &[(&str, &str)]) -> anyhow::Result<(TestStack, Recorder)> {
    let recorder = Recorder::start(Template::load()?.tables).await?;
    let stack = stack_with(&[limits, &[(ENDPOINT, recorder.url.as_str())]].concat()).await;
    let environment = stack.environment("gotu-post-otp");
    recorder.connect(environment.get("AWS_ENDPOINT_URL").context("no endpoint")?)?;
    Ok((stack, recorder))
}

/// Signs people up one after the other. Returns for each whether the limits allowed it, and the calls that wrote meanwhile.
async fn runs(
    scenario: &Scenario,
    stack: &TestStack,
    recorder: &Recorder,
    requests: u8,
) -> anyhow::Result<Vec<(bool, Vec<Call>)>> {
    recorder.take()?;
    let mut runs = Vec::new();
    for number in 0..requests {
        let is_allowed = scenario.run(stack, number).await?;
        if number + 1 == requests {
            stack.wait_until_delivered("").await;
        }
        runs.push((is_allowed, recorder.take()?));
    }
    Ok(runs)
}

/// Prints the rows of a scenario. Returns what is above the limit.
fn report(scenario: &Scenario, load: &Load, limits: &Limits, settings: Settings) -> Vec<String> {
    let (hot, flow) = (scenario.hot.name(), scenario.flow.name());
    let Some((units, family)) = load.hottest(false) else {
        println!("| {hot} | {flow} | | none | | 0 | 0 | 0 % | 0 | 0 | 0 | |");
        return Vec::new();
    };
    let highest = highest_rate(load, units, settings);
    let mut above = Vec::new();
    for (rate, rate_name) in limits.rates(scenario) {
        let Outcome { conflicts_per_100, failures_per_1000, units: repeated } =
            simulate(load, rate, settings);
        let (second, percent) = (units * rate, units * rate / WRITE_LIMIT * 100.0);
        println!(
            "| {hot} | {flow} | {rate_name} | `{}` | {} | {units:.2} | {second:.1} | {percent:.1} % | {repeated:.1} | \
             {conflicts_per_100:.1} | {failures_per_1000:.2} | {highest:.1} |",
            short(&family.name),
            family.shards
        );
        if percent > MOST_PERCENT {
            above.push(format!("{} with {percent:.0} % at {rate_name}", family.name));
        }
    }
    above
}

/// Returns a name without the end of an id.
fn short(name: &str) -> String {
    let (start, rest) = name.split_at_checked(SHORT).unwrap_or((name, ""));
    format!("{start}{}", if rest.is_empty() { "" } else { "…" })
}

/// Searches the highest rate a second at which the hottest item gets less than [`MOST_PERCENT`] of its limit and less than
/// [`MOST_FAILURES`] writes in 1,000 sign-ups run out of tries.
fn highest_rate(load: &Load, units: f64, settings: Settings) -> f64 {
    let (mut low, mut high) = (0.0, WRITE_LIMIT * MOST_PERCENT / 100.0 / units);
    let is_good = |rate| {
        let outcome = simulate(load, rate, settings);
        outcome.failures_per_1000 < MOST_FAILURES
            && outcome.units < WRITE_LIMIT * MOST_PERCENT / 100.0
    };
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if is_good(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Prints what requests write that a limit of their source, their shop or their recipient refuses.
async fn beyond_limits(requests: u8) -> anyhow::Result<()> {
    let (stack, recorder) = recorded(&NARROW_LIMITS).await?;
    let (mut refused, mut units) = (0_u32, 0_u64);
    for scenario in scenarios::all(true) {
        if !matches!(scenario.hot, Hot::Shop | Hot::Network | Hot::Recipient) {
            continue;
        }
        for (is_allowed, calls) in runs(&scenario, &stack, &recorder, requests).await? {
            if !is_allowed {
                refused += 1;
                let calls = calls.iter().filter(|call| is_of_sign_up(call));
                units += calls.flat_map(|call| &call.writes).map(|write| write.units).sum::<u64>();
            }
        }
    }
    println!("{refused} requests beyond a limit were refused, and wrote {units} units in all.");
    Ok(())
}
