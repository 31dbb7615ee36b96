//! `template.yaml`: what every function, secret, table and limit must have.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use house_rules::project::Project;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use template::{Template, references};

fn template() -> Template {
    Template::load().unwrap()
}

/// Where the template declares a resource, and its logical id.
fn at(id: &str) -> String {
    let place = Project::here().place(template::FILE, &format!("{id}:")).unwrap();
    format!("{place}: {id}")
}

#[test]
fn only_fallback_has_the_default_route() {
    let template = template();
    let functions = template.functions.iter().filter(|function| function.has_default_route());
    let names: Vec<_> = functions.map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["fallback"]);
}

#[test]
fn every_function_writes_to_a_declared_log_group() {
    let template = template();
    for function in &template.functions {
        let group = function.log_group.as_deref().unwrap_or_default();
        let group = template.resource(group).map(|group| group.kind.as_str());
        assert_eq!(group, Some("AWS::Logs::LogGroup"), "{}", at(&function.id));
    }
}

/// What the function of operators may ask carriers. None of it sends anything, and none has a resource.
const QUESTIONS: [&str; 6] = [
    "sns:CheckIfPhoneNumberIsOptedOut",
    "sns:GetSMSAttributes",
    "sns:GetSMSSandboxAccountStatus",
    "sns:ListSMSSandboxPhoneNumbers",
    "ses:GetAccount",
    "ses:GetSuppressedDestination",
];

#[test]
fn every_statement_names_its_actions_and_its_resources() {
    for function in template().functions {
        for statement in &function.statements {
            let place = format!("{} {}", at(&function.id), statement.sid);
            assert!(!statement.actions.iter().any(|action| action.contains('*')), "{place}");
            // Publishing to a phone number has no resource.
            let everything = statement.resources.iter().any(|resource| resource == "*");
            let asks = statement.actions.iter().all(|action| QUESTIONS.contains(&action.as_str()));
            assert!(!everything || statement.sid == "SendTexts" || asks, "{place}");
        }
    }
}

#[test]
fn only_the_relay_may_send_messages_and_publish_events() {
    for function in template().functions {
        for action in function.statements.iter().flat_map(|statement| &statement.actions) {
            let sends =
                ["sns:", "ses:", "events:"].iter().any(|service| action.starts_with(service));
            let asks = function.name == "people" && QUESTIONS.contains(&action.as_str());
            assert!(
                !sends || asks || function.name == "relay",
                "{} may {action}",
                at(&function.id)
            );
        }
    }
}

#[test]
fn every_secret_is_a_key_that_is_rotated() {
    let template = template();
    let secrets: BTreeSet<_> = template.secrets.iter().map(|secret| secret.id.clone()).collect();
    assert!(secrets.len() >= 5, "{secrets:?}");
    // The function finds the secrets by their variables (runtime::settings::RotationSettings).
    let variables = template.document()["Globals"]["Function"]["Environment"]["Variables"].clone();
    let named = variables
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_KEY_SECRET") || name.contains("_KEY_SECRET_"));
    let named: Vec<_> = named.flat_map(|(_, value)| references(value)).collect();
    assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), secrets);
    assert_eq!(named.len(), secrets.len(), "each secret has one variable");
    let rights = &template.function("rotate-keys").unwrap().statements;
    assert_eq!(rights.len(), 1);
    assert_eq!(rights[0].resources.iter().cloned().collect::<BTreeSet<_>>(), secrets);
}

#[test]
fn the_function_that_replaces_keys_reads_none_and_the_others_replace_none() {
    for function in template().functions {
        for action in function.statements.iter().flat_map(|statement| &statement.actions) {
            let Some(action) = action.strip_prefix("secretsmanager:") else { continue };
            let allowed: &[&str] = if function.name == "rotate-keys" {
                &["DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"]
            } else {
                &["DescribeSecret", "GetSecretValue"]
            };
            assert!(allowed.contains(&action), "{} may {action}", at(&function.id));
        }
    }
}

