"""Deadlines of the law for an entry: which run, until when, and when they were met (no I/O).

A deadline is computed from the entry and its recorded duties, never stored: no job has to run for one to appear,
pass or be met (R29).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol, Self

from app.access.domain import IMMIGRATION, SYSTEM
from app.identity import documents, states
from app.kit.clock import day_begins, legal_day
from app.register.entries.domain import EndedReason, Entry, Measure, RejectionProposal, State
from app.register.entries.law import periods
from app.register.entries.receipts import received_on
from app.register.entries.subjects import Citizenship, Subject
from app.register.entries.values import RulingKind

FOREIGN_MINISTRY: Final = "KEMLU"
"""Code of the Foreign Ministry, which withdraws service and diplomatic passports (R42); Immigration records it."""

TO_MINISTER_DAYS: Final = 3
"""Days after the decision's date within which it must be delivered to the minister (UU 6/2011 art. 94(4); R13)."""

TO_PERSON_DAYS: Final = 7
"""Days after the decision's date within which it must be delivered to the person (UU 6/2011 art. 94(3); R41)."""

RESTORE_DAYS: Final = 3
"""Days after a judgment that a measure was unlawful, within which the person must be rehabilitated (UU 20/2025 art.
163(1)f; R66)."""

EXTENSION_DAYS: Final = 3
"""Days before a measure's last day; an extension must arrive by the end of that day (13/2025 art. 13(5); R23)."""

CONFIRM_WITHIN: Final = timedelta(hours=6)
"""Maximum time from the proposal to reject a countersigned entry to its confirmation or refusal."""

_BEFORE_A_DECISION: Final = frozenset({State.SUBMITTED, State.VERIFIED})
_REFUSED: Final = frozenset({State.RETURNED, State.REJECTED})
_WITHDRAWN_BY: Final = {
    "passport": IMMIGRATION,
    "service_passport": FOREIGN_MINISTRY,
    "diplomatic_passport": FOREIGN_MINISTRY,
}


class DeadlineName(StrEnum):
    """Names of deadlines: the closed list of values in `legal_deadlines`."""

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
"""Explanation of each name, for readers of the API."""


