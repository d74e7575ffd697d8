"""Running a consumer as a process against a scripted service, and reading what its copy contains."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from app.conformance.findings import Failed
from app.conformance.scripted import Json, ScriptedLedger
from app.conformance.session import expect
from app.conformance.stage import Fault, Stage

_SHOW_SECONDS: Final = 30.0
_SHOW_FAILS_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 5.0


class Rehearsal:
    """Runs a consumer of the feed against a scripted service, step by step, and reads the consumer's copy.

    Args:
        command: the consumer's command line, without the argument `follow` (keep the copy) or `show` (print it).
        stage: the service that the consumer reads.
        folder: an empty folder, in which the consumer keeps its copy.
        patience: seconds within which the consumer must do what a step expects.
        silence: seconds without a byte after which the consumer must give up a connection.

    Attributes:
        stage: the service that the consumer reads.
        ledger: the ledger with which the copy must agree.
        silence: seconds without a byte after which the consumer must give up a connection.
    """

    def __init__(
        self, command: Sequence[str], stage: Stage, folder: Path, patience: float, silence: float
    ) -> None:
        self.stage = stage
        self.ledger = ScriptedLedger()
        self._command = list(command)
        self._folder = folder
        self.silence = silence
        self._patience = patience
        self._copies = 0
        self._following: subprocess.Popen[bytes] | None = None
        self._errors = folder / "follow.err"

    def begin(self, *, keep_faults: bool = False) -> None:
        """Begin a step. If the consumer does not run, start it and wait for its first request.

        Args:
            keep_faults: whether to keep the service's faults that were prepared and not shown yet; otherwise they are
                removed.

        Raises:
            Failed: the started consumer has ended, or sends no request within `patience` seconds.
            OSError: the consumer's command can't be run.
        """
        if self.stage.is_faulty and not keep_faults:
            with self.stage.changing():
                pass
        if self._following is not None and self._following.poll() is None:
            return
        asked = len(self.stage.asked) + self.stage.snapshots
        with self._errors.open("wb") as errors:
            self._following = subprocess.Popen(  # noqa: S603 - the command that was asked for
                [*self._command, "follow"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self.wait_for(
            lambda: len(self.stage.asked) + self.stage.snapshots > asked, "It asks for nothing."
        )  # its copy is open by then

    def stop(self) -> None:
        """End the consumer."""
        if self._following is not None and self._following.poll() is None:
            self._following.terminate()
            try:
                self._following.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._following.kill()
                self._following.wait()

    def forget(self) -> None:
        """End the consumer; the next step begins without a copy."""
        self.stop()
        self._copies += 1

    def shown(self) -> dict[str, Json]:
        """Run the consumer's `show` and return the entries of its copy, by entry id.

        A failed `show` is repeated for some seconds, because it may fail while `follow` writes to the copy.

        Raises:
            Failed: `show` keeps failing, or does not end.
            ValueError, LookupError, TypeError: `show` prints something else than lines of JSON with an entry's members.
        """
        until = time.monotonic() + _SHOW_FAILS_SECONDS
        while True:
            try:
                done = subprocess.run(  # noqa: S603 - as above
                    [*self._command, "show"],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_SHOW_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Failed(f"`show` did not end within {_SHOW_SECONDS:.0f} s.") from None
            if done.returncode == 0:
                entries = [json.loads(line) for line in done.stdout.splitlines()]
                return {each["id"]: {"leaf": each["leaf"], "personal": each["personal"]} for each in entries}
            if time.monotonic() > until:
                raise Failed(f"`show` ended with {done.returncode}: {_last_words(done.stderr)}")
            time.sleep(_LOOK_SECONDS)

    def settle(self) -> dict[str, Json]:
        """Wait until the consumer's copy agrees with `ledger`. Returns the copy's entries, by entry id.

        Raises:
            Failed: the copy does not agree within `patience` seconds, or the consumer has ended.
        """
        expected = self.ledger.entries()
        found: dict[str, Json] = {}
        for _ in self._looks():
            found = self.shown()
            if not self.stage.waits and found == expected:
                return found
            self._expect_alive()
        if self.stage.waits:
            raise Failed(f"It did not come back within {self._patience:.0f} s.")
        raise Failed(f"After {self._patience:.0f} s {difference(expected, found)}")

    def ended(self, before: dict[str, Json]) -> str:
        """Wait until the consumer has stopped by itself. Returns the last error line that it wrote to standard error.

        Args:
            before: the expected entries of the consumer's copy, by entry id: those before the fault.

        Raises:
            Failed: the consumer runs on for `patience` seconds, exits with 0, or has changed its copy.
        """
        for _ in self._looks():
            assert self._following is not None, "begin() comes first"
            code = self._following.poll()
            expect(code != 0, "It ended with exit code 0, as if all was well.")
            found = self.shown()
            if found != before:
                raise Failed(f"It did not stop before it changed its copy: {difference(before, found)}")
            if code is not None:
                return _last_words(self._errors.read_bytes())
        raise Failed(f"It had not stopped after {self._patience:.0f} s.")

    def came_back(self, fault: Fault) -> tuple[float, str | None]:
        """Return how the consumer came back after a fault: the seconds until its next request, and the cursor in it.

        The seconds count from the request that was answered with the fault. The cursor is None if the consumer asked
        for the feed from its first record.
        """
        asked = self.stage.asked
        at = next(index for index, each in enumerate(asked) if each.fault is fault)
        return asked[at + 1].at - asked[at].at, asked[at + 1].after

    def wait_for(self, what: Callable[[], bool], otherwise: str, more: float = 0.0) -> None:
        """Wait until `what` returns true, for at most `patience` plus `more` seconds.

        Raises:
            Failed: `what` did not return true in time (the message is `otherwise`), or the consumer has ended.
        """
        for _ in self._looks(more):
            if what():
                return
            self._expect_alive()
        raise Failed(otherwise)

    def _looks(self, more: float = 0.0) -> Iterator[None]:
        until = time.monotonic() + self._patience + more
        while time.monotonic() < until:
            yield
            time.sleep(_LOOK_SECONDS)

    def _expect_alive(self) -> None:
        code = self._following.poll() if self._following else None
        if code is not None:
            raise Failed(f"It ended with exit code {code}: {_last_words(self._errors.read_bytes())}")

    def _environment(self) -> dict[str, str]:
        given = {
            "INTEGRATOR_URL": self.stage.url,
            "INTEGRATOR_KEY": self.stage.key,
            "INTEGRATOR_COPY": str(self._folder / f"copy-{self._copies}.db"),
            "INTEGRATOR_TRUSTS": self.ledger.trusted_key,
            "INTEGRATOR_SILENCE": f"{self.silence:g}",
        }
        return {**os.environ, **given}


def _last_words(data: bytes) -> str:
    """Return what a program said last: its last line with an error, or else its last line."""
    lines = data.decode(errors="replace").strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if "Error" in line), lines[-1]).strip()[:200]


def difference(expected: dict[str, Json], found: dict[str, Json]) -> str:
    """Return a sentence that says how the copy `found` differs from the expected one, with ids of entries only."""
    missing, surplus = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing:
        return f"the copy lacks {', '.join(missing)}."
    if surplus:
        return f"the copy still has {', '.join(surplus)}."
    other = sorted(name for name in expected if expected[name] != found[name])
    return (
        f"the copy has another leaf or personal part of {', '.join(other)}." if other else "nothing differs."
    )
