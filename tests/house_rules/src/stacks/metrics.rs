//! Which functions write which metrics, and what follows for alarms and dashboards.
//!
//! The metrics of a stack have a namespace with its name. Where the contracts have stacks of their own,
//! the shared stack counts what is sent, by contract, and a contract's stack counts what is used.

use super::{Names, Part, refers};
use anyhow::{Context as _, Result};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// Who writes a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The functions of the contracts.
    Contracts,
    /// The functions of the shared stack.
    Shared,
    /// All functions.
    Both,
}

/// Where an alarm belongs that names neither functions nor the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Everywhere,
    Contracts,
    Shared,
}

/// The namespace of the metrics that the functions write, as the template has it.
const NAMESPACE: &str = "Latchkey/${AWS::StackName}";

/// Returns who writes a metric of the functions; `None` for any other metric.
#[must_use]
pub fn writer(metric: &str) -> Option<Writer> {
    Some(match metric {
        "SignUps" | "SignIns" | "UsersMovedIn" | "CodesVerified" | "CodesRefused"
        | "WrongGuesses" | "UnknownHashes" | "BillUsed" | "BillRefused" | "IdSpaceUsed"
        | "TestCodesAccepted" | "Refusals" => Writer::Contracts,
        "CodesSent"
        | "CodesEnded"
        | "RecipientsRefused"
        | "SendersRefused"
        | "MessagesDelivered"
        | "MessagesUndelivered"
        | "RelayLag"
        | "OutboxAge"
        | "Sweeps"
        | "TestNumbersOpen" => Writer::Shared,
        "Defects" | "Faults" | "ErrorLines" | "WriteUnits" => Writer::Both,
        _ => return None,
    })
}

/// Whether the shared stack counts a metric by contract, without further dimensions.
fn is_by_contract(metric: &str) -> bool {
    ["CodesSent", "CodesEnded", "RecipientsRefused", "SendersRefused"].contains(&metric)
}

/// Where an alarm belongs, by the metrics that it reads.
pub(super) fn home(id: &str, alarm: &Json) -> Result<Home> {
    let mut names = BTreeSet::new();
    let mut is_ours = false;
    collect(alarm, &mut |object| {
        names.extend(object.get("MetricName").and_then(Json::as_str).map(str::to_owned));
        is_ours |= object.get("Namespace").is_some_and(|space| !space.is_string());
    });
    if !is_ours {
        return Ok(Home::Shared);
    }
    let writers = names.iter().map(|name| {
        writer(name).with_context(|| format!("{id} reads {name}, which no function writes"))
    });
    let writers = writers.collect::<Result<Vec<_>>>()?;
    Ok(if writers.contains(&Writer::Contracts) {
        Home::Contracts
    } else if writers.contains(&Writer::Shared) {
        Home::Shared
    } else {
        Home::Everywhere
    })
}

/// The binaries of the functions whose metrics an alarm reads, by the dimension `Function`.
pub(super) fn functions(alarm: &Json) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(alarm, &mut |object| {
        if object.get("Name").and_then(Json::as_str) == Some("Function") {
            names.extend(object.get("Value").and_then(Json::as_str).map(str::to_owned));
        }
    });
    names
}

fn collect<'a>(value: &'a Json, see: &mut impl FnMut(&'a Map<String, Json>)) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| collect(item, see)),
        Json::Object(object) => {
            see(object);
            object.values().for_each(|inner| collect(inner, see));
        }
        _ => {}
    }
}

/// Makes the alarms of a contract's stack read the metrics of the shared stack there.
pub(super) fn move_to_shared(value: &mut Json, contract: &str, names: &Names) {
    match value {
        Json::Array(items) => {
            for item in items {
                move_to_shared(item, contract, names);
            }
        }
        Json::Object(object) => {
            let metric = object.get("MetricName").and_then(Json::as_str);
            if metric.is_some_and(is_by_contract) {
                object.insert("Namespace".to_owned(), namespace(&names.shared).into());
                let dimensions = json!([{ "Name": "Contract", "Value": contract }]);
                object.insert("Dimensions".to_owned(), dimensions);
            }
            for inner in object.values_mut() {
                move_to_shared(inner, contract, names);
            }
        }
        _ => {}
    }
}

fn namespace(stack: &str) -> String {
    NAMESPACE.replace("${AWS::StackName}", stack)
}

/// Leaves on a dashboard what its stack has.
///
/// # Errors
///
/// The body is not JSON in an `Fn::Sub`.
pub(super) fn prune_dashboard(
    body: &mut Json,
    part: &Part,
    names: &Names,
    gone: &BTreeSet<String>,
) -> Result<()> {
    let pattern = body.get("Fn::Sub").and_then(Json::as_str).context("no Fn::Sub")?;
    let mut dashboard: Json = serde_json::from_str(pattern).context("not JSON")?;
    let widgets = dashboard.get_mut("widgets").and_then(Json::as_array_mut);
    let widgets = widgets.context("no widgets")?;
    for widget in widgets.iter_mut() {
        for list in ["alarms", "metrics"] {
            let list = widget.pointer_mut(&format!("/properties/{list}"));
            if let Some(Json::Array(items)) = list {
                items.retain(|item| !names_gone(item, gone) && is_shown(item, part));
                if let Part::Contract(contract) = part {
                    for item in items {
                        graph_of_contract(item, contract, names);
                    }
                }
            }
        }
    }
    let is_empty = |widget: &Json, list: &str| {
        widget.pointer(&format!("/properties/{list}")) == Some(&Json::Array(Vec::new()))
    };
    widgets.retain(|widget| !is_empty(widget, "alarms") && !is_empty(widget, "metrics"));
    *body = json!({ "Fn::Sub": dashboard.to_string() });
    Ok(())
}

/// Whether a text in an alarm or a metric of a widget names a resource that is gone.
fn names_gone(item: &Json, gone: &BTreeSet<String>) -> bool {
    let texts = item.as_array().map_or(std::slice::from_ref(item), Vec::as_slice);
    let mut texts = texts.iter().filter_map(Json::as_str);
    texts.any(|text| !refers(&json!({ "Fn::Sub": text })).is_disjoint(gone))
}

/// The metric of a widget: the second text, or the name in a search.
fn metric_of(item: &Json) -> Option<String> {
    if item.get(0).and_then(Json::as_str) == Some(NAMESPACE) {
        return item.get(1).and_then(Json::as_str).map(str::to_owned);
    }
    let search = item.get(0)?.get("expression")?.as_str()?;
    let (_, name) = search.split_once("MetricName=\"")?;
    name.split_once('"').map(|(name, _)| name.to_owned())
}

fn is_shown(item: &Json, part: &Part) -> bool {
    let Some(metric) = metric_of(item) else { return true };
    match (part, writer(&metric)) {
        (Part::Shared, Some(Writer::Contracts)) => false,
        (Part::Contract(_), Some(Writer::Shared)) => is_by_contract(&metric),
        _ => true,
    }
}

fn graph_of_contract(item: &mut Json, contract: &str, names: &Names) {
    if metric_of(item).as_deref().is_some_and(is_by_contract)
        && let Json::Array(parts) = item
        && let [space, metric, rest @ ..] = parts.as_slice()
        && space.is_string()
    {
        let mut moved = vec![namespace(&names.shared).into(), metric.clone()];
        moved.extend(["Contract".into(), contract.into()]);
        moved.extend(rest.iter().cloned());
        *parts = moved;
    }
}
