//! The metrics of the alarms on errors of functions, in `template.yaml`: one alarm for each contract, and
//! one for the functions that serve every contract; once for all versions, and once for the newest one.
//!
//! A guard of releases has its expression here too: the errors of each function are compared with its own faults. The fallback
//! has a guard of its own, because each stack of a contract has a fallback, and the other functions of all contracts are in
//! another stack.

use crate::declarations::{Declarations, Function, TEMPLATE, Trigger};
use crate::project::{File, Project};
use crate::text::{replace_sections, sections};
use anyhow::{Result, ensure};

/// The number of metrics that an alarm can compute with (CloudWatch, quotas of metric math).
const METRICS_OF_AN_ALARM: usize = 10;

/// How the markers name the functions that serve every contract.
const SHARED: &str = "shared";

/// How the markers name those of them that requests reach.
const FALLBACK: &str = "fallback";

const END: &str = "# sync: end";

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let text = with_metrics(project.read(TEMPLATE)?, declarations)?;
    Ok(vec![File { path: TEMPLATE.to_owned(), text }])
}

/// The two kinds of alarms.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The errors of all versions.
    Errors,
    /// The errors of the newest version, for the guard of releases.
    Release,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Errors => "error",
            Self::Release => "release",
        }
    }

    /// The metrics of a function, each with its letter in the id, its namespace and name, and its dimensions.
    fn metrics(self, function: &Function) -> Vec<(char, String, String)> {
        let Function { id, binary, .. } = function;
        let errors = "Namespace: AWS/Lambda, MetricName: Errors".to_owned();
        let of_all = format!("{{ Name: FunctionName, Value: !Ref {id} }}");
        let of_newest = format!(
            "{of_all}, {{ Name: Resource, Value: !Sub \"${{{id}}}:live\" }}, \
             {{ Name: ExecutedVersion, Value: !GetAtt {id}.Version.Version }}"
        );
        match self {
            Self::Errors => vec![('e', errors, of_all)],
            Self::Release if serves_requests(function) => vec![('e', errors, of_newest)],
            Self::Release => {
                let faults =
                    "Namespace: !Sub \"Latchkey/${AWS::StackName}\", MetricName: Faults".to_owned();
                let dimension = format!("{{ Name: Function, Value: {binary} }}");
                vec![('e', errors, of_newest), ('f', faults, dimension)]
            }
        }
    }

    /// The line of the expression, if it depends on the functions.
    ///
    /// A function without a route reports a failed invocation as an error, too, and counts it among its faults. The faults of one
    /// function must not hide the crashes of another, so each has a difference of its own, which is not below zero.
    fn expression(self, functions: &[&Function]) -> Option<String> {
        let crashes = |(number, function): (usize, &&Function)| {
            if serves_requests(function) {
                format!("e{number}")
            } else {
                format!("IF(e{number} > f{number}, e{number} - f{number}, 0)")
            }
        };
        let sum = match self {
            Self::Errors => return None,
            Self::Release if functions.iter().all(|function| serves_requests(function)) => {
                "SUM(METRICS())".to_owned()
            }
            Self::Release => (1..).zip(functions).map(crashes).collect::<Vec<_>>().join(" + "),
        };
        Some(format!(
            "- {{ Id: crashes, Label: Crashes of the newest versions, Expression: \"{sum}\", ReturnData: true }}"
        ))
    }

    /// The length of a window, in seconds.
    const fn period(self) -> u32 {
        match self {
            Self::Errors => 900,
            Self::Release => 60,
        }
    }
}

/// Whether a function answers requests. It then answers its faults itself, and its errors of Lambda are crashes alone.
fn serves_requests(function: &Function) -> bool {
    let mut triggers = function.triggers.iter();
    triggers.any(|trigger| matches!(trigger, Trigger::Route { .. } | Trigger::EveryOtherRequest))
}

fn with_metrics(mut template: String, declarations: &Declarations) -> Result<String> {
    for contract in &declarations.contracts {
        let functions: Vec<_> = declarations.of_contract(Some(contract)).collect();
        for kind in [Kind::Errors, Kind::Release] {
            template = with_metrics_of(&template, contract, kind, &functions)?;
        }
    }
    let shared: Vec<_> = declarations.of_contract(None).collect();
    template = with_metrics_of(&template, SHARED, Kind::Errors, &shared)?;
    let (fallback, shared): (Vec<_>, Vec<_>) =
        shared.into_iter().partition(|function| serves_requests(function));
    template = with_metrics_of(&template, FALLBACK, Kind::Release, &fallback)?;
    with_metrics_of(&template, SHARED, Kind::Release, &shared)
}

fn with_metrics_of(
    template: &str,
    name: &str,
    kind: Kind,
    functions: &[&Function],
) -> Result<String> {
    let open = format!("# sync: {} metrics of {name}", kind.as_str());
    let sections = sections(template, &open, END)?;
    let groups = groups(kind, functions);
    ensure!(
        sections.len() >= groups.len(),
        "{TEMPLATE} has {} sections `{open}` for {} functions. An alarm computes with \
         {METRICS_OF_AN_ALARM} metrics at most. Copy the alarm under another logical id, with \
         an empty section. Name the copy on the Dashboard and in shared/docs/runbook.md, and, if it \
         guards releases, in Globals.Function.DeploymentPreference.Alarms",
        sections.len(),
        functions.len(),
    );
    let groups = groups.into_iter().map(|group| lines(kind, &group));
    let groups = groups.chain(std::iter::repeat(vec![]));
    let replacements: Vec<_> = sections.into_iter().zip(groups).collect();
    Ok(replace_sections(template, &replacements))
}

