"""A consumer of Latchkey's events, for other teams to copy. It needs the standard library only.

It reads its own queue behind a rule on the bus, and follows the rules of shared/docs/events/README.md:

- It handles each event once, by eventId, although queue and bus deliver some twice.
- It never waits for another event, because its rule may filter that one out. Of each user it remembers the greatest userVersion, and
  tells its handler whether an event is the newest one. State that an event replaces, such as a phone number, changes only then.
- What it remembers, and what the handler writes, is one transaction of one database. A crash in between repeats the event.
- It ignores fields that it does not know. A message that it cannot read, or with a schemaVersion that it does not know, stays in the
  queue, whose RedrivePolicy moves it to the dead letters after some tries. It deletes no message that it did not handle.
"""

import json
import sqlite3
import sys
import time
import traceback
from pathlib import Path

SCHEMAS = Path(__file__).resolve().parents[2] / "shared" / "docs" / "events"
KNOWN_VERSION = 1
# The archive of the bus replays 30 days. An event that is older can come no more.
REMEMBERED = 31 * 24 * 3600

TABLES = """
CREATE TABLE IF NOT EXISTS handled (event_id TEXT PRIMARY KEY, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS handled_at ON handled (at);
CREATE TABLE IF NOT EXISTS users (
    source TEXT NOT NULL, user_id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (source, user_id)
);
"""


class Unreadable(Exception):
    """A message that this version of the consumer cannot handle, however often it comes."""


def validators():
    """Returns a validator for each source and type, or none without the package jsonschema. The schemas are open: an event with a
    field that they do not name is valid. Another team would have copies of the schemas that it needs."""
    try:
        import jsonschema
    except ImportError:
        return {}
    found = {}
    for file in SCHEMAS.glob("*/*.schema.json"):
        schema = json.loads(file.read_text())
        source = schema["description"].split("Source ")[1].split()[0].rstrip(".")
        found[source, schema["title"]] = jsonschema.validators.validator_for(schema)(schema)
    return found


class Consumer:
    """Takes the messages of one queue.

    queues      a client of SQS, such as boto3's
    url         the URL of the queue
    handle      called with (database, event, is_newest) in a transaction of the database; an exception rolls it back, and the
                message comes again
    database    an sqlite3 connection with isolation_level=None, see `open_database`
    """

    def __init__(self, queues, url, handle, database):
        self.queues, self.url, self.handle, self.database = queues, url, handle, database
        self.validators = validators()

    def poll(self, seconds=1):
        """Takes the messages that are in the queue; returns their number."""
        options = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": seconds}
        messages = self.queues.receive_message(QueueUrl=self.url, **options).get("Messages", [])
        for message in messages:
            receipt = {"QueueUrl": self.url, "ReceiptHandle": message["ReceiptHandle"]}
            try:
                self.take(self.read(message["Body"]))
            except Unreadable as error:
                print(f"a message cannot be read: {error}: {message['Body'][:200]}", file=sys.stderr)
                # It comes again at once, until the queue moves it to the dead letters.
                self.queues.change_message_visibility(**receipt, VisibilityTimeout=0)
            except Exception:
                # It comes again after the visibility timeout of the queue. The other messages do not wait for it.
                traceback.print_exc()
            else:
                self.queues.delete_message(**receipt)
        return len(messages)

    def read(self, body):
        """Returns the event of a message."""
        try:
            event = json.loads(body)
            detail = event["detail"]
            name = (event["source"], event["detail-type"])
            version, _ = detail["schemaVersion"], detail["eventId"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"no event ({error!r})") from error
        if version != KNOWN_VERSION:
            raise Unreadable(f"schema version {version} is unknown")
        if validator := self.validators.get(name):
            for problem in validator.iter_errors(detail):
                raise Unreadable(problem.message)
        return event

    def take(self, event):
        """Handles an event, unless it was handled before."""
        with transaction(self.database) as database:
            if self.is_new(event["detail"]["eventId"]):
                self.handle(database, event, self.is_newest(event))

    def is_new(self, event_id):
        """Remembers an event, and returns whether it was not remembered before."""
        now = int(time.time())
        self.database.execute("DELETE FROM handled WHERE at < ?", (now - REMEMBERED,))
        return self.database.execute("INSERT OR IGNORE INTO handled VALUES (?, ?)", (event_id, now)).rowcount == 1

    def is_newest(self, event):
        """Remembers the version of the user, and returns whether no newer event about the user was handled. An event about no user
        is the newest one. An event from before there were versions is older than any that has one."""
        detail = event["detail"]
        if "userId" not in detail:
            return True
        user = (event["source"], str(detail["userId"]), detail.get("userVersion", 0))
        return (
            self.database.execute(
                "INSERT INTO users VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version"
                " WHERE excluded.version > users.version",
                user,
            ).rowcount
            == 1
        )


class transaction:
    """A transaction that writes. Several processes may read one queue with one database."""

    def __init__(self, database):
        self.database = database

    def __enter__(self):
        self.database.execute("BEGIN IMMEDIATE")
        return self.database

    def __exit__(self, kind, error, trace):
        self.database.execute("COMMIT" if kind is None else "ROLLBACK")


def open_database(path):
    """Opens the database of a consumer, and makes its tables."""
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    database.executescript(TABLES)
    return database
