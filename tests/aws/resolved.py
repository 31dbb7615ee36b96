"""The resources of a transformed template as CloudFormation makes them: with the values of the parameters, and with names and ARNs that
are as long as those of a real account."""

import json
import re

ACCOUNT = "123456789012"
# The longest names of regions have 14 characters.
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "ap-southeast-3",
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": f"arn:aws:cloudformation:ap-southeast-3:{ACCOUNT}:stack/latchkey-production/12345678-1234-1234-1234-123456789012",
}
# What CloudFormation adds to a name that it makes itself.
SUFFIX = "-1A2B3C4D5E6F"
# The longest name that CloudFormation makes for a resource of a type.
LONGEST_NAME = {"AWS::Lambda::Function": 64, "AWS::IAM::Role": 64, "AWS::Events::Archive": 48, "AWS::Events::Rule": 64, "AWS::SQS::Queue": 80}
# The property with the name of a resource, where a template can set it.
NAMES = {
    "AWS::ApiGatewayV2::DomainName": "DomainName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::CodeDeploy::Application": "ApplicationName",
    "AWS::CodeDeploy::DeploymentGroup": "DeploymentGroupName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Archive": "ArchiveName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Alias": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::SES::ConfigurationSet": "Name",
    "AWS::SQS::Queue": "QueueName",
}
# The service and the resource in the ARN of a type.
ARNS = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:{}"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/{}"),
    "AWS::Events::Archive": ("events", "archive/{}"),
    "AWS::Events::EventBus": ("events", "event-bus/{}"),
    "AWS::Events::Rule": ("events", "rule/latchkey-production-events/{}"),
    "AWS::IAM::ManagedPolicy": ("iam", "policy/{}"),
    "AWS::IAM::Role": ("iam", "role/{}"),
    "AWS::Lambda::Function": ("lambda", "function:{}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "secret:{}-AbCdEf"),
    "AWS::SQS::Queue": ("sqs", "{}"),
}
# The types whose Ref is the ARN.
REF_IS_ARN = {"AWS::IAM::ManagedPolicy", "AWS::SecretsManager::Secret"}
# The types whose Ref is an id that the service makes.
IDS = {"AWS::ApiGatewayV2::Api": "a1b2c3d4e5", "AWS::ApiGatewayV2::Stage": "$default"}
# Stands for AWS::NoValue.
ABSENT = object()


