"""An integrator's system: holds a copy of the register in step, and verifies each record of it.

    python integrator.py follow     begins with a snapshot, then follows; a JSON line for each event, until Ctrl-C
    python integrator.py show       the entries that the copy holds, a JSON line each

INTEGRATOR_URL, INTEGRATOR_KEY and INTEGRATOR_COPY (an SQLite file, copy.db) say where, as whom, and where the copy is.
INTEGRATOR_TRUSTS is the register's public Ed25519 key, which follows the second + of its vkey: it must have signed a
snapshot.
Needs Python 3.11, httpx2, and cryptography for that key. What each rule here is good for: docs/integrate-feed.md.
"""

import base64
import contextlib
import hashlib
import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx2

Json = dict[str, Any]
SILENCE = httpx2.Timeout(5.0, read=float(os.environ.get("INTEGRATOR_SILENCE", "45")))
"""Three heartbeats without a byte, and a line is dead; a rehearsal is shorter."""
KEEP = Path(os.environ.get("INTEGRATOR_COPY", "copy.db"))
ANEW = KEEP.with_suffix(".new")
"""The copy of a restored register while it is being read; the old one answers until it is complete."""
SAME = ("sequence", "type", "at", "effective_at", "entry_id", "version", "tombstone")


class Copy:
    """The copy: the newest version of each entry, and how far it was read, changed in one transaction."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.db = sqlite3.connect(file, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("CREATE TABLE IF NOT EXISTS entry (id TEXT PRIMARY KEY, version INT, content TEXT)")
        self.db.execute("CREATE TABLE IF NOT EXISTS place (one INT PRIMARY KEY, cursor TEXT, sequence INT)")
        place = self.db.execute("SELECT cursor, sequence FROM place").fetchone()
        self.cursor, self.sequence = place or (None, 0)

    def take(self, cursor: str, record: Json) -> None:
        """Verify a record, then apply it; one that was read before changes nothing."""
        if record["sequence"] <= self.sequence:
            return
        verify(record, self.sequence + 1)
        self.db.execute("BEGIN")
        self._apply(record)
        self._move(cursor, record["sequence"])

    def begin(self, lines: Iterable[bytes]) -> None:
        """Take a snapshot whole, or nothing of it: one that is cut, altered or of another register changes nothing."""
        buckets = [list[tuple[int, bytes]]() for _ in range(256)]
        first: Json = {}
        self.db.execute("BEGIN")
        try:
            for number, line in enumerate(lines):
                record = json.loads(line)
                if number == 0:
                    first = record
                elif "leaf" in record:
                    verify(record, record["sequence"])
                    add(buckets[sha256(record["entry_id"].encode())[0]], leaf_hash(record["leaf"]))
                    self._apply(record)
                else:
                    prove(first, record, number - 1, [root(bucket) for bucket in buckets])
                    self._move(first["cursor"], first["sequence"])
                    return
            raise httpx2.ReadError("The snapshot was cut.")
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    def _apply(self, record: Json) -> None:
        if record["type"].startswith("entry."):
            if record["tombstone"]:
                self.db.execute("DELETE FROM entry WHERE id = ?", (record["entry_id"],))
            else:
                content = json.dumps({"leaf": record["leaf"], "personal": record["personal"]})
                self.db.execute(
                    "INSERT INTO entry VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version, "
                    "content = excluded.content WHERE excluded.version > version",
                    (record["entry_id"], record["version"], content),
                )

    def _move(self, cursor: str, sequence: int) -> None:
        self.db.execute("REPLACE INTO place VALUES (1, ?, ?)", (cursor, sequence))
        self.db.execute("COMMIT")
        self.cursor, self.sequence = cursor, sequence

    def entries(self) -> dict[str, Json]:
        """The entries by their ids."""
        rows = self.db.execute("SELECT id, version, content FROM entry ORDER BY id")
        return {entry_id: {"version": version, **json.loads(content)} for entry_id, version, content in rows}

    def count(self) -> int:
        """How many entries there are."""
        return int(self.db.execute("SELECT count(*) FROM entry").fetchone()[0])

    def drop(self) -> None:
        """Close the copy and remove its files."""
        self.db.close()
        for end in ("", "-wal", "-shm"):
            Path(f"{self.file}{end}").unlink(missing_ok=True)


def verify(record: Json, expected: int) -> None:
    """Hold that no number is missing, that the record says what its leaf says, and that this commits to the rest."""
    leaf = record["leaf"]
    if record["sequence"] != expected:
        sys.exit(f"Record {expected} is missing: {record['sequence']} came.")
    if any(record[name] != leaf[name] for name in SAME):
        sys.exit(f"Record {expected} says something else than its leaf.")
    if record["personal"] is not None:
        bound = sha256(bytes.fromhex(record["salt"]), canonical(record["personal"]))
        if bound.hex() != leaf["commitment"]:
            sys.exit(f"Record {expected} is not the one to which its leaf commits.")


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(value: Json) -> bytes:
    """JSON in the form of RFC 8785: members sorted, no spaces, no escapes that JSON does not demand."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(leaf: Json) -> bytes:
    return sha256(b"\0", canonical(leaf))


