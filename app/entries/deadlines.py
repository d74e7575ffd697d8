"""Which periods of the law run for an entry, until when, and when they were kept; pure.

A deadline is computed from the entry and from what was recorded about it, never stored: nothing has to run for
one to appear, to pass, or to be met (R29).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from app.access.domain import IMMIGRATION, SYSTEM
from app.entries import periods
from app.entries.domain import EndedReason, Entry, Measure, RejectionProposal, State
from app.entries.receipts import received_on
from app.entries.subjects import Citizenship, Subject
from app.entries.values import RulingKind
from app.identity import documents, states
from app.kit.clock import day_begins, legal_day
from app.settings import Settings

FOREIGN_MINISTRY: Final = "KEMLU"
"""Who withdraws service and diplomatic passports (R42). It has no client here: Immigration records its act."""

TO_MINISTER_DAYS: Final = 3
"""Days from the decision's date to its delivery to the minister (UU 6/2011 art. 94(4); R13)."""

TO_PERSON_DAYS: Final = 7
"""Days from the decision's date to its delivery to the person (UU 6/2011 art. 94(3); R41)."""

RESTORE_DAYS: Final = 3
"""Days from a judgment that a measure was unlawful to the person's restoration (UU 20/2025 art. 163(1)f; R66)."""

EXTENSION_DAYS: Final = 3
"""Days before a measure's last day by whose end its extension must have arrived (13/2025 art. 13(5); R23)."""

CONFIRM_WITHIN: Final = timedelta(hours=6)
"""From the proposal to reject a countersigned entry to its confirmation or refusal (contract section 3)."""

_BEFORE_A_DECISION: Final = frozenset({State.SUBMITTED, State.VERIFIED})
_REFUSED: Final = frozenset({State.RETURNED, State.REJECTED})
_WITHDRAWN_BY: Final = {
    "passport": IMMIGRATION,
    "service_passport": FOREIGN_MINISTRY,
    "diplomatic_passport": FOREIGN_MINISTRY,
}


class DeadlineName(StrEnum):
    """What has to be done in time; the closed vocabulary of `legal_deadlines`."""

    COUNTERSIGN = "countersign"
    COUNTERSIGN_OR_LAPSE = "countersign_or_lapse"
    CONFIRM_REJECTION = "confirm_rejection"
    APPROVE_BEFORE_LAPSE = "approve_before_lapse"
    DECIDE_BY_FIRST_DAY = "decide_by_first_day"
    REFUSE_OR_APPROVE = "refuse_or_approve"
    DELIVER_TO_MINISTER = "deliver_to_minister"
    DELIVER_TO_PERSON = "deliver_to_person"
    EXTEND_BEFORE = "extend_before"
    WITHDRAW_PASSPORT = "withdraw_passport"
    RESTORE = "restore"


