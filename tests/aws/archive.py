"""The archive in which a function is deployed."""

import os
import tempfile
import zipfile
from pathlib import Path


def archive(bootstrap):
    """Writes the archive of a bootstrap, as sam package does, and returns its path. The archive is made once for each build and
    kept beside it, because every emulated account needs it."""
    file = bootstrap.parents[1].with_name("archives") / f"{bootstrap.parent.name}.zip"
    built = bootstrap.stat().st_mtime_ns
    if not file.exists() or file.stat().st_mtime_ns != built:
        file.parent.mkdir(exist_ok=True)
        # Processes may write it at the same time, so each writes a file of its own and then renames it.
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            written = Path(folder) / file.name
            with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.write(bootstrap, "bootstrap")
            os.utime(written, ns=(built, built))
            written.replace(file)
    return file
