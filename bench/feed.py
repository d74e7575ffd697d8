"""How fast is the feed of changes? Followers beside alert streams, and all lines beside a bare export (Linux).

    python -m bench.feed                          # 500 followers, 100,000 records, both engines
    python -m bench.feed --rounds 30 --records 1000000
    python -m bench.feed --rivals                 # beside Kinto and Datasette, which it installs in .rivals/ once
    python -m bench.feed --quick --json           # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. Two things are
measured, and a third with --rivals, the variants of each taking turns, so trust the ratios:

- *followers*: an officer posts an urgent entry; measured is the time from the first byte of that request until the last
  stream has its frame. One server has streams of alerts, another one of the same engine as many followers of the feed,
  of four agencies, who get the record `entry.provisional`.
- *export*: the whole ledger as lines (`Accept: application/x-ndjson`) to an integrator of Immigration, whose personal
  parts are all shown. The rival reads the same rows in the same order and does nothing with them: a SELECT of the
  standard library's sqlite3, and COPY to standard output on PostgreSQL. CPU is that of a record in microseconds, the
  database's included, without that of the reader of the lines; on a busy machine trust it rather than the seconds. MB
  are those of the server process: before, and the most during the export.
- *rivals*: a follower reads all records by pages of 500, and as lines; Kinto and Datasette hold the
  same ones (bench/feed_rivals.py). And an agency is looked up by its code, and a record: by Cekal with its proof, by
  Datasette as a row. A rival that can't be installed or run here is named, and is no failure.
"""

import argparse
import asyncio
import http.client
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.engine import make_url

from app.access.domain import SYSTEM
from app.ledger.domain import Draft, RecordType
from app.ledger.service import append
from app.runtime import Runtime
from bench import feed_rivals
from bench.alerts import Broadcast, draw_photo, post_request, urgent_entry
from bench.figures import median, percentile, shown, table
from bench.processes import Cores, Noise, Server, raise_file_limit, serving_cekal, split_cores
from bench.registers import ENGINES, Registers, opened, registers
from tests.support.actors import Actors

_AGENCIES = ("IMIGRASI", "KPK", "BNN", "POLRI")
_AT_ONCE = 1000
_CHUNK = 1 << 18
_PAUSE = 0.5
_ROWS = "SELECT * FROM ledger_record ORDER BY sequence"


def _stream(path: str, key: str) -> bytes:
    """A whole HTTP request that opens a stream."""
    head = f"Host: cekal\r\nAccept: text/event-stream\r\nAuthorization: Bearer {key}\r\n\r\n"
    return f"GET {path} HTTP/1.1\r\n{head}".encode()


async def _keys(settings: dict[str, str]) -> tuple[str, list[str], list[str]]:
    """A submitter's key, those of checkpoints, and those of integrators."""
    async with opened(settings) as runtime:
        actors = Actors(runtime)
        submitter = await actors.client("submitter")
        places = [await actors.client("checkpoint", checkpoint=code, gateway=True) for code in ("CGK", "DPS")]
        followers = [await actors.client("integrator", agency=code, gateway=True) for code in _AGENCIES]
    return submitter.key, [each.key for each in places], [each.key for each in followers]


def _broadcast(kind: str, server: Server, keys: tuple[str, list[str], list[str]], photo: str) -> Broadcast:
    submitter, places, followers = keys

    def posts(number: int) -> bytes:
        body = msgspec.json.encode(urgent_entry(number, photo))
        headers = (f"Authorization: Bearer {submitter}", f"Idempotency-Key: bench-{number}")
        return post_request("/v1/urgent-entries", body, *headers, "Content-Type: application/json")

    if kind == "alerts":
        return Broadcast(kind, server, [_stream("/v1/alerts/stream", each) for each in places], posts)
    path = "/v1/changes?type=entry.provisional"
    return Broadcast(kind, server, [_stream(path, each) for each in followers], posts, "change")


