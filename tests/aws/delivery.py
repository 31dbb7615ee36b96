"""Checks the delivery of effects in a deployed stack: from the event source mapping by the relay, the bus, a rule and a queue to
a consumer; during an outage of the bus, after which a sweep delivers the entries; and during one of the table, which ends in dead
letters.

usage: delivery.py BUILD     BUILD: the output of sam build (.aws-sam/build); prints one line per check
"""

import json
import random
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent))
import account as accounts  # noqa: E402
import template as project  # noqa: E402
from consumer import Consumer, open_database  # noqa: E402

SIGN_UPS = 12


def ok(name, figure):
    print(f"ok  delivery {name} {figure}", flush=True)


def require(truth, name, figure):
    require_quietly(truth, name, figure)
    ok(name, figure)


def require_quietly(truth, name, figure):
    if not truth:
        raise SystemExit(f"FAILED  delivery {name}: {figure}")


def until(what, look, patience=60, reason=lambda: ""):
    """Waits until a look finds something, and returns it; patience in seconds. `reason` says more if nothing is found."""
    end = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > end:
            raise SystemExit(f"FAILED  delivery timed out waiting for {what}{reason()}")
        time.sleep(0.1)
    return found


def described(payload):
    """The type and the message of a function's error."""
    try:
        error = json.loads(payload)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, TypeError, KeyError):
        return payload.decode(errors="replace")