/// The functions of each alarm, in the order of the template.
fn groups<'f>(kind: Kind, functions: &[&'f Function]) -> Vec<Vec<&'f Function>> {
    let mut groups: Vec<(usize, Vec<&Function>)> = Vec::new();
    for function in functions {
        let metrics = kind.metrics(function).len();
        match groups.last_mut() {
            Some((used, group)) if used.saturating_add(metrics) <= METRICS_OF_AN_ALARM => {
                *used = used.saturating_add(metrics);
                group.push(function);
            }
            _ => groups.push((metrics, vec![function])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn lines(kind: Kind, functions: &[&Function]) -> Vec<String> {
    let of_function = |(number, function): (usize, &&Function)| {
        kind.metrics(function).into_iter().flat_map(move |(letter, metric, dimensions)| {
            [
                format!(
                    "- {{ Id: {letter}{number}, ReturnData: false, MetricStat: {{ Period: {}, Stat: Sum, \
                     Metric: {{ {metric},",
                    kind.period()
                ),
                format!("    Dimensions: [{dimensions}] }} }} }}"),
            ]
        })
    };
    let metrics = (1..).zip(functions).flat_map(of_function);
    kind.expression(functions).into_iter().chain(metrics).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TEMPLATE as TEXT, declarations};
    use super::*;

    const METRIC: &str = "        # sync: error metrics of gotu\n        \
        - { Id: e1, ReturnData: false, MetricStat: { Period: 900, Stat: Sum, Metric: { Namespace: AWS/Lambda, MetricName: Errors,\n            \
        Dimensions: [{ Name: FunctionName, Value: !Ref GotuPostOtpFunction }] } } }\n        \
        - { Id: e2, ReturnData: false,";

    #[test]
    fn each_function_is_in_the_alarm_of_its_contract() {
        let text = with_metrics(TEXT.to_owned(), &declarations()).unwrap();
        assert!(text.contains(METRIC), "{text}");
        let (of_gotu, rest) = text.split_once("SharedErrorsAlarm").unwrap();
        let (shared, _) = rest.split_once("GotuReleaseAlarm").unwrap();
        assert_eq!(of_gotu.matches("Name: FunctionName").count(), 2);
        assert!(shared.contains("Id: e2") && shared.contains("!Ref RotateKeysFunction }"));
        assert_eq!(with_metrics(text.clone(), &declarations()).unwrap(), text);
    }

    #[test]
    fn a_release_is_guarded_by_the_errors_of_the_newest_versions() {
        let text = with_metrics(TEXT.to_owned(), &declarations()).unwrap();
        let (of_gotu, rest) = text.split_once("FallbackReleaseAlarm").unwrap();
        let (fallback, shared) = rest.split_once("SharedReleaseAlarm").unwrap();
        let version = "Value: !GetAtt GotuPostOtpFunction.Version.Version";
        assert!(of_gotu.contains(version) && of_gotu.contains("\"${GotuPostOtpFunction}:live\""));
        assert!(!of_gotu.contains("Id: f1"), "a fault of a request is no error of Lambda");
        assert!(of_gotu.contains("SUM(METRICS())") && fallback.contains("SUM(METRICS())"));
        assert!(fallback.contains("!Ref FallbackFunction }") && !fallback.contains("Id: e2"));
        assert!(shared.contains("Name: Function, Value: rotate-keys }"), "{shared}");
        assert!(shared.contains("Expression: \"IF(e1 > f1, e1 - f1, 0)\""), "{shared}");
        assert_eq!(with_metrics(text.clone(), &declarations()).unwrap(), text);
    }

    /// Gotu with eleven functions.
    fn eleven() -> Declarations {
        let mut many = declarations();
        let function = many.functions[0].clone();
        many.functions.retain(|function| function.contract.is_none());
        let id = |number| Function { id: format!("F{number}"), ..function.clone() };
        many.functions.extend((1..=11).map(id));
        many
    }

    #[test]
    fn more_functions_than_an_alarm_takes_is_an_error_that_says_what_to_do() {
        let error = with_metrics(TEXT.to_owned(), &eleven()).unwrap_err().to_string();
        assert!(error.contains("for 11 functions") && error.contains("Copy the alarm"), "{error}");
    }

    #[test]
    fn a_second_alarm_takes_what_the_first_has_no_room_for() {
        let twice = |text: &str, kind: &str| {
            let section = format!("        # sync: {kind} metrics of gotu\n        # sync: end\n");
            text.replace(&section, &section.repeat(2))
        };
        let text = twice(&twice(TEXT, "error"), "release");
        let text = with_metrics(text, &eleven()).unwrap();
        let second = text.split("# sync: error metrics of gotu").nth(2).unwrap();
        let second = second.split("# sync: end").next().unwrap();
        assert!(second.contains("Id: e1,") && second.contains("!Ref F11 }"), "{second}");
        assert!(!second.contains("Id: e2,"), "{second}");
    }
}
