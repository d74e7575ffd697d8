"""Visibility of entries (API sections 2 and 3; R61): one rule, for one entry and as SQL condition for many.

An agency's officers see its entries; officers who decide for Immigration and auditors see all entries; a
supervision team sees its province's foreigners. A sealed entry is visible only to its authors, the persons that it
names, and auditors; never to a person who may be its subject.
"""

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true

from app.access.domain import SYSTEM, Role
from app.actor import Actor
from app.register.entries import tables
from app.register.entries.domain import Entry
from app.register.entries.subjects import Citizenship

ALL_ENTRIES = frozenset({Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR})
"""Roles that see the entries of every agency."""

_OFFICERS = frozenset({Role.SUBMITTER, Role.VERIFIER})


def visible(entry: Entry, actor: Actor) -> bool:
    """Return whether an actor may see an entry: by role, agency and province, unless a seal hides it."""
    return open_to(entry, actor) and (_by_office(entry, actor) or _by_province(entry, actor))


def shows_photo(entry: Entry, actor: Actor) -> bool:
    """Return whether an actor may see an entry's photo: as `visible`, but not for supervision teams."""
    return open_to(entry, actor) and _by_office(entry, actor)


def open_to(entry: Entry, actor: Actor) -> bool:
    """Return whether no seal hides an entry from an actor; role, agency and province are not considered.

    A seal admits the entry's authors, the persons that it names, and auditors. A person that may be the subject is
    never admitted, not even as one of these.
    """
    if actor.person is not None and actor.person in entry.barred:
        return False
    if entry.sealed_for is None or _unbound(actor):
        return True
    return actor.person in entry.opened_to


def within_view(actor: Actor) -> ColumnElement[bool]:
    """Return the SQL condition that an actor may see a row of the table `entry`, by the rule of `visible`."""
    table = tables.entry
    if _sees_all(actor):
        return opened(actor)
    seen: list[ColumnElement[bool]] = [false()]
    if actor.holds(*_OFFICERS):
        seen.append(table.c.agency == actor.agency)
    if actor.holds(Role.TIMPORA) and actor.province is not None:
        foreign = table.c.citizenship == Citizenship.WNA.value
        seen.append(and_(foreign, table.c.province == actor.province))
    return and_(or_(*seen), opened(actor))


def opened(actor: Actor) -> ColumnElement[bool]:
    """Return the SQL condition that no seal hides an `entry` row from an actor, by the rule of `open_to`."""
    if actor.person is None:
        return true() if _unbound(actor) else ~tables.entry.c.sealed
    if _unbound(actor):
        return tables.entry.c.id.not_in(barred(actor.person))
    return or_(~tables.entry.c.sealed, _named(actor.person))


def closed(actor: Actor) -> Select[tuple[str]]:
    """Return the SQL query of the ids of entries that a seal hides from an actor, for use in other statements."""
    ids: Select[tuple[str]] = select(tables.entry.c.id)
    if actor.person is None:
        return ids.where(false() if _unbound(actor) else tables.entry.c.sealed)
    if _unbound(actor):
        return barred(actor.person)
    return ids.where(tables.entry.c.sealed, ~_named(actor.person))


def barred(person: str) -> Select[tuple[str]]:
    """Return the SQL query of the ids of entries that are hidden from a user because they may be about that user.

    `person` is the user's employee number.
    """
    seal = tables.seal
    return select(seal.c.entry_id).where(seal.c.person == person, seal.c.barred)


def _named(person: str) -> ColumnElement[bool]:
    seal = tables.seal
    return exists().where(seal.c.entry_id == tables.entry.c.id, seal.c.person == person, ~seal.c.barred)


def _unbound(actor: Actor) -> bool:
    return actor.holds(Role.AUDITOR) or actor.client_id == SYSTEM.client_id


def _sees_all(actor: Actor) -> bool:
    return actor.holds(*ALL_ENTRIES) or actor.client_id == SYSTEM.client_id


def _by_office(entry: Entry, actor: Actor) -> bool:
    return _sees_all(actor) or (actor.holds(*_OFFICERS) and actor.agency == entry.agency)


def _by_province(entry: Entry, actor: Actor) -> bool:
    near = actor.province is not None and actor.province == entry.province
    return actor.holds(Role.TIMPORA) and near and entry.citizenship is Citizenship.WNA
