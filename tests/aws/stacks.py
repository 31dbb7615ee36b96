"""Checks the stacks of a deployment: the data is protected and outlives the functions, each contract can have a stack of its own,
and a stack of functions can be deleted and created again.

usage: stacks.py BUILD     BUILD: the output of sam build (.aws-sam/build); prints one line per check
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent))
import account as accounts  # noqa: E402
import template as project  # noqa: E402

CONTRACTS = ["gotu", "posbytz"]
NO_LIMITS = {"OTP_SENDS_PER_HOUR": "0", "OTP_SENDS_PER_HOUR_PER_IP": "0"}
PATIENCE = 60


def require(truth, name, figure):
    if not truth:
        raise SystemExit(f"FAILED  stacks {name}: {figure}")
    print(f"ok  stacks {name} {figure}", flush=True)


def until(what, look):
    """Waits until a look finds something, and returns it."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > end:
            raise SystemExit(f"FAILED  stacks timed out waiting for {what}")
        time.sleep(0.1)
    return found


def post(api, path, body):
    """Sends a request; returns the status and the answer."""
    request = urllib.request.Request(f"{api}{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def sign_up(api, address):
    return post(api, "/users", {"type": "email", "email": address, "password": "correct horse"})


def sign_in(api, address):
    return post(api, "/sessions", {"type": "email", "email": address, "password": "correct horse"})


def delete(account, name):
    """Deletes a stack and waits for its end; returns its last status."""
    formation = account.client("cloudformation")
    identity = formation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    formation.delete_stack(StackName=name)

    def ended():
        status = formation.describe_stacks(StackName=identity)["Stacks"][0]["StackStatus"]
        return status if not status.endswith("IN_PROGRESS") else ""

    return until(f"the end of {name}", ended)


class Stage:
    """The stacks of a stage, one for each of some contracts."""

    def __init__(self, account, build):
        self.account, self.build = account, build
        self.parts = accounts.cut(build, account.folder / "stacks")
        self.data = accounts.create(account, accounts.BASE, self.packaged("data"))
        accounts.verify_sender(account, self.parts["functions"])
        self.resources = {part: self.deploy(part) for part in ["shared", *CONTRACTS]}

    def packaged(self, part):
        template = json.loads(json.dumps(self.parts[part]))
        return accounts.package(template, self.build, self.account, {}, NO_LIMITS)

    def deploy(self, part):
        return accounts.deploy_functions(self.account, f"{accounts.BASE}-{part}", self.packaged(part))

    def api(self, part):
        return accounts.api_url(self.account, self.resources[part])

    def routes(self, part):
        pages = self.account.client("apigatewayv2").get_routes(ApiId=self.resources[part]["Api"])
        return {route["RouteKey"] for route in pages["Items"]}


def protected(stage):
    """Checks that nothing deletes or replaces the data by mistake."""
    formation = stage.account.client("cloudformation")
    name = accounts.BASE
    policy = (project.ROOT / "shared/stack-policy.json").read_text()
    formation.set_stack_policy(StackName=name, StackPolicyBody=policy)
    formation.update_termination_protection(StackName=name, EnableTerminationProtection=True)
    try:
        formation.delete_stack(StackName=name)
        refused = ""
    except ClientError as error:
        refused = error.response["Error"]["Message"]
    require("TerminationProtection" in refused, "the data is not deleted", refused)
    tables = stage.account.client("dynamodb")
    named = [physical for physical in stage.data.values() if physical.startswith(f"{accounts.BASE}-")]
    try:
        tables.delete_table(TableName=stage.data["Users"])
        refused = ""
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    require(refused, "a table is not deleted", refused)
    require(len(named) > 15, "the data has names of its own", len(named))


def apart(stage):
    """Checks that the stack of a contract has its routes and no others."""
    for part in CONTRACTS:
        declared = {f"{method} {path}" for method, path, binary in project.routes(project.load()) if binary.startswith(part)}
        require(stage.routes(part) == declared | {"$default"}, f"the routes of {part}", len(declared))
    status, answer = post(stage.api("posbytz"), "/users", {})
    # The fallback knows the paths of all contracts.
    require(status in (404, 405), "a route of gotu in the stack of posbytz", f"{status} {answer}")


def delivered(stage, api, address):
    """Checks that a sign-up in the stack of a contract is delivered by the relay in the shared stack."""
    queues = stage.account.client("sqs")
    status, answer = sign_up(api, address)
    require(status in (200, 201), "a sign-up in the stack of gotu", f"{status}")

    def event():
        options = {"QueueUrl": stage.queue, "MaxNumberOfMessages": 10}
        found = [json.loads(message["Body"]) for message in queues.receive_message(**options).get("Messages", [])]
        return [event["detail-type"] for event in found if event["detail-type"] == "AUTH_USER_CREATED"]

    until("the event of the sign-up", event)
    require(True, "the relay of the shared stack delivers", "AUTH_USER_CREATED")


def created_again(stage):
    """Deletes the stack of a contract and creates it again: its users are still there."""
    status = delete(stage.account, f"{accounts.BASE}-gotu")
    require(status == "DELETE_COMPLETE", "the stack of gotu is deleted", status)
    stage.resources["gotu"] = stage.deploy("gotu")
    status, answer = sign_in(stage.api("gotu"), "kept@example.com")
    require(status in (200, 201), "a user of before signs in at the new stack", f"{status} {answer if status > 201 else ''}")
    status, answer = post(stage.api("posbytz"), "/ecommerce/oauth2/token", {})
    require(status in (400, 401), "the stack of posbytz answers meanwhile", status)


def imported(stage):
    """Deletes the stacks, that of the data last, and makes the data a stack again: users and keys are those of before."""
    account, name = stage.account, accounts.BASE
    for part in ["gotu", "posbytz", "shared"]:
        delete(account, f"{name}-{part}")
    formation = account.client("cloudformation")
    formation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    status = delete(account, name)
    require(status == "DELETE_COMPLETE", "the stack of the data is deleted", status)
    left = account.client("dynamodb").list_tables()["TableNames"]
    require(stage.data["Users"] in left, "its tables stay", len(left))
    keys = {"AWS_ENDPOINT_URL": account.url, "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"]}
    program = [sys.executable, str(project.ROOT / "tests/aws/import_data.py"), "--stack", name]
    template = account.folder / "stacks/data.json"
    ran = subprocess.run([*program, "--template", template], env={**os.environ, **keys}, capture_output=True, text=True)
    require(ran.returncode == 0, "the import", ran.stderr.strip()[-300:] or f"{len(ran.stdout.splitlines()) - 2} resources")
    stage.data = accounts.update(account, name, stage.packaged("data"))
    require(stage.data["Users"] == f"{name}-Users", "the stack is completed by an update", len(stage.data))
    stage.resources["shared"], stage.resources["gotu"] = stage.deploy("shared"), stage.deploy("gotu")
    status, _ = sign_in(stage.api("gotu"), "kept@example.com")
    require(status == 200, "a user of before signs in again", status)


