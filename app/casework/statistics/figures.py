"""The figures that the statistics count, their dimensions, and which figures add up to others."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.register.entries.domain import EndedReason
from app.register.entries.law.deadlines import DeadlineName


class Dimension(StrEnum):
    """A property of events by which the figures are grouped, as rows or columns of a table."""

    MEASURE = "measure"
    AGENCY = "agency"
    PROVINCE = "province"
    REASON = "reason"
    MONTH = "month"


class Figure(StrEnum):
    """The names of the numbers in the statistics; a closed list."""

    ENTRIES_MADE = "entries_made"
    ENTRIES_URGENT = "entries_urgent"
    ENTRIES_IN_FORCE = "entries_in_force"
    ENTRIES_REJECTED = "entries_rejected"
    ENTRIES_ENDED = "entries_ended"
    ENDED_EXPIRED = "ended_expired"
    ENDED_LAPSED = "ended_lapsed"
    ENDED_REVOKED = "ended_revoked"
    ENDED_ACQUITTED = "ended_acquitted"
    ENDED_ANNULLED = "ended_annulled"
    ENDED_SUPERSEDED = "ended_superseded"
    DECISION_MET = "decision_met"
    DECISION_MISSED = "decision_missed"
    MINISTER_MET = "minister_met"
    MINISTER_MISSED = "minister_missed"
    PERSON_MET = "person_met"
    PERSON_MISSED = "person_missed"
    PASSPORT_MET = "passport_met"
    PASSPORT_MISSED = "passport_missed"
    RESTORE_MET = "restore_met"
    RESTORE_MISSED = "restore_missed"
    COUNTERSIGN_MET = "countersign_met"
    COUNTERSIGN_MISSED = "countersign_missed"
    ACKNOWLEDGE_MET = "acknowledge_met"
    ACKNOWLEDGE_MISSED = "acknowledge_missed"
    DELIVERY_MEDIAN_MS = "delivery_median_ms"
    DELIVERY_P99_MS = "delivery_p99_ms"
    CORRECTION_MET = "correction_met"
    CORRECTION_MISSED = "correction_missed"
    CHECKS = "checks"
    HITS = "hits"
    REFERRALS = "referrals"
    REFUSALS = "refusals"
    FALSE_HITS = "false_hits"
    DEPARTURE_DELAYS = "departure_delays"


OF_CHECKPOINTS: Final = frozenset({Figure.CHECKS, Figure.DEPARTURE_DELAYS})
"""Figures about checkpoints and not about entries: they have no measure, agency or reason, and are Immigration's."""

PLACE_AND_TIME: Final = frozenset({Dimension.PROVINCE, Dimension.MONTH})
"""The dimensions of figures about checkpoints."""

DELIVERY: Final = {Figure.DELIVERY_MEDIAN_MS: 0.50, Figure.DELIVERY_P99_MS: 0.99}
"""The percentile of delivery times that each figure gives, as a fraction."""

ENDED: Final = {reason: Figure(f"ended_{reason}") for reason in EndedReason}
"""The figure for each reason of an entry's end."""

DEADLINES: Final = {
    DeadlineName.COUNTERSIGN: (Figure.COUNTERSIGN_MET, Figure.COUNTERSIGN_MISSED),
    DeadlineName.DELIVER_TO_MINISTER: (Figure.MINISTER_MET, Figure.MINISTER_MISSED),
    DeadlineName.DELIVER_TO_PERSON: (Figure.PERSON_MET, Figure.PERSON_MISSED),
    DeadlineName.WITHDRAW_PASSPORT: (Figure.PASSPORT_MET, Figure.PASSPORT_MISSED),
    DeadlineName.RESTORE: (Figure.RESTORE_MET, Figure.RESTORE_MISSED),
}
"""Deadlines of an entry, with the figures that count the met and the missed ones."""


@dataclass(frozen=True, slots=True)
class Family:
    """A figure, with the figures that count parts of it.

    Attributes:
        whole: the figure.
        partitions: groups of figures; each group adds up to `whole`, together with a remainder that is not published.
        within: a figure about the same persons; cells that are hidden in `within` are hidden in `whole` too. None if
            there is no such figure.
    """

    whole: Figure
    partitions: tuple[tuple[Figure, ...], ...] = ()
    within: Figure | None = None


_F = Figure
FAMILIES: Final = (
    Family(
        _F.ENTRIES_MADE,
        (
            (_F.ENTRIES_URGENT, _F.DECISION_MET, _F.DECISION_MISSED),
            (_F.ENTRIES_URGENT, _F.MINISTER_MET, _F.MINISTER_MISSED),
            (_F.ENTRIES_URGENT, _F.PERSON_MET, _F.PERSON_MISSED),
            (_F.PASSPORT_MET, _F.PASSPORT_MISSED),
            (_F.RESTORE_MET, _F.RESTORE_MISSED),
        ),
    ),
    Family(_F.ENTRIES_URGENT, ((_F.COUNTERSIGN_MET, _F.COUNTERSIGN_MISSED),)),
    Family(_F.ACKNOWLEDGE_MET, within=_F.ENTRIES_URGENT),
    Family(_F.ACKNOWLEDGE_MISSED, within=_F.ENTRIES_URGENT),
    Family(_F.ENTRIES_IN_FORCE),
    Family(_F.ENTRIES_REJECTED),
    Family(
        _F.ENTRIES_ENDED,
        (
            (
                _F.ENDED_EXPIRED,
                _F.ENDED_LAPSED,
                _F.ENDED_REVOKED,
                _F.ENDED_ACQUITTED,
                _F.ENDED_ANNULLED,
                _F.ENDED_SUPERSEDED,
            ),
        ),
    ),
    Family(_F.HITS, ((_F.REFERRALS, _F.REFUSALS),)),
    Family(_F.FALSE_HITS, within=_F.HITS),
    Family(_F.CORRECTION_MET),
    Family(_F.CORRECTION_MISSED),
    Family(_F.DEPARTURE_DELAYS),
)
"""The families of all figures that count persons.

A family comes after the families that contain its `whole` as a part, and after the family of its `within`.
"""
