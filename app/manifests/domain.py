"""What a manifest is, what its asker is told, and when an answer has changed; pure (contract section 5, R48)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from app.access.domain import Checkpoint, Kind
from app.checks.domain import Match, Matter, worst
from app.db.unit import Actor
from app.entries.answer import Direction, Outcome, action_on
from app.entries.domain import Measure
from app.kit.clock import rfc3339
from app.manifests.journeys import Leg
from app.manifests.paxlst import Envelope, Warned

CARRIER: Final = "carrier"
"""Kind of the checks that a carrier's manifest asks; a checkpoint's client has its own kind."""

LONGEST_WATCH: Final = timedelta(days=30)
UNKNOWN_WATCH: Final = timedelta(days=1)
"""How long a manifest is watched that names no time of departure."""

_WEST: Final = timezone(-timedelta(hours=12))
"""Where a day ends last: what a local time means at the latest."""

_UNTOLD: Final = Leg("", "", None, "", None)
_GRAVITY: Final = {"board": 0, "contact": 1, "do_not_board": 2}
_SEVERITY: Final = {"clear": 0, "refer": 1, "refuse": 2}


class Status(StrEnum):
    """What a carrier does: the only thing that it is told."""

    BOARD = "board"
    CONTACT = "contact"
    DO_NOT_BOARD = "do_not_board"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a passenger came to.

    Attributes:
        sequence: the ledger's size that it rests on.
        matter: the entries that the hit is about, in their versions.
        ruling: what a supervisor has said is to become of the traveller, when the hit was resolved.
        traveller: a hash of what was asked; another passenger who shows the same document may share the hit, but
            not what is said of who showed it first.
    """

    check_id: str
    at: datetime
    sequence: int
    direction: Direction
    outcome: Outcome
    hit_id: str | None
    status: Status
    matter: Matter = frozenset()
    ruling: str | None = None
    traveller: str = ""

    @property
    def subject(self) -> tuple[str | None, str]:
        """The hit, and the traveller that it is about."""
        return self.hit_id, self.traveller

    @property
    def told(self) -> Status:
        """What the carrier does, by the supervisor's word where there is one; a prevention never shows in that."""
        if self.ruling == "allow":
            return Status.BOARD
        refused = self.ruling == f"refuse_{self.direction}" and self.status is not Status.BOARD
        return Status.DO_NOT_BOARD if refused else self.status

    @property
    def action(self) -> str:
        """What the counter will do, by the supervisor's word where it says so."""
        spoken = self.ruling in {"allow", f"refuse_{self.direction}"}
        return str(self.ruling) if spoken else action_on(self.outcome, self.direction)


