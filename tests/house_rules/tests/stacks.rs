//! The stacks that `template.yaml` is cut into, and the commands that deploy them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::project::Project;
use house_rules::stacks::deploy::{self, Arrangement, Options, STACK_POLICY};
use house_rules::stacks::{Names, Part, Writer, cut, writer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use template::Template;

/// The quotas of a stack (`CloudFormation`).
const MOST_RESOURCES: usize = 500;
const MOST_PARAMETERS: usize = 200;
const MOST_OUTPUTS: usize = 200;

fn contracts() -> Vec<String> {
    Project::here().contracts().unwrap()
}

fn stack(part: &Part) -> Value {
    cut(&Template::load().unwrap(), part, &Names::of("latchkey-test")).unwrap()
}

fn contract(name: &str) -> Value {
    stack(&Part::Contract(name.to_owned()))
}

fn all_parts() -> Vec<Part> {
    let mut parts = deploy::parts(Arrangement::PerContract, &contracts());
    parts.push(Part::All);
    parts
}

fn resources(document: &Value) -> BTreeMap<&str, &Value> {
    let resources = document["Resources"].as_object().unwrap();
    resources.iter().map(|(id, resource)| (id.as_str(), resource)).collect()
}

fn ids(document: &Value) -> BTreeSet<String> {
    resources(document).into_keys().map(str::to_owned).collect()
}

/// All ids that the template declares, also of resources that do not exist with the defaults.
fn declared() -> BTreeSet<String> {
    ids(Template::load().unwrap().document())
}

fn of_kind(document: &Value, kind: &str) -> BTreeSet<String> {
    let found = resources(document).into_iter().filter(|(_, resource)| resource["Type"] == kind);
    found.map(|(id, _)| id.to_owned()).collect()
}

fn functions(document: &Value) -> BTreeSet<String> {
    of_kind(document, "AWS::Serverless::Function")
}

/// The texts of a value, at any depth.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(object) => object.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_stacks_of_an_arrangement_hold_everything_and_the_data_is_apart() {
    let data = ids(&stack(&Part::Data));
    let template = Template::load().unwrap();
    let tables = template.tables.iter().map(|table| table.id.clone());
    let keys = template.secrets.iter().map(|secret| secret.id.clone());
    let buses = template.buses.iter().map(|bus| bus.id.clone());
    let named: BTreeSet<_> = tables.chain(keys).chain(buses).collect();
    assert!(named.len() > 20 && named.is_subset(&data), "{data:?}");
    for arrangement in [Arrangement::One, Arrangement::PerContract] {
        let mut held = BTreeSet::new();
        for part in deploy::parts(arrangement, &contracts()) {
            let ids = ids(&stack(&part));
            assert!(part == Part::Data || ids.is_disjoint(&data), "{part}");
            held.extend(ids);
        }
        assert_eq!(held, declared(), "{arrangement:?}");
    }
}

#[test]
fn each_function_is_in_one_stack_and_the_default_route_in_each_with_an_api() {
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in deploy::parts(Arrangement::PerContract, &contracts()) {
        for function in functions(&stack(&part)) {
            seen.entry(function).or_default().push(part.to_string());
        }
    }
    let fallback = seen.remove("FallbackFunction").unwrap();
    assert_eq!(fallback, contracts());
    assert!(seen.len() > 30 && seen.values().all(|parts| parts.len() == 1), "{seen:?}");
    for function in ["RelayFunction", "RotateKeysFunction", "PeopleFunction"] {
        assert_eq!(seen[function], ["shared"]);
    }
    assert_eq!(seen["PosbytzCreateClientFunction"], ["posbytz"]);
}

