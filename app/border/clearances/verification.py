"""Verification of clearances: checks read them from rows of a table, and each row must agree with the ledger."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import select

from app.border.clearances.domain import Clearance, ClearanceState
from app.border.clearances.service import draft_of
from app.border.clearances.store import columns_of
from app.border.clearances.tables import clearance as table
from app.db.unit import Reader
from app.kit.canonical import canonical
from app.kit.differences import Difference
from app.ledger import service as ledger
from app.ledger.domain import Record, RecordType

_READ: Final = msgspec.json.Decoder(Clearance).decode


async def verify_page(reader: Reader, after: str, limit: int) -> tuple[int, list[Difference], str | None]:
    """Compare the next clearances, in the order of their ids, with the ledger's records about them.

    On PostgreSQL a clearance may end between two statements, so the caller must verify each difference a second time.

    Args:
        reader: the transaction.
        after: the id of the last clearance that was verified; empty for the beginning.
        limit: the greatest number of clearances.

    Returns:
        The number of verified clearances, the differences found, and the id to continue after; None at the end.
    """
    rows = (await reader.run(select(table).where(table.c.id > after).order_by(table.c.id).limit(limit))).all()
    records: dict[str, Sequence[Record]] = {}
    found = []
    for row in rows:
        try:
            if row.entry_id not in records:
                records[row.entry_id] = await ledger.list_of_entry(reader, row.entry_id)
            what = _fault_of(row, _READ(row.document), records[row.entry_id])
        except ValueError:  # also of JSON that is none
            what = "its document, or a record of its entry, can't be read"
        if what is not None:
            found.append(Difference(f"clearance {row.id}", what))
    return len(rows), found, rows[-1].id if rows else None


def _fault_of(row: Any, clearance: Clearance, records: Sequence[Record]) -> str | None:
    columns = columns_of(clearance)
    for name, value in columns.items():
        if name != "document" and getattr(row, name) != value:
            return f"the column {name} differs from the document"
    of_it = [each for each in records if each.leaf.get("clearance_id") == clearance.id]
    granted = [each for each in of_it if each.type is RecordType.CLEARANCE_GRANTED]
    ended = [each for each in of_it if each.type is RecordType.CLEARANCE_ENDED]
    in_force = clearance.state is ClearanceState.STANDING
    if len(ended) > len(granted) or in_force != (len(granted) > len(ended)):
        return "its state is not that of the ledger's records"
    for each in of_it:
        draft = draft_of(clearance, each.type)
        facts = {"entry_id": draft.entry_id, "version": draft.version, "agency": draft.agency}
        facts["hit_id"] = clearance.hit_id
        if any(each.leaf[name] != value for name, value in facts.items()):
            return f"it differs from record {each.sequence} of the ledger"
        shown = each.personal is not None and clearance.bearer is not None
        if shown and canonical(each.personal) != canonical(draft.personal):
            return f"its bearer is not that of record {each.sequence} of the ledger"
    return None
