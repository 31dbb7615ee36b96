"""Runs the functions under sam local; prints one line per check.

usage: sam_local.py env STORE                  prints the file that --env-vars takes
       sam_local.py invoke STORE IMAGE WORK    invokes every function with its event (sam local invoke)
       sam_local.py routes STORE IMAGE WORK    sends a request to every route (sam local start-api)

STORE is the URL of DynamoDB as containers reach it, IMAGE the runtime image, WORK a folder for logs. The events, the requests
and the expected answers come from events.py.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import events
import template as project

API = "http://127.0.0.1:3000"
# An invocation mostly waits: for Docker, and for sam to load.
AT_ONCE = 3


def environment(template, store):
    """Values for variables that the template declares: key rings in plain text, the local stack's tables, and its store."""
    found = {}
    for name, value in template["Globals"]["Function"]["Environment"]["Variables"].items():
        resource = value.get("Ref") if isinstance(value, dict) else None
        kind = template["Resources"].get(resource, {}).get("Type")
        if "_KEY_RING" in name:
            found[name] = project.RING
        elif kind == "AWS::DynamoDB::Table":
            found[name] = f"{project.PSEUDO['AWS::StackName']}-{resource}"
    found["AWS_ENDPOINT_URL_DYNAMODB"] = store
    return json.dumps({"Parameters": found}, indent=2)


def line(binary, check, answer, shown, started):
    """A check's result, its name, and the details of the answer; the whole answer if it is wrong."""
    right = events.is_right(binary, answer)
    if not right:
        shown = f"{answer}, expected {events.row(binary).get('expected', 'a status below 500')}"
    return right, check, f"{shown} in {time.monotonic() - started:.1f}s"


def invoke(template, name, binary, options):
    """The answer of a function to its event."""
    command = ["sam", "local", "invoke", name, "--event", "-", *options]
    event = json.dumps(events.event(template, binary))
    done = subprocess.run(command, capture_output=True, text=True, input=event, timeout=180)
    answers = [text for text in done.stdout.splitlines() if text.startswith("{")]
    if done.returncode or not answers:
        return {"failed": done.stderr[-1500:]}
    return json.loads(answers[-1])


def invoke_all(template, options):
    def check(binary, name):
        started = time.monotonic()
        answer = invoke(template, name, binary, options)
        return line(binary, f"invoke {binary}", answer, answer.get("statusCode", sorted(answer)), started)

    binaries = [(binary, name) for binary, (name, _) in sorted(project.functions(template).items())]
    # The first invocation adds Lambda's emulator to the image, which all others use.
    yield check(*binaries[0])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(check, *zip(*binaries[1:]))


def start_api(options, log):
    server = subprocess.Popen(
        ["sam", "local", "start-api", "--host", "127.0.0.1", "--port", "3000", "--warm-containers", "LAZY", *options],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(API, timeout=60)
            return server
        except urllib.error.HTTPError:
            return server
        except OSError:
            time.sleep(0.2)
    raise SystemExit("FAILED  sam local start-api did not start")


def send(event):
    """Sends the request that an event describes; returns the answer."""
    http = event["requestContext"]["http"]
    url = API + http["path"] + (f"?{event['rawQueryString']}" if event["rawQueryString"] else "")
    request = urllib.request.Request(url, event.get("body", "").encode() or None, event["headers"], method=http["method"])
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as refused:
        answer = refused
    return {"statusCode": answer.status, "body": answer.read().decode()[:300]}


def ask_all(template, options, log):
    server = start_api(options, log)
    try:
        for method, path, binary in project.routes(template):
            started = time.monotonic()
            answer = send(events.request(binary, method, path))
            yield line(binary, f"route {method} {path}", answer, answer["statusCode"], started)
    finally:
        server.terminate()
        server.wait()


def main(mode, store, image, work):
    template = project.load()
    variables = Path(work) / "env.json"
    variables.write_text(environment(template, store))
    options = ["--skip-pull-image", "--invoke-image", image, "--env-vars", str(variables)]
    options += ["--add-host", "host.docker.internal:host-gateway"]
    failed = 0
    with open(Path(work) / "start-api.log", "w") as log:
        checks = {"invoke": lambda: invoke_all(template, options), "routes": lambda: ask_all(template, options, log)}
        for right, name, details in checks[mode]():
            failed += not right
            print(f"{'ok ' if right else 'FAILED '} {name} {details}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["env"] and len(sys.argv) == 3:
        print(environment(project.load(), sys.argv[2]))
        sys.exit()
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
