"""Starts ministack, an emulated AWS account, with what it lacks for this project. Each patch says why.

The environment: GATEWAY_PORT, BIND_HOST, LATCHKEY_LOG, the file that takes every line that a function prints, and
LATCHKEY_TRANSFORMED, the folder for what the SAM transform makes.
"""

import contextvars
import copy
import hashlib
import importlib.metadata
import json
import os
import tempfile
import time
from email.utils import parseaddr
from pathlib import Path

import ministack.app as app
from ministack.core import iam_actions, lambda_runtime
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import apigateway, dynamodb, lambda_svc, secretsmanager
from ministack.services.cloudformation import engine, handlers

source = contextvars.ContextVar("source", default="127.0.0.1")


def patch_source_address():
    """The emulator calls every caller 127.0.0.1; the gateway names the address that the connection comes from."""
    inner = app.app

    async def outer(scope, receive, send):
        source.set((scope.get("client") or ("127.0.0.1",))[0])
        await inner(scope, receive, send)

    app.app = outer
    run = apigateway.run_reentrant

    async def run_with_source(execute, record, event, **options):
        http = event.get("requestContext", {}).get("http") if isinstance(event, dict) else None
        if http:
            http["sourceIp"] = source.get()
            http["method"] = http["method"].upper()
        return await run(execute, record, event, **options)

    apigateway.run_reentrant = run_with_source


def patch_preflights():
    """The emulator answers OPTIONS itself with 403 where an API has no CORS configuration; the gateway passes it on like
    any other method. In lower case the emulator does not know it; patch_source_address gives it back its name."""
    inner = apigateway._handle_execute_in_scope

    async def outer(api_id, stage, path, method, *rest, **options):
        api = apigateway._apis.get(api_id) or {}
        if method == "OPTIONS" and not api.get("corsConfiguration"):
            method = "options"
        return await inner(api_id, stage, path, method, *rest, **options)

    apigateway._handle_execute_in_scope = outer


def patch_failed_functions():
    """The emulator answers 502 with the error of a function that failed; an HTTP API says 500 and these words."""
    inner = lambda_svc.lambda_execute_result_to_api_proxy_response

    def outer(result):
        if result.get("error"):
            words = {"statusCode": 500, "headers": {"content-type": "application/json"}}
            return {**words, "body": '{"message":"Internal Server Error"}'}, None
        return inner(result)

    lambda_svc.lambda_execute_result_to_api_proxy_response = outer


def patch_partial_failures():
    """The emulator takes a stream batch with batchItemFailures for a success and drops it. Here it fails as a whole and is
    tried again, which AWS may do as well (delivery is at least once), until its oldest record is too old."""
    inner = lambda_svc._execute_function

    def outer(func, event, *rest, **options):
        result = inner(func, event, *rest, **options)
        records = event.get("Records") if isinstance(event, dict) else None
        body = result.get("body") if isinstance(result, dict) else None
        streamed = bool(records) and records[0].get("eventSource") == "aws:dynamodb"
        if streamed and isinstance(body, dict) and body.get("batchItemFailures"):
            failed = {"errorType": "ReportBatchItemFailures", "errorMessage": str(body)}
            return {"error": True, "body": failed, "log": result.get("log", "")}
        return result

    lambda_svc._execute_function = outer


def patch_repeated_transactions():
    """The emulator rewrites the numbers of a transaction's items (1.50 becomes 1.5) in the very request that it remembers, and
    then takes the same request for another one when it is repeated with its token. Here it remembers what was sent."""
    inner = dynamodb._transact_write_items

    def outer(data):
        token = data.get("ClientRequestToken")
        known = dynamodb._txn_idempotency.get(token)
        sent = copy.deepcopy({name: value for name, value in data.items() if name != "ClientRequestToken"})
        answer = inner(data)
        entry = dynamodb._txn_idempotency.get(token)
        if entry and not known:
            entry["signature"] = sent
        return answer

    dynamodb._transact_write_items = outer


