"""Verifying an entry's evidence file as a court's expert would: with what the file brings, and nothing of ours."""

import subprocess
import sys
import zipfile
from pathlib import Path


def verified(file: zipfile.ZipFile, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the file's own program says of the file, run by a Python that sees no code of ours."""
    assert file.fp is not None
    file.fp.seek(0)
    (folder / "evidence.zip").write_bytes(file.fp.read())
    (folder / "verify.py").write_bytes(file.read("verify.py"))
    command = [sys.executable, "-I", "-S", "-W", "ignore", "verify.py", "evidence.zip"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
