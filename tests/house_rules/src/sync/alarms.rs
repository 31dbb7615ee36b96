//! The metrics of the alarms on errors of functions, in `template.yaml`: one alarm for each
//! contract, and one for the functions that serve every contract.

use crate::declarations::{Declarations, Function, TEMPLATE};
use crate::project::{File, Project};
use crate::text::{replace_sections, sections};
use anyhow::{Result, ensure};

/// The number of metrics that an alarm can compute with (CloudWatch, quotas of metric math).
const METRICS_OF_AN_ALARM: usize = 10;

/// How the markers name the functions that serve every contract.
const SHARED: &str = "shared";

const END: &str = "# sync: end";

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let text = with_metrics(project.read(TEMPLATE)?, declarations)?;
    Ok(vec![File { path: TEMPLATE.to_owned(), text }])
}

fn with_metrics(mut template: String, declarations: &Declarations) -> Result<String> {
    let contracts = declarations.contracts.iter().map(|contract| Some(contract.as_str()));
    for contract in contracts.chain([None]) {
        let name = contract.unwrap_or(SHARED);
        let open = format!("# sync: error metrics of {name}");
        let functions: Vec<_> = declarations.of_contract(contract).collect();
        let sections = sections(&template, &open, END)?;
        let alarms = functions.len().div_ceil(METRICS_OF_AN_ALARM);
        ensure!(
            sections.len() >= alarms,
            "{TEMPLATE} has {} sections `{open}` for {} functions. An alarm computes with \
             {METRICS_OF_AN_ALARM} metrics at most. Copy the alarm under another logical id, with \
             an empty section. Name the copy in Globals.Function.DeploymentPreference.Alarms, on the \
             Dashboard and in shared/docs/runbook.md",
            sections.len(),
            functions.len(),
        );
        let groups =
            functions.chunks(METRICS_OF_AN_ALARM).map(metrics).chain(std::iter::repeat(vec![]));
        let replacements: Vec<_> = sections.into_iter().zip(groups).collect();
        template = replace_sections(&template, &replacements);
    }
    Ok(template)
}

fn metrics(functions: &[&Function]) -> Vec<String> {
    let metric = |(number, function): (usize, &&Function)| {
        [
            format!(
                "- {{ Id: e{number}, ReturnData: false, MetricStat: {{ Period: 900, Stat: Sum, \
                 Metric: {{ Namespace: AWS/Lambda, MetricName: Errors,"
            ),
            format!(
                "    Dimensions: [{{ Name: FunctionName, Value: !Ref {} }}] }} }} }}",
                function.id
            ),
        ]
    };
    (1..).zip(functions).flat_map(metric).collect()
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
        let (of_gotu, shared) = text.split_once("SharedErrorsAlarm").unwrap();
        assert_eq!(of_gotu.matches("Name: FunctionName").count(), 2);
        assert!(shared.contains("Id: e2") && shared.contains("!Ref RotateKeysFunction }"));
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
        let section = "        # sync: error metrics of gotu\n        # sync: end\n";
        let text = TEXT.replace(section, &section.repeat(2));
        let text = with_metrics(text, &eleven()).unwrap();
        let second = text.split("# sync: error metrics of gotu").nth(2).unwrap();
        let second = second.split("# sync: end").next().unwrap();
        assert!(second.contains("Id: e1,") && second.contains("!Ref F11 }"), "{second}");
        assert!(!second.contains("Id: e2,"), "{second}");
    }
}
