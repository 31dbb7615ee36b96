"""Checks templates against CloudFormation's own schemas of the resource types, and against the quotas of AWS.

usage: schemas.py TEMPLATE…     such as template.yaml and the stacks that cargo xtask stacks wrote; prints one line for each

Each template is transformed (SAM), and each resource gets its real values, with names and ARNs as long as those of a real account:
once with the defaults of the parameters, and once with all that parameters can switch on. The schemas are those of CloudFormation's
registry, as cfn-lint brings them. At the end, broken copies of the templates must fail, so that a check that checks nothing is found.
"""

import collections
import json
import logging
import sys
from pathlib import Path

import cfnlint
import jsonschema
# The schemas have patterns such as \p{L}, which the module re does not know. cfn-lint needs it, too.
import regex

import dependency_cycles
import template as project
from resolved import ABSENT, NAMES, Resolver, compact

SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
REGION = "us-east-1"
# What the names of the stacks begin with.
BASE = "latchkey-production"
STACK_POLICY = project.ROOT / "shared/stack-policy.json"

# The parameters of a stage that uses everything. A parameter with a MaxLength that is not here gets a value of that length.
FILLED = {
    "AlarmTopicArn": "arn:aws:sns:ap-southeast-3:123456789012:latchkey-production-alarms",
    "AllowedOriginsGotu": "https://app.gotu.example,https://www.gotu.example",
    "AllowedOriginsPosbytz": "https://shop.posbytz.example",
    "ApiCertificateArn": "arn:aws:acm:ap-southeast-3:123456789012:certificate/12345678-1234-1234-1234-123456789012",
    "ApiDomain": "api.production.latchkey.example",
    "BrandAddresses": "*@mail.latchkey.example",
    "CookieDomainUrbanfits": ".urbanfits.example",
    "DeliveryReports": "on",
    "EdgeRequired": "true",
    "EdgeSecretSha256": ",".join(["0123456789abcdef" * 4] * 2),
    "EventAccounts": "111111111111,222222222222",
    "EventOrganization": "o-a1b2c3d4e5",
    "FallbackConcurrency": 50,
    "HashingConcurrency": 50,
    "MigrateHighestId": 81000,
    "MigrateKey": "arn:aws:secretsmanager:ap-southeast-3:123456789012:secret:latchkey-production-migrate-AbCdEf",
    "MigrateUrl": "https://old.latchkey.example/users",
    "RelayConcurrency": 24,
    "Release": "0123456789abcdef0123456789abcdef01234567",
    "RotationConcurrency": 1,
    "ShopUrlUrbanfits": "https://shop.urbanfits.example/",
    "SignInUrlUrbanfits": "https://shop.urbanfits.example/sign-in",
    "SignUpUrlUrbanfits": "https://shop.urbanfits.example/sign-up",
    "SmsMaxPriceUsd": "0.25",
    "SmsSenderId": "LATCHKEY",
    "SmsWebhookKey": "arn:aws:secretsmanager:ap-southeast-3:123456789012:secret:latchkey-production-webhook-AbCdEf",
    "SmsWebhookUrl": "https://carrier.example/texts",
    "WarmWriteUnits": 12000,
    "TextSenders": '{"gotu":{"+91":{"sender":"LTCHKY","entity":"1234567890123456789","templates":{"sign_up":"1234567890123456789"}}}}',
}

