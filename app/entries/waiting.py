"""What an entry remembers of papers that arrived in time and are not decided on yet (R68); pure."""

from datetime import datetime

import msgspec


class Waiting(msgspec.Struct, frozen=True):
    """Papers that the owner has verified and Immigration has still to decide on.

    Attributes:
        papers: id of the extension, or of the formal entry.
        days: for how many days after the entry's end checks refer while they wait.
    """

    papers: str
    days: int


class Pause(msgspec.Struct, frozen=True):
    """The time between an entry's end and an extension that was approved after it: nobody was refused then.

    Attributes:
        since: the end.
        until: the approval.
    """

    since: datetime
    until: datetime

    def covers(self, moment: datetime) -> bool:
        """Whether an instant lies within it."""
        return self.since <= moment < self.until
