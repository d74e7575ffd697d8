"""Earlier releases of the service, run from the history of this repository."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import LONGEST, ROOT, environment


@dataclass(frozen=True, slots=True)
class Release:
    """The program of a release.

    Attributes:
        root: the folder in which `app` and `migrations` are.
    """

    root: Path

    def run(self, *arguments: object, **settings: object) -> str:
        """What a `cekal` command of this release prints.

        Raises:
            AssertionError: it failed.
        """
        given = {**environment(**settings), "PYTHONPATH": str(self.root)}
        command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
        done = subprocess.run(
            command, env=given, cwd=self.root, capture_output=True, text=True, timeout=LONGEST, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def key(self, *options: object, **settings: object) -> str:
        """The key of a new client, made by `cekal client create` with these options."""
        made: dict[str, Any] = json.loads(self.run("client", "create", "--json", *options, **settings))
        return str(made["key"])


PRESENT = Release(ROOT)


def release(commit: str, folder: Path) -> Release:
    """The release of a commit, extracted into a folder; the test is skipped where the history lacks it."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    made = subprocess.run(
        ["git", "archive", commit, "app", "migrations"], cwd=ROOT, capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(
            f"commit {commit} is not in this clone: it needs the whole history (git fetch --unshallow)"
        )
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return Release(folder)