# The quotas, with where AWS states them. Those that an account can have raised are here with their default.
QUOTAS = {
    "resources": (500, "CloudFormation, quotas"),
    "parameters": (200, "CloudFormation, quotas"),
    "outputs": (200, "CloudFormation, quotas"),
    "mappings": (200, "CloudFormation, quotas"),
    "bytes of the template": (1_000_000, "CloudFormation, quotas: 1 MB in S3"),
    "bytes of the transformed template": (1_000_000, "CloudFormation, quotas: 1 MB in S3"),
    "bytes of the template of an import": (51_200, "CloudFormation, quotas: in a request"),
    "bytes of the stack policy": (16_384, "CloudFormation, SetStackPolicy"),
    "characters of the description": (1024, "CloudFormation, quotas"),
    "characters of the description of a parameter": (4000, "CloudFormation, parameters"),
    "bytes of the value of a parameter": (4096, "CloudFormation, quotas"),
    "characters of the name of an output": (255, "CloudFormation, quotas"),
    "characters of a logical id": (255, "CloudFormation, quotas"),
    "characters of the name of a function": (64, "Lambda, CreateFunction"),
    "characters of the name of a role": (64, "IAM, quotas"),
    "characters of the name of an alarm": (255, "CloudWatch, PutMetricAlarm"),
    "characters of the name of a table": (255, "DynamoDB, quotas"),
    "characters of the name of a queue": (80, "SQS, quotas"),
    "characters of the name of a secret": (512, "Secrets Manager, CreateSecret"),
    "characters of the name of a log group": (512, "CloudWatch Logs, CreateLogGroup"),
    "characters of the name of a rule": (64, "EventBridge, PutRule"),
    "characters of the name of an archive": (48, "EventBridge, CreateArchive"),
    "managed policies of a role": (10, "IAM, quotas (default)"),
    "characters of the inline policies of a role": (10_240, "IAM, quotas"),
    "characters of a managed policy": (6144, "IAM, quotas"),
    "characters of a trust policy": (2048, "IAM, quotas (default)"),
    "bytes of the environment of a function": (4096, "Lambda, quotas"),
    "bytes of the environment of a function that uses all parameters": (4096, "Lambda, quotas"),
    "bytes of the policy of a function": (20_480, "Lambda, quotas"),
    "routes of an API": (300, "API Gateway, HTTP API quotas (default)"),
    "integrations of an API": (300, "API Gateway, HTTP API quotas"),
    "stages of an API": (10, "API Gateway, HTTP API quotas (default)"),
    "metrics of an alarm": (10, "CloudWatch, quotas"),
    "dimensions of a metric": (30, "CloudWatch, quotas"),
    "actions of an alarm": (5, "CloudWatch, quotas"),
    "alarms of a deployment group": (10, "CodeDeploy, quotas"),
    "widgets of a dashboard": (500, "CloudWatch, quotas"),
    "metrics of a widget": (500, "CloudWatch, quotas"),
    "metrics of a dashboard": (2500, "CloudWatch, quotas"),
    "indexes of a table": (20, "DynamoDB, quotas (default)"),
    "targets of a rule": (5, "EventBridge, quotas"),
    "characters of the pattern of a rule": (4096, "EventBridge, quotas (default)"),
    "filters of an event source": (5, "Lambda, event filtering (default)"),
    "characters of the pattern of a filter": (4096, "Lambda, event filtering"),
    "subscriptions of a log group": (2, "CloudWatch Logs, quotas"),
}
# What is over its quota and known. The check fails if it is over no more, so that an entry does not stay for nothing.
KNOWN = {
    "bytes of the environment of a function that uses all parameters": "a stage can use most parameters, but not all at once (configuration.md)",
}
# The quota of the name of a type.
NAMED = {
    "AWS::CloudWatch::Alarm": "an alarm",
    "AWS::DynamoDB::Table": "a table",
    "AWS::Events::Archive": "an archive",
    "AWS::Events::Rule": "a rule",
    "AWS::IAM::Role": "a role",
    "AWS::Lambda::Function": "a function",
    "AWS::Logs::LogGroup": "a log group",
    "AWS::SecretsManager::Secret": "a secret",
    "AWS::SQS::Queue": "a queue",
}


# ------------------------------------------------------------------------------------------------ schemas
def required_xor(_, names, instance, __):
    found = [name for name in names if name in instance]
    if len(found) != 1:
        yield jsonschema.ValidationError(f"exactly one of {names} must be there, not {found}")


def required_or(_, names, instance, __):
    if not any(name in instance for name in names):
        yield jsonschema.ValidationError(f"one of {names} must be there")


def dependent_excluded(_, excluded, instance, __):
    for name, others in excluded.items():
        for other in others:
            if name in instance and other in instance:
                yield jsonschema.ValidationError(f"{name} and {other} exclude each other")


def pattern(_, expression, instance, __):
    if isinstance(instance, str) and not regex.search(expression, instance):
        yield jsonschema.ValidationError(f"{instance[:80]!r} does not match {expression[:80]!r}")


def on_objects(check):
    return lambda validator, value, instance, schema: check(validator, value, instance, schema) if isinstance(instance, dict) else ()


def is_boolean(_, instance):
    # CloudFormation takes the texts, too, which parameters of the type String give.
    return isinstance(instance, bool) or instance in ("true", "false")


