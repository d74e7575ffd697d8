"""Searching the register for a person: by document, NIK or folded name. Every search is recorded."""

import hashlib
import hmac
from datetime import datetime

from app.access.domain import Role
from app.access.service import bears_name
from app.db.unit import Unit
from app.entries import service, store
from app.entries.domain import Entry
from app.entries.events import OwnNameSearched
from app.entries.pending import stops
from app.entries.ports import ExpectOpenHit, Sought
from app.entries.schemas import SearchIn
from app.entries.views import visible
from app.errors import Fault, Invalid, WrongRole
from app.identity import documents, names
from app.identity.births import birth_from_json, compatible
from app.kit.canonical import canonical
from app.web.paging import last_seen

OFFICERS = (Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR)
"""Who searches within their own view."""


async def search(unit: Unit, wanted: SearchIn, pepper: bytes, expect_open_hit: ExpectOpenHit) -> list[Entry]:
    """At most `limit` + 1 entries within the actor's view that fit, newest first.

    A supervisor sees, for an open hit of their checkpoint, the entries of any agency that stop people, are
    not sealed and may be about the hit's traveller. The record of the search holds a keyed hash of the
    question, not the name that was asked for. A user who looks for their own name is put on record for that
    besides, and Immigration is notified (R61).

    Raises:
        Invalid: nothing to look for, or a search for a hit by who is no supervisor.
        WrongRole: a supervisor who names no hit.
        NotFound: no such hit is open at the supervisor's checkpoint.
    """
    actor = unit.actor
    for_hit = wanted.hit_id is not None
    if for_hit and not actor.holds(Role.SUPERVISOR):
        fault = Fault("/hit_id", "supervisor_only", "Only a supervisor searches for a hit.")
        raise Invalid(fault.detail, faults=[fault])
    if not for_hit and not actor.holds(*OFFICERS):
        raise WrongRole("A supervisor searches only for an open hit of their checkpoint: give its `hit_id`.")
    sought = None if wanted.hit_id is None else await expect_open_hit(unit, wanted.hit_id)
    keys = _keys(wanted)
    if not keys:
        fault = Fault("", "empty", "Give a name, a document or a NIK to look for.")
        raise Invalid("There is nothing to look for.", faults=[fault])
    before = last_seen(wanted.cursor, pointer="/cursor")
    found = [
        entry
        for entry in await store.list_by_keys(unit, keys)
        if (visible(entry, actor) if sought is None else _is_shown(entry, sought, unit.now))
    ]
    found = [entry.at(unit.now) for entry in await service.as_known(unit, found)]
    fitting = [entry for entry in found if _fits(entry, wanted) and (before is None or entry.id < before)]
    fitting.sort(key=lambda entry: entry.id, reverse=True)
    await service.log_look(unit, "entries.searched", None, _trace(wanted, fitting, pepper))
    if wanted.name and await bears_name(unit, unit.actor.client_id, names.fold(wanted.name)):
        await service.log_look(unit, "search.own_name", unit.actor.client_id, {"found": len(fitting)})
        unit.happened(OwnNameSearched(unit.actor))
        await unit.conclude()
    return fitting[: wanted.limit + 1]


def _is_shown(entry: Entry, sought: Sought, now: datetime) -> bool:
    """Whether a supervisor who examines a hit is shown an entry."""
    return stops(entry, now) and entry.sealed_for is None and sought.may_be(entry)


def _keys(wanted: SearchIn) -> set[str]:
    keys = set()
    if wanted.document:
        keys.add(f"d:{documents.normalise(wanted.document)}")
    if wanted.nik:
        keys.add(f"n:{wanted.nik}")
    if wanted.name:
        keys.add(f"f:{names.fold(wanted.name)}"[:200])
    return keys


def _fits(entry: Entry, wanted: SearchIn) -> bool:
    if wanted.measure is not None and entry.measure is not wanted.measure:
        return False
    if wanted.state is not None and entry.state is not wanted.state:
        return False
    if wanted.birth is None:
        return True
    asked = birth_from_json(wanted.birth.model_dump(mode="json", by_alias=True))
    births = entry.subject.births
    return not births or any(compatible(listed, asked) for listed in births)


def _trace(wanted: SearchIn, found: list[Entry], pepper: bytes) -> dict[str, object]:
    question = canonical(wanted.model_dump(mode="json", by_alias=True))
    keyed = hmac.new(pepper, question, hashlib.sha256).hexdigest()
    seen: dict[str, object] = {"question": keyed, "found": [entry.id for entry in found[:100]]}
    return seen if wanted.hit_id is None else seen | {"hit": wanted.hit_id}