def _measure_followers(
    options: argparse.Namespace, cores: Cores, made: Registers, engine: str
) -> dict[str, Any]:
    photo = draw_photo()
    with ExitStack() as stack:
        variants = []
        for kind in ("alerts", "feed"):
            name = f"{engine}-{kind}"
            settings = asyncio.run(made.make(engine, name))
            keys = asyncio.run(_keys(settings))
            server = stack.enter_context(serving_cekal(name, made.folder, cores, settings))
            variants.append(_broadcast(kind, server, keys, photo))
        for variant in variants:
            variant.open(options.followers)
        for variant in variants:
            variant.run()  # a warm-up
        noise = Noise(*made.servers())
        for _ in range(options.rounds):
            for variant in variants:
                variant.run()
        others = noise.share()
        for variant in variants:
            variant.close()
    rows: list[dict[str, Any]] = []
    for variant in variants:
        last = sorted(reached.last_ms for reached in variant.rounds[1:])
        rows.append(
            {
                "variant": variant.name,
                "answered_ms": median([reached.answered_ms for reached in variant.rounds[1:]]),
                "first_ms": median([reached.first_ms for reached in variant.rounds[1:]]),
                "last_ms": median(last),
                "last_p99_ms": percentile(last, 0.99),
                "rss_mb": variant.rss_mb,
                "reached": sum(reached.count for reached in variant.rounds[1:]),
                "failures": variant.failures(),
            }
        )
    alerts, feed = rows
    return {
        "engine": engine,
        "variants": rows,
        "to_alerts": feed["last_ms"] / alerts["last_ms"],
        "others_cores": round(others, 2),
    }


async def fill(runtime: Runtime, count: int) -> None:
    """Append so many records of entries of four agencies, with personal parts of usual size."""
    for begin in range(0, count, _AT_ONCE):
        drafts = []
        for number in range(begin, min(count, begin + _AT_ONCE)):
            personal = {**urgent_entry(number, ""), "letter": None, "alert": None}
            agency = _AGENCIES[number % len(_AGENCIES)]
            facts = {"measure": "prevention", "ends_on": "2027-05-23"}
            entry_id = f"ent_{number:026d}"
            drafts.append(Draft(RecordType.ENTRY_LISTED, entry_id, 3, agency, facts, personal))
        async with runtime.writing(SYSTEM) as unit:
            await append(unit, drafts)


