"""Starts ministack, an emulated AWS account, with patches where it differs from AWS. Each patch says why.

The environment: GATEWAY_PORT and BIND_HOST, where the emulator listens; LATCHKEY_LOG, the file for every line that a function
prints; LATCHKEY_TRANSFORMED, the folder for transformed templates; and LATCHKEY_RECOVERY, set if tables can be restored to a moment: by how many seconds the latest one is behind.
"""

import collections
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
from ministack.services import apigateway, dynamodb, eventbridge, lambda_svc, secretsmanager
from ministack.services.cloudformation import changesets, engine, handlers, provisioners

import left_out

source = contextvars.ContextVar("source", default="127.0.0.1")


def patch_source_address():
    """Makes the source address of a request the address of the connection. The emulator always reports 127.0.0.1."""
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
    """Passes OPTIONS to the function of an API without a CORS configuration, as API Gateway does. The emulator answers 403
    itself, but does not recognise the method in lower case; patch_source_address restores upper case."""
    inner = apigateway._handle_execute_in_scope

    async def outer(api_id, stage, path, method, *rest, **options):
        api = apigateway._apis.get(api_id) or {}
        if method == "OPTIONS" and not api.get("corsConfiguration"):
            method = "options"
        return await inner(api_id, stage, path, method, *rest, **options)

    apigateway._handle_execute_in_scope = outer


def patch_failed_functions():
    """Answers for a function that failed with 500 and the body of an HTTP API. The emulator answers 502 with the error."""
    inner = lambda_svc.lambda_execute_result_to_api_proxy_response

    def outer(result):
        if result.get("error"):
            body = '{"message":"Internal Server Error"}'
            return {"statusCode": 500, "headers": {"content-type": "application/json"}, "body": body}, None
        return inner(result)

    lambda_svc.lambda_execute_result_to_api_proxy_response = outer


def patch_partial_failures():
    """Repeats a batch of stream records that a function answered with batchItemFailures, until its oldest record is too old.
    The emulator drops the batch. AWS repeats the failed records only, but may repeat all: it delivers at least once."""
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
    """Recognises a transaction that is repeated with its token. The emulator normalises the numbers of the items (1.50 becomes
    1.5) in the request that it remembers, so the repeated request seems to differ. This patch remembers the original."""
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
    """Adds to the evaluation of policies the context that AWS has and the emulator lacks: the sender of a mail, which is also
    the identity that the resource names, and the partition key of an item."""
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
    """Makes versions of secrets behave as in Secrets Manager, which key rotation depends on. A request token that is repeated
    with another value is refused (the emulator overwrites the version); a stage that a new version takes is removed from the
    old version (the emulator leaves it); and the time of the last change has milliseconds (the emulator has seconds)."""
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
            answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": known["Stages"]}
            return json_response(answer)
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
    """Keeps transformed templates on disk. The SAM transform is the slowest part of a deployment, and the templates of all
    accounts differ only in the variables of the functions."""
    inner = handlers._apply_transforms
    folder = Path(os.environ["LATCHKEY_TRANSFORMED"])

    def outer(template, *rest, **options):
        if "Transform" not in template:
            return inner(template, *rest, **options)
        common, variables = copy.deepcopy(template), {}
        for name, resource in common["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                variables[name] = resource["Properties"].pop("Environment", {}).get("Variables", {})
        version = importlib.metadata.version("aws-sam-translator")
        key = hashlib.sha256(f"{version} {json.dumps(common)}".encode()).hexdigest()
        file = folder / f"{key}.json"
        if not file.exists():
            transformed = inner(common, *rest, **options)
            if isinstance(transformed, engine._TransformFailed):
                return transformed
            folder.mkdir(exist_ok=True)
            # Processes may write it at the same time, so each writes a file of its own and then renames it.
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as written:
                json.dump(transformed, written)
            os.replace(written.name, file)
        transformed = json.loads(file.read_text())
        for name, own in variables.items():
            environment = transformed["Resources"][name]["Properties"].setdefault("Environment", {})
            environment.setdefault("Variables", {}).update(own)
        return left_out.cut(with_versions(transformed, variables))

    handlers._apply_transforms = changesets._apply_transforms = outer


def with_versions(template, variables):
    """Names the version of a function after its variables as well: other variables make another version, as the SAM transform does."""
    resources = template["Resources"]
    for name, version in list(resources.items()):
        function = version["Properties"].get("FunctionName", {}) if version["Type"] == "AWS::Lambda::Version" else {}
        own = variables.get(function.get("Ref")) if isinstance(function, dict) else None
        if own:
            renamed = name + hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:8]
            resources[renamed] = resources.pop(name)
            for resource in resources.values():
                if resource["Type"] == "AWS::Lambda::Alias" and resource["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [name, "Version"]}:
                    resource["Properties"]["FunctionVersion"] = {"Fn::GetAtt": [renamed, "Version"]}
    return template


def patch_replays():
    """Limits a replay to the rules that its destination names. The emulator sends the events to all rules of the bus."""
    inner = eventbridge._dispatch_event

    def outer(event, *rest):
        replay = eventbridge._replays.get(event.get("ReplayName"))
        wanted = replay["Destination"].get("FilterArns") if replay else None
        if wanted:
            others = [key for key, rule in eventbridge._rules.items() if rule["Arn"] not in wanted]
            # An event goes to no rule that it came from.
            event = {**event, "_DispatchPath": [*(event.get("_DispatchPath") or []), *others]}
        return inner(event, *rest)

    eventbridge._dispatch_event = outer


def patch_conditions_of_templates():
    """Refuses a template that names a condition which it does not declare. The emulator takes such a condition as false."""
    inner = engine.validate_template_support

    def named(value):
        if isinstance(value, list):
            return set().union(*(named(one) for one in value))
        if not isinstance(value, dict):
            return set()
        found = set().union(*(named(one) for one in value.values()))
        if isinstance(value.get("Condition"), str):
            found.add(value["Condition"])
        if "Fn::If" in value:
            found.add(value["Fn::If"][0])
        return found

    def outer(template, *rest, **options):
        for section in ("Conditions", "Resources", "Outputs"):
            missing = named(template.get(section)) - set(template.get("Conditions") or {})
            if missing:
                raise ValueError(f"Template format error: Unresolved condition dependency {min(missing)} in the {section} block of the template")
        return inner(template, *rest, **options)

    changesets.validate_template_support = handlers.validate_template_support = outer


def patch_imports():
    """Imports secrets and event buses into a stack. The emulator imports tables and other types only."""

    def secret_problem(arn):
        return None if secretsmanager._resolve(arn)[1] else f"Secret {arn} does not exist."

    def bus_problem(name):
        return None if name in eventbridge._event_buses else f"Event bus {name} does not exist."

    def secret(identifier):
        name, _ = secretsmanager._resolve(identifier["Id"])
        return name, {"Id": identifier["Id"], "Arn": identifier["Id"]}

    def bus(identifier):
        arn = f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{identifier['Name']}"
        return identifier["Name"], {"Arn": arn, "Name": identifier["Name"]}

    changesets._IMPORT_LOOKUPS["AWS::SecretsManager::Secret"] = (("Id",), secret_problem)
    changesets._IMPORT_LOOKUPS["AWS::Events::EventBus"] = (("Name",), bus_problem)
    provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]["import"] = secret
    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBus"]["import"] = bus


