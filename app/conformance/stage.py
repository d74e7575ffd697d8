"""A scripted service on this machine, against which a consumer is run: a ledger, and faults on demand."""

import contextlib
import hashlib
import json
import re
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from app.conformance.scripted import Json, ScriptedLedger
from app.conformance.session import CHANGES, EVENTS, JSON, LINES, PROBLEM, SNAPSHOT, ZSTD
from app.kit.zstd import ZstdCompressor

_RETRY_MS: Final = 200
"""The `retry` of streams: shorter than a register's, so that a rehearsal is short."""

_BEAT_SECONDS: Final = 1.0
_LONGEST_WAIT: Final = 1.0
_LIMIT: Final = 100
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that the scripted service shows in one answer of the feed or one snapshot.

    Attributes:
        status: the status of the answer; 200 if it is not refused.
        slug: the problem type of a refusal.
        retry_after: seconds in `Retry-After` of a refusal; 0 for no such header.
        cut_after: number of records (or lines) to send whole; the connection is cut within the next. None: no cut.
        alter: returns the records (or lines) to send, given the true ones.
        incomplete: whether the answer never says that all records were sent, so that a new copy is never complete.
        mute: whether the stream's connection stays open without a record or a heartbeat.
    """

    status: int = 200
    slug: str = ""
    retry_after: int = 0
    cut_after: int | None = None
    alter: Callable[[list[Json]], list[Json]] = list
    incomplete: bool = False
    mute: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for the feed whose key was accepted.

    Attributes:
        at: the time of the request, in seconds of a monotonic clock.
        after: the cursor after which records were requested; None for a request from the first record.
        fault: the fault in its answer; None for an answer without a fault.
    """

    at: float
    after: str | None
    fault: Fault | None


class Stage:
    """The state of a scripted service: the ledger that it shows, and the faults of its next answers.

    Attributes:
        url: the service's address; "" before it is served.
        key: the access key that the service accepts.
        asked: the requests for the feed so far, in order.
        snapshots: the number of requests for a snapshot so far.
    """

    def __init__(self, ledger: ScriptedLedger) -> None:
        self.url = ""
        self.key = f"cekal_rehearsal{secrets.token_hex(16)}"
        self.asked: list[Asked] = []
        self.snapshots = 0
        self._ledger = ledger
        self._faults: deque[Fault] = deque()
        self._snapshot_faults: deque[Fault] = deque()
        self._scene = 0
        self._changed = threading.Condition()

    @property
    def is_faulty(self) -> bool:
        """Whether a prepared fault, of the feed or of a snapshot, has not been shown in an answer yet."""
        return bool(self._faults or self._snapshot_faults)

    @property
    def waits(self) -> bool:
        """Whether a prepared fault of the feed has not been shown in an answer yet."""
        return bool(self._faults)

    @contextmanager
    def changing(
        self, *faults: Fault, ledger: ScriptedLedger | None = None, snapshots: Sequence[Fault] = ()
    ) -> Iterator[ScriptedLedger]:
        """Set the faults of the next answers, and lock and yield the ledger, so that the block can change it.

        At the block's end all open streams end, so that the consumer has to come back.

        Args:
            faults: the faults of the feed's next answers, in order, in place of all that were set before.
            ledger: the ledger to show from now on; None keeps the present one.
            snapshots: the faults of the next snapshots, in order, in place of all that were set before.
        """
        with self._changed:
            self._snapshot_faults = deque(snapshots)
            self._ledger = ledger or self._ledger
            self._faults = deque(faults)
            yield self._ledger
            self._scene += 1
            self._changed.notify_all()

    def replace_key(self) -> None:
        """Accept another key, and refuse the former one."""
        with self.changing():
            self.key = f"cekal_rehearsal{secrets.token_hex(16)}"

    def enter(self, after: str | None) -> tuple[Fault | None, ScriptedLedger, int]:
        """Record a request for the feed after the cursor `after`; None for a request from the first record.

        Returns the fault for the answer (None without one), the ledger, and the number of uses of `changing` so far.
        """
        with self._changed:
            fault = self._faults.popleft() if self._faults else None
            self.asked.append(Asked(time.monotonic(), after, fault))
            return fault, self._ledger, self._scene

    def enter_snapshot(self) -> tuple[Fault, list[Json]]:
        """Count a request for a snapshot. Returns the fault for its answer, and the lines to send; [] for none."""
        with self._changed:
            self.snapshots += 1
            fault = self._snapshot_faults.popleft() if self._snapshot_faults else Fault()
            return fault, fault.alter(list(self._ledger.snapshot))

    def records_after(self, ledger: ScriptedLedger, position: int) -> list[Json]:
        """Return copies of the records whose number is greater than `position`, as `ledger` shows them now."""
        with self._changed:
            return [dict(each) for each in ledger.records[position:]]

    def is_over(self, scene: int, seconds: float) -> bool:
        """Wait at most `seconds` for a use of `changing` after `enter` returned `scene`. Returns whether one came."""
        with self._changed:
            return self._changed.wait_for(lambda: self._scene != scene, seconds)

    def end(self) -> None:
        """End every stream, because the service stops."""
        with self.changing():
            pass

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, Json]:
        """Return status (200, 404, 422) and body of the answer to a GET of a path other than the feed's."""
        with self._changed:
            ledger = self._ledger
            try:
                found = _found(ledger, path, params)
            except (KeyError, ValueError, IndexError):
                return 422, problem(422, "validation")
        return (404, problem(404, "not-found")) if found is None else (200, found)


