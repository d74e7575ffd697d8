"""What an import costs as the register grows, and what it does to the checks beside it (Linux).

    python -m bench.imports                              # both engines, 10,000 lines each
    python -m bench.imports --lines 1000000              # the whole curve: up to twenty minutes for each engine
    python -m bench.imports --quick --json               # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. An older register
of invented persons, without photos, is taken over by `cekal import entries` into an empty register, while `cekal serve`
answers full checks, a fixed number a second, and now and then an urgent entry. The server, the import, PostgreSQL and
this program share all cores, as they would on one machine. Trust bytes more than seconds.

A row for each power of ten and for the end, each over the lines since the row before it: lines a second; kilobytes
(10^3) written a line, and how many of them are zeros; the import's processor time a line, in microseconds; memory of
the import at most, in MB (10^6), and of the write-ahead log; milliseconds until a check and an urgent entry were
answered (median, 99th percentile, and the longest). On SQLite the bytes are those of the import and of the server
beside it, whose checks are stored too (`write_bytes` in /proc/<pid>/io); on PostgreSQL those of its own server, with
its log (`pg_stat_io`). Its zeros make room: for rows at the end of files, and for segments of the log until the first
of them can be used again.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import psutil

from app.kit.clock import legal_day
from bench.crowds import birth, by_frequency
from bench.figures import percentile, shown, table
from bench.processes import ROOT, Cores, Noise, Server, serving_cekal
from bench.registers import ENGINES, Registers, opened, passport, registers
from tests.support.actors import Actors
from tests.support.bodies import urgent_body

_LOOK = 0.5
"""Seconds between two looks at the import."""
_CHECKS_A_SECOND = 25
_URGENT_EVERY = 2.0
_PATIENCE = 60.0

Json = dict[str, Any]


class Row(msgspec.Struct, kw_only=True):
    """What a part of an import cost; times in ms, memory and files in MB, the rest as the names say."""

    engine: str
    lines: int
    lines_a_second: float
    written_kb_a_line: float
    zeros_kb_a_line: float
    cpu_us_a_line: float
    rss_mb: float
    wal_mb: float
    register_mb: float
    check_p50_ms: float
    check_p99_ms: float
    check_max_ms: float
    urgent_p50_ms: float
    urgent_max_ms: float
    failures: dict[str, int]


def write_register(path: Path, lines: int, *, start: int = 0) -> None:
    """Write an older register of KPK: exit bans against invented citizens, each in a case of its own.

    Args:
        path: the file.
        lines: the number of bans.
        start: the number of the first.
    """
    chance, name = random.Random(3 + start), by_frequency()
    today = legal_day(datetime.now(UTC))
    with path.open("w", encoding="utf-8") as file:
        for number in range(start, start + lines):
            file.write(
                json.dumps(_line(number, name(chance), date.fromisoformat(str(birth(chance).date)), today))
                + "\n"
            )


def _line(number: int, name: str, day: date, today: date) -> Json:
    return {
        "agency": "KPK",
        "reference": f"old-{number}",
        "approved_on": today.isoformat(),
        "entry": {
            "measure": "prevention",
            "subject": {
                "full_name": name.title(),
                "sex": "male",
                "birth": {"date": day.isoformat()},
                "birth_place": "Semarang",
                "nationalities": ["IDN"],
                "nik": f"{317101 + number // 10_000}{day:%d%m%y}{number % 10_000:04d}",
                "occupation": "merchant",
                "address": f"Jalan Cempaka {number}, Semarang",
                "documents": [{"type": "passport", "number": passport(number), "issuing_state": "IDN"}],
            },
            "basis": {
                "instrument": "order",
                "number": f"R-{number}/DAK.01.03",
                "issued_on": (today - timedelta(days=3)).isoformat(),
                "received_on": today.isoformat(),
                "signed_by": "Endang Sasmita",
                "signed_by_position": "Direktur Penyidikan",
                "law": "UU 30/2002 Pasal 12 ayat (1) huruf b; UU 19/2019 Pasal 12 ayat (2) huruf a",
                "reason_code": "corruption",
                "reason": "Suspected of taking a bribe; a journey abroad would hamper the investigation.",
                "case_reference": f"Sprin.Dik-{number}/01",
                "stage": "investigation",
                "subject_status": "suspect",
            },
            "starts_on": today.isoformat(),
            "ends_on": (today + timedelta(days=150)).isoformat(),
        },
    }


class Asker(threading.Thread):
    """Asks a served register at a fixed pace; a late answer delays no later question's due time."""

    def __init__(self, server: Server, key: str, path: str, every: float, body: Callable[[], Json]) -> None:
        super().__init__(daemon=True)
        self._server, self._path, self._every, self._body = server, path, every, body
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._once = path == "/v1/urgent-entries"
        self._ended = threading.Event()
        self.took: list[float] = []
        self.failures: dict[str, int] = {}

    def run(self) -> None:
        """Ask until `end`; a question's time runs from when it was due."""
        connection = HTTPConnection("127.0.0.1", self._server.port, timeout=_PATIENCE)
        due = time.perf_counter()
        while not self._ended.wait(max(0.0, due - time.perf_counter())):
            try:
                body, headers = msgspec.json.encode(self._body()), self._headers
                if self._once:
                    headers = {**headers, "Idempotency-Key": str(uuid.uuid4())}
                connection.request("POST", self._path, body, headers)
                answer = connection.getresponse()
                said = answer.read()
                why = "" if answer.status < 300 else f"{answer.status} {said[:200].decode()}"
            except (OSError, HTTPException) as error:
                why = type(error).__name__
                connection.close()
            now = time.perf_counter()
            self.took.append(1000 * (now - due))
            if why:
                self.failures[why] = self.failures.get(why, 0) + 1
            due = max(due + self._every, now - 1.0)

    def end(self) -> None:
        """Stop asking and wait for the last answer."""
        self._ended.set()
        self.join()


