"""The feed beside Kinto's and Datasette's: the same records read by a follower, and one row looked up (Linux).

Run by `python -m bench.feed --rivals`. Each rival is served by its own command, without keys, in one process:

- Kinto keeps the records in PostgreSQL, in the server that Cekal's register uses. Its backend in memory sorts the whole
  collection for each page. The records are copied into its table: over HTTP each takes milliseconds.
- Datasette serves a copy of the register on SQLite, immutable, without counts and facets; on uvloop and httptools, as
  Cekal is.
"""

import asyncio
import json
import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import msgspec
from sqlalchemy.engine import make_url

from bench.brokers import running
from bench.figures import median, percentile, shown, table
from bench.processes import Cores, Noise, Server, ServerFailed, free_port
from bench.registers import Registers
from bench.rival_environments import RIVALS, RivalMissing, rival_programs

PLACE: Final = RIVALS
_PAGE: Final = 500
"""Records of a page: the most that the feed gives."""
_CHUNK: Final = 1 << 18
_LOOKUPS: Final = 200
"""Look-ups of each kind in a round."""
_AGENCY: Final = "KPK"
_BUCKET: Final = "/buckets/bench"
_COLLECTION: Final = f"{_BUCKET}/collections/ledger"
_SINCE: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - Kinto's column has no zone

_NOT_RUN: Final = (RivalMissing, ServerFailed, OSError, subprocess.SubprocessError, asyncpg.PostgresError)
"""Why a rival is left out: it can't be installed, does not start, or has other tables than the version tried here."""

Page = tuple[int, str]
"""How many records were read, and the path of the next page; empty after the last one."""


class _OurPage(msgspec.Struct):
    items: list[msgspec.Raw]
    cursor: str
    more: bool


class _KintoPage(msgspec.Struct):
    data: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Source:
    """A running server that holds the records.

    Attributes:
        name: its name.
        server: its process and port.
        cpu: gives the CPU seconds that it has used so far, its database's included.
        headers: what each request carries.
        readings: by name, how all records are read: the path of the first page, its media type, and what reads a page.
        lookups: by name, what makes the path of one look-up.
    """

    name: str
    server: Server
    cpu: Callable[[], float]
    headers: dict[str, str]
    readings: dict[str, tuple[str, str, Callable[[HTTPResponse], Page]]]
    lookups: dict[str, Callable[[], str]]


def cekal(engine: str, server: Server, made: Registers, key: str, records: int) -> Source:
    """Cekal's own feed, and its look-ups of an agency and of a record's proof."""
    chance = random.Random(1)

    def cpu() -> float:
        return server.cpu() + (made.server()[1].cpu() if engine == "postgresql" else 0.0)

    return Source(
        engine,
        server,
        cpu,
        {"Authorization": f"Bearer {key}"},
        {
            "pages": (f"/v1/changes?limit={_PAGE}", "application/json", _our_page),
            "lines": ("/v1/changes", "application/x-ndjson", _our_lines),
        },
        {
            "agency": lambda: f"/v1/agencies/{_AGENCY}",
            "record": lambda: f"/v1/proofs/inclusion?sequence={chance.randint(1, records)}&size={records}",
        },
    )


def _our_page(answer: HTTPResponse) -> Page:
    page = msgspec.json.decode(answer.read(), type=_OurPage)
    return len(page.items), f"/v1/changes?limit={_PAGE}&after={page.cursor}" if page.more else ""


def _our_lines(answer: HTTPResponse) -> Page:
    count, last = 0, b""
    for line in _lines(answer):
        count, last = count + 1, line
    end = msgspec.json.decode(last)  # the last line is no record
    return count - 1, f"/v1/changes?after={end['cursor']}" if end["more"] else ""


def _lines(answer: HTTPResponse) -> Iterator[bytes]:
    rest = b""
    while data := answer.read1(_CHUNK):
        *whole, rest = (rest + data).split(b"\n")
        yield from whole
    if rest:
        yield rest


