//! Which resources and outputs a part has.

use super::data::is_data;
use super::metrics::{self, Home};
use super::{Part, declared, refers};
use anyhow::Result;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};
use template::{Function, Template};

/// The logical ids of the resources of a part.
pub(super) fn kept(template: &Template, part: &Part) -> Result<BTreeSet<String>> {
    let (data, others): (Vec<_>, Vec<_>) =
        declared(template).partition(|(_, resource)| is_data(resource));
    match part {
        Part::Data => return Ok(data.into_iter().map(|(id, _)| id.clone()).collect()),
        Part::All => return Ok(others.into_iter().map(|(id, _)| id.clone()).collect()),
        Part::Shared | Part::Contract(_) => {}
    }
    let entries: BTreeMap<&str, &Json> =
        others.iter().map(|(id, resource)| (id.as_str(), *resource)).collect();
    let anchors: BTreeSet<&str> =
        entries.iter().filter(|(_, resource)| is_anchor(resource)).map(|(id, _)| *id).collect();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for id in &anchors {
        let is_kept = match template.functions.iter().find(|function| function.id == *id) {
            Some(function) => has_function(function, part),
            // The API.
            None => *part != Part::Shared,
        };
        if is_kept {
            kept.insert((*id).to_owned());
        }
    }
    let mut loose = Vec::new();
    for (id, resource) in entries.iter().filter(|(id, _)| !anchors.contains(*id)) {
        let mut named = reached(resource, &entries, &anchors);
        let measured = metrics::functions(resource);
        let functions = template.functions.iter().filter(|found| measured.contains(&found.name));
        named.extend(functions.map(|function| function.id.as_str()));
        let is_alarm = resource.get("Type") == Some(&Json::from("AWS::CloudWatch::Alarm"));
        let is_kept = if !named.is_empty() {
            named.iter().any(|anchor| kept.contains(*anchor))
        } else if is_alarm {
            match (metrics::home(id, resource)?, part) {
                (Home::Everywhere, _) | (Home::Shared, Part::Shared) => true,
                (home, _) => home == Home::Contracts && *part != Part::Shared,
            }
        } else {
            loose.push(*id);
            false
        };
        if is_kept {
            kept.insert((*id).to_owned());
        }
    }
    keep_referenced(template, part, &entries, &loose, &mut kept);
    Ok(kept)
}

/// Keeps the resources that something kept refers to. One that only an output names is shared.
fn keep_referenced(
    template: &Template,
    part: &Part,
    entries: &BTreeMap<&str, &Json>,
    loose: &[&str],
    kept: &mut BTreeSet<String>,
) {
    let globals = template.document().get("Globals").map(refers).unwrap_or_default();
    let by_any: BTreeSet<_> = entries.values().flat_map(|resource| refers(resource)).collect();
    loop {
        // A dashboard shows what is there, and keeps nothing.
        let of_kept = entries.iter().filter(|(id, resource)| {
            kept.contains(**id) && resource.pointer("/Properties/DashboardBody").is_none()
        });
        let mut named: BTreeSet<_> = of_kept.flat_map(|(_, resource)| refers(resource)).collect();
        named.extend(globals.iter().cloned());
        let before = kept.len();
        for id in loose {
            let only_output = !by_any.contains(*id) && !globals.contains(*id);
            if named.contains(*id) || (only_output && *part == Part::Shared) {
                kept.insert((*id).to_owned());
            }
        }
        if kept.len() == before {
            return;
        }
    }
}

/// Functions and the API decide where other resources are.
fn is_anchor(resource: &Json) -> bool {
    let kind = resource.get("Type").and_then(Json::as_str).unwrap_or_default();
    ["AWS::Serverless::Function", "AWS::Serverless::HttpApi"].contains(&kind)
}

fn has_function(function: &Function, part: &Part) -> bool {
    match part {
        Part::Data => false,
        Part::All => true,
        Part::Shared => {
            !function.has_default_route() && function.description.starts_with("Latchkey: ")
        }
        Part::Contract(name) => {
            let rest = function.name.strip_prefix(name.as_str());
            function.has_default_route() || rest.is_some_and(|rest| rest.starts_with('-'))
        }
    }
}

/// The functions and APIs that a resource refers to, directly or by others.
fn reached<'a>(
    resource: &Json,
    entries: &BTreeMap<&'a str, &Json>,
    anchors: &BTreeSet<&'a str>,
) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<String> = refers(resource).into_iter().collect();
    while let Some(name) = open.pop() {
        if let Some(anchor) = anchors.get(name.as_str()) {
            found.insert(*anchor);
        } else if let Some(entry) = entries.get(name.as_str())
            && seen.insert(name)
        {
            open.extend(refers(entry));
        }
    }
    found
}

/// Whether a part has an output: where everything is that it names. The commands that name nothing are
/// about the account.
pub(super) fn has_output(
    output: &Json,
    template: &Template,
    kept: &BTreeSet<String>,
    part: &Part,
) -> bool {
    let named = refers(output);
    let mut resources = super::ids(template).filter(|id| named.contains(*id)).peekable();
    if resources.peek().is_none() {
        return matches!(part, Part::All | Part::Shared);
    }
    resources.all(|id| kept.contains(id))
}

/// Routes have settings by their name, and the gateway refuses settings of a route that it lacks.
pub(super) fn prune_routes(routes: &mut Json, template: &Template, kept: &BTreeSet<String>) {
    let functions = template.functions.iter().filter(|function| kept.contains(&function.id));
    let served: BTreeSet<_> = functions
        .flat_map(Function::routes)
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    if let Json::Object(routes) = routes {
        routes.retain(|route, _| served.contains(route));
    }
}

/// Removes the items of lists that refer to something that is gone.
pub(super) fn prune(value: &mut Json, gone: &BTreeSet<String>) {
    match value {
        Json::Array(items) => {
            items.retain(|item| refers(item).is_disjoint(gone) || holds_lists(item));
            for item in items {
                prune(item, gone);
            }
        }
        Json::Object(object) => {
            for (name, inner) in object.iter_mut() {
                match inner {
                    // The arguments of an intrinsic function have their places.
                    Json::Array(items) if name.starts_with("Fn::") => {
                        for item in items {
                            prune(item, gone);
                        }
                    }
                    inner => prune(inner, gone),
                }
            }
        }
        _ => {}
    }
}

/// Whether an item of a list is itself a structure with lists, such as a policy: its own items decide.
fn holds_lists(item: &Json) -> bool {
    item.as_object().is_some_and(|object: &Map<String, Json>| object.contains_key("Statement"))
}
