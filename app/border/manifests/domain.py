"""Manifests, the answers that their senders see, and changes of these answers (no I/O; API section 5, R48)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from app.access.domain import Checkpoint, Kind
from app.actor import Actor
from app.border.checks.domain import Match, Matter, worst
from app.border.manifests.journeys import Leg
from app.border.manifests.paxlst import Envelope, ListWarning
from app.border.manifests.places import checkpoint_named
from app.kit.clock import rfc3339
from app.kit.wall_clock import instant_of
from app.ledger.domain import Head
from app.register.entries.answer import Direction, Outcome, action_on
from app.register.entries.domain import Measure

CARRIER: Final = "carrier"
"""Kind of the checks for a carrier's manifest; those for a checkpoint's client have the client's own kind."""

LONGEST_WATCH: Final = timedelta(days=30)
"""How long a manifest is watched at most."""

UNKNOWN_WATCH: Final = timedelta(days=1)
"""How long a manifest without a time of departure is watched."""

BEFORE_ERASURE: Final = timedelta(hours=1)
"""How long before the erasure of its questions the watch of a manifest ends at the latest."""

ARRIVAL_WATCH: Final = timedelta(hours=72)
"""How long a declared arrival is watched, from the beginning of its day: ships and buses come up to a day late, and
passengers are then examined in the night."""

LATEST_DECLARATION: Final = timedelta(days=1)
"""How long after its day an arrival may be declared: passengers who arrive before midnight are examined after
midnight."""

_WEST: Final = timezone(-timedelta(hours=12))
"""The westernmost time zone, which gives the latest instant that a local time can mean."""
_UNKNOWN_LEG: Final = Leg("", "", None, "", None)
_GRAVITY: Final = {"board": 0, "contact": 1, "do_not_board": 2}
_SEVERITY: Final = {"clear": 0, "refer": 1, "refuse": 2}


class Status(StrEnum):
    """The instruction to a carrier about a passenger; a carrier sees nothing else of the answer."""

    BOARD = "board"
    CONTACT = "contact"
    DO_NOT_BOARD = "do_not_board"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one check of a passenger.

    Attributes:
        sequence: the ledger's size at the check.
        hit_id: id of the hit that the check opened or joined; None if the answer was `clear`.
        status: the instruction to the carrier by the check alone, without a supervisor's ruling.
        matter: the entries that the hit is about, as pairs of id and version.
        ruling: the action by which a supervisor resolved the hit for this traveller; None if there is none yet.
        traveller: a hash of the question, which identifies the traveller: another passenger with the same document may
            share the hit, but not the ruling.
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
    def ruling_key(self) -> tuple[str | None, str]:
        """The key of this answer's ruling in `Rulings`: the hit's id (None without a hit) and the traveller's hash."""
        return self.hit_id, self.traveller

    @property
    def carrier_status(self) -> Status:
        """The instruction to the carrier: by the supervisor's ruling if this allows or refuses, else by the check.

        A ruling that refuses changes nothing if the instruction by the check is `board`, so that exit bans stay hidden.
        Nor does a ruling that refuses the direction opposite to the check's.
        """
        if self.ruling == "allow":
            return Status.BOARD
        refused = self.ruling == f"refuse_{self.direction}" and self.status is not Status.BOARD
        return Status.DO_NOT_BOARD if refused else self.status

    @property
    def action(self) -> str:
        """The counter's action: by the supervisor's ruling if this allows or refuses, else by the check.

        A ruling that refuses the direction opposite to the check's does not count.
        """
        ruled = self.ruling in {"allow", f"refuse_{self.direction}"}
        return str(self.ruling) if ruled else action_on(self.outcome, self.direction)


