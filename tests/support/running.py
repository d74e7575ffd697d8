"""A long-running `cekal` command and the lines of its log."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.cli import LONGEST, environment

Line = dict[str, Any]


class Running:
    """A long-running command and the lines of its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def lines(self) -> list[Line]:
        """The lines so far."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def heard(self, message: str) -> Line:
        """The first line with a message, once it is there."""
        return self._heard(lambda said: said == message)

    def heard_with(self, words: str) -> Line:
        """The first line whose message contains some words, once it is there."""
        return self._heard(lambda said: words in said)

    def _heard(self, is_meant: Callable[[str], bool]) -> Line:
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            for line in self.lines():
                if is_meant(line["message"]):
                    return line
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(self._log.read_text())

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(LONGEST)


@contextmanager
def running(*arguments: object, cwd: Path, **settings: object) -> Iterator[Running]:
    """A long-running command for the block's length."""
    log = cwd / "service.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *map(str, arguments)],
            cwd=cwd,
            env=environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(LONGEST)
