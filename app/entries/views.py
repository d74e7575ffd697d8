"""Who may see an entry (contract sections 2 and 3; R61): one rule, for one entry and for statements about many.

An agency's officers see its entries, those who decide for Immigration and the auditors all of them, a supervision
team its province's foreigners. A sealed entry is seen by the persons it names, by its authors and by auditors only;
and by none of them who may be its subject.
"""

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true

from app.access.domain import SYSTEM
from app.db.unit import Actor
from app.entries import tables
from app.entries.domain import Entry
from app.entries.subjects import Citizenship

ALL_ENTRIES = frozenset({"approver", "duty_officer", "auditor"})
"""Roles that see the entries of every agency."""

_OFFICERS = frozenset({"submitter", "verifier"})


def visible(entry: Entry, actor: Actor) -> bool:
    """Whether an entry is within an actor's view."""
    return open_to(entry, actor) and (_by_office(entry, actor) or _by_province(entry, actor))


def shows_photo(entry: Entry, actor: Actor) -> bool:
    """Whether an actor may see an entry's photo: who sees the entry, but for supervision teams."""
    return open_to(entry, actor) and _by_office(entry, actor)


def open_to(entry: Entry, actor: Actor) -> bool:
    """Whether an entry's seal, if it has one, lets an actor through; it may be outside their view all the same.

    Nobody is let through who may be the subject, not as the author, a named person or an auditor either.
    """
    if actor.person is not None and actor.person in entry.barred:
        return False
    if entry.sealed_for is None or _unbound(actor):
        return True
    return actor.person in entry.opened_to


def within_view(actor: Actor) -> ColumnElement[bool]:
    """`visible`, as a condition on the table of entries."""
    table = tables.entry
    if _sees_all(actor):
        return opened(actor)
    seen: list[ColumnElement[bool]] = [false()]
    if actor.holds(*_OFFICERS):
        seen.append(table.c.agency == actor.agency)
    if actor.holds("timpora") and actor.province is not None:
        foreign = table.c.citizenship == Citizenship.WNA.value
        seen.append(and_(foreign, table.c.province == actor.province))
    return and_(or_(*seen), opened(actor))


def opened(actor: Actor) -> ColumnElement[bool]:
    """`open_to`, as a condition on the table of entries."""
    if actor.person is None:
        return true() if _unbound(actor) else ~tables.entry.c.sealed
    if _unbound(actor):
        return tables.entry.c.id.not_in(barred(actor.person))
    return or_(~tables.entry.c.sealed, _named(actor.person))


def closed(actor: Actor) -> Select[tuple[str]]:
    """The ids of the entries whose seal keeps an actor out, for statements about what belongs to entries."""
    ids: Select[tuple[str]] = select(tables.entry.c.id)
    if actor.person is None:
        return ids.where(false() if _unbound(actor) else tables.entry.c.sealed)
    if _unbound(actor):
        return barred(actor.person)
    return ids.where(tables.entry.c.sealed, ~_named(actor.person))


def barred(person: str) -> Select[tuple[str]]:
    """The ids of the entries that may be about a person, who never sees them; each of them is sealed."""
    seal = tables.seal
    return select(seal.c.entry_id).where(seal.c.person == person, seal.c.barred)


def _named(person: str) -> ColumnElement[bool]:
    seal = tables.seal
    return exists().where(seal.c.entry_id == tables.entry.c.id, seal.c.person == person, ~seal.c.barred)


def _unbound(actor: Actor) -> bool:
    return actor.holds("auditor") or actor.client_id == SYSTEM.client_id


def _sees_all(actor: Actor) -> bool:
    return actor.holds(*ALL_ENTRIES) or actor.client_id == SYSTEM.client_id


def _by_office(entry: Entry, actor: Actor) -> bool:
    return _sees_all(actor) or (actor.holds(*_OFFICERS) and actor.agency == entry.agency)


def _by_province(entry: Entry, actor: Actor) -> bool:
    near = actor.province is not None and actor.province == entry.province
    return actor.holds("timpora") and near and entry.citizenship is Citizenship.WNA
