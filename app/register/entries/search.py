"""Search for a person in the register: by document, NIK or folded name. Every search is logged."""

import hashlib
import hmac
from datetime import datetime

from app.access.acts import AuditAct
from app.access.clients.service import bears_name
from app.access.domain import Role
from app.db.unit import Unit
from app.errors import Fault, Invalid, WrongRole
from app.identity import names, typed_numbers
from app.identity.births import birth_from_json, compatible
from app.kit.canonical import canonical
from app.register.entries import service, store
from app.register.entries.domain import Entry
from app.register.entries.events import OwnNameSearched
from app.register.entries.pending import stops
from app.register.entries.ports import ExpectOpenHit, HitTraveller
from app.register.entries.schemas import SearchIn
from app.register.entries.visibility import visible
from app.web.paging import decode_last_id

OFFICERS = (Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR)
"""Roles that search all entries that they may see, without a hit."""


async def search(
    unit: Unit, requested: SearchIn, pepper: bytes, expect_open_hit: ExpectOpenHit
) -> list[Entry]:
    """Return the entries that match a query and that the actor may see, newest first; log the search.

    At most `limit` + 1 entries are returned; the additional one shows that another page follows. The log contains a
    keyed hash of the query and the ids of the first hundred entries found, not the name. If users search for their own
    name, that is logged too, and Immigration is notified (R61).

    A supervisor searches for an open hit (`hit_id`). The result then contains the matching entries of any agency that
    stop people now, are not sealed, and may be about the hit's traveller.

    Args:
        unit: the transaction.
        requested: the query, with `limit` and cursor.
        pepper: the secret of the keyed hash.
        expect_open_hit: returns the traveller of an open hit, or raises NotFound.

    Raises:
        Invalid: the query is empty, its document number or cursor can't be read, or an actor that is no supervisor
            names a hit.
        WrongRole: an actor that may search only for a hit, such as a supervisor, names no hit.
        NotFound: no hit with this id is open at the supervisor's checkpoint.
    """
    actor = unit.actor
    for_hit = requested.hit_id is not None
    if for_hit and not actor.holds(Role.SUPERVISOR):
        fault = Fault("/hit_id", "supervisor_only", "Only a supervisor searches for a hit.")
        raise Invalid(fault.detail, faults=[fault])
    if not for_hit and not actor.holds(*OFFICERS):
        raise WrongRole("A supervisor searches only for an open hit of their checkpoint: give its `hit_id`.")
    traveller = None if requested.hit_id is None else await expect_open_hit(unit, requested.hit_id)
    keys = _keys(requested)
    if not keys:
        fault = Fault("", "empty", "Give a name, a document or a NIK to look for.")
        raise Invalid("There is nothing to look for.", faults=[fault])
    before = decode_last_id(requested.cursor, pointer="/cursor")
    found = [
        entry
        for entry in await store.list_by_keys(unit, keys)
        if (visible(entry, actor) if traveller is None else _is_shown(entry, traveller, unit.now))
    ]
    found = [entry.at(unit.now) for entry in await service.with_attached_data(unit, found)]
    fitting = [entry for entry in found if _fits(entry, requested) and (before is None or entry.id < before)]
    fitting.sort(key=lambda entry: entry.id, reverse=True)
    await service.log_look(unit, AuditAct.ENTRIES_SEARCHED, None, _trace(requested, fitting, pepper))
    if requested.name and await bears_name(unit, unit.actor.client_id, names.fold(requested.name)):
        await service.log_look(unit, AuditAct.SEARCH_OWN_NAME, unit.actor.client_id, {"found": len(fitting)})
        unit.happened(OwnNameSearched(unit.actor))
        await unit.conclude()
    return fitting[: requested.limit + 1]


def _is_shown(entry: Entry, traveller: HitTraveller, now: datetime) -> bool:
    """Return whether a supervisor who examines a hit may see an entry."""
    return stops(entry, now) and entry.sealed_for is None and traveller.may_be(entry)


def _keys(requested: SearchIn) -> set[str]:
    keys = set()
    if requested.document:
        typed = typed_numbers.read(requested.document)
        if typed.fault == "characters":
            detail = typed_numbers.FAULTS["characters"]
            raise Invalid(detail, faults=[Fault("/document", "characters", detail)])
        keys |= {f"d:{each}" for number in typed.numbers for each in (number.number, *number.possible)}
    if requested.nik:
        keys.add(f"n:{requested.nik}")
    if requested.name:
        keys.add(f"f:{names.fold(requested.name)}"[:200])
    return keys


def _fits(entry: Entry, requested: SearchIn) -> bool:
    if requested.measure is not None and entry.measure is not requested.measure:
        return False
    if requested.state is not None and entry.state is not requested.state:
        return False
    if requested.birth is None:
        return True
    birth = birth_from_json(requested.birth.model_dump(mode="json", by_alias=True))
    births = entry.subject.births
    return not births or any(compatible(listed, birth) for listed in births)


def _trace(requested: SearchIn, found: list[Entry], pepper: bytes) -> dict[str, object]:
    question = canonical(requested.model_dump(mode="json", by_alias=True))
    keyed = hmac.new(pepper, question, hashlib.sha256).hexdigest()
    seen: dict[str, object] = {"question": keyed, "found": [entry.id for entry in found[:100]]}
    return seen if requested.hit_id is None else seen | {"hit": requested.hit_id}