class TermSettings(Protocol):
    """The settings of periods, and of the number of extensions, that the law leaves open."""

    @property
    def countersign_within_hours(self) -> int:
        """Hours from the receipt of an urgent entry, after which a missing countersignature is overdue."""

    @property
    def countersign_lapse_hours(self) -> int:
        """Hours from the receipt of an urgent entry, after which it lapses if it is not countersigned."""

    @property
    def withdraw_passport_days(self) -> int:
        """Days to withdraw an Indonesian's passport, counted from the instant at which an exit ban may refuse (R42)."""

    @property
    def deterrence_extensions(self) -> int:
        """Maximum number of extensions of an entry ban (R24)."""

    @property
    def pending_days(self) -> int:
        """Days after an entry's end for which checks still refer if papers that arrived in time are undecided (R68)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Periods and limits that a deployment sets where the law sets none; `TermSettings` describes each member."""

    countersign_within: timedelta = timedelta(hours=6)
    countersign_lapse: timedelta = timedelta(hours=24)
    withdraw_passport_days: int = 3
    deterrence_extensions: int = periods.EXTENSIONS
    pending_days: int = 7

    @classmethod
    def of(cls, settings: TermSettings) -> Self:
        """Return the deployment's settings as `Terms`."""
        return cls(
            countersign_within=timedelta(hours=settings.countersign_within_hours),
            countersign_lapse=timedelta(hours=settings.countersign_lapse_hours),
            withdraw_passport_days=settings.withdraw_passport_days,
            deterrence_extensions=settings.deterrence_extensions,
            pending_days=settings.pending_days,
        )

    @property
    def duty_days(self) -> dict[DeadlineName, int]:
        """The days within which each duty (delivery, passport, rehabilitation) must be done, by deadline name."""
        return {
            DeadlineName.DELIVER_TO_MINISTER: TO_MINISTER_DAYS,
            DeadlineName.DELIVER_TO_PERSON: TO_PERSON_DAYS,
            DeadlineName.WITHDRAW_PASSPORT: self.withdraw_passport_days,
            DeadlineName.RESTORE: RESTORE_DAYS,
        }

    def extensions(self, measure: Measure) -> int:
        """Return the maximum number of extensions of a measure (R22, R24)."""
        return periods.EXTENSIONS if measure is Measure.PREVENTION else self.deterrence_extensions


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline of the law for an entry.

    Attributes:
        name: name of the deadline; `MEANINGS` says what must be done.
        due_at: the last second that is still in time; where the law counts days, that is 23:59:59 WIB. For
            `countersign_or_lapse` and `approve_before_lapse` it is the instant at which the entry lapses.
        met_at: when the required act was done, also if late; None while it is open.
        duty_of: codes of the agencies that must do it.
    """

    name: DeadlineName
    due_at: datetime
    met_at: datetime | None
    duty_of: tuple[str, ...]

    def passed(self, now: datetime) -> bool:
        """Return whether the deadline is overdue at `now`: `due_at` is over, and the deadline was not met by `now`."""
        return beyond(self.due_at, now) and (self.met_at is None or now < self.met_at)

    @property
    def late(self) -> bool:
        """Whether the required act was done, but after `due_at`."""
        return self.met_at is not None and beyond(self.due_at, self.met_at)


def deadlines(entry: Entry, terms: Terms, met: Mapping[str, datetime]) -> tuple[Deadline, ...]:
    """Return the deadlines of an entry, soonest first; each name at most once.

    An imported entry was decided and carried out elsewhere. So it has only the deadlines to extend it and to
    rehabilitate the person. An erased entry has no deadlines.

    Args:
        entry: the entry at its current state (`Entry.at`).
        terms: the deployment's periods and limits.
        met: when each recorded duty was done, by the deadline's name.
    """
    if entry.erased_at is not None:
        return ()
    found = list(_urgent(entry, terms) if entry.urgent else _ordinary(entry, terms, met))
    found += _passport(entry, terms, met)
    found += _restoration(entry, terms, met)
    found.sort(key=lambda deadline: (deadline.due_at, deadline.name))
    return tuple(found)


def beyond(due_at: datetime, moment: datetime) -> bool:
    """Return whether `moment` is after a deadline's last second; the whole second `due_at` is still in time (R23)."""
    return due_at + periods.LAST_SECOND <= moment


def deliver_by(entry: Entry) -> date | None:
    """Return the last legal day to deliver the decision to the person in time (R41); None if urgent or imported."""
    if entry.urgent or entry.submitted_by == SYSTEM.client_id:
        return None
    return entry.decided_on + timedelta(days=TO_PERSON_DAYS)


def duties_since(entry: Entry) -> dict[DeadlineName, datetime]:
    """Return the time at which each duty (delivery, passport, rehabilitation) of an entry began, by deadline name.

    Duties that were done are included; duties that the entry does not have are left out. Imported, returned and
    rejected entries have at most the duty to rehabilitate. The duty columns of the entry's row store these times.
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
    """Return the last second in which a duty that began at `since` can be done in time.

    Raises:
        KeyError: `name` has no number of days in `Terms.duty_days`.
    """
    return periods.last_second(legal_day(since) + timedelta(days=terms.duty_days[name]))


def overdue_before(name: DeadlineName, now: datetime, terms: Terms) -> datetime:
    """Return the instant before which an open duty must have begun to be overdue at `now`; KeyError as `duty_due`."""
    return day_begins(legal_day(now) - timedelta(days=terms.duty_days[name]))


def decide_by(entry: Entry) -> datetime:
    """Return the last second to decide on a request in time: of its first day, or of the day of receipt if later."""
    return periods.last_second(max(entry.starts_on, legal_day(entry.received_at)))


def refuse_by(entry: Entry) -> datetime:
    """Return the last instant to refuse a request in time: the end of the seventh day after its receipt (R18)."""
    return periods.last_second(received_on(entry) + timedelta(days=periods.REFUSAL_DAYS))


def sign_by(entry: Entry, within: timedelta) -> datetime:
    """Return when a countersignature is due: `within` after the urgent entry's receipt, at latest at its end (R35)."""
    due_at = entry.received_at + within
    return due_at if entry.ends_on is None else min(due_at, periods.over_at(entry.ends_on))


def confirm_by(proposed: RejectionProposal) -> datetime:
    """Return the last instant to confirm or refuse a proposed rejection in time: six hours after the proposal."""
    return proposed.at + CONFIRM_WITHIN


