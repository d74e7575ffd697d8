"""Checks of the log: signed heads, proofs of inclusion and consistency, tiles.

A head is the ledger's size and the Merkle root over its records' leaves, signed by the register. An inclusion proof
shows that a record is below this root; a consistency proof, that a larger ledger continues a smaller one. A tile is a
file with up to 256 leaves or hashes of the log.

Each check returns one sentence about what was seen. A check raises Failed if the service breaks the promise, and
Skipped if the promise can't be checked.
"""

import hashlib
from datetime import UTC, datetime

from httpx2 import codes

from app.conformance.findings import Checks, Skipped
from app.conformance.session import (
    PLAIN,
    Json,
    Session,
    SignedHead,
    expect,
    expect_kind,
    expect_problem,
    read_json,
)
from app.kit.canonical import canonical
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, VerifierKey
from app.tlog.merkle import leaf_hash, root_of_leaves, verify_consistency, verify_inclusion
from app.tlog.notes import Note
from app.tlog.proofs import InclusionProof
from app.tlog.signed import open_checkpoint
from app.tlog.tiles import WIDTH, Tile, encode_bundle

proof = Checks[Session]()

_HEAD = "/v1/head"
_INCLUSION = "/v1/proofs/inclusion"
_CONSISTENCY = "/v1/proofs/consistency"
_BYTES = "application/octet-stream"
_BEYOND = 10**9


@proof.promise("signing-keys", "The public keys are shown without a key, as vkeys with their ids.")
def read_keys(session: Session) -> str:
    """Check that the public signing keys can be read without an access key, and agree with their ids and origins.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    items = read_json(session.get("/v1/signing-keys", keyless=True))["items"]
    for each in items:
        key = VerifierKey.parse(each["vkey"])
        expect(key.key_id.hex() == each["key_id"], f"The key {each['key_id']} has another id in its vkey.")
        expect(key.name == each["origin"], f"The key {each['key_id']} has another origin in its vkey.")
    session.signing_keys = items
    return f"{len(items)} keys of {len({each['origin'] for each in items})} origins."


@proof.promise(
    "head",
    "The newest head is signed by each published key in use, plain Ed25519 among them.",
    "signing-keys",
)
def read_head(session: Session) -> str:
    """Check that each published key that is in use has signed the newest head; store the head in the session.

    One of these keys must be a plain Ed25519 key.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    head = read_json(session.get(_HEAD))
    used = [
        each for each in session.signing_keys if each["origin"] == head["origin"] and _is_used(each, head)
    ]
    keys = tuple(VerifierKey.parse(each["vkey"]) for each in used)
    opened = open_checkpoint(Note.parse(head["checkpoint"].encode()), keys)
    stated = Checkpoint(head["origin"], head["size"], bytes.fromhex(head["root"]))
    expect(opened.checkpoint == stated, "The members of the head differ from its signed checkpoint.")
    expect(head["origin"].rpartition("/")[2] == head["epoch"], "The origin does not end with the epoch.")
    missing = [key.kind.name for key in keys if key not in opened.signed]
    expect(not missing, f"The head has no signature of a published {', '.join(missing)} key in use.")
    kinds = {key.kind for key in opened.signed}
    expect(KeyKind.ED25519 in kinds, "The head has no plain Ed25519 signature.")
    signed_at = int(_instant(head["signed_at"]).timestamp())
    times = {time for time in opened.signed.values() if time is not None}
    expect(times <= {signed_at}, "A timed signature has another time than signed_at.")
    session.head = SignedHead(head["origin"], head["size"], opened.checkpoint.root, keys)
    return f"{head['size']} records, {len(opened.signed)} signatures verified, {len(head['witnesses'])} witnesses."


