"""Python environments of rivals: each has one of its own in .rivals/, so that Cekal's dependencies stay its own."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.processes import ROOT

RIVALS: Final = ROOT / ".rivals"
_LONGEST_INSTALL: Final = 900
"""Seconds after which an installation is given up: an index that does not answer must not hold the report."""


class RivalMissing(Exception):
    """A rival can't be installed here; the message holds the end of what pip said."""


def rival_programs(name: str, needed: Sequence[str], place: Path = RIVALS) -> Path:
    """The folder with the programs of a rival, which is installed from the package index the first time.

    Args:
        name: names the rival's environment.
        needed: the packages that the environment gets, with their versions, as pip takes them.
        place: where the environments of all rivals are.

    Raises:
        RivalMissing: it can't be installed here.
    """
    home = place / name
    if not home.exists():
        print(f"Making the environment {place.name}/{name} ...", file=sys.stderr)
        try:
            _install(home, needed)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)  # half an environment would be taken for a whole one
            raise
    return home / "bin"


def _install(home: Path, needed: Sequence[str]) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(home), "install", "-q"]
    try:
        venv.create(home, symlinks=True)
        subprocess.run([*pip, *needed], check=True, capture_output=True, text=True, timeout=_LONGEST_INSTALL)
    except subprocess.CalledProcessError as error:
        raise RivalMissing(error.stderr.strip()[-300:]) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise RivalMissing(str(error)) from error
