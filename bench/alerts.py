"""How fast does an alert reach everybody? Against a bare broadcast of the same frame, in one interleaved run (Linux).

    python -m bench.alerts                            # 1000 and 5000 streams, both engines, 15 rounds
    python -m bench.alerts --streams 1000 --rounds 30
    python -m bench.alerts --streams 18000 --rounds 3 --engines sqlite   # memory; `ulimit -n` must allow it
    python -m bench.alerts --brokers --engines sqlite # beside nginx with nchan and nats-server
    python -m bench.alerts --quick --json             # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. An officer
posts a whole urgent entry, with a photo of some 100 kB; measured is the time from the first byte of that request
until the last stream has the alert. The rival keeps nothing: `POST /publish` gives the bytes of its body (a frame
of Cekal's, heartbeats aside) to every stream. Both are served by the same uvicorn set-up on a core of its own;
listeners and PostgreSQL have the others. The variants take turns, so trust the ratios.

The columns, in milliseconds from the request: its answer, the first stream, half of the streams, the last one
(median of the rounds, and the worst round), the last one as a ratio to the bare broadcast's; CPU of the server
process an event, in milliseconds; memory of the server process before the streams, with them, and at the end, in
MB; memory that a stream takes when all are open, in kB; seconds that opening the streams took.
"""

import argparse
import asyncio
import base64
import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.access.tables import checkpoint
from app.kit.clock import legal_day
from bench.brokers import brokers
from bench.figures import median, shown, table
from bench.listeners import Opened, Opening, Post, Reached
from bench.processes import ROOT, Cores, Noise, Server, raise_file_limit, serving, serving_cekal, split_cores
from bench.registers import ENGINES, Registers, opened, registers
from tests.support.actors import Actors

_PHOTO_BYTES = 100_000
_USUAL_STREAMS = 5000
_SETTLE_SECONDS = 0.15
"""After each event: what the server still does about it is its own, not its neighbour's."""