Rulings = Mapping[tuple[str | None, str], str | None]
"""By hit id and traveller's hash (`Answer.ruling_key`): the action by which a supervisor resolved the hit."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A passenger on a manifest, with the present answers.

    Attributes:
        position: position in the list, from 0.
        reference: the sender's own reference; None without one.
        locator: record locator of the reservation, which a CUSRES repeats; empty without one.
        answers: the answers of the passenger's checks, one for each question; empty if the row could not be checked.
        problem: why the row could not be checked, as a problem document; None if it was checked.
        number: number of the change by which the answer that the sender sees last changed; 0 if it never changed. A
            manifest numbers its changes from 1.
        changed_at: when the answer that the sender sees was given or last changed.
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
        """The gravest instruction to the carrier among the passenger's answers; None without answers."""
        return max((each.carrier_status for each in self.answers), key=_GRAVITY.__getitem__, default=None)

    @property
    def gravest(self) -> Answer | None:
        """The answer with the gravest outcome among those that no supervisor's ruling allows; None without answers.

        If rulings allow all answers, the gravest of all.
        """
        return max(
            self.answers, key=lambda each: (each.ruling != "allow", _SEVERITY[each.outcome]), default=None
        )

    def shown(self, kind: str) -> dict[str, Any]:
        """Return the item as JSON for its sender, with the members of `ManifestItemOut`.

        `kind` is the sender's kind; a `carrier` sees the status, but no outcome, action and hit (R48).
        """
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

    def with_answers(
        self, answers: Sequence[Answer], rulings: Rulings, number: int, kind: str, at: datetime
    ) -> "Item":
        """Return the item with new answers, to which the supervisors' rulings are applied.

        Rulings on the item's earlier answers stay valid for the same traveller and hit, unless `rulings` has a newer
        one. The item's `number` and `changed_at` are set only if the answer that the sender sees has changed.

        Args:
            answers: the new answers.
            rulings: the supervisors' rulings on the hits of the new answers.
            number: the number of this change of the manifest.
            kind: kind of the sender, which decides what the sender sees.
            at: time of the change.
        """
        known = {**{each.ruling_key: each.ruling for each in self.answers if each.ruling}, **rulings}
        renewed = (msgspec.structs.replace(each, ruling=known.get(each.ruling_key)) for each in answers)
        return self._changed(renewed, number, kind, at)

    def ruled(self, rulings: Rulings, number: int, kind: str, at: datetime) -> "Item":
        """Return the item with supervisors' rulings applied to its present answers.

        A ruling replaces an earlier one for the same traveller and hit. The item's `number` and `changed_at` are set
        only if the answer that the sender sees has changed.

        Args:
            rulings: the rulings on the item's hits.
            number: the number of this change of the manifest.
            kind: kind of the sender, which decides what the sender sees.
            at: time of the change.
        """
        return self.with_answers(self.answers, rulings, number, kind, at)

    def _changed(self, answers: Iterable[Answer], number: int, kind: str, at: datetime) -> "Item":
        """Return the item with other answers; it gets the new number only if the shown answer changes.

        A different hit id alone does not count as a change.
        """
        renewed = msgspec.structs.replace(self, answers=tuple(answers))
        if all(
            self.shown(kind)[name] == renewed.shown(kind)[name] for name in ("status", "outcome", "action")
        ):
            return renewed
        return msgspec.structs.replace(renewed, number=number, changed_at=at)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A list of passengers of one journey, or of one day's arrivals at a port.

    While a manifest is watched, passengers that a change of the register may affect are checked again.

    Attributes:
        client_id: id of the sender's client.
        kind: kind of the sender: `carrier` or `manifest`.
        flight: designator of the flight; empty where the list has none, as for declared arrivals.
        origin: code of the place of departure; empty where the list has none.
        destination: code of the place of arrival; empty where the list has none.
        place: code of the checkpoint where the passengers' hits are opened: the one at the Indonesian end of the
            journey, or if that is no active checkpoint another one.
        departs_at: time of departure; None if the list does not contain it.
        arrives_on: the day of declared arrivals in the port's time; None for a journey.
        watched_until: when the watch ends: mostly at the departure (`watched_until`, `Arrival.watched_until`).
        warnings: faults of the list that did not prevent its acceptance.
        envelope: data of a PAXLST's interchange that a reply repeats; None for JSON.
        times: departure and arrival in local time, as a PAXLST has them.
        number: number of the last change of an answer; 0 before the first.
        sequence: the ledger's size up to which every answer is current.
        asked_at: the instant up to which every answer is current.
        closed_at: when the watch ended; None while the manifest is watched.
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
    arrives_on: date | None = None
    watched_until: datetime
    created_at: datetime
    warnings: tuple[ListWarning, ...] = ()
    envelope: Envelope | None = None
    times: tuple[datetime | None, datetime | None] = (None, None)
    number: int = 0
    sequence: int
    asked_at: datetime
    closed_at: datetime | None = None

    def changes_head(self, ledger: Head) -> Head:
        """Return the head of this manifest's changes, which makes and reads the cursors of the manifest's stream.

        The size of this head is the number of the last change. Its epoch is made from that of the ledger's head
        `ledger`, so that a restore of the register makes cursors invalid: numbers may then mean other changes.
        """
        return Head(f"{ledger.epoch}-manifest", self.number, self.number)


def kind_of(actor: Actor) -> str | None:
    """Return the actor's kind as a sender: `carrier` or `manifest`; None if the actor may not send manifests."""
    if actor.holds(CARRIER):
        return CARRIER
    return actor.kind if actor.kind == Kind.MANIFEST else None


