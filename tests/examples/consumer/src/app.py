"""A consumer of Latchkey's events: keeps a table of Gotu's users.

Copy this file and change `handle`. It returns the writes that an event causes. They are one transaction with the mark that the event
was handled, so each event has its effect once, however often it is delivered. An event that fails is reported and comes again; after
five times it is a dead letter.
"""

import json
import os
import time

import boto3
from botocore.exceptions import ClientError

KNOWN_VERSION = 1
# The marks outlive every second delivery: a queue keeps an event for 14 days, and an archive for 30.
SECONDS_OF_A_MARK = 60 * 24 * 3600

tables = boto3.client("dynamodb")


def handle(event):
    """The writes that an event causes, which must not depend on the order of events."""
    detail = event["detail"]
    user = {"user_id": {"S": detail["userId"]}}
    match event["detail-type"]:
        case "AUTH_USER_CREATED":
            # Not if the user was deleted already: the bus keeps no order.
            item = {**user, "created_at": {"S": detail["createdAt"]}, "type": {"S": detail["type"]}}
            return [put("USERS_TABLE", item, "attribute_not_exists(user_id)")]
        case "AUTH_USER_DELETED":
            # Replaces what is known of the user. What is left says that the user must not be created again, and ends by itself.
            return [put("USERS_TABLE", {**user, "deleted_at": {"S": detail["deletedAt"]}, **expiry()})]
        case other:
            raise ValueError(f"the type {other} is unknown")


def handler(batch, _context):
    failures = []
    for record in batch["Records"]:
        try:
            take(json.loads(record["body"]))
        except Exception as error:  # One event must not hold up the others of its batch.
            print(json.dumps({"message": "an event failed", "error": repr(error), "message_id": record["messageId"]}))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def take(event):
    """Handles an event, unless it was handled before."""
    detail = event["detail"]
    if detail["schemaVersion"] != KNOWN_VERSION:
        raise ValueError(f"the schema version {detail['schemaVersion']} is unknown")
    mark = {"event_id": {"S": detail["eventId"]}, "type": {"S": event["detail-type"]}, **expiry()}
    writes = [put("HANDLED_TABLE", mark, "attribute_not_exists(event_id)"), *handle(event)]
    try:
        tables.transact_write_items(TransactItems=writes)
    except ClientError as error:
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        # The event was handled before, or what it says is outdated. Anything else comes again.
        if not reasons or set(reasons) - {"None", "ConditionalCheckFailed"}:
            raise


def put(table, item, condition=None):
    write = {"TableName": os.environ[table], "Item": item}
    if condition:
        write["ConditionExpression"] = condition
    return {"Put": write}


def expiry():
    return {"expires_at": {"N": str(int(time.time()) + SECONDS_OF_A_MARK)}}
