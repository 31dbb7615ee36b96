//! Tests of the reader of another team's template.

use super::*;
use serde_json::json;

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  BusName: { Type: String, Default: latchkey-events }
  Given: { Type: String }
  OfSystemsManager: { Type: "AWS::SSM::Parameter::Value<String>", Default: /bus }
  Stage: { Type: String, Default: dev }
Mappings:
  Names:
    000000000000: { queue: mapped }
Conditions:
  Live: !Equals [!Ref Stage, live]
Resources:
  NewUsers:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: latchkey-events
      EventPattern:
        source: [auth-service]
        detail-type: [AUTH_USER_CREATED]
        account: [!Ref AWS::AccountId]
      Targets:
        - { Id: queue, Arn: !GetAtt NewUsersQueue.Arn }
        - { Id: part, Arn: !Sub "${NewUsersQueue.Arn}", InputPath: $.detail }
        - { Id: log, Arn: !Sub "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:x" }
  NewUsersQueue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 5
      DelaySeconds: 1
      MessageRetentionPeriod: 60
      ReceiveMessageWaitTimeSeconds: 2
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Letters.Arn, maxReceiveCount: 3 }
  Letters: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "letters-${Stage}" } }
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties: { Queues: [!Ref NewUsersQueue], PolicyDocument: {} }
  Welcome:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Events:
        Created:
          Type: EventBridgeRule
          Properties:
            EventBusName: !Ref BusName
            Pattern: { detail-type: [user.created] }
            Input: '{"constant":true}'
        Http: { Type: HttpApi }
        Queue: { Type: SQS, Properties: { Queue: !GetAtt NewUsersQueue.Arn } }
"#;

fn buses() -> Vec<EventBus> {
    vec![EventBus { id: "Bus".to_owned(), name: "latchkey-events".to_owned() }]
}

fn parse(template: &str) -> anyhow::Result<OtherTemplate> {
    OtherTemplate::parse(template, "crm", &buses())
}

/// The template with one text replaced.
fn changed(from: &str, to: &str) -> OtherTemplate {
    assert!(TEMPLATE.contains(from), "{from} is not in the template");
    parse(&TEMPLATE.replacen(from, to, 1)).unwrap()
}

fn names(template: &OtherTemplate) -> Vec<&str> {
    template.rules.iter().map(|rule| rule.name.as_str()).collect()
}

fn has_note(template: &OtherTemplate, note: &str) -> bool {
    template.notes.iter().any(|found| found == note)
}