class Stack:
    def __init__(self, build, account):
        self.account = account
        environment = {"OTP_SENDS_PER_HOUR": "0", "OTP_SENDS_PER_HOUR_PER_IP": "0"}
        self.resources = accounts.deploy(build, account, {}, environment)
        self.api = accounts.api_url(account, self.resources)
        self.functions, self.queues = account.client("lambda"), account.client("sqs")
        self.tables = account.client("dynamodb")
        self.relay = self.resources["RelayFunction"]
        self.live = f"{self.relay}:{accounts.ALIAS}"

    def sign_up(self, number):
        body = {"type": "email", "email": f"person{number}@example.com", "password": "correct horse"}
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.api}/users", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status

    def outbox(self):
        return self.tables.scan(TableName=self.resources["Outbox"], ConsistentRead=True)["Items"]

    def dead_letters(self, wait=0):
        url = self.resources["RelayDeadLetters"]
        options = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": wait, "VisibilityTimeout": 5}
        return self.queues.receive_message(QueueUrl=url, **options).get("Messages", [])

    def mappings(self):
        """Returns the event source mappings of the relay, by the pattern of their filter."""
        found = self.functions.list_event_source_mappings(FunctionName=self.live)["EventSourceMappings"]
        return {mapping["FilterCriteria"]["Filters"][0]["Pattern"]: mapping for mapping in found}

    def reach_at(self, service, endpoint):
        """Sets the endpoint of a service that the relay uses, as a deployment does: in a new version. Returns the one before."""
        variables = self.functions.get_function_configuration(FunctionName=self.relay)["Environment"]["Variables"]
        before = variables.get(f"AWS_ENDPOINT_URL_{service}", "")
        variables[f"AWS_ENDPOINT_URL_{service}"] = endpoint
        self.functions.update_function_configuration(FunctionName=self.relay, Environment={"Variables": variables})
        version = self.functions.publish_version(FunctionName=self.relay)["Version"]
        self.functions.update_alias(FunctionName=self.relay, Name=accounts.ALIAS, FunctionVersion=version)
        return before

    def sweep(self):
        """Invokes the relay as its schedule does each minute. Returns the kind of the error with its type and message, or nothing."""
        try:
            answer = self.functions.invoke(FunctionName=self.live, Payload=b'{"source":"aws.events"}')
            payload = answer["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            return f"{type(error).__name__}: {error}"
        return f"{answer['FunctionError']}: {described(payload)}" if "FunctionError" in answer else ""


def mapping(stack):
    """Checks that the event source mappings are those that template.yaml declares."""
    found = stack.mappings()
    _, properties = project.functions(project.load())["relay"]
    table = stack.tables.describe_table(TableName=stack.resources["Outbox"])["Table"]
    events = {name: event["Properties"] for name, event in properties["Events"].items() if event["Type"] == "DynamoDB"}
    require(len(found) == len(events), "mappings", ", ".join(sorted(events)))
    for event, declared in events.items():
        mapped = found[declared["FilterCriteria"]["Filters"][0]["Pattern"]]
        for name in ("BatchSize", "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "FunctionResponseTypes"):
            require(mapped[name] == declared[name], f"mapping {event} {name}", mapped[name])
        require(mapped["EventSourceArn"] == table["LatestStreamArn"], f"mapping {event} source", "the outbox's stream")


def consume(stack):
    """Checks that each event of some sign-ups is handled once, and that no older one is taken for the newest, though the queue repeats
    and shuffles them."""
    handled = []
    queue = accounts.listen(stack.account, stack.resources["EventBus"])
    consumer = Consumer(stack.queues, queue, lambda _, event, is_newest: handled.append((event, is_newest)), open_database(":memory:"))
    started = time.monotonic()
    for number in range(SIGN_UPS):
        stack.sign_up(number)
    until("an empty outbox", lambda: not stack.outbox())
    ok("outbox emptied after", f"{SIGN_UPS} sign-ups in {time.monotonic() - started:.1f}s")
    # A queue may repeat and shuffle messages; here the test does so.
    bodies = []
    while messages := stack.queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            stack.queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    require(len(bodies) == 2 * SIGN_UPS, "queued", f"{len(bodies)} events")
    shuffled = bodies * 2
    random.Random(7).shuffle(shuffled)
    for body in shuffled:
        stack.queues.send_message(QueueUrl=queue, MessageBody=body)
    while consumer.poll():
        pass
    require(len(handled) == 2 * SIGN_UPS, "handled", f"{len(shuffled)} messages, {len(handled)} events")
    users, late = {}, 0
    for event, is_newest in handled:
        users.setdefault(event["detail"]["userId"], []).append((event["detail"]["userVersion"], event["detail-type"], is_newest))
    for events in users.values():
        # The newest event is the last one that was taken for it, and the events of a sign-up are ordered by their versions.
        late += sum(not is_newest for _, _, is_newest in events)
        newest = [event for event in events if event[2]]
        right = newest == sorted(newest) and newest[-1] == max(events)
        require_quietly(right and [kind for _, kind, _ in sorted(events)] == ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"], "order", events)
    require(len(users) == SIGN_UPS and late > 0, "order", f"{len(users)} users, {late} events came after a newer one and replaced nothing")
    return consumer, handled


def sweep_until_delivered(stack, consumer, handled, expected):
    """Sweeps, as the schedule does each minute, until no entry is left, and checks how many events came. On a slow machine, a
    sweep can fail; as on AWS, the next one follows."""
    errors = []

    def swept():
        if error := stack.sweep():
            errors.append(error)
            print(f"note  delivery sweep {len(errors)} failed: {error}", flush=True)
            time.sleep(2)
        return not stack.outbox()

    def last():
        return f"; {len(errors)} sweeps failed, the last one with {errors[-1]}" if errors else "; no sweep failed"

    until("the delivery of the entry", swept, 120, last)
    while consumer.poll():
        pass
    require(len(handled) == expected, "delivered later", f"{len(handled)} events")


def outage_of_the_bus(stack, consumer, handled):
    """Checks that an entry waits for the bus outside of the stream, and is delivered afterwards."""
    expected = len(handled) + 2
    # No process listens on port 9.
    before = stack.reach_at("EVENTBRIDGE", "http://127.0.0.1:9")
    require(stack.sign_up("after") == 200, "outage of the bus", "the sign-up still succeeds")
    failed = until("a failed try", lambda: [entry for entry in stack.outbox() if "last_error" in entry])
    require(len(failed) == 1, "outage of the bus", "the entry waits in the outbox")
    stack.reach_at("EVENTBRIDGE", before)
    sweep_until_delivered(stack, consumer, handled, expected)
    require(not stack.dead_letters(), "outage of the bus", "no dead letter")


def outage_of_the_table(stack, consumer, handled):
    """Checks that a record that is too old becomes a dead letter, and that its entry is delivered all the same."""
    expected = len(handled) + 2
    for found in stack.mappings().values():
        stack.functions.update_event_source_mapping(UUID=found["UUID"], MaximumRecordAgeInSeconds=60)
    before = stack.reach_at("DYNAMODB", "http://127.0.0.1:9")
    require(stack.sign_up("last") == 200, "outage of the table", "the sign-up still succeeds")
    started = time.monotonic()
    letters = until("a dead letter", lambda: stack.dead_letters(1), 150)
    letter = json.loads(letters[0]["Body"])
    require("DDBStreamBatchInfo" in letter, "dead letter", f"{letter['requestContext']['condition']} after {time.monotonic() - started:.0f}s")
    stack.reach_at("DYNAMODB", before)
    sweep_until_delivered(stack, consumer, handled, expected)
    # A dead letter refers to a stream record, not to an effect: when its entry is delivered, it can be deleted.
    deleted = 0
    # A dead letter that was read becomes visible again when its visibility timeout of five seconds ends.
    while letters := stack.dead_letters(6):
        for message in letters:
            stack.queues.delete_message(QueueUrl=stack.resources["RelayDeadLetters"], ReceiptHandle=message["ReceiptHandle"])
            deleted += 1
    require(deleted >= 1, "dead letters", f"{deleted} deleted")


def main(build):
    with tempfile.TemporaryDirectory(prefix="latchkey-account-") as folder:
        account = accounts.Account(Path(folder), Path(build))
        try:
            account.wait()
            stack = Stack(Path(build), account)
            mapping(stack)
            consumer, handled = consume(stack)
            outage_of_the_bus(stack, consumer, handled)
            outage_of_the_table(stack, consumer, handled)
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
