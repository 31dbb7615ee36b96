#!/usr/bin/env python3
"""Writes copies of the OpenAPI documents that generators of clients understand.

usage: simplify.py unions|plain FOLDER

`unions`, for openapi-typescript: a body of several forms (`anyOf` beside `properties`) becomes a union of complete
forms. Without this, the first form of the union would have no required field.

`plain`, for OpenAPI Generator, which merges the forms of a body and then requires the fields of all of them:
- A body of several forms has the fields of all forms. What every form requires is required.
- A value that may be null or empty is a value that may be null: `anyOf` and `enum` lose `""` and `null`.
- A value that may be a text or a number is a text.
- A body has one media type, JSON if it is among them.
- A field that may be anything has the type that clients send. A list that is always empty is one of texts.
- Answers that refuse have no schema: these clients raise an error that has the status and the body as text.
- Operations have the name of the contract as tag, which generators make the name of the class of.
- A code of type `number` is an `integer`, which has no fraction and no exponent in any language.
- Schemas with names that clients use for other things have other names.
- Answers have no links: OpenAPI Generator reads only texts as the bodies of links.
- Cookies are no security schemes: the cookie jar of the HTTP client keeps the session.
The documents of the repository stay as they are, and they are right for validation.
"""

import json
import pathlib
import sys

DOCUMENTS = pathlib.Path(__file__).parents[3] / "shared/docs/openapi"
# Kotlin's clients have a class `Success` of their own.
RENAMED = {"Success": "SuccessAnswer"}
# What clients send where the API takes anything.
SENT = {
    "all": {"type": "boolean"},
    "remember_me": {"type": "boolean"},
    "referralID": {"type": "string"},
}
METHODS = ("get", "put", "post", "delete", "patch")


def merged(form, schema):
    """One form of a body, with the fields that all forms have."""
    fields = {**schema["properties"]}
    for name, narrower in form.get("properties", {}).items():
        fields[name] = {**{k: v for k, v in fields.get(name, {}).items() if k == "description"}, **narrower}
    required = [*schema.get("required", []), *form.get("required", [])]
    return {"type": "object", "properties": fields, "required": [*dict.fromkeys(required)]}


def unions(value):
    """Replaces `anyOf` beside `properties` by complete forms."""
    if isinstance(value, list):
        return [unions(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: unions(item) for name, item in value.items()}
    if "anyOf" in value and "properties" in value:
        rest = {name: item for name, item in value.items() if name in ("description", "title")}
        return {**rest, "anyOf": [merged(form, value) for form in value["anyOf"]]}
    return value


def is_empty(schema):
    return schema.get("type") == "null" or schema.get("enum") in (["", None], [None], [""])


def nullable(schema):
    """The schema, or null. References stay what they are: generators make optional fields of both."""
    kind = schema.get("type")
    return {**schema, "type": [kind, "null"]} if isinstance(kind, str) else schema


def plain(schema, document):
    """A schema without `anyOf`."""
    if isinstance(schema, list):
        return [plain(item, document) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref", "").startswith("#"):
        prefix, name = schema["$ref"].rsplit("/", 1)
        return {"$ref": f"{prefix}/{RENAMED.get(name, name)}"}
    schema = {name: plain(item, document) for name, item in schema.items()}
    if schema.get("type") == "array" and "items" not in schema:
        return {**schema, "items": {"type": "string"}}
    if schema.get("type") == "object" or "properties" in schema:
        return fields(schema)
    if "enum" in schema and None in schema["enum"]:
        values = [item for item in schema["enum"] if item not in ("", None)]
        return {**schema, "type": ["string", "null"], "enum": values}
    if "anyOf" in schema:
        return choice(schema, document)
    return schema


def fields(schema):
    """An object with the fields of all its forms."""
    forms = schema.pop("anyOf", None)
    if forms is None:
        return schema
    always = set.intersection(*(set(form.get("required", [])) for form in forms))
    required = [*schema.get("required", []), *sorted(always)]
    schema.pop("required", None)
    return {**schema, "required": [*dict.fromkeys(required)]} if required else schema


def choice(schema, document):
    """The one form of a value that clients use."""
    about = {name: item for name, item in schema.items() if name == "description"}
    choices = [item for item in schema["anyOf"] if not is_empty(item)]
    resolved = [resolve(item, document) for item in choices]
    may_be_null = len(choices) < len(schema["anyOf"]) or "null" in schema.get("type", [])
    texts = [item for item in resolved if item.get("type") == "string"]
    if len(choices) == 1:
        found = {**choices[0], **about}
    elif texts:
        found = {"type": "string", **about} if len(texts) > 1 else {**texts[0], **about}
    else:
        sys.exit(f"no generator has a type for {schema}")
    return nullable(found) if may_be_null else found


def resolve(schema, document):
    """The schema that a reference leads to."""
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rsplit("/", 1)[1]
    original = {new: old for old, new in RENAMED.items()}.get(name, name)
    return document["components"]["schemas"][original]


def one_media_type(content):
    media = "application/json" if "application/json" in content else next(iter(content))
    return {media: {"schema": content[media]["schema"]}}


def simple(document, contract):
    schemes = document["components"].get("securitySchemes", {})
    cookies = {name for name, scheme in schemes.items() if scheme.get("in") == "cookie"}
    for path in document["paths"].values():
        for operation in (path[method] for method in METHODS if method in path):
            operation["tags"] = [contract]
            for needed in operation.get("security", []):
                for name in cookies & needed.keys():
                    del needed[name]
            for status, answer in operation["responses"].items():
                answer.pop("links", None)
                if status >= "400":
                    answer.pop("content", None)
            for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
                if "content" in part:
                    part["content"] = one_media_type(part["content"])
            for media in operation.get("requestBody", {}).get("content", {}).values():
                media["schema"] = sent(plain(media["schema"], document))
    document["components"]["securitySchemes"] = {n: s for n, s in schemes.items() if n not in cookies}
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: schemas[name] for name in sorted(used(document["paths"], schemas))}
    copy = plain(document, document)
    schemas = copy["components"]["schemas"]
    copy["components"]["schemas"] = {RENAMED.get(name, name): schema for name, schema in schemas.items()}
    return copy


def used(value, schemas):
    """The names of the schemas that a part of a document leads to."""
    if isinstance(value, list):
        return set().union(*(used(item, schemas) for item in value))
    if not isinstance(value, dict):
        return set()
    if isinstance(value.get("$ref"), str):
        name = value["$ref"].rsplit("/", 1)[1]
        return {name} | used(schemas[name], schemas)
    return set().union(*(used(item, schemas) for item in value.values()))


def sent(schema):
    """A body with the types that clients send."""
    properties = schema["properties"]
    for name, field in properties.items():
        if field.get("type") == "number":
            properties[name] = {**field, "type": "integer"}
        elif field.get("const") is True:
            properties[name] = {"type": "boolean", "description": field.get("description", "")}
        elif not {"type", "$ref"} & field.keys():
            if name not in SENT:
                sys.exit(f"{name} has no type: add what clients send to SENT of {__file__}")
            properties[name] = {**field, **SENT[name]}
    return schema


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("unions", "plain"):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(DOCUMENTS.glob("*.json")):
        document = json.loads(path.read_text())
        simplified = unions(document) if sys.argv[1] == "unions" else simple(document, path.stem)
        (folder / path.name).write_text(json.dumps(simplified, indent=1) + "\n")


if __name__ == "__main__":
    main()
