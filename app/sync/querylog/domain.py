"""Lines of the query log, and batches of them (no I/O).

A line is a check, a receipt of an alert, an act of the audit trail (searches, decisions on hits, administration), or a
version of an entry. Its *text* is what the batch's Merkle tree contains: a JSON list without spaces of the line's
members in a fixed order. Where retention erases a member later, the text contains a salted commitment to it instead, so
that the line verifies after the erasure and reveals nothing.
"""

import hashlib
import re
from binascii import b2a_base64
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

import msgspec

from app.kit.ids import first_id, instant_of
from app.tlog import merkle

SALT_BYTES: Final = 32
"""Number of random bytes in the commitments of a batch."""

LATE: Final = timedelta(minutes=2)
"""How late a line may become visible: a batch looks so far back for lines that earlier batches could not see."""

_HASH_START_BYTES: Final = 6
"""Bytes of a line's hash that a batch stores beside the line's id: they name a changed line, and the batch's root
proves that it changed."""

_ABSENT: Final = bytes(32)
"""The place of a check among a batch's commitments that was sealed without one."""

_encode = msgspec.json.Encoder().encode


CHECK_PREFIX: Final = "chk"
ACT_PREFIX: Final = "aud"


class Source(StrEnum):
    """The kinds of lines of the query log: checks, acts of the audit trail, receipts of alerts, versions of entries.

    A batch contains them in this order.
    """

    CHECK = "check"
    ACT = "act"
    RECEIPT = "receipt"
    VERSION = "version"


_SOURCES: Final = {
    f"{CHECK_PREFIX}_": Source.CHECK,
    f"{ACT_PREFIX}_": Source.ACT,
    "alr_": Source.RECEIPT,
    "ent_": Source.VERSION,
}
"""The kinds of lines by the first four characters of their ids."""


class Line(NamedTuple):
    """A line of the query log, made from a row of the database: a check, an act, a receipt or a version.

    Attributes:
        id: the line's id. For a check or an act, the id of the row. For a receipt, the alert's id, the client's id and
            the level, joined by slashes. For a version, the entry's id and the version's number, joined by a slash.
        opening: the line's text, a JSON list, without its last member, which is a commitment or null and is added by
            `leaf_of`.
        erasable: the text that retention may erase later, to which the batch adds a commitment; None if the row has no
            such text, or stores a commitment itself.
    """

    id: str
    opening: bytes
    erasable: str | None = None


def line_of(members: Sequence[Any], erasable: str | None = None) -> Line:
    """Return the line of the query log for a row: a check, an act, a receipt or a version.

    Args:
        members: the values of the row that never change: the kind of line, the id, the instant as text, then those that
            differ by kind. The line's text has them in this order, bytes as base64.
        erasable: a text of the row that retention may erase later; the line's text contains only a salted commitment to
            it. None if the row has no such text.
    """
    return Line(members[1], _encode(members)[:-1], erasable)


class SealedLine(NamedTuple):
    """A line of a batch: its id, and the first digits of its leaf hash. If these differ now, the line was changed."""

    id: str
    hash_start: str

    @property
    def source(self) -> Source:
        """The kind of the line, found by the first four characters of its id. Raises KeyError for an id of no kind."""
        return _SOURCES[self.id[:4]]


