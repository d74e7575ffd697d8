"""`cekal serve` in processes of its own, for what only processes show: signals, sudden death, neighbours."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from app.settings import Settings
from tests.support.clock import MORNING
from tests.support.databases import PEPPER
from tests.support.served import client_for

LONGEST = 30.0
"""Seconds that a busy machine may take to start or to end a process."""

ROOT = Path(__file__).parents[2]


class ProcessFailed(Exception):
    """A process did not become ready; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Process:
    """A running service.

    Attributes:
        http: a client for it whose answers are held against the OpenAPI document.
    """

    url: str
    http: httpx2.AsyncClient
    running: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it at once, as a power cut would: it gets to do nothing more."""
        self.running.send_signal(signal.SIGKILL)
        self.running.wait(LONGEST)

    def terminate(self) -> None:
        """Tell it to end."""
        self.running.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it did not end.
        """
        return await asyncio.to_thread(self.running.wait, LONGEST)


@asynccontextmanager
async def process(
    settings: Settings, folder: Path, *, port: int = 0, root: Path = ROOT, **given: str | None
) -> AsyncIterator[Process]:
    """A service of these settings' register for the block's length; it is killed at the end, if it still runs.

    Args:
        settings: where the register is.
        folder: a place for its clock, which stands at the hour when every test begins, and for its log.
        port: where it listens; 0 for any port that is free.
        root: the folder of the program; another one for another release.
        given: further settings, such as `heartbeat_seconds="0.5"`; None for one that is left out.
    """
    clock, log = folder / "clock", folder / "service.log"
    clock.write_text(MORNING.isoformat())
    port = port or free_port()
    requested = {
        "env": "test",
        "database_url": settings.url,
        "data_dir": str(folder),
        "key_pepper": PEPPER,
        "test_clock": str(clock),
        "poll_seconds": "0.1",
        "daily_drill": "false",
        **given,
    }
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(root),
        **{f"CEKAL_{name.upper()}": value for name, value in requested.items() if value is not None},
    }
    running = _started(["serve", "--port", str(port)], environment, log, root)
    url = f"http://127.0.0.1:{port}"
    try:
        async with client_for(url) as http:
            started = Process(url, http, running, log)
            await _ready(started)
            yield started
    finally:
        if running.poll() is None:
            running.kill()
            running.wait(LONGEST)


def _started(
    arguments: list[str], environment: dict[str, str], log: Path, root: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments],
            env=environment,
            cwd=root,  # Python looks there first
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )


async def _ready(started: Process) -> None:
    until = asyncio.get_running_loop().time() + LONGEST
    async with httpx2.AsyncClient(base_url=started.url, trust_env=False) as http:  # of any release
        while asyncio.get_running_loop().time() < until:
            if started.running.poll() is not None:
                break
            try:
                if (await http.get("/readyz")).status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.02)
    raise ProcessFailed(started.log.read_text(errors="replace"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
