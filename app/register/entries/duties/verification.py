"""Verification of recorded duties: for each of them the audit trail must have an act that says the same.

A duty is a row that could be changed in the database. The audit trail can't be changed unnoticed, because the query
log seals it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import select

from app.access.acts import AuditAct
from app.access.tables import audit
from app.db.types import any_of
from app.db.unit import Reader
from app.kit.differences import Difference
from app.register.entries.law.deadlines import DeadlineName
from app.register.entries.tables import duty


class _Said(msgspec.Struct):
    """The detail of an act; acts of earlier releases name the duty alone."""

    name: str
    version: int | None = None
    done_at: datetime | None = None


_read: Final = msgspec.json.Decoder(_Said).decode


class _Act(NamedTuple):
    """What an act says of a duty."""

    name: str
    by: str
    person: str | None
    recorded_at: datetime
    version: int | None
    done_at: datetime | None


async def verify_page(reader: Reader, after: str, limit: int) -> tuple[int, list[Difference], str | None]:
    """Compare the recorded duties of some entries with the acts of the audit trail, in the order of the entries' ids.

    Only entries with a recorded duty are read. The arrival of an extension is skipped, although its row is in the same
    table: an amendment records it, and no act.

    Args:
        reader: the transaction.
        after: the id of the last verified entry; empty for the beginning.
        limit: the greatest number of entries.

    Returns:
        The number of duties compared, a difference for each duty that no act confirms, and the id for `after` in the
        next call; None in place of the id if no entry was left.
    """
    by_officers = duty.c.name != DeadlineName.EXTEND_BEFORE
    some = select(duty.c.entry_id).distinct().where(duty.c.entry_id > after, by_officers)
    ids = list((await reader.run(some.order_by(duty.c.entry_id).limit(limit))).scalars())
    if not ids:
        return 0, [], None
    own = select(duty).where(any_of(duty.c.entry_id, "ids"), by_officers)
    rows = (await reader.run(own.order_by(duty.c.entry_id, duty.c.recorded_at), {"ids": ids})).all()
    acts: dict[str, list[_Act]] = defaultdict(list)
    said = select(audit).where(any_of(audit.c.object, "ids"), audit.c.act == AuditAct.DUTY_RECORDED.value)
    for act in await reader.run(said, {"ids": ids}):
        try:
            read = _read(act.detail)
        except msgspec.DecodeError:
            continue  # the query log names it
        acts[act.object].append(
            _Act(read.name, act.client_id, act.person, act.at, read.version, read.done_at)
        )
    return len(rows), [_difference(row) for row in rows if not _is_said(row, acts[row.entry_id])], ids[-1]


def _is_said(row: Any, acts: Sequence[_Act]) -> bool:
    """Return whether an act says that this duty was recorded."""
    recorded = (row.name, row.by, row.person, row.recorded_at)
    return any(
        recorded == act[:4] and act.version in {None, row.version} and act.done_at in {None, row.done_at}
        for act in acts
    )


def _difference(row: Any) -> Difference:
    where = f"entry_duty {row.entry_id} {row.name} {row.version}"
    return Difference(where, "no act of the audit trail says that this duty was recorded so")
