"""The HTTP client of one examination, and what its checks have read so far."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from app.conformance.digests import StateDigest
from app.conformance.findings import Failed, Skipped
from app.tlog.keys import VerifierKey

Json = dict[str, Any]

JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"
PLAIN: Final = "text/plain"
PROBLEM: Final = "application/problem+json"

ZSTD: Final = "application/zstd"

CHANGES: Final = "/v1/changes"
SNAPSHOT: Final = "/v1/snapshot"

PATIENCE: Final = 30.0
"""Seconds to wait for the next bytes; a stream has a heartbeat every 15 s."""

_LONGEST_ANSWER: Final = 120.0
"""Seconds that one answer in lines or events may take."""

_LONGEST_PAUSE: Final = 10.0
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The signed head of the examined ledger, by which later checks verify all proofs.

    Attributes:
        origin: the log's name.
        size: the number of the ledger's records.
        root: the Merkle root over the records' leaves.
        keys: the published keys of this origin that were in use when the head was signed.
    """

    origin: str
    size: int
    root: bytes
    keys: tuple[VerifierKey, ...]


class Session:
    """Sends the requests of one examination of a service, and keeps what a check has read for later checks.

    Args:
        http: a client with the service's address, without a key.
        key: the access key that is sent, of an integrator or an auditor.
        most: the largest number of records that are read from the ledger's beginning.

    Attributes:
        epoch: the epoch in the cursors; "" before pages were read.
        records: the ledger's first records, in order; empty before pages were read.
        reach: the number of records that the ledger has, as the newest page said.
        signing_keys: the published signing keys; empty before they were read.
        digest: the record number at which a snapshot was made, and the digest of its lines; (0, an empty digest) before
            a snapshot was read.
        seal: the number of the record that seals this digest, and the hash of its leaf; (0, no bytes) before a snapshot
            was read.
    """

    def __init__(self, http: httpx2.Client, key: str, most: int) -> None:
        self.most = most
        self.epoch = ""
        self.records: list[Json] = []
        self.reach = 0
        self.signing_keys: list[Json] = []
        self.digest: tuple[int, StateDigest] = (0, StateDigest())
        self.seal: tuple[int, bytes] = (0, b"")
        self._head: SignedHead | None = None
        self._http = http
        self._key = key

    @property
    def head(self) -> SignedHead:
        """The signed head that `read_head` has read.

        Raises:
            Skipped: none was read, or it covers no record.
        """
        if self._head is None or self._head.size == 0:
            raise Skipped("The ledger has no signed records yet.")
        return self._head

    @head.setter
    def head(self, head: SignedHead) -> None:
        self._head = head

    def first(self, least: int = 1) -> list[Json]:
        """Return the records that were read from the beginning of the ledger, in order.

        Raises:
            Skipped: fewer than `least` records were read.
        """
        if len(self.records) < least:
            raise Skipped(f"The ledger has {len(self.records)} records, and this needs {least}.")
        return self.records

    def cursor(self, sequence: int) -> str:
        """Return the cursor after the record with this sequence, in the epoch of the pages that were read."""
        return f"{self.epoch}.{sequence}"

    def get(
        self, path: str, accept: str = JSON, *, method: str = "GET", keyless: bool = False, **asked: Any
    ) -> httpx2.Response:
        """Send a request and return its answer.

        After a 429 or 503 with a `Retry-After` of at most ten seconds, wait and send it again, up to four times in all.

        Args:
            path: the path below the service's address.
            accept: the media type.
            method: the HTTP method.
            keyless: whether the request is sent without the key.
            asked: `headers`, further headers, and `params`, the query parameters.

        Raises:
            httpx2.HTTPError: the service can't be reached, or does not answer in time.
        """
        for _ in range(_TRIES):
            answer = self._http.request(
                method,
                path,
                headers=self._headers(accept, asked.get("headers", {}), keyless=keyless),
                params=asked.get("params"),
            )
            pause = _pause(answer)
            if pause is None:
                break
            time.sleep(pause)
        return answer

    def page(self, **asked: Any) -> Json:
        """Return a page of the feed; `asked` has the query parameters.

        Raises:
            Failed: the answer is not 200 with a JSON object.
        """
        return read_json(self.get(CHANGES, params=asked))

    @contextmanager
    def stream(self, accept: str, *, path: str = CHANGES, **asked: Any) -> Iterator[Iterator[bytes]]:
        """Send a GET request and yield, for the block, an iterator over the lines of the answer, without line feeds.

        Args:
            accept: the media type that is requested and must be answered: NDJSON or an event stream.
            path: the path below the service's address.
            asked: `headers`, further headers, and `params`, the query parameters.

        Raises:
            Failed: the answer's status is not 200, or its media type is another; while the lines are read: the answer
                takes longer than two minutes, or ends within a line.
        """
        headers = self._headers(accept, asked.get("headers", {}), keyless=False)
        with self._http.stream("GET", path, headers=headers, params=asked.get("params")) as answer:
            expect_kind(answer, 200, accept)
            yield _lines(answer.iter_bytes(), time.monotonic() + _LONGEST_ANSWER)

    def status(self, accept: str, **params: Any) -> int:
        """Return the status of the feed's answer, without reading the content.

        `accept` is the requested media type; `params` are the query parameters.
        """
        headers = self._headers(accept, {}, keyless=False)
        with self._http.stream("GET", CHANGES, headers=headers, params=params) as answer:
            return answer.status_code

    def _headers(self, accept: str, more: Mapping[str, str], *, keyless: bool) -> dict[str, str]:
        key = {} if keyless else {"Authorization": f"Bearer {self._key}"}
        return {"Accept": accept, **key, **more}


