//! What is left of each limit.

use super::{AdminApi, Stack};
use crate::clock;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const TEN_MINUTES: i64 = 600;

/// A limit and what is used of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Limit {
    contract: String,
    what: &'static str,
    subject: String,
    counter: &'static str,
    used: f64,
    /// Null if it is off.
    #[serde(rename = "limit")]
    most: Option<f64>,
    spent: bool,
    resets_at: Option<String>,
    #[serde(skip)]
    ends: i64,
}

/// The variables with the limits.
type Settings = BTreeMap<String, String>;

pub(super) async fn limits(State(stack): Stack) -> Response {
    super::page("limits", read(&stack).await)
}

async fn read(stack: &AdminApi) -> anyhow::Result<Vec<Limit>> {
    let now = stack.aws.activity.clock.millis();
    let now = now.checked_div(1000).unwrap_or_default();
    let settings = stack.settings();
    let budgets = stack.items_of("Budgets").await?;
    let challenges = stack.items_of("Challenges").await?;
    let limits = budgets.iter().flat_map(|item| budget(item, &settings));
    let limits = limits.chain(challenges.iter().flat_map(|item| recipient(item, &settings, now)));
    let mut limits = together(limits.filter(|limit| limit.ends > now && limit.used > 0.0));
    limits.sort_by(|one, other| {
        let part = |limit: &Limit| limit.most.map_or(0.0, |most| limit.used / most);
        part(other).total_cmp(&part(one))
    });
    Ok(limits)
}

/// Adds the shards of a limit.
fn together(limits: impl Iterator<Item = Limit>) -> Vec<Limit> {
    let mut by_name: BTreeMap<_, Limit> = BTreeMap::new();
    for limit in limits {
        let name = (limit.contract.clone(), limit.what, limit.subject.clone(), limit.counter);
        match by_name.get_mut(&name) {
            Some(sum) if sum.ends == limit.ends => sum.used += limit.used,
            _ => drop(by_name.insert(name, limit)),
        }
    }
    let with_end = by_name.into_values().map(|mut limit| {
        limit.spent = limit.most.is_some_and(|most| limit.used >= most);
        limit.resets_at = Some(clock::iso_millis(limit.ends.saturating_mul(1000)));
        limit
    });
    with_end.collect()
}

fn number(item: &Json, name: &str) -> Option<f64> {
    item.get(name)?.as_f64()
}

/// Returns the limit that a variable sets; `None` if it is 0, which is off.
fn set(settings: &Settings, name: &str) -> Option<f64> {
    settings.get(name)?.parse().ok().filter(|limit| *limit > 0.0)
}

