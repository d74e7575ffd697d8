"""How fast is everybody back after an outage, and how fast are receipts stored? Beside rivals, in one run (Linux).

    python -m bench.storms                      # 5000 clients, 1000 receipts, both engines, 5 rounds
    python -m bench.storms --clients 1000 --rounds 10 --engines sqlite
    python -m bench.storms --quick --json       # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. The server under
test has one core; clients and PostgreSQL have the others. The variants take turns, so trust the ratios.

Reconnects: all clients, from many addresses, begin to connect at once and resume their streams with a `Last-Event-ID`
that is ten urgent entries old; measured is the time from the first connection's begin until a client has all ten
alerts. The rival is nginx with nchan, which has the same ten messages in memory, asks nobody for a key and stores
nothing; where it is not installed, it is left out. The bar: 5000 clients within 3 seconds.

Receipts: each of a thousand clients, several of them at each checkpoint, confirms one alert as received; all receipts
are posted at once, over 64 kept connections. Measured is the time until the last of them was answered with 201. The
rival is FastAPI's hello, asked as often over as many connections, which stores nothing. The bar: 1000 within a second.

The columns: seconds until the last connection was open, until the first client, half of them and the last had
everything (medians of the rounds, and the worst round), and the last as a ratio to nchan's; CPU of the server process
a client, in milliseconds; its memory at the end, in MB. For receipts: seconds (median, worst), the same as a ratio to
hello's, receipts a second, the 50th and 99th percentile of the latency in milliseconds, CPU of the server process a
receipt, in microseconds, and how many receipts the database has of how many were posted.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import func, select

from app.access.domain import SYSTEM
from app.access.tables import checkpoint
from app.alerting.alerts.tables import receipt
from bench.alerts import draw_photo, get_request, post_request, room_for, urgent_entry
from bench.brokers import has_nchan, nchan, publish_to_nchan
from bench.checks import generate
from bench.figures import median, shown, table
from bench.load import Outcome, Task
from bench.processes import ROOT, Cores, Noise, Server, raise_file_limit, serving, serving_cekal, split_cores
from bench.reconnects import Resumed, Storm
from bench.registers import ENGINES, Registers, opened, registers
from tests.support.actors import Actors

RECONNECT_BAR_S: Final = 3.0
RECEIPTS_BAR_S: Final = 1.0
_MISSED: Final = 10
_KEPT: Final = 20
_PATIENCE: Final = 60.0
_SETTLE_SECONDS: Final = 1.0
"""After each round: a server that closes thousands of streams is not to delay its neighbour."""


class Register:
    """A served register with its clients.

    Attributes:
        server: the server.
        keys: a gateway's key for each checkpoint.
        confirmers: keys of the clients that confirm alerts.
    """

    def __init__(self, made: Registers, engine: str, options: argparse.Namespace, photo: str) -> None:
        self.server: Server
        self.keys: list[str] = []
        self.confirmers: list[str] = []
        self._settings: dict[str, str] = {}
        self._submitter = ""
        self._numbers = count(1)
        self._photo = photo
        asyncio.run(self._fill(made, engine, options))

    async def _fill(self, made: Registers, engine: str, options: argparse.Namespace) -> None:
        self._settings = await made.make(engine, engine) | room_for(options.clients)
        async with opened(self._settings) as runtime:
            actors = Actors(runtime)
            self._submitter = (await actors.client("submitter")).key
            async with runtime.reading(SYSTEM) as reader:
                found = await reader.run(select(checkpoint.c.code).order_by(checkpoint.c.code))
                codes = found.scalars().all()
            for code in islice(codes, options.places or None):
                self.keys.append((await actors.client("checkpoint", checkpoint=code, gateway=True)).key)
            for code in islice(cycle(codes), options.receipts):
                self.confirmers.append((await actors.client("checkpoint", checkpoint=code)).key)

    @contextmanager
    def serve(self, name: str, folder: Path, cores: Cores) -> Iterator[None]:
        """Serve it for the block's length."""
        with serving_cekal(name, folder, cores, self._settings) as self.server:
            yield

    def issue_alert(self) -> str:
        """Make an urgent entry. Returns the id of its alert."""
        number = next(self._numbers)
        headers = {"Idempotency-Key": f"bench-{number}", "Content-Type": "application/json"}
        body = msgspec.json.encode(urgent_entry(number, self._photo))
        made = self._call("POST", "/v1/urgent-entries", self._submitter, body, headers)
        alert_id: str = made["alert"]["id"]
        return alert_id

    def read_alerts(self, after: str | None = None) -> tuple[list[dict[str, Any]], str]:
        """Return the alerts after a cursor, and the cursor behind them."""
        page = self._call("GET", f"/v1/alerts?after={after}" if after else "/v1/alerts", self.keys[0])
        return page["items"], page["cursor"]

    def _call(
        self,
        method: str,
        path: str,
        key: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=30)) as connection:
            connection.request(method, path, body, {"Authorization": f"Bearer {key}", **(headers or {})})
            answer = connection.getresponse()
            said = answer.read()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:500]!r}")
        decoded: dict[str, Any] = msgspec.json.decode(said)
        return decoded

    def count_receipts(self, alert_id: str) -> int:
        """Return how many receipts of an alert the database has."""

        async def counted() -> int:
            statement = select(func.count()).where(receipt.c.alert_id == alert_id)
            async with opened(self._settings) as runtime, runtime.reading(SYSTEM) as reader:
                return int((await reader.run(statement)).scalar_one())

        return asyncio.run(counted())


