"""Instants of times that a clock on a wall shows, in any zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def instant_of(local: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    """Return the instant, in UTC, at which a clock in a time zone shows a local time.

    A local time that a change of the clock skips (when daylight saving time begins) gives the instant of the change.

    Args:
        local: the local time, without a zone.
        zone: the clock's time zone.
        fold: for a local time that a change of the clock repeats (when daylight saving time ends): 0 for the first time
            that it is shown, 1 for the second.
    """
    first, second = (local.replace(tzinfo=zone, fold=side).astimezone(UTC) for side in (0, 1))
    if first <= second:  # the time exists, once or twice
        return second if fold else first
    before, after = second, first
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            before = middle
        else:
            after = middle
    return after
