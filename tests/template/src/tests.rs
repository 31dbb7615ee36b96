//! A small template and the project's own, read and refused.

use super::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Topic: { Type: String, Default: "" }
  Ttl: { Type: Number, Default: 300, MinValue: 60 }
Conditions:
  HasTopic: !Not [!Equals [!Ref Topic, ""]]
Globals:
  Function:
    Timeout: 10
    MemorySize: 256
    LoggingConfig: { LogGroup: !Ref Logs }
    Environment:
      Variables:
        STACK: !Ref AWS::StackName
        TTL: !Ref Ttl
        OVERRIDDEN: global
Resources:
  Api: { Type: AWS::Serverless::HttpApi }
  Users:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: user_id, AttributeType: S }]
      KeySchema: [{ AttributeName: user_id, KeyType: HASH }]
  Outbox:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: event_id, AttributeType: S }]
      KeySchema: [{ AttributeName: event_id, KeyType: HASH }]
      StreamSpecification: { StreamViewType: KEYS_ONLY }
      TimeToLiveSpecification: { AttributeName: purge_at, Enabled: true }
  OtpKey:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: { SecretStringTemplate: "{}", GenerateStringKey: key, PasswordLength: 64, ExcludePunctuation: true }
  Bus:
    Type: AWS::Events::EventBus
    Properties: { Name: !Sub "${AWS::StackName}-events" }
  Logs: { Type: AWS::Logs::LogGroup }
  RelayLogs: { Type: AWS::Logs::LogGroup }
  WarmUp:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: WarmUp
            Effect: Allow
            Action: dynamodb:GetItem
            Resource: !GetAtt Users.Arn
            Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [warm-up] } }
  GotuPostUsersFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: gotu-post-users } }
    Properties:
      Description: "POST /users (Gotu): sign up"
      Environment:
        Variables:
          OVERRIDDEN: own
          USERS: !Ref Users
          USERS_ARN: { "Fn::GetAtt": [Users, Arn] }
          BUS: !Ref Bus
          KEY: !Ref OtpKey
          TEXT: !Sub "a ${Users.Arn} of ${Ttl}"
          CHOSEN: !If [HasTopic, some, none]
          DROPPED: !If [HasTopic, some, !Ref AWS::NoValue]
          FLAG: true
      Events:
        Users: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: POST, Path: /users } }
      Policies:
        - !Ref WarmUp
        - Version: "2012-10-17"
          Statement:
            - Sid: SignUp
              Effect: Allow
              Action: [dynamodb:PutItem, dynamodb:UpdateItem]
              Resource: [!GetAtt Users.Arn, !Ref OtpKey, "*"]
  FallbackFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: fallback } }
    Properties:
      Timeout: 3
      Events:
        Default: { Type: HttpApi, Properties: { ApiId: !Ref Api } }
  RotateKeysFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: rotate-keys } }
    Properties:
      Events:
        Rotation: { Type: Schedule, Properties: { Schedule: rate(15 minutes) } }
  RelayFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: relay } }
    Properties:
      LoggingConfig: { LogGroup: !Ref RelayLogs }
      Events:
        Outbox:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Outbox.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 25
            ParallelizationFactor: 10
            MaximumRetryAttempts: 12
            MaximumRecordAgeInSeconds: 60
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] }
  ErrorsAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: A function failed
      Metrics:
        - { Id: errors, Expression: "SUM(METRICS())" }
        - { Id: e1, MetricStat: { Metric: { Dimensions: [{ Name: FunctionName, Value: !Ref RelayFunction }] } } }
        - { Id: e2, Expression: !Sub "SELECT SUM(Errors) WHERE FunctionName = '${FallbackFunction}'" }
      Threshold: !Ref Ttl
"#;

fn template() -> Template {
    Template::parse(TEMPLATE).unwrap()
}

/// The error of the template with one text replaced.
fn error(from: &str, to: &str) -> String {
    assert!(TEMPLATE.contains(from), "{from} is not in the template");
    format!("{:#}", Template::parse(&TEMPLATE.replacen(from, to, 1)).unwrap_err())
}