/// Reads a bucket of the table Budgets.
fn budget(item: &Json, settings: &Settings) -> Vec<Limit> {
    let Some(bucket) = item.get("bucket").and_then(Json::as_str) else { return Vec::new() };
    let parts: Vec<_> = bucket.split('#').collect();
    let (Some(kind), Some(contract)) = (parts.first(), parts.get(1)) else { return Vec::new() };
    // A bucket ends with the start of its window, and with a shard unless it is that of a source.
    let last = if *kind == "source" { 1 } else { 2 };
    let Some(at) = parts.len().checked_sub(last).filter(|at| *at >= 2) else { return Vec::new() };
    let start: Option<i64> = parts.get(at).and_then(|start| start.parse().ok());
    let (Some(start), Some(subject)) = (start, parts.get(2..at)) else { return Vec::new() };
    let subject = subject.join("#");
    let limit = |what, counter, name: &str, attribute: &str, window: i64| {
        Some(Limit {
            contract: (*contract).to_owned(),
            what,
            subject: subject.clone(),
            counter,
            used: number(item, attribute)?,
            most: set(settings, name),
            spent: false,
            resets_at: None,
            ends: start.saturating_add(window),
        })
    };
    let found = match *kind {
        "source" => {
            let is_client = subject.starts_with("client#");
            let sends =
                if is_client { "SENDS_PER_HOUR_PER_CLIENT" } else { "OTP_SENDS_PER_HOUR_PER_IP" };
            let guesses = if is_client { sends } else { "OTP_GUESSES_PER_HOUR_PER_IP" };
            vec![
                limit("codes and sign-ups of a source", "hour", sends, "sends", HOUR),
                limit("wrong guesses of a source", "hour", guesses, "guesses", HOUR),
            ]
        }
        "wrong" => {
            vec![limit("wrong codes of all sources", "hour", "WRONG_CODES_PER_HOUR", "used", HOUR)]
        }
        "bill" if subject == "total" => {
            let mut total = limit(
                "US dollars of all messages",
                "day",
                "MESSAGES_USD_PER_DAY_IN_ALL",
                "day",
                DAY,
            )
            .or_else(|| {
                let name = "MESSAGES_USD_PER_DAY_IN_ALL";
                limit("US dollars of all messages", "day", name, "used", DAY)
            });
            if let Some(total) = &mut total {
                total.used /= 1e6;
            }
            vec![total]
        }
        "bill" => vec![limit("messages to a dial code", "day", "MESSAGES_PER_DAY", "day", DAY)],
        "unused" => {
            let name = "UNUSED_CODES_PER_PREFIX";
            vec![limit("unused codes of a prefix", "ten minutes", name, "used", TEN_MINUTES)]
        }
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// Reads the sends to a recipient, which its challenge counts.
fn recipient(item: &Json, settings: &Settings, now: i64) -> Vec<Limit> {
    let Some(key) = item.get("challenge_id").and_then(Json::as_str) else { return Vec::new() };
    let Some((contract, rest)) = key.split_once('#').filter(|(kind, _)| *kind != "handle") else {
        return Vec::new();
    };
    #[expect(clippy::cast_possible_truncation, reason = "a time of this age fits")]
    let time = |name: &str| number(item, name).map(|seconds| seconds.floor() as i64);
    let limit = |what, counter, most, used, ends| Limit {
        contract: contract.to_owned(),
        what,
        subject: rest.to_owned(),
        counter,
        used,
        most,
        spent: false,
        resets_at: None,
        ends,
    };
    let window = |counter, attribute, start, variable, length| {
        let ends = time(start)?.saturating_add(length);
        let used = number(item, attribute)?;
        Some(limit("codes to a recipient", counter, set(settings, variable), used, ends))
    };
    let guesses = || {
        let used =
            number(item, "attempts")? + number(item, "stranger_attempts").unwrap_or_default();
        let own = format!("OTP_MAX_ATTEMPTS_{}", contract.to_ascii_uppercase());
        let most = set(settings, &own).or_else(|| set(settings, "OTP_MAX_ATTEMPTS"));
        Some(limit("guesses of a code", "code", most, used, time("expires_at")?))
    };
    let pause = || {
        let seconds = set(settings, "OTP_RESEND_SECONDS")?;
        #[expect(clippy::cast_possible_truncation, reason = "a number of seconds")]
        let ends = time("sent_at")?.saturating_add(seconds as i64);
        let used = if ends > now { 1.0 } else { 0.0 };
        Some(limit("pause between codes", "pause", Some(1.0), used, ends))
    };
    let hour = window("hour", "hour_sends", "hour_window", "OTP_SENDS_PER_HOUR", HOUR);
    let day = window("day", "day_sends", "day_window", "OTP_SENDS_PER_DAY", DAY);
    [hour, day, guesses(), pause()].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings() -> Settings {
        [
            ("OTP_SENDS_PER_HOUR_PER_IP", "20"),
            ("OTP_SENDS_PER_HOUR", "5"),
            ("MESSAGES_PER_DAY", "0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn a_bucket_names_its_limit() {
        let item = json!({"bucket": "source#gotu#203.0.113.9#3600", "sends": 20, "guesses": 1});
        let limits = together(budget(&item, &settings()).into_iter());
        let [sends, guesses] = limits.as_slice() else { panic!("{limits:?}") };
        assert_eq!((guesses.most, guesses.spent), (None, false));
        assert_eq!((sends.most, sends.spent, sends.ends), (Some(20.0), true, 7200));
        assert_eq!(sends.subject, "203.0.113.9");
    }

    #[test]
    fn shards_are_added_and_other_items_are_left_out() {
        let bill =
            |shard: u8| json!({"bucket": format!("bill#gotu#+62#0#{shard}"), "day": 2, "h00": 2});
        let items = [bill(0), bill(3), json!({"bucket": "attempts#abc", "attempts": 1}), json!({})];
        let limits = together(items.iter().flat_map(|item| budget(item, &settings())));
        let [limit] = limits.as_slice() else { panic!("{limits:?}") };
        assert_eq!((limit.used, limit.most, limit.ends), (4.0, None, DAY));
    }

    #[test]
    fn a_recipient_has_an_hour() {
        let item = json!({"challenge_id": "gotu#sign_up#phone#+621", "hour_window": 3600.5, "hour_sends": 5});
        let limits = together(recipient(&item, &settings(), 0).into_iter());
        let [limit] = limits.as_slice() else { panic!("{limits:?}") };
        assert_eq!((limit.subject.as_str(), limit.spent), ("sign_up#phone#+621", true));
        let handle = json!({"challenge_id": "handle#00", "hour_window": 3600, "hour_sends": 5});
        assert!(recipient(&handle, &settings(), 0).is_empty());
    }
}