def questions(chance: random.Random) -> Callable[[], Json]:
    """Full questions about travellers; none of them is listed, at least by number."""
    name = by_frequency()

    def question() -> Json:
        number = passport(chance.randrange(10**7) + 5 * 10**7)
        person = {"name": name(chance), "birth_date": birth(chance).date, "nationality": "IDN"}
        document = {"number": number, "issuing_state": "IDN", "type": "passport"}
        return {"direction": "exit", "document": document, "person": person}

    return question


def urgent_of_today() -> Json:
    """An urgent entry of today."""
    now = datetime.now(UTC)
    today, day = legal_day(now).isoformat(), (legal_day(now) - timedelta(days=3)).isoformat()
    return urgent_body(basis={"issued_on": day, "received_on": today}, letter={"issued_on": day})


class Import:
    """A running `cekal import entries`, looked at from outside."""

    def __init__(self, settings: dict[str, str], path: Path, lines: int) -> None:
        self.lines = lines
        self._path = path
        self._said = path.with_suffix(".log")
        self._usage: tuple[float, int, int] = (0.0, 0, 0)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CEKAL_")}
        command = ["app.cli", "import", "entries", str(path), "--approved-by", "198001012005011001"]
        command += ["--second-approver", "197505052000031002", "--legacy", "--json"]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env={**kept, **settings},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        self._looked_at = psutil.Process(self._process.pid)

    def look(self) -> bool:
        """Take down what it has used; False once it has ended."""
        pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        if pid:
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._usage = usage.ru_utime + usage.ru_stime, usage.ru_oublock * 512, usage.ru_maxrss * 1024
            return False
        times, memory = self._looked_at.cpu_times(), self._looked_at.memory_info()
        written = self._looked_at.io_counters().write_bytes
        self._usage = times.user + times.system, written, max(memory.rss, self._usage[2])
        return True

    @property
    def cpu(self) -> float:
        """Seconds of processor time, when last looked at."""
        return self._usage[0]

    @property
    def written(self) -> int:
        """Bytes, when last looked at."""
        return self._usage[1]

    @property
    def rss(self) -> int:
        """Bytes of memory at most."""
        return self._usage[2]

    def taken(self) -> int:
        """About how many lines it has read: as far as its place in the file says."""
        size = self._path.stat().st_size
        for info in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(OSError):
                if info.readlink() == self._path:
                    said = Path(f"/proc/{self._process.pid}/fdinfo/{info.name}").read_text()
                    return int(said.split()[1]) * self.lines // size
        return 0

    def expect_complete(self) -> None:
        """Make sure that every line was taken over.

        Raises:
            RuntimeError: the import failed, or left lines out.
        """
        said, code = self._said.read_text(), self._process.returncode
        if code != 0 or json.loads(said)["added"] != self.lines:
            raise RuntimeError(f"the import ended with {code}: {said[:2000]}")


