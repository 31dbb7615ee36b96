//! The replay of an event bus in AWS, from its archive.

use crate::choice::{Rule, choose, of_source_and_type};
use crate::{Wanted, known, say, time};
use anyhow::{Context as _, Result, bail};
use aws_sdk_eventbridge::config::{BehaviorVersion, Region};
use aws_sdk_eventbridge::operation::describe_replay::DescribeReplayOutput;
use aws_sdk_eventbridge::types::{ReplayDestination, ReplayState, RuleState};
use aws_sdk_eventbridge::{Client, Config};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use operator_account::Account;
use serde_json::Value;
use std::time::Duration;

/// The pause between two looks at a replay. EventBridge replays a minute of events at a time.
const PAUSE: Duration = Duration::from_secs(2);

/// Starts a replay to rules on a bus, and follows it to its end.
pub(crate) async fn replay(
    bus: &str,
    wanted: &Wanted,
    named: &[String],
    with_others: bool,
) -> Result<()> {
    let client = client()?;
    let found = client.describe_event_bus().name(bus).send().await;
    let found = found.with_context(|| format!("failed to find the event bus {bus}"))?;
    let bus_arn = found.arn.context("the event bus has no ARN")?;
    let archive = archive(&client, &bus_arn).await?;
    let rules = rules(&client, bus, wanted).await?;
    let chosen = choose(&rules, named, with_others)?;
    for rule in rules.iter().filter(|rule| chosen.contains(&rule.arn)) {
        let events: Vec<_> = rule.wanted.union(&rule.others).map(String::as_str).collect();
        say(&format!("to the rule {}: {}", rule.name, events.join(", ")));
    }
    let name = format!("replay-{}", time::now()?.as_millisecond());
    let to = ReplayDestination::builder().arn(bus_arn).set_filter_arns(Some(chosen));
    let start = client.start_replay().replay_name(&name).event_source_arn(archive);
    let start = start
        .event_start_time(DateTime::from_millis(wanted.from.as_millisecond()))
        .event_end_time(DateTime::from_millis(wanted.to.as_millisecond()))
        .destination(to.build().context("failed to name the destination")?);
    start.send().await.context("failed to start the replay")?;
    say(&format!("{name} from {} to {}", wanted.from, wanted.to));
    follow(&client, &name, wanted).await
}

/// Returns a client with the region, the credentials and the endpoint of the environment.
fn client() -> Result<Client> {
    let Account { region, credentials } = Account::from_env()?;
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(credentials)
        .http_client(http);
    config.set_endpoint_url(operator_account::endpoint("EVENTBRIDGE"));
    Ok(Client::from_conf(config.build()))
}

/// Returns the ARN of the archive of a bus.
async fn archive(client: &Client, bus_arn: &str) -> Result<String> {
    let found = client.list_archives().event_source_arn(bus_arn).send().await;
    let found =
        found.context("failed to list the archives of the bus")?.archives.unwrap_or_default();
    let names: Vec<_> = found.into_iter().filter_map(|archive| archive.archive_name).collect();
    let [name] = names.as_slice() else {
        bail!("the bus has {} archives; expected one: {}", names.len(), names.join(", "));
    };
    let found = client.describe_archive().archive_name(name).send().await;
    let found = found.with_context(|| format!("failed to describe the archive {name}"))?;
    found.archive_arn.context("the archive has no ARN")
}

/// Returns the enabled rules of a bus that have a pattern, with the events that each can take.
async fn rules(client: &Client, bus: &str, wanted: &Wanted) -> Result<Vec<Rule>> {
    let examples = known::examples()?;
    let mut rules = Vec::new();
    let mut next = None;
    loop {
        let page = client.list_rules().event_bus_name(bus).set_next_token(next).send().await;
        let page = page.context("failed to list the rules of the bus")?;
        for rule in page.rules.unwrap_or_default() {
            // The archive has a rule of its own, which EventBridge manages.
            if rule.state != Some(RuleState::Enabled)
                || rule.managed_by.is_some_and(|service| !service.is_empty())
            {
                continue;
            }
            let (Some(name), Some(arn), Some(pattern)) = (rule.name, rule.arn, rule.event_pattern)
            else {
                continue;
            };
            let pattern = of_source_and_type(&pattern)?;
            let taken = taken(client, &pattern, &examples).await?;
            let label = |event: &&&Value| {
                let field =
                    |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
                format!("{} {}", field("source"), field("detail-type"))
            };
            let (asked, others): (Vec<_>, Vec<_>) =
                taken.iter().partition(|event| known::is_wanted(event, wanted));
            rules.push(Rule {
                name,
                arn,
                wanted: asked.iter().map(label).collect(),
                others: others.iter().map(label).collect(),
            });
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(rules);
        }
    }
}

/// Returns the examples that a pattern takes, as EventBridge judges them.
async fn taken<'e>(
    client: &Client,
    pattern: &Value,
    examples: &'e [Value],
) -> Result<Vec<&'e Value>> {
    // A pattern of other fields alone takes every source and type. EventBridge refuses an empty one.
    if pattern.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(examples.iter().collect());
    }
    let mut found = Vec::new();
    for event in examples {
        let test = client.test_event_pattern().event_pattern(pattern.to_string());
        let test = test.event(event.to_string()).send().await;
        if test.context("failed to test the pattern of a rule")?.result {
            found.push(event);
        }
    }
    Ok(found)
}

/// Prints how far a replay is until it ends.
async fn follow(client: &Client, name: &str, wanted: &Wanted) -> Result<()> {
    let mut last = String::new();
    loop {
        let replay = client.describe_replay().replay_name(name).send().await;
        let replay = replay.with_context(|| format!("failed to describe {name}"))?;
        let line = progress(&replay, wanted);
        if line != last {
            say(&line);
            last = line;
        }
        match replay.state {
            Some(ReplayState::Completed) => return Ok(()),
            Some(ReplayState::Failed | ReplayState::Cancelled) => {
                bail!("{name} did not complete: {}", replay.state_reason.unwrap_or_default());
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn progress(replay: &DescribeReplayOutput, wanted: &Wanted) -> String {
    let state = replay.state.as_ref().map_or("", ReplayState::as_str);
    let reached = replay.event_last_replayed_time.as_ref();
    let reached = reached.and_then(|time| Timestamp::from_second(time.secs()).ok());
    let Some(reached) = reached else { return state.to_owned() };
    let seconds = |to: Timestamp| to.duration_since(wanted.from).as_secs();
    let part = seconds(reached).saturating_mul(100).checked_div(seconds(wanted.to));
    format!("{state} {}% of the time, at {reached}", part.unwrap_or(100).clamp(0, 100))
}
