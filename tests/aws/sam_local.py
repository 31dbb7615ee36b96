"""Runs the functions under sam local.

usage: sam_local.py                            looks whether every function has its event
       sam_local.py env STORE                  prints what --env-vars takes
       sam_local.py invoke STORE IMAGE WORK    invokes every function with its event (sam local invoke)
       sam_local.py routes STORE IMAGE WORK    asks every route (sam local start-api)

STORE is DynamoDB as containers reach it, IMAGE the runtime image, WORK a folder for logs.

A function's event is events/<binary>.json; its answer's status, whole answer, or list of fields is in events/expected.json. A route is asked
what its function's event says.
"""

import base64
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import template as project

EVENTS = Path(__file__).with_name("events")
API = "http://127.0.0.1:3000"
# An invocation mostly waits: for Docker, and for sam to load.
AT_ONCE = 3


def missing(template):
    binaries = set(project.functions(template))
    events = {file.stem for file in EVENTS.glob("*.json")} - {"expected"}
    expected = set(json.loads((EVENTS / "expected.json").read_text()))
    for what, have in (("event file tests/aws/events/{}.json", events), ("entry {} in tests/aws/events/expected.json", expected)):
        for binary in sorted(binaries - have):
            yield "no " + what.format(binary)
        for binary in sorted(have - binaries):
            yield "no function for the " + what.format(binary)


def environment(template, store):
    """Overrides of variables that the template declares: keys written out, the local stack's tables, its store."""
    found = {}
    for name, value in template["Globals"]["Function"]["Environment"]["Variables"].items():
        named = value.get("Ref") if isinstance(value, dict) else None
        kind = template["Resources"].get(named, {}).get("Type")
        if "_KEY_RING" in name:
            found[name] = project.RING
        elif kind == "AWS::DynamoDB::Table":
            found[name] = f"{project.PSEUDO['AWS::StackName']}-{value['Ref']}"
    found["AWS_ENDPOINT_URL_DYNAMODB"] = store
    return json.dumps({"Parameters": found}, indent=2)


def invoke(name, binary, options):
    command = ["sam", "local", "invoke", name, "--event", str(EVENTS / f"{binary}.json"), *options]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return {"failed": done.stderr[-1500:]}
    return json.loads(lines[-1])


def ask(binary):
    """The request that a function's event tells of."""
    event = json.loads((EVENTS / f"{binary}.json").read_text())
    body = event.get("body", "")
    body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    http = event["requestContext"]["http"]
    url = API + event["rawPath"] + (f"?{event['rawQueryString']}" if event.get("rawQueryString") else "")
    request = urllib.request.Request(url, body or None, event.get("headers", {}), method=http["method"])
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as refused:
        answer = refused
    return answer.status, answer.read().decode()


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


def invoke_all(template, expected, options):
    def check(binary, name):
        started = time.monotonic()
        answer = invoke(name, binary, options)
        wanted = expected[binary]
        if isinstance(wanted, list):
            # What it holds is new each time.
            answer, wanted = {"fields": sorted(answer)}, {"fields": sorted(wanted)}
        right = answer == wanted if isinstance(wanted, dict) else answer.get("statusCode") == wanted
        shown = answer.get("statusCode", answer) if right else f"{answer}, not {wanted}"
        return right, f"invoke {binary}", f"{shown} in {time.monotonic() - started:.1f}s"

    binaries = [(binary, name) for binary, (name, _) in sorted(project.functions(template).items())]
    # The first one adds Lambda's emulator to the image, for all of them.
    yield check(*binaries[0])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(check, *zip(*binaries[1:]))


def ask_all(template, expected, options, log):
    server = start_api(options, log)
    try:
        for method, path, binary in project.routes(template):
            started = time.monotonic()
            status, body = ask(binary)
            right = status == expected[binary]
            shown = status if right else f"{status} {body[:300]}, not {expected[binary]}"
            yield right, f"route {method} {path}", f"{shown} in {time.monotonic() - started:.2f}s"
    finally:
        server.terminate()
        server.wait()


def main(mode, store, image, work):
    template = project.load()
    overrides = Path(work) / "env.json"
    overrides.write_text(environment(template, store))
    options = ["--skip-pull-image", "--invoke-image", image, "--env-vars", str(overrides)]
    options += ["--add-host", "host.docker.internal:host-gateway"]
    expected = json.loads((EVENTS / "expected.json").read_text())
    failed = 0
    with open(Path(work) / "start-api.log", "w") as log:
        checks = {"invoke": lambda: invoke_all(template, expected, options), "routes": lambda: ask_all(template, expected, options, log)}
        for right, name, figure in checks[mode]():
            failed += not right
            print(f"{'ok ' if right else 'FAILED '} {name} {figure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) == 5:
        sys.exit(main(*sys.argv[1:]))
    if sys.argv[1:2] == ["env"] and len(sys.argv) == 3:
        print(environment(project.load(), sys.argv[2]))
        sys.exit()
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    gaps = list(missing(project.load()))
    print("\n".join(f"FAILED  events: {gap}" for gap in gaps) or "ok  events one for each function")
    sys.exit(1 if gaps else 0)
