"""What the register asks of those who stand above it; filled in by `main`."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from app.db.unit import Reader, Unit
from app.entries.subjects import Subject

LastCrossing = Callable[[Reader, Subject], Awaitable[str]]
"""Where the person was last seen, in the transaction that asks: `departed`, `in_country` or `unknown` (R34)."""

SeesPhoto = Callable[[Reader, str], Awaitable[bool]]
"""Whether the reading checkpoint may see an entry's photo: an open alert, or a match in the last 24 hours."""

ExpectOpenHit = Callable[[Unit, str], Awaitable[None]]
"""Makes sure that a hit of the acting supervisor's checkpoint is open; NotFound where it is not."""

ExpectAmendment = Callable[[Reader, str, str], Awaitable[None]]
"""Makes sure that an amendment, by its id, is one of an entry, and not refused; Invalid where it is not."""

Granted = Callable[[Reader, str, Collection[str]], Awaitable[bool]]
"""Whether an objection, or a correction request `wrong_person`, of one of some entries was granted, by its id."""


async def nothing_granted(_reader: Reader, _grounds: str, _entry_ids: Collection[str]) -> bool:
    """Grants nothing: for a register that takes no objections."""
    return False


@dataclass(frozen=True, slots=True)
class Ports:
    """The questions that only amendments, alerts, checks and hits can answer."""

    last_crossing: LastCrossing
    sees_photo: SeesPhoto
    expect_open_hit: ExpectOpenHit
    expect_amendment: ExpectAmendment
    granted: Granted