#[test]
fn the_stack_of_a_contract_has_its_routes_alarms_and_rights_alone() {
    let gotu = contract("gotu");
    let own = |id: &&String| id.starts_with("Gotu") || *id == "FallbackFunction";
    assert!(functions(&gotu).iter().all(|id| own(&id)), "{:?}", functions(&gotu));
    let alarms = of_kind(&gotu, "AWS::CloudWatch::Alarm");
    for id in ["GotuErrorsAlarm", "FaultsAlarm", "ApiFaultsAlarm", "LatencyAlarm", "BillAlarm"] {
        assert!(alarms.contains(id), "{id}: {alarms:?}");
    }
    for id in ["PosbytzErrorsAlarm", "OutboxAgeAlarm", "SmsSpendAlarm", "ThrottlesAlarm"] {
        assert!(!alarms.contains(id), "{id}: {alarms:?}");
    }
    let throttled = gotu["Resources"]["Api"]["Properties"]["RouteSettings"].as_object().unwrap();
    assert_eq!(throttled.keys().collect::<Vec<_>>(), ["POST /otp"]);
    let all = serde_json::to_string(&gotu["Resources"]).unwrap();
    assert!(all.contains("table/latchkey-test-Users"), "{all}");
    assert!(all.contains("secret:latchkey-test/OtpKey-??????"), "{all}");
    assert!(!all.contains("RelayFunction"), "{all}");
    let variables = &gotu["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(variables["USERS_TABLE"], "latchkey-test-Users");
    assert_eq!(variables["OTP_KEY_SECRET"], "latchkey-test/OtpKey");
    assert_eq!(variables["EVENT_BUS"], "latchkey-test-events");
}

#[test]
fn the_shared_stack_has_the_relay_and_no_api() {
    let shared = stack(&Part::Shared);
    assert!(of_kind(&shared, "AWS::Serverless::HttpApi").is_empty());
    let found = resources(&shared);
    let stream = &found["RelayFunction"]["Properties"]["Events"]["Outbox"]["Properties"]["Stream"];
    assert_eq!(*stream, json!({ "Fn::ImportValue": "latchkey-test-OutboxStream" }));
    for id in ["RelayDeadLetters", "OutboxAgeAlarm", "SmsSpendAlarm", "SmsLogRole", "BrandsSecret"]
    {
        assert!(found.contains_key(id), "{id}: {:?}", found.keys());
    }
    for id in ["CodesUnusedAlarm", "ApiFaultsAlarm", "GotuErrorsAlarm", "ApiLogs"] {
        assert!(!found.contains_key(id), "{id}: {:?}", found.keys());
    }
    assert!(shared["Outputs"].get("ApiUrl").is_none());
    assert!(shared["Parameters"].get("ApiDomain").is_none());
}

#[test]
fn an_alarm_on_a_metric_of_one_function_is_where_the_function_is() {
    let alarm = "  OneFunctionAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      \
        AlarmDescription: One\n      Namespace: !Sub Latchkey/${AWS::StackName}\n      \
        MetricName: Faults\n      Dimensions: [{ Name: Function, Value: rotate-keys }]\n";
    let text = Project::here().read(template::FILE).unwrap();
    let text = text.replacen("  FaultsAlarm:\n", &format!("{alarm}  FaultsAlarm:\n"), 1);
    let template = Template::parse(&text).unwrap();
    for (part, expected) in [(Part::Shared, true), (Part::Contract("gotu".to_owned()), false)] {
        let document = cut(&template, &part, &Names::of("latchkey")).unwrap();
        assert_eq!(ids(&document).contains("OneFunctionAlarm"), expected, "{part}");
        assert!(ids(&document).contains("FaultsAlarm"), "{part}");
    }
}

/// The codes that a contract sends are counted by the relay, in the shared stack.
#[test]
fn an_alarm_of_a_contract_reads_what_the_shared_stack_counts() {
    let gotu = contract("gotu");
    let metrics =
        gotu["Resources"]["CodesUnusedAlarm"]["Properties"]["Metrics"].as_array().unwrap();
    let metric = |name: &str| {
        let found = metrics.iter().map(|metric| &metric["MetricStat"]["Metric"]);
        found.clone().find(|metric| metric["MetricName"] == name).unwrap()
    };
    assert_eq!(
        *metric("CodesSent"),
        json!({
            "Namespace": "Latchkey/latchkey-test-shared",
            "MetricName": "CodesSent",
            "Dimensions": [{ "Name": "Contract", "Value": "gotu" }],
        })
    );
    assert_eq!(metric("CodesVerified")["Namespace"]["Fn::Sub"], "Latchkey/${AWS::StackName}");
}

#[test]
fn a_deployment_of_a_stack_is_rolled_back_by_its_own_release_alarms() {
    for part in all_parts().into_iter().filter(|part| *part != Part::Data) {
        let document = stack(&part);
        let alarms = of_kind(&document, "AWS::CloudWatch::Alarm");
        let own: BTreeSet<_> = alarms.iter().filter(|id| id.ends_with("ReleaseAlarm")).collect();
        let preference = &document["Globals"]["Function"]["DeploymentPreference"]["Alarms"];
        let [condition, guards, _] = preference["Fn::If"].as_array().unwrap().as_slice() else {
            panic!("{part}: {preference}");
        };
        assert_eq!(condition, "GuardsReleases", "{part}");
        let named = guards.as_array().unwrap().iter().map(|alarm| alarm["Ref"].as_str().unwrap());
        let named: Vec<_> = named.map(str::to_owned).collect();
        assert_eq!(named.iter().collect::<BTreeSet<_>>(), own, "{part}");
        assert_eq!(named.len(), own.len(), "{part}");
        assert!(own.len() >= 2, "{part}: {own:?}");
    }
}

#[test]
fn each_stack_names_nothing_of_another_and_fits_into_the_quotas() {
    let everything = declared();
    for part in all_parts() {
        let document = stack(&part);
        let present = ids(&document);
        for text in texts(&document) {
            let gone = everything.difference(&present);
            let gone = gone.filter(|id| {
                let ends = ["}", "."].map(|end| format!("${{{id}{end}"));
                ends.iter().any(|name| text.contains(name))
            });
            assert_eq!(gone.collect::<Vec<_>>(), Vec::<&String>::new(), "{part}: {text}");
        }
        let count = |section: &str| document[section].as_object().map_or(0, serde_json::Map::len);
        // SAM makes up to eight resources of a function.
        let made = functions(&document).len() * 7;
        assert!(count("Resources") + made <= MOST_RESOURCES, "{part}");
        assert!(count("Parameters") <= MOST_PARAMETERS, "{part}");
        assert!(count("Outputs") <= MOST_OUTPUTS, "{part}");
    }
}

#[test]
fn no_function_of_a_stack_has_a_variable_that_is_always_empty() {
    for part in all_parts() {
        let document = stack(&part);
        let own = resources(&document).into_values().map(|one| &one["Properties"]["Environment"]);
        let all = own.chain([&document["Globals"]["Function"]["Environment"]]);
        for (name, value) in all.filter_map(|one| one["Variables"].as_object()).flatten() {
            assert_ne!(*value, "", "{name} in {part}");
        }
    }
}

#[test]
fn the_dashboard_of_each_stack_shows_what_the_stack_has() {
    let metrics = |document: &Value| {
        let body = &document["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
        let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        assert!(body["widgets"][0]["properties"]["alarms"].as_array().unwrap().len() > 3);
        body.to_string()
    };
    let shared = metrics(&stack(&Part::Shared));
    assert!(shared.contains("RelayLag") && !shared.contains("SignUps"), "{shared}");
    let gotu = metrics(&contract("gotu"));
    assert!(gotu.contains("SignUps") && !gotu.contains("RelayLag"), "{gotu}");
    let sent = r#"["Latchkey/latchkey-test-shared","CodesSent","Contract","gotu"]"#;
    assert!(gotu.contains(sent), "{gotu}");
    assert_eq!(metrics(&stack(&Part::All)).matches("\"metrics\"").count(), {
        let whole = metrics(Template::load().unwrap().document());
        whole.matches("\"metrics\"").count()
    });
}

#[test]
fn every_metric_of_the_functions_has_a_writer() {
    let source = Project::here().read("shared/src/runtime/emf.rs").unwrap();
    let table = source.split("const METRICS").nth(1).unwrap().split("];").next().unwrap();
    for rest in table.split("name: \"").skip(1) {
        let name = rest.split('"').next().unwrap();
        assert!(writer(name).is_some(), "tests/house_rules/src/stacks/metrics.rs lacks {name}");
    }
    assert_eq!(writer("CodesSent"), Some(Writer::Shared));
    assert_eq!(writer("5xx"), None);
}

/// Secrets Manager takes a name that ends in a hyphen and six characters for a part of an ARN
/// (`CreateSecret`, parameter `Name`).
#[test]
fn no_secret_is_named_like_a_part_of_an_arn() {
    for secret in Template::load().unwrap().secrets {
        let looks_like_one = secret.name.rsplit_once('-').is_some_and(|(_, end)| end.len() == 6);
        assert!(!looks_like_one, "{}", secret.name);
    }
}

#[test]
fn restored_tables_have_another_prefix_and_keys_and_bus_stay() {
    let names = Names {
        tables: "restored".to_owned(),
        stream: Some("arn:of:a:stream".to_owned()),
        ..Names::of("latchkey")
    };
    let template = Template::load().unwrap();
    let document = cut(&template, &Part::All, &names).unwrap();
    let variables = &document["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(variables["USERS_TABLE"], "restored-Users");
    assert_eq!(variables["OTP_KEY_SECRET"], "latchkey/OtpKey");
    assert_eq!(variables["EVENT_BUS"], "latchkey-events");
    let text = document.to_string();
    assert!(!text.contains("ImportValue") && !text.contains("table/latchkey-"), "{text}");
    assert_eq!(text.matches("arn:of:a:stream").count(), 2);
    let data = cut(&template, &Part::Data, &names).unwrap();
    let resources = &data["Resources"];
    assert_eq!(resources["Users"]["Properties"]["TableName"]["Fn::Sub"], "restored-Users");
    assert_eq!(resources["EventBus"]["Properties"]["Name"]["Fn::Sub"], "${AWS::StackName}-events");
    let text = data.to_string();
    assert_eq!(text.matches("\"restored-").count(), template.tables.len());
}

#[test]
fn the_tables_are_created_without_their_protection_first() {
    let template = Template::load().unwrap();
    let files = deploy::templates(&template, &[Part::Data], &Names::of("latchkey")).unwrap();
    let protections = |name: &str| {
        let file = files.iter().find(|file| file.path == name).unwrap();
        let document: Value = serde_json::from_str(&file.text).unwrap();
        let found = resources(&document).into_values();
        let found = found.filter_map(|it| it["Properties"]["DeletionProtectionEnabled"].as_bool());
        found.collect::<Vec<_>>()
    };
    let tables = template.tables.len();
    assert_eq!(protections("data-unprotected.json"), vec![false; tables]);
    assert_eq!(protections("data.json"), vec![true; tables]);
}

#[test]
fn an_update_may_not_replace_or_delete_data() {
    let policy: Value = serde_json::from_str(&Project::here().read(STACK_POLICY).unwrap()).unwrap();
    let deny = &policy["Statement"][1];
    assert_eq!(deny["Effect"], "Deny");
    assert_eq!(deny["Action"], json!(["Update:Replace", "Update:Delete"]));
    let types = &deny["Condition"]["StringEquals"]["ResourceType"];
    let data = stack(&Part::Data);
    for kind in types.as_array().unwrap() {
        assert!(!of_kind(&data, kind.as_str().unwrap()).is_empty(), "{kind}");
    }
}

fn options(stacks: Arrangement) -> Options {
    Options::unattended("production", stacks)
}

/// The commands, with the words that each deployment has left out.
fn commands(options: &Options, config: &str) -> Vec<String> {
    let commands = deploy::commands(options, &contracts(), config, Path::new("/project")).unwrap();
    let common = " --config-file /project/samconfig.toml";
    let rights = " --capabilities CAPABILITY_IAM --resolve-s3 --no-fail-on-empty-changeset \
        --no-confirm-changeset";
    let short = commands.iter().map(|command| {
        command
            .join(" ")
            .replace(common, "")
            .replace(rights, "")
            .replace("--parameter-overrides file://.aws-sam/build/", "with ")
    });
    short.collect()
}

const CONFIG: &str = "[production.deploy.parameters]\n[production-gotu.deploy.parameters]\n";

#[test]
fn one_command_deploys_the_data_and_then_the_functions() {
    let options = Options { create: true, ..options(Arrangement::One) };
    assert_eq!(
        commands(&options, CONFIG),
        [
            "sam deploy --template-file .aws-sam/build/data-unprotected.json --stack-name \
             latchkey-production --config-env production with data.yaml",
            "sam deploy --template-file .aws-sam/build/data.json --stack-name \
             latchkey-production --config-env production with data.yaml",
            "aws cloudformation set-stack-policy --stack-name latchkey-production \
             --stack-policy-body file://shared/stack-policy.json",
            "aws cloudformation update-termination-protection --stack-name \
             latchkey-production --enable-termination-protection",
            "sam deploy --template-file .aws-sam/build/functions.json --stack-name \
             latchkey-production-functions --config-env production with functions.yaml",
        ]
    );
}

#[test]
fn a_contract_is_deployed_alone_with_its_own_environment_and_in_a_region() {
    let mut options = options(Arrangement::PerContract);
    let stacks = commands(&options, CONFIG);
    let order: Vec<_> = stacks.iter().filter_map(|command| command.split(".json").next()).collect();
    let order: Vec<_> = order.iter().filter_map(|text| text.rsplit('/').next()).collect();
    assert_eq!(order[..1], ["data"]);
    assert_eq!(order[3..], ["shared", "goodcity", "gotu", "posbytz", "urbanfits"]);
    options.only = vec!["gotu".to_owned()];
    options.region = Some("ap-southeast-1".to_owned());
    assert_eq!(
        commands(&options, CONFIG),
        ["sam deploy --template-file .aws-sam/build/gotu.json --stack-name \
          latchkey-production-gotu --config-env production-gotu with gotu.yaml --region ap-southeast-1"]
    );
    options.only = vec!["functions".to_owned()];
    let error = deploy::commands(&options, &contracts(), CONFIG, Path::new("/"));
    assert!(error.unwrap_err().to_string().contains("there is no stack functions"));
    options.stage = "elsewhere".to_owned();
    let error = deploy::commands(&options, &contracts(), CONFIG, Path::new("/"));
    assert!(error.unwrap_err().to_string().contains("has no environment elsewhere"));
}

#[test]
fn a_stage_keeps_its_arrangement_and_its_restored_tables_in_the_configuration() {
    let config = "[production.deploy.parameters]\ntables = \"other\"\n\
        [production.latchkey.parameters]\nstacks = \"per-contract\"\ntables = \"r1\" # of 2026-11-28\n\
        stream = \"arn:r1\"\n[staging.deploy.parameters]\n";
    let of = |stage: &str, stacks: Option<Arrangement>| {
        let options = Options { stage: stage.to_owned(), stacks, ..options(Arrangement::One) };
        options.or_configured(config).unwrap()
    };
    let found = of("production", None);
    assert_eq!(found.parts(&contracts()).unwrap().len(), 2 + contracts().len());
    assert_eq!(
        (found.names().tables.as_str(), found.names().data.as_str()),
        ("r1", "latchkey-production")
    );
    assert_eq!(found.names().stream.as_deref(), Some("arn:r1"));
    assert_eq!(of("production", Some(Arrangement::One)).parts(&contracts()).unwrap().len(), 2);
    let named = Options { tables: Some("r2".to_owned()), ..options(Arrangement::One) };
    assert_eq!(named.or_configured(config).unwrap().names().tables, "r2");
    let found = of("staging", None);
    assert_eq!((found.stacks, found.names().tables.as_str()), (None, "latchkey-staging"));
    for broken in ["tables = \"r1\"", "stacks = \"many\"", "stacks = one", "stacks = \"one\" two"] {
        let config = format!("[production.latchkey.parameters]\n{broken}");
        let options = Options { stacks: None, ..options(Arrangement::One) };
        assert!(options.or_configured(&config).is_err(), "{broken}");
    }
}

#[test]
fn the_environments_of_the_project_are_deployed() {
    let project = Project::here();
    let config = project.read(deploy::CONFIG).unwrap();
    for stage in ["default", "development", "production"] {
        let options = Options { stage: stage.to_owned(), ..options(Arrangement::One) };
        let root = project.root();
        let commands = deploy::commands(&options, &contracts(), &config, root).unwrap();
        assert_eq!(commands.len(), 4, "{stage}");
    }
}
