"""An alert as it is told: to counters and gates, while it holds and later (contract sections 4 and 5)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.access.domain import Kind
from app.alerts.domain import NOBODY, SEALED_MESSAGE, AlertKind
from app.db.unit import Actor
from app.ledger.domain import Record

ENDED_MESSAGE: Final = (
    "Pemberitahuan ini telah berakhir: jangan menahan siapa pun atas dasar ini. / "
    "This alert has ended: hold nobody for it."
)
"""What is read in place of the owner's words once an alert has ended."""

GATE_MESSAGE: Final = "Untuk gerbang otomatis: ikuti `action`. / For an autogate: follow `action`."
"""What a gate reads in place of the owner's words."""

_NOBODY_AT_ALL: Final[dict[str, Any]] = {
    **NOBODY,
    "measure": None,
    "citizenship": None,
    "in_force_until": None,
    "pending_until": None,
}
"""Everything of an alert's entry but its id and version."""

_NOT_FOR_GATES: Final = {name: none for name, none in NOBODY.items() if name != "documents"} | {
    "citizenship": None
}
"""What a gate, which compares the document that it reads, has no use for."""

_OWN_WORDS: Final = frozenset({AlertKind.RAISE, AlertKind.UPDATE})
"""Kinds whose message is the owner's; a cancel and a drill have words that name nobody."""


def at_gate(actor: Actor) -> bool:
    """Whether an actor is an autogate, which is told no more than it needs to stay shut."""
    return actor.kind == Kind.AUTOGATE


def on_the_wire(
    record: Record, *, to_gate: bool = False, holding: Mapping[str, bool] | None = None
) -> dict[str, Any] | None:
    """An alert's ledger record as checkpoints read it; None once its personal part is erased.

    Args:
        record: the record.
        to_gate: whether an autogate reads it.
        holding: the alerts that hold when it is read, by id, and whether each is about a sealed entry, which
            names nobody, whatever the alert said when it was issued (R61); an alert that is left out has
            ended, and keeps its number and ids only. None for an alert that is told as it is issued.
    """
    if record.personal is None:
        return None
    said = record.personal
    about = said.get("entry")
    if about is not None:
        kind = said["kind"]
        if to_gate:
            said = {**said, "message": GATE_MESSAGE, "contact": None, "entry": {**about, **_NOT_FOR_GATES}}
        if holding is not None and str(record.alert_id) not in holding:
            message = ENDED_MESSAGE if kind in _OWN_WORDS else said["message"]
            said = {**said, "message": message, "entry": {**about, **_NOBODY_AT_ALL}}
        elif holding is not None and holding[str(record.alert_id)]:
            message = GATE_MESSAGE if to_gate else SEALED_MESSAGE
            said = {**said, "message": message, "entry": {**said["entry"], **NOBODY}}
    return {
        "id": record.alert_id,
        "sequence": record.sequence,
        "previous_sequence": record.leaf["previous_sequence"],
        **said,
    }


def frame(
    record: Record, epoch: str, *, to_gate: bool = False, holding: Mapping[str, bool] | None = None
) -> bytes | None:
    """An alert's ledger record as one server-sent event: the same bytes for every client of a kind."""
    message = on_the_wire(record, to_gate=to_gate, holding=holding)
    if message is None:
        return None
    data = msgspec.json.encode(message)
    return b"id: %s.%d\nevent: alert\ndata: %s\n\n" % (epoch.encode(), record.sequence, data)
