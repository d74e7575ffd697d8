"""Passing over the entries against which a traveller is cleared; pure (R47)."""

from collections.abc import Iterable, Mapping

from app.checks.domain import Match
from app.checks.traveller import Traveller
from app.clearances.domain import Clearance
from app.entries.domain import Entry


def pass_over(
    found: Iterable[Match], traveller: Traveller, near: Mapping[str, Entry], standing: Iterable[Clearance]
) -> tuple[list[Match], list[str]]:
    """Take out of a check's matches the entries against which the traveller is cleared.

    Args:
        found: what each entry means for the traveller.
        traveller: who.
        near: the matched entries, by id, as the check has read them.
        standing: clearances that stand, of whatever traveller and entry.

    Returns:
        The matches that remain, and the ids of the clearances that took the others away.
    """
    named = {
        clearance.entry_id: clearance.id
        for clearance in standing
        if clearance.entry_id in near and clearance.covers(traveller, near[clearance.entry_id])
    }
    rest, used = [], []
    for match in found:
        if match.entry_id in named:
            used.append(named[match.entry_id])
        else:
            rest.append(match)
    return rest, sorted(used)
