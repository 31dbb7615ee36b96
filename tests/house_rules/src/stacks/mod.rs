//! Cuts `template.yaml` into stacks: one for the data, and one or several for the functions.
//!
//! The template declares everything once. [`cut`] takes the resources of one [`Part`] of it. What
//! it takes away from another stack is named by its physical name there, so that a stack needs
//! nothing of another one but these names, and the stream of the outbox.
//!
//! The parts follow from the declarations, without a list of resources:
//!
//! - The data are tables, generated secrets, and event buses with their archives and policies.
//! - A function belongs to the contract that its binary names. The function with the default route
//!   is in the stack of each contract; all others without a contract are in the stack that the
//!   contracts share.
//! - What refers to functions or to the API is where one of them is. What does not, is where
//!   something refers to it.
//! - An alarm on metrics of functions is where these metrics are written ([`writer`]). An alarm on
//!   the account is in the shared stack.

pub mod account;
mod data;
pub mod deploy;
mod metrics;
pub mod parameters;
mod release;
mod selection;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::fmt;
use template::{Template, references};

pub use metrics::{Writer, writer};

/// What a stack holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The tables, keys and event bus.
    Data,
    /// All functions, and what belongs to them.
    All,
    /// The functions that every contract needs and that no request reaches.
    Shared,
    /// The functions of one contract, with an API of its own.
    Contract(String),
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Data => "data",
            Self::All => "functions",
            Self::Shared => "shared",
            Self::Contract(name) => name,
        })
    }
}

/// The names that the stacks find each other by.
#[derive(Clone, Debug)]
pub struct Names {
    /// The stack of the data: what its keys and its event bus begin with.
    pub data: String,
    /// What the tables begin with: the stack of the data, or a prefix of restored tables.
    pub tables: String,
    /// The stack that the contracts share.
    pub shared: String,
    /// The ARN of the outbox's stream; `None` for the one that the stack of the data exports.
    pub stream: Option<String>,
}

impl Names {
    /// The names of the stacks of a stage.
    #[must_use]
    pub fn of(base: &str) -> Self {
        Self {
            data: base.to_owned(),
            tables: base.to_owned(),
            shared: format!("{base}-shared"),
            stream: None,
        }
    }
}

/// Returns the template of one stack.
///
/// # Errors
///
/// A resource of the part refers to one outside of it in a way that names cannot replace; the error
/// names both.
pub fn cut(template: &Template, part: &Part, names: &Names) -> Result<Json> {
    let kept = selection::kept(template, part)?;
    let mut document = template.document().as_object().cloned().unwrap_or_default();
    let dropped: BTreeSet<_> = ids(template).filter(|id| !kept.contains(*id)).cloned().collect();
    let data: BTreeSet<_> = data::ids(template);
    let gone: BTreeSet<_> = dropped.difference(&data).cloned().collect();
    if *part == Part::Data {
        document.remove("Globals");
        document.remove("Transform");
    }
    for section in ["Globals", "Resources", "Outputs"] {
        let Some(Json::Object(entries)) = document.get_mut(section) else { continue };
        match section {
            "Resources" => entries.retain(|id, _| kept.contains(id)),
            "Outputs" => {
                entries.retain(|_, output| selection::has_output(output, template, &kept, part));
            }
            _ => {}
        }
        for (id, entry) in entries {
            if let Some(routes) = entry.pointer_mut("/Properties/RouteSettings") {
                selection::prune_routes(routes, template, &kept);
            }
            if let Some(body) = entry.pointer_mut("/Properties/DashboardBody") {
                metrics::prune_dashboard(body, part, names, &gone)
                    .with_context(|| format!("failed to cut {id}"))?;
            }
            selection::prune(entry, &gone);
            if let Part::Contract(contract) = part {
                metrics::move_to_shared(entry, contract, names);
            }
            prune_variables(entry);
            if *part == Part::Data {
                data::rename_table(entry, names);
            } else {
                data::name(entry, template, names, data::Use::Elsewhere)?;
            }
        }
    }
    keep_what_is_used(&mut document);
    check(&document)?;
    Ok(Json::Object(document))
}

/// Removes the variables that are empty in every stack. They are declared for tools that set declared variables only, and Lambda
/// allows 4 KB for all of them.
fn prune_variables(entry: &mut Json) {
    for path in ["/Environment/Variables", "/Properties/Environment/Variables"] {
        if let Some(Json::Object(variables)) = entry.pointer_mut(path) {
            variables.retain(|_, value| value != "");
        }
    }
}