def split(account, build):
    """Turns a stack that was deployed as a whole into the stack of its data, beside a stack of its functions."""
    name = "latchkey-trial"
    whole = accounts.package(project.load(build / "template.yaml"), build, account, {}, NO_LIMITS)
    before = accounts.deploy_functions(account, name, whole)
    status, _ = sign_up(accounts.api_url(account, before), "early@example.com")
    require(status == 200, "a sign-up in a stack with everything", status)
    parts = accounts.cut(build, account.folder / "trial", base=name)
    functions = accounts.deploy_functions(account, f"{name}-functions", accounts.package(parts["functions"], build, account, {}, NO_LIMITS))
    data = accounts.update(account, name, accounts.package(parts["data"], build, account, {}, NO_LIMITS))
    same = all(data[key] == before[key] for key in data)
    require(same and "RelayFunction" not in data, "it becomes the stack of the data", f"{len(before)} resources, then {len(data)}")
    status, _ = sign_in(accounts.api_url(account, functions), "early@example.com")
    require(status == 200, "its user signs in at the stack of the functions", status)


def commanded(account, build):
    """Deploys a stage with the command that operators use: the SAM CLI and the AWS CLI, as they are, against the emulated account."""
    if not shutil.which("aws") or not shutil.which("sam"):
        print("skipped stacks the command: no AWS CLI or no SAM CLI")
        return
    template = project.load(build / "template.yaml")
    for _, properties in project.functions(template).values():
        properties["CodeUri"] = str((build / properties["CodeUri"]).resolve())
    folder = account.folder / "command"
    folder.mkdir()
    (folder / "template.yaml").write_text(json.dumps(template))
    keys = {"AWS_ENDPOINT_URL": account.url, "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"], "SAM_CLI_TELEMETRY": "0"}
    parts = [f"--only={part}" for part in ("data", "shared", "gotu")]
    command = [accounts.XTASK, "deploy", "--stage=development", "--stacks=per-contract", *parts, "--no-build", f"--build={folder}"]

    def run(*options, answer="--yes"):
        words = [*command, *([answer] if answer == "--yes" else []), f"--region={project.PSEUDO['AWS::Region']}", *options]
        return subprocess.run(words, input=answer, env={**os.environ, **keys}, cwd=project.ROOT, capture_output=True, text=True)

    def refused(ran, text, what):
        require(ran.returncode != 0 and text in ran.stderr, what, ran.stderr.strip().splitlines()[0] if ran.stderr else ran.stdout[-300:])

    formation, tables = account.client("cloudformation"), account.client("dynamodb")
    name = "latchkey-development"

    def parameter(part, parameter):
        stack, = formation.describe_stacks(StackName=f"{name}-{part}")["Stacks"]
        return {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}[parameter]

    refused(run(), "take --create", "a stage without its data is not deployed")
    refused(run("--create", answer="n\n"), "nothing was deployed", "an answer of no stops all stacks")
    refused(run(), "take --create", "and nothing was made")
    ran = run("--create", answer="y\n")
    require(ran.returncode == 0, "the command deploys a stage", (ran.stdout + ran.stderr)[-600:] if ran.returncode else "done")
    refused(run("--create"), "would take the protection off", "a stage is not created twice")
    stack, = formation.describe_stacks(StackName=name)["Stacks"]
    require(stack["EnableTerminationProtection"], "its data is protected", stack["StackStatus"])
    policy = json.loads(formation.get_stack_policy(StackName=name)["StackPolicyBody"])
    require(policy["Statement"][1]["Effect"] == "Deny", "its data has a stack policy", policy["Statement"][1]["Action"])
    table = tables.describe_table(TableName=f"{name}-Users")["Table"]
    require(table["DeletionProtectionEnabled"], "its tables are protected after the second step", table["TableStatus"])
    for part in ("shared", "gotu"):
        stack, = formation.describe_stacks(StackName=f"{name}-{part}")["Stacks"]
        given = {tag["Key"]: tag["Value"] for tag in stack["Tags"]}
        require(given.get("stage") == "development", f"the stack {part} has the settings of the environment", stack["StackStatus"])
    release = parameter("gotu", "Release")
    ran = run()
    require(ran.returncode == 0, "the command repeats", (ran.stdout + ran.stderr)[-600:] if ran.returncode else "done")
    require(parameter("gotu", "Release") == release, "without a change", release)
    ran = run("--set=OtpMaxAttempts=4", "--set=LogRetentionDays=14")
    given = parameter("gotu", "OtpMaxAttempts"), parameter("gotu", "LogRetentionDays")
    require(ran.returncode == 0 and given == ("4", "14"), "it sets a parameter", (ran.stdout + ran.stderr)[-600:] if ran.returncode else given)
    require(parameter("gotu", "Release") != release, "which is another release", parameter("gotu", "Release"))
    ran = run()
    given = parameter("gotu", "OtpMaxAttempts"), parameter("gotu", "LogRetentionDays")
    require(ran.returncode == 0 and given == ("5", "7"), "the next deployment has the default again", (ran.stdout + ran.stderr)[-600:] if ran.returncode else given)
    require(parameter("gotu", "Release") == release, "and the name of before", release)


def main(build):
    with tempfile.TemporaryDirectory(prefix="latchkey-stacks-") as folder:
        account = accounts.Account(Path(folder), Path(build))
        try:
            account.wait()
            stage = Stage(account, Path(build))
            stage.queue = accounts.listen(account, stage.data["EventBus"])
            protected(stage)
            apart(stage)
            delivered(stage, stage.api("gotu"), "kept@example.com")
            created_again(stage)
            imported(stage)
            split(account, Path(build))
            commanded(account, Path(build))
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
