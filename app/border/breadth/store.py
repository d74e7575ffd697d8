"""SQL statements that read the questions of past checks for the sample of travellers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Integer, bindparam, or_, select

from app.border.checks.store import AT_THE_BORDER
from app.border.checks.tables import check
from app.db.driver import CompiledStatement
from app.db.unit import Reader
from app.register.entries.answer import Direction


class PastQuestion(NamedTuple):
    """A past check at the border (by a counter or an autogate), with its question as text.

    `hashed` is the keyed hash of the first document's number, or else of the NIK; None if the traveller had neither.
    """

    id: str
    at: datetime
    direction: Direction
    hashed: bytes | None
    question: str


_ASKED: Final = select(
    check.c.id, check.c.at, check.c.direction, check.c.document_hash, check.c.question
).where(AT_THE_BORDER, check.c.question.is_not(None))
_LIMIT: Final = bindparam("limit", type_=Integer)
_BY_LOT = CompiledStatement(
    _ASKED.where(check.c.document_hash > bindparam("after"), check.c.id >= bindparam("first"))
    .order_by(check.c.document_hash, check.c.id)
    .limit(_LIMIT)
)
_UNNUMBERED = (
    _ASKED.where(
        check.c.document_hash.is_(None),
        check.c.id >= bindparam("first"),
        check.c.id < bindparam("before"),
    )
    .order_by(check.c.id.desc())
    .limit(_LIMIT)
)
_NEW = CompiledStatement(
    _ASKED.where(
        check.c.id > bindparam("after"),
        or_(check.c.document_hash.is_(None), check.c.document_hash < bindparam("bound")),
    )
    .order_by(check.c.id)
    .limit(_LIMIT)
)


async def list_by_lot(reader: Reader, after: bytes, first: str, limit: int) -> Sequence[PastQuestion]:
    """Return past checks at the border whose `hashed` is greater than `after`, in the order of `hashed`.

    `hashed` is the keyed hash of the traveller's document number or NIK; these hashes look random, so that the order of
    the travellers is random too. At most `limit` checks are returned. Omitted are checks without such a number (see
    `list_unnumbered`), with an id before `first`, or with an erased question.
    """
    rows = await _BY_LOT.run(reader, {"after": after, "first": first, "limit": limit})
    return [PastQuestion(*row) for row in rows]


async def list_unnumbered(reader: Reader, first: str, before: str, limit: int) -> Sequence[PastQuestion]:
    """Return past checks at the border with neither a document number nor a NIK, newest first, at most `limit`.

    Only checks with an id from `first` on and before `before` are returned; those with an erased question are omitted.
    """
    rows = await reader.run(_UNNUMBERED, {"first": first, "before": before, "limit": limit})
    return [PastQuestion(*row) for row in rows]


async def list_new(reader: Reader, after: str, bound: bytes, limit: int) -> Sequence[PastQuestion]:
    """Return checks at the border with an id after `after`, oldest first, at most `limit`.

    Only checks whose `hashed` is below `bound`, or None (neither a document number nor a NIK), are returned. Checks
    with an erased question are omitted.
    """
    values = {"after": after, "bound": bound, "limit": limit}
    return [PastQuestion(*row) for row in await _NEW.run(reader, values)]
