"""Removing from a check's matches the entries against which the traveller is cleared (no I/O; R47)."""

from collections.abc import Iterable, Mapping

from app.border.checks.domain import Match
from app.border.checks.traveller import Traveller
from app.border.clearances.domain import Clearance
from app.register.entries.domain import Entry


def remove_cleared(
    found: Iterable[Match], traveller: Traveller, near: Mapping[str, Entry], standing: Iterable[Clearance]
) -> tuple[list[Match], list[str]]:
    """Return a check's matches without the entries against which the traveller has a clearance.

    A clearance says "not the same person".

    Args:
        found: the check's matches.
        traveller: the traveller.
        near: the matched entries by id, as the check has read them.
        standing: clearances in force; those for other travellers or entries are ignored.

    Returns:
        The remaining matches in the order of `found`, and the sorted ids of the clearances that removed the others.
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
