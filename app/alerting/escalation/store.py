"""SQL statements of escalation policies and chases.

A chase is the escalation of one alert at one checkpoint.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    exists,
    insert,
    literal,
    or_,
    select,
    update,
)

from app.access.domain import Role, Standing
from app.access.tables import checkpoint as checkpoint_table
from app.access.tables import client as client_table
from app.alerting.alerts.domain import ReceiptLevel
from app.alerting.alerts.overdue_store import to_acknowledge
from app.alerting.alerts.tables import alert, contact, presence, receipt, recipient
from app.alerting.escalation import tables
from app.alerting.escalation.domain import (
    DEFAULT_POLICY,
    POLLED_WITHIN,
    RECEIVED_WITHIN,
    RECENTLY,
    RECONNECTED_WITHIN,
    Chase,
    EscalationPolicy,
    Step,
)
from app.db.pages import follows
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.kit.ids import first_id

logger = logging.getLogger(__name__)

_steps = msgspec.json.Decoder(tuple[Step, ...])

LONGEST_OUTAGE = timedelta(days=7)
"""Age from which on an alert is not examined for missing receipts. Only an outage of this length delays it so long."""


def has_receipt(checkpoint: ColumnElement[str], *levels: ReceiptLevel) -> ColumnElement[bool]:
    """Return the SQL condition that a checkpoint has sent a receipt of one of `levels`; of any level without `levels`.

    The alert is the row of the alert table in the surrounding statement; `checkpoint` is a column with a code.
    """
    conditions = [receipt.c.alert_id == alert.c.id, receipt.c.checkpoint == checkpoint]
    if levels:
        conditions.append(receipt.c.level.in_(levels))
    return exists().where(*conditions)


async def find_policy(reader: Reader, checkpoint: str) -> EscalationPolicy | None:
    """Return a checkpoint's stored escalation policy; None if it never had one.

    For a deleted policy the result has the default steps, `own` False, and the version of the deletion.
    """
    return (await list_policies(reader, [checkpoint])).get(checkpoint)


async def list_policies(reader: Reader, checkpoints: Iterable[str]) -> dict[str, EscalationPolicy]:
    """Return the stored policies of these checkpoints by code; checkpoints that never had one are omitted.

    For a deleted policy the result has the default steps, `own` False, and the version of the deletion. The same holds
    for a policy that can't be read, which is logged: somebody must be paged, and an admin can replace it.
    """
    table = tables.policy
    statement = select(table.c.checkpoint, table.c.version, table.c.steps)
    rows = await reader.run(
        statement.where(any_of(table.c.checkpoint, "codes")), {"codes": sorted(checkpoints)}
    )
    found = {}
    for row in rows:
        steps = _read_steps(row.checkpoint, row.steps)
        found[row.checkpoint] = EscalationPolicy(steps or DEFAULT_POLICY.steps, row.version, own=bool(steps))
    return found


def _read_steps(checkpoint: str, text: str) -> tuple[Step, ...]:
    """Return the steps of a stored policy; empty if it was deleted, or can't be read, which is logged."""
    try:
        return _steps.decode(text)
    except msgspec.DecodeError:
        logger.exception("an escalation policy can't be read", extra={"checkpoint": checkpoint})
        return ()


async def save_policy(unit: Unit, checkpoint: str, policy: EscalationPolicy) -> None:
    """Store a checkpoint's escalation policy in place of an earlier one.

    A policy with `own` False means a deletion: only its version is stored.
    """
    table = tables.policy
    values = {
        "version": policy.version,
        "steps": msgspec.json.encode(policy.steps if policy.own else ()).decode(),
        "changed_at": unit.now,
    }
    statement = unit.inserting(table).values(checkpoint=checkpoint, **values)
    await unit.run(statement.on_conflict_do_update(index_elements=[table.c.checkpoint], set_=values))


async def list_unjudged(reader: Reader, after: tuple[str, str] | None, limit: int) -> list[tuple[str, str]]:
    """Return (id, family) of alerts whose receipts are due and were not examined yet, earliest issue first.

    At most `limit` are returned, only those after the pair `after` (None: the first). Such an alert fulfils
    `to_acknowledge`. Receipts are due `RECEIVED_WITHIN` after the issue; alerts older than `LONGEST_OUTAGE` are
    omitted.
    """
    judged = exists().where(tables.chased_alert.c.alert_id == alert.c.id)
    statement = (
        select(alert.c.id, alert.c.family)
        .where(
            alert.c.id >= first_id("alr", reader.now - LONGEST_OUTAGE),
            alert.c.id > (after[0] if after else ""),
            alert.c.issued_at <= reader.now - RECEIVED_WITHIN,
            to_acknowledge(reader.now),
            ~judged,
        )
        .order_by(alert.c.id)
        .limit(limit)
    )
    return [(row.id, row.family) for row in await reader.run(statement)]


