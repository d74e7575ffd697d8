"""Use cases of the log: read tiles and bundles of leaves, and make proofs."""

from app.db.unit import Reader
from app.errors import Fault, Invalid, NotFound
from app.ledger import service as ledger
from app.ledger.domain import Inclusion
from app.sync.heads import service as heads
from app.sync.heads.domain import SignedHead
from app.tlog.notes import Note
from app.tlog.proofs import InclusionProof
from app.tlog.tiles import Tile, TileUnknown, encode_bundle


def parse_tile(level: str, path: str) -> Tile:
    """Return the tile that a URL names by its level (or `entries`) and its index in groups of three digits.

    Raises:
        NotFound: the level or the path names no tile.
    """
    try:
        return Tile.parse(level, path)
    except TileUnknown:
        raise NotFound("There is no such tile.") from None


async def read_tile(reader: Reader, tile: Tile, size: int) -> bytes:
    """Return the bytes of a tile: hashes of the tree one after the other, or, for a bundle, encoded leaves.

    Args:
        reader: the transaction.
        tile: level and index of the tile; without a level it is a bundle of leaves.
        size: the size of a signed head, to whose tree the tile must belong.

    Raises:
        NotFound: the tree of this size does not have the tile.
        KeyError: a stored hash is missing.
    """
    if not tile.is_in(size):
        raise NotFound("The newest signed head has no such tile.")
    if tile.level is None:
        leaves = await ledger.list_leaves(reader, tile.start, tile.width)
        return encode_bundle([leaf.encode() for _, leaf in leaves])
    stored = await ledger.nodes(reader, tile.nodes)
    return b"".join(stored[node] for node in tile.nodes)


async def prove_inclusion(reader: Reader, sequence: int, size: int | None) -> Inclusion:
    """Return the proof that the ledger contains a record.

    Args:
        reader: the transaction.
        sequence: the record's number, from 1.
        size: the proof is about the ledger's first `size` records; None for all.

    Raises:
        Invalid: `size` is larger than the ledger, or the record is not among the first `size`.
        HeadMissing: the ledger has no head.
    """
    last = await _within(reader, "size", size)
    if sequence > last:
        raise Invalid("The ledger has no such record.", faults=[_beyond("sequence", last)])
    return (await ledger.prove(reader, [sequence], last))[0]


async def proof_file(reader: Reader, sequence: int, head: SignedHead) -> InclusionProof:
    """Return the proof that a signed head contains the record `sequence`: the audit path, and the head's note.

    Raises:
        Invalid: the head does not contain the record.
    """
    if sequence > head.size:
        raise Invalid("The head does not cover this record.", faults=[_beyond("sequence", head.size)])
    proof = (await ledger.prove(reader, [sequence], head.size))[0]
    return InclusionProof(sequence - 1, tuple(proof.path), Note.parse(head.note.encode()))


async def head_of(reader: Reader, size: int) -> SignedHead:
    """Return the signed head with exactly `size` records, of the ledger's present epoch.

    Raises:
        NotFound: no head of this size was signed.
        HeadMissing: the ledger has no head.
    """
    epoch = (await ledger.head(reader)).epoch
    head = await heads.head_of_size(reader, epoch, size)
    if head is None:
        raise NotFound("No head of this size was signed.")
    return head


async def prove_consistency(reader: Reader, old: int, new: int | None) -> tuple[int, list[bytes]]:
    """Return the proof that the ledger of size `new` (None: the present size) continues the ledger of size `old`.

    Returns:
        The size `new`, and the hashes of the proof.

    Raises:
        Invalid: `new` is larger than the ledger, or `old` is larger than `new`.
        HeadMissing: the ledger has no head.
    """
    last = await _within(reader, "to", new)
    if old > last:
        raise Invalid("The first size is the larger one.", faults=[_beyond("from", last)])
    return last, await ledger.prove_consistency(reader, old, last)


async def _within(reader: Reader, name: str, size: int | None) -> int:
    """Return a size, by default the ledger's present one.

    Raises:
        Invalid: the ledger has fewer records.
    """
    present = (await ledger.head(reader)).size
    if size is not None and size > present:
        raise Invalid("The ledger has fewer records.", faults=[_beyond(name, present)])
    return present if size is None else size


def _beyond(name: str, last: int) -> Fault:
    return Fault("", "too_large", f"The query parameter {name} is at most {last} now.")
