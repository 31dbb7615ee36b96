"""Deploys a build into a new, emulated AWS account and keeps the account until the standard input ends.

usage: account.py BUILD     BUILD: the output of sam build (.aws-sam/build)

Reads one line of JSON:  {"endpoints": {BINARY: URL}, "environment": {NAME: VALUE}, "schedules": BOOLEAN}
    endpoints      the AWS endpoint that a function uses; by default, the account itself
    environment    variables of all functions; they override the variables of the template
    schedules      whether the relay sweeps every ten seconds; by default, only as the template says
Prints one line of JSON: {"url": URL, "api": URL, "queue": URL, "functions": {BINARY: ID}, "resources": {LOGICAL_ID: ID}, "log": FILE}
    url, api       the endpoint of the account, and the URL of the API
    queue          an SQS queue that receives every event of the bus
    functions      the physical ids of the functions; resources: of all resources
    log            the file that holds the output of the functions
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import boto3
import botocore.config

sys.path.insert(0, str(Path(__file__).resolve().parent))
import template as project  # noqa: E402
from archive import archive  # noqa: E402

# What the names of the stacks begin with.
BASE = "latchkey"
# Cuts the template into stacks.
XTASK = project.ROOT / "target/debug/xtask"
BUCKET = "packages"
# The seconds between two sweeps of the relay, as in the local stack: tests do not wait for the template's rate.
SWEEPS = 10
# The longest time to wait for the emulator, in seconds.
PATIENCE = 60
# The alias that AWS invokes (AutoPublishAlias).
ALIAS = "live"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Account:
    """An emulator process. It checks the signature of each call and the rights of its caller."""

    def __init__(self, folder, build, **environment):
        """`environment` has more variables for the emulator."""
        self.folder, self.environment = folder, environment
        self.build = build
        self.log = folder / "functions.log"
        self.log.touch()
        self.start()

    def start(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(port),
            # By default the emulator listens on all interfaces.
            "BIND_HOST": "127.0.0.1",
            "LATCHKEY_LOG": str(self.log),
            "LATCHKEY_TRANSFORMED": str(self.build.with_name("transformed")),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AUTH": "true",
            "TMPDIR": str(self.folder),
            **self.environment,
        }
        environment.pop("AWS_ENDPOINT_URL", None)
        with open(self.folder / "emulator.log", "a") as log:
            emulator = [sys.executable, str(Path(__file__).with_name("emulator.py"))]
            self.process = subprocess.Popen(emulator, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self):
        """Waits until the emulator answers. If it ends, because another program took its port first, it starts again."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.start()
            try:
                return urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5).read()
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the emulator did not start: {(self.folder / 'emulator.log').read_text()[-300:]}")

    def client(self, service):
        config = botocore.config.Config(retries={"max_attempts": 1}, read_timeout=PATIENCE)
        keys = {"aws_access_key_id": project.PSEUDO["AWS::AccountId"], "aws_secret_access_key": "x"}
        region = project.PSEUDO["AWS::Region"]
        return boto3.client(service, endpoint_url=self.url, region_name=region, config=config, **keys)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def cut(build, folder, base=BASE, **restored):
    """Cuts a build into stacks, as cargo xtask deploy does: {part: template}. `restored` names restored tables and their stream."""
    if not XTASK.is_file():
        raise SystemExit(f"{XTASK} is not built; run cargo build -p house-rules")
    options = [f"--{name}={value}" for name, value in {"base": base, **restored}.items()]
    made = [XTASK, "stacks", "--template", (build / "template.yaml").resolve(), *options, folder]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=project.ROOT)
    return {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}


def package(template, build, account, endpoints, environment):
    """Uploads the functions and returns the template that sam package would make, adapted to the emulator."""
    resources = template["Resources"]
    store = account.client("s3")
    store.create_bucket(Bucket=BUCKET)
    for binary, (name, properties) in project.functions(template).items():
        packed = archive(build / properties["CodeUri"] / "bootstrap")
        store.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=packed.read_bytes())
        properties["CodeUri"] = f"s3://{BUCKET}/{name}.zip"
        variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
        # On AWS, functions use the public endpoints.
        variables["AWS_ENDPOINT_URL"] = endpoints.get(binary, account.url)
        # Tests set values that the parameters do not allow, such as limits that are switched off: they set variables directly.
        variables.update(environment)
    secrets = {name for name, resource in resources.items() if resource["Type"] == "AWS::SecretsManager::Secret"}
    return with_arns(template, secrets)


def with_arns(value, secrets):
    """Replaces each Ref of a secret. On AWS it is the secret's ARN, which policies need; in the emulator it is the name."""
    if isinstance(value, dict):
        if value.get("Ref") in secrets:
            return {"Fn::GetAtt": [value["Ref"], "Id"]}
        return {name: with_arns(inner, secrets) for name, inner in value.items()}
    return [with_arns(inner, secrets) for inner in value] if isinstance(value, list) else value