/// All logical ids of a template, also of resources that do not exist with the defaults.
fn ids(template: &Template) -> impl Iterator<Item = &String> {
    declared(template).map(|(id, _)| id)
}

/// All resources of a template with their declarations.
fn declared(template: &Template) -> impl Iterator<Item = (&String, &Json)> {
    let resources = template.document().get("Resources").and_then(Json::as_object);
    resources.into_iter().flatten()
}

/// The logical ids that a declaration refers to. `SAM` makes a role of a function, which other
/// resources name.
fn refers(entry: &Json) -> BTreeSet<String> {
    let depends = match entry.get("DependsOn") {
        Some(Json::String(id)) => vec![id.clone()],
        Some(Json::Array(ids)) => {
            ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    let names = references(entry).into_iter().chain(depends);
    names.map(|name| resource_of(&name).to_owned()).collect()
}

/// The resource of a name such as `RelayFunction.Alias` or `RelayFunctionRole`.
fn resource_of(name: &str) -> &str {
    let name = name.split('.').next().unwrap_or(name);
    name.strip_suffix("Role").filter(|rest| rest.ends_with("Function")).unwrap_or(name)
}

/// Removes the conditions, parameters, groups and rules that nothing in the document needs.
fn keep_what_is_used(document: &mut Map<String, Json>) {
    let of = |document: &Map<String, Json>, section: &str| {
        document.get(section).cloned().unwrap_or_default()
    };
    let mut conditions = BTreeSet::new();
    for section in ["Globals", "Resources", "Outputs"] {
        conditions_in(&of(document, section), &mut conditions);
    }
    let declared = of(document, "Conditions");
    loop {
        let before = conditions.len();
        for name in conditions.clone() {
            conditions_in(declared.get(&name).unwrap_or(&Json::Null), &mut conditions);
        }
        if conditions.len() == before {
            break;
        }
    }
    retain(document, "Conditions", |name, _| conditions.contains(name));
    let sections = ["Globals", "Resources", "Outputs", "Conditions"];
    let used: BTreeSet<_> =
        sections.iter().flat_map(|section| references(&of(document, section))).collect();
    retain(document, "Parameters", |name, _| used.contains(name));
    retain(document, "Rules", |_, rule| references(rule).is_subset(&used));
    let groups = document
        .get_mut("Metadata")
        .and_then(|all| all.pointer_mut("/AWS::CloudFormation::Interface/ParameterGroups"));
    if let Some(Json::Array(groups)) = groups {
        for group in groups.iter_mut() {
            if let Some(Json::Array(names)) = group.get_mut("Parameters") {
                names.retain(|name| name.as_str().is_some_and(|name| used.contains(name)));
            }
        }
        groups.retain(|group| group.get("Parameters") != Some(&Json::Array(Vec::new())));
    }
}

fn retain(document: &mut Map<String, Json>, section: &str, keep: impl Fn(&String, &Json) -> bool) {
    if let Some(Json::Object(entries)) = document.get_mut(section) {
        entries.retain(|name, entry| keep(name, entry));
        if entries.is_empty() {
            document.remove(section);
        }
    }
}

/// Collects the names of conditions in a value.
fn conditions_in(value: &Json, found: &mut BTreeSet<String>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| conditions_in(item, found)),
        Json::Object(object) => {
            if let Some(Json::String(name)) = object.get("Condition") {
                found.insert(name.clone());
            }
            if let Some(name) = object.get("Fn::If").and_then(|if_| if_.get(0)) {
                found.extend(name.as_str().map(str::to_owned));
            }
            object.values().for_each(|inner| conditions_in(inner, found));
        }
        _ => {}
    }
}

/// Checks that the document refers to nothing that it does not declare.
fn check(document: &Map<String, Json>) -> Result<()> {
    let entries = |section: &str| document.get(section).and_then(Json::as_object);
    let names = ["Parameters", "Resources"].into_iter().filter_map(entries);
    let known: BTreeSet<_> = names.flat_map(Map::keys).map(String::as_str).collect();
    for section in ["Globals", "Conditions", "Resources", "Outputs"] {
        for (id, entry) in entries(section).into_iter().flatten() {
            for name in refers(entry) {
                let is_known = name.starts_with("AWS::") || known.contains(name.as_str());
                ensure!(is_known, "{section}.{id} refers to {name}, which another stack has");
            }
        }
    }
    Ok(())
}
