"""Does one stolen key, or none at all, stop the border? Attackers and honest counters side by side (Linux).

    python -m bench.siege                       # both engines, each attack for twenty seconds
    python -m bench.siege --engines sqlite --seconds 10
    python -m bench.siege --quick --json        # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed. Sixteen counters, each with a key of its own,
ask about one traveller every fifth of a second, beside a checkpoint that listens for the alerts of an urgent entry,
which is posted once a second on a new connection. First they are alone, then beside each attack, then beside all of
them. The attackers have the lowest priority and share a core with the counters; the service has the other.

Held: the slowest hundredth of the checks is at most three times as late as without an attack, or 50 ms; each alert is
there within a second; the service stays below 250 MB; no honest request is answered anything but 200 or 201. The
command fails where one of these does not hold.
"""

import argparse
import asyncio
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.alerts import Broadcast, draw_photo, get_request, post_request, urgent_entry
from bench.attackers import ATTACKS, Attack
from bench.checks import generate, request_of
from bench.figures import shown, table
from bench.load import Outcome, Task
from bench.processes import ROOT, Server, serving_cekal, split_cores
from bench.registers import ENGINES, Registers, fill_entries, opened, passport, registers
from tests.support.actors import Actors

LONGEST_ALERT_MS: Final = 1000.0
LARGEST_MB: Final = 250.0
TIMES_SLOWER: Final = 3.0
ALWAYS_GOOD_MS: Final = 50.0

_QUIET = "nobody attacks"
_ALL = "all of them at once"
_PAUSE = 0.2
_HEAD_START = 3.0
"""Seconds that the attackers have before the counters are measured."""


class Border(msgspec.Struct, kw_only=True):
    """Keys of those who use a register."""

    settings: dict[str, str]
    counters: list[str]
    submitter: str
    listener: str
    stolen: str
    carrier: str


class Phase(msgspec.Struct, kw_only=True):
    """What the honest saw during one attack.

    Attributes:
        attack: what happened beside.
        alerts_ms: how late each alert was.
        failures: what went wrong for the honest.
        answered: what the attackers were answered, by attack and status.
    """

    engine: str
    attack: str
    checks: Outcome
    alerts_ms: list[float]
    largest_mb: float
    failures: list[str]
    answered: dict[str, dict[str, int]]


async def _prepare(made: Registers, engine: str, entries: int, counters: int) -> Border:
    settings = await made.make(engine, f"{engine}-siege")
    async with opened(settings) as runtime:
        actors = Actors(runtime)
        await fill_entries(runtime, entries)
        return Border(
            settings=settings,
            counters=[(await actors.client("checkpoint")).key for _ in range(counters)],
            submitter=(await actors.client("submitter")).key,
            listener=(await actors.client("checkpoint")).key,
            stolen=(await actors.client("checkpoint")).key,
            carrier=(await actors.client("carrier")).key,
        )


@contextmanager
def _attacked(names: list[str], border: Border, port: int, seconds: float, scale: float) -> Iterator[Any]:
    """Attack for the block's length; gives what was answered once the block is over."""
    answered: dict[str, dict[str, int]] = {}
    running = {}
    for name in names:
        key = border.carrier if "carrier" in name else border.stolen
        order = Attack(name=name, port=port, key=key, seconds=seconds, scale=scale)
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.attackers"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(order))
        process.stdin.close()
        process.stdin = None
        running[name] = process
    try:
        yield answered
    finally:
        for name, process in running.items():
            said, _ = process.communicate()
            answered[name] = msgspec.json.decode(said) if said else {"died": 1}


class _Largest:
    """The most memory that a server has had while somebody looked, in MB."""

    def __init__(self, server: Server) -> None:
        self.mb = server.rss()
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.mb = max(self.mb, self._server.rss())

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        return self.mb