@dataclass(frozen=True, slots=True)
class Position:
    """How far the query log is read or sealed: an id or an instant for each kind of lines; earlier lines are done.

    Attributes:
        check: an id; checks with lower ids are before the position.
        act: an id; acts of the audit trail with lower ids are before the position.
        receipt: an instant; earlier receipts of alerts are before the position.
        version: an instant; earlier versions of entries are before the position.
    """

    check: str
    act: str
    receipt: datetime
    version: datetime

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """Return the position at an instant: all lines of earlier instants are before it, no others."""
        return cls(first_id(CHECK_PREFIX, moment), first_id(ACT_PREFIX, moment), moment, moment)

    def reaches(self, other: "Position") -> frozenset[Source]:
        """Return the kinds of lines for which this position is equal to the other position or after it."""
        pairs = (
            (Source.CHECK, self.check >= other.check),
            (Source.ACT, self.act >= other.act),
            (Source.RECEIPT, self.receipt >= other.receipt),
            (Source.VERSION, self.version >= other.version),
        )
        return frozenset(source for source, reached in pairs if reached)

    def earlier(self, by: timedelta) -> "Position":
        """Return this position moved back by a duration: the instants, and the times in the ids of checks and acts.

        An id without a readable time becomes empty, which is before all ids.
        """
        return Position(
            _earlier(self.check, by), _earlier(self.act, by), self.receipt - by, self.version - by
        )

    def at_least(self, other: "Position | None") -> "Position":
        """Return, for each kind of lines, the later of this and the other position; None is before every position."""
        if other is None:
            return self
        return Position(
            max(self.check, other.check),
            max(self.act, other.act),
            max(self.receipt, other.receipt),
            max(self.version, other.version),
        )


def _earlier(identifier: str, by: timedelta) -> str:
    moment = instant_of(identifier)
    return "" if moment is None else first_id(identifier.partition("_")[0], moment - by)


_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN: Final = Position("", "", _BEGIN, _BEGIN)
"""The position before every line."""


_LINE: Final = re.compile(rf"(?:{'|'.join(_SOURCES)})\S+ [0-9a-f]{{{2 * _HASH_START_BYTES}}}")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch: lines of the query log with their Merkle root, which a record of the ledger contains as a seal.

    Attributes:
        number: the batch's number, from 1.
        at: when the batch was made.
        text: one line of text for each line of the batch, in the order of its tree: the id, a blank, and the first
            digits of the line's hash.
        root: the Merkle root over the lines (RFC 9162 section 2.1.1).
        first_check: the lowest id of a check in the batch; None without checks.
        reached: the position up to which this batch and the earlier ones contain all lines.
        salt: the random bytes in the commitments to the questions of the checks. It is erased before retention erases
            the first of these questions; then it is None.
        commitments: the commitments themselves, stored when the salt is erased: 32 bytes for each check, in the batch's
            order; None while the salt exists.
    """

    number: int
    at: datetime
    text: str
    root: bytes
    first_check: str | None
    reached: Position
    salt: bytes | None
    commitments: bytes | None = None

    @property
    def size(self) -> int:
        """The number of lines."""
        return self.text.count("\n") + 1

    @property
    def is_readable(self) -> bool:
        """Whether each line of `text` is an id of a known kind, a blank, and the first digits of a hash."""
        return all(_LINE.fullmatch(line) for line in self.text.split("\n"))

    def lines(self) -> list[SealedLine]:
        """Return the lines in the order of the Merkle tree. Raises TypeError if `text` is not readable."""
        return [SealedLine(*line.split(" ")) for line in self.text.split("\n")]

    def ids(self, sources: Container[Source]) -> Iterator[str]:
        """Yield the ids of the lines whose kind is among `sources`, in the order of the Merkle tree."""
        prefixes = tuple(prefix for prefix, source in _SOURCES.items() if source in sources)
        for line in self.text.split("\n"):
            if line.startswith(prefixes):
                yield line[: -2 * _HASH_START_BYTES - 1]


@dataclass(slots=True)
class Batching:
    """A batch that is being made: call `add` for each line, in the order of the batch's tree, then `finished`.

    The caller adds the checks first, by id.

    Attributes:
        salt: the random bytes in the commitments of this batch.
        sealed: ids of lines that `add` ignores: those of this batch, and those of earlier batches that the caller may
            read and add again.
        committed_from: checks with this id or a higher one get a commitment to their question; questions of earlier
            checks may be erased while the batch is made.
        first_check: the lowest id of a check so far; None before the first check.
    """

    salt: bytes
    sealed: set[str]
    committed_from: str
    first_check: str | None = None
    _leaves: list[bytes] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of lines so far."""
        return len(self._leaves)

    def add(self, line: Line) -> None:
        """Add a line to the batch; a line whose id is in `sealed` is ignored."""
        name = line.id
        if name in self.sealed:
            return
        self.sealed.add(name)
        if self.first_check is None and name.startswith(CHECK_PREFIX):
            self.first_check = name  # checks are added in the order of their ids
        leaf = leaf_of(line, commitment_of(line, self.salt) if name >= self.committed_from else None)
        self._leaves.append(leaf)
        self._lines.append(f"{name} {hash_start_of(leaf)}")

    def finished(self, number: int, at: datetime, reached: Position) -> Batch:
        """Return the batch of the lines added so far, which must be at least one.

        Args:
            number: the batch's number.
            at: when the batch is made.
            reached: the position up to which this batch and the earlier ones contain all lines.
        """
        root = merkle.root_of_leaves(self._leaves)
        return Batch(number, at, "\n".join(self._lines), root, self.first_check, reached, self.salt)


