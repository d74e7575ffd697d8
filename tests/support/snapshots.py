"""Reading snapshots as a stranger would: lines, digest and proof by hashlib alone."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence

import httpx2

from app.kit.zstd import ZstdDecompressor
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.contract import contract
from tests.support.steps import Json, expect

PATH = "/v1/snapshot"
LINES = "application/x-ndjson"


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of RFC 9162 section 2.1.1 over hashes of leaves, as it is defined there."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01", root(leaves[:half]), root(leaves[half:]))


def leaf_bytes(record: Json) -> bytes:
    return json.dumps(record["leaf"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(record: Json) -> bytes:
    return sha256(b"\x00", leaf_bytes(record))


def leaves(records: Iterable[Json]) -> str:
    """The hash of all leaves of a snapshot's records, in hexadecimal."""
    return sha256(*(leaf_bytes(each) + b"\n" for each in records)).hex()


def digest(records: Iterable[Json]) -> tuple[str, list[str]]:
    """The digest of a state's records: its root and its buckets, in hexadecimal."""
    buckets: list[list[bytes]] = [[] for _ in range(256)]
    for record in sorted(
        records, key=lambda each: (each["entry_id"], each["type"][:1] != "e", each["sequence"])
    ):
        buckets[sha256(record["entry_id"].encode())[0]].append(leaf_hash(record))
    roots = [root(bucket) for bucket in buckets]
    return root([sha256(b"\x00", each) for each in roots]).hex(), [each.hex() for each in roots]


class Copy:
    """A copy of the register: the newest record of each listed entry, and its clearances in force."""

    def __init__(self) -> None:
        self.entries: dict[str, Json] = {}
        self.clearances: dict[str, Json] = {}

    def take(self, record: Json) -> None:
        """Apply a record as docs/integrate-feed.md says."""
        kind, entry_id = record["type"], record["entry_id"]
        if kind.startswith("entry."):
            if record["tombstone"]:
                self.entries.pop(entry_id, None)
                self.clearances = {n: c for n, c in self.clearances.items() if c["entry_id"] != entry_id}
            elif record["version"] > self.entries.get(entry_id, {"version": 0})["version"]:
                self.entries[entry_id] = record
        elif kind == "clearance.granted":
            self.clearances[record["leaf"]["clearance_id"]] = record
        elif kind == "clearance.ended":
            self.clearances.pop(record["leaf"]["clearance_id"], None)

    @property
    def records(self) -> list[Json]:
        return [*self.entries.values(), *self.clearances.values()]


def read(content: bytes) -> tuple[Json, list[Json], Json]:
    """The first line, the records and the last line of a snapshot in lines, each held against the contract."""
    lines = content.removesuffix(b"\n").split(b"\n")
    for line in lines:
        contract().check_line(PATH, line)
    first, *records, last = map(json.loads, lines)
    return first, records, last


def proven(first: Json, records: Sequence[Json], last: Json) -> None:
    """Hold the records against the last line, and that against its checkpoint's root."""
    assert first["count"] == last["count"] == len(records)
    assert digest(records)[0] == last["digest"]
    assert [each["entry_id"] for each in records] == sorted(each["entry_id"] for each in records)
    seal = last["seal"]["leaf"]["seal"]
    entries = len({each["entry_id"] for each in records})
    assert seal == {
        "kind": "digest",
        "sequence": first["sequence"],
        "entries": entries,
        "root": last["digest"],
    }
    assert last["seal"]["leaf"]["leaves"] == leaves(records)
    origin, size, top, *_ = last["checkpoint"].split("\n")
    assert (origin, int(size)) == (first["origin"], last["size"])
    index, end, node = last["seal"]["sequence"] - 1, last["size"] - 1, leaf_hash(last["seal"])
    for step in map(bytes.fromhex, last["path"]):
        if index & 1 or index == end:
            node = sha256(b"\x01", step, node)
            while index and not index & 1:
                index, end = index >> 1, end >> 1
        else:
            node = sha256(b"\x01", node, step)
        index, end = index >> 1, end >> 1
    assert end == 0
    assert node.hex() == base64.b64decode(top).hex()


def decompressed(content: bytes) -> bytes:
    """What is in a whole snapshot."""
    zstd = ZstdDecompressor()
    lines = zstd.decompress(content)
    assert zstd.eof
    assert not zstd.unused_data
    return lines


async def snapshot(http: httpx2.AsyncClient, by: Caller) -> tuple[Json, list[Json], Json]:
    """The newest snapshot, as lines."""
    got = await http.get(PATH, headers={**by.headers, "Accept": LINES})
    assert (got.status_code, got.headers["content-type"]) == (200, LINES), got.text
    assert int(got.headers["content-length"]) == len(got.content)
    return read(got.content)


async def sealed(worker: Worker, http: httpx2.AsyncClient, actors: Actors) -> None:
    """Order a snapshot, seal its digest and sign the head that covers it."""
    admin = await actors.client("admin")
    expect(await http.post(PATH, headers=admin.headers), 202)
    assert await worker.seal_digest()
    assert await worker.sign_head()