def _phase(
    engine: str,
    attack: str,
    server: Server,
    border: Border,
    options: argparse.Namespace,
    alarm: Broadcast,
) -> Phase:
    names = {_QUIET: [], _ALL: list(ATTACKS)}.get(attack, [attack])
    task = Task(
        port=server.port,
        requests=[
            request_of(key, {"direction": "exit", "document": {"number": number, "issuing_state": "IDN"}})
            for key in border.counters
            for number in (passport(1), *(f"C{n:08d}" for n in range(19)))
        ],
        connections=len(border.counters),
        warm_up=_HEAD_START * options.scale,
        seconds=options.seconds,
        pause=_PAUSE,
    )
    lasts = task.warm_up + task.seconds + 1
    before, largest = len(alarm.rounds), _Largest(server)
    over = threading.Event()

    def alarms() -> None:
        over.wait(task.warm_up)
        while not over.is_set():
            alarm.run()
            over.wait(max(0.0, 1.0 - alarm.rounds[-1].last_ms / 1000))

    officer = threading.Thread(target=alarms)
    with _attacked(names, border, server.port, lasts, options.scale) as answered:
        officer.start()
        outcome = generate(task)
        over.set()
        officer.join()
    rounds = alarm.rounds[before:]
    failures = [f"check: {name} ({number} times)" for name, number in outcome.failures.items()]
    failures += [f"urgent entry: {each.status}" for each in rounds if "201" not in each.status]
    failures += ["an alert did not come" for each in rounds if each.count != 1]
    return Phase(
        engine=engine,
        attack=attack,
        checks=outcome,
        alerts_ms=[each.last_ms for each in rounds],
        largest_mb=largest.end(),
        failures=failures,
        answered=answered,
    )


def measure(options: argparse.Namespace) -> list[Phase]:
    """Run everything; gives each phase."""
    cores = split_cores()
    numbers = count(1)
    photo = draw_photo()
    phases = []
    with registers(options.folder) as made:
        for engine in options.engines:
            border = asyncio.run(_prepare(made, engine, options.entries, options.counters))
            settings = {**border.settings, "CEKAL_LOG_LEVEL": "WARNING"}
            with serving_cekal(f"siege-{engine}", made.folder, cores, settings) as server:

                def post(_round: int, key: str = border.submitter) -> bytes:
                    number = next(numbers)
                    body = msgspec.json.encode(urgent_entry(number, photo))
                    headers = (f"Authorization: Bearer {key}", f"Idempotency-Key: siege-{number}")
                    return post_request(
                        "/v1/urgent-entries", body, *headers, "Content-Type: application/json"
                    )

                listening = [get_request("/v1/alerts/stream", border.listener)]
                alarm = Broadcast(engine, server, listening, post)
                alarm.open(1)
                phases += [
                    _phase(engine, attack, server, border, options, alarm)
                    for attack in (_QUIET, *options.attacks)
                ]
                alarm.close()
    return phases


def broken(phases: list[Phase]) -> list[str]:
    """Which promises did not hold."""
    found = []
    quiet = {phase.engine: phase.checks.p99_ms for phase in phases if phase.attack == _QUIET}
    for phase in phases:
        about = f"{phase.engine}, {phase.attack}"
        found += [f"{about}: {failure}" for failure in sorted(set(phase.failures))]
        most = max(ALWAYS_GOOD_MS, TIMES_SLOWER * quiet[phase.engine])
        if phase.checks.p99_ms > most:
            found.append(f"{about}: p99 of a check {phase.checks.p99_ms:.0f} ms, at most {most:.0f}")
        latest = max(phase.alerts_ms, default=math.inf)
        if latest > LONGEST_ALERT_MS:
            found.append(f"{about}: the latest alert came after {latest:.0f} ms")
        if phase.largest_mb > LARGEST_MB:
            found.append(f"{about}: {phase.largest_mb:.0f} MB")
    return found


def _print(phases: list[Phase]) -> None:
    rows = [
        (
            f"{phase.engine}, {phase.attack}",
            shown(phase.checks.answered),
            shown(phase.checks.p50_ms, 1),
            shown(phase.checks.p99_ms, 1),
            shown(max(phase.alerts_ms, default=None)),
            shown(phase.largest_mb),
            shown(len(phase.failures)),
        )
        for phase in phases
    ]
    print(table(("beside", "checks", "p50", "p99", "alert", "MB", "failed"), rows))
    for phase in phases:
        for name, answered in phase.answered.items():
            said = ", ".join(f"{status}: {number:,}" for status, number in sorted(answered.items()))
            print(f"{phase.engine}, {phase.attack}: {name} was answered {said or 'nothing'}")


def main() -> int:
    """The command; 1 where a promise did not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--attacks", nargs="+", choices=(*ATTACKS, _ALL), default=[*ATTACKS, _ALL])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--counters", type=int, default=16)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the attacks; 1 is the whole")
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.entries, options.counters, options.scale = 1.5, 100, 4, 0.02
    phases = measure(options)
    failed = broken(phases)
    if options.json:
        print(msgspec.json.encode({"benchmark": "siege", "phases": phases, "broken": failed}).decode())
    else:
        _print(phases)
    for each in failed:
        print(each, file=sys.stderr)
    return 1 if failed and not options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