def status_of(matches: Iterable[Match]) -> Status:
    """Return the instruction to a carrier, by the gravest match; `board` without matches.

    Matches of exit bans are ignored, because a carrier must not learn of them (R48).
    """
    outcome = worst(match for match in matches if match.measure != Measure.PREVENTION)
    return {"clear": Status.BOARD, "refer": Status.CONTACT, "refuse": Status.DO_NOT_BOARD}[outcome]


class Journey(msgspec.Struct, frozen=True):
    """A journey across Indonesia's border.

    Attributes:
        leg: the leg that crosses the border; if `assumed`, the whole journey as one leg.
        direction: `exit` or `entry`.
        assumed: whether no leg is known to cross the border. Then the direction is `entry`, the only one in which a
            carrier may have to deny boarding.
    """

    leg: Leg
    direction: Direction
    assumed: bool


def crossing(legs: Sequence[Leg], is_ours: Callable[[str], bool]) -> Journey:
    """Return the journey across the border: the first leg with one end in Indonesia and one abroad.

    Without such a leg, returns the journey from the first origin to the last destination, with the direction `entry`
    and `assumed` set. A leg with an empty code crosses no border.

    Args:
        legs: the legs in order; without any, the journey has an empty leg.
        is_ours: function that returns whether the place with a code is in Indonesia.
    """
    for leg in legs:
        direction = direction_between(leg.origin, leg.destination, is_ours)
        if direction is not None:
            return Journey(leg, direction, assumed=False)
    first, last = (legs[0], legs[-1]) if legs else (_UNKNOWN_LEG, _UNKNOWN_LEG)
    whole = Leg(first.flight, first.origin, first.departs, last.destination, last.arrives)
    return Journey(whole, "entry", assumed=True)


def direction_between(origin: str, destination: str, is_ours: Callable[[str], bool]) -> Direction | None:
    """Return the direction of a journey between two places; None if it crosses no border or a code is empty.

    `origin` and `destination` are codes; `is_ours` returns whether the place with a code is in Indonesia.
    """
    if not origin or not destination or is_ours(origin) == is_ours(destination):
        return None
    return "exit" if is_ours(origin) else "entry"


def departure_of(leg: Leg, places: Mapping[str, Checkpoint]) -> datetime | None:
    """Return the instant of a leg's departure, from the local times of the list; None if no instant is known.

    For a departure from a checkpoint in `places` the result is exact. The time zone of other places is not known: then
    the result is the latest instant that the local time can mean, or the arrival at a checkpoint if this is earlier.
    Without a departure time, the result is the arrival at a checkpoint. `places` has the checkpoints by code.
    """
    origin = checkpoint_named(leg.origin, places)
    if leg.departs is not None and origin is not None:
        return leg.departs.replace(tzinfo=ZoneInfo(origin.zone))
    destination = checkpoint_named(leg.destination, places)
    arrival = leg.arrives.replace(tzinfo=ZoneInfo(destination.zone)) if leg.arrives and destination else None
    latest = leg.departs.replace(tzinfo=_WEST) if leg.departs else None
    known = [at for at in (latest, arrival) if at is not None]
    return min(known, default=None)


def watched_until(departs_at: datetime | None, now: datetime, question_days: int) -> datetime:
    """Return when the watch of a journey ends: at `departs_at`, or one day from now if the departure is unknown (None).

    The result is never later than 30 days from now, in case the departure has a typing error. `question_days` is the
    number of days after which a check's question is erased. The watch ends an hour before that at the latest, because a
    passenger is checked again by the stored question.
    """
    kept = timedelta(days=question_days) - BEFORE_ERASURE
    return min(departs_at or now + UNKNOWN_WATCH, now + min(LONGEST_WATCH, kept))


class Arrival(msgspec.Struct, frozen=True):
    """The day on which declared passengers arrive at a port, in the time zone of the port."""

    day: date
    zone: ZoneInfo

    @property
    def watched_until(self) -> datetime:
        """The end of the watch of the declared passengers, in UTC: 72 hours after the day begins at the port."""
        return instant_of(datetime.combine(self.day, time.min), self.zone) + ARRIVAL_WATCH

    def too_late(self, now: datetime) -> bool:
        """Return whether it is too late to declare the arrival: its day is before yesterday, in the port's time."""
        return self.day < now.astimezone(self.zone).date() - LATEST_DECLARATION

    def days_ahead(self, now: datetime) -> int:
        """Return the number of days from today to the day of arrival, in the port's time; negative for a past day."""
        return (self.day - now.astimezone(self.zone).date()).days


def most_days_ahead(question_days: int) -> int:
    """Return how many days ahead an arrival may be declared: at most 30, and fewer if questions are erased earlier.

    `question_days` is the number of days after which a check's question is erased. The watch must end before that,
    because a passenger is checked again by the stored question.
    """
    return max(0, min(LONGEST_WATCH.days, question_days - ARRIVAL_WATCH.days - 1))
