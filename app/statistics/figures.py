"""What is counted, by what, and what adds up to what; pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.entries.deadlines import DeadlineName
from app.entries.domain import EndedReason


class Dimension(StrEnum):
    """What figures are put together by."""

    MEASURE = "measure"
    AGENCY = "agency"
    PROVINCE = "province"
    REASON = "reason"
    MONTH = "month"


class Figure(StrEnum):
    """What is counted; the closed vocabulary of the statistics."""

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
"""Figures that belong to a checkpoint, not to an entry: without measure, agency or reason, Immigration's own."""

PLACE_AND_TIME: Final = frozenset({Dimension.PROVINCE, Dimension.MONTH})
"""The dimensions of what belongs to a checkpoint."""

DELIVERY: Final = {Figure.DELIVERY_MEDIAN_MS: 0.50, Figure.DELIVERY_P99_MS: 0.99}
"""Which share of an alert's receipts had come within the time that is told."""

ENDED: Final = {reason: Figure(f"ended_{reason}") for reason in EndedReason}
"""The figure of each reason for which an entry ends."""

DEADLINES: Final = {
    DeadlineName.COUNTERSIGN: (Figure.COUNTERSIGN_MET, Figure.COUNTERSIGN_MISSED),
    DeadlineName.DELIVER_TO_MINISTER: (Figure.MINISTER_MET, Figure.MINISTER_MISSED),
    DeadlineName.DELIVER_TO_PERSON: (Figure.PERSON_MET, Figure.PERSON_MISSED),
    DeadlineName.WITHDRAW_PASSPORT: (Figure.PASSPORT_MET, Figure.PASSPORT_MISSED),
    DeadlineName.RESTORE: (Figure.RESTORE_MET, Figure.RESTORE_MISSED),
}
"""Deadlines of an entry, and the figures of those who kept them and of those who did not."""


@dataclass(frozen=True, slots=True)
class Family:
    """A figure, and the parts that it is the sum of.

    Attributes:
        whole: the sum.
        partitions: each adds up to the sum, with a rest that is not shown.
        within: whose hidden cells the sum hides too, because both tell of the same persons.
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
"""Every figure that counts persons; a figure that is a part stands after its sum."""