def is_number(whole):
    def check(_, instance):
        if isinstance(instance, bool) or not isinstance(instance, (int, float)):
            return False
        return not whole or instance == int(instance)

    return check


TYPES = jsonschema.Draft7Validator.TYPE_CHECKER.redefine_many({
    "boolean": is_boolean,
    "integer": is_number(True),
    "number": is_number(False),
})
Validator = jsonschema.validators.extend(
    jsonschema.Draft7Validator,
    {
        "pattern": pattern,
        "requiredXor": on_objects(required_xor),
        "requiredOr": on_objects(required_or),
        "dependentExcluded": on_objects(dependent_excluded),
        "dependentRequired": jsonschema.Draft202012Validator.VALIDATORS["dependentRequired"],
    },
    type_checker=TYPES,
)


class Schemas:
    def __init__(self):
        self.files = json.loads((SCHEMAS / f"providers/{REGION}.json").read_text())
        self.validators = {}

    def of(self, kind):
        if kind not in self.validators:
            if kind not in self.files:
                return None
            schema = json.loads((SCHEMAS / f"resources/{self.files[kind]}.json").read_text())
            # A template may not set what the service makes.
            for path in schema.get("readOnlyProperties", []):
                _, _, name, *deeper = path.split("/")
                if not deeper:
                    schema["properties"].pop(name, None)
            self.validators[kind] = Validator({**schema, "type": "object", "additionalProperties": False})
        return self.validators[kind]

    def problems(self, name, kind, properties):
        validator = self.of(kind)
        if validator is None:
            yield f"{name}: CloudFormation has no type {kind}"
            return
        for error in validator.iter_errors(properties):
            yield f"{name} ({kind}) {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"


# ------------------------------------------------------------------------------------------------ quotas
class Measured:
    """The highest figure of each quota, and where it is."""

    def __init__(self):
        self.highest = {}

    def add(self, quota, figure, where):
        assert quota in QUOTAS, quota
        if figure > self.highest.get(quota, (-1, ""))[0]:
            self.highest[quota] = (figure, where)

    def is_over(self, quota):
        return self.highest.get(quota, (0, ""))[0] > QUOTAS[quota][0]

    def problems(self):
        for quota, (figure, where) in self.highest.items():
            most, source = QUOTAS[quota]
            if self.is_over(quota) and quota not in KNOWN:
                yield f"{figure} {quota}, at most {most} ({source}): {where}"

    def nearest(self):
        """The quotas that are nearest to their ends."""
        used = {quota: self.highest[quota][0] / QUOTAS[quota][0] for quota in self.highest.keys() - KNOWN.keys()}
        return ", ".join(f"{self.highest[one][0]} of {QUOTAS[one][0]} {one}" for one in sorted(used, key=lambda one: (-used[one], one))[:3])


def of_template(measured, source, template):
    measured.add("bytes of the template", len(source.encode()), "")
    measured.add("bytes of the transformed template", len(json.dumps(template).encode()), "")
    for section in ("Resources", "Parameters", "Outputs", "Mappings"):
        measured.add(section.lower(), len(template.get(section, {})), section)
    measured.add("characters of the description", len(template.get("Description", "")), "")
    for name, parameter in template.get("Parameters", {}).items():
        measured.add("characters of the description of a parameter", len(parameter.get("Description", "")), name)
    for name in template["Resources"]:
        measured.add("characters of a logical id", len(name), name)
    for name in template.get("Outputs", {}):
        measured.add("characters of the name of an output", len(name), name)


def of_resources(measured, resolver, made, uses_all):
    policies, subscriptions = collections.Counter(), collections.Counter()
    inline = collections.Counter()
    for name, value in resolver.parameters.items():
        measured.add("bytes of the value of a parameter", len(str(value).encode()), name)
    for name, (kind, properties) in made.items():
        # CloudFormation shortens the names that it makes itself.
        if kind in NAMED and NAMES[kind] in properties:
            measured.add(f"characters of the name of {NAMED[kind]}", len(resolver.name(name)), name)
        check = OF_TYPE.get(kind)
        if kind == "AWS::Lambda::Function":
            of_function(measured, name, properties, uses_all)
        elif check:
            check(measured, name, properties)
        if kind == "AWS::IAM::RolePolicy":
            inline[properties["RoleName"]] += len(compact(properties["PolicyDocument"]))
        if kind == "AWS::IAM::Role":
            inline[resolver.name(name)] += sum(len(compact(one["PolicyDocument"])) for one in properties.get("Policies", []))
        if kind == "AWS::Lambda::Permission":
            policies[properties["FunctionName"]] += len(compact(properties)) + 200
        if kind == "AWS::Logs::SubscriptionFilter":
            subscriptions[properties["LogGroupName"]] += 1
    for name, size in inline.items():
        measured.add("characters of the inline policies of a role", size, name)
    for name, size in policies.items():
        measured.add("bytes of the policy of a function", size, name)
    for name, number in subscriptions.items():
        measured.add("subscriptions of a log group", number, name)