#[test]
fn environment_values_are_resolved_and_merged_with_the_global_ones() {
    let template = template();
    let variables = &template.function("gotu-post-users").unwrap().environment;
    let expected = [
        ("STACK", "latchkey"),
        ("TTL", "300"),
        ("OVERRIDDEN", "own"),
        ("USERS", "latchkey-Users"),
        ("USERS_ARN", "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Users"),
        ("BUS", "latchkey-events"),
        ("TEXT", "a arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Users of 300"),
        ("CHOSEN", "none"),
        ("FLAG", "true"),
    ];
    for (name, value) in expected {
        assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!variables.contains_key("DROPPED"));
    assert_eq!(variables.get("KEY"), Some(&template.secrets[0].arn));
}

#[test]
fn functions_have_names_limits_routes_and_log_groups() {
    let template = template();
    let names: Vec<_> = template.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["gotu-post-users", "fallback", "rotate-keys", "relay"]);
    let [users, fallback, _, relay] = template.functions.as_slice() else { panic!() };
    assert_eq!((users.timeout, users.memory_mb), (Duration::from_secs(10), 256));
    assert_eq!(users.description, "POST /users (Gotu): sign up");
    assert_eq!(users.routes().collect::<Vec<_>>(), [("POST", "/users")]);
    assert!(!users.has_default_route() && fallback.has_default_route());
    assert_eq!(fallback.timeout, Duration::from_secs(3));
    assert_eq!(users.log_group.as_deref(), Some("Logs"));
    assert_eq!(relay.log_group.as_deref(), Some("RelayLogs"));
}

#[test]
fn rights_are_those_of_inline_and_of_managed_policies() {
    let template = template();
    let [warm_up, sign_up] = template.functions[0].statements.as_slice() else { panic!() };
    assert_eq!((warm_up.sid.as_str(), sign_up.sid.as_str()), ("WarmUp", "SignUp"));
    assert_eq!(warm_up.effect, Effect::Allow);
    assert_eq!(warm_up.managed_policy.as_deref(), Some("WarmUp"));
    assert_eq!(
        warm_up.condition,
        Some(json!({ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["warm-up"] } }))
    );
    assert_eq!(warm_up.resources, ["Users"]);
    assert_eq!(sign_up.actions, ["dynamodb:PutItem", "dynamodb:UpdateItem"]);
    assert_eq!(sign_up.resources, ["Users", "OtpKey", "*"]);
    assert_eq!((&sign_up.condition, &sign_up.managed_policy), (&None, &None));
}

#[test]
fn tables_have_names_keys_streams_and_expiry() {
    let template = template();
    let [users, outbox] = template.tables.as_slice() else { panic!() };
    assert_eq!((users.id.as_str(), users.name.as_str()), ("Users", "latchkey-Users"));
    assert_eq!((users.has_stream, &users.ttl_attribute), (false, &None));
    assert_eq!(outbox.ttl_attribute.as_deref(), Some("purge_at"));
    assert_eq!(
        outbox.create,
        json!({
            "TableName": "latchkey-Outbox",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "event_id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "event_id", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
        })
    );
}