class Disk:
    """The files of a register, and what its processes have written."""

    def __init__(self, engine: str, settings: dict[str, str], importing: Import, server: Server) -> None:
        self._importing, self._server = importing, server
        self.is_sqlite = engine == "sqlite"
        self._url = settings["CEKAL_DATABASE_URL"]
        self._path = Path(self._url.removeprefix("sqlite:///"))
        self._runner = asyncio.Runner()

    def written(self) -> int:
        """Bytes so far."""
        if self.is_sqlite:
            return self._importing.written + int(self._server.process.io_counters().write_bytes)
        return int(
            self._asked("SELECT sum(coalesce(write_bytes, 0) + coalesce(extend_bytes, 0)) FROM pg_stat_io")
        )

    def zeros(self) -> int:
        """Bytes of them so far that only make room."""
        if self.is_sqlite:
            return 0
        return int(
            self._asked(
                "SELECT sum(CASE WHEN context = 'init' THEN write_bytes ELSE coalesce(extend_bytes, 0) END)"
                " FROM pg_stat_io"
            )
        )

    def wal(self) -> int:
        """Bytes of the write-ahead log's files."""
        if self.is_sqlite:
            return self._path.with_name(f"{self._path.name}-wal").stat().st_size
        return int(self._asked("SELECT sum(size) FROM pg_ls_waldir()"))

    def register(self) -> int:
        """Bytes of the register."""
        if self.is_sqlite:
            return self._path.stat().st_size
        return int(self._asked("SELECT pg_database_size(current_database())"))

    def _asked(self, query: str) -> Any:
        async def ask() -> Any:
            connection = await asyncpg.connect(self._url)
            try:
                return await connection.fetchval(query)
            finally:
                await connection.close()

        return self._runner.run(ask())


def _marks(lines: int) -> Iterator[int]:
    """Where a row ends: at powers of ten, and at the end."""
    mark = 1000
    while mark < lines:
        yield mark
        mark *= 10
    yield lines


def _followed(engine: str, importing: Import, disk: Disk, checks: Asker, urgent: Asker) -> Iterator[Row]:
    """A row for each mark that the import passes."""
    began, lines, cpu = time.perf_counter(), 0, 0.0
    written, zeros = disk.written(), disk.zeros()
    asked, called, running = 0, 0, True
    for mark in _marks(importing.lines):
        wal = 0
        while running := importing.look():
            wal = max(wal, disk.wal())
            if mark <= importing.taken() < importing.lines:
                break
            time.sleep(_LOOK)
        now, seen = time.perf_counter(), importing.taken() if running else importing.lines
        put, empty = disk.written(), disk.zeros()
        times, calls = sorted(checks.took[asked:]) or [0.0], sorted(urgent.took[called:]) or [0.0]
        more = max(1, seen - lines)
        yield Row(
            engine=engine,
            lines=seen,
            lines_a_second=more / (now - began),
            written_kb_a_line=(put - written) / more / 1000,
            zeros_kb_a_line=(empty - zeros) / more / 1000,
            cpu_us_a_line=(importing.cpu - cpu) / more * 1e6,
            rss_mb=importing.rss / 1e6,
            wal_mb=max(wal, disk.wal()) / 1e6,
            register_mb=disk.register() / 1e6,
            check_p50_ms=percentile(times, 0.5),
            check_p99_ms=percentile(times, 0.99),
            check_max_ms=times[-1],
            urgent_p50_ms=percentile(calls, 0.5),
            urgent_max_ms=calls[-1],
            failures={**checks.failures, **urgent.failures},
        )
        began, lines, cpu, written, zeros = now, seen, importing.cpu, put, empty
        asked, called = len(checks.took), len(urgent.took)
        if not running:
            return