def patch_conditions():
    """The emulator evaluates policies without some of what AWS looks at: who a mail is from, which names the identity that
    sends it, and the partition key of an item."""
    sender = contextvars.ContextVar("sender", default="")
    enforce_mail, enforce = app._enforce_ses_v2, app._enforce_data_plane

    def enforce_with_sender(service, action, *rest, **options):
        if action == "ses:SendEmail":
            arn = f"arn:aws:ses:{get_region()}:{get_account_id()}:identity/{sender.get()}"
            options.update(resource_arn=arn, service_context={"ses:FromAddress": sender.get()})
        return enforce(service, action, *rest, **options)

    def remember_sender(method, path, headers, body, *rest):
        fields = as_fields(body)
        sender.set(parseaddr(fields.get("FromEmailAddress", ""))[1])
        return enforce_mail(method, path, headers, body, *rest)

    app._enforce_data_plane, app._enforce_ses_v2 = enforce_with_sender, remember_sender
    store_context = iam_actions.dynamodb_service_context

    def with_leading_keys(body):
        context, fields = store_context(body), as_fields(body)
        table = dynamodb._tables.get(fields.get("TableName", "").rpartition("/")[2])
        item = fields.get("Key") or fields.get("Item")
        if table and item:
            context["dynamodb:LeadingKeys"] = list(item[table["pk_name"]].values())
        return context

    iam_actions.dynamodb_service_context = with_leading_keys


def patch_secret_versions():
    """The emulator overwrites a version whose request token comes again with another value, and leaves a label where it was
    that a new version takes; Secrets Manager refuses the first and moves the second. It also tells changes to the second
    alone. Rotation stands on all three."""
    put, move = secretsmanager._put_secret_value, secretsmanager._update_secret_version_stage

    def changed(data, answer):
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        if secret and answer[0] == 200:
            secret["LastChangedDate"] = round(time.time(), 3)
        return answer

    def put_version(data):
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        token = data.get("ClientRequestToken")
        known = secret and secret["Versions"].get(token)
        if known and known["SecretString"] != data.get("SecretString"):
            return error_response_json("ResourceExistsException", f"The version {token} has another value.")
        if known:
            told = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": known["Stages"]}
            return json_response(told)
        answer = put(data)
        for stage in data.get("VersionStages", []) if answer[0] == 200 else []:
            version = json.loads(answer[2])["VersionId"]
            secretsmanager._remove_stage_everywhere(secret, stage, except_version_id=version)
            secretsmanager._add_stage(secret, version, stage)
        return changed(data, answer)

    secretsmanager._put_secret_value = put_version
    secretsmanager._update_secret_version_stage = lambda data: changed(data, move(data))


def as_fields(body):
    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def patch_transform():
    """Every account is given the same template, but for its functions' own variables, and the SAM transform is the slowest
    thing about it: what it makes of the template is made once and kept."""
    inner = handlers._apply_transforms
    folder = Path(os.environ["LATCHKEY_TRANSFORMED"])

    def outer(template, *rest):
        common, variables = copy.deepcopy(template), {}
        for name, resource in common["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                variables[name] = resource["Properties"].pop("Environment", {}).get("Variables", {})
        version = importlib.metadata.version("aws-sam-translator")
        key = hashlib.sha256(f"{version} {json.dumps(common)}".encode()).hexdigest()
        file = folder / f"{key}.json"
        if not file.exists():
            made = inner(common, *rest)
            if isinstance(made, engine._TransformFailed):
                return made
            folder.mkdir(exist_ok=True)
            # Several may make it at once: each takes its place whole.
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as written:
                json.dump(made, written)
            os.replace(written.name, file)
        made = json.loads(file.read_text())
        for name, own in variables.items():
            made["Resources"][name]["Properties"]["Environment"]["Variables"].update(own)
        return made

    handlers._apply_transforms = outer


def patch_logs():
    """The emulator hands over what a function printed when its invocation has ended; CloudWatch takes each line at once,
    and tests look at the lines of functions that are killed."""
    lines = open(os.environ["LATCHKEY_LOG"], "a", buffering=1, encoding="utf-8")
    inner = lambda_runtime.ProvidedWorker._pump_output

    class Copied:
        def __init__(self, stream, name):
            self.stream, self.name = stream, name

        def readline(self):
            line = self.stream.readline()
            if line:
                lines.write(f"[{self.name}] {line.decode('utf-8', 'replace').rstrip()}\n")
            return line

        def close(self):
            self.stream.close()

    def outer(self, stream, log_queue):
        inner(self, Copied(stream, self.func_name), log_queue)

    lambda_runtime.ProvidedWorker._pump_output = outer


if __name__ == "__main__":
    patch_source_address()
    patch_preflights()
    patch_failed_functions()
    patch_partial_failures()
    patch_repeated_transactions()
    patch_conditions()
    patch_secret_versions()
    patch_transform()
    patch_logs()
    app.main()
