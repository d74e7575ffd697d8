"""Verifying hits: each belongs to a check, is resolved as the audit trail says, and no check's hit is missing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import select

from app.access.acts import AuditAct
from app.access.tables import audit
from app.border.checks import store as checks
from app.border.checks.hit_store import list_hits_after, list_queued
from app.border.hits import store
from app.border.hits.domain import Hit
from app.border.hits.tables import hit as table
from app.db.types import any_of
from app.db.unit import Reader
from app.kit.differences import Difference

_READ: Final = msgspec.json.Decoder(Hit).decode


async def verify_page(
    register: Reader, checked: Reader, after: str, limit: int
) -> tuple[int, list[Difference], str | None]:
    """Compare the next hits, in the order of their ids, with the checks that opened them and with the audit trail.

    Args:
        register: a transaction on the register.
        checked: a transaction on the checks.
        after: the id of the last hit that was verified; empty for the beginning.
        limit: the greatest number of hits.

    Returns:
        The number of verified hits, the differences found, and the id to continue after; None at the end.
    """
    rows = (
        await register.run(select(table).where(table.c.id > after).order_by(table.c.id).limit(limit))
    ).all()
    if not rows:
        return 0, [], None
    ids = [row.id for row in rows]
    acts: dict[str, list[Any]] = {hit_id: [] for hit_id in ids}
    statement = select(audit).where(any_of(audit.c.object, "ids"), audit.c.act == AuditAct.HIT_RESOLVED.value)
    for act in await register.run(statement.order_by(audit.c.id), {"ids": ids}):
        acts[act.object].append(act)
    hits, found = {}, []
    for row in rows:
        try:
            hits[row.id] = _READ(row.document)
        except msgspec.DecodeError:
            found.append(Difference(f"hit {row.id}", "its document can't be read"))
    records = {
        each.id: each for each in await checks.list_records(checked, {h.check_id for h in hits.values()})
    }
    for row in rows:
        if row.id in hits:
            own = hits[row.id]
            faults = _faults(row, own, records.get(own.check_id), acts[row.id])
            found += [Difference(f"hit {row.id}", what) for what in faults]
    return len(rows), found, ids[-1]


async def find_missing(
    register: Reader, checked: Reader, after: str, limit: int
) -> tuple[list[Difference], str | None]:
    """Find checks whose hit is neither in the register nor in the queue of hits to create, in the order of check ids.

    Args:
        register: a transaction on the register, opened after `checked`.
        checked: a transaction on the checks.
        after: the id of the last check that was examined; empty for the beginning.
        limit: the greatest number of checks.

    Returns:
        A difference for each missing hit, and the check id to continue after; None at the end.
    """
    opened = await list_hits_after(checked, after, limit)
    if not opened:
        return [], None
    queued = await list_queued(checked, [each.check_id for each in opened])
    known = await store.list_existing(register, {each.hit_id for each in opened} - queued)
    missing = [each for each in opened if each.hit_id not in known and each.hit_id not in queued]
    found = [
        Difference(f"hit {each.hit_id}", f"check {each.check_id} opened it, and it is gone")
        for each in missing
    ]
    return found, opened[-1].check_id


def _faults(row: Any, hit: Hit, check: Any | None, acts: Sequence[Any]) -> Iterator[str]:
    for name, value in store.columns_of(hit).items():
        if row._mapping[name] != value:
            yield f"the column {name} differs from the document"
    if check is None:
        yield f"there is no check {hit.check_id}"
    else:
        opened = (hit.id, hit.checkpoint, hit.direction, hit.outcome, hit.opened_at)
        if opened != (check.hit_id, check.checkpoint, check.direction, check.outcome, check.at):
            yield f"it differs from check {check.id}, which opened it"
        if [each.entry_id for each in hit.matched] != _entry_ids_in(check):
            yield f"its entries are not those of check {check.id}"
    # Acts of one millisecond have no order among their ids.
    if Counter(map(_said, hit.resolutions)) != Counter(map(_recorded, acts)):
        yield "its resolutions are not those of the audit trail"


def _said(resolution: Any) -> tuple[Any, ...]:
    action = resolution.action.value if resolution.action else None
    return resolution.by, resolution.person, resolution.at, resolution.outcome.value, action


def _recorded(act: Any) -> tuple[Any, ...]:
    try:
        detail = msgspec.json.decode(act.detail, type=dict[str, Any])
    except msgspec.DecodeError:
        detail = {}
    return act.client_id, act.person, act.at, detail.get("outcome"), detail.get("action")


def _entry_ids_in(check: Any) -> list[str] | None:
    """Return the ids of the entries that a check matched; None if they can't be read."""
    try:
        return checks.entry_ids_in(check.matches)
    except msgspec.DecodeError:
        return None
