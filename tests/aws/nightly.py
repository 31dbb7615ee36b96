"""Deploys a stage into an account, tests it over HTTPS, forces a rollback, restores the tables, and deletes everything.

usage: nightly.py --account ID --region REGION --sender ADDRESS [--build BUILD] [--minutes N] [--keep]      a real account
       nightly.py --dry-run                                      prints every command, request and AWS call, and makes none
       nightly.py --emulated [--build BUILD]                     an emulated account; what it cannot do is skipped
       nightly.py --account ID --region REGION --only delete     deletes what a run left behind

BUILD is the output of sam build [.aws-sam/build]. Credentials come from the environment, as for the AWS CLI. It has never run in a
real account (tests/aws/README.md).
"""

import argparse
import base64
import json
import secrets
import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import account as accounts  # noqa: E402
import dependency_cycles  # noqa: E402
import left_out  # noqa: E402
import restore  # noqa: E402
import template as project  # noqa: E402
from nightly_access import SENDER, Access, Dry, Emulated, refuse  # noqa: E402

STAGE = "nightly"
BASE = f"latchkey-{STAGE}"
FUNCTIONS = f"{BASE}-functions"
RESTORED = f"{BASE}-r1"
QUEUE = RULE = f"{BASE}-everything"
# What no run may meet: an account with a product, or with the rest of another run.
GUARDED = "latchkey"
# What a run may cost: few requests, almost no texts, logs of a day. The deadline ends a run that hangs.
CAPS = {
    "RequestsPerSecond": 20,
    "RequestBurst": 40,
    "SendsPerSecond": 5,
    "SendBurst": 10,
    "MessagesUsdPerHour": "1",
    "MessagesUsdPerDay": "1",
    "MessagesUsdPerDayInAll": "1",
    "MessagesPerDay": 100,
    "SmsMaxPriceUsd": "0.05",
    "LogRetentionDays": 1,
}
# A run asks for no text. Mails go to the simulator of SES, which takes them in the sandbox as well.
MAILBOX = "success+{}@simulator.amazonses.com"
PASSWORD = "correct horse"
# The function whose new version crashes.
BROKEN = "gotu-post-sessions"
# The requests a second meanwhile, and the most of them.
TRAFFIC, MOST_TRAFFIC = 2, 3000
# What is done, in this order.
STEPS = ["guard", "preflight", "deploy", "acceptance", "rollback", "restore", "delete"]


