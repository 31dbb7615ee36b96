#!/usr/bin/env python3
"""Restores the tables of a stage to a moment, into new tables with another prefix. The tables of before stay as they are.
shared/docs/restore.md says when and how.

usage: restore.py --from PREFIX --to PREFIX --at TIME [--jump N] [--end-sessions] [--continue | --finish] [--dry-run]

Until the functions change to the new tables, they write to the old ones. --finish brings what must not be lost of that into the new
tables, and lists what must be done again there. It can be repeated; run it before the functions change, and again afterwards.

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
# The seconds between two looks at a table that is not ready: the first ones are shorter. The longest wait: AWS restores large
# tables for hours.
FIRST_PAUSE, PAUSE, PATIENCE = 0.5, 10, 24 * 3600
# What DynamoDB answers if a new table is not ready for a call, or too many tables change at the same time.
NOT_YET = {"ContinuousBackupsUnavailableException", "LimitExceededException", "ResourceInUseException", "ResourceNotFoundException"}
# A tag of the new table Sequences: its last ids of the moment have tags of their own, NOTED/NAME, from before the jump.
NOTED = "latchkey:sequences"


def declared():
    """The tables of template.yaml: {logical id: properties}."""
    resources = project.load()["Resources"].items()
    return {name: resource["Properties"] for name, resource in resources if resource["Type"] == "AWS::DynamoDB::Table"}


def is_recoverable(properties):
    return properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False)


def pauses():
    """Waits between tries, until the patience is over."""
    pause, end = FIRST_PAUSE, time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield
        time.sleep(pause)
        pause = min(2 * pause, PAUSE)


def is_lost(source, target):
    """Whether the target lacks an item of the source, or what the source wrote into it later. What functions wrote into the target
    stays."""
    return target is None or (source != target and target.keys() <= source.keys())


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
            if self.options.finish or (self.options.carry_on and self.described(self.target(name))):
                # What is restored already needs no backup.
                continue
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
            if self.options.finish and not found:
                problems.append(f"{self.target(name)} does not exist")
            if (self.options.finish or self.options.carry_on) and not self.described(self.source(name)):
                problems.append(f"{self.source(name)} does not exist")
            if not found:
                continue
            moment = found.get("RestoreSummary", {}).get("RestoreDateTime")
            if not (self.options.carry_on or self.options.finish):
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
            self.set(
                self.client.restore_table_to_point_in_time,
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
        self.set(self.client.create_table, TableName=self.target(name), **request)

    def await_active(self, name):
        table = None
        for _ in pauses():
            # DynamoDB may not yet know a table that it was asked for.
            table = self.described(self.target(name))
            if table and table["TableStatus"] == "ACTIVE":
                return table
        status = table["TableStatus"] if table else "unknown"
        sys.exit(f"failed to restore: {self.target(name)} is {status}; wait, and repeat with --continue")

    def set(self, call, **arguments):
        """Makes a call, again and again while DynamoDB is not ready for it."""
        for _ in pauses():
            try:
                return call(**arguments)
            except self.client.exceptions.ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in NOT_YET:
                    raise
        sys.exit(f"failed to restore: DynamoDB answered {code}; wait, and repeat with --continue")

    def settle(self, name):
        """Sets what a restored table does not take over: its expiry, backups, protection and tags."""
        properties, table = self.tables[name], self.await_active(name)
        expiry = properties.get("TimeToLiveSpecification")
        present = self.client.describe_time_to_live(TableName=self.target(name))["TimeToLiveDescription"]
        if expiry and present["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
            self.set(self.client.update_time_to_live, TableName=self.target(name), TimeToLiveSpecification=expiry)
        if is_recoverable(properties):
            recovery = {"PointInTimeRecoveryEnabled": True}
            self.set(self.client.update_continuous_backups, TableName=self.target(name), PointInTimeRecoverySpecification=recovery)
        source = self.described(self.source(name))
        tags = self.client.list_tags_of_resource(ResourceArn=source["TableArn"])["Tags"] if source else []
        tags = [tag for tag in tags if not tag["Key"].startswith("aws:")]
        moment = self.options.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.set(self.client.tag_resource, ResourceArn=table["TableArn"], Tags=[*tags, {"Key": "latchkey:restored-to", "Value": moment}])
        if not table.get("DeletionProtectionEnabled"):
            self.set(self.client.update_table, TableName=self.target(name), DeletionProtectionEnabled=True)
            self.await_active(name)

    def items(self, table, **options):
        pages = self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **options)
        return (item for page in pages for item in page["Items"])

    def last_ids(self, table):
        return {item["name"]["S"]: int(item["last_id"]["N"]) for item in self.items(table)}

    def last_ids_of_the_moment(self):
        """The last ids of the restored sequences, before the first jump: they are noted in tags of the table."""
        table = self.described(self.target("Sequences"))["TableArn"]
        tags = {tag["Key"]: tag["Value"] for tag in self.client.list_tags_of_resource(ResourceArn=table)["Tags"]}
        if NOTED not in tags:
            # A key of a tag cannot contain a number sign. One call writes all tags or none.
            found = {f"{NOTED}/{name.replace('#', '/')}": str(last) for name, last in self.last_ids(self.target("Sequences")).items()}
            tags = {NOTED: "as of the moment", **found}
            self.set(self.client.tag_resource, ResourceArn=table, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        start = f"{NOTED}/"
        return {key.removeprefix(start).replace("/", "#"): int(value) for key, value in tags.items() if key.startswith(start)}

    def jump(self):
        """Moves each sequence beyond every id that was ever given out, and those that are given out until the functions change. A
        repetition begins at the ids of the old tables again, and never moves a sequence back."""
        moved = self.last_ids_of_the_moment()
        for name, last in self.last_ids(self.source("Sequences")).items():
            moved[name] = max(last, moved.get(name, 0))
        for name, last in sorted(moved.items()):
            last += self.options.jump
            if last > HIGHEST_ID:
                sys.exit(f"failed to restore: the sequence {name} would end at {last}; choose a smaller --jump than {self.options.jump}")
            try:
                self.client.update_item(
                    TableName=self.target("Sequences"),
                    Key={"name": {"S": name}},
                    UpdateExpression="SET last_id = :last",
                    ConditionExpression="attribute_not_exists(last_id) OR last_id < :last",
                    ExpressionAttributeValues={":last": {"N": str(last)}},
                )
            except self.client.exceptions.ConditionalCheckFailedException:
                pass
            print(f"sequence {name}: the next id is above {last}")

    def copy(self):
        """Brings what the old tables have and the new ones lack into the tables that are as of now: DynamoDB restores to some
        minutes ago, and the functions go on writing into the old ones."""
        users = self.users(self.target("Users")) if ENDED in self.as_of_now else {}
        for name in sorted(self.as_of_now):
            key = [part["AttributeName"] for part in self.tables[name]["KeySchema"]]

            def identity(item, key=key):
                return tuple(item[part]["S"] for part in key)

            present = {identity(item): item for item in self.items(self.target(name))}
            copied = 0
            for item in self.items(self.source(name)):
                # A token without a user opens nothing, and may be of a person who was erased from the new tables.
                is_wanted = name != ENDED or item.get("user_id", {}).get("S") in users
                if is_wanted and is_lost(item, present.get(identity(item))):
                    self.client.put_item(TableName=self.target(name), Item=item)
                    copied += 1
            print(f"{self.target(name)}: {copied} items of the old table are copied")

    def undone(self):
        """Prints what operators did after the moment, which the restore undoes."""
        after = f"{int(self.options.at.timestamp() * 1000):013}"
        # The functions on the new tables write into Audit, too; what they did is not undone.
        calls = [item for item in self.items(self.source(AUDIT)) if item["call"]["S"] >= after]
        for item in sorted(calls, key=lambda item: item["call"]["S"]):
            at = datetime.fromtimestamp(int(item["call"]["S"].split("#")[0]) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            print(f"undone: {at} {item['verb']['S']} by {item['who']['S']}, {item['why']['S']}: {item['outcome']['S']}")

    def users(self, table):
        """What is needed of each user: {id: item}."""
        names = {"#user": "user_id", "#contract": "contract", "#store": "store", "#created": "created_at", "#end": "expires_at"}
        found = self.items(table, ProjectionExpression=", ".join(names), ExpressionAttributeNames=names)
        return {item["user_id"]["S"]: item for item in found}

    def gone(self):
        """Prints the users of the moment that the old tables lack: who deleted the account after it, whom an operator erased, and
        whom the damage removed."""
        alive = self.users(self.source("Users"))
        for user, item in sorted(self.users(self.target("Users")).items()):
            # The functions on the new tables make users, too.
            was_there = float(item["created_at"]["N"]) <= self.options.at.timestamp()
            # A user who verified nothing ends without a deletion.
            has_ended = "expires_at" in item and float(item["expires_at"]["N"]) <= time.time()
            if user not in alive and was_there and not has_ended:
                print("gone:", *(item[name]["S"] for name in ("user_id", "contract", "store") if name in item))

    def run(self):
        self.check()
        for name in self.tables:
            how = "new and empty"
            if name in self.restored:
                how = "as of now" if name in self.as_of_now else f"as of {self.options.at:%Y-%m-%dT%H:%M:%SZ}"
            print(f"{self.target(name)}: {how}", flush=True)
        if self.options.dry_run:
            return
        if not self.options.finish:
            for name in self.tables:
                self.begin(name)
            for name in self.tables:
                self.settle(name)
        self.jump()
        self.copy()
        self.undone()
        self.gone()
        stream = self.described(self.target("Outbox"))["LatestStreamArn"]
        print("The tables are ready. Write them into [STAGE.latchkey.parameters] of samconfig.toml, and deploy the functions on them:")
        print(f'tables = "{self.options.target}"\nstream = "{stream}"')
        print(f"cargo xtask deploy --stage STAGE --only functions --tables {self.options.target} --stream {stream}")
        print("Repeat this command with --finish before the deployment, and again after it.")


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
    parser.add_argument("--finish", action="store_true", help="bring what was written into the old tables meanwhile into the new ones")
    parser.add_argument("--dry-run", action="store_true", help="check, and print what each table becomes")
    options = parser.parse_args()
    if options.source == options.target:
        parser.error("the new tables need another prefix")
    if options.jump < 0:
        parser.error("--jump must not be negative")
    return options


if __name__ == "__main__":
    Restore(arguments()).run()
