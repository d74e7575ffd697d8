"""Response bodies of an entry's history (API section 3)."""

from app.register.entries.acts import Act
from app.register.entries.duties.service import DutyName
from app.web.wire import Moment, WireOut


class HistoryItemOut(WireOut):
    """One step of an entry's history."""

    version: int
    """The entry's version after the step."""
    event: Act | DutyName
    """The act; a duty makes no new version."""
    by: str
    """Id of the client that did it, or `system`."""
    at: Moment
    """When it was done."""
    reason: str | None
    """The reason; null where none was given."""
    sequence: int | None
    """Number of the step's record in the ledger; null where it has none."""


class HistoryOut(WireOut):
    """An entry's history, oldest step first."""

    items: list[HistoryItemOut]
    """The steps."""
