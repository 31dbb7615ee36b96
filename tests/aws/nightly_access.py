"""How the nightly test reaches an account: a real one, an emulated one, or none, if it only prints what it would do."""

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import botocore.config
from botocore.exceptions import ClientError

import account as accounts
import restore
import template as project

# The seconds between two looks.
PAUSE = 5
# The most requests to the API in a run: a bound of what it can cost.
MOST_REQUESTS = 5000
# The sender in an emulated account.
SENDER = "no-reply@latchkey.example"
CONFIG = botocore.config.Config(retries={"max_attempts": 5, "mode": "standard"})


class Placeholder(str):
    """The answer of a call that was printed and not made. Its parts are placeholders as well; a list has one item."""

    def __getitem__(self, key):
        return Placeholder(f"{self.rstrip('>')}.{key}>")

    def get(self, key, _=None):
        return self[key]

    def __iter__(self):
        return iter([Placeholder(f"{self.rstrip('>')}[]>")])

    def items(self):
        return [(Placeholder("<name>"), self["<name>"])]


class Access:
    """A real account. Every call, command and request goes through this class, so that it can be printed, counted and refused."""

    emulated = dry = False
    # Whether CodeDeploy shifts the traffic of a new version, whether CloudWatch has the metrics of log lines, and whether
    # tables are restored from real backups.
    has_deployments = has_metrics = has_backups = True
    xtask = ["cargo", "xtask"]

    def __init__(self, region, deadline):
        self.region, self.deadline = region, deadline
        self.requests, self.failures, self.clients = 0, [], {}

    def say(self, line):
        """Prints what happens, so that a run can be followed and repeated by hand."""
        print(line, flush=True)

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(service, region_name=self.region, config=CONFIG)
        return self.clients[service]

    def call(self, service, operation, **parameters):
        self.say(f"call     {service} {operation} {json.dumps(parameters, default=str)[:200]}")
        return getattr(self.client(service), operation)(**parameters)

    def pages(self, service, operation, key, **parameters):
        """All items of an operation that answers in pages."""
        self.say(f"call     {service} {operation} {json.dumps(parameters, default=str)[:200]}")
        pages = self.client(service).get_paginator(operation).paginate(**parameters)
        return [item for page in pages for item in page[key]]

    def environment(self):
        return {**os.environ, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region, "SAM_CLI_TELEMETRY": "0"}

    def command(self, *words, may_fail=False):
        """Runs a command. Returns its exit status and its output."""
        words = [str(word) for word in words]
        self.say(f"command  {' '.join(words)}")
        began = time.monotonic()
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, "text": True}
        try:
            left = max(60, self.deadline - began)
            ran = subprocess.run(words, cwd=project.ROOT, env=self.environment(), timeout=left, **options)
        except subprocess.TimeoutExpired as error:
            raise SystemExit(f"FAILED  nightly the time is over, and {words[0]} has not ended") from error
        self.say(f"ended    with {ran.returncode} after {time.monotonic() - began:.0f}s")
        if ran.returncode and not may_fail:
            raise SystemExit(f"FAILED  nightly {words[0]} ended with {ran.returncode}:\n{ran.stdout[-3000:]}")
        return ran.returncode, ran.stdout

    def request(self, url, body=None, method=None, headers=None, quiet=False):
        """Sends a request. Returns the status and the answer, which is JSON if it can be read as such."""
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise SystemExit(f"FAILED  nightly more than {MOST_REQUESTS} requests")
        method = method or ("GET" if body is None else "POST")
        if not quiet:
            self.say(f"request  {method} {url.split('?')[0]}")
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
        request = urllib.request.Request(url, data, {"content-type": kind, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls()) as answer:
                return answer.status, readable(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, readable(error.read())

    def tls(self):
        return ssl.create_default_context()

    def check(self, truth, name, figure=""):
        print(f"{'ok ' if truth else 'FAILED '} nightly {name} {figure}", flush=True)
        if not truth:
            self.failures.append(name)

    def until(self, what, look, pause=PAUSE):
        """Waits until a look finds something, and returns it. The end of the run's time is the end of its patience."""
        while not (found := look()):
            if time.monotonic() > self.deadline:
                raise SystemExit(f"FAILED  nightly timed out waiting for {what}")
            time.sleep(pause)
        return found

    def is_missing(self, service, operation, **parameters):
        """Whether an operation finds nothing."""
        try:
            self.call(service, operation, **parameters)
        except ClientError as error:
            missing = ("NotFound", "does not exist", "NonExistent", "DELETE_COMPLETE")
            if not any(one in str(error) for one in missing):
                raise
            return True
        return False

    def api_url(self, outputs):
        return outputs["ApiUrl"]

    def functions_were_deployed(self, stack, template):
        """What the emulated account needs after a deployment."""

    def functions_need(self, template):
        """What functions need in an emulated account."""

    def tables_were_made(self, base):
        """What the emulated account needs after the tables were made."""

    def stacks_were_deleted(self, base):
        """What the emulated account needs after the stacks were deleted."""

    def end(self):
        pass


class Emulated(Access):
    """An emulated account. It has no CodeDeploy, makes no metrics of log lines, and keeps the items of the past itself."""

    emulated = True
    has_deployments = has_metrics = False

    def __init__(self, account, deadline):
        super().__init__(project.PSEUDO["AWS::Region"], deadline)
        self.account = account
        self.xtask = [accounts.XTASK]

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = self.account.client(service)
        return self.clients[service]

    def say(self, line):
        """The checks are enough here."""

    def environment(self):
        keys = {"AWS_ENDPOINT_URL": self.account.url, "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"], "AWS_SECRET_ACCESS_KEY": "x"}
        return {**super().environment(), **keys}

    def tls(self):
        return None

    def until(self, what, look, pause=0.2):
        return super().until(what, look, min(pause, 0.2))

    def resources(self, stack):
        found = self.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack)
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def api_url(self, outputs):
        return self.url

    def functions_were_deployed(self, stack, template):
        resources = self.resources(stack)
        self.url = accounts.api_url(self.account, resources)
        if not self.client("apigatewayv2").get_routes(ApiId=resources["Api"])["Items"]:
            accounts.import_routes(self.account, resources, template)

    def functions_need(self, template):
        template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = self.account.url

    def tables_were_made(self, base):
        """The emulator's CloudFormation leaves point-in-time recovery out, and a new account has no sender."""
        self.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        for name, properties in restore.declared().items():
            if restore.is_recoverable(properties):
                recovery = {"PointInTimeRecoveryEnabled": True}
                self.client("dynamodb").update_continuous_backups(TableName=f"{base}-{name}", PointInTimeRecoverySpecification=recovery)

    def stacks_were_deleted(self, base):
        """The emulator writes the last lines of a function into a new log group."""
        logs = self.client("logs")
        for group in logs.describe_log_groups()["logGroups"]:
            if base in group["logGroupName"]:
                logs.delete_log_group(logGroupName=group["logGroupName"])

    def end(self):
        self.account.end()