@contextmanager
def _kinto(place: Path, cores: Cores, made: Registers, records: Iterable[bytes]) -> Iterator[Source]:
    programs = rival_programs("kinto", ["kinto[postgresql]>=26.5"], place)
    home, port = made.folder / "kinto", free_port()
    home.mkdir()
    url = asyncio.run(made.empty("postgresql", "kinto-records"))["CEKAL_DATABASE_URL"]
    parts = ("storage", "cache", "permission")
    backends = [f"kinto.{part}_backend = kinto.core.{part}.postgresql" for part in parts]
    backends += [f"kinto.{part}_url = {url}" for part in parts]
    settings = home / "kinto.ini"
    settings.write_text(
        "\n".join(
            (
                "[server:main]",
                "use = egg:waitress#main",
                "host = 127.0.0.1",
                "port = %(http_port)s",
                "[app:main]",
                "use = egg:kinto",
                "kinto.userid_hmac_secret = bench",
                "kinto.bucket_create_principals = system.Everyone",
                *backends,
            )
        )
    )
    command = [str(programs / "kinto")]
    options = ["-q", "--ini", str(settings)]
    subprocess.run([*command, "migrate", *options], check=True, capture_output=True, text=True)
    with running("kinto", [*command, "start", *options, f"--port={port}"], port, home, cores) as server:
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            for path in (_BUCKET, _COLLECTION):
                _ask(connection, "PUT", f"/v1{path}", {"Content-Type": "application/json"}, b'{"data":{}}')
        asyncio.run(_copy_to_kinto(url, records))
        path = f"/v1{_COLLECTION}/records?_since=0&_sort=last_modified&_limit={_PAGE}"
        yield Source(
            "kinto",
            server,
            lambda: server.cpu() + made.server()[1].cpu(),
            {},
            {"pages": (path, "application/json", _kinto_page)},
            {},
        )


async def _copy_to_kinto(url: str, records: Iterable[bytes]) -> None:
    columns = ["id", "parent_id", "resource_name", "last_modified", "data", "deleted"]
    rows = (
        (f"{n:08d}", _COLLECTION, "record", _SINCE + timedelta(milliseconds=n), record.decode(), False)
        for n, record in enumerate(records)
    )
    connection = await asyncpg.connect(url)
    try:
        await connection.copy_records_to_table("objects", columns=columns, records=rows)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def _kinto_page(answer: HTTPResponse) -> Page:
    page = msgspec.json.decode(answer.read(), type=_KintoPage)
    return len(page.data), _path(answer.getheader("Next-Page") or "")


@contextmanager
def _datasette(place: Path, cores: Cores, made: Registers, url: str | None, records: int) -> Iterator[Source]:
    if url is None:
        raise RivalMissing("it needs a register on SQLite")
    programs = rival_programs("datasette", ["datasette>=0.65.2,<1", "uvloop", "httptools"], place)
    home, port, chance = made.folder / "datasette", free_port(), random.Random(1)
    home.mkdir()
    copy = home / "register.db"
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    command = [str(programs / "datasette"), "serve", "--immutable", str(copy), f"--port={port}"]
    quickest = f"_shape=array&_nl=on&_size={_PAGE}&_nocount=1&_nofacet=1&_nosuggest=1"
    with running("datasette", command, port, home, cores) as server:
        yield Source(
            "datasette",
            server,
            server.cpu,
            {},
            {"lines": (f"/register/ledger_record.json?{quickest}", "*/*", _datasette_page)},
            {
                "agency": lambda: f"/register/agency/{_AGENCY}.json?_shape=array",
                "record": lambda: f"/register/ledger_record/{chance.randint(1, records)}.json?_shape=array",
            },
        )


def _datasette_page(answer: HTTPResponse) -> Page:
    following = (answer.getheader("Link") or "").partition(">; rel")[0].lstrip("<")
    return sum(1 for _ in _lines(answer)), _path(following)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.path else ""


def compare(
    place: Path, cores: Cores, made: Registers, ours: Sequence[Source], sqlite: str | None, rounds: int
) -> dict[str, Any]:
    """Read all records of every source in turns, and look rows up; gives the figures of the report.

    Args:
        place: where the rivals' environments are.
        cores: where servers and load run.
        made: the registers, whose PostgreSQL server Kinto uses.
        ours: Cekal's registers, which hold the same number of records.
        sqlite: the address of the register on SQLite, which Datasette serves a copy of; None without one.
        rounds: how often everything is read, beside a warm-up.
    """
    name, (path, media, _) = ours[0].name, ours[0].readings["lines"]
    with closing(HTTPConnection("127.0.0.1", ours[0].server.port, timeout=600)) as connection:
        headers = {**ours[0].headers, "Accept": media}
        *records, _ = _ask(connection, "GET", path, headers).splitlines()
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        sources = list(ours)
        for name, rival in (
            ("kinto", _kinto(place, cores, made, records)),
            ("datasette", _datasette(place, cores, made, sqlite, len(records))),
        ):
            try:
                sources.append(stack.enter_context(rival))
            except _NOT_RUN as error:
                missing[name] = str(error)
        return {**_measured(sources, len(records), rounds, Noise(*made.servers())), "not_measured": missing}


