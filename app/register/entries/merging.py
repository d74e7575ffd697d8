"""Carrying changes over between two entries about the same person: a three-way merge (no I/O).

A correction of an urgent entry that adds a passport must also apply to the formal entry, whichever of the two was
written first. So a change is carried over: what the source gained since the base is added to the target, what it lost
is removed, and where both changed one member differently an officer must decide.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from app.identity import documents, names, states
from app.register.entries.domain import Basis, Entry
from app.register.entries.references import folded
from app.register.entries.subjects import Alias, Document, Subject

_SINGLE: Final = (
    "full_name",
    "sex",
    "birth",
    "birth_place",
    "nik",
    "occupation",
    "address",
    "photo",
    "citizenship_note",
    "citizenship_loss",
)
"""Members of a subject that have one value."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The result of `carry_over`: changes of one entry (the source) applied to another (the target).

    Attributes:
        entry: the target with the source's changes.
        differs: JSON pointers to the members that source and target changed differently; they keep the target's value.
    """

    entry: Entry
    differs: tuple[str, ...] = ()


def carry_over(base: Entry, source: Entry, target: Entry, today: date) -> Carried:
    """Apply to `target` what changed from `base` to `source`, two versions of another entry about the same person.

    Only the subject (see `merged`) and the case reference are carried over. A member that `target` changed differently
    keeps the target's value. The version number of `target` stays.

    Args:
        base: the version of the source from which the target was made, or with which it last agreed.
        source: the current version of the source.
        target: an entry about the same person in the same case.
        today: the legal day, on which the citizenship is derived again.
    """
    subject, differs = merged(base.subject, source.subject, target.subject)
    before, now, mine = (folded(each.basis.case_reference) for each in (base, source, target))
    basis = target.basis
    if now not in {before, mine}:
        if mine == before:
            basis = msgspec.structs.replace(basis, case_reference=source.basis.case_reference)
        else:
            differs = (*differs, "/basis/case_reference")
    return Carried(_with_content(target, subject, basis, today), differs)


def keep_listed(target: Entry, source: Entry, today: date) -> Entry:
    """Return the formal entry `target` with the documents, names and NIK of the urgent entry `source` added.

    `today` is the legal day, on which the citizenship is derived again.
    """
    return _with_content(target, keep_documents(source.subject, target.subject), target.basis, today)


def _with_content(target: Entry, subject: Subject, basis: Basis, today: date) -> Entry:
    if subject == target.subject and basis == target.basis:
        return target
    still = tuple(member for member in target.unknown if not getattr(subject, member))
    changed = target.replace(
        subject=subject, citizenship=subject.citizenship_on(today), basis=basis, unknown=still
    )
    return changed.remembering(target)


def merged(base: Subject, source: Subject, target: Subject) -> tuple[Subject, tuple[str, ...]]:
    """Return `target` with what changed from `base` to `source`, and JSON pointers to the conflicting members.

    `base` and `source` are an earlier and a later record of the same person.

    - A member with one value conflicts if `target` changed it differently; it keeps the target's value. A member that
      is empty in `target` takes the changed value, and does not conflict.
    - Aliases, documents, nationalities and further births are merged item by item: items that `source` has gained are
      added, items that it has lost are removed. If no document or no nationality would be left, although `source` and
      `target` have some, the target's stay, and the member conflicts.
    """
    changes: dict[str, Any] = {
        "aliases": _sets(base.aliases, source.aliases, target.aliases, _alias_key),
        "documents": _sets(base.documents, source.documents, target.documents, _document_key),
        "nationalities": _sets(
            base.nationalities, source.nationalities, target.nationalities, states.canonical
        ),
        "birth_alternatives": _sets(
            base.birth_alternatives, source.birth_alternatives, target.birth_alternatives, _itself
        ),
    }
    differs = []
    for member in ("documents", "nationalities"):
        if not changes[member] and getattr(source, member) and getattr(target, member):
            # Source and target each removed what the other kept; neither intended an empty list.
            changes[member] = getattr(target, member)
            differs.append(f"/subject/{member}")
    for member in _SINGLE:
        before, now, mine = (getattr(subject, member) for subject in (base, source, target))
        if now in {before, mine}:
            continue
        if mine == before or mine is None:
            changes[member] = now
        else:
            differs.append(f"/subject/{member}")
    return msgspec.structs.replace(target, **changes), tuple(differs)


def keep_documents(kept: Subject, subject: Subject) -> Subject:
    """Return `subject` with every document and name of `kept`, an earlier record of the same person, added.

    The NIK of `kept` is added if `subject` has none. The reason: a decision that does not repeat a passport or name has
    not withdrawn it.
    """
    known = {names.fold(subject.full_name), *(_alias_key(alias) for alias in subject.aliases)}
    spellings = (Alias(kept.full_name), *kept.aliases)
    return msgspec.structs.replace(
        subject,
        documents=_sets((), kept.documents, subject.documents, _document_key),
        aliases=(*subject.aliases, *(alias for alias in spellings if _alias_key(alias) not in known)),
        nik=subject.nik or kept.nik,
    )


def without_names(subject: Subject, withdrawn: Iterable[str]) -> Subject:
    """Return the subject without the aliases in `withdrawn`; the comparison ignores case only. The full name stays."""
    gone = {name.casefold() for name in withdrawn}
    kept = tuple(alias for alias in subject.aliases if alias.name.casefold() not in gone)
    return msgspec.structs.replace(subject, aliases=kept)


def _sets(
    before: Iterable[Any], now: Iterable[Any], mine: Iterable[Any], key: Callable[[Any], Hashable]
) -> tuple[Any, ...]:
    """Return the target's items without those that the source removed since the base, and with those that it added."""
    was, is_now = {key(each) for each in before}, {key(each): each for each in now}
    dropped = was - is_now.keys()
    kept = {key(each): each for each in mine if key(each) not in dropped}
    gained = {known: each for known, each in is_now.items() if known not in was and known not in kept}
    return (*kept.values(), *gained.values())


def _document_key(document: Document) -> Hashable:
    state = document.issuing_state
    return documents.normalise(
        document.number
    ) or document.number, None if state is None else states.canonical(state)


def _alias_key(alias: Alias) -> Hashable:
    return names.fold(alias.name) or alias.name


def _itself(value: Hashable) -> Hashable:
    return value