MEANINGS: Final = {
    DeadlineName.COUNTERSIGN: "an urgent entry is to be countersigned (6 hours, a setting); passing, it escalates.",
    DeadlineName.COUNTERSIGN_OR_LAPSE: "without its countersignature an urgent entry lapses (24 hours, a setting).",
    DeadlineName.CONFIRM_REJECTION: "a duty officer's wish to reject a countersigned urgent entry is confirmed or "
    "refused by an approver within 6 hours; there only while it waits.",
    DeadlineName.APPROVE_BEFORE_LAPSE: "end of day 20 of an urgent entry, when it lapses for ever unless its "
    "formalisation is in force (Permenimipas 13/2025 art. 9(5), 11); gone while an approved one waits to begin.",
    DeadlineName.DECIDE_BY_FIRST_DAY: "a request is decided on by the end of the first day that it asks for, or of the "
    "day on which it came if that is later: until then nobody is stopped. No law says so; gone once it is decided on.",
    DeadlineName.REFUSE_OR_APPROVE: "a request is refused, with its reason, by the end of the seventh day after "
    "`basis.received_on`, or else after it came here; a resubmission counts from its own receipt (UU 6/2011 "
    "art. 94(6)); gone once it is approved.",
    DeadlineName.DELIVER_TO_MINISTER: "the decision reaches the minister within three days of its date "
    "(UU 6/2011 art. 94(4)); late, the measure holds all the same.",
    DeadlineName.DELIVER_TO_PERSON: "the decision reaches the person within seven days of its date (UU 6/2011 "
    "art. 94(3)); open until its proof is recorded.",
    DeadlineName.EXTEND_BEFORE: "last moment at which an extension can still arrive, three days before the end "
    "(Permenimipas 13/2025 art. 13(5)-(6)); passing, the measure ends by law. Gone where no extension is left.",
    DeadlineName.WITHDRAW_PASSPORT: "an Indonesian's passport is withdrawn while an exit ban holds: by Immigration, "
    "a service or diplomatic one by the Foreign Ministry (3 days, a setting).",
    DeadlineName.RESTORE: "after an annulment by judgment the owner rehabilitates the person by letter within three "
    "days of the judgment (UU 20/2025 art. 163(1)f); open until it is recorded.",
}
"""What each name means, for readers of the API."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a deployment sets where the law names no time."""

    countersign_within: timedelta = timedelta(hours=6)
    countersign_lapse: timedelta = timedelta(hours=24)
    withdraw_passport_days: int = 3
    deterrence_extensions: int = periods.EXTENSIONS
    pending_days: int = 7

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The deployment's."""
        return cls(
            countersign_within=timedelta(hours=settings.countersign_within_hours),
            countersign_lapse=timedelta(hours=settings.countersign_lapse_hours),
            withdraw_passport_days=settings.withdraw_passport_days,
            deterrence_extensions=settings.deterrence_extensions,
            pending_days=settings.pending_days,
        )

    @property
    def duty_days(self) -> dict[DeadlineName, int]:
        """Days from which each duty that is recorded apart from the entry has run to its last one."""
        return {
            DeadlineName.DELIVER_TO_MINISTER: TO_MINISTER_DAYS,
            DeadlineName.DELIVER_TO_PERSON: TO_PERSON_DAYS,
            DeadlineName.WITHDRAW_PASSPORT: self.withdraw_passport_days,
            DeadlineName.RESTORE: RESTORE_DAYS,
        }

    def extensions(self, measure: Measure) -> int:
        """How often a measure may be extended (R22, R24)."""
        return periods.EXTENSIONS if measure is Measure.PREVENTION else self.deterrence_extensions


@dataclass(frozen=True, slots=True)
class Deadline:
    """A period of the law that runs for an entry.

    Attributes:
        name: what has to be done.
        due_at: the last instant, in UTC, at which it is in time: 23:59:59 WIB where the law counts days. For the
            two ends that the law brings by itself (`countersign_or_lapse`, `approve_before_lapse`) it is the
            instant of the end.
        met_at: when it was done, also if late; None while it is open.
        duty_of: codes of those who have to do it.
    """

    name: DeadlineName
    due_at: datetime
    met_at: datetime | None
    duty_of: tuple[str, ...]

    @property
    def last_day(self) -> date:
        """The legal day (Asia/Jakarta) that is the last one for it."""
        return legal_day(self.due_at - timedelta(microseconds=1))

    def passed(self, now: datetime) -> bool:
        """Whether it is overdue: its time is over and it has not been met until now."""
        return beyond(self.due_at, now) and (self.met_at is None or now < self.met_at)

    @property
    def late(self) -> bool:
        """Whether it was met, but after its time."""
        return self.met_at is not None and beyond(self.due_at, self.met_at)


def deadlines(entry: Entry, terms: Terms, met: Mapping[str, datetime]) -> tuple[Deadline, ...]:
    """The deadlines of an entry, soonest first; each name at most once.

    An imported entry was decided on, and its decision carried out, elsewhere: of its duties only what lies ahead
    counts here, which is its extension, and restoration. Of an erased entry nothing is due any more.

    Args:
        entry: the entry as it stands (`Entry.at`).
        terms: the deployment's.
        met: when each duty that was recorded was done, by the deadline's name.
    """
    if entry.erased_at is not None:
        return ()
    found = list(_urgent(entry, terms) if entry.urgent else _ordinary(entry, terms, met))
    found += _passport(entry, terms, met)
    found += _restoration(entry, terms, met)
    found.sort(key=lambda deadline: (deadline.due_at, deadline.name))
    return tuple(found)


def beyond(due_at: datetime, moment: datetime) -> bool:
    """Whether an instant is too late for a term: 23:59:59.9 is in time where 23:59:59 is the last moment (R23).

    Terms in hours are kept to the second as well.
    """
    return due_at + periods.LAST_SECOND <= moment


def deliver_by(entry: Entry) -> date | None:
    """The last legal day for the decision to reach the person (R41); None where this register has no such duty."""
    if entry.urgent or entry.submitted_by == SYSTEM.client_id:
        return None
    return entry.decided_on + timedelta(days=TO_PERSON_DAYS)


