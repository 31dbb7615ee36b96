"""Checks what the policies of the event bus allow to other accounts, with the evaluator of policies of the emulated account.

usage: event_accounts.py     prints one line per check
"""

import json
import sys
from pathlib import Path

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

sys.path.insert(0, str(Path(__file__).resolve().parent))
import template as project  # noqa: E402

OWNER, REGION = project.PSEUDO["AWS::AccountId"], project.PSEUDO["AWS::Region"]
NAMED, ALSO_NAMED, STRANGER = "111111111111", "222222222222", "333333333333"
ORGANIZATION = "o-abcdefghij"
BUS = f"arn:aws:events:{REGION}:{OWNER}:event-bus/latchkey-events"
RULE = f"arn:aws:events:{REGION}:{OWNER}:rule/latchkey-events/crm"
# What a stack of CloudFormation with a rule needs from its creation to its end.
LIFE = ["PutRule", "DescribeRule", "TagResource", "PutTargets", "ListTargetsByRule", "RemoveTargets", "DisableRule", "DeleteRule"]


def policy(name):
    """The statement of a policy as text, with the parameters of this check."""
    statement = project.load()["Resources"][name]["Properties"]["Statement"]
    parameters = {"EventAccounts": f"{NAMED},{ALSO_NAMED}", "EventOrganization": ORGANIZATION, "EventBus": "latchkey-events"}

    def resolved(value):
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return parameters[value["Ref"]]
        if "Fn::Split" in value:
            return resolved(value["Fn::Split"][1]).split(value["Fn::Split"][0])
        if "Fn::Sub" in value:
            text = value["Fn::Sub"]
            for known, own in {**project.PSEUDO, **parameters}.items():
                text = text.replace(f"${{{known}}}", own)
            return text
        return {key: resolved(inner) for key, inner in value.items()}

    return json.dumps({"Version": "2012-10-17", "Statement": [resolved(statement)]})


def allows(document, caller, action, resource, creator=None, organization=None):
    # IAM fills in this variable; the evaluator of the emulator does not.
    document = document.replace("${aws:PrincipalAccount}", caller)
    context = {"events:creatoraccount": creator} if creator else {}
    keys = {"aws:principalorgid": organization} if organization else {}
    role = f"arn:aws:sts::{caller}:assumed-role/deploy/session"
    asked = EvalContext(role, "AssumedRole", caller, f"events:{action}", resource, REGION, service_context=context, principal_keys=keys)
    return evaluate_resource_policy(document, asked).decision == "Allow"


def main():
    accounts, organization = policy("RulesOfAccounts"), policy("RulesOfOrganization")
    member = {"organization": ORGANIZATION}
    checks = {
        "a named account makes a rule": allows(accounts, NAMED, "PutRule", RULE),
        "and so does another one": allows(accounts, ALSO_NAMED, "PutRule", RULE),
        "an account manages its rule": all(allows(accounts, NAMED, action, RULE, NAMED) for action in LIFE),
        "not that of another account": not any(allows(accounts, NAMED, action, RULE, ALSO_NAMED) for action in LIFE),
        "not those of this account": not any(allows(accounts, NAMED, action, RULE, OWNER) for action in LIFE),
        "it puts no events": not allows(accounts, NAMED, "PutEvents", BUS),
        "it starts no replay": not allows(accounts, NAMED, "StartReplay", BUS),
        "it makes no rule on another bus": not allows(accounts, NAMED, "PutRule", RULE.replace("latchkey-events", "default")),
        "an account that is not named can do nothing": not any(allows(accounts, STRANGER, action, RULE) for action in LIFE),
        "a member of the organization makes a rule": allows(organization, STRANGER, "PutRule", RULE, **member),
        "and manages it": all(allows(organization, STRANGER, action, RULE, STRANGER, **member) for action in LIFE),
        "not that of another member": not any(allows(organization, STRANGER, action, RULE, NAMED, **member) for action in LIFE),
        "a member puts no events": not allows(organization, STRANGER, "PutEvents", BUS, **member),
        "another organization can do nothing": not allows(organization, STRANGER, "PutRule", RULE, organization="o-0000000000"),
        "an account without one can do nothing": not allows(organization, STRANGER, "PutRule", RULE),
    }
    for name, holds in checks.items():
        if not holds:
            print(f"FAILED  event accounts {name}: no")
    if all(checks.values()):
        print(f"ok  event accounts {len(checks)} rules of who may do what hold")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
