"""Runs the example consumer (tests/aws/consumer.py) on queues of the local stack, until it took the expected messages of each.

Standard input is {"sqs": URL, "folder": PATH, "queues": [{"name", "url", "messages"}]}. The folder gets a database for each queue. Standard
output is one line, {"name": {"handled": [[eventId, source, userId, userVersion, isNewest]], "latest": [[source, userId, eventId]]}}.
"""

import json
import sys
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "aws"))
from consumer import Consumer, Unreadable, open_database  # noqa: E402


class Queues:
    """A client of SQS with the names of boto3, for the local stack."""

    def __init__(self, url):
        self.url = url

    def call(self, operation, body):
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"AmazonSQS.{operation}"}
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def receive_message(self, **options):
        return self.call("ReceiveMessage", options)

    def delete_message(self, **options):
        return self.call("DeleteMessage", options)

    def change_message_visibility(self, **options):
        return self.call("ChangeMessageVisibility", options)


class Handler:
    """What a team would write: here it keeps the latest event of each user, and a list of all of them."""

    def __init__(self, database):
        self.handled, self.fails = [], 0
        database.execute("CREATE TABLE IF NOT EXISTS latest (source TEXT, user_id TEXT, event_id TEXT, PRIMARY KEY (source, user_id))")

    def __call__(self, database, event, is_newest):
        detail = event["detail"]
        user = str(detail.get("userId", ""))
        if is_newest:
            database.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", (event["source"], user, detail["eventId"]))
        if self.fails:
            self.fails -= 1
            raise OSError("the handler fails after it wrote")
        self.handled.append([detail["eventId"], event["source"], user, detail.get("userVersion"), is_newest])


def drain(queues, folder, queue):
    database = open_database(folder / f"{queue['name']}.db")
    handler = Handler(database)
    consumer = Consumer(queues, queue["url"], handler, database)
    taken = 0
    while taken < queue["messages"]:
        # The wait is a limit only: the messages are there, or a test fails.
        if not (count := consumer.poll(20)):
            raise SystemExit(f"{queue['name']}: {taken} of {queue['messages']} messages came")
        taken += count
    latest = database.execute("SELECT source, user_id, event_id FROM latest").fetchall()
    return {"handled": handler.handled, "latest": latest}


def check_transaction():
    """Checks that a handler that fails leaves nothing, and that the event is handled when it comes again."""
    database = open_database(":memory:")
    handler = Handler(database)
    consumer = Consumer(None, None, handler, database)
    body = {"source": "auth-service", "detail-type": "NEW", "detail": {"schemaVersion": 1, "eventId": "1", "userId": "a", "userVersion": 5}}
    event = consumer.read(json.dumps(body))
    handler.fails = 1
    try:
        consumer.take(event)
        raise SystemExit("the failure of the handler was lost")
    except OSError:
        pass
    for table in ("handled", "users", "latest"):
        rows = database.execute(f"SELECT * FROM {table}").fetchall()
        assert rows == [], (table, rows)
    consumer.take(event)
    consumer.take(event)
    assert handler.handled == [["1", "auth-service", "a", 5, True]], handler.handled
    # An event of before there were versions, which comes late, replaces nothing. Neither does an older one.
    for event_id, version, newest in (("2", None, False), ("3", 4, False), ("4", 6, True)):
        body["detail"] = {"schemaVersion": 1, "eventId": event_id, "userId": "a"} | ({"userVersion": version} if version else {})
        consumer.take(consumer.read(json.dumps(body)))
        assert handler.handled[-1] == [event_id, "auth-service", "a", version, newest], handler.handled
    for bad in ("", "[]", "{}", '{"source": "a", "detail-type": "b", "detail": {"schemaVersion": 2, "eventId": "5"}}'):
        try:
            consumer.read(bad)
            raise SystemExit(f"{bad!r} was read")
        except Unreadable:
            pass


def main():
    plan = json.load(sys.stdin)
    folder, queues = Path(plan["folder"]), Queues(plan["sqs"])
    check_transaction()
    result = {queue["name"]: drain(queues, folder, queue) for queue in plan["queues"]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