async def list_unacknowledged(reader: Reader, after: str | None, limit: int) -> list[str]:
    """Return ids of alerts past `acknowledge_by` whose acknowledgements were not examined yet, earliest issue first.

    At most `limit` are returned, only those after the id `after` (None: the first). Such an alert fulfils
    `to_acknowledge`. Alerts whose receipts were not examined yet are omitted.
    """
    progress = tables.chased_alert
    statement = (
        select(alert.c.id)
        .join(progress, progress.c.alert_id == alert.c.id)
        .where(
            progress.c.acknowledgements_judged_at.is_(None),
            alert.c.id > (after or ""),
            alert.c.acknowledge_by <= reader.now,
            to_acknowledge(reader.now),
        )
        .order_by(alert.c.id)
        .limit(limit)
    )
    return list((await reader.run(statement)).scalars())


def _chaseable(checkpoint: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that somebody at a checkpoint can acknowledge.

    It is active, and has a client or an escalation policy of its own.
    """
    active = exists().where(checkpoint_table.c.code == checkpoint, checkpoint_table.c.active.is_(True))
    somebody = or_(
        exists().where(
            client_table.c.checkpoint == checkpoint,
            client_table.c.standing == Standing.ACTIVE,
            client_table.c.roles.contains(f'"{Role.CHECKPOINT}"'),
        ),
        exists().where(tables.policy.c.checkpoint == checkpoint, tables.policy.c.steps != "[]"),
    )
    return and_(active, somebody)


async def chase_missing_receipts(unit: Unit, alert_id: str, family: str, silence: timedelta) -> int:
    """Begin to escalate an alert at each recipient that has sent no receipt of it. Returns the number of escalations.

    Recipients at which nobody can acknowledge are left out: inactive ones, and those with neither a client for alerts
    nor an escalation policy of their own. A second call for the same alert raises IntegrityError.

    The first step is due at once, or some seconds later at a checkpoint that polls or that lost its connection in the
    last two minutes. If no checkpoint at all was connected within `silence`, the service itself was out, and every
    first step is due later. Escalations of earlier alerts of the family end, because this alert has replaced them.

    Args:
        unit: the transaction.
        alert_id: id of the alert.
        family: id of the first alert of the alert's family.
        silence: for how long a silent checkpoint counts as connected.
    """
    table, progress = tables.chase, tables.chased_alert
    await unit.run(insert(progress).values(alert_id=alert_id, receipts_judged_at=unit.now))
    earlier = select(alert.c.id).where(alert.c.family == family, alert.c.replaced_at.is_not(None))
    await unit.run(update(table).where(table.c.alert_id.in_(earlier)).values(due_at=None))
    here = and_(presence.c.checkpoint == recipient.c.checkpoint, presence.c.seen_at > unit.now - silence)
    streams = exists().where(here, presence.c.polling.is_(False))
    polls = exists().where(here, presence.c.polling.is_(True))
    late = exists().where(
        contact.c.checkpoint == recipient.c.checkpoint, contact.c.seen_at > unit.now - RECENTLY
    )

    connected_before = exists().where(contact.c.seen_at.is_not(None))
    connected_lately = exists().where(contact.c.seen_at > unit.now - silence)
    outage = and_(connected_before, ~connected_lately)

    def after(grace: timedelta) -> ColumnElement[Any]:
        return literal(unit.now + grace - RECEIVED_WITHIN, table.c.due_at.type)

    due_at = case(
        (streams, after(RECEIVED_WITHIN)),
        (polls, after(POLLED_WITHIN)),
        (outage, after(POLLED_WITHIN)),
        (late, after(RECONNECTED_WITHIN)),
        else_=after(RECEIVED_WITHIN),
    )
    return await _begin(unit, alert_id, due_at, has_receipt(recipient.c.checkpoint))


async def chase_missing_acknowledgements(unit: Unit, alert_id: str) -> int:
    """Begin to escalate an alert at each recipient that has not acknowledged it. Returns the number of new escalations.

    Recipients at which nobody can acknowledge are left out, as by `chase_missing_receipts`. An escalation that has
    begun already goes on unchanged.
    """
    progress = tables.chased_alert
    judged = update(progress).where(progress.c.alert_id == alert_id)
    await unit.run(judged.values(acknowledgements_judged_at=unit.now))
    due_at = literal(unit.now, tables.chase.c.due_at.type)
    acknowledged = has_receipt(recipient.c.checkpoint, ReceiptLevel.ACKNOWLEDGED)
    return await _begin(unit, alert_id, due_at, acknowledged)


async def _begin(unit: Unit, alert_id: str, due_at: ColumnElement[Any], answered: ColumnElement[bool]) -> int:
    """Insert a chase for each recipient of an alert without an answer that has none yet. Returns their number."""
    table = tables.chase
    missing = (
        select(alert.c.id, recipient.c.checkpoint, literal(0), due_at)
        .join(recipient, recipient.c.family == alert.c.family)
        .where(alert.c.id == alert_id, ~answered, _chaseable(recipient.c.checkpoint))
    )
    statement = unit.inserting(table).from_select(["alert_id", "checkpoint", "taken", "due_at"], missing)
    return int((await unit.run(statement.on_conflict_do_nothing())).rowcount)  # type: ignore[attr-defined]  # an insert


class DueStep(NamedTuple):
    """A chase whose next step is due: when it became due, the alert's id, and the checkpoint's code."""

    due_at: datetime
    alert_id: str
    checkpoint: str


async def list_due(reader: Reader, after: DueStep | None, limit: int) -> list[DueStep]:
    """Return at most `limit` chases whose next step is due, soonest due first, from the one behind `after` on.

    None in `after` begins with the first. Whether a chase is over by now, because the alert was acknowledged, has
    expired or was cancelled, is not examined here, but by the caller once it has locked the chase (`lock_due`).
    """
    table = tables.chase
    order = (table.c.due_at, table.c.alert_id, table.c.checkpoint)
    due = (table.c.due_at <= reader.now, follows(after, *order))
    rows = await reader.run(select(*order).where(*due).order_by(*order).limit(limit))
    return [DueStep(*row) for row in rows]


async def lock_due(unit: Unit, steps: Collection[DueStep], *, doubtful: bool) -> list[Chase]:
    """Return those of these chases whose next step is still due, and lock their rows until the commit, in one order.

    Args:
        unit: the transaction.
        steps: the chases, as `list_due` has returned them.
        doubtful: whether the clock is not plausible: then no alert counts as expired.
    """
    table = tables.chase
    over = or_(
        has_receipt(table.c.checkpoint, ReceiptLevel.ACKNOWLEDGED),
        ~to_acknowledge(None if doubtful else unit.now),
        ~_chaseable(table.c.checkpoint),
    )
    statement = (
        select(
            table.c.alert_id,
            table.c.checkpoint,
            table.c.due_at,
            table.c.taken,
            over.label("over"),
            has_receipt(table.c.checkpoint).label("received"),
            alert.c.acknowledge_by,
            alert.c.kind,
            alert.c.agency,
            alert.c.issued_at,
        )
        .join(alert, alert.c.id == table.c.alert_id)
        .where(
            table.c.due_at <= unit.now,
            any_of(table.c.alert_id, "alerts"),
            any_of(table.c.checkpoint, "codes"),
        )
        .order_by(table.c.alert_id, table.c.checkpoint)
        .with_for_update(key_share=True, of=table)
    )
    chosen = {(step.alert_id, step.checkpoint) for step in steps}
    parameters = {
        "alerts": sorted({alert_id for alert_id, _ in chosen}),
        "codes": sorted({code for _, code in chosen}),
    }
    rows = await unit.run(statement, parameters)
    return [Chase(**row._mapping) for row in rows if (row.alert_id, row.checkpoint) in chosen]


_ADVANCE = (
    update(tables.chase)
    .where(
        tables.chase.c.alert_id == bindparam("of_alert"),
        tables.chase.c.checkpoint == bindparam("of_checkpoint"),
    )
    .values(taken=bindparam("now_taken"), due_at=bindparam("next_at"))
)


async def advance(unit: Unit, chases: Mapping[tuple[str, str], tuple[int, datetime | None]]) -> None:
    """Store the progress of escalations.

    Args:
        unit: the transaction.
        chases: for each pair of alert id and checkpoint code, the number of steps taken, and when the next step is due;
            None if the escalation has ended.
    """
    rows = [
        {"of_alert": alert_id, "of_checkpoint": checkpoint, "now_taken": taken, "next_at": next_at}
        for (alert_id, checkpoint), (taken, next_at) in chases.items()
    ]
    if rows:
        await unit.run(_ADVANCE, rows)


async def list_disconnected(reader: Reader, since: datetime) -> list[str]:
    """Return the codes of the active checkpoints that were connected to no process since an instant, sorted."""
    place = checkpoint_table
    seen = exists().where(contact.c.checkpoint == place.c.code, contact.c.seen_at > since)
    here = exists().where(presence.c.checkpoint == place.c.code, presence.c.seen_at > since)
    statement = select(place.c.code).where(place.c.active.is_(True), ~seen, ~here).order_by(place.c.code)
    return list((await reader.run(statement)).scalars())
