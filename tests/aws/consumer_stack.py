"""Checks the stack of another team (tests/examples/consumer) beside a deployed stack: the event of a sign-up reaches its function,
an event that comes again changes nothing, one that cannot be handled becomes a dead letter, and a replay brings back what was lost.

usage: consumer_stack.py BUILD [REPLAY]
    BUILD     the output of sam build (.aws-sam/build)
    REPLAY    the program of tests/replay; without it, nothing is replayed
Prints one line per check.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import account as accounts  # noqa: E402
import delivery  # noqa: E402
import template as project  # noqa: E402

EXAMPLE = project.ROOT / "tests" / "examples" / "consumer"
NAME = "consumer"


def ok(name, figure):
    print(f"ok  consumer stack {name} {figure}", flush=True)


def require(truth, name, figure):
    if not truth:
        raise SystemExit(f"FAILED  consumer stack {name}: {figure}")
    ok(name, figure)


class Consumer:
    """The stack of the other team."""

    def __init__(self, account):
        self.resources = accounts.create(account, NAME, packaged(account))
        self.queues, self.tables = account.client("sqs"), account.client("dynamodb")

    def items(self, table):
        return self.tables.scan(TableName=self.resources[table], ConsistentRead=True)["Items"]

    def users(self):
        return {item["user_id"]["S"]: item for item in self.items("Users")}

    def send(self, body):
        self.queues.send_message(QueueUrl=self.resources["UsersQueue"], MessageBody=body)

    def is_empty(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.queues.get_queue_attributes(QueueUrl=self.resources["UsersQueue"], AttributeNames=names)
        return all(found["Attributes"][name] == "0" for name in names)

    def dead_letters(self):
        options = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "VisibilityTimeout": 1}
        return self.queues.receive_message(QueueUrl=self.resources["DeadLetters"], **options).get("Messages", [])

    def forget(self):
        """Deletes what the consumer knows, as a mistake in its code would."""
        for table, key in (("Users", "user_id"), ("Handled", "event_id")):
            for item in self.items(table):
                self.tables.delete_item(TableName=self.resources[table], Key={key: item[key]})


def packaged(account):
    """The template as sam package makes it, with the code in a bucket."""
    template = project.load(EXAMPLE / "template.yaml")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        for file in sorted((EXAMPLE / "src").glob("*.py")):
            archive.write(file, file.name)
    account.client("s3").put_object(Bucket=accounts.BUCKET, Key=f"{NAME}.zip", Body=code.getvalue())
    properties = template["Resources"]["Consumer"]["Properties"]
    properties["CodeUri"] = f"s3://{accounts.BUCKET}/{NAME}.zip"
    # The emulated account runs functions on this machine.
    properties["Architectures"] = ["x86_64"]
    # A message that failed comes again after this time: three minutes are too long for a check.
    template["Resources"]["UsersQueue"]["Properties"]["VisibilityTimeout"] = 1
    return template


def sign_ups(stack, consumer):
    """Checks that sign-ups reach the table of the consumer, once, also if their events come again."""
    for number in range(3):
        stack.sign_up(number)
    delivery.until("the users of the consumer", lambda: len(consumer.users()) == 3)
    users = consumer.users()
    require(all(item["type"]["S"] == "email" for item in users.values()), "sign-ups", f"{len(users)} users")
    known = {item["event_id"]["S"] for item in consumer.items("Handled")}
    events = [event_of(stack, user) for user in users]
    for event in events:
        consumer.send(json.dumps(event))
    delivery.until("an empty queue", consumer.is_empty)
    require(consumer.users() == users, "events that come again", f"{len(events)} change nothing")
    require({item["event_id"]["S"] for item in consumer.items("Handled")} == known, "handled once", f"{len(known)} events")
    return events


def event_of(stack, user):
    """The event of a sign-up, from the queue that gets every event of the bus."""
    for message in stack.everything():
        event = json.loads(message["Body"])
        if event["detail-type"] == "AUTH_USER_CREATED" and event["detail"]["userId"] == user:
            return event
    raise SystemExit(f"FAILED  consumer stack: the bus had no event of {user}")


def out_of_order(consumer, event):
    """Checks that a user whose deletion arrives before the creation stays deleted."""
    detail = {name: event["detail"][name] for name in ("schemaVersion", "correlationId", "sequence")}
    detail |= {"eventId": "deleted-first", "userId": "f" * 24, "deletedAt": event["detail"]["createdAt"]}
    created = {**event, "detail": {**event["detail"], "eventId": "created-late", "userId": "f" * 24}}
    consumer.send(json.dumps({**event, "detail-type": "AUTH_USER_DELETED", "detail": detail}))
    delivery.until("the deletion", lambda: "f" * 24 in consumer.users())
    consumer.send(json.dumps(created))
    delivery.until("an empty queue", consumer.is_empty)
    require("deleted_at" in consumer.users()["f" * 24], "out of order", "a deleted user stays deleted")


def poison(consumer, event):
    """Checks that what cannot be handled becomes a dead letter, and holds up nothing else."""
    bodies = ["not JSON", json.dumps({**event, "detail": {**event["detail"], "eventId": "new", "schemaVersion": 2}})]
    good = {**event, "detail": {**event["detail"], "eventId": "good", "userId": "e" * 24}}
    for body in [*bodies, json.dumps(good)]:
        consumer.send(body)
    delivery.until("the good event", lambda: "e" * 24 in consumer.users())
    letters = delivery.until("the dead letters", lambda: len(found := consumer.dead_letters()) == 2 and found, 120)
    require({letter["Body"] for letter in letters} == set(bodies), "poison", f"{len(letters)} dead letters after five tries each")
    require(consumer.is_empty(), "poison", "and nothing else waits")


def replay(program, account, stack, consumer):
    """Checks that a replay brings back what a consumer lost, and reaches no other rule."""
    bus = stack.resources["EventBus"]
    environment = {**os.environ, "AWS_ENDPOINT_URL": account.url, "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"]}

    def run(*options):
        command = [program, "--bus", bus, "--from", "1h", "--type", "AUTH_USER_CREATED", *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    refused = run()
    require(refused.returncode != 0 and "also takes" in refused.stderr, "replay", "is refused if a rule takes other types")
    before = len(stack.everything())
    consumer.forget()
    name = consumer.resources["UsersRule"].split("|")[-1].split("/")[-1]
    done = run("--rule", name, "--with-others")
    require(done.returncode == 0 and "COMPLETED" in done.stdout, "replay", " · ".join((done.stdout + done.stderr).split("\n")).strip(" ·"))
    delivery.until("the users of the consumer", lambda: len(consumer.users()) == 3)
    ok("replay", "the users are back")
    require(len(stack.everything()) == before, "replay", "no other rule got an event")
    done = subprocess.run([program, "--bus", bus, "--from", "1h"], env=environment, capture_output=True, text=True)
    require(done.returncode == 0, "replay", "of everything, to all rules" if done.returncode == 0 else done.stderr)
    delivery.until("every event again", lambda: len(stack.everything()) == 2 * before)
    delivery.until("an empty queue", consumer.is_empty)
    require(len(consumer.users()) == 3, "replay", "changes nothing where nothing was lost")


class Stack(delivery.Stack):
    """The deployed stack, with a queue of everything that its bus published."""

    def __init__(self, build, account):
        super().__init__(build, account)
        bus = self.resources["EventBus"]
        self.queue, self.seen = accounts.listen(account, bus), []

    def everything(self):
        """Every message about an event of the bus so far."""
        while found := self.queues.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.queues.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                self.seen.append(message)
        return self.seen


def main(build, program=None):
    # The emulator runs the function with the first python3 of the path, which needs boto3.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="latchkey-account-") as folder:
        account = accounts.Account(Path(folder), Path(build))
        try:
            account.wait()
            stack = Stack(Path(build), account)
            consumer = Consumer(account)
            events = sign_ups(stack, consumer)
            if program:
                replay(program, account, stack, consumer)
            out_of_order(consumer, events[0])
            poison(consumer, events[0])
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