def _found(ledger: ScriptedLedger, path: str, params: dict[str, str]) -> Json | None:
    """Return what a call answers; None where there is nothing.

    Raises:
        KeyError, ValueError, IndexError: a parameter is missing or wrong.
    """
    match path:
        case "/v1/head":
            return ledger.head()
        case "/v1/signing-keys":
            return ledger.signing_keys()
        case "/v1/digest":
            asked = params.get("sequence")
            return (
                ledger.digest if ledger.digest and asked in {None, str(ledger.digest["sequence"])} else None
            )
        case "/v1/proofs/inclusion":
            return ledger.inclusion(int(params["sequence"]), int(params.get("size", ledger.size)))
        case "/v1/proofs/consistency":
            return ledger.consistency(int(params["from"]), int(params.get("to", ledger.size)))
    return None


def problem(status: int, slug: str, **extra: Any) -> Json:
    """Return a problem document with this status, type and further members."""
    words = HTTPStatus(status).phrase
    return {
        "type": f"/problems/{slug}",
        "title": words,
        "title_id": words,
        "status": status,
        "detail": "A rehearsal's answer.",
        "request_id": secrets.token_hex(8),
        **extra,
    }


@contextmanager
def serving(stage: Stage) -> Iterator[None]:
    """Run an HTTP server for a stage on a free port of loopback during the block; sets the stage's `url`."""

    class Handler(_Handler):
        pass

    Handler.stage = stage
    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    stage.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        stage.end()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Print nothing: a reader that goes away is a part of the rehearsal."""


class _Handler(BaseHTTPRequestHandler):
    stage: Stage
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        params = {name: values[-1] for name, values in parse_qs(url.query).items()}
        with contextlib.suppress(OSError):  # the reader has gone
            if (
                url.path != "/v1/signing-keys"
                and self.headers.get("Authorization") != f"Bearer {self.stage.key}"
            ):
                self._say(401, problem(401, "unauthenticated"))
            elif url.path == CHANGES:
                self._feed(params)
            elif url.path == SNAPSHOT:
                self._snapshot()
            else:
                self._say(*self.stage.answer(url.path, params))

    def _feed(self, params: dict[str, str]) -> None:
        after = self.headers.get("Last-Event-ID") or params.get("after")
        fault, ledger, scene = self.stage.enter(after)
        if fault is not None and fault.status != HTTPStatus.OK:
            self._say(fault.status, problem(fault.status, fault.slug), fault.retry_after)
            return
        epoch, _, text = (after or f"{ledger.epoch}.0").rpartition(".")
        if not text.isdigit() or not epoch:
            self._say(422, problem(422, "validation"))
        elif epoch != ledger.epoch or int(text) > ledger.size:
            self._say(410, problem(410, "cursor-gone", restart=CHANGES))
        elif EVENTS in self.headers.get("Accept", ""):
            self._stream(fault or Fault(), ledger, scene, int(text))
        elif LINES in self.headers.get("Accept", ""):
            self._lines(fault or Fault(), ledger, int(text), params)
        else:
            self._page(fault or Fault(), ledger, scene, int(text), params)

    def _snapshot(self) -> None:
        fault, lines = self.stage.enter_snapshot()
        frames = [f"{json.dumps(each)}\n".encode() for each in lines]
        if not frames:
            self._say(404, problem(404, "not-found"))
        elif LINES in self.headers.get("Accept", ""):
            self._begin(LINES)
            if not self._is_cut(frames, fault):
                self._chunk(b"")
        else:
            self._file(ZstdCompressor().compress(b"".join(frames), ZstdCompressor.FLUSH_FRAME))

    def _file(self, data: bytes) -> None:
        """Send a file, or the part of it that is asked for."""
        tag = f'"{hashlib.sha256(data).hexdigest()[:12]}"'
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        begin, end = 0, len(data)
        if asked is not None and self.headers.get("If-Range", tag) == tag:
            begin, end = int(asked[1]), min(int(asked[2] or end) + 1, end)
            self.send_response_only(206)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        else:
            self.send_response_only(200)
        for name, value in (("Content-Type", ZSTD), ("ETag", tag), ("Content-Length", str(end - begin))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[begin:end])

    def _stream(self, fault: Fault, ledger: ScriptedLedger, scene: int, position: int) -> None:
        self._begin(EVENTS)
        self._chunk(b"retry: %d\n\n" % _RETRY_MS)
        while fault.mute:
            if self.stage.is_over(scene, _BEAT_SECONDS):
                return
        while True:
            records = fault.alter(self.stage.records_after(ledger, position))
            frames = [
                f"id: {ledger.epoch}.{each['sequence']}\nevent: change\ndata: {json.dumps(each)}\n\n".encode()
                for each in records
            ]
            if self._is_cut(frames, fault):
                return
            position = max([position, *(each["sequence"] for each in records)])
            if fault.incomplete:
                self._chunk(b":\n\n")  # a comment: the line lives
            else:
                beat = json.dumps(
                    {"head": ledger.size, "at": "2026-01-01T00:00:00.000000Z", "degraded": False}
                )
                self._chunk(f"id: {ledger.epoch}.{position}\nevent: heartbeat\ndata: {beat}\n\n".encode())
            fault = Fault(incomplete=fault.incomplete)
            if self.stage.is_over(scene, _BEAT_SECONDS):
                self._chunk(b"")
                return

    def _lines(self, fault: Fault, ledger: ScriptedLedger, position: int, params: dict[str, str]) -> None:
        records = fault.alter(self.stage.records_after(ledger, position))[
            : int(params.get("limit", ledger.size))
        ]
        self._begin(LINES)
        if self._is_cut([f"{json.dumps(each)}\n".encode() for each in records], fault):
            return
        position = max([position, *(each["sequence"] for each in records)])
        more = fault.incomplete or position < ledger.size
        last = {"cursor": f"{ledger.epoch}.{position}", "head": ledger.size, "more": more}
        self._chunk(f"{json.dumps(last)}\n".encode())
        self._chunk(b"")

    def _page(
        self, fault: Fault, ledger: ScriptedLedger, scene: int, position: int, params: dict[str, str]
    ) -> None:
        records = fault.alter(self.stage.records_after(ledger, position))[: int(params.get("limit", _LIMIT))]
        if not records:
            self.stage.is_over(scene, min(float(params.get("wait", 0)), _LONGEST_WAIT))
        position = max([position, *(each["sequence"] for each in records)])
        more = fault.incomplete or position < ledger.size
        page = {"items": records, "cursor": f"{ledger.epoch}.{position}", "head": ledger.size, "more": more}
        if fault.cut_after is None:
            self._say(200, page)
            return
        self._begin(JSON)
        self._is_cut([json.dumps(page).encode()], Fault(cut_after=0))

    def _is_cut(self, frames: Sequence[bytes], fault: Fault) -> bool:
        """Send frames, or as many as a fault lets through. Returns whether the line was cut."""
        at = fault.cut_after
        if at is None or at >= len(frames):
            for each in frames:
                self._chunk(each)
            return False
        for each in frames[:at]:
            self._chunk(each)
        self._chunk(frames[at][: len(frames[at]) // 2])
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
        return True

    def _begin(self, kind: str) -> None:
        self.send_response_only(200)
        for name, value in (
            ("Content-Type", kind),
            ("Cache-Control", "no-store"),
            ("Transfer-Encoding", "chunked"),
        ):
            self.send_header(name, value)
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        """Send a chunk (RFC 9112 section 7.1); an empty one ends the answer."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _say(self, status: int, document: Json, retry_after: int = 0) -> None:
        body = json.dumps(document).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", JSON if status == HTTPStatus.OK else PROBLEM)
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""
