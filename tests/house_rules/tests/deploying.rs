//! What `cargo xtask deploy` gives to the stacks, and when it refuses to deploy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::findings::{Finding, assert_none};
use house_rules::project::Project;
use house_rules::stacks::account::{check_status, protected_tables};
use house_rules::stacks::deploy::{self, Arrangement, Options};
use house_rules::stacks::parameters::{self, Values};
use house_rules::stacks::{Names, Part, cut};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use template::Template;

fn template() -> Value {
    Template::load().unwrap().document().clone()
}

fn stack(part: &Part) -> Value {
    cut(&Template::load().unwrap(), part, &Names::of("latchkey-test")).unwrap()
}

fn gotu() -> Part {
    Part::Contract("gotu".to_owned())
}

fn options(set: &[&str]) -> Options {
    let set = set.iter().map(|text| (*text).to_owned()).collect();
    Options { set, ..Options::unattended("production", Arrangement::PerContract) }
}

/// A folder with the template and the files of a stage.
struct Stage(Project);

impl Stage {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("stage-{name}-{}", std::process::id()));
        let project = Project::at(root);
        let text = Project::here().read(template::FILE).unwrap();
        project.write(template::FILE, &text).unwrap();
        for (name, text) in files {
            project.write(&format!("{}/{name}.yaml", deploy::PARAMETERS), text).unwrap();
        }
        Self(project)
    }

    fn given(&self, options: &Options, part: &Part) -> anyhow::Result<Values> {
        parameters::given(&self.0, options, part, &template())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(self.0.root()));
    }
}

#[test]
fn a_deployment_gives_every_parameter_so_that_what_a_stage_no_longer_sets_has_its_default_again() {
    let document = stack(&gotu());
    let with = Stage::new("with", &[("production", "OtpMaxAttempts: 4\nDeployment: AllAtOnce\n")]);
    let without = Stage::new("without", &[("production", "OtpMaxAttempts: 4\n")]);
    let value = |stage: &Stage, set: &[&str]| {
        let given = stage.given(&options(set), &gotu()).unwrap();
        let values = parameters::complete(&document, &given).unwrap();
        let declared: BTreeSet<_> = document["Parameters"].as_object().unwrap().keys().collect();
        assert_eq!(values.keys().collect::<BTreeSet<_>>(), declared);
        assert_eq!(values["OtpMaxAttempts"], "4");
        (values["Deployment"].clone(), values["GuardReleases"].clone())
    };
    let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
    assert_eq!(value(&with, &["GuardReleases=off"]), pair("AllAtOnce", "off"));
    assert_eq!(value(&with, &[]), pair("AllAtOnce", "on"));
    assert_eq!(value(&without, &[]), pair("Canary10Percent5Minutes", "on"));
}

#[test]
fn the_file_of_a_stack_and_then_the_command_line_count_before_the_file_of_the_stage() {
    let files =
        [("production", "RequestsPerSecond: 10"), ("production-gotu", "RequestsPerSecond: 20")];
    let stage = Stage::new("order", &files);
    let value = |set: &[&str], part: &Part| {
        stage.given(&options(set), part).unwrap()["RequestsPerSecond"].clone()
    };
    assert_eq!(value(&[], &Part::Shared), "10");
    assert_eq!(value(&[], &gotu()), "20");
    assert_eq!(value(&["RequestsPerSecond=30"], &gotu()), "30");
    let refused = |set: &str| stage.given(&options(&[set]), &gotu()).unwrap_err().to_string();
    assert!(refused("RequestsPerSeconds=30").contains("no parameter RequestsPerSeconds"));
    assert!(refused("RequestsPerSecond").contains("is no NAME=VALUE"));
    let wrong = Stage::new("wrong", &[("production", "RequestPerSecond: 10")]);
    assert!(wrong.given(&options(&[]), &gotu()).is_err());
}

#[test]
fn a_domain_is_given_to_one_stack_alone() {
    let domain = "ApiDomain: api.latchkey.example";
    let common = Stage::new("common", &[("production", domain)]);
    let error = common.given(&options(&[]), &gotu()).unwrap_err().to_string();
    assert!(error.contains("a domain belongs to one stack"), "{error}");
    let one = Options { stacks: Some(Arrangement::One), ..options(&[]) };
    assert_eq!(common.given(&one, &Part::All).unwrap()["ApiDomain"], "api.latchkey.example");
    let own = Stage::new("own", &[("production", "ApiDomain: \"\""), ("production-gotu", domain)]);
    assert_eq!(own.given(&options(&[]), &gotu()).unwrap()["ApiDomain"], "api.latchkey.example");
    assert_eq!(own.given(&options(&[]), &Part::Shared).unwrap()["ApiDomain"], "");
}

