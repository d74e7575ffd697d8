"""SQL statements that read the questions of past checks for the sample of travellers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Integer, bindparam, or_, select

from app.border.checks.store import AT_THE_BORDER
from app.border.checks.tables import check
from app.db.unit import Reader
from app.register.entries.answer import Direction


class PastQuestion(NamedTuple):
    """The question of a stored check at the border; `hashed` is None if no document or NIK was shown."""

    id: str
    at: datetime
    direction: Direction
    hashed: bytes | None
    question: str


_ASKED: Final = select(
    check.c.id, check.c.at, check.c.direction, check.c.document_hash, check.c.question
).where(AT_THE_BORDER, check.c.question.is_not(None))
_LIMIT: Final = bindparam("limit", type_=Integer)
_BY_LOT = (
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
_NEW = (
    _ASKED.where(
        check.c.id > bindparam("after"),
        or_(check.c.document_hash.is_(None), check.c.document_hash < bindparam("bound")),
    )
    .order_by(check.c.id)
    .limit(_LIMIT)
)


async def list_by_lot(reader: Reader, after: bytes, first: str, limit: int) -> Sequence[PastQuestion]:
    """Return questions with a hash greater than `after`, in the order of their hashes, at most `limit`.

    Only questions of checks from the id `first` on.
    """
    rows = await reader.run(_BY_LOT, {"after": after, "first": first, "limit": limit})
    return [PastQuestion(*row) for row in rows]


async def list_unnumbered(reader: Reader, first: str, before: str, limit: int) -> Sequence[PastQuestion]:
    """Return questions without a document or NIK, newest first, at most `limit`.

    Only checks from the id `first` on and before the id `before`.
    """
    rows = await reader.run(_UNNUMBERED, {"first": first, "before": before, "limit": limit})
    return [PastQuestion(*row) for row in rows]


async def list_new(reader: Reader, after: str, bound: bytes, limit: int) -> Sequence[PastQuestion]:
    """Return questions of checks after the id `after`, oldest first, at most `limit`.

    Only questions without a hash (no document and no NIK was shown), or with a hash below `bound`.
    """
    values = {"after": after, "bound": bound, "limit": limit}
    return [PastQuestion(*row) for row in await reader.run(_NEW, values)]