def extend_by(ends_on: date) -> datetime:
    """Return the last instant at which an extension of a measure with this last day can arrive (R23)."""
    return periods.last_second(ends_on - timedelta(days=EXTENSION_DAYS))


def withdrawn_by(subject: Subject) -> tuple[str, ...]:
    """Return the codes of the agencies that must withdraw the subject's Indonesian passports (R42); empty for none."""
    return tuple(sorted({_WITHDRAWN_BY[kind] for kind, _ in _issued_here(subject)}))


def passports(entry: Entry) -> frozenset[tuple[str, str]]:
    """Return type and number of passports to withdraw from an Indonesian under an exit ban (R42); else empty."""
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
    """Yield an urgent entry's deadlines: countersignature in hours, formalisation in twenty days (R25, R32)."""
    signed = entry.countersigned_at
    rejected = entry.state is State.REJECTED
    if signed is not None or not rejected:
        for name, within in (
            (DeadlineName.COUNTERSIGN, terms.countersign_within),
            (DeadlineName.COUNTERSIGN_OR_LAPSE, terms.countersign_lapse),
        ):
            yield Deadline(name, sign_by(entry, within), signed, (IMMIGRATION,))
    if entry.rejection_proposed is not None:
        yield Deadline(
            DeadlineName.CONFIRM_REJECTION, confirm_by(entry.rejection_proposed), None, (IMMIGRATION,)
        )
    if entry.ends_on is None or rejected:
        return
    over = periods.over_at(entry.ends_on)
    superseded = entry.ended_reason is EndedReason.SUPERSEDED
    outlived = entry.ended_reason is EndedReason.LAPSED and entry.ended_at == over
    waiting = entry.state is not State.ENDED and entry.superseded_from is None
    if superseded or outlived or waiting:
        met_at = entry.ended_at if superseded else None
        yield Deadline(DeadlineName.APPROVE_BEFORE_LAPSE, over, met_at, (entry.agency, IMMIGRATION))


def _ordinary(entry: Entry, terms: Terms, met: Mapping[str, datetime]) -> Iterator[Deadline]:
    """Yield the deadlines of other entries: decision, refusal, deliveries and extension (R13, R18, R23, R41)."""
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
    """Yield the deadlines of deliveries to the minister and (again for an extension) to the person."""
    received = met.get(DeadlineName.DELIVER_TO_MINISTER)
    if entry.basis.received_on is not None:
        received = day_begins(entry.basis.received_on)
    due_at = periods.last_second(entry.basis.issued_on + timedelta(days=TO_MINISTER_DAYS))
    yield Deadline(DeadlineName.DELIVER_TO_MINISTER, due_at, received, (entry.agency,))
    if entry.state not in _BEFORE_A_DECISION:
        decided = entry.decided_on
        delivered = met.get(DeadlineName.DELIVER_TO_PERSON)
        if delivered is not None and delivered < day_begins(decided):
            delivered = None  # that was the earlier decision
        due_at = periods.last_second(decided + timedelta(days=TO_PERSON_DAYS))
        yield Deadline(DeadlineName.DELIVER_TO_PERSON, due_at, delivered, (entry.agency,))


def _passport(entry: Entry, terms: Terms, met: Mapping[str, datetime]) -> Iterator[Deadline]:
    """Yield the deadline to withdraw passports, from the day on which an Indonesian's exit ban may refuse (R42)."""
    begins = _passport_since(entry)
    if begins is None or entry.submitted_by == SYSTEM.client_id:
        return
    withdrawn = met.get(DeadlineName.WITHDRAW_PASSPORT)
    if entry.state in {State.PROVISIONAL, State.ACTIVE} or withdrawn is not None:
        due_at = duty_due(DeadlineName.WITHDRAW_PASSPORT, begins, terms)
        yield Deadline(DeadlineName.WITHDRAW_PASSPORT, due_at, withdrawn, withdrawn_by(entry.subject))


def annulled_on(entry: Entry) -> date | None:
    """Return the day of the newest judgment that annulled the entry after it had been in force; None without one (R66).

    None also for a superseded urgent entry: the duty to rehabilitate the person belongs to its formal entry.
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
    """Yield the deadline of the letter that rehabilitates the person after an annulment (R66)."""
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
