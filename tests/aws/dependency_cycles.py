"""Checks that the transformed template fits into a stack, and that its resources do not depend on each other in a cycle, which
CloudFormation rejects. cfn-lint ignores cycles through a function, and the emulated account has no deployments.

usage: dependency_cycles.py [TEMPLATE…]     TEMPLATE: by default, the project's template.yaml; prints one line for each
"""

import graphlib
import os
import re
import sys
from pathlib import Path

from samtranslator.translator.transform import transform

import template as project


# The most resources of a stack (CloudFormation, quotas).
MOST = 500


def transformed(template):
    """The CloudFormation template that the SAM transform makes of the project's template."""
    for _, properties in project.functions(template).values():
        # sam package would write a location like this one.
        properties["CodeUri"] = {"Bucket": "packaged", "Key": "function"}
    os.environ.setdefault("AWS_DEFAULT_REGION", project.PSEUDO["AWS::Region"])
    return transform(template, {}, None)


def references(value):
    """The names of the resources and parameters that a value refers to."""
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
                yield from references(own)
            else:
                yield from references(argument)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def check(path):
    template = project.load(path)
    # A template without SAM's transform has no functions.
    resources = (transformed(template) if "Transform" in template else template)["Resources"]
    if len(resources) > MOST:
        print(f"FAILED  dependency cycles of {path.name}: {len(resources)} resources do not fit into a stack, which holds {MOST}")
        return 1
    needs = {name: {other for other in references(resource) if other in resources} for name, resource in resources.items()}
    try:
        order = tuple(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as error:
        print(f"FAILED  dependency cycles of {path.name}:", " needs ".join(reversed(error.args[1])))
        return 1
    print(f"ok  dependency cycles of {path.name} none among {len(order)} resources with {sum(map(len, needs.values()))} references")
    return 0


def main(*paths):
    return max(check(Path(path)) for path in paths or [project.ROOT / "template.yaml"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
