"""What the emulated account cannot take of the template, with the reasons, and the check of this list.

usage: left_out.py BUILD     BUILD: the output of sam build (.aws-sam/build); prints one line per check

The emulator takes out what the list names, after the SAM transform, and nothing else is taken out. The check deploys the stacks and
fails if a resource is missing that the list does not name, or if the emulator takes now what the list names.
"""

import collections
import json
import sys
import tempfile
from pathlib import Path

METRIC_MATH = "AWS::CloudWatch::Alarm with Metrics"
APPLICATION = "AWS::CodeDeploy::Application"
GROUP = "AWS::CodeDeploy::DeploymentGroup"
# Why the emulator does not take a resource.
REASONS = {
    METRIC_MATH: "The emulator evaluates alarms of one metric alone. tests/cloudwatch evaluates the others.",
    APPLICATION: "The emulator has no CodeDeploy. An update moves an alias at once.",
    GROUP: "As before: no canary runs and nothing rolls a version back.",
}
# What must be refused as long as the list names it: a resource of each kind.
PROBES = {
    METRIC_MATH: {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "Metrics": [
                {
                    "Id": "one",
                    "MetricStat": {"Metric": {"Namespace": "Probe", "MetricName": "Probe"}, "Period": 60, "Stat": "Sum"},
                    "ReturnData": False,
                },
                {"Id": "twice", "Expression": "one * 2"},
            ],
        },
    },
    APPLICATION: {"Type": APPLICATION, "Properties": {"ComputePlatform": "Lambda"}},
    GROUP: {
        "Type": GROUP,
        "Properties": {"ApplicationName": "probe", "ServiceRoleArn": "arn:aws:iam::000000000000:role/probe"},
    },
}


def kind(resource):
    """The name of a resource in the list, or its type."""
    if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
        return METRIC_MATH
    return resource["Type"]


def cut(template):
    """Takes out of a transformed template what the list names, and the updates of aliases that refer to it."""
    resources = template["Resources"]
    removed = {name for name, resource in resources.items() if kind(resource) in REASONS}
    for name in removed:
        del resources[name]
    for resource in resources.values():
        if "CodeDeployLambdaAliasUpdate" in resource.get("UpdatePolicy", {}):
            del resource["UpdatePolicy"]
    return template


def expected(part):
    """The kinds of the resources that a stack has on AWS, with their numbers."""
    # Only this check needs the SAM transform; the emulator has its own.
    import dependency_cycles
    import template as project

    template = json.loads(json.dumps(part))
    if "Transform" in template:
        template = dependency_cycles.transformed(template)
    made = [one for one in template["Resources"].values() if "Condition" not in one or project.applies(template, one["Condition"])]
    return collections.Counter(kind(one) for one in made)


def deployed(account, name):
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    # All alarms that compute with several metrics are in the list, or the stacks would not have been made.
    return collections.Counter(one["ResourceType"] for page in pages for one in page["StackResourceSummaries"])


def is_taken(account, name, resource):
    """Whether the emulator makes a stack of a resource."""
    from botocore.exceptions import ClientError

    formation = account.client("cloudformation")
    try:
        formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Probe": resource}}))
        formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    except ClientError as error:
        if "Unrecognized resource types" not in error.response["Error"]["Message"]:
            raise
        return False
    except Exception:
        return formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    return True


def main(build):
    import account as accounts

    failures = 0

    def check(truth, name, figure):
        nonlocal failures
        failures += not truth
        print(f"{'ok ' if truth else 'FAILED '} left out {name} {figure}", flush=True)

    with tempfile.TemporaryDirectory(prefix="latchkey-left-out-") as folder:
        account = accounts.Account(Path(folder), build)
        try:
            account.wait()
            accounts.deploy(build, account, {}, {})
            parts = accounts.cut(build, account.folder / "expected")
            unused = set(REASONS)
            for part, stack in (("data", accounts.BASE), ("functions", f"{accounts.BASE}-functions")):
                on_aws, here = expected(parts[part]), deployed(account, stack)
                missing = on_aws - here
                unused -= set(missing)
                unknown = {one: number for one, number in missing.items() if one not in REASONS}
                check(not unknown, f"nothing else of the stack {part}", unknown or f"{here.total()} of {on_aws.total()} resources, without {dict(missing)}")
                extra = here - on_aws
                check(not extra, f"nothing is added to the stack {part}", dict(extra))
            check(not unused, "every entry is in the template", sorted(unused))
            for number, (one, probe) in enumerate(PROBES.items()):
                taken = is_taken(account, f"probe{number}", probe)
                check(not taken, one, "the emulator takes it now: remove it from left_out.py" if taken else f"is refused: {REASONS[one]}")
            check(set(PROBES) == set(REASONS), "each entry has a probe", len(PROBES))
            control = {"Type": "AWS::SQS::Queue", "Properties": {}}
            check(is_taken(account, "probe", control), "a probe of what it takes is taken", control["Type"])
        finally:
            account.end()
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).resolve()))
