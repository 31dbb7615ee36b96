"""Reads template.yaml: the functions with their binaries and routes, and the values of intrinsic functions."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "latchkey",
}
# The value of OTP_KEY_RING and of the TOKEN_KEY_RING_… variables where there is no Secrets Manager.
RING = '{"v1":{"key":"a key for tests alone, of 32 bytes or more","stage":"AWSCURRENT"}}'


class Loader(yaml.CSafeLoader):
    """Reads YAML and turns CloudFormation's short forms (!Ref) into the long ones."""


def intrinsic(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", intrinsic)


def load(path=ROOT / "template.yaml"):
    return yaml.load(Path(path).read_text(), Loader)


def functions(template):
    """The functions: binary -> (logical id, properties)."""
    found = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = resource["Metadata"]["BuildProperties"]["Binary"]
            found[binary] = (name, resource["Properties"])
    return found


def routes(template):
    """The routes: (method, path, binary). The default route is ("ANY", "$default", binary)."""
    for binary, (_, properties) in functions(template).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                event = event.get("Properties", {})
                yield event.get("Method", "ANY").upper(), event.get("Path", "$default"), binary


def applies(template, condition):
    """Whether a condition holds with the defaults of the parameters."""
    if isinstance(condition, str):
        condition = template["Conditions"][condition]
    (name, argument), = condition.items()
    if name == "Condition":
        return applies(template, argument)
    if name == "Fn::And":
        return all(applies(template, one) for one in argument)
    if name == "Fn::Not":
        return not applies(template, argument[0])
    if name == "Fn::Equals":
        one, other = (resolve(template, value) for value in argument)
        return one == other
    raise ValueError(f"cannot evaluate {condition}")


def resolve(template, value):
    """The text of a value. A reference to a resource, or to an attribute of it, becomes the logical id of the resource."""
    if isinstance(value, (str, int, float)):
        return str(value)
    (name, argument), = value.items()
    if name == "Fn::GetAtt":
        return argument[0]
    if name == "Ref":
        if argument in PSEUDO:
            return PSEUDO[argument]
        if argument in template["Parameters"]:
            return str(template["Parameters"][argument]["Default"])
        return argument
    if name == "Fn::If":
        condition, if_true, if_false = argument
        return resolve(template, if_true if applies(template, condition) else if_false)
    if name == "Fn::Sub" and isinstance(argument, str):
        return re.sub(r"\$\{([^!}]+)\}", lambda found: resolve(template, {"Ref": found[1].removesuffix(".Arn")}), argument)
    raise ValueError(f"cannot resolve {value}")