def _pause(answer: httpx2.Response) -> float | None:
    """Return the seconds after which a request is to be sent again; None if it is not."""
    asked = answer.headers.get("retry-after", "")
    if answer.status_code not in {429, 503} or not asked.isdigit() or int(asked) > _LONGEST_PAUSE:
        return None
    return float(asked)


def _lines(chunks: Iterator[bytes], until: float) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        if time.monotonic() > until:
            raise Failed(f"The answer took more than {_LONGEST_ANSWER:.0f} s.")
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        raise Failed("The answer ended within a line.")


def events(lines: Iterator[bytes]) -> Iterator[dict[str, str]]:
    """Yield the events in the lines of a stream, each as a dict of its fields by name (WHATWG HTML section 9.2)."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.rstrip(b"\r").decode().partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif fields and not line.strip():
            yield fields
            fields = {}


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as one
    """Raise Failed with the message `otherwise` unless `holds` is true.

    Raises:
        Failed: a promise is broken.
    """
    if not holds:
        raise Failed(otherwise)


def expect_kind(answer: httpx2.Response, status: int, kind: str) -> None:
    """Raise Failed unless an answer has this status and media type.

    Raises:
        Failed: the status or the media type is another.
    """
    path = answer.request.url.path
    expect(answer.status_code == status, f"{path} answered {answer.status_code} in place of {status}.")
    found = media_type(answer)
    expect(found == kind, f"{path} answered {found or 'no media type'} in place of {kind}.")


def media_type(answer: httpx2.Response) -> str:
    """Return an answer's media type, without parameters."""
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()


def read_json(answer: httpx2.Response) -> Json:
    """Return the JSON object of a successful answer.

    Raises:
        Failed: the answer has another status or media type, or is no JSON object.
        ValueError: its content is not JSON.
    """
    expect_kind(answer, 200, JSON)
    return object_of(answer.content)


def object_of(data: bytes | str) -> Json:
    """Return a JSON text parsed as an object.

    Raises:
        Failed: the text is no JSON object.
        ValueError: it is not JSON.
    """
    found = json.loads(data)
    if not isinstance(found, dict):
        raise Failed("The answer is no JSON object.")
    return found


def expect_problem(answer: httpx2.Response, status: int, slug: str) -> Json:
    """Return an answer's body, which must be a problem document (RFC 9457) of this status and type.

    `slug` is the last part of the problem's `type`.

    Raises:
        Failed: the answer has another status or type, or lacks a member.
        ValueError: its content is not JSON.
    """
    expect_kind(answer, status, PROBLEM)
    document = object_of(answer.content)
    missing = {"type", "title", "title_id", "status", "detail", "request_id"} - document.keys()
    expect(not missing, f"The problem of a {status} has no member {', '.join(sorted(missing))}.")
    found = str(document["type"]).rpartition("/")[2]
    expect(found == slug, f"The problem of a {status} is {found} in place of {slug}.")
    expect(document["status"] == status, f"The problem of a {status} says {document['status']}.")
    return document
