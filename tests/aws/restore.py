#!/usr/bin/env python3
"""Restores the tables of a stage to a moment, into new tables with another prefix. The tables of before stay as they are.
shared/docs/restore.md says when and how.

usage: restore.py --from PREFIX --to PREFIX --at TIME [--jump N] [--end-sessions] [--continue] [--dry-run]

Region and credentials come from the environment, as for the AWS CLI. Needs boto3 and PyYAML (tests/aws/requirements.txt).
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import boto3

sys.path.insert(0, str(Path(__file__).resolve().parent))
import template as project  # noqa: E402

# The record of what operators did is restored as it is now, so that no entry is lost.
AUDIT = "Audit"
# Without their devices, people sign in again. Tokens that were ended must stay ended.
DEVICES, ENDED = "Devices", "Sessions"
# The highest integer id: clients store ids in signed 32-bit integers.
HIGHEST_ID = 2**31 - 1
# The seconds between two looks at a table that is not ready, and the longest wait: AWS restores large tables for hours.
PAUSE, PATIENCE = 10, 24 * 3600


def declared():
    """The tables of template.yaml: {logical id: properties}."""
    resources = project.load()["Resources"].items()
    return {name: resource["Properties"] for name, resource in resources if resource["Type"] == "AWS::DynamoDB::Table"}


def is_recoverable(properties):
    return properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False)


class Restore:
    def __init__(self, options):
        self.options = options
        self.tables = declared()
        self.client = boto3.client("dynamodb")
        left_out = {DEVICES} if options.end_sessions else set()
        self.as_of_now = {AUDIT, ENDED} if options.end_sessions else {AUDIT}
        self.restored = [name for name, properties in self.tables.items() if is_recoverable(properties) and name not in left_out]
        self.empty = [name for name in self.tables if name not in self.restored]

    def source(self, name):
        return f"{self.options.source}-{name}"

    def target(self, name):
        return f"{self.options.target}-{name}"

    def described(self, table):
        """The description of a table, or nothing."""
        try:
            return self.client.describe_table(TableName=table)["Table"]
        except self.client.exceptions.ResourceNotFoundException:
            return None

    def check(self):
        """Ends the program if the restore cannot succeed."""
        problems = []
        for name in self.restored:
            try:
                backups = self.client.describe_continuous_backups(TableName=self.source(name))
            except self.client.exceptions.ClientError as error:
                problems.append(f"{self.source(name)}: {error.response['Error']['Code']}")
                continue
            window = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
            first, last = window.get("EarliestRestorableDateTime"), window.get("LatestRestorableDateTime")
            if not first:
                problems.append(f"{self.source(name)} has no point-in-time recovery")
            elif name not in self.as_of_now and not first <= self.options.at <= last:
                problems.append(f"{self.source(name)} can be restored to {first} at the earliest and to {last} at the latest")
        for name in self.tables:
            found = self.described(self.target(name))
            if not found:
                continue
            moment = found.get("RestoreSummary", {}).get("RestoreDateTime")
            if not self.options.carry_on:
                problems.append(f"{self.target(name)} exists; --continue takes it as the result of this restore")
            elif moment and name not in self.as_of_now and moment != self.options.at:
                problems.append(f"{self.target(name)} was restored to {moment}")
        if problems:
            sys.exit("\n".join(["failed to restore:", *problems]))

    def begin(self, name):
        """Asks DynamoDB for a table: of a moment, or a new one."""
        if self.described(self.target(name)):
            return
        if name in self.restored:
            moment = {"UseLatestRestorableTime": True} if name in self.as_of_now else {"RestoreDateTime": self.options.at}
            self.client.restore_table_to_point_in_time(
                SourceTableName=self.source(name), TargetTableName=self.target(name), BillingModeOverride="PAY_PER_REQUEST", **moment
            )
            return
        properties = self.tables[name]
        request = {key: properties[key] for key in ("AttributeDefinitions", "BillingMode", "KeySchema")}
        # Parameters decide about the warm throughput: an operator sets it again.
        indexes = properties.get("GlobalSecondaryIndexes", [])
        indexes = [{key: value for key, value in index.items() if key != "WarmThroughput"} for index in indexes]
        if indexes:
            request["GlobalSecondaryIndexes"] = indexes
        if "StreamSpecification" in properties:
            request["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
        self.client.create_table(TableName=self.target(name), **request)

    def await_active(self, name):
        end = time.monotonic() + PATIENCE
        while (table := self.described(self.target(name)))["TableStatus"] != "ACTIVE":
            if time.monotonic() > end:
                sys.exit(f"failed to restore: {self.target(name)} is {table['TableStatus']}; wait, and repeat with --continue")
            time.sleep(PAUSE)
        return table

    def settle(self, name):
        """Sets what a restored table does not take over: its expiry, backups, protection and tags."""
        properties, table = self.tables[name], self.await_active(name)
        expiry = properties.get("TimeToLiveSpecification")
        present = self.client.describe_time_to_live(TableName=self.target(name))["TimeToLiveDescription"]
        if expiry and present["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
            self.client.update_time_to_live(TableName=self.target(name), TimeToLiveSpecification=expiry)
        if is_recoverable(properties):
            recovery = {"PointInTimeRecoveryEnabled": True}
            self.client.update_continuous_backups(TableName=self.target(name), PointInTimeRecoverySpecification=recovery)
        source = self.described(self.source(name))
        tags = self.client.list_tags_of_resource(ResourceArn=source["TableArn"])["Tags"] if source else []
        tags = [tag for tag in tags if not tag["Key"].startswith("aws:")]
        moment = self.options.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.client.tag_resource(ResourceArn=table["TableArn"], Tags=[*tags, {"Key": "latchkey:restored-to", "Value": moment}])
        if not table.get("DeletionProtectionEnabled"):
            self.client.update_table(TableName=self.target(name), DeletionProtectionEnabled=True)
            self.await_active(name)

    def items(self, table, **options):
        pages = self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **options)
        return [item for page in pages for item in page["Items"]]

    def last_ids(self, table):
        return {item["name"]["S"]: int(item["last_id"]["N"]) for item in self.items(table)}

    def jump(self):
        """Moves each sequence beyond every id that was ever given out, and those that are given out until the functions change."""
        moved = self.last_ids(self.target("Sequences"))
        if self.described(self.source("Sequences")):
            for name, last in self.last_ids(self.source("Sequences")).items():
                moved[name] = max(last, moved.get(name, 0))
        for name, last in sorted(moved.items()):
            last += self.options.jump
            if last > HIGHEST_ID:
                sys.exit(f"failed to restore: the sequence {name} would end at {last}; choose a smaller --jump than {self.options.jump}")
            self.client.update_item(
                TableName=self.target("Sequences"),
                Key={"name": {"S": name}},
                UpdateExpression="SET last_id = :last",
                ExpressionAttributeValues={":last": {"N": str(last)}},
            )
            print(f"sequence {name}: the next id is above {last}")

    def undone(self):
        """Prints what operators did after the moment, which the restore undoes."""
        after = f"{int(self.options.at.timestamp() * 1000):013}"
        calls = [item for item in self.items(self.target(AUDIT)) if item["call"]["S"] >= after]
        for item in sorted(calls, key=lambda item: item["call"]["S"]):
            at = datetime.fromtimestamp(int(item["call"]["S"].split("#")[0]) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            print(f"undone: {at} {item['verb']['S']} by {item['who']['S']}, {item['why']['S']}: {item['outcome']['S']}")

    def run(self):
        self.check()
        for name in self.tables:
            how = "new and empty"
            if name in self.restored:
                how = "as of now" if name in self.as_of_now else f"as of {self.options.at:%Y-%m-%dT%H:%M:%SZ}"
            print(f"{self.target(name)}: {how}", flush=True)
        if self.options.dry_run:
            return
        for name in self.tables:
            self.begin(name)
        for name in self.tables:
            self.settle(name)
        self.jump()
        self.undone()
        stream = self.described(self.target("Outbox"))["LatestStreamArn"]
        print("The tables are ready. Write them into [STAGE.latchkey.parameters] of samconfig.toml, and deploy the functions on them:")
        print(f'tables = "{self.options.target}"\nstream = "{stream}"')
        print(f"cargo xtask deploy --stage STAGE --only functions --tables {self.options.target} --stream {stream}")


def moment(text):
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no time such as 2026-11-28T10:00:00Z") from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone; add Z for UTC")
    return at.astimezone(UTC)


def arguments():
    parser = argparse.ArgumentParser(description="Restores the tables of a stage to a moment, into new tables.")
    parser.add_argument("--from", dest="source", required=True, metavar="PREFIX", help="what the names of the tables begin with now, such as latchkey-production")
    parser.add_argument("--to", dest="target", required=True, metavar="PREFIX", help="what the names of the new tables begin with")
    parser.add_argument("--at", type=moment, required=True, metavar="TIME", help="the moment, such as 2026-11-28T10:00:00Z")
    parser.add_argument("--jump", type=int, default=100_000, help="the integer ids that are left out [100000]")
    parser.add_argument("--end-sessions", action="store_true", help="do not restore devices: people sign in again, and ended tokens stay ended")
    parser.add_argument("--continue", dest="carry_on", action="store_true", help="take new tables that exist as the result of this restore")
    parser.add_argument("--dry-run", action="store_true", help="check, and print what each table becomes")
    options = parser.parse_args()
    if options.source == options.target:
        parser.error("the new tables need another prefix")
    if options.jump < 0:
        parser.error("--jump must not be negative")
    return options


if __name__ == "__main__":
    Restore(arguments()).run()
