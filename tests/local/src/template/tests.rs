//! Templates in, specifications or clear errors out.

use std::time::Duration;

use serde_json::json;

use super::stores::SecretSource;
use super::*;

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: local }
  Ttl: { Type: Number, Default: 300 }
  Hosts: { Type: CommaDelimitedList, Default: "a.example, b.example" }
  Bare: { Type: String }
Mappings:
  Sizes: { local: { Memory: 256 } }
Conditions:
  IsLocal: !Equals [!Ref Stage, local]
  IsProd: !Not [!Condition IsLocal]
  Both: !And [!Condition IsLocal, { Condition: IsProd }]
  Either: !Or [!Condition IsLocal, !Condition IsProd]
Globals:
  Function:
    Timeout: 10
    MemorySize: !FindInMap [Sizes, !Ref Stage, Memory]
    Environment:
      Variables:
        STAGE: !Ref Stage
        OTP_TTL_SECONDS: !Ref Ttl
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
      TableName: !Sub "${AWS::StackName}-${Stage}-outbox"
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: event_id, AttributeType: S }]
      KeySchema: [{ AttributeName: event_id, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_IMAGE }
      TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }
  Ghost:
    Type: AWS::DynamoDB::Table
    Condition: IsProd
    Properties: { KeySchema: !Ref Nothing }
  OtpKey:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        SecretStringTemplate: "{}"
        GenerateStringKey: key
        PasswordLength: 64
        ExcludePunctuation: true
  Bus:
    Type: AWS::Events::EventBus
    Properties: { Name: !Join ["-", [!Ref "AWS::StackName", events]] }
  PostUsersFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: gotu-post-users } }
    Properties:
      Environment:
        Variables:
          OVERRIDDEN: own
          USERS: !Ref Users
          USERS_ARN: { "Fn::GetAtt": [Users, Arn] }
          BUS: !Ref Bus
          BUS_ARN: !GetAtt Bus.Arn
          KEY: !Ref OtpKey
          LITERAL: !Sub "${!Name} ${Word} ${Users.Arn}"
          MAPPED: !Sub ["${Greeting} ${Stage}", { Greeting: !Select [1, !Ref Hosts] }]
          SPLIT: !Select [0, !Split ["/", "left/right"]]
          CHOSEN: !If [Either, yes-it-is, !Ref Bare]
          DROPPED: !If [Both, "1", !Ref AWS::NoValue]
          FLAG: true
      Events:
        Users: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: post, Path: /users } }
        Any: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: "/any/{id}" } }
  FallbackFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: fallback } }
    Properties:
      Timeout: "3"
      Events:
        Default: { Type: HttpApi, Properties: { ApiId: !Ref Api } }
        Named: { Type: HttpApi, Properties: { Path: $default, Method: ANY } }
  RelayFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: relay } }
    Properties:
      Events:
        Outbox:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Outbox.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 25
            MaximumRetryAttempts: 12
            MaximumBatchingWindowInSeconds: 0
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] }
        Sweep: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }
        Sweep2: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(30 seconds), Input: '{"a":1}' } }
        Nightly: { Type: Schedule, Properties: { Schedule: "cron(0 3 * * ? *)" } }
        Off: { Type: Schedule, Properties: { Schedule: rate(1 hour), Enabled: false } }
"#;

fn template() -> Template {
    let text = TEMPLATE.replace("${Word}", "word");
    Template::parse(&text).unwrap()
}

/// The one line a user would see.
fn mistake(from: &str, to: &str) -> String {
    let text = TEMPLATE.replace("${Word}", "word");
    assert!(text.contains(from), "{from} is not in the template");
    format!("{:#}", Template::parse(&text.replace(from, to)).unwrap_err())
}

#[test]
fn environment_values_are_resolved_and_merged_with_the_global_ones() {
    let template = template();
    let variables = &template.functions.first().unwrap().environment;
    let expected = [
        ("STAGE", "local"),
        ("OTP_TTL_SECONDS", "300"),
        ("OVERRIDDEN", "own"),
        ("USERS", "latchkey-Users"),
        ("USERS_ARN", "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Users"),
        ("BUS", "latchkey-events"),
        ("BUS_ARN", "arn:aws:events:us-east-1:000000000000:event-bus/latchkey-events"),
        ("LITERAL", "${Name} word arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Users"),
        ("MAPPED", "b.example local"),
        ("SPLIT", "left"),
        ("CHOSEN", "yes-it-is"),
        ("FLAG", "true"),
    ];
    for (name, value) in expected {
        assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!variables.contains_key("DROPPED"));
    assert_eq!(variables.get("KEY"), Some(&template.secrets.first().unwrap().arn));
}

