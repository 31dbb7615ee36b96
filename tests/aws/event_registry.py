"""Checks that the schemas of shared/events.yaml are valid OpenAPI 3.0, and accept the same events as the documents that they are
made of: the recorded examples, and thousands of changes of them.

usage: event_registry.py     prints one line per check
"""

import copy
import json
import sys
from pathlib import Path

import jsonschema
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

sys.path.insert(0, str(Path(__file__).resolve().parent))
import template as project  # noqa: E402

DOCUMENTS = project.ROOT / "shared" / "docs" / "events"
# What a field is replaced by. A schema that lost a rule accepts one of them, or refuses one that it should accept.
VALUES = [None, True, False, 0, 1, 2, 3, -1, 1.5, 2**31, "", "a", "x" * 5000, "+85251234567", "2026-01-01T00:00:00.000Z", [], {}, ["a"]]


def registered():
    """The OpenAPI documents in the template: (source, detail type) -> document."""
    template = project.load(project.ROOT / "shared" / "events.yaml")
    found = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::EventSchemas::Schema":
            properties = resource["Properties"]
            source, kind = properties["SchemaName"].split("@")
            assert properties["Type"] == "OpenApi3", name
            found[source, kind] = json.loads(properties["Content"])
    return found


def changes(value):
    """Copies of an object, each with one change: a field removed, added, or replaced, at any depth."""
    yield {**value, "aFieldOfTomorrow": 1}
    for name, inner in value.items():
        yield {key: other for key, other in value.items() if key != name}
        for other in VALUES:
            yield {**value, name: copy.deepcopy(other)}
        if isinstance(inner, str) and inner:
            yield {**value, name: inner[:-1]}
            yield {**value, name: inner + "0"}
        if isinstance(inner, dict):
            for changed in changes(inner):
                yield {**value, name: changed}


def envelope(source, kind, detail):
    return {
        "version": "0", "id": "1", "detail-type": kind, "source": source, "account": "111122223333",
        "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [], "detail": detail,
    }  # fmt: skip


def main():
    examples = json.loads((DOCUMENTS / "examples.json").read_text())
    documents = {path.relative_to(DOCUMENTS).as_posix().removesuffix(".schema.json"): path for path in DOCUMENTS.glob("*/*.schema.json")}
    schemas = registered()
    assert len(schemas) == len(documents) == len(examples), (len(schemas), len(documents), len(examples))
    failures, tried, refused = [], 0, 0
    for (source, kind), openapi in schemas.items():
        errors = [error.message for error in OpenAPIV30SpecValidator(openapi).iter_errors()]
        whole = {"$ref": "#/components/schemas/AWSEvent", "components": openapi["components"]}
        names = [name for name in documents if name.endswith(f"/{kind}") and (name.split("/")[0] in (source.split(".")[0], "gotu"))]
        (name,) = names if len(names) == 1 else [name for name in names if not name.startswith("gotu/")]
        schema = json.loads(documents[name].read_text())
        document, converted = jsonschema.validators.validator_for(schema)(schema), OAS30Validator(whole)
        example = examples[name]
        if errors or not document.is_valid(example) or not converted.is_valid(envelope(source, kind, example)):
            failures.append(f"{name}: {errors or 'its example is refused'}")
            continue
        if converted.is_valid(envelope(source, "OTHER", example)) or converted.is_valid(envelope("other", kind, example)):
            failures.append(f"{name}: accepts another source or type")
        for changed in changes(example):
            tried += 1
            wanted = document.is_valid(changed)
            refused += not wanted
            if converted.is_valid(envelope(source, kind, changed)) != wanted:
                failures.append(f"{name}: {'refuses' if wanted else 'accepts'} {json.dumps(changed)[:300]}")
    for failure in failures:
        print(f"FAILED  event registry {failure}")
    if not failures:
        print(f"ok  event registry {len(schemas)} schemas equal their documents, {tried} changed events, {refused} of them refused")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