def patch_archives():
    """Creates and deletes archives of events with a stack. The emulator has archives, but its CloudFormation does not know them."""

    def answered(answer):
        if answer[0] != 200:
            raise ValueError(answer[2].decode())
        return json.loads(answer[2])

    def create(logical_id, properties, stack):
        name = properties.get("ArchiveName") or provisioners._physical_name(stack, logical_id, max_len=48)
        request = {"ArchiveName": name, "EventSourceArn": properties["SourceArn"]}
        for key in ("Description", "RetentionDays"):
            if key in properties:
                request[key] = properties[key]
        if "EventPattern" in properties:
            request["EventPattern"] = json.dumps(properties["EventPattern"])
        return name, {"Arn": answered(eventbridge._create_archive(request))["ArchiveArn"]}

    def delete(name, _):
        answered(eventbridge._delete_archive({"ArchiveName": name}))

    provisioners._RESOURCE_HANDLERS["AWS::Events::Archive"] = {"create": create, "delete": delete}


# How many seconds a restored table is too new for settings of its backups.
TOO_NEW = 1


def patch_recovery():
    """Restores a table to the moment that is asked for, which is some seconds ago at the latest. The emulator takes the items of
    now. Before each write, the items of all tables with point-in-time recovery are kept; that is only affordable for a few items.
    For a while, a restored table has no settings of backups, as on AWS."""
    kept, made, began, lag = {}, {}, time.time(), float(os.environ["LATCHKEY_RECOVERY"])

    def keep():
        now = time.time()
        for name, enabled in dynamodb._pitr_settings.items():
            if enabled and name in dynamodb._tables:
                kept.setdefault(name, []).append((now, copy.deepcopy(dict(dynamodb._tables[name]["items"]))))

    def keeping(inner):
        def outer(data):
            keep()
            return inner(data)

        return outer

    for operation in ("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"):
        setattr(dynamodb, f"_{operation}", keeping(getattr(dynamodb, f"_{operation}")))
    restore, describe = dynamodb._restore_table_to_point_in_time, dynamodb._describe_continuous_backups
    update = dynamodb._update_continuous_backups

    def restore_to_moment(data):
        answer = restore(data)
        if answer[0] == 200:
            moment = time.time() - lag if data.get("UseLatestRestorableTime") else data["RestoreDateTime"]
            made[data["TargetTableName"]] = time.time()
            # The items before the first write after the moment.
            later = [items for at, items in kept.get(data["SourceTableName"], []) if at > moment]
            table = dynamodb._tables[data["TargetTableName"]]
            if later:
                table["items"] = collections.defaultdict(dict, copy.deepcopy(later[0]))
                dynamodb._items_replaced(table)
        return answer

    def describe_with_window(data):
        answer = describe(data)
        description = json.loads(answer[2])
        window = description.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
        if answer[0] == 200 and "EarliestRestorableDateTime" in window:
            window.update(EarliestRestorableDateTime=began, LatestRestorableDateTime=time.time() - lag)
            return json_response(description)
        return answer

    def update_if_old_enough(data):
        if time.time() - made.get(data["TableName"], 0) < TOO_NEW:
            problem = "Backups are being enabled for the table. Please retry later"
            return error_response_json("ContinuousBackupsUnavailableException", problem)
        return update(data)

    dynamodb._restore_table_to_point_in_time, dynamodb._describe_continuous_backups = restore_to_moment, describe_with_window
    dynamodb._update_continuous_backups = update_if_old_enough


def patch_logs():
    """Writes each line that a function prints to a file at once, as CloudWatch receives it. The emulator shows the lines when
    the invocation has ended, and tests read the lines of functions that were killed."""
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
    patch_replays()
    patch_conditions_of_templates()
    patch_imports()
    patch_archives()
    if os.environ.get("LATCHKEY_RECOVERY"):
        patch_recovery()
    patch_logs()
    app.main()