#[test]
fn every_contract_has_a_list_of_the_origins_whose_pages_it_serves() {
    let template = template();
    let variables = &template.document()["Globals"]["Function"]["Environment"]["Variables"];
    for contract in Project::here().contracts().unwrap() {
        let name = format!("ALLOWED_ORIGINS_{}", contract.to_uppercase());
        let parameter = variables[&name]["Ref"].as_str().unwrap_or_default();
        assert!(parameter.starts_with("AllowedOrigins"), "{}: {name}", template::FILE);
        // Any page of the internet could send requests with `*`.
        let parameter = template.parameter(parameter).unwrap();
        let pattern = parameter.body["AllowedPattern"].as_str().unwrap();
        assert!(!parameter.default.contains('*') && !pattern.contains("\\*"), "{pattern}");
    }
}

/// A sign-in sends only to a customer who is not verified and states the right password. A throttle for
/// it would refuse the sign-ins of everybody else.
const SENDS_RARELY: &str = "POST /ecommerce/v1/auth/signin";

/// A route that sends codes costs money, so it has a throttle that can be lowered alone. A function
/// that sends codes may name the key that derives them, and cannot read it.
#[test]
fn the_routes_that_send_codes_have_a_throttle_of_their_own() {
    let template = template();
    let sends = |function: &&template::Function| {
        function.statements.iter().any(|statement| {
            statement.actions == ["secretsmanager:DescribeSecret"]
                && statement.resources == ["OtpKey"]
        })
    };
    let sending = template.functions.iter().filter(sends).flat_map(template::Function::routes);
    let sending = sending.map(|(method, path)| format!("{method} {path}"));
    let sending: BTreeSet<_> = sending.filter(|route| route != SENDS_RARELY).collect();
    let api = template.resources_of("AWS::Serverless::HttpApi").next().unwrap();
    let throttled = api.properties()["RouteSettings"].as_object().unwrap();
    assert_eq!(sending, throttled.keys().cloned().collect());
    assert!(sending.len() >= 5, "{sending:?}");
    for (route, settings) in throttled {
        for (setting, parameter) in
            [("ThrottlingRateLimit", "SendsPerSecond"), ("ThrottlingBurstLimit", "SendBurst")]
        {
            assert_eq!(settings[setting]["Ref"], parameter, "{}: {route}", at(&api.id));
        }
    }
}

/// A front whose headers the functions do not read would make its clients one source.
#[test]
fn the_front_sends_the_headers_that_the_functions_read() {
    let project = Project::here();
    let source = project.read("shared/src/http/front.rs").unwrap();
    let constant = |name: &str| {
        let value = source.split(&format!("const {name}: &str = \"")).nth(1).unwrap();
        value.split('"').next().unwrap().to_owned()
    };
    let front = project.read("shared/front.yaml").unwrap().to_lowercase();
    let secret =
        format!("headername: {}, headervalue: !ref originsecret", constant("SECRET_HEADER"));
    assert!(front.contains(&secret), "{secret}");
    let viewer = format!("headers: [{}]", constant("VIEWER_HEADER"));
    assert!(front.contains(&viewer), "{viewer}");
    assert!(front.contains("webaclid: !getatt webacl.arn"));
}

/// The tables that a restore brings back. The others hold what ends, or what must not happen again.
const RESTORED: [&str; 8] =
    ["Users", "Identifiers", "Devices", "Ledger", "Sessions", "Clients", "Audit", "Sequences"];

#[test]
fn tables_are_protected_and_those_of_a_restore_recoverable() {
    let template = template();
    assert!(!template.tables.is_empty());
    for table in template.resources_of("AWS::DynamoDB::Table") {
        let properties = table.properties();
        assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST", "{}", at(&table.id));
        assert_eq!(properties["DeletionProtectionEnabled"], true, "{}", at(&table.id));
        // DynamoDB encrypts every table. The key of AWS in KMS would be billed for each call.
        assert!(properties.get("SSESpecification").is_none(), "{}", at(&table.id));
        // Other stacks, and a restore, know a table by its name.
        let name = format!("${{AWS::StackName}}-{}", table.id);
        assert_eq!(properties["TableName"]["Fn::Sub"], name, "{}", at(&table.id));
        let recovery =
            &properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        let is_restored = RESTORED.contains(&table.id.as_str());
        assert_eq!(*recovery == true, is_restored, "{}", at(&table.id));
    }
    for key in &template.secrets {
        let name = template.resource(&key.id).unwrap().properties()["Name"].clone();
        assert_eq!(name["Fn::Sub"], format!("${{AWS::StackName}}/{}", key.id), "{}", at(&key.id));
    }
}

