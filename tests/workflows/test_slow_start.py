"""Several processes that start slowly, as on a small machine: the one that watches them lets them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.cli import ROOT, environment
from tests.support.running import Running

_SLOW_CHILDREN = """
import sys, time
if "spawn_main" in " ".join(sys.orig_argv):
    with open({births!r}, "a") as births:
        births.write("born\\n")
    time.sleep(7)
"""


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
def test_processes_that_import_for_longer_than_a_health_check_are_not_killed(
    settings: Settings, tmp_path: Path
) -> None:
    births = tmp_path / "births"
    (tmp_path / "sitecustomize.py").write_text(_SLOW_CHILDREN.format(births=str(births)))
    log = tmp_path / "service.log"
    surroundings = environment(database_url=settings.url)
    surroundings["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(ROOT)])
    with log.open("wb") as sink:
        service = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--workers", "2"],
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    try:
        watched = Running(service, log)
        until = time.monotonic() + 60
        while [each["message"] for each in watched.lines()].count("ready") < 2:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        time.sleep(1)
        assert births.read_text().count("born") == 2
        assert watched.end() == 0
    finally:
        if service.poll() is None:
            service.terminate()
            service.wait(30)
