"""SQL statements of pages."""

import logging
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, exists, null, or_, select, update

from app.alerting.alerts.domain import ReceiptLevel
from app.alerting.alerts.overdue_store import to_acknowledge
from app.alerting.alerts.tables import alert
from app.alerting.escalation import tables
from app.alerting.escalation.domain import About, Level, Page, PageState
from app.alerting.escalation.store import has_receipt
from app.db.types import any_of
from app.db.unit import Reader, Unit

logger = logging.getLogger(__name__)


_NAMES: Final = [each.name for each in fields(Page)]
_PAGE = [tables.page.c[name] for name in _NAMES]


async def add_pages(unit: Unit, pages: Sequence[Page]) -> None:
    """Insert pages; a page whose id is stored already is left unchanged."""
    if pages:  # `asdict` would copy each value deeply, which takes as long as all else in a large round
        rows = [{name: getattr(page, name) for name in _NAMES} for page in pages]
        await unit.run(unit.inserting(tables.page).on_conflict_do_nothing(), rows)


def _pages(*further: ColumnElement[Any]) -> Select[Any]:
    return select(*_PAGE, *further)


def _page(row: Row[Any]) -> Page:
    values = {column.name: row._mapping[column] for column in _PAGE}
    return Page(**{**values, "state": PageState(row.state), "level": Level(row.level)})


async def claim_pages(
    unit: Unit, channel: str, limit: int, lease: timedelta, *, doubtful: bool
) -> list[tuple[Page, About]]:
    """Claim pages of a channel that are due for an attempt, and return them with their alerts' data, at most `limit`.

    Pages about alerts come before test pages; both are sorted by due time, soonest first. A claimed page is due again
    after `lease`, unless its result was stored by then. A page that can't be read is logged, and left out until then.
    Due pages about alerts that were acknowledged or are over get the state `dropped`. `doubtful` is True while the
    clock is not plausible: then no alert counts as expired.
    """
    table = tables.page
    acknowledged = has_receipt(table.c.checkpoint, ReceiptLevel.ACKNOWLEDGED)
    over = exists().where(
        alert.c.id == table.c.alert_id, or_(acknowledged, ~to_acknowledge(None if doubtful else unit.now))
    )
    due = and_(table.c.state == PageState.DUE, table.c.due_at <= unit.now)
    dropped = update(table).where(due, ~table.c.drill, over)
    await unit.run(dropped.values(state=PageState.DROPPED, due_at=None, done_at=unit.now))
    chosen = (
        _pages(alert.c.kind, alert.c.agency, alert.c.issued_at)
        .join(alert, alert.c.id == table.c.alert_id)
        .where(due, table.c.channel == channel)
        .order_by(table.c.drill, table.c.due_at, table.c.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=table)  # skips what another process claims
    )
    rows = list(await unit.run(chosen))
    if rows:
        claimed = update(table).where(any_of(table.c.id, "ids"))
        claimed = claimed.values(due_at=unit.now + lease, attempts=table.c.attempts + 1)
        await unit.run(claimed, {"ids": [row.id for row in rows]})
    return [found for row in rows if (found := _claimed(row))]


def _claimed(row: Row[Any]) -> tuple[Page, About] | None:
    """Return a claimed page with its alert's data; None if it can't be read, which must not delay the others."""
    try:
        return _page(row), About(row.alert_id, row.kind, row.agency, row.issued_at)
    except ValueError:
        logger.exception("a page can't be read", extra={"page": row.id})
        return None


async def has_due_pages(reader: Reader, channel: str) -> bool:
    """Return whether a page of a channel is due for an attempt."""
    table = tables.page
    due = exists().where(
        table.c.state == PageState.DUE, table.c.due_at <= reader.now, table.c.channel == channel
    )
    return bool((await reader.run(select(due))).scalar_one())


async def store_result(
    unit: Unit, page_id: str, state: PageState, due_at: datetime | None, detail: str | None, ms: int
) -> None:
    """Store the result of an attempt to send a page, also if the page was `dropped` during the attempt.

    Args:
        unit: the transaction.
        page_id: id of the page.
        state: the page's state from now on.
        due_at: when the next attempt is due; None when the page is done.
        detail: what the channel answered.
        ms: milliseconds that the attempt took.
    """
    table = tables.page
    done_at = None if due_at else unit.now
    values = {"state": state, "due_at": due_at, "done_at": done_at, "detail": detail, "ms": ms}
    await unit.run(update(table).where(table.c.id == page_id).values(**values))


async def hasten(unit: Unit, page: Page) -> None:
    """Make the next step of an escalation due now, if the step to which this failed page belongs has reached nobody.

    A step has reached nobody if none of its pages was sent or is still due. Nothing changes if the next step was taken
    already.
    """
    table, chase = tables.page, tables.chase
    reached = exists().where(
        table.c.alert_id == page.alert_id,
        table.c.checkpoint == page.checkpoint,
        table.c.step == page.step,
        table.c.drill.is_(False),
        table.c.state.in_([PageState.SENT, PageState.DUE]),
    )
    following = update(chase).where(
        chase.c.alert_id == page.alert_id,
        chase.c.checkpoint == page.checkpoint,
        chase.c.taken == page.step + 1,
        chase.c.due_at > unit.now,
        ~reached,
    )
    await unit.run(following.values(due_at=unit.now))


async def list_pages(reader: Reader, alert_id: str, limit: int) -> list[Page]:
    """Return the newest pages about an alert, at most `limit`, oldest of them first.

    The list is empty if the alert is unknown.
    """
    table = tables.page
    newest = _pages().where(table.c.alert_id == alert_id)
    newest = newest.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
    return [_page(row) for row in await reader.run(newest)][::-1]


async def list_failing(reader: Reader, since: datetime) -> set[tuple[str, str, str]]:
    """Return the contacts that can't be paged, as triples of checkpoint code, channel and address.

    Such a contact has a failed page that was made after `since`. Of its pages that were made later, none was sent.
    """
    table, later = tables.page, tables.page.alias()
    sent_later = exists().where(
        later.c.checkpoint == table.c.checkpoint,
        later.c.channel == table.c.channel,
        later.c.address == table.c.address,
        later.c.state == PageState.SENT,
        later.c.created_at > table.c.created_at,
    )
    statement = select(table.c.checkpoint, table.c.channel, table.c.address).where(
        table.c.created_at > since, table.c.state == PageState.FAILED, ~sent_later
    )
    return {(row[0], row[1], row[2]) for row in await reader.run(statement)}


async def has_addresses(reader: Reader, before: datetime) -> bool:
    """Return whether `erase_addresses` would erase anything from pages that were made before an instant."""
    return bool((await reader.run(select(exists().where(_kept_before(before))))).scalar_one())


def _kept_before(before: datetime) -> ColumnElement[bool]:
    table = tables.page
    return and_(table.c.created_at < before, or_(table.c.address.is_not(None), table.c.detail.is_not(None)))


async def erase_addresses(unit: Unit, before: datetime) -> int:
    """Erase addresses and channels' answers in pages made before an instant. Returns how many pages changed."""
    statement = update(tables.page).where(_kept_before(before)).values(address=null(), detail=null())
    return int((await unit.run(statement)).rowcount)  # type: ignore[attr-defined]  # an update