def of_function(measured, name, properties, uses_all):
    variables = properties.get("Environment", {}).get("Variables", {})
    # Lambda measures the JSON of the variables: its error shows the "string measured".
    size = len(json.dumps({key: str(value) for key, value in variables.items()}, separators=(",", ":"), ensure_ascii=False).encode())
    measured.add(f"bytes of the environment of a function{' that uses all parameters' if uses_all else ''}", size, name)


def of_role(measured, name, properties):
    measured.add("managed policies of a role", len(properties.get("ManagedPolicyArns", [])), name)
    measured.add("characters of a trust policy", len(compact(properties["AssumeRolePolicyDocument"])), name)


def of_managed_policy(measured, name, properties):
    measured.add("characters of a managed policy", len(compact(properties["PolicyDocument"])), name)


def of_alarm(measured, name, properties):
    metrics = properties.get("Metrics", [])
    measured.add("metrics of an alarm", sum("MetricStat" in one for one in metrics), name)
    for metric in [properties, *(one["MetricStat"]["Metric"] for one in metrics if "MetricStat" in one)]:
        measured.add("dimensions of a metric", len(metric.get("Dimensions", [])), name)
    for state in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        measured.add("actions of an alarm", len(properties.get(state, [])), name)


def of_group(measured, name, properties):
    measured.add("alarms of a deployment group", len(properties.get("AlarmConfiguration", {}).get("Alarms", [])), name)


def of_api(measured, name, properties):
    body = properties.get("Body", {})
    routes = [one for path in body.get("paths", {}).values() for one in path if not one.startswith("x-") or one == "x-amazon-apigateway-any-method"]
    measured.add("routes of an API", len(routes), name)
    # Each route of an imported document has an integration of its own.
    measured.add("integrations of an API", len(routes), name)
    measured.add("stages of an API", 1, name)


def of_dashboard(measured, name, properties):
    widgets = json.loads(properties["DashboardBody"])["widgets"]
    figures = [len(widget.get("properties", {}).get("metrics", [])) for widget in widgets]
    measured.add("widgets of a dashboard", len(widgets), name)
    measured.add("metrics of a widget", max(figures), name)
    measured.add("metrics of a dashboard", sum(figures), name)


def of_table(measured, name, properties):
    measured.add("indexes of a table", len(properties.get("GlobalSecondaryIndexes", [])), name)


def of_rule(measured, name, properties):
    measured.add("targets of a rule", len(properties.get("Targets", [])), name)
    measured.add("characters of the pattern of a rule", len(compact(properties.get("EventPattern", {}))), name)


def of_mapping(measured, name, properties):
    filters = properties.get("FilterCriteria", {}).get("Filters", [])
    measured.add("filters of an event source", len(filters), name)
    for one in filters:
        measured.add("characters of the pattern of a filter", len(one["Pattern"]), name)


OF_TYPE = {
    "AWS::ApiGatewayV2::Api": of_api,
    "AWS::CloudWatch::Alarm": of_alarm,
    "AWS::CloudWatch::Dashboard": of_dashboard,
    "AWS::CodeDeploy::DeploymentGroup": of_group,
    "AWS::DynamoDB::Table": of_table,
    "AWS::Events::Rule": of_rule,
    "AWS::IAM::ManagedPolicy": of_managed_policy,
    "AWS::IAM::Role": of_role,
    "AWS::Lambda::EventSourceMapping": of_mapping,
}


# ------------------------------------------------------------------------------------------------ templates
def filled(template):
    """The parameters of a stage that uses everything."""
    given = {}
    for name, parameter in template.get("Parameters", {}).items():
        longest = parameter.get("MaxLength")
        if name in FILLED:
            given[name] = FILLED[name]
        elif longest:
            given[name] = "{" + "x" * (longest - 2) + "}" if parameter.get("Default") == "{}" else "x" * longest
    return given