async def _prepare(made: Registers, engine: str) -> tuple[dict[str, str], dict[str, str]]:
    """An empty register: the settings to use it with, and keys by role."""
    settings = await made.make(engine, engine)
    async with opened(settings) as runtime:
        actors = Actors(runtime)
        roles = ("checkpoint", "submitter")
        return settings, {role: (await actors.client(role)).key for role in roles}


@contextmanager
def _asking(*askers: Asker) -> Iterator[None]:
    for asker in askers:
        asker.start()
    try:
        yield
    finally:
        for asker in askers:
            asker.end()


def measure(options: argparse.Namespace) -> Json:
    """Run everything; gives the report."""
    every_core = frozenset(os.sched_getaffinity(0))
    cores, rows = Cores(every_core, every_core), []
    with registers(options.folder) as made:
        path = made.folder / "older.ndjson"
        write_register(path, options.lines)
        if "postgresql" in options.engines:
            made.server()  # runs before the noise is measured, and is none
        noise = Noise(*made.servers())
        for engine in options.engines:
            settings, keys = asyncio.run(_prepare(made, engine))
            served = {**settings, "CEKAL_LOG_LEVEL": "WARNING"}
            with serving_cekal(engine, made.folder, cores, served) as server:
                every = 1 / _CHECKS_A_SECOND
                checks = Asker(server, keys["checkpoint"], "/v1/checks", every, questions(random.Random(4)))
                urgent = Asker(
                    server, keys["submitter"], "/v1/urgent-entries", _URGENT_EVERY, urgent_of_today
                )
                with _asking(checks, urgent):
                    importing = Import(settings, path, options.lines)
                    disk = Disk(engine, settings, importing, server)
                    for row in _followed(engine, importing, disk, checks, urgent):
                        rows.append(row)
                        if not options.json:
                            print(row, file=sys.stderr)  # an hour may pass before the table
                importing.expect_complete()
        others = noise.share()
    return {
        "benchmark": "imports",
        "lines": options.lines,
        "checks_a_second": _CHECKS_A_SECOND,
        "others_cores": round(others, 2),
        "curve": msgspec.to_builtins(rows),
    }


def _print(report: Json) -> None:
    costs = ("lines/s", "kB/line", "zeros", "us/line", "MB", "WAL MB", "DB MB")
    head = ("", *costs, "check p50", "p99", "max", "urgent p50", "max")
    members = (
        "lines_a_second",
        "written_kb_a_line",
        "zeros_kb_a_line",
        "cpu_us_a_line",
        "rss_mb",
        "wal_mb",
        "register_mb",
    )
    times = ("check_p50_ms", "check_p99_ms", "check_max_ms", "urgent_p50_ms", "urgent_max_ms")
    rows = [
        (
            f"{row['engine']} {row['lines']:,}",
            *(shown(row[member], 1 if member.endswith("_kb_a_line") else 0) for member in members),
            *(shown(row[member], 1) for member in times),
        )
        for row in report["curve"]
    ]
    print(
        f"\nImport of {report['lines']:,} lines beside {report['checks_a_second']} checks a second; "
        f"others used {report['others_cores']} cores.\n"
    )
    print(table(head, rows))


def main() -> int:
    """The command; 1 when a check or an urgent entry was refused."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument(
        "--folder", type=Path, help="where databases lie; on a disk, or writing costs nothing"
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.lines = 300
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    failed = [row["failures"] for row in report["curve"] if row["failures"]]
    if failed:
        print(f"not every answer was a success: {failed[-1]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
