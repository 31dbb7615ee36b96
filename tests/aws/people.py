"""Runs each verb of the program people against a deployed stack, and searches every table for an erased person.

usage: people.py BUILD PROGRAM
    BUILD     the output of sam build (.aws-sam/build)
    PROGRAM   the program of tests/people
Prints one line per check.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import account as accounts  # noqa: E402
import delivery  # noqa: E402
import template as project  # noqa: E402


def require(truth, name, figure):
    if not truth:
        raise SystemExit(f"FAILED  people {name}: {figure}")
    print(f"ok  people {name} {figure}", flush=True)


class Operator:
    """A person with the right to invoke the function."""

    def __init__(self, program, account, stack):
        keys = {"AWS_ENDPOINT_URL": account.url, "AWS_ACCESS_KEY_ID": project.PSEUDO["AWS::AccountId"]}
        self.environment = {**os.environ, **keys}
        function = stack.resources["PeopleFunction"]
        self.folder = None
        self.command = [program, "--function", function, "--who", "support", "--why", "ticket 4711", "--json"]

    def run(self, *arguments):
        return subprocess.run([*self.command, *arguments], env=self.environment, capture_output=True, text=True, cwd=self.folder)

    def done(self, *arguments):
        ran = self.run(*arguments)
        require(ran.returncode == 0, arguments[0], "done" if ran.returncode == 0 else ran.stderr.strip())
        return json.loads(ran.stdout)


def post(stack, path, body):
    """The status of a request to the API."""
    request = urllib.request.Request(f"{stack.api}{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def verbs(operator, stack):
    stack.sign_up(1)
    email = "person1@example.com"
    sign_in = {"email": email, "password": "correct horse"}
    found = operator.done("find", email)["people"]
    require(len(found) == 1 and found[0]["contract"] == "gotu", "find", f"{len(found)} of gotu")
    user = found[0]["userId"]
    operator.done("ban", user)
    require(post(stack, "/sessions", sign_in) == 403, "ban", "the user cannot enter")
    operator.done("unban", user)
    require(post(stack, "/sessions", sign_in) == 200, "unban", "the user can enter")
    ended = operator.done("sign-out", email)["sessionsEnded"]
    require(ended == 1, "sign-out", f"{ended} session ended")
    operator.done("unlock", email)
    require(post(stack, "/otp", {"identifier": email, "otpType": "reset_password"}) == 204, "a code", "is asked for")
    resent = operator.done("resend", email)["resent"]
    require([one["purpose"] for one in resent] == ["reset_password"], "resend", f"{len(resent)} message")
    stored = operator.done("export", email)["stored"]
    require(stored["users"][0]["email"] == email, "export", f"{sum(map(len, stored.values()))} items")
    require(operator.done("clients", "list")["clients"] == [], "clients", "none")
    refused = operator.run("ban", "person9@example.com")
    require(refused.returncode != 0 and "there is no such person" in refused.stderr, "a refusal", refused.stderr.strip())
    return email, user


def move_in(operator, account, folder):
    """Imports an object of S3 that is longer than one part, and continues where an import was stopped."""
    bucket, key = "moves", "from the old system/users.jsonl"
    lines = []
    for number in range(60):
        user = {"contract": "gotu", "identifiers": [{"kind": "email", "value": f"mover{number}@example.com"}]}
        # JSON allows spaces at the end.
        lines.append(json.dumps(user) + " " * 200_000)
    store = account.client("s3")
    store.create_bucket(Bucket=bucket)
    version = store.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())["ETag"]
    operator.command = [argument for argument in operator.command if argument != "--json"]
    operator.folder = folder
    name = f"s3://{bucket}/{key}"
    tried = operator.run("import", name, "--dry-run")
    require("to create: 60\n" in tried.stdout, "import", f"dry run: {tried.stdout.splitlines()} {tried.stderr.strip()}")
    done = Path(folder, "users.jsonl.done")
    done.write_text(f"50 {name} another\n")
    refused = operator.run("import", name)
    require(refused.returncode != 0 and done.exists(), "import", f"another version: {refused.stderr.strip()}")
    done.write_text(f"50 {name} {version}\n")
    rest = operator.run("import", name)
    require("created: 10\n" in rest.stdout and not done.exists(), "import", f"after line 50: {rest.stdout.splitlines()}")
    whole = operator.run("import", name)
    expected = ["created: 50", "present: 10", "problems: 0"]
    require(whole.stdout.splitlines() == expected and whole.returncode == 0, "import", f"again: {whole.stdout.splitlines()}")
    missing = operator.run("import", f"s3://{bucket}/another.jsonl")
    require(missing.returncode != 0 and "NoSuchKey" in missing.stderr, "import", "an object that does not exist is named")


def erasure(operator, stack, email, user):
    def is_complete():
        return operator.run("erase", email, "--contract", "gotu", "--yes").stdout.find('"isComplete": true') >= 0

    delivery.until("a complete erasure", is_complete, 120)
    tables = [name for name, resource in project.load()["Resources"].items() if resource["Type"] == "AWS::DynamoDB::Table"]

    def holders():
        scans = {name: json.dumps(stack.tables.scan(TableName=stack.resources[name])["Items"], default=str) for name in tables}
        return [name for name, text in scans.items() if email in text or user in text]

    delivery.until("tables without the person", lambda: not holders())
    require(not holders(), "erase", f"{len(tables)} tables have nothing of the person")


def main(build, program):
    with tempfile.TemporaryDirectory(prefix="latchkey-account-") as folder:
        account = accounts.Account(Path(folder), Path(build))
        try:
            account.wait()
            stack = delivery.Stack(Path(build), account)
            operator = Operator(program, account, stack)
            erasure(operator, stack, *verbs(operator, stack))
            move_in(operator, account, folder)
        finally:
            account.end()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
