#!/usr/bin/env python3
"""Checks generated clients: each operation has its method, and a parser reads the files of Swift and Dart.

usage: check.py LANGUAGE FOLDER     kotlin · swift · dart; FOLDER has a folder for each contract
"""

import json
import pathlib
import re
import sys

DOCUMENTS = pathlib.Path(__file__).parents[3] / "shared/docs/openapi"
METHOD = {"kotlin": r"\bfun {}\(", "swift": r"\bfunc {}\(", "dart": r"^  Future<.*> {}\("}
ENDING = {"kotlin": "*.kt", "swift": "*.swift", "dart": "*.dart"}


def grammar(language):
    """The parser of a language. Kotlin has a compiler here."""
    import tree_sitter

    if language == "swift":
        import tree_sitter_swift as module
    else:
        import tree_sitter_dart as module
    return tree_sitter.Parser(tree_sitter.Language(module.language()))


def errors(node):
    """The places of the nodes that the parser does not understand."""
    if node.is_error or node.is_missing:
        return [node.start_point]
    return [place for child in node.children if child.has_error for place in errors(child)]


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in METHOD:
        sys.exit(__doc__)
    language, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    problems, parsed, methods = [], 0, 0
    parser = grammar(language) if language != "kotlin" else None
    for document in sorted(DOCUMENTS.glob("*.json")):
        files = sorted((folder / document.stem).rglob(ENDING[language]))
        text = "\n".join(file.read_text() for file in files)
        for path in json.loads(document.read_text())["paths"].values():
            for operation in path.values():
                methods += 1
                if not re.search(METHOD[language].format(operation["operationId"]), text, re.MULTILINE):
                    problems.append(f"{document.stem}: no method {operation['operationId']}")
        for file in files if parser else []:
            # The text is the same for every API. The grammar does not know `() as! T` in it.
            if file.name == "URLSessionImplementations.swift":
                continue
            parsed += 1
            tree = parser.parse(file.read_bytes())
            if tree.root_node.has_error:
                problems.append(f"{file}: {errors(tree.root_node)}")
    print(*problems, sep="\n", end="\n" if problems else "")
    if problems:
        sys.exit(f"{language}: {len(problems)} problems")
    print(f"ok  {language}: {methods} operations have their methods" + (f", {parsed} files parsed" if parser else ""))


if __name__ == "__main__":
    main()