#[test]
fn rules_have_patterns_and_targets_with_their_queues() {
    let template = parse(TEMPLATE).unwrap();
    assert_eq!(names(&template), ["NewUsers", "Welcome.Created"]);
    let [rule, event] = template.rules.as_slice() else { panic!() };
    let pattern = json!({"source": ["auth-service"], "detail-type": ["AUTH_USER_CREATED"],
        "account": ["000000000000"]});
    assert_eq!((&rule.pattern, rule.bus.as_deref()), (&pattern, Some("latchkey-events")));
    let target = |id: &str, queue: &str, input: Input| Target {
        id: id.to_owned(),
        queue: queue.to_owned(),
        input,
    };
    assert_eq!(
        rule.targets,
        [
            target("queue", "crm-NewUsersQueue", Input::Event),
            target("part", "crm-NewUsersQueue", Input::Path("$.detail".to_owned())),
            target("log", "crm-NewUsers-log", Input::Event),
        ]
    );
    assert_eq!(event.pattern, json!({"detail-type": ["user.created"]}));
    let constant = Input::Constant(r#"{"constant":true}"#.to_owned());
    assert_eq!(event.targets, [target("Welcome", "crm-Welcome", constant)]);
}

#[test]
fn a_transformer_has_its_text_and_its_paths() {
    let transformer = "InputTransformer: { InputPathsMap: { user: $.detail.userId }, \
        InputTemplate: '{\"user\": <user>}' }";
    let template = changed("InputPath: $.detail", transformer);
    let input = Input::Transformed {
        template: r#"{"user": <user>}"#.to_owned(),
        paths: BTreeMap::from([("user".to_owned(), "$.detail.userId".to_owned())]),
    };
    assert_eq!(template.rules[0].targets[1].input, input);
}

#[test]
fn queues_have_their_settings_and_names() {
    let template = parse(TEMPLATE).unwrap();
    let queues: Vec<_> = template.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(queues, ["letters-dev", "crm-NewUsersQueue", "crm-NewUsers-log", "crm-Welcome"]);
    let redrive = Redrive { queue: "letters-dev".to_owned(), after: 3 };
    let queue = Queue {
        name: "crm-NewUsersQueue".to_owned(),
        visibility_timeout: Duration::from_secs(5),
        delay: Duration::from_secs(1),
        retention: Duration::from_mins(1),
        wait: Duration::from_secs(2),
        redrive: Some(redrive),
    };
    assert_eq!(template.queues[1], queue);
    assert_eq!(template.queues[0], Queue::new("letters-dev".to_owned()));
    let mapped = "QueueName: !FindInMap [Names, !Ref AWS::AccountId, queue]";
    let mapped = changed(r#"QueueName: !Sub "letters-${Stage}""#, mapped);
    assert_eq!(mapped.queues[0].name, "mapped");
    let joined =
        r#"QueueName: !Join ["-", [a, !Select [1, [x, b]], !Sub ["${c}", { c: !Ref Stage }]]]"#;
    let joined = changed(r#"QueueName: !Sub "letters-${Stage}""#, joined);
    assert_eq!(joined.queues[0].name, "a-b-dev");
}

#[test]
fn what_does_not_run_here_is_noted() {
    let template = parse(TEMPLATE).unwrap();
    assert_eq!(
        template.notes,
        [
            "the target log of the rule NewUsers does not run here: read the events from the queue \
             crm-NewUsers-log, which takes its place",
            "the function Welcome does not run here: read the events from the queue crm-Welcome, \
             which takes its place",
            "the function Welcome does not run here: read the queue crm-NewUsersQueue instead of it",
        ]
    );
    let without = changed("Queues: [!Ref NewUsersQueue]", "Queues: [!Ref Letters]");
    assert!(has_note(
        &without,
        "the queue crm-NewUsersQueue has no AWS::SQS::QueuePolicy: on AWS, EventBridge may not \
         send to it"
    ));
    let unknown = changed("InputPath: $.detail", "InputTransformer: { InputTemplate: !Ref Given }");
    assert!(has_note(
        &unknown,
        "the target part of the rule NewUsers gets whole events: its InputTransformer has no value \
         here"
    ));
    let letters = changed("!GetAtt Letters.Arn", "arn:aws:sqs:us-east-1:1:elsewhere");
    assert!(letters.queues[1].redrive.is_none());
    assert!(letters.notes[0].starts_with("the queue crm-NewUsersQueue has no dead letter queue"));
    let fifo = changed("VisibilityTimeout: 5", "FifoQueue: true");
    assert!(fifo.notes[0].contains("without the order and the deduplication of a FIFO queue"));
}

#[test]
fn a_rule_counts_unless_it_names_another_bus() {
    for bus in [
        "!Ref BusName",
        "!Ref Given",
        "!Ref OfSystemsManager",
        "!ImportValue latchkey-bus",
        r#"!Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/latchkey-events""#,
        "'{{resolve:ssm:/bus}}'",
    ] {
        let template = changed("EventBusName: latchkey-events", &format!("EventBusName: {bus}"));
        assert_eq!(names(&template), ["NewUsers", "Welcome.Created"], "{bus}");
    }
    for (from, to, why) in [
        ("EventBusName: latchkey-events", "EventBusName: orders", "it is on another bus, orders"),
        ("EventBusName: latchkey-events", "EventBusName: !Ref Stage", "it is on another bus, dev"),
        ("EventBusName: latchkey-events", "Name: x", "it is on the default bus"),
        (
            "[auth-service]",
            "[!Ref Given]",
            "its pattern has no value here, because of the parameter Given, which has no default",
        ),
    ] {
        let template = changed(from, to);
        assert_eq!(names(&template), ["Welcome.Created"], "{to}");
        assert!(has_note(&template, &format!("the rule NewUsers is left out: {why}")), "{to}");
    }
    let bus = "EventBusName: latchkey-events";
    let disabled = changed(bus, &format!("State: DISABLED\n      {bus}"));
    assert!(has_note(&disabled, "the rule NewUsers is left out: it is disabled"));
    let rule = "Type: AWS::Events::Rule";
    let conditional = changed(rule, &format!("{rule}\n    Condition: Live"));
    assert_eq!(names(&conditional), ["Welcome.Created"]);
}

#[test]
fn a_file_without_a_rule_for_this_project_is_refused() {
    let message = |template: &str| format!("{:#}", parse(template).unwrap_err());
    assert!(message("a: [").starts_with("not valid YAML or JSON"));
    assert_eq!(message("{}"), "it has no Resources");
    assert_eq!(
        message("Resources: { Queue: { Type: AWS::SQS::Queue } }"),
        "it has no rule that takes events of this project: no rule at all"
    );
    let other = r#"{"Resources": {"R": {"Type": "AWS::Events::Rule", "Properties":
        {"EventBusName": "orders", "EventPattern": {"source": ["x"]}}}}}"#;
    assert_eq!(
        message(other),
        "it has no rule that takes events of this project: the rule R is left out: it is on another \
         bus, orders"
    );
    let itself = TEMPLATE.replace("letters-${Stage}", "${Letters.QueueName}");
    assert!(parse(&itself).unwrap().queues.iter().any(|queue| queue.name == "crm-Letters"));
}

#[test]
fn a_stack_has_the_name_of_its_file_or_folder() {
    assert_eq!(stack_name(Path::new("/a/crm_events.yaml")), "crm-events");
    assert_eq!(stack_name(Path::new("/a/crm/template.yaml")), "crm");
}