#[test]
fn tables_and_keys_stay_when_the_stack_is_deleted_and_logs_end() {
    let template = template();
    let kinds = ["AWS::DynamoDB::Table", "AWS::Events::EventBus", "AWS::SecretsManager::Secret"];
    for kind in kinds {
        for resource in template.resources_of(kind) {
            // A stack whose creation failed leaves nothing behind.
            for (policy, expected) in
                [("DeletionPolicy", "RetainExceptOnCreate"), ("UpdateReplacePolicy", "Retain")]
            {
                assert_eq!(resource.body[policy], expected, "{} {policy}", at(&resource.id));
            }
        }
    }
    let groups: Vec<_> = template.resources_of("AWS::Logs::LogGroup").collect();
    assert!(!groups.is_empty());
    for group in groups {
        let days = references(&group.properties()["RetentionInDays"]);
        assert_eq!(days, BTreeSet::from(["LogRetentionDays".to_owned()]), "{}", at(&group.id));
    }
}

/// The guesses at one recipient that a day allows at most: 50 of 100,000 codes are 0.05 %.
const MOST_GUESSES: i64 = 50;

/// The parameters with the guesses at a code of one contract; empty for those of all contracts.
const OF_CONTRACTS: [&str; 4] = [
    "OtpMaxAttemptsGotu",
    "OtpMaxAttemptsGoodcity",
    "OtpMaxAttemptsUrbanfits",
    "OtpMaxAttemptsPosbytz",
];

/// Whether the condition or the assertion of a rule holds for these parameters.
fn holds(value: &Value, parameters: &BTreeMap<&str, String>) -> bool {
    if let Some(inner) = value.get("Fn::Not") {
        return !holds(&inner[0], parameters);
    }
    let Some(arguments) = value.get("Fn::Contains") else { panic!("unknown rule {value}") };
    let parameter = parameters[arguments[1]["Ref"].as_str().unwrap()].as_str();
    arguments[0].as_array().unwrap().iter().any(|value| *value == parameter)
}

/// Whether the rules about guesses accept these parameters.
fn accepts(template: &Template, parameters: &BTreeMap<&str, String>) -> bool {
    let rules = template.document()["Rules"].as_object().unwrap();
    let mut of_guesses = rules.iter().filter(|(name, _)| name.starts_with("GuessesPerDay"));
    of_guesses.all(|(_, rule)| {
        let assertions = rule["Assertions"].as_array().unwrap();
        !holds(&rule["RuleCondition"], parameters)
            || assertions.iter().all(|assertion| holds(&assertion["Assert"], parameters))
    })
}

#[test]
fn rules_refuse_parameters_that_allow_too_many_guesses_a_day() {
    let template = template();
    let bounds = |name: &str| {
        let parameter = &template.parameter(name).unwrap().body;
        parameter["MinValue"].as_i64().unwrap()..=parameter["MaxValue"].as_i64().unwrap()
    };
    let mut refused = 0;
    for attempts in bounds("OtpMaxAttempts") {
        for sends in bounds("OtpSendsPerDay") {
            let mut parameters = BTreeMap::from(OF_CONTRACTS.map(|name| (name, String::new())));
            parameters.insert("OtpMaxAttempts", attempts.to_string());
            parameters.insert("OtpSendsPerDay", sends.to_string());
            let accepted = accepts(&template, &parameters);
            assert!(!accepted || attempts * sends <= MOST_GUESSES, "{attempts} x {sends}");
            refused += u32::from(!accepted);
            for name in OF_CONTRACTS {
                for own in 1..=5 {
                    let mut parameters = parameters.clone();
                    parameters.insert(name, own.to_string());
                    let accepted = accepts(&template, &parameters);
                    assert!(!accepted || own * sends <= MOST_GUESSES, "{name}: {own} x {sends}");
                }
            }
        }
    }
    assert!(refused > 0);
    for name in OF_CONTRACTS {
        let pattern = &template.parameter(name).unwrap().body["AllowedPattern"];
        assert_eq!(pattern, "^[1-5]?$", "{name}");
    }
    let default = |name: &str| template.parameter(name).unwrap().default.parse::<i64>().unwrap();
    assert_eq!(default("OtpMaxAttempts") * default("OtpSendsPerDay"), MOST_GUESSES);
}

