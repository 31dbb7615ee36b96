"""Checks the output of sam build: every function exists, loads on Amazon Linux 2023, and unwinds when it panics.

usage: build.py BUILD     BUILD: the folder .aws-sam/build; prints one line per check
"""

import re
import subprocess
import sys
from pathlib import Path

import template as project
from archive import archive

# The version of glibc on Amazon Linux 2023.
NEWEST = (2, 34)
# The exit status of a Rust program after a panic that unwound. A panic that does not unwind ends the program by a signal.
PANICKED = 101
# The largest archive that Lambda accepts in one upload, in bytes.
LARGEST = 50_000_000


def glibc(bootstrap):
    """The newest version of glibc that a program needs."""
    symbols = subprocess.run(["objdump", "-T", bootstrap], capture_output=True, text=True, check=True).stdout
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_([0-9.]+)", symbols)}
    return max(versions)


def panic(bootstrap, variables):
    """Starts a function without the variables of Lambda itself, so that lambda_runtime panics."""
    return subprocess.run([bootstrap], env=variables, capture_output=True, text=True, timeout=60)


def variables(template, properties):
    """The environment of a function, with key rings in plain text and an AWS endpoint that does not answer."""
    merged = {**template["Globals"]["Function"]["Environment"]["Variables"]}
    merged.update(properties.get("Environment", {}).get("Variables", {}))
    found = {name: project.resolve(template, value) for name, value in merged.items()}
    found.update({name: project.RING for name in found if "_KEY_RING" in name})
    found.update(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_ENDPOINT_URL_DYNAMODB="", AWS_REGION="us-east-1")
    found.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")
    return found


def main(build):
    template = project.load()
    built = project.functions(project.load(build / "template.yaml"))
    failures = []

    def check(truth, name, binary, figure):
        print(f"{'ok ' if truth else 'FAILED '} {name} {binary} {figure}", flush=True)
        if not truth:
            failures.append(name)

    total = 0
    for binary, (name, properties) in sorted(project.functions(template).items()):
        bootstrap = build / built[binary][1]["CodeUri"] / "bootstrap" if binary in built else build / name
        check(bootstrap.is_file(), "built", binary, bootstrap.parent.name)
        if not bootstrap.is_file():
            continue
        version = glibc(bootstrap)
        check(version <= NEWEST, "glibc", binary, "GLIBC_" + ".".join(map(str, version)))
        ended = panic(bootstrap, variables(template, properties))
        unwound = ended.returncode == PANICKED and "panicked at" in ended.stderr
        check(unwound, "unwinds", binary, f"exit {ended.returncode}" + ("" if unwound else f": {ended.stderr[-300:]}"))
        size = archive(bootstrap).stat().st_size
        total += size
        check(size < LARGEST, "zip", binary, f"{size / 1e6:.2f} MB")
    print(f"ok  zip all {total / 1e6:.1f} MB", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