class Broadcast:
    """One server, its listeners, and what they saw; events are posted to `poster`, or else to the server itself.

    Where the server is a broker, an event is posted to a register, and then relayed to `relay_port`.
    """

    def __init__(
        self,
        name: str,
        server: Server,
        streams: list[bytes],
        posts: Callable[[int], bytes],
        event: str = "alert",
        poster: Server | None = None,
        ready: bytes = b"",
        relay: tuple[int, Callable[[], bytes]] | None = None,
    ) -> None:
        self.name = name
        self._ready = ready
        self._relay_port, self._relay = relay or (0, bytes)
        self._mark = f"event: {event}\n".encode()
        self.rounds: list[Reached] = []
        self.cpu_ms: list[float] = []
        self.rss_mb = [server.rss()]
        self.opened = Opened(count=0, seconds=0.0, failures=[])
        self._server = server
        self._post_port = (poster or server).port
        self._streams = streams
        self._posts = posts
        self._listeners: subprocess.Popen[bytes] | None = None

    @property
    def stream_kb(self) -> float:
        """Memory that each open stream takes, in kB (10^3 bytes)."""
        before, after = self.rss_mb[:2]
        return (after - before) * 1000 / max(1, self.opened.count)

    def open(self, count: int) -> None:
        """Open the streams."""
        self._listeners = subprocess.Popen(
            [sys.executable, "-m", "bench.listeners"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        opening = Opening(
            port=self._server.port,
            requests=self._streams,
            count=count,
            mark=self._mark,
            ready=self._ready,
        )
        self.opened = msgspec.json.decode(self._order(opening), type=Opened)
        self.rss_mb.append(self._server.rss())

    def run(self) -> None:
        """One event."""
        number = len(self.rounds)
        post = Post(
            request=self._posts(number),
            port=self._post_port,
            relay=self._relay(),
            relay_port=self._relay_port,
        )
        before = self._server.cpu()
        self.rounds.append(msgspec.json.decode(self._order(post), type=Reached))
        time.sleep(_SETTLE_SECONDS)
        self.cpu_ms.append((self._server.cpu() - before) * 1000)

    def close(self) -> None:
        """Let the listeners go."""
        self.rss_mb.append(self._server.rss())
        if self._listeners is not None:
            self._listeners.communicate()

    def _order(self, order: Opening | Post) -> bytes:
        assert self._listeners is not None, "open() comes first"
        assert self._listeners.stdin is not None
        assert self._listeners.stdout is not None
        self._listeners.stdin.write(msgspec.json.encode(order) + b"\n")
        self._listeners.stdin.flush()
        return self._listeners.stdout.readline()

    def failures(self) -> list[str]:
        """What went wrong."""
        found = [f"stream: {failure}" for failure in self.opened.failures]
        for reached in self.rounds:
            if not reached.status.startswith(("HTTP/1.1 200", "HTTP/1.1 201")):
                found.append(f"post: {reached.status}")
            if reached.count != self.opened.count:
                found.append(f"reached {reached.count} of {self.opened.count} streams")
        return found


def get_request(path: str, key: str) -> bytes:
    """A whole HTTP request that reads something with a key."""
    return f"GET {path} HTTP/1.1\r\nHost: cekal\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def post_request(path: str, body: bytes, *headers: str) -> bytes:
    """A whole HTTP request that posts a body."""
    named = "".join(f"{header}\r\n" for header in headers)
    return (
        f"POST {path} HTTP/1.1\r\nHost: cekal\r\n{named}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )


def draw_photo() -> str:
    """A noisy JPEG of some 100 kB, as base64 text."""
    data, side = b"", 300
    while len(data) < _PHOTO_BYTES:
        side += 20
        out = io.BytesIO()
        Image.effect_noise((side, side * 4 // 3), 48).convert("RGB").save(out, "JPEG", quality=85)
        data = out.getvalue()
    return base64.b64encode(data).decode()


def urgent_entry(number: int, photo: str) -> dict[str, Any]:
    """The body of the n-th urgent entry: another person, letter and case each time."""
    today = legal_day(datetime.now(UTC)).isoformat()
    return {
        "measure": "prevention",
        "subject": {
            "full_name": f"Contoh Mendesak {number}",
            "aliases": [{"name": f"Contoh {number}", "quality": "good"}],
            "sex": "male",
            "birth": {"date": "1970-05-17"},
            "birth_place": "Semarang",
            "nationalities": ["IDN"],
            "nik": f"337401170570{number % 9999 + 1:04d}",
            "documents": [{"type": "passport", "number": f"X{number:07d}", "issuing_state": "IDN"}],
            "photo": {"media_type": "image/jpeg", "data": photo},
        },
        "basis": {
            "instrument": "order",
            "number": f"R-{number}/BENCH",
            "issued_on": today,
            "law": "UU 19/2019 art. 12(2)a",
            "reason_code": "corruption",
            "reason": "Penyidikan",
            "case_reference": f"SPRINDIK-{number}",
            "stage": "investigation",
            "subject_status": "suspect",
        },
        "unknown": ["address", "occupation"],
        "letter": {"number": f"ND-{number}", "issued_on": today, "sha256": "0" * 64},
        "alert": {"message": "Tahan dan hubungi KPK", "checkpoints": ["CGK"]},
    }


async def _prepare(
    made: Registers, engine: str, name: str, places: int
) -> tuple[dict[str, str], str, list[str]]:
    """A register: the settings to serve it with, a submitter's key, and a key for each of its checkpoints."""
    settings = await made.make(engine, name)
    async with opened(settings) as runtime:
        actors = Actors(runtime)
        submitter = await actors.client("submitter")
        async with runtime.reading(SYSTEM) as reader:
            codes = (await reader.run(select(checkpoint.c.code).order_by(checkpoint.c.code))).scalars().all()
        keys = [
            (await actors.client("checkpoint", checkpoint=code, gateway=True)).key
            for code in islice(codes, places or None)
        ]
    return settings, submitter.key, keys


def room_for(count: int) -> dict[str, str]:
    """The settings that let so many streams in, where the usual ones do not."""
    if count <= _USUAL_STREAMS:
        return {}
    names = ("STREAMS_LIMIT", "CONNECTIONS_LIMIT", "CONNECTIONS_PER_ADDRESS", "CONNECTIONS_PER_KEY")
    return {f"CEKAL_{name}": str(count + 1000) for name in names}


@contextmanager
def _variants(
    options: argparse.Namespace, cores: Cores, made: Registers, count: int
) -> Iterator[list[Broadcast]]:
    """Every variant with its streams open, for the block's length."""
    photo = draw_photo()
    with ExitStack() as stack:
        bare = stack.enter_context(serving("bench.rivals:broadcast", f"bare-{count}", made.folder, cores, {}))
        frames: list[bytes] = [b"id: 0\nevent: alert\ndata: {}\n\n"]
        variants = [
            Broadcast(
                "bare", bare, [get_request("/stream", "-")], lambda _: post_request("/publish", frames[-1])
            )
        ]
        for engine in options.engines:
            settings, key, keys = asyncio.run(_prepare(made, engine, f"{engine}-{count}", options.places))
            name = f"{engine}-{count}"
            settings |= room_for(count)
            server = stack.enter_context(serving_cekal(name, made.folder, cores, settings))

            def posts(number: int, key: str = key) -> bytes:
                return _post_urgent(key, number, photo)

            variants.append(
                Broadcast(engine, server, [get_request("/v1/alerts/stream", each) for each in keys], posts)
            )
        if options.brokers:
            variants += stack.enter_context(_fed_brokers(options, cores, made, photo, count, frames))
        for variant in variants:
            variant.open(count)
        for variant in variants[1:]:  # the bare broadcast gets a frame of the same size, and all get warm
            variant.run()
            if variant.name in ENGINES:
                frames.append(variant.rounds[-1].frame)
        variants[0].run()
        for variant in variants:
            variant.cpu_ms.clear()
        yield variants


@contextmanager
def _fed_brokers(
    options: argparse.Namespace, cores: Cores, made: Registers, photo: str, count: int, frames: list[bytes]
) -> Iterator[list[Broadcast]]:
    """Every installed broker, fed by a register without streams of its own, for the block's length."""
    engine = options.engines[0]
    settings, key, _ = asyncio.run(_prepare(made, engine, f"feeder-{count}", 1))
    with ExitStack() as stack:
        feeder = stack.enter_context(serving_cekal(f"feeder-{count}", made.folder, cores, settings))
        variants: list[Broadcast] = []
        for broker in stack.enter_context(brokers(made.folder / f"brokers-{count}", cores)):

            def posts(number: int, first: int = 1000 * len(variants)) -> bytes:
                return _post_urgent(key, first + number, photo)

            def relay(publish: Callable[[bytes], bytes] = broker.publish) -> bytes:
                return publish(frames[-1])

            variants.append(
                Broadcast(
                    broker.name,
                    broker.server,
                    [broker.stream],
                    posts,
                    poster=feeder,
                    ready=broker.ready,
                    relay=(broker.publish_port, relay),
                )
            )
        yield variants


def _post_urgent(key: str, number: int, photo: str) -> bytes:
    headers = (f"Authorization: Bearer {key}", f"Idempotency-Key: bench-{number}")
    body = msgspec.json.encode(urgent_entry(number, photo))
    return post_request("/v1/urgent-entries", body, *headers, "Content-Type: application/json")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; gives the report."""
    cores = split_cores()
    raise_file_limit(max(options.streams) + 1000)
    results = []
    with registers(options.folder) as made:
        for count in options.streams:
            with _variants(options, cores, made, count) as variants:
                noise = Noise(*made.servers())
                for _ in range(options.rounds):
                    for variant in variants:
                        variant.run()
                others = noise.share()
                for variant in variants:
                    variant.close()
            results.append({"streams": count, "others_cores": round(others, 2), "variants": _rows(variants)})
    return {
        "benchmark": "alerts",
        "rounds": options.rounds,
        "cores_apart": cores.apart,
        "results": results,
    }


def _rows(variants: Sequence[Broadcast]) -> list[dict[str, Any]]:
    bare = [reached.last_ms for reached in variants[0].rounds[1:]]
    rows = []
    for variant in variants:
        rounds = variant.rounds[1:]  # the first was the warm-up
        last = [reached.last_ms for reached in rounds]
        rows.append(
            {
                "variant": variant.name,
                "answered_ms": median([reached.answered_ms for reached in rounds]),
                "first_ms": median([reached.first_ms for reached in rounds]),
                "median_ms": median([reached.median_ms for reached in rounds]),
                "last_ms": median(last),
                "last_ms_worst": max(last),
                "to_bare": median(last) / median(bare),
                "cpu_ms": sum(variant.cpu_ms) / len(variant.cpu_ms),
                "rss_mb": variant.rss_mb,
                "stream_kb": variant.stream_kb,
                "open_seconds": variant.opened.seconds,
                "reached": sum(reached.count for reached in rounds),
                "failures": variant.failures(),
            }
        )
    return rows


def _print(report: dict[str, Any]) -> None:
    head = ("variant", "answer", "first", "half", "last", "worst", "/bare", "CPU", "MB", "kB each", "open s")
    for result in report["results"]:
        lines = [
            (
                row["variant"],
                *(
                    shown(row[name], 1)
                    for name in ("answered_ms", "first_ms", "median_ms", "last_ms", "last_ms_worst")
                ),
                shown(row["to_bare"], 2),
                shown(row["cpu_ms"]),
                " to ".join(f"{mb:.0f}" for mb in row["rss_mb"]),
                shown(row["stream_kb"], 1),
                shown(row["open_seconds"], 1),
            )
            for row in result["variants"]
        ]
        print(
            f"\nAlerts to {result['streams']:,} streams: medians of {report['rounds']} rounds; "
            f"others used {result['others_cores']} cores.\n"
        )
        print(table(head, lines))


def main() -> int:
    """The command; 1 when a stream was refused, a post was not accepted, or a stream was not reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--streams", nargs="+", type=int, default=[1000, 5000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--brokers", action="store_true", help="also nginx with nchan, and nats-server, if installed"
    )
    parser.add_argument("--places", type=int, default=0, help="how many checkpoints listen; 0 for all")
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.streams, options.rounds, options.places = [20], 2, 3
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    failed = {
        f"{row['variant']}, {result['streams']} streams": row["failures"]
        for result in report["results"]
        for row in result["variants"]
        if row["failures"]
    }
    for name, failures in failed.items():
        print(f"{name}: {'; '.join(sorted(set(failures)))}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