def add(peaks: list[tuple[int, bytes]], node: bytes) -> None:
    """Add a leaf to a Merkle tree (RFC 9162), of which only the highest whole subtrees are kept."""
    level = 0
    while peaks and peaks[-1][0] == level:
        node, level = sha256(b"\1", peaks.pop()[1], node), level + 1
    peaks.append((level, node))


def root(peaks: Iterable[tuple[int, bytes]]) -> bytes:
    """The root of the tree."""
    *lefts, node = (each for _, each in peaks) if peaks else [sha256()]
    for left in reversed(lefts):
        node = sha256(b"\1", left, node)
    return node


def prove(first: Json, last: Json, records: int, buckets: list[bytes]) -> None:
    """Hold that the lines are those whose digest was sealed, and that the signed checkpoint covers the seal."""
    over: list[tuple[int, bytes]] = []
    for bucket in buckets:
        add(over, sha256(b"\0", bucket))
    seal = {
        "kind": "digest",
        "sequence": first["sequence"],
        "entries": last["entries"],
        "root": root(over).hex(),
    }
    if last["seal"]["leaf"]["seal"] != seal or not first["count"] == last["count"] == records:
        sys.exit("The snapshot is not the one whose digest was sealed.")
    origin, size, top = last["checkpoint"].split("\n")[:3]
    index, end, node = last["seal"]["leaf"]["sequence"] - 1, int(size) - 1, leaf_hash(last["seal"]["leaf"])
    for step in map(bytes.fromhex, last["path"]):  # RFC 9162 section 2.1.3.2
        if index % 2 or index == end:
            node = sha256(b"\1", step, node)
            while index and not index % 2:
                index, end = index // 2, end // 2
        else:
            node = sha256(b"\1", node, step)
        index, end = index // 2, end // 2
    if end or node != base64.b64decode(top) or origin != first["origin"]:
        sys.exit("The snapshot's seal is not in the ledger that its checkpoint signs.")
    if not origin.endswith("/" + first["cursor"].partition(".")[0]):
        sys.exit("The snapshot's cursor is of another register than its checkpoint.")
    if "INTEGRATOR_TRUSTS" in os.environ:
        expect_signed(last["checkpoint"], origin, base64.b64decode(os.environ["INTEGRATOR_TRUSTS"]))


def expect_signed(note: str, origin: str, key: bytes) -> None:
    """Hold that the register's key has signed the checkpoint (C2SP signed-note); `key` is 0x01 and the public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        signature = base64.b64decode(line.split(" ")[2])
        if signature[:4] == sha256(origin.encode(), b"\n", key)[:4]:
            with contextlib.suppress(InvalidSignature):
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], f"{text}\n".encode())
                return
    sys.exit("The snapshot is not signed by the register that you trust.")


def say(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of an answer, which end at line feeds alone; one without its end was cut."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def events(chunks: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """The events of a stream: fields up to an empty line."""
    fields: dict[str, str] = {}
    for line in whole_lines(chunks):
        name, _, value = line.rstrip(b"\r").decode().partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif fields and not line.strip():
            yield fields
            fields = {}


def refused(answer: httpx2.Response) -> float:
    """Seconds to wait where the service can't answer now; ends the program where a repeat is of no use."""
    if answer.status_code in {401, 403}:
        sys.exit("The key is not, or no longer, one of an integrator: have it replaced.")
    wait = float(answer.headers.get("Retry-After", 0)) if answer.status_code in {429, 503} else 0.0
    if not wait:
        answer.raise_for_status()
    return wait


