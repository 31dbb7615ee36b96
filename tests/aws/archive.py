"""The archive that a function is deployed as."""

import os
import tempfile
import zipfile
from pathlib import Path


def archive(bootstrap):
    """The bootstrap, deflated, as sam package makes it: the file. It is made once for each build, beside what was built, since
    every emulated account wants it."""
    file = bootstrap.parents[1].with_name("archives") / f"{bootstrap.parent.name}.zip"
    built = bootstrap.stat().st_mtime_ns
    if not file.exists() or file.stat().st_mtime_ns != built:
        file.parent.mkdir(exist_ok=True)
        # Several may make it at once: each takes its place whole.
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            made = Path(folder) / file.name
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.write(bootstrap, "bootstrap")
            os.utime(made, ns=(built, built))
            made.replace(file)
    return file