def deploy(build, account, endpoints, environment):
    """Creates the stack of the data and that of the functions as cargo xtask deploy does; returns the physical ids of their
    resources by logical id."""
    parts = cut(build, account.folder / "stacks")
    if environment.get("MIGRATE_PRODUCTS"):
        # The rights to move users in depend on this parameter. The key itself is in a variable.
        key = f"arn:aws:secretsmanager:{project.PSEUDO['AWS::Region']}:{project.PSEUDO['AWS::AccountId']}:secret:migrate-AbCdEf"
        parts["functions"]["Parameters"]["MigrateKey"]["Default"] = key
    resources = create(account, BASE, package(parts["data"], build, account, endpoints, environment))
    resources.update(deploy_functions(account, f"{BASE}-functions", package(parts["functions"], build, account, endpoints, environment)))
    verify_sender(account, parts["functions"])
    return resources


def deploy_functions(account, name, template):
    """Creates a stack with functions, and the routes of its API if it has one."""
    resources = create(account, name, template)
    if "Api" in resources:
        import_routes(account, resources, template)
    return resources


def verify_sender(account, template):
    """Takes a step that an administrator takes once per account."""
    account.client("sesv2").create_email_identity(EmailIdentity=template["Parameters"]["EmailSender"]["Default"])


def create(account, name, template):
    """Creates a stack of a packaged template; returns the physical ids of its resources by logical id."""
    return write(account, name, template, "CREATE")


def update(account, name, template):
    """Updates a stack; returns what `create` returns."""
    return write(account, name, template, "UPDATE")


def write(account, name, template, how):
    # sam deploy uploads the template to S3, too: a call cannot hold a template of more than 51,200 bytes.
    account.client("s3").put_object(Bucket=BUCKET, Key=f"{name}.json", Body=json.dumps(template))
    formation = account.client("cloudformation")
    call = {"CREATE": formation.create_stack, "UPDATE": formation.update_stack}[how]
    call(
        StackName=name,
        TemplateURL=f"{account.url}/{BUCKET}/{name}.json",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    end = time.monotonic() + PATIENCE
    while True:
        stack, = formation.describe_stacks(StackName=name)["Stacks"]
        if not stack["StackStatus"].endswith("IN_PROGRESS") or time.monotonic() > end:
            break
        time.sleep(0.05)
    if stack["StackStatus"] != f"{how}_COMPLETE":
        events = formation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
        raise SystemExit(f"{stack['StackStatus']}: {json.dumps(failed or stack, default=str)}")
    resources = {}
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=name):
        for resource in page["StackResourceSummaries"]:
            resources[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    return resources


def api_url(account, resources):
    return f"{account.url}/_aws/execute-api/{resources['Api']}/$default"


def import_routes(account, resources, template):
    """Creates the routes of the API. The emulator does not import the OpenAPI document that the SAM transform makes from the
    events of the functions."""
    gateway = account.client("apigatewayv2")
    api = resources["Api"]
    functions = project.functions(template)
    region, number = project.PSEUDO["AWS::Region"], project.PSEUDO["AWS::AccountId"]
    for method, path, binary in project.routes(template):
        arn = f"arn:aws:lambda:{region}:{number}:function:{resources[functions[binary][0]]}:{ALIAS}"
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        )
        key = path if path == "$default" else f"{method} {path}"
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}")


def listen(account, bus):
    """Creates a queue that receives every event of the bus by a rule, as another service would; returns the queue's URL."""
    queues, events = account.client("sqs"), account.client("events")
    queue = queues.create_queue(QueueName="everything")["QueueUrl"]
    attributes = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": [{"prefix": ""}]})
    rule = events.put_rule(Name="everything", EventBusName=bus, EventPattern=pattern)["RuleArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    events.put_targets(Rule="everything", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return queue


def sweep(account, relay):
    """Invokes the relay again and again, as its schedule does."""
    functions = account.client("lambda")
    while True:
        time.sleep(SWEEPS)
        try:
            functions.invoke(FunctionName=relay, Payload=b'{"source":"aws.events"}')
        except Exception as error:  # A test may have stopped the relay; the next sweep follows anyway.
            print(f"a sweep failed: {error}", file=sys.stderr)


def main(build):
    asked = json.loads(sys.stdin.readline() or "{}")
    # A signal must end the emulator as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="latchkey-account-") as folder:
        account = Account(Path(folder), Path(build))
        try:
            account.wait()
            resources = deploy(Path(build), account, asked.get("endpoints", {}), asked.get("environment", {}))
            functions = project.functions(project.load())
            answer = {
                "url": account.url,
                "api": api_url(account, resources),
                "queue": listen(account, resources["EventBus"]),
                "functions": {binary: resources[name] for binary, (name, _) in functions.items()},
                "resources": resources,
                "log": str(account.log),
            }
            print(json.dumps(answer), flush=True)
            if asked.get("schedules"):
                threading.Thread(target=sweep, args=(account, resources["RelayFunction"]), daemon=True).start()
            sys.stdin.read()
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
