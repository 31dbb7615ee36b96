"""The events that functions are invoked with under sam local, and the answers that are right.

usage: events.py              checks events.json against template.yaml; prints one line
       events.py FUNCTION     prints the event of a function, such as gotu-post-otp, for sam local invoke --event -

events.json holds the part that all requests have in common, and a row for each function:
    body, headers, query    of the request; the body is sent as JSON
    event                   the whole event of a function without a route
    expected                the status of the answer; or, of a function without a route, the answer or a list of its fields
The method and the path of a request come from template.yaml. A function with a route needs no row: its request has no body,
and every answer below 500 is right.
"""

import copy
import json
import sys
import urllib.parse
from pathlib import Path

import template as project

TABLE = json.loads(Path(__file__).with_suffix(".json").read_text())
# A path that no route serves.
UNKNOWN_PATH = "/nowhere"


def row(binary):
    return TABLE["functions"].get(binary, {})


def request(binary, method, path):
    """The event that API Gateway makes of a request to a route of the function."""
    key = f"{method} {path}"
    if path == "$default":
        key, method, path = path, "GET", UNKNOWN_PATH
    given = row(binary)
    event = copy.deepcopy(TABLE["base"])
    query = given.get("query", {})
    event.update(routeKey=key, rawPath=path, rawQueryString=urllib.parse.urlencode(query))
    if query:
        event["queryStringParameters"] = query
    if "body" in given:
        event["headers"]["content-type"] = "application/json"
        event["body"] = json.dumps(given["body"])
    event["headers"].update(given.get("headers", {}))
    event["requestContext"].update(requestId=f"event-of-{binary}", routeKey=key)
    event["requestContext"]["http"].update(method=method, path=path)
    return event


def event(template, binary):
    """The event of the function: the row's own, or a request to the function's first route."""
    given = row(binary)
    if "event" in given:
        return given["event"]
    for method, path, served_by in project.routes(template):
        if served_by == binary:
            return request(binary, method, path)
    raise SystemExit(f"{binary} has neither a route in template.yaml nor an event in events.json")


def is_right(binary, answer):
    """Whether the answer, as a function returns it, is the expected one."""
    expected = row(binary).get("expected")
    if isinstance(expected, list):
        return sorted(answer) == sorted(expected)
    if isinstance(expected, dict):
        return answer == expected
    status = answer.get("statusCode")
    return status == expected if expected else isinstance(status, int) and status < 500


def problems(template):
    functions = set(project.functions(template))
    routed = {binary for _, _, binary in project.routes(template)}
    for binary in sorted(set(TABLE["functions"]) - functions):
        yield f"events.json has a row {binary}, template.yaml no such function"
    for binary in sorted(functions - routed):
        if not {"event", "expected"} <= set(row(binary)):
            yield f"{binary} has no route and needs a row in events.json with its event and the expected answer"
    for binary in sorted(functions & routed):
        if "event" in row(binary):
            yield f"{binary} has a route, so the row in events.json must not have an event"


def main(binary=None):
    template = project.load()
    if binary:
        print(json.dumps(event(template, binary), indent=2))
        return 0
    found = list(problems(template))
    for problem in found:
        print(f"FAILED  events {problem}")
    if not found:
        print(f"ok  events {len(project.functions(template))} functions, {len(TABLE['functions'])} rows")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