#[test]
fn the_relay_has_its_stream_and_the_rotation_its_schedule() {
    let template = template();
    let stream = Stream {
        name: "Outbox".to_owned(),
        table: "latchkey-Outbox".to_owned(),
        batch_size: 25,
        parallelization: 10,
        maximum_retries: 12,
        maximum_age: Duration::from_mins(1),
        event_names: vec!["INSERT".to_owned()],
        key_prefixes: Vec::new(),
    };
    assert_eq!(template.function("relay").unwrap().streams().collect::<Vec<_>>(), [&stream]);

    let keys =
        r#"["INSERT"],"dynamodb":{"Keys":{"event_id":{"S":[{"prefix":"m#"},{"prefix":"0"}]}}}}"#;
    let text = TEMPLATE.replace(r#"["INSERT"]}"#, keys);
    let template = Template::parse(&text).unwrap();
    let prefixes = ["m#", "0"].map(str::to_owned).to_vec();
    let stream = Stream { key_prefixes: prefixes, ..stream };
    assert_eq!(template.function("relay").unwrap().streams().collect::<Vec<_>>(), [&stream]);
    let schedule =
        Schedule { name: "Rotation".to_owned(), period: Duration::from_mins(15), input: None };
    let rotation = template.function("rotate-keys").unwrap();
    assert_eq!(rotation.schedules().collect::<Vec<_>>(), [&schedule]);
    let input = r#"Schedule: rate(15 minutes), Input: '{"part":1}'"#;
    let text = TEMPLATE.replace("Schedule: rate(15 minutes)", input);
    let template = Template::parse(&text).unwrap();
    let rotation = template.function("rotate-keys").unwrap();
    let inputs: Vec<_> = rotation.schedules().map(|schedule| schedule.input.as_ref()).collect();
    assert_eq!(inputs, [Some(&json!({"part": 1}))]);
}

#[test]
fn an_index_is_a_part_of_its_table() {
    let index = "[{ IndexName: due, KeySchema: [{ AttributeName: shard, KeyType: HASH }] }]";
    let stream = "StreamSpecification: { StreamViewType: KEYS_ONLY }";
    let text =
        TEMPLATE.replace(stream, &format!("{stream}\n      GlobalSecondaryIndexes: {index}"));
    let right = "Resource: [!Sub \"${Outbox.Arn}/index/due\", ";
    let text = text.replace("Resource: [", right);
    let template = Template::parse(&text).unwrap();
    let table = template.tables.iter().find(|table| table.id == "Outbox").unwrap();
    assert_eq!(table.create["GlobalSecondaryIndexes"][0]["IndexName"], "due");
    let function = template.function("gotu-post-users").unwrap();
    let resources = function.statements.iter().flat_map(|statement| &statement.resources);
    assert!(resources.collect::<Vec<_>>().contains(&&"Outbox/index/due".to_owned()), "{text}");
}

#[test]
fn a_secret_has_the_rules_of_its_first_value() {
    let template = template();
    let secret = &template.secrets[0];
    let prefix = "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey-OtpKey-";
    assert!(secret.arn.starts_with(prefix), "{}", secret.arn);
    assert_eq!((secret.length, secret.key.as_str()), (64, "key"));
}

#[test]
fn an_alarm_names_the_functions_of_its_metrics() {
    let template = template();
    let alarm = &template.alarms[0];
    let functions = ["FallbackFunction", "RelayFunction"].map(str::to_owned);
    assert_eq!(alarm.functions, BTreeSet::from(functions));
    let threshold = template.resolve(&alarm.properties["Threshold"]).unwrap();
    assert_eq!(threshold, Some(json!("300")));
}

#[test]
fn the_document_has_tags_in_their_long_form() {
    let template = template();
    let value = |pointer: &str| template.document().pointer(pointer).unwrap();
    assert_eq!(
        value("/Resources/Bus/Properties/Name"),
        &json!({ "Fn::Sub": "${AWS::StackName}-events" })
    );
    assert_eq!(
        value("/Resources/WarmUp/Properties/PolicyDocument/Statement/0/Resource"),
        &json!({ "Fn::GetAtt": ["Users", "Arn"] })
    );
    assert_eq!(
        value("/Conditions/HasTopic"),
        &json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Topic" }, ""] }] })
    );
    assert_eq!(template.parameter("Ttl").unwrap().body["MinValue"], 60);
}

#[test]
fn a_resource_exists_if_its_condition_holds() {
    let conditional = TEMPLATE.replace(
        "Type: AWS::Events::EventBus",
        "Type: AWS::Events::EventBus\n    Condition: HasTopic",
    );
    let buses = |template: &str| Template::parse(template).unwrap().buses.len();
    assert_eq!(buses(&conditional), 0);
    let topic = conditional.replace(r#"Default: "" }"#, "Default: topic }");
    assert_eq!(buses(&topic), 1);
}

#[test]
fn what_the_template_does_not_use_is_refused_with_its_path() {
    for (from, to, expected) in [
        (
            r#"Name: !Sub "${AWS::StackName}-events""#,
            r#"Name: !Join ["-", [a, b]]"#,
            "unsupported intrinsic Fn::Join at Resources.Bus.Properties.Name",
        ),
        (
            "TTL: !Ref Ttl",
            r#"TTL: { "Fn::ImportValue": x }"#,
            "unsupported intrinsic Fn::ImportValue at Globals.Function.Environment.Variables.TTL",
        ),
        (
            "Logs: { Type: AWS::Logs::LogGroup }",
            "Logs: { Type: AWS::SNS::Topic }",
            "unsupported resource type AWS::SNS::Topic at Resources.Logs",
        ),
        (
            "Users: { Type: HttpApi",
            "Users: { Type: SQS",
            r#"unsupported event type "SQS" at Resources.GotuPostUsersFunction.Properties.Events.Users.Properties"#,
        ),
        (
            "Path: /users",
            "Path: '/users/{id}'",
            "unsupported route POST /users/{id} at Resources.GotuPostUsersFunction.Properties.Events.Users.Properties: \
             expected a method and an exact path",
        ),
        (
            "rate(15 minutes)",
            "cron(0 3 * * ? *)",
            "unsupported schedule \"cron(0 3 * * ? *)\" at \
             Resources.RotateKeysFunction.Properties.Events.Rotation.Properties: expected rate(…)",
        ),
        (
            r#"["INSERT"]}"#,
            r#"[{"prefix":"IN"}]}"#,
            "unsupported filter at Resources.RelayFunction.Properties.Events.Outbox.Properties.FilterCriteria: \
             expected {\"eventName\":[…]}, and prefixes of one key",
        ),
        (
            "BatchSize: 25",
            "BatchSize: 25\n            MaximumBatchingWindowInSeconds: 1",
            "unsupported property MaximumBatchingWindowInSeconds at \
             Resources.RelayFunction.Properties.Events.Outbox.Properties",
        ),
        (
            "TimeToLiveSpecification",
            "LocalSecondaryIndexes",
            "unsupported property LocalSecondaryIndexes at Resources.Outbox.Properties",
        ),
        (
            "{ Type: String,",
            "{ Type: CommaDelimitedList,",
            "unsupported type CommaDelimitedList at Parameters.Topic",
        ),
        (
            "Type: AWS::Events::EventBus",
            "Type: AWS::Events::EventBus\n    Condition: HasBus",
            "no such condition at Resources.Bus",
        ),
    ] {
        assert_eq!(error(from, to), expected);
    }
}

#[test]
fn a_mistake_is_one_line_with_its_path() {
    for (from, to, expected) in [
        (
            "USERS: !Ref Users",
            "USERS: !Ref Userz",
            "no parameter or resource Userz, referred to at \
             Resources.GotuPostUsersFunction.Properties.Environment.Variables.USERS",
        ),
        (
            "Outbox.StreamArn",
            "Users.StreamArn",
            "not the stream of a table at \
             Resources.RelayFunction.Properties.Events.Outbox.Properties.Stream",
        ),
        (
            "BuildProperties: { Binary: fallback }",
            "BuildMethod: makefile",
            "no name at Resources.FallbackFunction.Metadata.BuildProperties.Binary",
        ),
        (
            "Binary: fallback",
            "Binary: relay",
            "binary relay of both Resources.FallbackFunction and Resources.RelayFunction",
        ),
        (
            "${AWS::StackName}-events",
            "${Bus}-events",
            "unsupported reference to the resource Bus at Resources.Bus.Properties.Name",
        ),
        ("{ Type: String, Default: \"\" }", "{ Type: String }", "no Default at Parameters.Topic"),
        (
            "- !Ref WarmUp",
            "- !Ref Users",
            "no managed policy Users for Resources.GotuPostUsersFunction.Properties.Policies.0",
        ),
    ] {
        assert_eq!(error(from, to), expected);
    }
}

#[test]
fn invalid_yaml_is_an_error_with_its_line() {
    let message = format!("{:#}", Template::parse("Resources:\n  - : [").unwrap_err());
    assert!(message.contains("not valid YAML") && message.contains("line"), "{message}");
}

#[test]
fn the_template_of_the_project_is_supported() {
    let template = Template::load().unwrap();
    assert!(template.functions.len() > 20 && template.alarms.len() > 10);
    for resource in &template.resources {
        template.resolve(resource.properties()).unwrap();
    }
}