@dataclass(slots=True)
class _Task:
    """Something that is done in each round, and what it took so far: seconds of each part, and CPU seconds."""

    variant: str
    source: Source
    do: Callable[[], list[float]]
    seconds: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def run(self, *, count: bool) -> None:
        """Do it, and count what it takes unless this is a warm-up."""
        used = self.source.cpu()
        seconds = self.do()
        if count:
            self.seconds += seconds
            self.cpu += self.source.cpu() - used

    def row(self, parts: int = 1) -> dict[str, Any]:
        """The figures; CPU microseconds are those of one of so many equal parts."""
        ordered = sorted(self.seconds)
        return {
            "variant": self.variant,
            "seconds": median(ordered),
            "p99_seconds": percentile(ordered, 0.99),
            "cpu_us": self.cpu / len(ordered) / parts * 1e6,
        }


def _measured(sources: Sequence[Source], records: int, rounds: int, noise: Noise) -> dict[str, Any]:
    readings = [
        _Task(f"{source.name}, {what}", source, partial(_read_all, source, what, records))
        for source in sources
        for what in source.readings
    ]
    lookups = [
        _Task(f"{source.name}, {what}", source, partial(_look_up, source, what))
        for source in sources
        for what in source.lookups
    ]
    for each in range(rounds + 1):
        for task in (*readings, *lookups):
            task.run(count=each > 0)
    return {
        "records": records,
        "readings": [task.row(records) for task in readings],
        "lookups": [task.row() for task in lookups],
        "others_cores": round(noise.share(), 2),
    }


def _ask(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> bytes:
    connection.request(method, path, body, headers)
    with connection.getresponse() as answer:
        _expect_success(answer, path)
        return answer.read()


def _expect_success(answer: HTTPResponse, path: str) -> None:
    if answer.status not in {200, 201}:
        raise RuntimeError(f"{path}: {answer.status} {answer.read().decode(errors='replace')}")


def _read_all(source: Source, what: str, records: int) -> list[float]:
    """Read page after page, as a follower does; gives the seconds of the whole, as a list of one.

    Records are counted and not decoded: what their reader does with them is no matter of the server.
    """
    count, (path, media, read) = 0, source.readings[what]
    begin = time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", source.server.port, timeout=600)) as connection:
        while path:
            connection.request("GET", path, headers={**source.headers, "Accept": media})
            with connection.getresponse() as answer:
                _expect_success(answer, path)
                some, path = read(answer)
                count += some
    if count < records:  # a register may have more: it seals its query log
        raise RuntimeError(f"{source.name}, {what}: {count} of {records} records")
    return [time.perf_counter() - begin]


def _look_up(source: Source, what: str) -> list[float]:
    """Look one row up after the other; gives the seconds of each."""
    times = []
    with closing(HTTPConnection("127.0.0.1", source.server.port, timeout=60)) as connection:
        for _ in range(_LOOKUPS):
            path, begin = source.lookups[what](), time.perf_counter()
            json.loads(_ask(connection, "GET", path, source.headers))
            times.append(time.perf_counter() - begin)
    return times


def show(report: dict[str, Any]) -> None:
    """Print what `compare` gives."""
    print(f"\n{report['records']:,} records read by a follower; CPU microseconds of a record.\n")
    readings = {row["variant"]: row for row in report["readings"]}
    rivals = ("kinto, pages", "datasette, lines")
    heads = [f"{figure} /{rival.partition(',')[0]}" for rival in rivals for figure in ("s", "CPU")]
    lines = [
        (
            variant,
            shown(row["seconds"], 2),
            shown(row["cpu_us"], 1),
            *(each for rival in rivals for each in _ratios(row, readings.get(rival))),
        )
        for variant, row in readings.items()
    ]
    print(table(("variant", "s", "CPU", *heads), lines))
    print("\nOne row looked up: an agency, and a record (of Cekal its proof); CPU microseconds of each.\n")
    lookups = {row["variant"]: row for row in report["lookups"]}
    lines = [
        (
            variant,
            shown(row["seconds"] * 1e3, 2),
            shown(row["p99_seconds"] * 1e3, 2),
            shown(row["cpu_us"]),
            *_ratios(row, lookups.get(f"datasette, {variant.rpartition(' ')[2]}")),
        )
        for variant, row in lookups.items()
    ]
    print(table(("variant", "median ms", "p99 ms", "CPU", "ms /datasette", "CPU /datasette"), lines))
    for name, why in report["not_measured"].items():
        print(f"\nNot measured: {name}: {why}")
    print(f"\nOther work used {report['others_cores']} cores.")


def _ratios(row: dict[str, Any], rival: dict[str, Any] | None) -> Sequence[str]:
    return [shown(row[figure] / rival[figure] if rival else None, 2) for figure in ("seconds", "cpu_us")]