class Nightly:
    def __init__(self, access, options, folder):
        self.access, self.options, self.folder = access, options, folder
        self.run = secrets.token_hex(4)
        self.deployed = False

    # -------------------------------------------------------------------------------------------- guard
    def guard(self):
        """Refuses an account that is not the one that was meant, or that has stacks, tables or keys of Latchkey."""
        problems = self.problems()
        if not self.access.dry:
            refuse(problems)
        self.access.check(True, "guard", f"nothing called {GUARDED}… is in the account")

    def problems(self):
        """Why a run in this account could do harm."""
        problems = []
        identity = self.access.call("sts", "get_caller_identity")["Account"]
        if not self.access.dry and not self.access.emulated and identity != self.options.account:
            problems.append(f"the credentials are those of the account {identity}, not of {self.options.account}")
        names = [("a stack", one["StackName"]) for one in self.stacks()]
        names += [("a table", one) for one in self.access.pages("dynamodb", "list_tables", "TableNames")]
        names += [("a key", one["Name"]) for one in self.access.pages("secretsmanager", "list_secrets", "SecretList", IncludePlannedDeletion=True)]
        mine = BASE if self.options.only == "delete" else None
        for kind, name in names:
            if name.startswith(GUARDED) and not (mine and name.startswith(mine)):
                problems.append(f"the account has {kind} {name}")
        if any(BASE in problem for problem in problems):
            problems.append("nightly.py … --only delete removes what a run left behind")
        return problems

    def stacks(self):
        """The stacks that exist."""
        found = self.access.pages("cloudformation", "list_stacks", "StackSummaries")
        return [one for one in found if one["StackStatus"] != "DELETE_COMPLETE"]

    # -------------------------------------------------------------------------------------------- preflight
    def preflight(self):
        """Runs the program that says what the account lacks. A run needs no production access, so it only stops at what it cannot ask."""
        if not (project.ROOT / "tests/preflight").is_dir():
            print("skipped  nightly preflight: the program is not in this revision")
            return
        if self.access.emulated:
            print("skipped  nightly preflight: preflight.py runs it in an emulated account")
            return
        stage = self.folder / "stage.yaml"
        stage.write_text(f"EmailSender: {self.options.sender}\n")
        status, output = self.access.command("cargo", "run", "--quiet", "--locked", "-p", "preflight", "--", "--stage", stage, may_fail=True)
        print(output)
        self.access.check(status in (0, 1), "preflight", "ready" if status == 0 else "the account lacks what is above; a run goes on in the sandboxes")

    # -------------------------------------------------------------------------------------------- deploy
    def prepared(self, name, change=lambda template: None):
        """A build with the caps as defaults of the parameters. Returns its folder."""
        folder, build = self.folder / name, self.options.build
        folder.mkdir()
        template = project.load(build / "template.yaml" if build.is_dir() else project.ROOT / "template.yaml")
        for _, properties in project.functions(template).values():
            properties["CodeUri"] = str((build / properties.get("CodeUri", ".")).resolve())
        for parameter, value in {**CAPS, "EmailSender": self.options.sender}.items():
            template["Parameters"][parameter]["Default"] = value
        self.access.functions_need(template)
        change(template)
        (folder / "template.yaml").write_text(json.dumps(template))
        return folder

    def deploy_command(self, build, *more, may_fail=False):
        options = ["--stage", STAGE, "--no-build", "--build", build, "--yes", "--region", self.access.region]
        return self.access.command(*self.access.xtask, "deploy", *options, *more, may_fail=may_fail)

    def deploy(self):
        self.good = self.prepared("good")
        self.deployed = True
        self.deploy_command(self.good, "--create", "--only", "data")
        self.access.tables_were_made(BASE)
        self.deploy_command(self.good, "--only", "functions")
        self.look_up()
        for stack in (BASE, FUNCTIONS):
            status = self.status(stack)
            self.access.check(status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), f"the stack {stack}", status)
        described = self.access.call("cloudformation", "describe_stacks", StackName=BASE)["Stacks"][0]
        self.access.check(described["EnableTerminationProtection"], "the data is protected")
        self.access.check(self.problems(), "a second run in this account is refused")
        if not self.access.emulated:
            # stacks.py repeats a deployment in an emulated account.
            self.deploy_command(self.good)
            self.access.check(True, "a deployment without a change")

    def status(self, stack):
        return self.access.call("cloudformation", "describe_stacks", StackName=stack)["Stacks"][0]["StackStatus"]

    def look_up(self):
        """Finds the API and the functions of the stack."""
        self.access.functions_were_deployed(FUNCTIONS, project.load(self.good / "template.yaml"))
        stack = self.access.call("cloudformation", "describe_stacks", StackName=FUNCTIONS)["Stacks"][0]
        self.api = self.access.api_url({one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]})
        found = self.access.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=FUNCTIONS)
        self.resources = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def function(self, binary):
        logical, _ = project.functions(project.load())[binary]
        return "<function>" if self.access.dry else self.resources[logical]

    # -------------------------------------------------------------------------------------------- acceptance
    def ask(self, name, path, expected, body=None, method=None, headers=None):
        """Sends a request and checks its status. Returns the answer."""
        status, answer = self.access.request(f"{self.api}{path}", body, method, headers)
        self.access.check(status in expected, name, f"{status}{'' if status in expected else f' {answer}'}")
        return answer

    def address(self, name):
        return MAILBOX.format(f"{name}-{self.run}")

    def credentials(self, name):
        return {"type": "email", "email": self.address(name), "password": PASSWORD}

    def acceptance(self):
        queue = self.listen()
        self.gotu()
        self.goodcity()
        self.urbanfits()
        self.posbytz()
        self.ask("an unknown path", "/no-such-path", [404])
        self.events(queue)
        self.alarms()
        self.metrics()

    def gotu(self):
        self.ask("gotu: a sign-up by e-mail", "/users", [200], self.credentials("ann"))
        self.ask("gotu: the address again is refused", "/users", [400, 409, 422], self.credentials("ann"))
        self.ask("gotu: a wrong password is refused", "/sessions", [400, 401, 404], {**self.credentials("ann"), "password": "wrong horse"})
        session = self.ask("gotu: a sign-in", "/sessions", [200], self.credentials("ann"))["data"]
        refreshed = self.ask("gotu: a refresh", "/sessions/refresh", [200], {"refreshToken": session["refreshToken"]})["data"]
        self.ask("gotu: a made-up refresh token is refused", "/sessions/refresh", [400, 401], {"refreshToken": "0" * 52})
        self.ask("gotu: a sign-out without a token is refused", "/sessions", [401], method="DELETE")
        bearer = {"authorization": f"Bearer {refreshed['accessToken']}"}
        self.ask("gotu: a sign-out", "/sessions", [200, 204], method="DELETE", headers=bearer)
        self.ask("gotu: its refresh token is refused afterwards", "/sessions/refresh", [400, 401], {"refreshToken": refreshed["refreshToken"]})
        # The answer is the same for all numbers, so that it reveals nothing. No text goes out.
        self.ask("gotu: a code for a country that is not served", "/otp", [204], {"identifier": "+35312345678", "otpType": "sign_up"})

    def goodcity(self):
        # Such a request looks the same for known and unknown mobiles; an unknown one gets no text.
        self.ask("goodcity: a pin without a mobile is refused", "/api/v1/auth/send_pin", [400, 422], {})
        self.ask("goodcity: a made-up pin is refused", "/api/v1/auth/verify", [401, 403, 404, 422], {"otp_auth_key": "A" * 22 + "==", "pin": "0000"})
        self.ask("goodcity: a profile without a token is refused", "/api/v1/auth/current_user_profile", [401])

    def urbanfits(self):
        name = {"username": f"nightly_{self.run}", "email": self.address("uma"), "phone_prefix": "+92", "phone_number": "30142353150"}
        sign_up = {**name, "password": PASSWORD, "timezone": "Asia/Dubai", "accept_policies": True}
        # Its code goes to the simulator of SES, which cannot be read.
        self.ask("urbanfits: a sign-up that waits for its code", "/auth/signup", [200, 201], sign_up)
        self.ask("urbanfits: a made-up code is refused", "/auth/signup/callback", [400, 401, 403, 404, 422], {"otp_id": "0" * 24, "otp": "00000"})
        login = {"email": self.address("uwe"), "password": PASSWORD, "remember_me": False}
        self.ask("urbanfits: an unknown user is refused", "/auth/login", [400, 401, 404], login)
        self.ask("urbanfits: a profile without a cookie is refused", "/user/get/me", [401])
        self.ask("urbanfits: the page for the code", "/auth/signup/verify-otp", [200])

    def posbytz(self):
        payload = json.dumps({"store": "NIGHTLY", "scopes": ["user:read", "user:write"]})
        function = f"{self.function('posbytz-create-client')}:{accounts.ALIAS}"
        made = self.access.call("lambda", "invoke", FunctionName=function, Payload=payload)
        client = made if self.access.dry else json.loads(made["Payload"].read())
        basic = base64.b64encode(f"{client['clientId']}:{client['clientSecret']}".encode()).decode()
        form = "grant_type=client_credentials&scope=user:read user:write"
        token = self.ask("posbytz: a token for a shop", "/ecommerce/oauth2/token", [200], form, headers={"authorization": f"Basic {basic}"})
        wrong = base64.b64encode(f"{client['clientId']}:wrong".encode()).decode()
        self.ask("posbytz: a wrong secret is refused", "/ecommerce/oauth2/token", [400, 401], form, headers={"authorization": f"Basic {wrong}"})
        login = {"email": self.address("unknown"), "password": PASSWORD}
        self.ask("posbytz: a customer without a token of the shop is refused", "/ecommerce/v1/auth/signin", [401], login)
        bearer = {"authorization": f"Bearer {token['access_token']}"}
        self.ask("posbytz: an unknown customer is refused", "/ecommerce/v1/auth/signin", [400, 401, 404], login, headers=bearer)

    def listen(self):
        """A queue that gets every event of the bus by a rule, as another service's would."""
        call, bus = self.access.call, f"{BASE}-events"
        queue = call("sqs", "create_queue", QueueName=QUEUE)["QueueUrl"]
        arn = call("sqs", "get_queue_attributes", QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": [{"prefix": ""}]})
        rule = call("events", "put_rule", Name=RULE, EventBusName=bus, EventPattern=pattern)["RuleArn"]
        statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
        statement["Condition"] = {"ArnEquals": {"aws:SourceArn": rule}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        call("sqs", "set_queue_attributes", QueueUrl=queue, Attributes={"Policy": policy})
        call("events", "put_targets", Rule=RULE, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return queue

    def events(self, queue):
        """Waits for the events of the sign-up and of the sign-in."""
        seen, wanted = set(), {"AUTH_USER_CREATED", "AUTH_USER_SIGNED_IN"}

        def look():
            found = self.access.call("sqs", "receive_message", QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2)
            for message in found.get("Messages", []):
                body = message["Body"] if self.access.dry else json.loads(message["Body"])
                seen.add(body["detail-type"])
            return wanted <= seen or self.access.dry

        self.access.until("the events", look)
        self.access.check(wanted <= seen, "the events of a sign-up and of a sign-in", sorted(seen))

    def alarms(self):
        """Checks that all alarms of the template exist, and that none rings."""
        self.deploy_templates()
        template = dependency_cycles.transformed(json.loads(json.dumps(self.parts["functions"])))
        if self.access.emulated:
            template = left_out.cut(template)
        made = [one for one in template["Resources"].values() if "Condition" not in one or project.applies(template, one["Condition"])]
        declared = sum(one["Type"] == "AWS::CloudWatch::Alarm" for one in made)
        found, ringing = self.existing(), self.ringing()
        self.access.check(len(found) == declared, "the alarms exist", f"{len(found)} of {declared}")
        self.access.check(not ringing, "no alarm rings", ringing)

    def existing(self):
        return self.access.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{FUNCTIONS}-")

    def ringing(self):
        return [one["AlarmName"] for one in self.existing() if one["StateValue"] == "ALARM"]

    def deploy_templates(self):
        """The templates of the stacks."""
        folder = self.folder / "parts"
        self.access.command(*self.access.xtask, "stacks", "--template", self.good / "template.yaml", "--base", BASE, folder)
        self.parts = {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}
        if self.access.dry:
            self.parts = {"functions": project.load()}

    def metrics(self):
        """Waits until CloudWatch has made metrics of the log lines of the requests."""
        if not self.access.has_metrics:
            print("skipped  nightly metrics: the emulated account makes none of log lines")
            return
        found = self.access.until("the metrics", lambda: self.access.pages("cloudwatch", "list_metrics", "Metrics", Namespace=f"Latchkey/{FUNCTIONS}"))
        self.access.check(True, "the metrics exist", len({one["MetricName"] for one in found}))

    # -------------------------------------------------------------------------------------------- rollback
    def broken(self):
        """A build of which one function crashes at its start. The repository stays as it is."""
        folder = self.folder / "crash"
        folder.mkdir()
        program = folder / "bootstrap"
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)

        def crash(template):
            project.functions(template)[BROKEN][1]["CodeUri"] = str(folder)

        return self.prepared("broken", crash)

    def version(self):
        return self.access.call("lambda", "get_alias", FunctionName=self.function(BROKEN), Name=accounts.ALIAS)["FunctionVersion"]

    def rollback(self):
        """Deploys a release that crashes. CodeDeploy must take it back, and the version before must serve."""
        broken, before = self.broken(), self.version()
        if not self.access.has_deployments:
            print("skipped  nightly rollback: the emulated account has no CodeDeploy; the release that crashes is deployed and replaced by hand")
            self.deploy_command(broken, "--only", "functions")
            self.ask("the broken release crashes", "/sessions", [500, 502, 503], self.credentials("ann"))
            self.deploy_command(self.good, "--only", "functions")
        else:
            traffic = Traffic(self)
            status, output = self.deploy_command(broken, "--only", "functions", may_fail=True)
            counted = traffic.end()
            if not self.access.dry:
                self.access.check(status != 0, "the deployment of the release that crashes fails", output[-300:] if status == 0 else status)
            ended = self.status(FUNCTIONS)
            self.access.check(ended == "UPDATE_ROLLBACK_COMPLETE", "the stack is rolled back", ended)
            after = self.version()
            self.access.check(after == before, "the version before is live", f"{before}, {after}")
            crashed, all_of_them = counted
            self.access.check(0 < crashed < all_of_them / 2, "a part of the requests met the release that crashes", f"{crashed} of {all_of_them}")
            self.rolled_back_deployment()
            # An alarm that still rings would stop the next deployment as well.
            self.access.until("quiet alarms", lambda: not self.ringing() or self.access.dry, 30)
        self.ask("the version before serves", "/sessions", [200], self.credentials("ann"))

    def rolled_back_deployment(self):
        """Checks that it was an alarm that stopped a deployment of CodeDeploy."""
        application = "<application>" if self.access.dry else self.resources["ServerlessDeploymentApplication"]
        groups = self.access.pages("codedeploy", "list_deployment_groups", "deploymentGroups", applicationName=application)
        logical, _ = project.functions(project.load())[BROKEN]
        group = next((one for one in groups if logical in one), "<group>")
        found = self.access.pages("codedeploy", "list_deployments", "deployments", applicationName=application, deploymentGroupName=group)
        last = self.access.call("codedeploy", "get_deployment", deploymentId=found[0])["deploymentInfo"]
        self.access.check(last["status"] == "Stopped", "CodeDeploy stopped the deployment", f"{last['status']} {last.get('errorInformation', {}).get('code')}")

    # -------------------------------------------------------------------------------------------- restore
    def restore(self):
        """Restores the tables to a moment, and deploys the functions on them."""
        self.ask("a sign-up before the moment", "/users", [200], self.credentials("kept"))
        kept = self.access.until("an empty outbox", self.quiet_counts)
        at = int(time.time()) + 1
        self.access.until("the next second", lambda: time.time() > at + 1, 0.1)
        self.ask("a sign-up after the moment", "/users", [200], self.credentials("late"))
        moment = datetime.fromtimestamp(at, UTC)
        self.access.until("backups that reach the moment", lambda: self.restorable() >= moment, 30)
        options = ["--from", BASE, "--to", RESTORED, "--at", moment.isoformat()]
        _, output = self.access.command(sys.executable, project.ROOT / "tests/aws/restore.py", *options)
        stream = "<stream>" if self.access.dry else output.split("--stream ")[1].split()[0]
        restored = self.counts(RESTORED)
        self.access.check(restored == kept, "the restored tables have what they had", restored if restored == kept else f"{restored}, not {kept}")
        self.deploy_command(self.good, "--only", "functions", "--tables", RESTORED, "--stream", stream)
        self.look_up()
        self.ask("the user of before the moment signs in", "/sessions", [200], self.credentials("kept"))
        self.ask("the user of after the moment does not exist", "/sessions", [400, 401, 404], self.credentials("late"))
        self.ask("and signs up again", "/users", [200], self.credentials("late"))

    def counts(self, prefix):
        """The number of items in each table of which users are made."""
        return {name: self.count(f"{prefix}-{name}") for name in ("Users", "Identifiers", "Ledger", "Clients")}

    def count(self, table):
        found = self.access.call("dynamodb", "scan", TableName=table, Select="COUNT", ConsistentRead=True)
        return 0 if self.access.dry else found["Count"]

    def quiet_counts(self):
        return None if self.count(f"{BASE}-Outbox") else self.counts(BASE)

    def restorable(self):
        """The last moment that every table can be restored to."""
        ends = []
        for name in filter(lambda name: restore.is_recoverable(restore.declared()[name]), restore.declared()):
            backups = self.access.call("dynamodb", "describe_continuous_backups", TableName=f"{BASE}-{name}")
            ends.append(backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"])
        return datetime.now(UTC) if self.access.dry else min(ends)

    # -------------------------------------------------------------------------------------------- delete
    def delete(self):
        """Deletes the stacks, checks that the data stayed, and removes it."""
        call = self.access.call
        if not self.access.is_missing("cloudformation", "describe_stacks", StackName=FUNCTIONS) or self.access.dry:
            self.delete_stack(FUNCTIONS)
        self.delete_rule()
        had_data = not self.access.is_missing("cloudformation", "describe_stacks", StackName=BASE) or self.access.dry
        if had_data:
            call("cloudformation", "update_termination_protection", StackName=BASE, EnableTerminationProtection=False)
            self.delete_stack(BASE)
        self.access.stacks_were_deleted(BASE)
        tables, keys = self.tables(), self.keys()
        if self.deployed and had_data:
            declared = project.load()["Resources"].values()
            expected = sum(one["Type"] == "AWS::DynamoDB::Table" for one in declared)
            stayed = [one for one in tables if not one.startswith(RESTORED)]
            self.access.check(len(stayed) == expected, "the tables stay when the stack is deleted", f"{len(stayed)} of {expected}")
            self.access.check(bool(keys), "the keys stay when the stack is deleted", len(keys))
        for table in tables:
            call("dynamodb", "update_table", TableName=table, DeletionProtectionEnabled=False)
            self.access.until(f"the table {table}", lambda table=table: self.access.dry or self.table_status(table) == "ACTIVE")
            call("dynamodb", "delete_table", TableName=table)
        for key in keys:
            call("secretsmanager", "delete_secret", SecretId=key, ForceDeleteWithoutRecovery=True)
        if not self.access.is_missing("events", "describe_event_bus", Name=f"{BASE}-events") or self.access.dry:
            call("events", "delete_event_bus", Name=f"{BASE}-events")
        self.nothing_left()

    def delete_rule(self):
        """Deletes the rule and the queue of the events."""
        call, bus = self.access.call, f"{BASE}-events"
        if not self.access.is_missing("events", "describe_rule", Name=RULE, EventBusName=bus) or self.access.dry:
            call("events", "remove_targets", Rule=RULE, EventBusName=bus, Ids=["queue"])
            call("events", "delete_rule", Name=RULE, EventBusName=bus)
        if not self.access.is_missing("sqs", "get_queue_url", QueueName=QUEUE) or self.access.dry:
            call("sqs", "delete_queue", QueueUrl=call("sqs", "get_queue_url", QueueName=QUEUE)["QueueUrl"])

    def delete_stack(self, name):
        stack = self.access.call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]["StackId"]

        def ended():
            status = self.status(stack)
            return status if self.access.dry or not status.endswith("IN_PROGRESS") else ""

        # If the run ended in the middle of a deployment, that must end first.
        self.access.until(f"the end of what {name} does", ended)
        self.access.call("cloudformation", "delete_stack", StackName=name)
        status = self.access.until(f"the end of {name}", ended)
        self.access.check(status == "DELETE_COMPLETE", f"the stack {name} is deleted", status)

    def table_status(self, table):
        return self.access.call("dynamodb", "describe_table", TableName=table)["Table"]["TableStatus"]

    def tables(self):
        return [one for one in self.access.pages("dynamodb", "list_tables", "TableNames") if self.is_mine(one)]

    def keys(self):
        return [one["Name"] for one in self.access.pages("secretsmanager", "list_secrets", "SecretList") if self.is_mine(one["Name"])]

    def is_mine(self, name):
        return name.startswith((f"{BASE}-", f"{BASE}/")) or self.access.dry

    def nothing_left(self):
        """Checks that nothing of the stage is in the account any more."""
        pages, mine = self.access.pages, self.is_mine
        self.access.until("the end of the tables", lambda: self.access.dry or not self.tables())
        left = {
            "stacks": [one["StackName"] for one in self.stacks() if one["StackName"] == BASE or mine(one["StackName"])],
            "keys": self.keys(),
            "functions": [one["FunctionName"] for one in pages("lambda", "list_functions", "Functions") if mine(one["FunctionName"])],
            "roles": [one["RoleName"] for one in pages("iam", "list_roles", "Roles") if mine(one["RoleName"])],
            "alarms": [one["AlarmName"] for one in pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{BASE}-")],
            "log groups": [one["logGroupName"] for one in pages("logs", "describe_log_groups", "logGroups") if BASE in one["logGroupName"]],
            "buses": [one["Name"] for one in self.access.call("events", "list_event_buses", NamePrefix=BASE)["EventBuses"]],
            "archives": [one["ArchiveName"] for one in self.access.call("events", "list_archives", NamePrefix=BASE)["Archives"]],
            "APIs": [one["Name"] for one in self.access.call("apigatewayv2", "get_apis")["Items"] if mine(str(one["Name"]))],
        }
        left = {kind: names for kind, names in left.items() if names}
        self.access.check(not left, "nothing is left", left or "but the bucket of sam deploy, which other stacks may use")


class Traffic:
    """Sends requests until it is ended, and counts those that crash."""

    def __init__(self, nightly):
        self.nightly, self.ended = nightly, threading.Event()
        self.crashed = self.all = 0
        self.thread = threading.Thread(target=self.send, daemon=True)
        if not nightly.access.dry:
            self.thread.start()

    def send(self):
        while self.all < MOST_TRAFFIC and not self.ended.wait(1 / TRAFFIC):
            try:
                status, _ = self.nightly.access.request(f"{self.nightly.api}/sessions", self.nightly.credentials("ann"), quiet=True)
            except (OSError, SystemExit) as error:
                print(f"traffic  {error}", file=sys.stderr)
                return
            self.all += 1
            self.crashed += status >= 500

    def end(self):
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join(60)
        return self.crashed, self.all


def arguments():
    parser = argparse.ArgumentParser(description="Tests a deployment in an account of its own.")
    parser.add_argument("--account", help="the id of the account, which must have no stack of Latchkey")
    parser.add_argument("--region", default="us-east-1", help="[us-east-1]")
    parser.add_argument("--sender", help="an address that SES has verified in this region")
    parser.add_argument("--build", type=Path, default=project.ROOT / ".aws-sam/build", help="the output of sam build [.aws-sam/build]")
    parser.add_argument("--minutes", type=int, default=120, help="the time after which the run deletes everything [120]")
    parser.add_argument("--keep", action="store_true", help="do not delete what was deployed")
    parser.add_argument("--only", choices=["delete"], help="only delete what a run left behind")
    parser.add_argument("--dry-run", action="store_true", help="print every command, request and call, and make none")
    parser.add_argument("--emulated", action="store_true", help="run in an emulated account")
    options = parser.parse_args()
    if not (options.dry_run or options.emulated or options.account):
        parser.error("a real account needs --account")
    if options.account and not options.sender and not options.only:
        parser.error("a real account needs --sender, an address that SES has verified")
    options.sender = options.sender or SENDER
    options.build = options.build.resolve()
    return options


def reached(options, folder):
    """The account of the options."""
    deadline = time.monotonic() + options.minutes * 60
    if options.dry_run:
        return Dry(options.region, deadline)
    if not options.build.is_dir() and not options.only:
        sys.exit(f"{options.build} does not exist; run tests/aws/run 1, or sam build")
    if not options.emulated:
        return Access(options.region, deadline)
    account = accounts.Account(folder, options.build, LATCHKEY_RECOVERY="1")
    account.wait()
    return Emulated(account, deadline)


def main():
    options = arguments()
    # A run that is ended deletes what it deployed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("the run was ended"))
    with tempfile.TemporaryDirectory(prefix="latchkey-nightly-") as folder:
        access = reached(options, Path(folder))
        nightly = Nightly(access, options, Path(folder))
        steps = ["guard", "delete"] if options.only else STEPS
        try:
            run(nightly, steps)
        finally:
            access.end()
    print(f"nightly: {access.requests} requests, {len(access.failures)} failed checks{': ' if access.failures else ''}{', '.join(access.failures)}")
    return 1 if access.failures else 0


def run(nightly, steps):
    """Runs the steps. What was deployed is deleted at the end, whatever happens."""
    try:
        for step in steps:
            if step != "delete":
                nightly.access.say(f"step     {step}")
                getattr(nightly, step)()
    except BaseException as error:
        if not isinstance(error, SystemExit) or nightly.deployed:
            nightly.access.failures.append(f"it ended in the middle: {error!r}"[:300])
        if not nightly.deployed:
            raise
        print(f"FAILED  nightly it ended in the middle: {error}", flush=True)
    if "delete" in steps and not nightly.options.keep:
        # Deleting has a time of its own.
        nightly.access.deadline = time.monotonic() + 3600
        nightly.access.say("step     delete")
        nightly.delete()


if __name__ == "__main__":
    sys.exit(main())
