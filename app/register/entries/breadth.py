"""Breadth of an entry: the number of recent travellers that it would have stopped (no I/O).

A name stops everyone with a similar name. Whether that is one person or a thousand can't be seen in the entry, only
in the travellers of the last days; the submitter and the deciders of an entry must know it. A traveller with one of
the entry's documents, or its NIK, is its subject and never counts.
"""

from datetime import datetime
from enum import StrEnum
from math import ceil, sqrt
from typing import Final

import msgspec

from app.register.entries.values import EntryWarning

BROAD: Final = "broad"
"""Code of the warning that an entry is broad."""

_HELD_LATER: Final = (
    "So it holds nobody, and no checkpoint is alerted, until a duty officer has countersigned it: call them. A "
    "narrower birth date, or fewer names, holds at once; `POST /v1/urgent-entries/preview` counts beforehand."
)
_FOR_DECIDERS: Final = "Those who decide on it see this."
_ONE_SIDED_95: Final = 1.645


class Shortfall(StrEnum):
    """Reason why an entry's `Breadth` was not counted from all travellers of the period; see `MEANINGS`."""

    EMPTY = "empty"
    SAMPLED = "sampled"
    ERASED = "erased"
    BEHIND = "behind"
    CUT_SHORT = "cut_short"


MEANINGS: Final = {
    Shortfall.EMPTY: "no traveller of the period is known, so there is no number",
    Shortfall.SAMPLED: "travellers were sampled, and the number is an estimate",
    Shortfall.ERASED: "questions are erased before the span is over (`question_days`)",
    Shortfall.BEHIND: "checks that were asked since `until` are not counted yet",
    Shortfall.CUT_SHORT: "it was counted until its time was used up, or until enough were found; the number is an "
    "estimate",
}
"""Explanation of each shortfall, for readers of the API."""


class Breadth(msgspec.Struct, frozen=True, kw_only=True):
    """The number of travellers in a period that an entry would have stopped by name and birth date.

    Attributes:
        found: compared travellers who would have been stopped.
        compared: travellers that were compared with the entry.
        travellers: travellers checked at the border in the period; an estimate where they were sampled.
        share: the share of `travellers` that was compared, from 0 (none) to 1 (all).
        since: time of the first counted check; None if no check was counted.
        until: time up to which checks are counted; None if no check was read.
        shortfalls: reasons why the number is based on less than the period.
        least: the smallest number that may be published (setting `statistics_smallest_cell`); a smaller number could
            reveal whether a certain person has travelled.
        limit: the number above which an entry is broad; 0 means that none is.
    """

    found: int
    compared: int
    travellers: int
    share: float
    since: datetime | None
    until: datetime | None
    shortfalls: tuple[Shortfall, ...]
    least: int
    limit: int

    @property
    def would_stop(self) -> int | None:
        """Number of travellers that the entry would have stopped, from `found` and `share`; at most `travellers`.

        None if no traveller was compared, and if `found` is below `least`.
        """
        if not self.share or self.found < self.least:
            return None
        return min(round(self.found / self.share), self.travellers)

    @property
    def fewer_than(self) -> int | None:
        """Exclusive upper bound of stopped travellers, published in place of `would_stop` if `found` is below `least`.

        None if `would_stop` is published, and if no traveller was compared.
        """
        return ceil(self.least / self.share) if self.share and self.found < self.least else None

    @property
    def at_most(self) -> int | None:
        """Upper bound of the number of stopped travellers at 95 % confidence; None if no traveller was compared."""
        if not self.share:
            return None
        counted = max(self.found, self.least - 1)
        bound = ceil((counted if self.share == 1 else _poisson_bound(counted)) / self.share)
        if Shortfall.SAMPLED in self.shortfalls:
            return bound  # the number of all travellers is an estimate itself
        return min(bound, max(self.travellers, counted))

    @property
    def broad(self) -> bool:
        """Whether `would_stop` is known and exceeds the limit; False if `limit` is 0."""
        return self.limit > 0 and self.would_stop is not None and self.would_stop > self.limit

    def warning(self, *, urgent: bool) -> EntryWarning:
        """Return the warning that an entry is broad, for its submitter; the caller has checked that `broad` is true.

        The text ends with the consequence. An urgent entry (`urgent`) stops nobody until it is countersigned; any other
        entry is shown with the number to the persons that decide on it.
        """
        consequence = _HELD_LATER if urgent else _FOR_DECIDERS
        about = "" if self.share == 1 else "about "
        since = "" if self.since is None else f" since {self.since:%Y-%m-%d %H:%M} UTC"
        detail = (
            f"By name and birth date alone it would have stopped {about}{self.would_stop} of {about}"
            f"{self.travellers} travellers{since}; broad is more than {self.limit}. {consequence}"
        )
        return EntryWarning(BROAD, "/subject", detail)


def _poisson_bound(counted: int) -> float:
    """Return the upper 95 % confidence bound of a count (Wilson and Hilferty's approximation of chi square)."""
    k = counted + 1
    return float(k * (1 - 1 / (9 * k) + _ONE_SIDED_95 / (3 * sqrt(k))) ** 3)