class Resolver:
    def __init__(self, template, stack, given):
        """`given` has values of parameters instead of their defaults."""
        self.template, self.stack = template, stack
        self.resources = template["Resources"]
        self.parameters = {name: given.get(name, one.get("Default")) for name, one in template.get("Parameters", {}).items()}

    def made(self):
        """The resources that the stack gets: {logical id: (type, properties)}."""
        found = {}
        for name, resource in self.resources.items():
            if "Condition" not in resource or self.holds({"Condition": resource["Condition"]}):
                found[name] = (resource["Type"], self.value(resource.get("Properties", {})))
        return found

    def outputs(self):
        return {
            name: self.value(output["Value"])
            for name, output in self.template.get("Outputs", {}).items()
            if "Condition" not in output or self.holds({"Condition": output["Condition"]})
        }

    def name(self, logical):
        """The physical name of a resource."""
        resource = self.resources[logical]
        kind, properties = resource["Type"], resource.get("Properties", {})
        own = properties.get(NAMES.get(kind))
        if own is not None:
            return self.value(own)
        longest = LONGEST_NAME.get(kind, 255)
        room = longest - len(SUFFIX)
        # CloudFormation shortens the name of the stack and the logical id; here, they take what there is.
        return f"{self.stack}-{logical}"[:room] + SUFFIX

    def arn(self, logical):
        kind = self.resources[logical]["Type"]
        service, form = ARNS[kind]
        region = "" if service == "iam" else PSEUDO["AWS::Region"]
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{form.format(self.name(logical))}"

    def reference(self, name):
        if name == "AWS::NoValue":
            return ABSENT
        if name == "AWS::StackName":
            return self.stack
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        kind = self.resources[name]["Type"]
        if kind in IDS:
            return IDS[kind]
        if kind in REF_IS_ARN:
            return self.arn(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{PSEUDO['AWS::Region']}.amazonaws.com/{ACCOUNT}/{self.name(name)}"
        if kind == "AWS::Lambda::Alias":
            alias = self.resources[name]["Properties"]
            return f"{self.arn(alias['FunctionName']['Ref'])}:{alias['Name']}"
        return self.name(name)

    def attribute(self, logical, attribute):
        kind = self.resources[logical]["Type"]
        if attribute == "Arn":
            return self.arn(logical)
        if (kind, attribute) == ("AWS::DynamoDB::Table", "StreamArn"):
            return f"{self.arn(logical)}/stream/2026-01-01T00:00:00.000"
        if (kind, attribute) == ("AWS::SQS::Queue", "QueueName"):
            return self.name(logical)
        if (kind, attribute) == ("AWS::Lambda::Version", "Version"):
            return "12345"
        if (kind, attribute) == ("AWS::ApiGatewayV2::DomainName", "RegionalDomainName"):
            return f"d-a1b2c3d4e5.execute-api.{PSEUDO['AWS::Region']}.amazonaws.com"
        raise ValueError(f"the attribute {attribute} of {kind} is unknown here; add it to resolved.py")

    def substitute(self, argument):
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def replaced(found):
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return str(self.value(own[name]))
            logical, _, attribute = name.partition(".")
            return str(self.attribute(logical, attribute) if attribute else self.reference(logical))

        return re.sub(r"\$\{([^}]+)\}", replaced, text)

    def holds(self, condition):
        (kind, argument), = condition.items()
        if kind == "Condition":
            return self.holds(self.template["Conditions"][argument])
        if kind == "Fn::Not":
            return not self.holds(argument[0])
        if kind in ("Fn::And", "Fn::Or"):
            return (all if kind == "Fn::And" else any)(self.holds(one) for one in argument)
        if kind == "Fn::Equals":
            one, other = (self.value(value) for value in argument)
            return str(one) == str(other)
        raise ValueError(f"the condition {kind} is unknown here; add it to resolved.py")

    def value(self, value):
        if isinstance(value, list):
            return [item for item in map(self.value, value) if item is not ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (kind, argument), = value.items()
            if kind == "Ref":
                return self.reference(argument)
            if kind.startswith("Fn::"):
                return self.function(kind, argument)
        resolved = {name: self.value(inner) for name, inner in value.items()}
        return {name: inner for name, inner in resolved.items() if inner is not ABSENT}

    def function(self, kind, argument):
        if kind == "Fn::Sub":
            return self.substitute(argument)
        if kind == "Fn::GetAtt":
            return self.attribute(*(argument if isinstance(argument, list) else argument.split(".", 1)))
        if kind == "Fn::If":
            condition, if_true, if_false = argument
            return self.value(if_true if self.holds({"Condition": condition}) else if_false)
        if kind == "Fn::Split":
            return self.value(argument[1]).split(argument[0])
        if kind == "Fn::Join":
            return argument[0].join(str(one) for one in self.value(argument[1]))
        if kind == "Fn::Select":
            return self.value(argument[1])[int(self.value(argument[0]))]
        if kind == "Fn::ImportValue":
            # The stack of the functions imports the stream of the outbox.
            return f"arn:aws:dynamodb:{PSEUDO['AWS::Region']}:{ACCOUNT}:table/latchkey-production-Outbox/stream/2026-01-01T00:00:00.000"
        raise ValueError(f"the function {kind} is unknown here; add it to resolved.py")


def compact(document):
    """The JSON of a document without white space, which IAM does not count."""
    return json.dumps(document, separators=(",", ":"))
