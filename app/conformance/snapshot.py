"""Checks of snapshots: what they hold, that a signed head covers their digest, and that they can be read in parts.

A snapshot is a file with the register's state, a line for each record. Its digest is a Merkle root over these records;
the seal is the ledger's record that contains this digest. A head is the ledger's size and Merkle root, signed.
"""

import itertools
import time

import httpx2

from app.conformance.digests import StateDigest
from app.conformance.findings import Checks, Skipped
from app.conformance.session import (
    LINES,
    SNAPSHOT,
    ZSTD,
    Json,
    Session,
    expect,
    expect_kind,
    object_of,
    read_json,
)
from app.kit.canonical import canonical
from app.kit.zstd import ZstdDecompressor
from app.tlog.merkle import leaf_hash, verify_inclusion
from app.tlog.notes import Note
from app.tlog.signed import open_checkpoint

snapshot = Checks[Session]()

_DIGEST = "/v1/digest"

_MAKING_SECONDS = 60.0
"""How long a service may take to make its snapshot, beside the pauses that it asks for."""


@snapshot.promise(
    "snapshot", "A snapshot's last line proves its lines below a head that the published keys signed.", "head"
)
def read_snapshot(session: Session) -> str:
    """Check that the last line of the newest snapshot proves its lines; store their digest and seal in the session.

    The digest of the lines must equal the one in a ledger record (the seal), and that record must be in the ledger of
    a signed head.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: the service has no snapshot yet, or no signed head was read before.
    """
    until = time.monotonic() + _MAKING_SECONDS
    status = session.get(SNAPSHOT, ZSTD).status_code
    while status == httpx2.codes.SERVICE_UNAVAILABLE and time.monotonic() < until:  # it is being made
        status = session.get(SNAPSHOT, ZSTD).status_code
    if status == httpx2.codes.NOT_FOUND:
        raise Skipped("There is no snapshot yet: the first is sealed when records are an hour old.")
    digest = StateDigest()
    first: Json = {}
    last: Json = {}
    with session.stream(LINES, path=SNAPSHOT) as lines:
        for number, line in enumerate(lines):
            expect(not last, "There is a line behind the last one.")
            found = object_of(line)
            if number == 0:
                first = found
            elif "leaf" in found:
                digest.add(found)
            else:
                last = found
    expect(bool(last), "The last line is missing.")
    facts = {
        "kind": "digest",
        "sequence": first["sequence"],
        "entries": digest.entries,
        "root": digest.root.hex(),
    }
    counts = {first["count"], last["count"], digest.records}
    expect(
        len(counts) == 1, f"The lines count {digest.records} records, and the first or last says otherwise."
    )
    expect(last["seal"]["leaf"]["seal"] == facts, "The seal is not that of the digest of the lines.")
    opened = open_checkpoint(Note.parse(last["checkpoint"].encode()), session.head.keys).checkpoint
    expect(opened.origin == first["origin"], "The checkpoint is of another origin than the first line.")
    leaf = leaf_hash(canonical(last["seal"]["leaf"]))
    path = [bytes.fromhex(step) for step in last["path"]]
    verify_inclusion(last["seal"]["sequence"] - 1, opened.size, leaf, path, opened.root)
    session.digest = first["sequence"], digest
    session.seal = last["seal"]["sequence"], leaf
    return f"{digest.entries} entries at {first['sequence']}, sealed by record {last['seal']['sequence']}."


@snapshot.promise(
    "snapshot-parts",
    "A snapshot's file is the same in parts, and a part of another one is not sent.",
    "snapshot",
)
def read_parts(session: Session) -> str:
    """Check that a snapshot's file can be read in two parts, and that a request with another file's `ETag` gets none.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: a new snapshot replaced the file meanwhile.
    """
    whole = session.get(SNAPSHOT, ZSTD)
    expect_kind(whole, 200, ZSTD)
    etag, size = whole.headers["etag"], len(whole.content)
    half = size // 2
    parts = []
    for begin, end in itertools.pairwise((0, half, size)):
        headers = {"Range": f"bytes={begin}-{end - 1}", "If-Range": etag}
        part = session.get(SNAPSHOT, ZSTD, headers=headers)
        if part.headers.get("etag") != etag:
            raise Skipped("Another snapshot took its place meanwhile.")
        expect_kind(part, 206, ZSTD)
        expect(
            part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}",
            f"The part has the range {part.headers['content-range']}.",
        )
        parts.append(part.content)
    expect(b"".join(parts) == whole.content, "The parts are not the file.")
    other = session.get(SNAPSHOT, ZSTD, headers={"Range": "bytes=1-", "If-Range": '"another"'})
    expect(other.status_code == whole.status_code, "A part was sent of a file that was not meant.")
    lines = ZstdDecompressor().decompress(whole.content).count(b"\n")
    return f"{size} bytes in two parts; {lines} lines."


@snapshot.promise(
    "digest", "The digest that the register shows is that of the snapshot's lines, and is proved.", "snapshot"
)
def read_digest(session: Session) -> str:
    """Check that `GET /v1/digest` gives the snapshot's digest and seal, and that the newest head covers the seal.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head with at least one record was read before.
    """
    sequence, digest = session.digest
    shown = read_json(session.get(_DIGEST, params={"sequence": sequence}))
    differing = [
        number
        for number, (one, other) in enumerate(zip(shown["buckets"], digest.buckets, strict=True))
        if one != other.hex()
    ]
    expect(not differing, f"The buckets {differing[:5]} are not those of the lines.")
    expect(shown["root"] == digest.root.hex(), "The root is not that of the buckets.")
    number, leaf = session.seal
    expect(shown["seal"] == number, f"Record {number} seals the snapshot, and {shown['seal']} the digest.")
    head = read_json(session.get("/v1/head"))
    top = open_checkpoint(Note.parse(head["checkpoint"].encode()), session.head.keys).checkpoint
    asked = {"sequence": number, "size": top.size}
    proof = read_json(session.get("/v1/proofs/inclusion", params=asked))
    path = [bytes.fromhex(step) for step in proof["path"]]
    verify_inclusion(number - 1, top.size, leaf, path, top.root)
    return f"256 buckets of {digest.records} records; record {number} seals it."
