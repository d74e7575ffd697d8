"""Verifying an entry's evidence file as a court's expert would: with what the file brings, and nothing of ours."""

import subprocess
import sys
import zipfile
from pathlib import Path


def verified(
    file: zipfile.ZipFile, folder: Path, policy: str | None = None
) -> subprocess.CompletedProcess[str]:
    """What the file's own programs say of the file, run away from all code of ours.

    Without a policy of the reader it is judged by its own, which shows only that it agrees with itself.
    """
    assert file.fp is not None
    file.fp.seek(0)
    (folder / "evidence.zip").write_bytes(file.fp.read())
    for name in ("verify.py", "verify_file.py"):
        (folder / name).write_bytes(file.read(name))
    (folder / "policy").write_text(file.read("ledger/policy").decode() if policy is None else policy)
    command = [sys.executable, "-E", "-s", "-W", "ignore", "verify_file.py", "policy", "evidence.zip"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
