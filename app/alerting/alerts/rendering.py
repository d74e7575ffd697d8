"""Rendering of an alert for counters and autogates, while it is open and later (API sections 4 and 5)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from app.access.domain import Kind
from app.actor import Actor
from app.alerting.alerts.domain import EMPTY_IDENTITY, SEALED_MESSAGE, AlertKind
from app.kit.json_text import on_one_line
from app.ledger.domain import Record

ENDED_MESSAGE: Final = (
    "Pemberitahuan ini telah berakhir: jangan menahan siapa pun atas dasar ini. / "
    "This alert has ended: hold nobody for it."
)
"""Message of an alert that has ended, in place of the owner's words."""

GATE_MESSAGE: Final = "Untuk gerbang otomatis: ikuti `action`. / For an autogate: follow `action`."
"""Message for autogates, in place of the owner's words."""

_ENDED_ENTRY: Final[dict[str, Any]] = {
    **EMPTY_IDENTITY,
    "measure": None,
    "citizenship": None,
    "in_force_until": None,
    "pending_until": None,
}
"""The members of an ended alert's entry, all null or empty, except its id and version."""

_GATE_ENTRY: Final = {name: none for name, none in EMPTY_IDENTITY.items() if name != "documents"} | {
    "citizenship": None
}
"""The members that are null or empty for an autogate, which compares documents only."""

_OWNER_MESSAGE: Final = frozenset({AlertKind.RAISE, AlertKind.UPDATE})
"""Kinds with the owner's message; the messages of cancels and drills contain no name."""


def at_gate(actor: Actor) -> bool:
    """Return whether an actor is an autogate, which sees only the data that it needs to refuse a person."""
    return actor.kind == Kind.AUTOGATE


def render_alert(
    record: Record, *, to_gate: bool = False, holding: Mapping[str, bool] | None = None
) -> dict[str, Any] | None:
    """Return an alert's ledger record as the JSON that checkpoints read; None once its personal part is erased.

    Args:
        record: the record.
        to_gate: whether the reader is an autogate, which sees less.
        holding: None for an alert that is published at its issue. For one that is read later: the ids of the open
            alerts, each with whether its entry is sealed. For a sealed entry the result shows no identity (R61). An
            alert that is missing here has ended: its entry shows only id and version, and a fixed message takes the
            place of the owner's; kind, action, times and contact stay.
    """
    if record.personal is None:
        return None
    content = record.personal
    about = content.get("entry")
    if about is not None:
        kind = content["kind"]
        if to_gate:
            entry = {**about, **_GATE_ENTRY}
            content = {**content, "message": GATE_MESSAGE, "contact": None, "entry": entry}
        if holding is not None and str(record.alert_id) not in holding:
            message = ENDED_MESSAGE if kind in _OWNER_MESSAGE else content["message"]
            content = {**content, "message": message, "entry": {**about, **_ENDED_ENTRY}}
        elif holding is not None and holding[str(record.alert_id)]:
            message = GATE_MESSAGE if to_gate else SEALED_MESSAGE
            content = {**content, "message": message, "entry": {**content["entry"], **EMPTY_IDENTITY}}
    return {
        "id": record.alert_id,
        "sequence": record.sequence,
        "previous_sequence": record.leaf["previous_sequence"],
        **content,
    }


def frame(
    record: Record, epoch: str, *, to_gate: bool = False, holding: Mapping[str, bool] | None = None
) -> bytes | None:
    """Return an alert's ledger record as a server-sent event; None once its personal part is erased.

    Args:
        record: the record.
        epoch: the ledger's epoch, for the cursor in the event's `id`.
        to_gate: whether the reader is an autogate, which sees less.
        holding: for an alert that is read after its issue: the ids of the open alerts, each with whether its entry is
            sealed (`render_alert`). None for an alert that is published at its issue.
    """
    message = render_alert(record, to_gate=to_gate, holding=holding)
    if message is None:
        return None
    data = on_one_line(msgspec.json.encode(message))
    return b"id: %s.%d\nevent: alert\ndata: %s\n\n" % (epoch.encode(), record.sequence, data)


def frames_of(
    records: Iterable[Record], epoch: str, holding: Mapping[str, bool] | None
) -> list[tuple[Record, bytes | None, bytes | None]]:
    """Return the records of alerts among ledger records, in order, each with its frames for counters and for autogates.

    The frames are None once the personal part is erased. `epoch` and `holding` are those of `frame`.
    """
    return [
        (record, frame(record, epoch, holding=holding), frame(record, epoch, to_gate=True, holding=holding))
        for record in records
        if record.alert_id
    ]
