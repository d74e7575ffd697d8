"""What the register asks of those who stand above it; filled in by `main`."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from app.db.unit import Reader, Unit
from app.entries.domain import Entry
from app.entries.subjects import Subject
from app.identity.births import Birth, best_agreement

LastCrossing = Callable[[Reader, Subject], Awaitable[str]]
"""Where the person was last seen, in the transaction that asks: `departed`, `in_country` or `unknown` (R34)."""

SeesPhoto = Callable[[Reader, str], Awaitable[bool]]
"""Whether the reading checkpoint may see an entry's photo: an open alert, or a match in the last 24 hours."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The traveller of a hit: who a supervisor may search for.

    Attributes:
        entry_ids: the entries that the check matched.
        keys: document numbers, NIK and folded names of the traveller, as `Subject.identifiers` writes them; empty once
            the question is erased.
        births: every birth date of the traveller.
    """

    entry_ids: frozenset[str]
    keys: frozenset[str]
    births: tuple[Birth, ...]

    def may_be(self, entry: Entry) -> bool:
        """Whether an entry may be about the traveller: matched, or of their number, or of their name and birth date."""
        shared = self.keys & entry.subject.identifiers()
        if entry.id in self.entry_ids or any(not key.startswith("f:") for key in shared):
            return True
        agreeing = (best_agreement(entry.subject.births, birth) for birth in self.births)
        return bool(shared) and "contradicts" not in agreeing


ExpectOpenHit = Callable[[Unit, str], Awaitable[Sought]]
"""The traveller of an open hit of the acting supervisor's checkpoint; NotFound where it is not open, or not theirs."""

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