class Dry(Access):
    """No account: calls, commands and requests are printed, and what they answer is a placeholder."""

    dry = True

    def call(self, service, operation, **parameters):
        print(f"call     {service} {operation} {json.dumps(parameters, default=str)[:300]}")
        return Placeholder(f"<{operation}>")

    def pages(self, service, operation, key, **parameters):
        return list(self.call(service, operation, **parameters)[key])

    def command(self, *words, may_fail=False):
        print(f"command  {' '.join(map(str, words))}")
        return 0, Placeholder("<output>")

    def request(self, url, body=None, method=None, headers=None, quiet=False):
        print(f"request  {method or ('GET' if body is None else 'POST')} {url}")
        return 200, Placeholder("<answer>")

    def check(self, truth, name, figure=""):
        print(f"check    {name}")

    def until(self, what, look, pause=PAUSE):
        print(f"wait     for {what}")
        return look()

    def api_url(self, outputs):
        return "<ApiUrl>"

    def is_missing(self, service, operation, **parameters):
        self.call(service, operation, **parameters)
        return True


def readable(body):
    try:
        return json.loads(body or b"null")
    except ValueError:
        return body.decode(errors="replace")


def refuse(problems):
    if problems:
        sys.exit("\n".join(["the nightly test does not run:", *problems]))