@dataclass(slots=True)
class Reconnects:
    """A variant of the first part: clients that resume after the same ten alerts in each round."""

    name: str
    server: Server
    requests: list[bytes]
    missed: list[bytes]
    rounds: list[Resumed] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def run(self, options: argparse.Namespace) -> None:
        """One round."""
        storm = Storm(
            port=self.server.port,
            requests=self.requests,
            count=options.clients,
            missed=self.missed,
            addresses=options.addresses,
            seconds=_PATIENCE,
        )
        before = self.server.cpu()
        done = subprocess.run(
            [sys.executable, "-m", "bench.reconnects"],
            cwd=ROOT,
            input=msgspec.json.encode(storm),
            stdout=subprocess.PIPE,
            check=True,
        )
        self.rounds.append(msgspec.json.decode(done.stdout, type=Resumed))
        time.sleep(_SETTLE_SECONDS)
        self.cpu_ms.append((self.server.cpu() - before) * 1000 / options.clients)


@dataclass(slots=True)
class Receipts:
    """A variant of the second part.

    Attributes:
        prepare: makes a round's requests, and a function that counts what was stored of them, if anything is stored.
    """

    name: str
    server: Server
    status: int
    prepare: Callable[[], tuple[list[bytes], Callable[[], int] | None]]
    rounds: list[Outcome] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def run(self, options: argparse.Namespace) -> None:
        """One round."""
        requests, count_stored = self.prepare()
        task = Task(
            port=self.server.port,
            requests=requests,
            connections=options.connections,
            warm_up=0.0,
            seconds=_PATIENCE,
            once=True,
            status=self.status,
        )
        before = self.server.cpu()
        self.rounds.append(generate(task))
        self.cpu_us.append((self.server.cpu() - before) * 1e6 / len(requests))
        if count_stored is not None:
            self.stored.append(count_stored())


@contextmanager
def _variants(
    options: argparse.Namespace, cores: Cores, made: Registers
) -> Iterator[tuple[list[Reconnects], list[Receipts]]]:
    """Every variant, its server running, for the block's length."""
    photo = draw_photo()
    reconnects, receipts = [], []
    with ExitStack() as stack:
        hello = stack.enter_context(serving("bench.rivals:hello", "hello", made.folder, cores, {}))
        asked = [b"GET /hello HTTP/1.1\r\nHost: hello\r\n\r\n"] * options.receipts
        receipts.append(Receipts("hello", hello, 200, lambda: (asked, None)))
        alerts: list[bytes] = []
        for engine in options.engines:
            register = Register(made, engine, options, photo)
            stack.enter_context(register.serve(engine, made.folder, cores))
            seen, missed, cursor = _miss_alerts(register)
            alerts = alerts or [seen, *missed]
            resume = [_with_header(get_request("/v1/alerts/stream", key), cursor) for key in register.keys]
            reconnects.append(Reconnects(engine, register.server, resume, [_mark(each) for each in missed]))
            receipts.append(Receipts(engine, register.server, 201, _confirming(register)))
        if has_nchan():
            server = stack.enter_context(nchan(made.folder, cores, _KEPT)).server
            first = publish_to_nchan(server.port, alerts)
            resume = [
                _with_header(
                    b"GET /stream HTTP/1.1\r\nHost: broker\r\nAccept: text/event-stream\r\n\r\n", first
                )
            ]
            reconnects.insert(0, Reconnects("nchan", server, resume, [_mark(each) for each in alerts[1:]]))
        yield reconnects, receipts


