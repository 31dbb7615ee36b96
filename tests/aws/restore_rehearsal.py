"""Rehearses a restore of the tables to a moment, with the program that operators use, and deploys the functions on the new tables.

usage: restore_rehearsal.py [BUILD]     BUILD: the output of sam build (.aws-sam/build); without it, the tables are rehearsed alone,
                                        without functions. Prints one line per check

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
# By how many seconds the latest moment that the emulator restores a table to is behind. On AWS, some five minutes.
LAG = 4


def require(truth, name, figure):
    if not truth:
        raise SystemExit(f"FAILED  restore {name}: {figure}")
    print(f"ok  restore {name} {figure}", flush=True)


class Rehearsal:
    def __init__(self, account, build):
        self.account, self.build = account, build
        self.tables = account.client("dynamodb")
        self.declared = restore.declared()
        parts = accounts.cut(build or project.ROOT, account.folder / "stacks")
        self.data = accounts.create(account, accounts.BASE, accounts.package(parts["data"], build, account, {}, {}))
        # The CloudFormation of the emulator leaves point-in-time recovery out.
        for name in filter(lambda name: restore.is_recoverable(self.declared[name]), self.declared):
            recovery = {"PointInTimeRecoveryEnabled": True}
            self.tables.update_continuous_backups(TableName=self.data[name], PointInTimeRecoverySpecification=recovery)
        if build:
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

    def run(self, *arguments, program="restore.py"):
        """Runs the program of operators."""
        keys = {"AWS_ENDPOINT_URL": self.account.url, "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"]}
        command = [sys.executable, str(project.ROOT / "tests/aws" / program), *arguments]
        return subprocess.run(command, env={**os.environ, **keys}, capture_output=True, text=True)

    def put(self, table, prefix=accounts.BASE, /, **item):
        """Writes an item of texts and numbers."""
        values = {key: {"S": value} if isinstance(value, str) else {"N": str(value)} for key, value in item.items()}
        self.tables.put_item(TableName=f"{prefix}-{table}", Item=values)

    def join(self, name):
        """Signs a user up; without functions, writes some items of a user."""
        if self.build:
            status, _ = sign_up(self.api, f"{name}@example.com")
            require(status == 200, f"{name} signs up", status)
            return
        self.put("Users", user_id=f"id-of-{name}", contract="gotu", created_at=time.time())
        self.put("Identifiers", identifier=f"gotu#email#{name}@example.com", user_id=f"id-of-{name}")
        self.put("Devices", user_id=f"id-of-{name}", device_id="1")
        self.put("Sessions", token_hash=f"token-of-{name}", user_id=f"id-of-{name}", expires_at=4000000000)
        self.tables.update_item(
            TableName=self.data["Sequences"],
            Key={"name": {"S": "gotu#device"}},
            UpdateExpression="ADD last_id :one",
            ExpressionAttributeValues={":one": {"N": "50"}},
        )

    def call(self, prefix=accounts.BASE, outcome="done", **item):
        """Records the call of an operator."""
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        self.put("Audit", prefix, **{"day": day, "who": "support", "outcome": outcome, **item})

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


def now():
    """The time in milliseconds."""
    return int(time.time() * 1000)


def passed(at):
    """Waits until a second has passed: AWS restores to whole seconds."""
    until("the next second", lambda: datetime.now(UTC) > at)


def before(rehearsal):
    """Makes data. Returns the moment that is restored, and the tables of then."""
    for name in ("ann", "bob", "dee"):
        rehearsal.join(name)
    rehearsal.quiet()
    rehearsal.call(day="2026-01-01", call="1767225600000#a", verb="find", why="before")
    rehearsal.put("Ledger", user_id="a" * 24, entry_id="signup", points=500, source="signup")
    # She deletes her account after the moment.
    rehearsal.put("Users", user_id="dee-of-before", contract="gotu", created_at=1767225600)
    if rehearsal.build:
        payload = json.dumps({"store": "STORE1", "scopes": ["user:read"]})
        made = rehearsal.account.client("lambda").invoke(FunctionName=rehearsal.resources["PosbytzCreateClientFunction"], Payload=payload)
        require("FunctionError" not in made, "a client of a shop is made", made["StatusCode"])
    else:
        rehearsal.put("Clients", client_id="c" * 32, contract="posbytz", store="STORE1")
    began = int(time.time()) + 1
    passed(datetime.fromtimestamp(began, UTC))
    snapshot = rehearsal.snapshot(accounts.BASE)
    kept = [name for name, properties in rehearsal.declared.items() if restore.is_recoverable(properties)]
    require(all(snapshot[name] for name in kept), "there is data in each table that is kept", {name: len(snapshot[name]) for name in kept})
    return datetime.fromtimestamp(began, UTC), snapshot


def damage(rehearsal, at):
    """Destroys accounts, as a mistake would, and lets life go on."""
    passed(datetime.fromtimestamp(at.timestamp() + 1, UTC))
    rehearsal.join("cid")
    rehearsal.tables.delete_item(TableName=rehearsal.data["Users"], Key={"user_id": {"S": "dee-of-before"}})
    change = {"UpdateExpression": "SET points = :wrong", "ExpressionAttributeValues": {":wrong": {"N": "5"}}}
    key = {"user_id": {"S": "a" * 24}, "entry_id": {"S": "signup"}}
    rehearsal.tables.update_item(TableName=rehearsal.data["Ledger"], Key=key, **change)
    for name, key in (("Users", "user_id"), ("Identifiers", "identifier"), ("Clients", "client_id")):
        for item in rehearsal.tables.scan(TableName=rehearsal.data[name])["Items"][:2]:
            rehearsal.tables.delete_item(TableName=rehearsal.data[name], Key={key: item[key]})
    rehearsal.quiet()
    passed(datetime.fromtimestamp(at.timestamp() + LAG, UTC))


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
    # The newest writes are newer than what DynamoDB can restore.
    rehearsal.call(call=f"{now():013}#b", verb="erase", why="ticket 4712", outcome="begun")
    ran = rehearsal.run(*options)
    require(ran.returncode == 0, "the program", ran.stderr.strip()[-300:] or "done")
    after = rehearsal.snapshot(TARGET)
    for name, properties in rehearsal.declared.items():
        if name == "Audit":
            require(after[name] == rehearsal.items(rehearsal.data[name]), "Audit is the one of now, to the last call", len(after[name]))
        elif name != "Sequences":
            expected = snapshot[name] if restore.is_recoverable(properties) else []
            require(after[name] == expected, f"{name} is the one of the moment" if expected else f"{name} is empty", len(expected))
    jumped = restored_ids(rehearsal, TARGET)
    require(all(jumped[name] == last + JUMP for name, last in live.items()), "the sequences are beyond every id", jumped)
    require("undone:" in ran.stdout and "ticket 4712" in ran.stdout, "what operators did since is listed", "erase")
    require("find" not in ran.stdout, "and nothing from before", "find")
    gone = [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("gone: ")]
    users = {json.loads(user)["user_id"]["S"] for user in snapshot["Users"]}
    users -= {json.loads(user)["user_id"]["S"] for user in rehearsal.items(rehearsal.data["Users"])}
    require(set(gone) == users and "dee-of-before" in gone, "the users who are gone since are listed", len(gone))
    for name, properties in rehearsal.declared.items():
        settings(rehearsal, name, properties)
    again = rehearsal.run(*options)
    require(again.returncode and "--continue" in again.stderr, "a second restore into the same tables is refused", again.returncode)
    again = rehearsal.run(*options, "--continue")
    require(again.returncode == 0, "a restore is continued", again.stderr.strip()[-300:] or "done")
    require(restored_ids(rehearsal, TARGET) == jumped, "and the sequences do not jump again", jumped)
    return ran.stdout.split("--stream ")[1].split()[0]


def without_sessions(rehearsal, at, snapshot):
    """Restores without sessions: no device is there, and every token that was ended is still ended."""
    prefix = "signed-out"
    user = json.loads(snapshot["Users"][0])["user_id"]["S"]
    rehearsal.put("Sessions", token_hash="ended", user_id=user, expires_at=4000000000, signed_out_at=now() / 1000)
    ran = rehearsal.run("--from", accounts.BASE, "--to", prefix, "--at", at.isoformat(), "--end-sessions")
    require(ran.returncode == 0, "the program without sessions", ran.stderr.strip()[-300:] or "done")
    require(rehearsal.items(f"{prefix}-Devices") == [], "no device is restored", 0)
    options = ["--from", accounts.BASE, "--to", prefix, "--at", at.isoformat(), "--end-sessions"]
    known = {json.loads(user)["user_id"]["S"] for user in snapshot["Users"]}

    def tokens(prefix):
        found = map(json.loads, rehearsal.items(f"{prefix}-Sessions"))
        return {item["token_hash"]["S"]: item for item in found if item["user_id"]["S"] in known}

    live = tokens(accounts.BASE)
    require(live["ended"] and tokens(prefix) == live, "the tokens are those of now", len(live))
    # Until the functions change, people end tokens in the old table; afterwards, they use tokens in the new one.
    user = next(iter(known))
    rehearsal.put("Sessions", token_hash="ended-meanwhile", user_id=user, expires_at=4000000000, signed_out_at=now() / 1000)
    rehearsal.put("Sessions", prefix, token_hash="ended", user_id=user, expires_at=4000000000, signed_out_at=now() / 1000, used_at=5)
    ran = rehearsal.run(*options, "--finish")
    require(ran.returncode == 0, "is finished", ran.stderr.strip()[-300:] or "done")
    found = tokens(prefix)
    require("ended-meanwhile" in found, "a token that was ended meanwhile stays ended", len(found))
    require("used_at" in found["ended"], "and what was written into the new table stays", "ended")
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
        "restored": sorted({tag["Key"].split("/")[0] for tag in tags}),
    }
    declared = {
        "keys": properties["KeySchema"],
        "indexes": {index["IndexName"]: index["KeySchema"] for index in properties.get("GlobalSecondaryIndexes", [])},
        "stream": properties.get("StreamSpecification", {}).get("StreamViewType"),
        "expiry": properties.get("TimeToLiveSpecification", {}).get("AttributeName"),
        "backups": restore.is_recoverable(properties),
        "protected": True,
        "restored": ["latchkey:restored-to", *([restore.NOTED] if name == "Sequences" else [])],
    }
    require(found == declared, f"the settings of {name}", "as declared" if found == declared else f"{found} instead of {declared}")


def meanwhile(rehearsal, at):
    """Life goes on in the old tables until the functions change, and in the new ones afterwards. What operators do is not lost."""
    options = ["--from", accounts.BASE, "--to", TARGET, "--at", at.isoformat(), "--jump", str(JUMP)]
    early, = (json.loads(item) for item in rehearsal.items(rehearsal.data["Audit"]) if "ticket 4712" in item)
    rehearsal.call(call=early["call"]["S"], day=early["day"]["S"], verb="erase", why="ticket 4712")
    rehearsal.call(call=f"{now():013}#c", verb="erase", why="ticket 4713")
    rehearsal.call(TARGET, call=f"{now():013}#d", verb="ban", why="ticket 4714")
    live = restored_ids(rehearsal, accounts.BASE)
    rehearsal.put("Sequences", name="gotu#device", last_id=live["gotu#device"] + 100)
    for turn in ("before the functions change", "once more"):
        ran = rehearsal.run(*options, "--finish")
        require(ran.returncode == 0, f"finished {turn}", ran.stderr.strip()[-300:] or "done")
        calls = {item["why"]["S"]: item["outcome"]["S"] for item in map(json.loads, rehearsal.items(f"{TARGET}-Audit"))}
        require(calls == {**dict.fromkeys(("before", "ticket 4712", "ticket 4713", "ticket 4714"), "done")}, "every call of an operator is there", calls)
        undone = {why for why in calls if any(line.startswith("undone:") and why in line for line in ran.stdout.splitlines())}
        require(undone == {"ticket 4712", "ticket 4713"}, "those on the old tables are listed", sorted(undone))
        require(restored_ids(rehearsal, TARGET)["gotu#device"] == live["gotu#device"] + 100 + JUMP, "the sequence is beyond the ids of meanwhile", 100)


def adopted(rehearsal, stream):
    """Takes the restored tables into the stack of the data, which then can be deployed, and deletes the old ones."""
    folder = rehearsal.account.folder / "adopted"
    parts = accounts.cut(rehearsal.build or project.ROOT, folder, tables=TARGET, stream=stream)
    options = ["--stack", accounts.BASE, "--template", str(folder / "data.json")]
    ran = rehearsal.run(*options, program="import_data.py")
    require(ran.returncode and "--let-go" in ran.stderr, "the stack does not let go of tables unasked", ran.stderr.strip())
    ran = rehearsal.run(*options, "--let-go", program="import_data.py")
    require(ran.returncode == 0, "the stack takes the restored tables", ran.stderr.strip()[-300:] or "done")
    data = accounts.package(parts["data"], rehearsal.build, rehearsal.account, {}, {})
    # A later version.
    data["Resources"]["EventBus"]["Properties"]["Description"] = "a change"
    held = accounts.update(rehearsal.account, accounts.BASE, data)
    require(all(held[name] == f"{TARGET}-{name}" for name in rehearsal.declared), "it holds the restored tables", len(rehearsal.declared))
    for name in rehearsal.declared:
        rehearsal.tables.update_table(TableName=rehearsal.data[name], DeletionProtectionEnabled=False)
        rehearsal.tables.delete_table(TableName=rehearsal.data[name])
    data["Resources"]["EventBus"]["Properties"]["Description"] = "another change"
    data["Resources"]["Answers"]["Properties"]["Tags"] = [{"Key": "later", "Value": "yes"}]
    held = accounts.update(rehearsal.account, accounts.BASE, data)
    left = rehearsal.tables.list_tables()["TableNames"]
    require(f"{accounts.BASE}-Users" not in left and held["Users"] in left, "it can be changed without the old tables", len(left))
    if rehearsal.build:
        status, _ = sign_in(rehearsal.api, "ann@example.com")
        require(status == 200, "ann still signs in", status)


def lost(rehearsal):
    """Makes the stack of the data again after it was deleted: with the declarations that CloudFormation needs, and with what it kept."""
    account, name = rehearsal.account, "lost"
    folder = account.folder / name
    parts = accounts.cut(rehearsal.build or project.ROOT, folder, base=name)
    data = accounts.package(parts["data"], rehearsal.build, account, {}, {})
    before = accounts.create(account, name, json.loads(json.dumps(data)))
    rehearsal.put("Users", name, user_id="kept", contract="gotu", created_at=1)
    status = delete(account, name)
    require(status == "DELETE_COMPLETE", "a stack of the data is deleted", status)
    options = ["--stack", name, "--stage", "production", "--template", str(folder / "data.json")]
    ran = rehearsal.run(*options, program="import_data.py")
    require(ran.returncode == 0, "an import makes it again", ran.stderr.strip()[-300:] or "done")
    after = accounts.update(account, name, data)
    same = all(after[one] == physical for one, physical in before.items())
    require(same and len(rehearsal.items(f"{name}-Users")) == 1, "it has what it had", len(after))
    ran = rehearsal.run(*options, program="import_data.py")
    require(ran.returncode and "has everything" in ran.stderr, "a second import is refused", ran.stderr.strip())


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
        account = accounts.Account(Path(folder), build or Path(folder), LATCHKEY_RECOVERY=str(LAG))
        try:
            account.wait()
            rehearsal = Rehearsal(account, build)
            at, snapshot = before(rehearsal)
            damage(rehearsal, at)
            refusals(rehearsal, at)
            stream = restored(rehearsal, at, snapshot)
            without_sessions(rehearsal, at, snapshot)
            meanwhile(rehearsal, at)
            if build:
                switched(rehearsal, stream)
            adopted(rehearsal, stream)
            lost(rehearsal)
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]) if len(sys.argv) == 2 else None)