def wait_until_signed(server: Server, key: str, records: int) -> None:
    """Wait until the register has signed all records: before, its signer keeps a core busy."""
    while True:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            connection.request("GET", "/v1/head", headers={"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            if json.loads(answer.read()).get("size", 0) >= records:
                return
        time.sleep(_PAUSE)


async def filled(settings: dict[str, str], count: int) -> str:
    async with opened(settings) as runtime:
        reader = await Actors(runtime).client("integrator", agency="IMIGRASI")
        await fill(runtime, count)
    return reader.key


def select_rows(url: str) -> int:
    """Read every row of the ledger from SQLite's file; gives how many."""
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        return sum(1 for _ in connection.execute(_ROWS))


async def copy_rows(url: str) -> int:
    """Have PostgreSQL copy every row of the ledger to this process; gives how many."""
    rows = 0

    async def count(data: bytes) -> None:
        nonlocal rows
        rows += data.count(b"\n")

    connection = await asyncpg.connect(url)
    try:
        await connection.copy_from_query(_ROWS, output=count)
    finally:
        await connection.close()
    return rows


def _lines(server: Server, key: str) -> tuple[int, float, dict[str, Any]]:
    """Read all lines; gives the bytes, the most memory of the server meanwhile in MB, and the last line."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/x-ndjson"}
    connection.request("GET", "/v1/changes", headers=headers)
    size, most, end = 0, 0.0, b""
    with closing(connection), connection.getresponse() as answer:
        while data := answer.read1(_CHUNK):
            size += len(data)
            end = (end + data)[-1000:]
            most = max(most, server.rss())
    last: dict[str, Any] = json.loads(end.rstrip(b"\n").rpartition(b"\n")[2])
    return size, most, last


def _measure_export(
    options: argparse.Namespace, cores: Cores, made: Registers, engine: str
) -> dict[str, Any]:
    name = f"{engine}-export"
    settings = asyncio.run(made.make(engine, name))
    url = settings["CEKAL_DATABASE_URL"]
    key = asyncio.run(filled(settings, options.records))
    bare: list[float] = []
    lines: list[float] = []
    failures: list[str] = []
    size, most = 0, 0.0
    bare_cpu: list[float] = []
    lines_cpu: list[float] = []
    with serving_cekal(name, made.folder, cores, settings) as server:
        before = server.rss()

        def database_cpu() -> float:
            return made.server()[1].cpu() if engine == "postgresql" else 0.0

        for _ in range(options.exports + 1):
            begin, used = time.perf_counter(), time.process_time() + database_cpu()
            rows = select_rows(url) if engine == "sqlite" else asyncio.run(copy_rows(url))
            bare.append(time.perf_counter() - begin)
            bare_cpu.append(time.process_time() + database_cpu() - used)
            begin, used = time.perf_counter(), server.cpu() + database_cpu()
            size, high, last = _lines(server, key)
            lines.append(time.perf_counter() - begin)
            lines_cpu.append(server.cpu() + database_cpu() - used)
            most = max(most, high)
            if rows != options.records or (last["head"], last["more"]) != (options.records, False):
                failures.append(f"{rows} rows and the last line {last} of {options.records} records")
    bare, lines, bare_cpu, lines_cpu = bare[1:], lines[1:], bare_cpu[1:], lines_cpu[1:]  # without a warm-up
    return {
        "engine": engine,
        "records": options.records,
        "bare_seconds": median(bare),
        "lines_seconds": median(lines),
        "to_bare": median(lines) / median(bare),
        "bare_cpu_us": median(bare_cpu) / options.records * 1e6,
        "lines_cpu_us": median(lines_cpu) / options.records * 1e6,
        "records_per_second": options.records / median(lines),
        "mb": size / 1e6,
        "rss_mb": [before, most],
        "failures": failures,
    }


def _measure_rivals(options: argparse.Namespace, cores: Cores, made: Registers) -> dict[str, Any]:
    ours, sqlite = [], None
    with ExitStack() as stack:
        for engine in options.engines:
            name = f"{engine}-rivals"
            settings = asyncio.run(made.make(engine, name))
            key = asyncio.run(filled(settings, options.records))
            server = stack.enter_context(serving_cekal(name, made.folder, cores, settings))
            wait_until_signed(server, key, options.records)
            ours.append(feed_rivals.cekal(engine, server, made, key, options.records))
            if engine == "sqlite":
                sqlite = settings["CEKAL_DATABASE_URL"]
        return feed_rivals.compare(options.rivals, cores, made, ours, sqlite, options.exports)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; gives the report."""
    cores = split_cores()
    raise_file_limit(options.followers * 2 + 1000)
    with registers(options.folder) as made:
        followers = [_measure_followers(options, cores, made, each) for each in options.engines]
        exports = [_measure_export(options, cores, made, each) for each in options.engines]
        rivals = _measure_rivals(options, cores, made) if options.rivals else None
    return {
        "benchmark": "feed",
        "rounds": options.rounds,
        "streams": options.followers,
        "cores_apart": cores.apart,
        "followers": followers,
        "exports": exports,
        "rivals": rivals,
    }


def _print(report: dict[str, Any]) -> None:
    lines: list[Sequence[str]] = []
    for result in report["followers"]:
        for row in result["variants"]:
            ratio = result["to_alerts"] if row["variant"] == "feed" else None
            figures = [shown(row[name], 1) for name in ("answered_ms", "first_ms", "last_ms", "last_p99_ms")]
            memory = " to ".join(f"{mb:.0f}" for mb in row["rss_mb"])
            lines.append((f"{result['engine']}, {row['variant']}", *figures, shown(ratio, 2), memory))
    print(f"\nAn urgent entry to {report['streams']:,} streams, {report['rounds']} rounds, in ms.\n")
    print(table(("variant", "answer", "first", "last", "last, p99", "/alerts", "MB"), lines))
    lines = [
        (
            result["engine"],
            shown(result["records"]),
            shown(result["mb"]),
            shown(result["bare_seconds"], 2),
            shown(result["lines_seconds"], 2),
            shown(result["to_bare"], 1),
            shown(result["records_per_second"]),
            shown(result["bare_cpu_us"], 1),
            shown(result["lines_cpu_us"], 1),
            " to ".join(f"{mb:.0f}" for mb in result["rss_mb"]),
        )
        for result in report["exports"]
    ]
    print("\nThe whole ledger as lines.\n")
    print(
        table(
            (
                "engine",
                "records",
                "MB sent",
                "bare s",
                "lines s",
                "/bare",
                "records/s",
                "bare CPU",
                "CPU",
                "MB",
            ),
            lines,
        )
    )


def main() -> int:
    """The command; 1 when a stream was not reached or an export was not whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--followers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--exports", type=int, default=3, help="how often the ledger is exported")
    parser.add_argument(
        "--rivals",
        type=Path,
        nargs="?",
        const=feed_rivals.PLACE,
        metavar="FOLDER",
        help="beside Kinto and Datasette, in environments of that folder (.rivals), made from the package index once",
    )
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.followers, options.rounds, options.records, options.exports = 20, 2, 1000, 1
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
        if report["rivals"]:
            feed_rivals.show(report["rivals"])
    parts = [row for result in report["followers"] for row in result["variants"]] + report["exports"]
    failures = sorted({failure for part in parts for failure in part["failures"]})
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