def duties_since(entry: Entry) -> dict[DeadlineName, datetime]:
    """From when each duty that is recorded apart from the entry has run, be it done or not.

    It is what an entry's columns hold, so that open duties are found without reading entries. Of an imported
    entry, or a refused request, at most the person is to be restored.
    """
    since: dict[DeadlineName, datetime] = {}
    struck_down_on = annulled_on(entry)
    if struck_down_on is not None:
        since[DeadlineName.RESTORE] = day_begins(struck_down_on)
    if entry.submitted_by == SYSTEM.client_id or entry.state in _REFUSED:
        return since
    if not entry.urgent and entry.basis.received_on is None:
        since[DeadlineName.DELIVER_TO_MINISTER] = day_begins(entry.basis.issued_on)
    if not entry.urgent and entry.state not in _BEFORE_A_DECISION:
        since[DeadlineName.DELIVER_TO_PERSON] = day_begins(entry.decided_on)
    binding = _passport_since(entry)
    if binding is not None:
        since[DeadlineName.WITHDRAW_PASSPORT] = binding
    return since


def duty_due(name: DeadlineName, since: datetime, terms: Terms) -> datetime:
    """The last instant for a duty that has run since an instant.

    Raises:
        KeyError: it is no duty that is recorded apart from the entry.
    """
    return periods.last_second(legal_day(since) + timedelta(days=terms.duty_days[name]))


def overdue_before(name: DeadlineName, now: datetime, terms: Terms) -> datetime:
    """A duty that has run since before this instant is overdue (see `duty_due`)."""
    return day_begins(legal_day(now) - timedelta(days=terms.duty_days[name]))


def decide_by(entry: Entry) -> datetime:
    """The last instant at which a request can be decided on and still work from the first day that it asks for."""
    return periods.last_second(max(entry.starts_on, legal_day(entry.received_at)))


def refuse_by(entry: Entry) -> datetime:
    """The last instant at which a request is refused in time: the end of the seventh day after its receipt (R18)."""
    return periods.last_second(received_on(entry) + timedelta(days=periods.REFUSAL_DAYS))


def confirm_by(proposed: RejectionProposal) -> datetime:
    """The last instant at which a proposed rejection is confirmed or refused in time."""
    return proposed.at + CONFIRM_WITHIN


def extend_by(ends_on: date) -> datetime:
    """The last instant at which the extension of a measure with this last day can still arrive (R23)."""
    return periods.last_second(ends_on - timedelta(days=EXTENSION_DAYS))


def withdrawn_by(subject: Subject) -> tuple[str, ...]:
    """Who has to withdraw the subject's Indonesian passports (R42); empty when none is known."""
    return tuple(sorted({_WITHDRAWN_BY[kind] for kind, _ in _issued_here(subject)}))


def passports(entry: Entry) -> frozenset[tuple[str, str]]:
    """Type and number of the passports that are withdrawn while an entry holds; none of a foreigner (R42)."""
    binds = entry.measure is Measure.PREVENTION and entry.citizenship is Citizenship.WNI
    return _issued_here(entry.subject) if binds else frozenset()


def _issued_here(subject: Subject) -> frozenset[tuple[str, str]]:
    return frozenset(
        (paper.type, documents.normalise(paper.number))
        for paper in subject.documents
        if paper.issuing_state in _ISSUED_HERE and paper.type in _WITHDRAWN_BY
    )


_ISSUED_HERE: Final = frozenset({None, states.INDONESIA})


def _urgent(entry: Entry, terms: Terms) -> Iterator[Deadline]:
    """R25, R32: countersigned in hours, or lapsed; formalised in twenty days, or lapsed."""
    signed = entry.countersigned_at
    undone = entry.state is State.REJECTED  # nothing is waited for any more
    if signed is not None or not undone:
        for name, within in (
            (DeadlineName.COUNTERSIGN, terms.countersign_within),
            (DeadlineName.COUNTERSIGN_OR_LAPSE, terms.countersign_lapse),
        ):
            yield Deadline(name, entry.received_at + within, signed, (IMMIGRATION,))
    if entry.rejection_proposed is not None:
        yield Deadline(
            DeadlineName.CONFIRM_REJECTION, confirm_by(entry.rejection_proposed), None, (IMMIGRATION,)
        )
    if entry.ends_on is None or undone:
        return
    over = periods.over_at(entry.ends_on)
    superseded = entry.ended_reason is EndedReason.SUPERSEDED
    outlived = entry.ended_reason is EndedReason.LAPSED and entry.ended_at == over
    waiting = entry.state is not State.ENDED and entry.superseded_from is None
    if superseded or outlived or waiting:
        met_at = entry.ended_at if superseded else None
        yield Deadline(DeadlineName.APPROVE_BEFORE_LAPSE, over, met_at, (entry.agency, IMMIGRATION))


