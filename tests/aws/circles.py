"""Checks that CloudFormation finds an order for the resources that SAM makes of template.yaml. cfn-lint does not look at circles
that pass through a function, and the emulated account has neither aliases nor their deployments.

usage: circles.py [TEMPLATE]     TEMPLATE: template.yaml; prints one line
"""

import graphlib
import os
import re
import sys

from samtranslator.translator.transform import transform

import template as project


def transformed(template):
    for _, properties in project.functions(template).values():
        # What sam package would put there.
        properties["CodeUri"] = {"Bucket": "packaged", "Key": "function"}
    os.environ.setdefault("AWS_DEFAULT_REGION", project.PSEUDO["AWS::Region"])
    return transform(template, {}, None)


def named(value):
    """The names that a value refers to."""
    if isinstance(value, dict):
        for key, argument in value.items():
            if key in ("Ref", "DependsOn") and isinstance(argument, str):
                yield argument
            elif key == "DependsOn":
                yield from argument
            elif key == "Fn::GetAtt":
                yield (argument if isinstance(argument, list) else argument.split("."))[0]
            elif key == "Fn::Sub":
                text, *own = [argument] if isinstance(argument, str) else argument
                yield from re.findall(r"\$\{(\w+)", text)
                yield from named(own)
            else:
                yield from named(argument)
    elif isinstance(value, list):
        for item in value:
            yield from named(item)


def main(*path):
    resources = transformed(project.load(*path))["Resources"]
    needs = {name: {other for other in named(resource) if other in resources} for name, resource in resources.items()}
    try:
        order = tuple(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as error:
        print("FAILED  circles", " needs ".join(reversed(error.args[1])))
        return 1
    print(f"ok  no circle among {len(order)} resources, {sum(map(len, needs.values()))} references")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
