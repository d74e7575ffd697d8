"""How long does a proof take that a record is in a large ledger?

    python -m bench.proofs                          # 1,000,000 records, both engines
    python -m bench.proofs --quick --json           # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. One client asks one
question after the other over one connection: proofs of inclusion of random records, proofs that the ledger continued
random earlier sizes, and, as the floor, one agency by its code, which reads one row. Milliseconds, as the client sees
them.
"""

import argparse
import asyncio
import http.client
import json
import random
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.feed import fill, wait_until_signed
from bench.figures import median, percentile, shown, table
from bench.processes import Server, serving_cekal, split_cores
from bench.registers import ENGINES, Registers, opened, registers
from tests.support.actors import Actors

RECORDS = 1_000_000
_QUESTIONS = 500


def main() -> None:
    options = _options()
    with registers(options.place) as made:
        rows = [row for engine in options.engines for row in _measure(made, engine, options)]
    if options.json:
        print(json.dumps({"benchmark": "proofs", "records": options.records, "rows": rows}, indent=2))
        return
    head = [f"{options.records:,} records", "median ms", "p99 ms", "median / floor"]
    print(table(head, [_row(row) for row in rows]))


def _measure(made: Registers, engine: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    settings = asyncio.run(made.make(engine, f"proofs-{engine}"))
    key = asyncio.run(_filled(settings, options.records))
    chance, size = random.Random(1), options.records
    questions: dict[str, Callable[[], str]] = {
        "one agency": lambda: "/v1/agencies/KPK",
        "inclusion": lambda: f"/v1/proofs/inclusion?sequence={chance.randint(1, size)}&size={size}",
        "consistency": lambda: f"/v1/proofs/consistency?from={chance.randint(1, size)}&to={size}",
    }
    with serving_cekal(f"proofs-{engine}", made.folder, split_cores(), settings) as server:
        wait_until_signed(server, key, options.records)
        asked = {
            what: _ask(server, key, [path() for _ in range(options.questions)])
            for what, path in questions.items()
        }
    floor = median(asked["one agency"])
    return [
        {
            "engine": engine,
            "what": what,
            "median_ms": median(times),
            "p99_ms": percentile(sorted(times), 0.99),
            "to_floor": median(times) / floor,
        }
        for what, times in asked.items()
    ]


async def _filled(settings: dict[str, str], records: int) -> str:
    async with opened(settings) as runtime:
        reader = await Actors(runtime).client("auditor")
        await fill(runtime, records)
    return reader.key


def _ask(server: Server, key: str, paths: list[str]) -> list[float]:
    times = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            text = answer.read()
            times.append(1000 * (time.perf_counter() - began))
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {text.decode()}")
    return times[len(times) // 10 :]  # without a warm-up


def _row(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['engine']}, {row['what']}",
        shown(row["median_ms"], 2),
        shown(row["p99_ms"], 2),
        shown(row["to_floor"], 2),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.proofs", description=__doc__.partition("\n")[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--questions", type=int, default=_QUESTIONS)
    parser.add_argument("--place", type=Path, help="where databases lie; on a disk")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.records, options.questions = 300, 20
    return options


if __name__ == "__main__":
    main()
