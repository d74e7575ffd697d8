"""The wait of an entry for papers that arrived in time and are not decided on yet, as it is stored (R68; no I/O)."""

from datetime import datetime

import msgspec


class Waiting(msgspec.Struct, frozen=True):
    """The wait of an entry for papers that its owner has verified and Immigration has not decided on (R68).

    Attributes:
        papers: id of the papers: an extension of the entry, or the formal entry that follows it.
        days: number of days after the entry's end for which checks still refer if the papers are undecided.
    """

    papers: str
    days: int


class Pause(msgspec.Struct, frozen=True):
    """The time between an entry's end and the approval of its extension after that end; no traveller was refused then.

    Attributes:
        since: the end.
        until: the approval.
    """

    since: datetime
    until: datetime

    def covers(self, moment: datetime) -> bool:
        """Return whether an instant is within the pause: from `since` on, and before `until`."""
        return self.since <= moment < self.until
