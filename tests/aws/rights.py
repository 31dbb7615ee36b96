"""Compares the rights that template.yaml grants each function with the rights that its calls needed in the acceptance tests.

usage: rights.py FOLDER [ACTION …]     FOLDER: where the acceptance tests recorded the needed rights (LATCHKEY_RIGHTS=FOLDER)
                                       ACTION: an action of a service that the tests did not have, so it may be unused;
                                               '*': all, because only some of the tests ran

missing: a call that no statement allows, or that a statement denies
unused:  an action on a resource that a statement allows and that no recorded call depends on

A statement whose Sid begins with PreviousVersion may be unused. While a deployment shifts the traffic, the version before
still runs with the same role, so a right leaves the template one release after the code that needed it.

A managed policy with Roles grants rights to the functions of these roles, each of which may need only some of them; a right is
unused if none of them needs it. Its statements about a parameter, such as a secret that an operator makes, are not checked.

The right to describe a secret may be unused where the function read its value. A function describes it only when something
names a key that is not the current one, and when its copy of the key ring is old; not every function does so in the tests.
"""

import fnmatch
import json
import sys
from collections import Counter
from pathlib import Path

from template import functions, load, resolve

SHARED = "several"
# What tests call a table that they want to be missing.
NO_TABLE = "absent"
DESCRIBE_SECRET = "secretsmanager:DescribeSecret"
READ_SECRET = "secretsmanager:GetSecretValue"


def listed(value):
    return value if isinstance(value, list) else [value]


def conditions(template, statement, where):
    """The conditions of a statement: (operator, key, values)."""
    found = []
    for operator, keys in statement.get("Condition", {}).items():
        if operator not in ("StringEquals", "ForAllValues:StringEquals"):
            raise SystemExit(f"{where}: this script does not understand the condition {operator}")
        for key, values in keys.items():
            found.append((operator, key, [resolve(template, value) for value in listed(values)]))
    return found


def statements(template, binary, properties):
    """The statements of a function's policies, whether written in place or in a managed policy of the template."""
    for policy in listed(properties.get("Policies", [])):
        document = policy
        if isinstance(policy, dict) and "Ref" in policy:
            managed = template["Resources"].get(policy["Ref"], {})
            # With Roles, Groups or Users, a managed policy would grant rights to more than those that refer to it.
            if managed.get("Type") == "AWS::IAM::ManagedPolicy" and set(managed["Properties"]) <= {"Description", "PolicyDocument"}:
                document = managed["Properties"]["PolicyDocument"]
        if not isinstance(document, dict) or "Statement" not in document:
            raise SystemExit(f"{binary}: this script does not understand the policy {policy}")
        yield from listed(document["Statement"])


def shared_statements(template, logical_id):
    """The statements of the managed policies that name the role of a function."""
    for policy in template["Resources"].values():
        if policy["Type"] == "AWS::IAM::ManagedPolicy" and {"Ref": f"{logical_id}Role"} in policy["Properties"].get("Roles", []):
            for statement in listed(policy["Properties"]["PolicyDocument"]["Statement"]):
                resource = statement["Resource"]
                if not (isinstance(resource, dict) and resource.get("Ref") in template["Parameters"]):
                    yield statement


def grants(template, binary, logical_id, properties):
    """The rights of a function: one for each statement, action and resource."""
    own = [(binary, statement) for statement in statements(template, binary, properties)]
    for owner, statement in own + [(SHARED, statement) for statement in shared_statements(template, logical_id)]:
        where = f"{owner} {statement['Sid']}"
        unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
        if unknown:
            raise SystemExit(f"{where}: this script does not understand {sorted(unknown)}")
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield {
                    "where": where,
                    "effect": statement["Effect"],
                    "action": action,
                    "resource": resolve(template, resource),
                    "conditions": conditions(template, statement, where),
                }


def holds(condition, context):
    """Whether a condition is met by the context of a call, as IAM evaluates it."""
    operator, key, values = condition
    actual = context.get(key, [])
    if operator == "ForAllValues:StringEquals":
        return all(value in values for value in actual)
    return len(actual) == 1 and actual[0] in values


def covers(grant, need):
    return (
        fnmatch.fnmatchcase(need["action"], grant["action"])
        and fnmatch.fnmatchcase(need["resource"], grant["resource"])
        and all(holds(condition, need["context"]) for condition in grant["conditions"])
    )


def show(grant):
    under = "".join(f" if {key} is {' or '.join(values)}" for _, key, values in grant["conditions"])
    return f"{grant['where']}: {grant['action']} on {grant['resource']}{under}"


def main(folder, absent):
    template = load()
    needs = {}
    for file in Path(folder).glob("*.jsonl"):
        for line in file.read_text().splitlines():
            need = json.loads(line)
            if need["resource"] == NO_TABLE:
                continue
            needs.setdefault(need["function"], {})[line] = need
    problems, granted, needed = [], 0, Counter()
    shared, used = set(), set()
    for function in needs.keys() - functions(template).keys():
        problems.append(f"missing {function}: template.yaml has no such function")
    for binary, (logical_id, properties) in functions(template).items():
        all_grants = list(grants(template, binary, logical_id, properties))
        allows = [grant for grant in all_grants if grant["effect"] == "Allow"]
        denies = [grant for grant in all_grants if grant["effect"] == "Deny"]
        indispensable = set()
        for need in needs.get(binary, {}).values():
            needed[binary, need["action"], need["resource"]] += 1
            covering = [index for index, grant in enumerate(allows) if covers(grant, need)]
            own = [index for index in covering if allows[index]["where"].split()[0] != SHARED]
            used.update(show(allows[index]) for index in covering if not own)
            allowing = own or covering
            if not allowing or any(covers(grant, need) for grant in denies):
                problems.append(f"missing {binary}: {need['action']} on {need['resource']} {need['context'] or ''}")
            if len(allowing) == 1:
                indispensable.update(allowing)
        granted += len(allows)
        read = {grant["resource"] for index, grant in enumerate(allows) if index in indispensable and grant["action"] == READ_SECRET}
        for index, grant in enumerate(allows):
            kept = grant["where"].split()[1].startswith("PreviousVersion")
            kept = kept or (grant["action"] == DESCRIBE_SECRET and grant["resource"] in read)
            if grant["where"].split()[0] == SHARED:
                shared.add(show(grant))
                continue
            if index not in indispensable and not kept and not absent & {grant["action"], "*"}:
                problems.append(f"unused  {show(grant)}")
    problems += [f"unused  {grant}" for grant in shared - used if "*" not in absent]
    problems = sorted(set(problems))
    for problem in problems:
        print(f"FAILED  rights {problem}")
    count = Counter(problem.split()[0] for problem in problems)
    print(
        f"{'FAILED ' if problems else 'ok '} rights {len(functions(template))} functions, {granted} granted, {len(needed)} needed,"
        f" missing {count['missing']}, unused {count['unused']}"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], set(sys.argv[2:])))