def _miss_alerts(register: Register) -> tuple[bytes, list[bytes], str]:
    """Issue an alert that clients have seen, and ten that they missed.

    Returns the JSON of the first, that of the others in order, and the cursor between them.
    """
    register.issue_alert()
    [seen], cursor = register.read_alerts()
    issued = [register.issue_alert() for _ in range(_MISSED)]
    missed, _ = register.read_alerts(cursor)
    if [each["id"] for each in missed] != issued:
        raise RuntimeError("the register does not have the alerts that it issued")
    encode = msgspec.json.encode
    return encode(seen), [encode(each) for each in missed], cursor


def _mark(alert: bytes) -> bytes:
    """What only the frame of this alert has: its id as JSON."""
    alert_id: str = msgspec.json.decode(alert)["id"]
    return f'"id":"{alert_id}"'.encode()


def _with_header(request: bytes, last_event_id: str) -> bytes:
    return request.removesuffix(b"\r\n") + f"Last-Event-ID: {last_event_id}\r\n\r\n".encode()


def _confirming(register: Register) -> Callable[[], tuple[list[bytes], Callable[[], int]]]:
    body = msgspec.json.encode({"level": "received"})

    def prepare() -> tuple[list[bytes], Callable[[], int]]:
        alert_id = register.issue_alert()
        path = f"/v1/alerts/{alert_id}/receipts"
        posted = [
            post_request(path, body, f"Authorization: Bearer {key}", "Content-Type: application/json")
            for key in register.confirmers
        ]
        return posted, lambda: register.count_receipts(alert_id)

    return prepare


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; gives the report."""
    cores = split_cores()
    raise_file_limit(options.clients + 1000)
    with registers(options.folder) as made, _variants(options, cores, made) as (reconnects, receipts):
        noise = Noise(*made.servers())
        for _ in range(options.rounds + 1):  # the first is the warm-up
            for back in reconnects:
                back.run(options)
        for _ in range(options.rounds + 1):
            for confirmed in receipts:
                confirmed.run(options)
        others = noise.share()
        return {
            "benchmark": "storms",
            "clients": options.clients,
            "receipts_posted": options.receipts,
            "connections": options.connections,
            "rounds": options.rounds,
            "cores_apart": cores.apart,
            "others_cores": round(others, 2),
            "not_run": [] if reconnects[0].name == "nchan" else ["nchan"],
            "reconnects": _reconnect_rows(reconnects, options.clients),
            "receipts": _receipt_rows(receipts, options.receipts),
        }


def _reconnect_rows(variants: Sequence[Reconnects], clients: int) -> list[dict[str, Any]]:
    rival = next((variant.rounds[1:] for variant in variants if variant.name == "nchan"), None)
    rows = []
    for variant in variants:
        rounds = variant.rounds[1:]
        last = [each.last_s for each in rounds]
        failures = _summed([each.failures for each in variant.rounds])
        failures |= {
            f"{each.count} of {clients} clients had everything": 1
            for each in variant.rounds
            if each.count != clients
        }
        rows.append(
            {
                "variant": variant.name,
                "connected_s": median([each.connected_s for each in rounds]),
                "first_s": median([each.first_s for each in rounds]),
                "median_s": median([each.median_s for each in rounds]),
                "last_s": median(last),
                "last_s_worst": max(last),
                "to_nchan": _ratio(last, [each.last_s for each in rival]) if rival else None,
                "cpu_ms": median(variant.cpu_ms[1:]),
                "rss_mb": variant.server.rss(),
                "resumed": sum(each.count for each in rounds),
                "failures": failures,
            }
        )
    return rows


def _receipt_rows(variants: Sequence[Receipts], receipts: int) -> list[dict[str, Any]]:
    hello = [each.seconds for each in variants[0].rounds[1:]]
    rows = []
    for variant in variants:
        rounds = variant.rounds[1:]
        seconds = [each.seconds for each in rounds]
        failures = _summed([each.failures for each in variant.rounds])
        failures |= {
            f"{each.served} of {receipts} requests were answered": 1
            for each in variant.rounds
            if each.served != receipts
        }
        failures |= {
            f"{stored} of {receipts} receipts are stored": 1
            for stored in variant.stored
            if stored != receipts
        }
        rows.append(
            {
                "variant": variant.name,
                "seconds": median(seconds),
                "seconds_worst": max(seconds),
                "to_hello": _ratio(seconds, hello),
                "per_second": median([each.served / each.seconds for each in rounds if each.seconds]),
                "p50_ms": median([each.p50_ms for each in rounds]),
                "p99_ms": median([each.p99_ms for each in rounds]),
                "cpu_us": median(variant.cpu_us[1:]),
                "stored": sum(variant.stored[1:]) if variant.stored else None,
                "posted": receipts * len(rounds),
                "failures": failures,
            }
        )
    return rows


def _ratio(seconds: Sequence[float], rival: Sequence[float]) -> float | None:
    """The median of the rounds' ratios: each round is compared with its neighbour in time."""
    ratios = [a / b for a, b in zip(seconds, rival, strict=True) if b]
    return median(ratios) if ratios else None


