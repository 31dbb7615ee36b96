//! The policies of the event bus: what other accounts may do with it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::project::Project;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use template::Template;

/// What an account needs to have rules of its own (EventBridge, "Permissions for event buses").
const ACTIONS: [&str; 11] = [
    "events:DeleteRule",
    "events:DescribeRule",
    "events:DisableRule",
    "events:EnableRule",
    "events:ListTagsForResource",
    "events:ListTargetsByRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "events:TagResource",
    "events:UntagResource",
];

/// The policies, each with its logical id. They do not exist with the defaults of the parameters.
fn policies(document: &Value) -> Vec<(String, Value)> {
    let resources = document["Resources"].as_object().unwrap();
    let policies =
        resources.iter().filter(|(_, body)| body["Type"] == "AWS::Events::EventBusPolicy");
    policies.map(|(id, body)| (id.clone(), body.clone())).collect()
}

#[test]
fn no_account_may_use_the_bus_unless_a_parameter_names_it() {
    let template = Template::load().unwrap();
    for (parameter, condition) in
        [("EventAccounts", "HasEventAccounts"), ("EventOrganization", "HasEventOrganization")]
    {
        assert_eq!(template.parameter(parameter).unwrap().default, "", "{parameter}");
        let declared = &template.document()["Conditions"][condition];
        let expected = json!({"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]});
        assert_eq!(declared, &expected, "{condition}");
        let of_condition = policies(template.document());
        let of_condition = of_condition.iter().filter(|(_, body)| body["Condition"] == condition);
        assert_eq!(of_condition.count(), 1, "{condition}");
    }
    assert_eq!(policies(template.document()).len(), 2);
    assert_eq!(template.resources_of("AWS::Events::EventBusPolicy").count(), 0);
    // A bus with a policy of its own would need another test.
    assert!(
        template
            .resources_of("AWS::Events::EventBus")
            .all(|bus| bus.properties()["Policy"].is_null())
    );
}

#[test]
fn another_account_can_manage_its_own_rules_and_put_no_events() {
    let template = Template::load().unwrap();
    let rules = json!({"Fn::Sub":
        "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${EventBus}/*"});
    let own = json!({"events:creatorAccount": "${aws:PrincipalAccount}"});
    for (id, body) in policies(template.document()) {
        let properties = &body["Properties"];
        assert_eq!(properties["EventBusName"], json!({"Ref": "EventBus"}), "{id}");
        let statement = &properties["Statement"];
        assert_eq!(statement["Effect"], "Allow", "{id}");
        let actions = statement["Action"].as_array().unwrap();
        let actions: BTreeSet<_> = actions.iter().map(|action| action.as_str().unwrap()).collect();
        assert_eq!(actions, ACTIONS.into(), "{id}");
        assert_eq!(statement["Resource"], rules, "{id}");
        let conditions = statement["Condition"].as_object().unwrap();
        assert_eq!(conditions["StringEqualsIfExists"], own, "{id}");
        if statement["Principal"] == "*" {
            // Without this condition, every account in the world could make rules.
            let member = json!({"aws:PrincipalOrgID": {"Ref": "EventOrganization"}});
            assert_eq!(conditions["StringEquals"], member, "{id}");
        } else {
            let named = json!({"AWS": {"Fn::Split": [",", {"Ref": "EventAccounts"}]}});
            assert_eq!(statement["Principal"], named, "{id}");
        }
    }
}

#[test]
fn the_rule_of_the_example_for_another_account_uses_the_bus_by_its_arn() {
    let project = Project::here();
    let example = project.read("tests/examples/consumer/other-account.yaml").unwrap();
    for needed in
        ["EventBusName: !Ref LatchkeyBusArn", "Arn: !GetAtt Inbox.Arn", "Action: events:PutEvents"]
    {
        assert!(example.contains(needed), "{needed}");
    }
}
