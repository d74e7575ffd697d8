"""What one entry's correction means for another entry about the same person; pure.

A correction of an urgent entry that adds a passport must hold in the formal entry too, whichever of the two was
written first. So a change is carried over: what the source says now and did not say at the base is added to the
target, what it no longer says is taken away, and where both changed one member differently somebody must decide.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from app.entries.domain import Basis, Entry
from app.entries.references import folded
from app.entries.subjects import Alias, Document, Subject
from app.identity import documents, names, states

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
"""Members of a subject that say one thing."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The target with what was carried over.

    Attributes:
        differs: pointers to the members that source and target changed differently.
    """

    entry: Entry
    differs: tuple[str, ...] = ()


def carry_over(base: Entry, source: Entry, target: Entry, today: date) -> Carried:
    """Carry what `source` changed since `base` into `target`; what differs stays as the target says it.

    Args:
        base: the source as it was when the target was made of it, or last agreed with it.
        source: the same entry as it is now.
        target: an entry about the same person in the same case.
        today: the legal day.
    """
    subject, differs = merged(base.subject, source.subject, target.subject)
    before, now, mine = (folded(each.basis.case_reference) for each in (base, source, target))
    basis = target.basis
    if now not in {before, mine}:
        if mine == before:
            basis = msgspec.structs.replace(basis, case_reference=source.basis.case_reference)
        else:
            differs = (*differs, "/basis/case_reference")
    return Carried(_saying(target, subject, basis, today), differs)


def keep_listed(target: Entry, source: Entry, today: date) -> Entry:
    """The target with what an urgent entry lists and the target is silent about, for it takes over from that one."""
    return _saying(target, keep_documents(source.subject, target.subject), target.basis, today)


def _saying(target: Entry, subject: Subject, basis: Basis, today: date) -> Entry:
    if subject == target.subject and basis == target.basis:
        return target
    still = tuple(member for member in target.unknown if not getattr(subject, member))
    said = target.replace(
        subject=subject, citizenship=subject.citizenship_on(today), basis=basis, unknown=still
    )
    return said.remembering(target)


def merged(base: Subject, source: Subject, target: Subject) -> tuple[Subject, tuple[str, ...]]:
    """The target's subject with what the source changed since the base, and pointers to what differs."""
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
            changes[member] = getattr(target, member)  # each drops what the other keeps: nobody wanted none
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
    """The subject with every document and name of another statement about the same person.

    A formal decision that does not repeat a passport has not withdrawn it.
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
    """The subject without aliases that were withdrawn, compared as they are written, but for case."""
    gone = {name.casefold() for name in withdrawn}
    kept = tuple(alias for alias in subject.aliases if alias.name.casefold() not in gone)
    return msgspec.structs.replace(subject, aliases=kept)


def _sets(
    before: Iterable[Any], now: Iterable[Any], mine: Iterable[Any], key: Callable[[Any], Hashable]
) -> tuple[Any, ...]:
    """What the target has, without what the source dropped since the base, with what it gained."""
    was, is_now = {key(each) for each in before}, {key(each): each for each in now}
    dropped = was - is_now.keys()
    kept = {key(each): each for each in mine if key(each) not in dropped}
    gained = {known: each for known, each in is_now.items() if known not in was and known not in kept}
    return (*kept.values(), *gained.values())


def _document_key(document: Document) -> Hashable:
    state = document.issuing_state
    return documents.normalise(document.number), None if state is None else states.canonical(state)


def _alias_key(alias: Alias) -> Hashable:
    return names.fold(alias.name) or alias.name


def _itself(value: Hashable) -> Hashable:
    return value