def read(path):
    """A template as it is, and transformed."""
    source, template = Path(path).read_text(), project.load(path)
    return source, dependency_cycles.transformed(template) if "Transform" in template else template


def stack(path):
    """The name of the stack of a template: the data has that of the stage, and so has a stack with everything."""
    whole = path.stem.startswith("data") or path.stem == "template"
    return BASE if whole else f"{BASE}-{path.stem}"


def judge(name_of_stack, source, template, schemas):
    """The problems of a transformed template, and the figures of its quotas."""
    problems, measured, number = [], Measured(), 0
    of_template(measured, source, template)
    for given in ({}, filled(template)):
        resolver = Resolver(template, name_of_stack, given)
        made = resolver.made()
        number += len(made)
        for name, (kind, properties) in made.items():
            problems.extend(schemas.problems(name, kind, properties))
        of_resources(measured, resolver, made, bool(given))
        if any(value is ABSENT for value in resolver.outputs().values()):
            problems.append("an output has no value")
    problems.extend(measured.problems())
    return sorted(set(problems)), measured, number


def of_files(measured):
    """The quotas of what is sent in a request."""
    measured.add("bytes of the stack policy", len(STACK_POLICY.read_bytes()), STACK_POLICY.name)


def of_import(measured, path):
    """import_data.py sends the template of the import, which it writes with --write, in a request."""
    if path.stem == "data-import":
        measured.add("bytes of the template of an import", len(json.dumps(json.loads(path.read_text())).encode()), path.name)


# ------------------------------------------------------------------------------------------------ broken copies
def first(template, kind, has=lambda properties: True):
    """The first resource of a type in a template."""
    return next(name for name, one in template["Resources"].items() if one["Type"] == kind and has(one.get("Properties", {})))


def setting(kind, change, has=lambda properties: True):
    """A change of the properties of the first resource of a type."""

    def apply(template):
        change(template["Resources"][first(template, kind, has)]["Properties"])

    return apply


def adding(section, number, make):
    def apply(template):
        template.setdefault(section, {}).update({f"Broken{index}": make() for index in range(number)})

    return apply


def statements(number):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket/{one}"} for one in range(number)]}


def metrics(number):
    stat = {"Metric": {"Namespace": "Broken", "MetricName": "Broken"}, "Period": 60, "Stat": "Sum"}
    return [{"Id": f"m{one}", "MetricStat": stat, "ReturnData": one == 0} for one in range(number)]


