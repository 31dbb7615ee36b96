#!/usr/bin/env python3
"""Makes a stack of the data again whose tables, keys and event bus still exist, by an import (shared/docs/restore.md).

usage: import_data.py --stack NAME [--template FILE] [--dry-run]

The template is the one that cargo xtask stacks or cargo xtask deploy wrote for the part data. Region and credentials come from the
environment, as for the AWS CLI. Needs boto3 (tests/aws/requirements.txt).
"""

import argparse
import json
import sys
import time
from pathlib import Path

import boto3

# What identifies a resource of a type in an import, and the property that has its name.
IDENTIFIERS = {
    "AWS::DynamoDB::Table": ("TableName", "TableName"),
    "AWS::Events::EventBus": ("Name", "Name"),
    "AWS::SecretsManager::Secret": ("Id", "Name"),
}
CHANGE_SET = "import-data"
PAUSE, PATIENCE = 2, 600


def named(resource, stack):
    """The physical name of a resource: the template makes it of the name of the stack."""
    _, property = IDENTIFIERS[resource["Type"]]
    return resource["Properties"][property]["Fn::Sub"].replace("${AWS::StackName}", stack)


def importable(template, stack, secrets):
    """The template of the import, and what it imports. An import can take only resources that CloudFormation keeps, and makes no
    others."""
    kept = {name: resource for name, resource in template["Resources"].items() if resource.get("DeletionPolicy") == "RetainExceptOnCreate"}
    imports = []
    for name, resource in kept.items():
        identifier, value = IDENTIFIERS[resource["Type"]][0], named(resource, stack)
        if identifier == "Id":
            # The ARN of a secret ends in characters that only Secrets Manager knows.
            value = secrets.describe_secret(SecretId=value)["ARN"]
        imports.append({"ResourceType": resource["Type"], "LogicalResourceId": name, "ResourceIdentifier": {identifier: value}})
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": kept}, imports


def until(look, ready, what):
    """Waits for a status. `look` returns the status of now, and its reason."""
    end = time.monotonic() + PATIENCE
    while (found := look())[0] != ready:
        status, reason = found
        if "FAILED" in status or "ROLLBACK" in status or status == "UNAVAILABLE" or time.monotonic() > end:
            sys.exit(f"failed to import: {what} is {status}: {reason}")
        time.sleep(PAUSE)


def main():
    parser = argparse.ArgumentParser(description="Makes a stack of the data again by an import.")
    parser.add_argument("--stack", required=True, help="the name of the stack, such as latchkey-production")
    parser.add_argument("--template", type=Path, default=Path(".aws-sam/build/data.json"), help="[.aws-sam/build/data.json]")
    parser.add_argument("--dry-run", action="store_true", help="print what would be imported")
    options = parser.parse_args()
    formation, secrets = boto3.client("cloudformation"), boto3.client("secretsmanager")
    template, imports = importable(json.loads(options.template.read_text()), options.stack, secrets)
    for resource in imports:
        print(f"{resource['LogicalResourceId']}: {next(iter(resource['ResourceIdentifier'].values()))}")
    if options.dry_run:
        return
    asked = {"StackName": options.stack, "ChangeSetName": CHANGE_SET}
    formation.create_change_set(ChangeSetType="IMPORT", TemplateBody=json.dumps(template), ResourcesToImport=imports, **asked)

    def change_set():
        found = formation.describe_change_set(**asked)
        # The execution is unavailable while the change set is being made.
        is_made = found["Status"] in ("CREATE_COMPLETE", "FAILED")
        return found["ExecutionStatus" if is_made else "Status"], found.get("StatusReason")

    def stack():
        found, = formation.describe_stacks(StackName=options.stack)["Stacks"]
        return found["StackStatus"], found.get("StackStatusReason")

    until(change_set, "AVAILABLE", "the change set")
    formation.execute_change_set(**asked)
    until(stack, "IMPORT_COMPLETE", "the stack")
    print("The stack has its resources again. What is missing (archive, policies, outputs) and the protection come with:")
    print("cargo xtask deploy --stage STAGE --only data")


if __name__ == "__main__":
    main()