Rulings = Mapping[tuple[str | None, str], str | None]
"""What supervisors have said is to become of travellers, by hit and by what was asked."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A passenger on a manifest.

    Attributes:
        position: in the list, from 0.
        reference: the sender's own.
        locator: of the reservation; repeated in a CUSRES.
        answers: of the passenger's checks, one for each document; empty where the row could not be asked.
        problem: why it could not be asked, as a problem document.
        number: of the change that this state came with; 0 for the first answer.
        changed_at: since when the asker has been told this.
    """

    position: int
    reference: str | None
    locator: str = ""
    answers: tuple[Answer, ...] = ()
    problem: dict[str, Any] | None = None
    number: int = 0
    changed_at: datetime

    @property
    def status(self) -> Status | None:
        """The gravest of its answers; None where there is none."""
        return max((each.told for each in self.answers), key=_GRAVITY.__getitem__, default=None)

    @property
    def gravest(self) -> Answer | None:
        """The answer with the gravest outcome."""
        return max(
            self.answers, key=lambda each: (each.ruling != "allow", _SEVERITY[each.outcome]), default=None
        )

    def shown(self, kind: str) -> dict[str, Any]:
        """The item as its asker is told it; a carrier nothing but its status (R48)."""
        gravest = None if kind == CARRIER else self.gravest
        return {
            "reference": self.reference,
            "status": self.status,
            "outcome": gravest.outcome if gravest else None,
            "action": gravest.action if gravest else None,
            "hit_id": gravest.hit_id if gravest else None,
            "changed_at": rfc3339(self.changed_at),
            "problem": self.problem,
        }

    def answered_anew(
        self, answers: Sequence[Answer], rulings: Rulings, number: int, kind: str, at: datetime
    ) -> "Item":
        """The item with new answers; what a supervisor has said of the same traveller and hit holds on.

        Args:
            answers: the new answers.
            rulings: what supervisors have said of their hits.
            number: of the change.
            kind: of the asker.
            at: since when.
        """
        said = {**{each.subject: each.ruling for each in self.answers if each.ruling}, **rulings}
        renewed = (msgspec.structs.replace(each, ruling=said.get(each.subject)) for each in answers)
        return self._told(renewed, number, kind, at)

    def ruled(self, rulings: Rulings, number: int, kind: str, at: datetime) -> "Item":
        """The item once supervisors have said what becomes of its traveller."""
        return self.answered_anew(self.answers, rulings, number, kind, at)

    def _told(self, answers: Iterable[Answer], number: int, kind: str, at: datetime) -> "Item":
        """The item with other answers: under a new number only if its asker is told something else than before.

        That a check has opened a hit of its own is no news.
        """
        renewed = msgspec.structs.replace(self, answers=tuple(answers))
        if all(
            self.shown(kind)[told] == renewed.shown(kind)[told] for told in ("status", "outcome", "action")
        ):
            return renewed
        return msgspec.structs.replace(renewed, number=number, changed_at=at)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A list of passengers of one journey.

    Attributes:
        kind: of its asker: `carrier` or `manifest`.
        place: where the passengers are met: the checkpoint's code at the Indonesian end of the journey.
        departs_at: None where the list does not tell.
        watched_until: when its answers stop following the register: at the departure.
        number: of the last change of an answer.
        sequence: the ledger's size that every answer takes account of.
        asked_at: the instant that every answer takes account of.
        envelope: what a reply to its interchange repeats.
    """

    id: str
    client_id: str
    kind: str
    flight: str
    direction: Direction
    origin: str
    destination: str
    place: str
    departs_at: datetime | None
    watched_until: datetime
    created_at: datetime
    warnings: tuple[Warned, ...] = ()
    envelope: Envelope | None = None
    times: tuple[datetime | None, datetime | None] = (None, None)
    number: int = 0
    sequence: int
    asked_at: datetime
    closed_at: datetime | None = None

    def cursor(self) -> str:
        """Where its stream goes on."""
        return str(self.number)


def kind_of(actor: Actor) -> str | None:
    """As what an actor sends manifests; None for those who send none."""
    if actor.holds(CARRIER):
        return CARRIER
    return actor.kind if actor.kind == Kind.MANIFEST else None


def status_of(matches: Iterable[Match]) -> Status:
    """What a carrier is told: a prevention never shows, for that traveller is met at the counter (R48)."""
    outcome = worst(match for match in matches if match.measure != Measure.PREVENTION)
    return {"clear": Status.BOARD, "refer": Status.CONTACT, "refuse": Status.DO_NOT_BOARD}[outcome]


class Journey(msgspec.Struct, frozen=True):
    """The stretch of a journey that crosses the border, and which way.

    Attributes:
        assumed: no leg crosses the border as far as the register knows its places: it is asked about as an entry,
            because that is where a carrier may have to leave somebody behind.
    """

    leg: Leg
    direction: Direction
    assumed: bool

    @property
    def place(self) -> str:
        """Where the travellers are met."""
        return self.leg.destination if self.direction == "entry" else self.leg.origin


def crossing(legs: Sequence[Leg], is_ours: Callable[[str], bool]) -> Journey:
    """Where a journey of several legs crosses the border: at the first that has one end here and one abroad."""
    for leg in legs:
        direction = direction_between(leg.origin, leg.destination, is_ours)
        if direction is not None:
            return Journey(leg, direction, assumed=False)
    first, last = (legs[0], legs[-1]) if legs else (_UNTOLD, _UNTOLD)
    whole = Leg(first.flight, first.origin, first.departs, last.destination, last.arrives)
    return Journey(whole, "entry", assumed=True)


def direction_between(origin: str, destination: str, is_ours: Callable[[str], bool]) -> Direction | None:
    """Which way the border is crossed between two places; None where it isn't, or one is not told."""
    if not origin or not destination or is_ours(origin) == is_ours(destination):
        return None
    return "exit" if is_ours(origin) else "entry"


def departure_of(leg: Leg, places: dict[str, Checkpoint]) -> datetime | None:
    """The instant of a departure that is told in the time of its place.

    Of a place abroad the zone is not known: then it is the latest instant that the local time can mean, but not after
    the arrival here.
    """
    here = places.get(leg.origin)
    if leg.departs is not None and here is not None:
        return leg.departs.replace(tzinfo=ZoneInfo(here.zone))
    there = places.get(leg.destination)
    arrival = leg.arrives.replace(tzinfo=ZoneInfo(there.zone)) if leg.arrives and there else None
    latest = leg.departs.replace(tzinfo=_WEST) if leg.departs else None
    known = [at for at in (latest, arrival) if at is not None]
    return min(known, default=None)


def watched_until(departs_at: datetime | None, now: datetime) -> datetime:
    """When the watch ends: at the departure, but not in a far future that somebody mistyped."""
    return min(departs_at or now + UNKNOWN_WATCH, now + LONGEST_WATCH)