/// Metrics of single routes cost as much as 186 metrics of our own, and no alarm and no graph reads one.
#[test]
fn the_gateway_counts_no_single_routes_and_logs_below_a_path_that_needs_no_policy() {
    let template = template();
    let api = template.resources_of("AWS::Serverless::HttpApi").next().unwrap().properties();
    assert!(!api.to_string().contains("DetailedMetricsEnabled"));
    let group = template.resource("ApiLogs").unwrap();
    assert_eq!(
        group.properties()["LogGroupName"]["Fn::Sub"],
        "/aws/vendedlogs/${AWS::StackName}/api"
    );
    let format = api["AccessLogSettings"]["Format"].as_str().unwrap();
    for variable in ["$context.error.message", "$context.integration.latency"] {
        assert!(format.contains(variable), "{format}");
    }
    assert!(!format.contains("query"), "a query may hold personal data");
}

/// A stage that names a parameter wrongly would be refused at the first deployment, or deploy a default.
#[test]
fn each_stage_sets_parameters_of_the_template_to_values_that_they_can_have() {
    let template = template();
    let project = Project::here();
    for stage in ["development", "production"] {
        let path = format!("shared/stages/{stage}.yaml");
        let values: BTreeMap<String, Value> =
            yaml_serde::from_str(&project.read(&path).unwrap()).unwrap();
        assert!(values.contains_key("EmailSender") && values.contains_key("PublicUrl"), "{path}");
        for (name, value) in values {
            let parameter = template.parameter(&name);
            let body = &parameter.unwrap_or_else(|| panic!("{path}: no parameter {name}")).body;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if let Some(allowed) = body["AllowedValues"].as_array() {
                let fits = |one: &Value| *one == text || *one == value;
                assert!(allowed.iter().any(fits), "{path}: {name} cannot be {text}");
            }
            if body["Type"] == "Number" {
                let number: f64 = text.parse().unwrap_or_else(|_| panic!("{path}: {name}"));
                let least = body["MinValue"].as_f64().unwrap_or(f64::MIN);
                let most = body["MaxValue"].as_f64().unwrap_or(f64::MAX);
                assert!((least..=most).contains(&number), "{path}: {name} cannot be {text}");
            }
        }
    }
}

/// What hashes passwords takes a whole core, and can be kept from taking all of the account's concurrency.
#[test]
fn the_functions_that_hash_passwords_can_be_limited_together() {
    let template = template();
    let limited = |parameter: &str| {
        let of = template.functions.iter().filter(|function| {
            let properties = template.resource(&function.id).unwrap().properties();
            properties["ReservedConcurrentExecutions"]["Fn::If"][1]["Ref"] == parameter
        });
        of.map(|function| function.name.clone()).collect::<BTreeSet<_>>()
    };
    let whole_core = template.functions.iter().filter(|function| function.memory_mb == 1769);
    let hashing: BTreeSet<_> = whole_core.map(|function| function.name.clone()).collect();
    assert_eq!(limited("HashingConcurrency"), hashing);
    for (parameter, function) in [
        ("RelayConcurrency", "relay"),
        ("RotationConcurrency", "rotate-keys"),
        ("FallbackConcurrency", "fallback"),
    ] {
        assert_eq!(limited(parameter), BTreeSet::from([function.to_owned()]));
    }
}
