"""Deploys a build into a new, empty, emulated AWS account, says where everything is, and keeps it until stdin ends.

usage: account.py BUILD     BUILD: what sam build made (.aws-sam/build)

Reads one line of JSON:  {"endpoints": {BINARY: URL}, "environment": {NAME: VALUE}}
    endpoints      where each function believes AWS to be; without one, it is the account itself
    environment    variables of every function that win over the template's
Prints one line of JSON: {"url": the account, "api": the API, "queue": its events,
    "functions": {binary: physical}, "resources": {logical: physical}, "log": what the functions print}
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
import botocore.config

sys.path.insert(0, str(Path(__file__).resolve().parent))
import template as project  # noqa: E402
from archive import archive  # noqa: E402

STACK = "latchkey"
BUCKET = "packages"
PATIENCE = 60

# Types that the emulator's CloudFormation does not know. Nothing may refer to them.
UNKNOWN = {"AWS::Events::Archive", "AWS::CloudWatch::Dashboard"}
# What makes versions and moves an alias to them by and by; the emulator has neither CodeDeploy nor streams that invoke an
# alias, so functions are deployed at once.
DEPLOYMENT = ["AutoPublishAlias", "AutoPublishAliasAllProperties", "DeploymentPreference"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Account:
    """An emulator of its own. It checks each call's signature, and its caller's rights."""

    def __init__(self, folder, build):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "functions.log"
        self.log.touch()
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(port),
            # It listens on all interfaces otherwise.
            "BIND_HOST": "127.0.0.1",
            "LATCHKEY_LOG": str(self.log),
            "LATCHKEY_TRANSFORMED": str(build.with_name("transformed")),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AUTH": "true",
            "TMPDIR": str(folder),
        }
        environment.pop("AWS_ENDPOINT_URL", None)
        with open(folder / "emulator.log", "w") as log:
            emulator = [sys.executable, str(Path(__file__).with_name("emulator.py"))]
            self.process = subprocess.Popen(emulator, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5).read()
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the emulator did not start")

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


def package(build, account, endpoints, environment):
    """Uploads the built functions and returns the template that sam package would make, with these patches for the emulator."""
    template = project.load(build / "template.yaml")
    resources = template["Resources"]
    # Nor does it compute with metrics.
    computed = {name for name, made in resources.items() if made["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in made["Properties"]}
    known = {name: made for name, made in resources.items() if made["Type"] not in UNKNOWN and name not in computed}
    template["Resources"] = known
    for setting in DEPLOYMENT:
        template["Globals"]["Function"].pop(setting, None)
    store = account.client("s3")
    store.create_bucket(Bucket=BUCKET)
    for binary, (name, properties) in project.functions(template).items():
        packed = archive(build / properties["CodeUri"] / "bootstrap")
        store.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=packed.read_bytes())
        properties["CodeUri"] = f"s3://{BUCKET}/{name}.zip"
        variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
        # Functions find AWS by its public name; here they must be told.
        variables["AWS_ENDPOINT_URL"] = endpoints.get(binary, account.url)
        # What tests set is out of the parameters' bounds (limits that are off), so it goes past them.
        variables.update(environment)
    secrets = {name for name, made in template["Resources"].items() if made["Type"] == "AWS::SecretsManager::Secret"}
    return with_arns(template, secrets)


def with_arns(value, secrets):
    """The emulator's Ref of a secret is its name, AWS's its ARN, which is what policies need."""
    if isinstance(value, dict):
        if value.get("Ref") in secrets:
            return {"Fn::GetAtt": [value["Ref"], "Id"]}
        return {name: with_arns(inner, secrets) for name, inner in value.items()}
    return [with_arns(inner, secrets) for inner in value] if isinstance(value, list) else value


def deploy(build, account, endpoints, environment):
    """Creates the stack as sam deploy does and returns the physical ids of its resources."""
    template = package(build, account, endpoints, environment)
    # By way of S3, like sam deploy: a template above 51,200 bytes cannot come with the call.
    account.client("s3").put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template))
    formation = account.client("cloudformation")
    formation.create_stack(
        StackName=STACK,
        TemplateURL=f"{account.url}/{BUCKET}/template.json",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    end = time.monotonic() + PATIENCE
    while True:
        stack, = formation.describe_stacks(StackName=STACK)["Stacks"]
        if stack["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > end:
            break
        time.sleep(0.05)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        events = formation.describe_stack_events(StackName=STACK)["StackEvents"]
        failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
        raise SystemExit(f"{stack['StackStatus']}: {json.dumps(failed or stack, default=str)}")
    resources = {}
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=STACK):
        for resource in page["StackResourceSummaries"]:
            resources[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    import_routes(account, resources, template)
    # Once per account, as the README says.
    account.client("sesv2").create_email_identity(EmailIdentity=template["Parameters"]["EmailSender"]["Default"])
    return resources


def api_url(account, resources):
    return f"{account.url}/_aws/execute-api/{resources['Api']}/$default"


def import_routes(account, resources, template):
    """The emulator does not import the OpenAPI document that the SAM transform makes of the functions' events, so the API
    has no routes: here they are made one by one, as the document says."""
    gateway = account.client("apigatewayv2")
    api = resources["Api"]
    functions = project.functions(template)
    region, number = project.PSEUDO["AWS::Region"], project.PSEUDO["AWS::AccountId"]
    for method, path, binary in project.routes(template):
        arn = f"arn:aws:lambda:{region}:{number}:function:{resources[functions[binary][0]]}"
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        )
        key = path if path == "$default" else f"{method} {path}"
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}")


def listen(account, bus):
    """A queue behind a rule on the bus, as another service has it, that takes everything."""
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


def main(build):
    asked = json.loads(sys.stdin.readline() or "{}")
    # Whoever ends this process ends the emulator, too.
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
            sys.stdin.read()
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
