"""Rehearses a restore of the tables to a moment, with the program that operators use, and deploys the functions on the new tables.

usage: restore_rehearsal.py BUILD     BUILD: the output of sam build (.aws-sam/build); prints one line per check

The emulator's restore to a moment is the one of emulator.py. Everything else is as on AWS: the program, the calls that it makes, and
the deployment.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import account as accounts  # noqa: E402
import restore  # noqa: E402
import template as project  # noqa: E402
from stacks import NO_LIMITS, delete, post, sign_in, sign_up, until  # noqa: E402

TARGET = "restored"
JUMP = 1000


def require(truth, name, figure):
    if not truth:
        raise SystemExit(f"FAILED  restore {name}: {figure}")
    print(f"ok  restore {name} {figure}", flush=True)


class Rehearsal:
    def __init__(self, account, build):
        self.account, self.build = account, build
        self.tables = account.client("dynamodb")
        self.declared = restore.declared()
        parts = accounts.cut(build, account.folder / "stacks")
        self.data = accounts.create(account, accounts.BASE, accounts.package(parts["data"], build, account, {}, {}))
        # The CloudFormation of the emulator leaves point-in-time recovery out.
        for name in filter(lambda name: restore.is_recoverable(self.declared[name]), self.declared):
            recovery = {"PointInTimeRecoveryEnabled": True}
            self.tables.update_continuous_backups(TableName=self.data[name], PointInTimeRecoverySpecification=recovery)
        accounts.verify_sender(account, parts["functions"])
        self.deploy(parts["functions"])
        self.queue = accounts.listen(account, self.data["EventBus"])

    def deploy(self, template):
        packaged = accounts.package(template, self.build, self.account, {}, NO_LIMITS)
        self.resources = accounts.deploy_functions(self.account, f"{accounts.BASE}-functions", packaged)
        self.api = accounts.api_url(self.account, self.resources)

    def items(self, table):
        found = self.tables.scan(TableName=table, ConsistentRead=True)["Items"]
        return sorted(json.dumps(item, sort_keys=True, default=str) for item in found)

    def snapshot(self, prefix):
        return {name: self.items(f"{prefix}-{name}") for name in self.declared}

    def run(self, *arguments):
        """Runs the program of operators."""
        keys = {"AWS_ENDPOINT_URL": self.account.url, "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"]}
        command = [sys.executable, str(project.ROOT / "tests/aws/restore.py"), *arguments]
        return subprocess.run(command, env={**os.environ, **keys}, capture_output=True, text=True)

    def event(self, kind):
        """Waits for an event of a type."""
        queues = self.account.client("sqs")

        def look():
            found = queues.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
            return [body for body in (json.loads(message["Body"]) for message in found) if body["detail-type"] == kind]

        return until(kind, look)

    def quiet(self):
        """Waits until nothing is in the outbox."""
        until("an empty outbox", lambda: not self.items(self.data["Outbox"]))


def passed(at):
    """Waits until a second has passed: AWS restores to whole seconds."""
    until("the next second", lambda: datetime.now(UTC) > at)


def before(rehearsal):
    """Makes data. Returns the moment that is restored, and the tables of then."""
    for name in ("ann", "bob"):
        status, _ = sign_up(rehearsal.api, f"{name}@example.com")
        require(status == 200, f"{name} signs up", status)
    rehearsal.quiet()
    audit = {"day": "2026-01-01", "call": "1767225600000#a", "verb": "find", "who": "support", "why": "before", "outcome": "done"}
    rehearsal.tables.put_item(TableName=rehearsal.data["Audit"], Item={key: {"S": value} for key, value in audit.items()})
    credit = {"user_id": {"S": "a" * 24}, "entry_id": {"S": "signup"}, "points": {"N": "500"}, "source": {"S": "signup"}}
    rehearsal.tables.put_item(TableName=rehearsal.data["Ledger"], Item=credit)
    payload = json.dumps({"store": "STORE1", "scopes": ["user:read"]})
    made = rehearsal.account.client("lambda").invoke(FunctionName=rehearsal.resources["PosbytzCreateClientFunction"], Payload=payload)
    require("FunctionError" not in made, "a client of a shop is made", made["StatusCode"])
    began = int(time.time()) + 1
    passed(datetime.fromtimestamp(began, UTC))
    snapshot = rehearsal.snapshot(accounts.BASE)
    kept = [name for name, properties in rehearsal.declared.items() if restore.is_recoverable(properties)]
    require(all(snapshot[name] for name in kept), "there is data in each table that is kept", {name: len(snapshot[name]) for name in kept})
    return datetime.fromtimestamp(began, UTC), snapshot


def damage(rehearsal, at):
    """Destroys accounts, as a mistake would, and lets life go on."""
    passed(datetime.fromtimestamp(at.timestamp() + 1, UTC))
    status, _ = sign_up(rehearsal.api, "cid@example.com")
    require(status == 200, "cid signs up after the moment", status)
    change = {"UpdateExpression": "SET points = :wrong", "ExpressionAttributeValues": {":wrong": {"N": "5"}}}
    key = {"user_id": {"S": "a" * 24}, "entry_id": {"S": "signup"}}
    rehearsal.tables.update_item(TableName=rehearsal.data["Ledger"], Key=key, **change)
    for name, key in (("Users", "user_id"), ("Identifiers", "identifier"), ("Clients", "client_id")):
        for item in rehearsal.tables.scan(TableName=rehearsal.data[name])["Items"][:2]:
            rehearsal.tables.delete_item(TableName=rehearsal.data[name], Key={key: item[key]})
    call = f"{int(time.time() * 1000):013}#b"
    audit = {"day": f"{at:%Y-%m-%d}", "call": call, "verb": "erase", "who": "support", "why": "ticket 4712", "outcome": "done"}
    rehearsal.tables.put_item(TableName=rehearsal.data["Audit"], Item={key: {"S": value} for key, value in audit.items()})
    rehearsal.quiet()


def refusals(rehearsal, at):
    """Checks what the program refuses."""
    options = ["--from", accounts.BASE, "--to", TARGET]
    ran = rehearsal.run(*options, "--at", "2020-01-01T00:00:00Z")
    require(ran.returncode and "at the earliest" in ran.stderr, "a moment before the backups is refused", ran.stderr.splitlines()[1] if ran.stderr else ran.returncode)
    ran = rehearsal.run(*options, "--at", "2026-01-01T00:00:00")
    require(ran.returncode and "no time zone" in ran.stderr, "a moment without a time zone is refused", ran.returncode)
    ran = rehearsal.run("--from", "nothing", "--to", TARGET, "--at", at.isoformat())
    require(ran.returncode and "nothing-Users" in ran.stderr, "tables that do not exist are refused", ran.returncode)
    ran = rehearsal.run(*options, "--at", at.isoformat(), "--dry-run")
    names = rehearsal.tables.list_tables()["TableNames"]
    untouched = not any(name.startswith(f"{TARGET}-") for name in names)
    require(ran.returncode == 0 and untouched, "a dry run makes no table", f"{len(ran.stdout.splitlines())} lines")


def restored(rehearsal, at, snapshot):
    """Restores, and compares the tables with those of the moment and with the template."""
    live = restored_ids(rehearsal, accounts.BASE)
    options = ["--from", accounts.BASE, "--to", TARGET, "--at", at.isoformat(), "--jump", str(JUMP)]
    ran = rehearsal.run(*options)
    require(ran.returncode == 0, "the program", ran.stderr.strip()[-300:] or "done")
    after = rehearsal.snapshot(TARGET)
    for name, properties in rehearsal.declared.items():
        if name == "Audit":
            require(after[name] == rehearsal.items(rehearsal.data[name]), "Audit is the one of now", len(after[name]))
        elif name != "Sequences":
            expected = snapshot[name] if restore.is_recoverable(properties) else []
            require(after[name] == expected, f"{name} is the one of the moment" if expected else f"{name} is empty", len(expected))
    jumped = restored_ids(rehearsal, TARGET)
    require(all(jumped[name] == last + JUMP for name, last in live.items()), "the sequences are beyond every id", jumped)
    require("undone:" in ran.stdout and "ticket 4712" in ran.stdout, "what operators did since is listed", "erase")
    require("ticket 4712" in ran.stdout and "before" not in ran.stdout, "and nothing from before", "find")
    for name, properties in rehearsal.declared.items():
        settings(rehearsal, name, properties)
    again = rehearsal.run(*options)
    require(again.returncode and "--continue" in again.stderr, "a second restore into the same tables is refused", again.returncode)
    again = rehearsal.run(*options, "--continue")
    require(again.returncode == 0, "a restore is continued", again.stderr.strip()[-300:] or "done")
    return ran.stdout.split("--stream ")[1].split()[0]


def without_sessions(rehearsal, at, snapshot):
    """Restores without sessions: no device is there, and every token that was ended is still ended."""
    prefix = "signed-out"
    ran = rehearsal.run("--from", accounts.BASE, "--to", prefix, "--at", at.isoformat(), "--end-sessions")
    require(ran.returncode == 0, "the program without sessions", ran.stderr.strip()[-300:] or "done")
    require(rehearsal.items(f"{prefix}-Devices") == [], "no device is restored", 0)
    live = rehearsal.items(rehearsal.data["Sessions"])
    require(rehearsal.items(f"{prefix}-Sessions") == live and len(live) > len(snapshot["Sessions"]), "the tokens are those of now", len(live))
    require(rehearsal.items(f"{prefix}-Users") == snapshot["Users"], "the users are those of the moment", len(snapshot["Users"]))


def restored_ids(rehearsal, prefix):
    return {item["name"]["S"]: int(item["last_id"]["N"]) for item in rehearsal.tables.scan(TableName=f"{prefix}-Sequences")["Items"]}


def settings(rehearsal, name, properties):
    """Checks that a new table has the settings of the template."""
    table = rehearsal.tables.describe_table(TableName=f"{TARGET}-{name}")["Table"]
    expiry = rehearsal.tables.describe_time_to_live(TableName=f"{TARGET}-{name}")["TimeToLiveDescription"]
    backups = rehearsal.tables.describe_continuous_backups(TableName=f"{TARGET}-{name}")["ContinuousBackupsDescription"]
    tags = rehearsal.tables.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    found = {
        "keys": table["KeySchema"],
        "indexes": {index["IndexName"]: index["KeySchema"] for index in table.get("GlobalSecondaryIndexes", [])},
        "stream": table.get("StreamSpecification", {}).get("StreamViewType"),
        "expiry": expiry.get("AttributeName") if expiry["TimeToLiveStatus"] == "ENABLED" else None,
        "backups": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED",
        "protected": table["DeletionProtectionEnabled"],
        "restored": [tag["Key"] for tag in tags],
    }
    declared = {
        "keys": properties["KeySchema"],
        "indexes": {index["IndexName"]: index["KeySchema"] for index in properties.get("GlobalSecondaryIndexes", [])},
        "stream": properties.get("StreamSpecification", {}).get("StreamViewType"),
        "expiry": properties.get("TimeToLiveSpecification", {}).get("AttributeName"),
        "backups": restore.is_recoverable(properties),
        "protected": True,
        "restored": ["latchkey:restored-to"],
    }
    require(found == declared, f"the settings of {name}", "as declared" if found == declared else f"{found} instead of {declared}")


def switched(rehearsal, stream):
    """Deploys the functions on the new tables: users of the moment sign in, later ones do not exist, and the relay delivers."""
    parts = accounts.cut(rehearsal.build, rehearsal.account.folder / "switched", tables=TARGET, stream=stream)
    status = delete(rehearsal.account, f"{accounts.BASE}-functions")
    require(status == "DELETE_COMPLETE", "the functions on the old tables are deleted", status)
    rehearsal.deploy(parts["functions"])
    for name in ("ann", "bob"):
        status, _ = sign_in(rehearsal.api, f"{name}@example.com")
        require(status == 200, f"{name} signs in again", status)
    status, _ = sign_in(rehearsal.api, "cid@example.com")
    require(status in (400, 401, 403, 404), "cid does not exist", status)
    status, answer = sign_up(rehearsal.api, "cid@example.com")
    require(status == 200, "cid signs up again", status)
    devices = [int(item["device_id"]["S"]) for item in rehearsal.tables.scan(TableName=f"{TARGET}-Devices")["Items"]]
    require(max(devices) > JUMP, "the new device has a new id", max(devices))
    rehearsal.event("AUTH_USER_SIGNED_IN")
    require(True, "the relay delivers from the new outbox", "AUTH_USER_SIGNED_IN")
    status, _ = post(rehearsal.api, "/users", {})
    require(400 <= status < 500, "a request without a body is refused", status)


def main(build):
    with tempfile.TemporaryDirectory(prefix="latchkey-restore-") as folder:
        account = accounts.Account(Path(folder), Path(build), LATCHKEY_RECOVERY="1")
        try:
            account.wait()
            rehearsal = Rehearsal(account, Path(build))
            at, snapshot = before(rehearsal)
            damage(rehearsal, at)
            refusals(rehearsal, at)
            stream = restored(rehearsal, at, snapshot)
            without_sessions(rehearsal, at, snapshot)
            switched(rehearsal, stream)
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