def begin(copy: Copy, http: httpx2.Client) -> float:
    """Begin with the newest snapshot; where there is none, with the first record. Seconds to wait for it, or 0."""
    with http.stream("GET", "/v1/snapshot", headers={"Accept": "application/x-ndjson"}) as answer:
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return 0.0
        wait = refused(answer)
        if not wait:
            copy.begin(whole_lines(answer.iter_bytes()))
            say("begun", sequence=copy.sequence, entries=copy.count())
        return wait


def follow() -> None:
    headers = {"Authorization": f"Bearer {os.environ['INTEGRATOR_KEY']}", "Accept": "text/event-stream"}
    copy, failures = Copy(ANEW if ANEW.exists() else KEEP), 0
    url = os.environ["INTEGRATOR_URL"]
    with httpx2.Client(base_url=url, headers=headers, timeout=SILENCE, trust_env=False) as http:
        while True:
            wait = 0.0
            try:
                if copy.cursor is None and (wait := begin(copy, http)):
                    time.sleep(wait)
                    continue
                resume = {"Last-Event-ID": copy.cursor} if copy.cursor else {}
                with http.stream("GET", "/v1/changes", headers=resume) as answer:
                    if answer.status_code == httpx2.codes.GONE:
                        copy = start_anew(copy)
                        wait = random.uniform(0.2, 3.0)  # every reader of a restored register comes now
                    else:
                        wait = refused(answer)
                    if answer.status_code == httpx2.codes.OK:
                        say("connected", cursor=copy.cursor)
                        for event in events(answer.iter_bytes()):
                            failures = 0
                            wait = float(event.get("retry", 0)) / 1000 or wait
                            if "data" in event:
                                copy = take(copy, event)
            except (httpx2.TransportError, httpx2.HTTPStatusError) as error:
                say("disconnected", why=type(error).__name__)
                failures += 1
            time.sleep(wait or min(30.0, 0.5 * 2 ** min(failures, 6)) * random.uniform(0.5, 1.0))


def take(copy: Copy, event: dict[str, str]) -> Copy:
    """Take an event into the copy; a heartbeat with the copy's number says that it is complete."""
    data = json.loads(event["data"])
    if event.get("event") == "change":
        copy.take(event["id"], data)
        say("change", **{name: data[name] for name in ("sequence", "type", "entry_id", "withheld")})
    elif event.get("event") == "heartbeat" and data["head"] == copy.sequence and not data["degraded"]:
        if copy.file == ANEW:
            copy = replace(copy)
        say("in_step", sequence=copy.sequence, entries=copy.count())
    return copy


def start_anew(copy: Copy) -> Copy:
    """The register was restored: read all of it again, beside the copy of before."""
    if copy.file == ANEW:  # once more meanwhile
        copy.drop()
    else:
        copy.db.close()
    return Copy(ANEW)


def replace(anew: Copy) -> Copy:
    """Put the complete new copy in the place of the old one; what only the old one held may be lost: ask about it.

    In one transaction, not by renaming files: a program that reads the copy meanwhile sees the old one or the new one.
    """
    old = Copy(KEEP)
    lost = sorted(old.entries().keys() - anew.entries().keys())
    old.db.execute("ATTACH ? AS anew", (str(ANEW),))
    old.db.execute("BEGIN")
    old.db.execute("DELETE FROM entry")
    old.db.execute("INSERT INTO entry SELECT * FROM anew.entry")
    old.db.execute("REPLACE INTO place SELECT * FROM anew.place")
    old.db.execute("COMMIT")
    old.db.close()
    anew.drop()
    copy = Copy(KEEP)
    say("restored", entries=copy.count(), lost=lost)
    return copy


def show() -> None:
    for entry_id, entry in Copy(KEEP).entries().items():
        print(json.dumps({"id": entry_id, **entry}))


if __name__ == "__main__":
    if sys.argv[1:] not in (["follow"], ["show"]):
        sys.exit(__doc__)
    with contextlib.suppress(KeyboardInterrupt):
        follow() if sys.argv[1] == "follow" else show()