FUNCTION, TABLE, ALARM, ROLE = "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::CloudWatch::Alarm", "AWS::IAM::Role"
# What is broken, how, and what the message must say.
BROKEN = [
    ("a property that does not exist", setting(FUNCTION, lambda one: one.update(MemorySizes=128)), "MemorySizes"),
    ("a property of the service", setting(FUNCTION, lambda one: one.update(Arn="arn:aws:lambda")), "Arn"),
    ("a required property is missing", setting(FUNCTION, lambda one: one.pop("Role")), "'Role' is a required property"),
    ("a wrong type", setting(FUNCTION, lambda one: one.update(Timeout="ten")), "is not of type 'integer'"),
    ("a number out of range", setting(FUNCTION, lambda one: one.update(MemorySize=64)), "MemorySize"),
    ("a value that is not allowed", setting(FUNCTION, lambda one: one.update(Architectures=["arm32"])), "arm32"),
    ("a pattern", setting(FUNCTION, lambda one: one.update(Role="no ARN")), "does not match"),
    ("a property inside a property", setting(TABLE, lambda one: one.update(StreamSpecification={"StreamViewKind": "X"})), "StreamViewKind"),
    ("both of two that exclude each other", setting(ALARM, lambda one: one.update(Metrics=metrics(1), MetricName="Broken")), "exclude"),
    ("an enumeration of an alarm", setting(ALARM, lambda one: one.update(TreatMissingData="zero")), "zero"),
    ("a type that does not exist", lambda template: template["Resources"].update(Broken={"Type": "AWS::Lambda::Functions"}), "no type"),
    ("too many resources", adding("Resources", 500, lambda: {"Type": "AWS::SQS::Queue", "Properties": {}}), "at most 500"),
    ("too many parameters", adding("Parameters", 200, lambda: {"Type": "String", "Default": ""}), "200 (CloudFormation"),
    ("too many outputs", adding("Outputs", 200, lambda: {"Value": "one"}), "outputs, at most 200"),
    ("a template that is too large", lambda template: template.update(Metadata={"Broken": "x" * 1_000_001}), "at most 1000000"),
    ("a long name of a function", setting(FUNCTION, lambda one: one.update(FunctionName="x" * 65)), "name of a function"),
    ("a long name of a role", setting(ROLE, lambda one: one.update(RoleName="x" * 65)), "name of a role"),
    ("a long name of an alarm", setting(ALARM, lambda one: one.update(AlarmName="x" * 256)), "name of an alarm"),
    ("a long name of a table", setting(TABLE, lambda one: one.update(TableName="x" * 256)), "name of a table"),
    ("a large environment", setting(FUNCTION, lambda one: one.update(Environment={"Variables": {"BROKEN": "x" * 4096}})), "environment of a function"),
    ("many managed policies", setting(ROLE, lambda one: one.update(ManagedPolicyArns=["arn:aws:iam::aws:policy/AWSLambda_FullAccess"] * 11)), "managed policies of a role"),
    ("large inline policies", setting(ROLE, lambda one: one.update(Policies=[{"PolicyName": "p", "PolicyDocument": statements(150)}])), "inline policies"),
    ("a large managed policy", setting("AWS::IAM::ManagedPolicy", lambda one: one.update(PolicyDocument=statements(90)), lambda one: "Roles" not in one), "of a managed policy"),
    ("many metrics of an alarm", setting(ALARM, lambda one: one.update(Metrics=metrics(11)), lambda one: "Metrics" in one), "metrics of an alarm"),
    ("many routes", setting("AWS::ApiGatewayV2::Api", lambda one: one["Body"]["paths"].update({f"/{path}": {"get": {}} for path in range(300)})), "routes of an API"),
    ("many alarms of a deployment group", setting("AWS::CodeDeploy::DeploymentGroup", lambda one: one.update(AlarmConfiguration={"Alarms": [{"Name": f"a{name}"} for name in range(11)]})), "alarms of a deployment group"),
    ("many widgets", setting("AWS::CloudWatch::Dashboard", lambda one: one.update(DashboardBody=json.dumps({"widgets": [{"type": "text", "properties": {}}] * 501}))), "widgets of a dashboard"),
    ("a long name of a log group", setting("AWS::Logs::LogGroup", lambda one: one.update(LogGroupName="x" * 513)), "log group"),
]


def found_in_broken_copies(source, template, schemas):
    """What is broken and not found."""
    missed = []
    for name, change, expected in BROKEN:
        copy = json.loads(json.dumps(template))
        change(copy)
        problems, _, _ = judge(BASE, source, copy, schemas)
        if not any(expected in problem for problem in problems):
            missed.append(f"{name}: {problems[:2]}")
    return missed


def main(paths):
    # The SAM translator warns about its own metrics.
    logging.disable(logging.WARNING)
    schemas, failures = Schemas(), 0

    def check(truth, name, figure):
        nonlocal failures
        failures += not truth
        print(f"{'ok ' if truth else 'FAILED '} schemas {name} {figure}", flush=True)

    largest, over = None, {}
    for path in map(Path, paths):
        source, template = read(path)
        problems, measured, number = judge(stack(path), source, template, schemas)
        of_files(measured)
        of_import(measured, path)
        problems = sorted({*problems, *measured.problems()})
        for quota in filter(measured.is_over, KNOWN):
            over[quota] = max(over.get(quota, 0), measured.highest[quota][0])
        check(not problems, path.name, "; ".join(problems[:20]) or f"{number} resources in two variants; nearest quotas: {measured.nearest()}")
        if largest is None or len(template["Resources"]) > len(largest[1]["Resources"]):
            largest = source, template
    for quota, reason in KNOWN.items():
        check(quota in over, "known", f"{over.get(quota)} {quota}: {reason}" if quota in over else f"{quota}: is not over any more; remove it from KNOWN")
    missed = found_in_broken_copies(*largest, schemas)
    check(not missed, "broken copies", "; ".join(missed) or f"{len(BROKEN)} of {len(BROKEN)} are found")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
