"""A consumer of Latchkey's events, as another service would write it after the documentation of the events.

It reads messages from its own queue behind a rule on the bus, checks each event against its schema, and handles each event
once, even if the queue repeats it. It handles the events of one correlationId in the order of their sequence.
"""

import json
from pathlib import Path

import jsonschema

SCHEMAS = Path(__file__).resolve().parents[2] / "shared" / "docs" / "events"
KNOWN_VERSION = 1


def schemas():
    """The validators by detail type. Another service would have copies of the schemas that it needs."""
    found = {}
    for file in SCHEMAS.glob("*/*.schema.json"):
        schema = json.loads(file.read_text())
        found[file.name.removesuffix(".schema.json")] = jsonschema.validators.validator_for(schema)(schema)
    return found


class Consumer:
    def __init__(self, queues, url, handle):
        self.queues, self.url, self.handle = queues, url, handle
        self.validators = schemas()
        # A real consumer keeps these in its database and changes them in the transaction that handles the event.
        self.seen = set()
        self.next = {}
        self.waiting = {}

    def poll(self, seconds=1):
        """Takes the messages that are in the queue; returns their number."""
        options = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": seconds}
        messages = self.queues.receive_message(QueueUrl=self.url, **options).get("Messages", [])
        for message in messages:
            event = json.loads(message["Body"])
            self.take(event["detail-type"], event["detail"])
            self.queues.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def take(self, kind, detail):
        if detail["schemaVersion"] != KNOWN_VERSION:
            raise ValueError(f"{kind}: schema version {detail['schemaVersion']} is unknown")
        self.validators[kind].validate(detail)
        if detail["eventId"] in self.seen:
            return
        self.seen.add(detail["eventId"])
        chain = detail["correlationId"]
        self.waiting.setdefault(chain, {})[detail["sequence"]] = (kind, detail)
        # An event that arrived before its predecessor waits for it.
        while (number := self.next.get(chain, 1)) in self.waiting[chain]:
            self.next[chain] = number + 1
            self.handle(*self.waiting[chain].pop(number))
        if not self.waiting[chain]:
            del self.waiting[chain]