def hash_start_of(leaf: bytes) -> str:
    """Return the first 12 hexadecimal digits of a line's leaf hash; a batch stores them beside the line's id."""
    return leaf[:_HASH_START_BYTES].hex()


def commitment_of(line: Line, salt: bytes) -> bytes | None:
    """Return the salted commitment to `line.erasable`, the text that retention may erase; None if the line has none.

    It is SHA-256 over the salt, the line's id, a NUL byte and the text in UTF-8.
    """
    if line.erasable is None:
        return None
    return hashlib.sha256(b"%b%b\0%b" % (salt, line.id.encode(), line.erasable.encode())).digest()


def leaf_of(line: Line, commitment: bytes | None) -> bytes:
    """Return the leaf hash of a line in the Merkle tree of its batch.

    It is the hash of the line's text: `line.opening`, then the commitment in base64, or null if `commitment` is None.
    """
    end = b",null]" if commitment is None else b',"%b"]' % b2a_base64(commitment, newline=False)
    return merkle.leaf_hash(line.opening + end)


def opened(
    line: Line, hash_start: str, salt: bytes | None, kept: bytes | None
) -> tuple[bytes, bytes | None] | None:
    """Return the leaf hash of a line and the commitment in it, if the line is still as it was sealed; else None.

    The commitment is None if the line was sealed without one.

    Args:
        line: the line as it is stored now.
        hash_start: the first digits of the leaf hash, as the batch stores them.
        salt: the batch's salt; None once it is erased.
        kept: the commitment that was stored when the salt was erased; None without one.
    """
    committed = kept if salt is None else commitment_of(line, salt)
    for commitment in dict.fromkeys(
        (committed, None)
    ):  # some are sealed without: see `Batching.committed_from`
        leaf = leaf_of(line, commitment)
        if hash_start_of(leaf) == hash_start:
            return leaf, commitment
    return None


def joined(commitments: Iterable[bytes | None]) -> bytes:
    """Return the commitments of a batch as one byte string, which `split` divides again: 32 bytes for each check.

    The place of None, for a check without a commitment, is filled with zero bytes.
    """
    return b"".join(each or _ABSENT for each in commitments)


def split(commitments: bytes) -> list[bytes | None]:
    """Return the commitments in the bytes that `joined` has made: one for each check, None for a check without one."""
    size = len(_ABSENT)
    parts = (commitments[begin : begin + size] for begin in range(0, len(commitments), size))
    return [None if part == _ABSENT else part for part in parts]


def facts_of(batch: Batch) -> dict[str, Any]:
    """Return the `facts` of the ledger record that seals a batch: `seal`, with kind, batch number, lines and root."""
    seal = {"kind": "log", "batch": batch.number, "lines": batch.size, "root": batch.root.hex()}
    return {"seal": seal}