@proof.promise("head-fresh", "The newest head is not older than its valid_until.", "head")
def look_at_the_time(session: Session) -> str:
    """Check that the newest head is still valid by this machine's clock.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    head = read_json(session.get(_HEAD))
    until, now = _instant(head["valid_until"]), datetime.now(UTC)
    expect(
        now <= until,
        f"It is {now:%Y-%m-%dT%H:%M:%SZ} here, and the head was valid until {head['valid_until']}.",
    )
    return f"Signed at {head['signed_at']}, valid until {head['valid_until']}."


@proof.promise(
    "checkpoint", "The log's checkpoint and the head as text are the signed head, or continue it.", "head"
)
def read_checkpoints(session: Session) -> str:
    """Check that the ledger's head as text and `/log/checkpoint` equal the head that was read, or continue it.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head with at least one record was read before.
    """
    mine = session.head
    sizes = []
    for path in (_HEAD, "/log/checkpoint"):
        answer = session.get(path, PLAIN)
        expect_kind(answer, 200, PLAIN)
        found = open_checkpoint(Note.parse(answer.content), mine.keys).checkpoint
        expect(found.origin == mine.origin, f"{path} is of {found.origin}.")
        expect(
            found.size >= mine.size, f"{path} has {found.size} records, and the head before had {mine.size}."
        )
        _continue(session, (mine.size, mine.root), (found.size, found.root))
        sizes.append(found.size)
    return f"Both are signed; their sizes are {sizes[0]} and {sizes[1]}."


@proof.promise(
    "inclusion", "The first, a middle and the last record are proved to be below the signed root.", "head"
)
def prove_inclusion(session: Session) -> str:
    """Check the inclusion proofs of the first, a middle and the last record.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head with at least one record was read before.
    """
    head = session.head
    chosen = sorted({1, (head.size + 1) // 2, head.size})
    for number in chosen:
        found = read_json(session.get(_INCLUSION, params={"sequence": number, "size": head.size}))
        leaf = bytes.fromhex(found["leaf_hash"])
        if number <= len(session.records):
            own = _leaf_hash(session.records[number - 1])
            expect(leaf == own, f"The proof of record {number} is one of another leaf than the feed shows.")
        path = [bytes.fromhex(step) for step in found["path"]]
        verify_inclusion(number - 1, head.size, leaf, path, head.root)
        expect(found["root"] == head.root.hex(), f"The proof of record {number} names another root.")
    return f"Records {', '.join(map(str, chosen))} of {head.size}."


@proof.promise(
    "proof-file", "A proof file (C2SP tlog-proof) holds with the published keys alone.", "head", "inclusion"
)
def read_proof_file(session: Session) -> str:
    """Check that the newest record's proof file is valid with the published keys alone.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head with at least one record was read before.
    """
    head = session.head
    found = read_json(session.get(_INCLUSION, params={"sequence": head.size, "size": head.size}))
    answer = session.get(_INCLUSION, PLAIN, params={"sequence": head.size, "size": head.size})
    expect_kind(answer, 200, PLAIN)
    file = InclusionProof.parse(answer.content)
    expect(file.index == head.size - 1, f"The proof file of record {head.size} is one of index {file.index}.")
    opened = file.verify(bytes.fromhex(found["leaf_hash"]), head.keys)
    expect(opened.checkpoint.root == head.root, "The proof file has a head of another root.")
    return f"Record {head.size}, with {len(opened.signed)} signatures."


@proof.promise("consistency", "The signed head is proved to continue smaller sizes.", "head")
def prove_consistency(session: Session) -> str:
    """Check the consistency proofs that the ledger of the signed head continues the ledger of smaller sizes.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head with at least one record was read before.
    """
    head = session.head
    leaves = [_leaf_hash(each) for each in session.records]
    sizes = sorted({1, (head.size + 1) // 2, head.size - 1, head.size} - {0})
    for size in sizes:
        found = read_json(session.get(_CONSISTENCY, params={"from": size, "to": head.size}))
        old = bytes.fromhex(found["from_root"])
        if size <= len(leaves):
            expect(
                old == root_of_leaves(leaves[:size]),
                f"The root of {size} records is not that of the feed's leaves.",
            )
        path = [bytes.fromhex(step) for step in found["path"]]
        verify_consistency(size, head.size, old, head.root, path)
    return f"From {', '.join(map(str, sizes))} to {head.size} records."


@proof.promise("sizes-beyond", "Records and sizes beyond the ledger are refused as 422 validation.", "head")
def ask_beyond(session: Session) -> str:
    """Check that proofs for records and sizes beyond the ledger are refused as 422.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head with at least one record was read before.
    """
    size = session.head.size
    asked: list[tuple[str, Json]] = [
        (_INCLUSION, {"sequence": size + _BEYOND}),
        (_INCLUSION, {"sequence": 1, "size": size + _BEYOND}),
        (_INCLUSION, {"sequence": 0}),
        (_CONSISTENCY, {"from": 1, "to": size + _BEYOND}),
        (_CONSISTENCY, {"from": size + _BEYOND}),
        (_CONSISTENCY, {"from": 0, "to": size}),
    ]
    for path, params in asked:
        expect_problem(session.get(path, params=params), 422, "validation")
    return f"{len(asked)} questions are refused."


@proof.promise("root", "The signed root is that of the leaves that the feed shows.", "pages", "head")
def compare_root(session: Session) -> str:
    """Check that the Merkle root of the leaves in the feed equals the root in the signed head.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head was read before, or not all of its records.
    """
    head, records = session.head, session.first()
    if head.size > len(records):
        raise Skipped(f"{len(records)} of {head.size} records were read; --records reads more.")
    expect(
        root_of_leaves([_leaf_hash(each) for each in records[: head.size]]) == head.root,
        f"The leaves of {head.size} records have another root than the one that is signed.",
    )
    return f"The leaves of {head.size} records have the signed root {head.root.hex()[:16]}\N{HORIZONTAL ELLIPSIS}."


@proof.promise(
    "tiles",
    "The tiles of the log hold the leaves and their hashes, and a copy is used only while its ETag is current.",
    "pages",
    "head",
)
def read_tiles(session: Session) -> str:
    """Check that the log's tiles contain the leaves in the feed and their hashes.

    The answers must forbid the use of a copy without a new request, and such a request with the copy's `ETag` must be
    answered with 304.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no signed head, or no record of the feed, was read before.
    """
    head = session.head
    records = session.first()[: head.size]
    tiles = 0
    for index in range(-(-len(records) // WIDTH)):
        width = min(WIDTH, head.size - index * WIDTH)
        leaves = [canonical(each["leaf"]) for each in records[index * WIDTH : (index + 1) * WIDTH]]
        hashes = _tile(session, Tile(0, index, width))
        expect(len(hashes) == width * hashlib.sha256().digest_size, f"Tile {index} has {len(hashes)} bytes.")
        expect(
            hashes.startswith(b"".join(map(leaf_hash, leaves))),
            f"Tile {index} of level 0 has other hashes than the feed's leaves.",
        )
        bundle = _tile(session, Tile(None, index, width))
        expect(
            bundle.startswith(encode_bundle(leaves)),
            f"Bundle {index} has other entries than the feed's leaves.",
        )
        tiles += 2
    beyond = Tile(0, head.size + _BEYOND, WIDTH)
    expect_problem(session.get(f"/log/{beyond}", "*/*"), 404, "not-found")
    return f"{tiles} tiles with the leaves of {len(records)} records; one beyond the head is not there."


def _tile(session: Session, tile: Tile) -> bytes:
    answer = session.get(f"/log/{tile}", _BYTES)
    expect_kind(answer, 200, _BYTES)
    expect("no-cache" in answer.headers.get("cache-control", ""), f"A copy of {tile} is used unasked.")
    again = session.get(f"/log/{tile}", _BYTES, headers={"if-none-match": answer.headers.get("etag", "")})
    expect(again.status_code == codes.NOT_MODIFIED, f"{tile} is sent again to a caller that holds it.")
    return answer.content


def _continue(session: Session, old: tuple[int, bytes], new: tuple[int, bytes]) -> None:
    """Hold that a signed size and root are continued by others."""
    path: list[bytes] = []
    if old[0] < new[0]:
        found = read_json(session.get(_CONSISTENCY, params={"from": old[0], "to": new[0]}))
        path = [bytes.fromhex(step) for step in found["path"]]
    verify_consistency(old[0], new[0], old[1], new[1], path)


def _leaf_hash(record: Json) -> bytes:
    return leaf_hash(canonical(record["leaf"]))


def _is_used(item: Json, head: Json) -> bool:
    """Whether a published key signs heads at the time of a head."""
    at, until = _instant(head["signed_at"]), item["used_until"]
    return _instant(item["used_from"]) <= at and (until is None or at < _instant(until))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