#[test]
fn functions_have_their_names_limits_and_routes() {
    let template = template();
    let names: Vec<_> = template.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["gotu-post-users", "fallback", "relay"]);
    let [users, fallback, _] = template.functions.as_slice() else { panic!() };
    assert_eq!((users.timeout, users.memory_mb), (Duration::from_secs(10), 256));
    assert_eq!(fallback.timeout, Duration::from_secs(3));
    let route =
        |method: &str, path: &str| RouteSpec::Path { method: method.into(), path: path.into() };
    assert!(users.routes.contains(&route("POST", "/users")));
    assert!(users.routes.contains(&route("ANY", "/any/{id}")));
    assert_eq!(fallback.routes, [RouteSpec::Default, RouteSpec::Default]);
}

#[test]
fn tables_have_their_names_keys_streams_and_expiry() {
    let template = template();
    let [users, outbox] = template.tables.as_slice() else { panic!("a condition was ignored") };
    assert_eq!((users.id.as_str(), users.name.as_str()), ("Users", "latchkey-Users"));
    assert_eq!((users.streams, &users.ttl_attribute), (false, &None));
    assert_eq!(outbox.name, "latchkey-local-outbox");
    assert_eq!(outbox.ttl_attribute.as_deref(), Some("expires_at"));
    assert_eq!(
        outbox.create.get("StreamSpecification"),
        Some(&json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" }))
    );
}

#[test]
fn the_relay_has_its_stream_and_its_schedules() {
    let template = template();
    let relay = template.functions.last().unwrap();
    let [stream] = relay.streams.as_slice() else { panic!() };
    assert_eq!(stream.table, "latchkey-local-outbox");
    assert_eq!((stream.batch_size, stream.maximum_retries), (25, Some(12)));
    assert!(stream.bisects && stream.reports_item_failures && stream.maximum_age.is_none());
    assert!(stream.filters.iter().all(|f| f.matches(&json!({ "eventName": "INSERT" }))));
    let mut periods: Vec<_> = relay.schedules.iter().map(|s| s.period.as_secs()).collect();
    periods.sort_unstable();
    assert_eq!(periods, [30, 60]);
    assert_eq!(template.gaps.len(), 1, "{:?}", template.gaps);
}

#[test]
fn a_generated_secret_keeps_to_its_rules() {
    let template = template();
    let secret = template.secrets.first().unwrap();
    assert!(
        secret
            .arn
            .starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey-OtpKey-")
    );
    let SecretSource::Generated(rules) = &secret.source else { panic!() };
    assert_eq!(rules.length, 64);
    assert_eq!(rules.alphabet.len(), 62);
    assert_eq!(rules.inside.as_ref().map(|(_, key)| key.as_str()), Some("key"));
}

#[test]
fn a_reference_to_nothing_names_the_place() {
    let message = mistake("!Ref Users", "!Ref Userz");
    assert!(message.contains("PostUsersFunction.Environment"), "{message}");
    assert!(message.contains("USERS") && message.contains("Userz"), "{message}");
}

#[test]
fn a_function_without_a_binary_is_named() {
    let message =
        mistake("Metadata: { BuildProperties: { Binary: fallback } }", "DependsOn: Users");
    assert!(message.contains("FallbackFunction") && message.contains("Binary"), "{message}");
}

#[test]
fn a_parameter_without_a_default_is_named() {
    let message = mistake("CHOSEN: !If [Either, yes-it-is, !Ref Bare]", "CHOSEN: !Ref Bare");
    assert!(message.contains("Bare has no Default"), "{message}");
}

#[test]
fn two_functions_with_one_binary_are_refused() {
    let message = mistake("Binary: fallback", "Binary: relay");
    assert!(message.contains("relay"), "{message}");
}

#[test]
fn a_condition_that_refers_to_itself_is_an_error_and_not_a_crash() {
    let message = mistake("IsProd: !Not [!Condition IsLocal]", "IsProd: !Not [!Condition IsProd]");
    assert!(message.contains("themselves"), "{message}");
}

#[test]
fn a_stream_that_is_not_there_is_an_error() {
    let message =
        mistake("StreamSpecification: { StreamViewType: NEW_IMAGE }", "SSESpecification: {}");
    assert!(message.contains("Outbox"), "{message}");
}

#[test]
fn broken_yaml_is_an_error_with_its_line() {
    let message = format!("{:#}", Template::parse("Resources:\n  - : [").unwrap_err());
    assert!(message.contains("not valid YAML") && message.contains("line"), "{message}");
}

#[test]
fn an_attribute_nobody_knows_names_the_resource() {
    let message = mistake("!GetAtt Bus.Arn", "!GetAtt Bus.Colour");
    assert!(message.contains("Colour") && message.contains("Bus"), "{message}");
}
