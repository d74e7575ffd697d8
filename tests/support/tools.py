"""Others' tools, in environments of their own: what a package manager fetches, and what such a tool says."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import ROOT

CLIENTS = ROOT / "tests" / "clients"
DOCUMENT = ROOT / "docs" / "openapi.json"
EXAMPLES = ROOT / "docs" / "examples"
LONGEST = 300


def run(*command: object, cwd: Path, given: str | None = None, **environment: str) -> str:
    """What a command writes to its standard output; it must succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        input=given,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def fetched(what: str, *command: object, cwd: Path) -> None:
    """Let a package manager fetch what a lock file names; skip the test where it can't."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"{what} can't be fetched here: {done.stderr.strip().splitlines()[-1]}")
