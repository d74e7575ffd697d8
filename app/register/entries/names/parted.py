"""Splitting of several names in one field into a full name and aliases (no I/O).

"Joko Susilo alias Jack" is a full name and an alias. As one name it would be printed, searched and compared as a
name that no person has.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from app.identity.readings import Names, split
from app.register.entries.subjects import Alias, Subject
from app.register.entries.values import EntryWarning

_DETAIL: Final = (
    "The field held several names (alias, a.k.a., d/h, brackets). The first is filed in its place, each other one as "
    "an alias; a single word in brackets as an alias of low quality. Correct the entry where that is wrong."
)


def part_names(subject: Subject) -> tuple[Subject, tuple[EntryWarning, ...]]:
    """Split name fields that contain several names. Returns the changed subject, and a warning for each split field.

    "Joko Susilo alias Jack" becomes the full name Joko Susilo and the alias Jack. A name that is there already is not
    added again. If no field contains several names, the subject is returned unchanged.
    """
    full = split(subject.full_name)
    aliases = [split(alias.name) for alias in subject.aliases]
    pointers = ["/subject/full_name"] if full.others else []
    pointers += [f"/subject/aliases/{place}/name" for place, names in enumerate(aliases) if names.others]
    if not pointers:
        return subject, ()
    kept = _without_repeats(full, subject.aliases, aliases)
    parted = msgspec.structs.replace(subject, full_name=full.main, aliases=tuple(kept))
    return parted, tuple(EntryWarning("several_names", pointer, _DETAIL) for pointer in pointers)


def _without_repeats(full: Names, given: Iterable[Alias], aliases: Iterable[Names]) -> Iterator[Alias]:
    known = {full.main.casefold()}
    for alias in (*_others(full, "good"), *_each(given, aliases)):
        if alias.name.casefold() not in known:
            known.add(alias.name.casefold())
            yield alias


def _each(given: Iterable[Alias], aliases: Iterable[Names]) -> Iterator[Alias]:
    for alias, names in zip(given, aliases, strict=True):
        yield Alias(names.main, alias.quality)
        yield from _others(names, alias.quality)


def _others(names: Names, quality: str) -> Iterator[Alias]:
    """Yield the additional names of a field as aliases; none has a better quality than the field."""
    for other in names.others:
        yield Alias(other.name, other.quality if quality == "good" else quality)