#[test]
fn the_file_for_sam_keeps_each_value_a_text() {
    let text = |value: &str| value.to_owned();
    let values = Values::from([
        (text("BrandGotu"), text(r#"{"name":"Gotu: #1"}"#)),
        (text("GuardReleases"), text("off")),
        (text("SmsSenderId"), String::new()),
    ]);
    let read: Values = yaml_serde::from_str(&parameters::file(&values)).unwrap();
    assert_eq!(read, values);
    let lines = "BrandGotu: \"{\\\"name\\\":\\\"Gotu: #1\\\"}\"\nGuardReleases: \"off\"\nSmsSenderId: \"\"\n";
    assert_eq!(parameters::file(&values), lines);
}

#[test]
fn functions_are_built_for_the_processor_of_the_stage() {
    let contracts = Project::here().contracts().unwrap();
    let command = |files: &[(&str, &str)]| {
        let stage = Stage::new("arm", files);
        deploy::build_command(&stage.0, &options(&[]), &contracts).map(|words| words.join(" "))
    };
    let arm = command(&[("production", "Architecture: arm64")]).unwrap();
    assert_eq!(arm, "sam build --parameter-overrides Architecture=arm64");
    assert!(command(&[("production-gotu", "Architecture: arm64")]).is_err());
}

#[test]
fn the_first_deployment_makes_a_stack_and_no_other_one_does() {
    let refusal = |status: Option<&str>, create: bool| {
        check_status("latchkey-test", status, create).map_err(|error| error.to_string()).err()
    };
    for new in [None, Some("REVIEW_IN_PROGRESS")] {
        assert_eq!(refusal(new, true), None);
        assert!(refusal(new, false).unwrap().contains("take --create"));
    }
    for complete in
        ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]
    {
        assert_eq!(refusal(Some(complete), false), None);
        assert!(refusal(Some(complete), true).unwrap().contains("would take the protection off"));
    }
    for create in [true, false] {
        let refusal = refusal(Some("ROLLBACK_COMPLETE"), create).unwrap();
        assert!(refusal.contains("delete the stack"), "{refusal}");
    }
}

#[test]
fn the_protection_of_every_table_is_looked_at_after_a_deployment() {
    let tables = protected_tables(&stack(&Part::Data), "latchkey-production");
    assert_eq!(tables.len(), Template::load().unwrap().tables.len());
    assert!(tables.contains(&"latchkey-production-Users".to_owned()), "{tables:?}");
}

#[test]
fn a_stage_has_its_parameters_in_its_file_and_not_in_the_configuration_of_sam() {
    let config = "[production.deploy.parameters]\nparameter_overrides = \"GuardReleases=off\"\n";
    let error = deploy::commands(&options(&[]), &[], config, Path::new("/")).unwrap_err();
    assert!(error.to_string().contains("move them into shared/stages/production.yaml"), "{error}");
    let region = "[production.deploy.parameters]\nregion = \"ap-southeast-1\" # Singapore\n";
    let configured = options(&[]).or_configured(region).unwrap();
    assert_eq!(configured.region.as_deref(), Some("ap-southeast-1"));
}

#[test]
fn a_preview_executes_nothing() {
    let options = Options { preview: true, ..options(&[]) };
    let contracts = Project::here().contracts().unwrap();
    let config = "[production.deploy.parameters]\n";
    for command in deploy::commands(&options, &contracts, config, Path::new("/")).unwrap() {
        assert_eq!(command.first().unwrap(), "sam");
        assert_eq!(command.last().unwrap(), "--no-execute-changeset");
    }
}

/// The stack `latchkey` is that of the stage `default`. A command that names it, or deploys the whole
/// template, makes a second product with empty tables beside the one that it is meant for.
#[test]
fn the_commands_of_documents_name_the_stack_of_a_stage() {
    let mut documents = Project::here().files("").unwrap();
    documents.retain(|file| {
        let is_text = file.has_extension("md") || file.path.starts_with("shared/stages/");
        is_text && !file.path.ends_with("CHANGELOG.md")
    });
    let parts = ["", "-functions", "-shared", "-gotu", "-goodcity", "-urbanfits", "-posbytz"];
    let wrong: Vec<_> = parts.iter().map(|part| format!("latchkey{part}")).collect();
    let mut commands = 0_usize;
    let mut findings = Vec::new();
    for file in &documents {
        let words: Vec<(usize, &str)> = file
            .lines()
            .flat_map(|(number, line)| line.split_whitespace().map(move |word| (number, word)))
            .collect();
        for pair in words.windows(2) {
            let [(number, first), (_, second)] = pair else { continue };
            let second = second.trim_matches(['`', ',', '.']);
            if first.ends_with("--stack-name") {
                commands = commands.saturating_add(1);
                if wrong.iter().any(|name| name == second) {
                    let message = format!("{second} is no stack of a stage with users");
                    findings.push(Finding::new(file, *number, message));
                }
            }
        }
        for sam in words.windows(3) {
            let [(number, first), (_, second), (_, third)] = sam else { continue };
            if first.ends_with("sam") && *second == "deploy" && *third == "--parameter-overrides" {
                let message = "the whole template becomes one stack; take cargo xtask deploy";
                findings.push(Finding::new(file, *number, message));
            }
        }
    }
    assert!(commands > 4, "{commands}");
    assert_none(findings);
}