def _ordinary(entry: Entry, terms: Terms, met: Mapping[str, datetime]) -> Iterator[Deadline]:
    """R13, R18, R23, R41: refused or carried out in time; extended in time, where that is still possible."""
    if entry.state in _BEFORE_A_DECISION:
        yield Deadline(DeadlineName.DECIDE_BY_FIRST_DAY, decide_by(entry), None, (entry.agency, IMMIGRATION))
    if entry.state in _BEFORE_A_DECISION | _REFUSED:
        refused_at = (entry.rests_since or entry.updated_at) if entry.state in _REFUSED else None
        yield Deadline(DeadlineName.REFUSE_OR_APPROVE, refuse_by(entry), refused_at, (IMMIGRATION,))
    if entry.submitted_by != SYSTEM.client_id and entry.state not in _REFUSED:
        yield from _deliveries(entry, met)
    if (
        entry.state is State.ACTIVE
        and entry.ends_on is not None
        and entry.extension_count < terms.extensions(entry.measure)
    ):
        due_at = extend_by(entry.ends_on)
        extended_at = met.get(DeadlineName.EXTEND_BEFORE)
        yield Deadline(DeadlineName.EXTEND_BEFORE, due_at, extended_at, (entry.agency,))


def _deliveries(entry: Entry, met: Mapping[str, datetime]) -> Iterator[Deadline]:
    """An extension is a decision of its own, which reaches the minister with its request, but the person anew."""
    received = met.get(DeadlineName.DELIVER_TO_MINISTER)
    if entry.basis.received_on is not None:
        received = day_begins(entry.basis.received_on)
    due_at = periods.last_second(entry.basis.issued_on + timedelta(days=TO_MINISTER_DAYS))
    yield Deadline(DeadlineName.DELIVER_TO_MINISTER, due_at, received, (entry.agency,))
    if entry.state not in _BEFORE_A_DECISION:
        decided = entry.decided_on
        delivered = met.get(DeadlineName.DELIVER_TO_PERSON)
        if delivered is not None and delivered < day_begins(decided):
            delivered = None  # that was the decision before
        due_at = periods.last_second(decided + timedelta(days=TO_PERSON_DAYS))
        yield Deadline(DeadlineName.DELIVER_TO_PERSON, due_at, delivered, (entry.agency,))


def _passport(entry: Entry, terms: Terms, met: Mapping[str, datetime]) -> Iterator[Deadline]:
    """R42: from the day on which the exit ban of an Indonesian works; a mere hold takes nobody's passport."""
    begins = _passport_since(entry)
    if begins is None or entry.submitted_by == SYSTEM.client_id:
        return
    withdrawn = met.get(DeadlineName.WITHDRAW_PASSPORT)
    if entry.state in {State.PROVISIONAL, State.ACTIVE} or withdrawn is not None:
        due_at = duty_due(DeadlineName.WITHDRAW_PASSPORT, begins, terms)
        yield Deadline(DeadlineName.WITHDRAW_PASSPORT, due_at, withdrawn, withdrawn_by(entry.subject))


def annulled_on(entry: Entry) -> date | None:
    """The day of the judgment by which a measure that had stopped somebody was annulled; None without one (R66).

    The restoration after a superseded urgent entry is its formal entry's.
    """
    held = (
        entry.in_force_from is not None
        and entry.ended_at is not None
        and entry.in_force_from < entry.ended_at
    )
    if not held or entry.state is not State.ENDED or entry.ended_reason is EndedReason.SUPERSEDED:
        return None
    return max((r.decided_on for r in entry.rulings if r.kind is RulingKind.ANNULMENT), default=None)


def _restoration(entry: Entry, terms: Terms, met: Mapping[str, datetime]) -> Iterator[Deadline]:
    """R66: the end is told at once; what is left is the letter that rehabilitates the person."""
    decided_on = annulled_on(entry)
    if decided_on is not None:
        due_at = duty_due(DeadlineName.RESTORE, day_begins(decided_on), terms)
        yield Deadline(DeadlineName.RESTORE, due_at, met.get(DeadlineName.RESTORE), (entry.agency,))


def _passport_since(entry: Entry) -> datetime | None:
    begins = entry.in_force_from
    if entry.urgent and begins is not None:
        begins = None if entry.countersigned_at is None else max(begins, entry.countersigned_at)
    if begins is None or not passports(entry):
        return None
    return begins if entry.passports_since is None else max(begins, entry.passports_since)
