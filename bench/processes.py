"""Processes and their places: the server on one core, everything else on another, and what each of them uses."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent

_START_SECONDS = 120.0
_STOP_SECONDS = 10.0


class ServerFailed(Exception):
    """A server did not start; the message holds the end of what it said."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where processes run.

    Attributes:
        server: the cores of the server under test; one at a time is asked, so they never share it at work.
        others: the cores of the load generator and of PostgreSQL.
    """

    server: frozenset[int]
    others: frozenset[int]

    @property
    def apart(self) -> bool:
        """Whether server and load have cores of their own."""
        return self.server.isdisjoint(self.others)


def split_cores() -> Cores:
    """The first core for the server, the rest for everything else, which this process joins."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return Cores(frozenset(cores), frozenset(cores))
    split = Cores(frozenset(cores[:1]), frozenset(cores[1:]))
    os.sched_setaffinity(0, split.others)
    return split


def raise_file_limit(wanted: int) -> int:
    """Let this process and its children open so many files, as far as the machine allows; gives the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        with suppress(ValueError, OSError):  # only root may go beyond the hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
            return wanted
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and where it listens."""

    port: int
    process: psutil.Process

    def cpu(self) -> float:
        """CPU seconds used so far."""
        return used_by(self.process)

    def rss(self) -> float:
        """Resident memory now, in MB (10^6 bytes)."""
        return float(self.process.memory_info().rss) / 1e6


@contextmanager
def serving(app: str, name: str, folder: Path, cores: Cores, settings: Mapping[str, str]) -> Iterator[Server]:
    """Serve an application for the block's length by uvicorn: one process, uvloop, httptools, no access log.

    Args:
        app: `module:attribute`.
        name: names its log file.
        folder: where its standard error goes, as it would go to a file in earnest.
        cores: where it runs.
        settings: `CEKAL_…` variables; those of the surroundings are left out.

    Raises:
        ServerFailed: it did not start.
    """
    port = free_port()
    options = [f"--port={port}", "--host=127.0.0.1", "--loop=uvloop", "--http=httptools", "--ws=none"]
    options += ["--no-access-log", "--log-level=warning", "--timeout-graceful-shutdown=5"]
    with _running(["uvicorn", app, *options], port, name, folder, cores, settings) as server:
        yield server


@contextmanager
def serving_cekal(
    name: str, folder: Path, cores: Cores, settings: Mapping[str, str], port: int | None = None
) -> Iterator[Server]:
    """Serve a register for the block's length as its users do: `cekal serve`, one process, with its access log.

    Arguments and errors as `serving`; the port is a free one, unless it is given.
    """
    port = port or free_port()
    command = ["app.cli", "serve", f"--port={port}", "--host=127.0.0.1"]
    with _running(command, port, name, folder, cores, settings) as server:
        yield server


@contextmanager
def _running(
    module: Sequence[str], port: int, name: str, folder: Path, cores: Cores, settings: Mapping[str, str]
) -> Iterator[Server]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CEKAL_")}
    log = folder / f"{name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env={**kept, **settings},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    os.sched_setaffinity(process.pid, cores.server)
    try:
        _wait_until_answering(process, port, log)
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_answering(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=1)) as probe:
            probe.request("GET", "/readyz")
            probe.getresponse()
            return
        time.sleep(0.05)
    raise ServerFailed(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-3000:]}")


def used_by(process: psutil.Process) -> float:
    """CPU seconds that a process has used, with those of its children that have ended."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


class Family:
    """CPU seconds of a process and of everything below it, such as PostgreSQL's."""

    def __init__(self, root: psutil.Process) -> None:
        self._root = root

    def cpu(self) -> float:
        """CPU seconds used so far by all of them."""
        used = used_by(self._root)
        for process in self._root.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                used += used_by(process)
        return used


class Noise:
    """How much of the machine others used while a benchmark ran: the reason to trust it, or to repeat it.

    Args:
        beside: processes of the benchmark that are not below this one, such as PostgreSQL's.
    """

    def __init__(self, *beside: Family) -> None:
        self._families = (Family(psutil.Process()), *beside)
        self._begin = self._now()

    def _now(self) -> tuple[float, float, float]:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted in user already
        return sum(times) - guests - idle, sum(each.cpu() for each in self._families), time.monotonic()

    def share(self) -> float:
        """Cores that others kept busy on average since this was made; 0.0 is a quiet machine."""
        busy, ours, at = (now - then for now, then in zip(self._now(), self._begin, strict=True))
        return max(0.0, (busy - ours) / max(at, 1e-9))
