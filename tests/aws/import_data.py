#!/usr/bin/env python3
"""Imports tables, keys and an event bus that exist into the stack of the data (shared/docs/restore.md): into a new stack if the
stack is gone, or restored tables in place of the tables that the stack has.

usage: import_data.py --stack NAME [--stage STAGE] [--template FILE] [--let-go] [--dry-run]
       import_data.py --write FILE [--template FILE]

The template is the one that cargo xtask stacks or cargo xtask deploy wrote for the part data. Region and credentials come from the
environment, as for the AWS CLI. Needs boto3 and PyYAML (tests/aws/requirements.txt).
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

import boto3
import yaml
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent))
import template as project  # noqa: E402

TABLE, SECRET, BUS = "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Events::EventBus"
# What identifies a resource of a type in an import, and the property that has its name.
IDENTIFIERS = {TABLE: ("TableName", "TableName"), BUS: ("Name", "Name"), SECRET: ("Id", "Name")}
# Lets one update take tables out of the stack, which the stack policy otherwise refuses.
LET_GO = {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
PAUSE, PATIENCE = 2, 600


def kept(template):
    """The resources that CloudFormation keeps when their stack is deleted. An import takes only these, and makes no others."""
    return {name: one for name, one in template["Resources"].items() if one.get("DeletionPolicy") == "RetainExceptOnCreate"}


def names_in(value, *keys):
    """The names that a value gives to functions of CloudFormation, such as Ref, or Fn::If as the first argument."""
    if isinstance(value, list):
        return set().union(*(names_in(one, *keys) for one in value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*(names_in(one, *keys) for one in value.values()))
    for given in (value[key] for key in keys if key in value):
        if isinstance(given, list):
            found.add(given[0])
        elif isinstance(given, str):
            found.add(given)
    return found


def referred(value):
    """The parameters and resources that a value names, also in patterns."""
    patterns = " ".join(names_in(value, "Fn::Sub"))
    names = names_in(value, "Ref", "Fn::GetAtt") | set(re.findall(r"\$\{([^!}]+)\}", patterns))
    return {name.split(".")[0] for name in names if not name.startswith(("AWS::", "aws:"))}


def with_declarations(resources, outputs, *templates):
    """A template with some resources and outputs, and the conditions and parameters that they need. Of two declarations, the later
    one counts."""
    used = {**resources, "Outputs": outputs}
    declared = {section: {} for section in ("Conditions", "Parameters")}
    for template in templates:
        for section, known in declared.items():
            known.update(template.get(section, {}))
    conditions = names_in(used, "Fn::If") | {one["Condition"] for one in [*resources.values(), *outputs.values()] if "Condition" in one}
    while True:
        inner = names_in([declared["Conditions"].get(name, {}) for name in conditions], "Condition")
        if inner <= conditions:
            break
        conditions |= inner
    needed = {name: declared["Conditions"][name] for name in conditions if name in declared["Conditions"]}
    references = referred([used, needed])
    parameters = {name: one for name, one in declared["Parameters"].items() if name in references}
    missing = (conditions - needed.keys()) | (references - parameters.keys() - resources.keys())
    if missing:
        sys.exit(f"failed to make the template: it does not declare {', '.join(sorted(missing))}")
    document = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Conditions": needed, "Resources": resources, "Outputs": outputs}
    return {section: value for section, value in document.items() if value}


def until(look, ready, what, before=None):
    """Waits for a status. `look` returns the status of now, and its reason. `before` is the one of before the change."""
    end = time.monotonic() + PATIENCE
    while (found := look())[0] not in ready:
        status, reason = found
        has_failed = "FAILED" in status or "ROLLBACK" in status or status == "UNAVAILABLE"
        if (has_failed and status != before) or time.monotonic() > end:
            sys.exit(f"failed to import: {what} is {status}: {reason}")
        time.sleep(PAUSE)


class Import:
    def __init__(self, options, template):
        self.options, self.template = options, template
        self.formation = boto3.client("cloudformation")
        self.found = self.stack()
        exists = self.found and self.found["StackStatus"] not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
        self.present, self.current = {}, {"Resources": {}}
        if exists:
            body = self.formation.get_template(StackName=options.stack)["TemplateBody"]
            self.current = yaml.load(body, project.Loader) if isinstance(body, str) else json.loads(json.dumps(body))
            if "Transform" in self.current:
                sys.exit(f"failed to import: the stack {options.stack} has functions, too")
            pages = self.formation.get_paginator("list_stack_resources").paginate(StackName=options.stack)
            found = [one for page in pages for one in page["StackResourceSummaries"]]
            self.present = {one["LogicalResourceId"]: one.get("PhysicalResourceId") for one in found}

    def stack(self):
        """The description of the stack, or nothing."""
        try:
            found, = self.formation.describe_stacks(StackName=self.options.stack)["Stacks"]
            return found
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise

    def status(self):
        found = self.stack()
        return found["StackStatus"], found.get("StackStatusReason")

    def named(self, resource):
        """The physical name of a resource."""
        value = resource["Properties"][IDENTIFIERS[resource["Type"]][1]]
        text = value["Fn::Sub"] if isinstance(value, dict) else value
        return text.replace("${AWS::StackName}", self.options.stack)

    def identifier(self, resource):
        """What identifies an existing resource. Fails if it does not exist."""
        kind, name = resource["Type"], self.named(resource)
        try:
            if kind == SECRET:
                # The ARN of a secret ends in characters that only Secrets Manager knows.
                return boto3.client("secretsmanager").describe_secret(SecretId=name)["ARN"]
            if kind == BUS:
                boto3.client("events").describe_event_bus(Name=name)
            else:
                boto3.client("dynamodb").describe_table(TableName=name)
        except ClientError as error:
            sys.exit(f"failed to import: {name}: {error.response['Error']['Code']}")
        return name

    def parameters(self, template):
        """The parameters of a change: those of the stack, or else of the files of the stage, or else the defaults."""
        before = {one["ParameterKey"] for one in (self.found or {}).get("Parameters", [])} if self.present else set()
        given = {}
        for name in (self.options.stage, f"{self.options.stage}-data"):
            file = project.ROOT / f"shared/stages/{name}.yaml"
            given.update((yaml.safe_load(file.read_text()) or {}) if self.options.stage and file.exists() else {})
        found = []
        for name in template.get("Parameters", {}):
            if name in before:
                found.append({"ParameterKey": name, "UsePreviousValue": True})
            elif name in given:
                found.append({"ParameterKey": name, "ParameterValue": str(given[name])})
        return found

    def let_go(self, others, document):
        """Takes tables out of the stack. They stay, because their deletion policy keeps them."""
        before, _ = self.status()
        self.formation.update_stack(
            StackName=self.options.stack,
            TemplateBody=json.dumps(document),
            Parameters=self.parameters(document),
            StackPolicyDuringUpdateBody=json.dumps(LET_GO),
        )
        until(self.status, ["UPDATE_COMPLETE"], "the stack", before)
        self.found = self.stack()
        print(f"The stack has let go of {', '.join(others)}.", flush=True)

    def take(self, imports, document):
        """Imports resources into the stack."""
        asked = {"StackName": self.options.stack, "ChangeSetName": f"import-data-{int(time.time())}"}
        wanted = {"TemplateBody": json.dumps(document), "ResourcesToImport": imports, "Parameters": self.parameters(document)}
        self.formation.create_change_set(ChangeSetType="IMPORT", **wanted, **asked)

        def change_set():
            found = self.formation.describe_change_set(**asked)
            # The execution is unavailable while the change set is being made.
            is_made = found["Status"] in ("CREATE_COMPLETE", "FAILED")
            return found["ExecutionStatus" if is_made else "Status"], found.get("StatusReason")

        until(change_set, ["AVAILABLE"], "the change set")
        before, _ = self.status()
        self.formation.execute_change_set(**asked)
        until(self.status, ["IMPORT_COMPLETE"], "the stack", before)

    def run(self):
        wanted = kept(self.template)
        others = [name for name in wanted if self.present.get(name) and wanted[name]["Type"] == TABLE and self.present[name] != self.named(wanted[name])]
        taken = {name: one for name, one in wanted.items() if name not in self.present or name in others}
        imports = []
        for name, resource in taken.items():
            kind = resource["Type"]
            identifier = {IDENTIFIERS[kind][0]: self.identifier(resource)}
            imports.append({"ResourceType": kind, "LogicalResourceId": name, "ResourceIdentifier": identifier})
            before = f" instead of {self.present[name]}" if name in others else ""
            print(f"{name}: {next(iter(identifier.values()))}{before}", flush=True)
        if not imports:
            sys.exit(f"failed to import: the stack {self.options.stack} has everything")
        if self.options.dry_run:
            return
        if others and not self.options.let_go:
            sys.exit("failed to import: the stack has other tables; --let-go takes them out of it, and keeps them")
        stay = {name: one for name, one in self.current["Resources"].items() if name not in others}
        # An import may change nothing but the resources that it takes, so the update before it declares what they need.
        outputs = {name: one for name, one in self.current.get("Outputs", {}).items() if not referred(one) & set(others)}
        document = with_declarations({**stay, **taken}, outputs, self.current, self.template)
        if others:
            self.let_go(others, {**document, "Resources": stay})
        self.take(imports, document)
        print("The stack has its data. What is missing (archive, policies, outputs) comes with:")
        print("cargo xtask deploy --stage STAGE --only data")


def main():
    parser = argparse.ArgumentParser(description="Imports data that exists into the stack of the data.")
    parser.add_argument("--stack", help="the name of the stack, such as latchkey-production")
    parser.add_argument("--stage", help="the stage whose parameters a new stack gets, such as production")
    parser.add_argument("--template", type=Path, default=Path(".aws-sam/build/data.json"), help="[.aws-sam/build/data.json]")
    parser.add_argument("--let-go", action="store_true", help="take tables with other names out of the stack, and keep them")
    parser.add_argument("--dry-run", action="store_true", help="print what would be imported")
    parser.add_argument("--write", type=Path, metavar="FILE", help="only write the template of an import into a new stack")
    options = parser.parse_args()
    template = json.loads(options.template.read_text())
    if options.write:
        options.write.write_text(json.dumps(with_declarations(kept(template), {}, template), indent=2) + "\n")
    elif options.stack:
        Import(options, template).run()
    else:
        parser.error("--stack or --write is needed")


if __name__ == "__main__":
    main()