def _summed(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for name, number in each.items():
            total[name] = total.get(name, 0) + number
    return total


def _print(report: dict[str, Any]) -> None:
    print(
        f"\n{report['clients']} clients resume {_MISSED} alerts at once: medians of {report['rounds']} rounds, "
        f"seconds; the bar is {RECONNECT_BAR_S:.0f} s for 5000; others used {report['others_cores']} cores.\n"
    )
    head = ("variant", "open", "first", "half", "last", "worst", "/nchan", "CPU ms", "MB", "resumed")
    lines = [
        (
            row["variant"],
            shown(row["connected_s"], 2),
            shown(row["first_s"], 2),
            shown(row["median_s"], 2),
            shown(row["last_s"], 2),
            shown(row["last_s_worst"], 2),
            shown(row["to_nchan"], 1),
            shown(row["cpu_ms"], 2),
            shown(row["rss_mb"]),
            shown(row["resumed"]),
        )
        for row in report["reconnects"]
    ]
    print(table(head, lines))
    for name in report["not_run"]:
        print(f"\n{name}: not installed, not run")
    print(
        f"\n{report['receipts_posted']} receipts at once over {report['connections']} connections; the bar is "
        f"{RECEIPTS_BAR_S:.0f} s for 1000.\n"
    )
    columns = ("variant", "s", "worst", "/hello", "/s", "p50 ms", "p99 ms", "CPU us", "stored")
    confirmed = [
        (
            row["variant"],
            shown(row["seconds"], 2),
            shown(row["seconds_worst"], 2),
            shown(row["to_hello"], 1),
            shown(row["per_second"]),
            shown(row["p50_ms"], 1),
            shown(row["p99_ms"], 1),
            shown(row["cpu_us"]),
            shown(None if row["stored"] is None else f"{row['stored']} of {row['posted']}"),
        )
        for row in report["receipts"]
    ]
    print(table(columns, confirmed))


def main() -> int:
    """The command; 1 when a client did not get everything, or a receipt was not answered with 201 or not stored."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--clients", type=int, default=5000, help="clients that reconnect at once")
    parser.add_argument("--addresses", type=int, default=250, help="addresses that they come from")
    parser.add_argument("--receipts", type=int, default=1000, help="clients that confirm an alert at once")
    parser.add_argument("--connections", type=int, default=64, help="connections that they do it over")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--places", type=int, default=0, help="how many checkpoints resume streams; 0 for all"
    )
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.clients, options.receipts, options.connections = 20, 20, 4
        options.rounds, options.places, options.addresses = 1, 3, 2
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    failed = {
        f"{part}, {row['variant']}": row["failures"]
        for part in ("reconnects", "receipts")
        for row in report[part]
        if row["failures"]
    }
    for name, failures in failed.items():
        print(f"{name}: {failures}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
