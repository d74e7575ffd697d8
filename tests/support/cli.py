"""`cekal` as somebody at a terminal would run it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.databases import PEPPER, SIGNING_KEYS
from tests.support.postgres import programs_folder

ROOT = Path(__file__).parents[2]
LONGEST = 60.0
"""Seconds that a command may take on a busy machine."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


def environment(**settings: object) -> dict[str, str]:
    """An environment that holds nothing but these settings, such as `data_dir=tmp_path`.

    For a database that a test names the pepper and the signing keys of the templates are added, unless the test
    gives others.
    """
    if "database_url" in settings:
        settings = {"key_pepper": PEPPER, "signing_keys": os.environ[SIGNING_KEYS], **settings}
    return {
        "PATH": f"{programs_folder()}{os.pathsep}{os.defpath}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "COLUMNS": "100",
        **{f"CEKAL_{name.upper()}": str(value) for name, value in settings.items()},
    }


def started(*arguments: object, cwd: Path, **settings: object) -> subprocess.Popen[str]:
    """A command that runs in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        cwd=cwd,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def cekal(*arguments: object, cwd: Path, **settings: object) -> Told:
    """What a command says that is run in a folder; its process is gone afterwards."""
    return ended(started(*arguments, cwd=cwd, **settings))


def ended(running: subprocess.Popen[str], longest: float = LONGEST) -> Told:
    """What a running command has said once it has ended."""
    try:
        out, err = running.communicate(timeout=longest)
    except subprocess.TimeoutExpired:
        running.kill()
        out, err = running.communicate()
        raise AssertionError(f"It did not end.\n{out}\n{err}") from None
    return Told(running.returncode, out, err)
