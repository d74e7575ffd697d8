"""Types of the functions that the register needs from packages above it; `main` hands them in."""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, cast

from app.db.unit import Reader, Unit
from app.identity.births import Birth, best_agreement
from app.register.entries.breadth import Breadth
from app.register.entries.domain import Entry, Measure
from app.register.entries.subjects import Subject

LastCrossing = Callable[[Reader, Subject], Awaitable[str]]
"""Returns where the person was last seen: `departed`, `in_country` or `unknown` (R34)."""

CountTravellers = Callable[[Measure, Subject], Awaitable[Breadth]]
"""Counts the travellers that a measure against a subject would have stopped; reads no database."""

SeesPhoto = Callable[[Reader, str], Awaitable[bool]]
"""Returns whether the reading checkpoint may see an entry's photo: an open alert, or a match in the last 24 hours."""


@dataclass(frozen=True, slots=True)
class HitTraveller:
    """The traveller of a hit. A supervisor may search for this person only.

    Attributes:
        entry_ids: ids of the entries that the check matched.
        keys: document numbers, NIK and folded names of the traveller, as `Subject.identifiers` writes them; empty once
            the check's question is erased.
        births: every birth date of the traveller.
    """

    entry_ids: frozenset[str]
    keys: frozenset[str]
    births: tuple[Birth, ...]

    def may_be(self, entry: Entry) -> bool:
        """Return whether an entry may be about the traveller.

        True if the check matched the entry, or if the entry has a document number or NIK of the traveller. True also if
        a name is equal and the entry's births contradict no birth date of the traveller; unknown births contradict
        nothing.
        """
        shared = self.keys & entry.subject.identifiers()
        if entry.id in self.entry_ids or any(not key.startswith("f:") for key in shared):
            return True
        agreeing = (best_agreement(entry.subject.births, birth) for birth in self.births)
        return bool(shared) and "contradicts" not in agreeing


ExpectOpenHit = Callable[[Unit, str], Awaitable[HitTraveller]]
"""Returns the traveller of an open hit at the acting supervisor's checkpoint; raises NotFound for any other hit."""

ExpectAmendment = Callable[[Reader, str, str], Awaitable[None]]
"""Raises Invalid if an amendment does not belong to an entry, or was rejected. Takes the ids of amendment and entry."""

Granted = Callable[[Reader, str, Collection[str]], Awaitable[bool]]
"""Returns whether a person's objection, or correction request of the kind `wrong_person`, was granted.

Takes the id of the objection or request, and the ids of entries; False if it is about none of these entries.
"""


async def nothing_granted(_reader: Reader, _grounds: str, _entry_ids: Collection[str]) -> bool:
    """Return False always: the default for `Granted` where no objections and correction requests are connected."""
    return False


@dataclass(frozen=True, slots=True)
class Ports:
    """Functions of other packages that entries need; `main` passes them in, because entries must not import them.

    Attributes:
        last_crossing: returns where a person was last seen: `departed`, `in_country` or `unknown`.
        sees_photo: returns whether the reading checkpoint may see an entry's photo.
        expect_open_hit: returns the traveller of an open hit; raises NotFound if there is none.
        expect_amendment: raises Invalid if an amendment does not belong to an entry, or was rejected.
        granted: returns whether an objection or correction request about one of some entries was granted.
        see_newest: updates the data of `count_travellers` with the newest checks; call it before the transaction,
            because it reads a database.
        count_travellers: counts the recent travellers that a measure would have stopped.
    """

    last_crossing: LastCrossing
    sees_photo: SeesPhoto
    expect_open_hit: ExpectOpenHit
    expect_amendment: ExpectAmendment
    granted: Granted
    see_newest: Callable[[], Coroutine[None, None, object]]
    count_travellers: CountTravellers


def ports_of(scope: Mapping[str, Any]) -> Ports:
    """Return the `Ports` that `main` passed to this process; `scope` is a request, or its ASGI scope."""
    return cast(Ports, scope["app"].state.process.ports)
