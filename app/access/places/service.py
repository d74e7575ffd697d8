"""Use cases of agencies, checkpoints and offices: load those shipped with the program, and let admins change them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from app.access.acts import AuditAct
from app.access.domain import IMMIGRATION, Agency, Checkpoint, Office, P
from app.access.pending.domain import (
    KIND_OF,
    PendingChange,
    Place,
    SecondAdminAsked,
    facts_of,
    needs_second_admin,
)
from app.access.pending.proposals import propose
from app.access.pending.store import drop_changes
from app.access.places import store
from app.access.places.reference import load_agencies, load_checkpoints, load_offices, load_provinces
from app.access.store import record
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, StaleVersion, VersionRequired


@dataclass(frozen=True, slots=True)
class Loaded:
    """The number of added agencies, checkpoints and offices."""

    agencies: int
    checkpoints: int
    offices: int


async def load_reference(unit: Unit) -> Loaded:
    """Add the shipped agencies, checkpoints and immigration offices that the register does not have yet.

    Places whose codes the register has do not change. Returns the numbers of added places.
    """
    agencies = 0
    for given in load_agencies():
        if await store.find_place(unit, Agency, given.code) is None:
            await store.save(unit, Agency(**given.facts(), phone=None, active=True))
            agencies += 1
    checkpoints = 0
    for place in load_checkpoints():
        if await store.find_place(unit, Checkpoint, place.code) is None:
            await store.save(unit, Checkpoint(**place.facts(), active=True))
            checkpoints += 1
    offices = await store.add_offices(
        unit,
        [
            Office(given.code, IMMIGRATION, given.name, given.city, given.province, active=True)
            for given in load_offices()
        ],
    )
    loaded = Loaded(agencies, checkpoints, offices)
    if loaded != Loaded(0, 0, 0):
        await record(unit, AuditAct.REFERENCE_LOADED, None, asdict(loaded))
    return loaded


async def get(reader: Reader, kind: type[P], code: str) -> P:
    """Return the place of this kind and code.

    Raises:
        NotFound: there is no place of this kind with this code.
    """
    return _found(kind, await store.find_place(reader, kind, code))


async def lock(unit: Unit, kind: type[P], code: str) -> P:
    """Return the place of this kind and code, and lock its row until the commit.

    A transaction that changes data of the place (for example its contacts) takes this lock first, so that such
    transactions wait for each other.

    Raises:
        NotFound: there is no place of this kind with this code.
    """
    return _found(kind, await store.lock_place(unit, kind, code))


async def expect_checkpoints(reader: Reader, codes: Sequence[str], pointer: str) -> None:
    """Raise Invalid unless each code in a request belongs to an active checkpoint.

    Args:
        reader: the transaction.
        codes: the codes.
        pointer: JSON pointer to the list of codes in the request.

    Raises:
        Invalid: some codes belong to no active checkpoint; the error has a fault for each of them.
    """
    active = await store.list_active(reader, codes) if codes else frozenset()
    faults = [
        Fault(f"{pointer}/{i}", "unknown", "There is no such checkpoint.")
        for i, code in enumerate(codes)
        if code not in active
    ]
    if faults:
        raise Invalid("A checkpoint is unknown.", faults=faults)


_CHANGED = {
    Agency: AuditAct.AGENCY_CHANGED,
    Checkpoint: AuditAct.CHECKPOINT_CHANGED,
    Office: AuditAct.OFFICE_CHANGED,
}


async def change(unit: Unit, requested: P, expected: int | None) -> P | PendingChange:
    """Replace or add a place: an agency, checkpoint or office.

    A change that makes the place inactive, or changes an agency's phone, waits for a second admin with all its values;
    any other is stored at once. In both cases an earlier change of the place that still waits is dropped.

    Args:
        unit: the transaction; its actor is the admin.
        requested: the new values; the version in it is ignored.
        expected: the version that the caller has read; None to add a place.

    Returns:
        The stored place, or the change that waits.

    Raises:
        VersionRequired: the place exists, and `expected` is None.
        StaleVersion: `expected` is not the present version, or the place does not exist.
        Invalid: an agency's parent, an office's agency or its province is unknown, or the office belongs to another
            agency.
    """
    known = await store.lock_place(unit, type(requested), requested.code)
    place = replace(requested, version=next_version(known, expected))
    called = _called(type(place))
    faults = await _faults(unit, place, known)
    if faults:
        raise Invalid(f"The {called} can't be like this.", faults=faults)
    if needs_second_admin(known, place):
        change = await propose(unit, KIND_OF[type(place)], place.code, facts_of(place))
        unit.happened(SecondAdminAsked(confirmed=False, change_id=change.id, **concerned(place)))
        await unit.conclude()
        return change
    await drop_changes(unit, KIND_OF[type(place)], place.code)
    await keep(unit, place)
    return place


async def keep(unit: Unit, place: Place) -> None:
    """Store a version of a place, and write the act to the audit trail."""
    await store.save(unit, place)
    await record(unit, _CHANGED[type(place)], place.code, {"active": place.active, "version": place.version})


def concerned(place: Place) -> dict[str, str]:
    """Return the place that a change concerns, as a keyword argument for the event `SecondAdminAsked`.

    It is `{"checkpoint": code}` for a checkpoint, and `{"agency": code}` for an agency or for the agency of an office.
    """
    match place:
        case Agency():
            return {"agency": place.code}
        case Office():
            return {"agency": place.agency}
        case Checkpoint():
            return {"checkpoint": place.code}


def _found(kind: type[P], place: P | None) -> P:
    if place is None:
        raise NotFound(f"There is no such {_called(kind)}.")
    return place


def _called(kind: type) -> str:
    return kind.__name__.lower()


async def _faults(
    reader: Reader, place: Agency | Checkpoint | Office, known: Agency | Checkpoint | Office | None
) -> list[Fault]:
    match place:
        case Agency(parent=str(parent)):
            return await _unknown_agency(reader, "/parent", parent)
        case Office():
            faults = await _unknown_agency(reader, "/agency", place.agency)
            if isinstance(known, Office) and known.agency != place.agency:
                detail = "An office stays with its agency: its people belong to both."
                faults.append(Fault("/agency", "fixed", detail))
            if place.province is not None and place.province not in {each.name for each in load_provinces()}:
                faults.append(Fault("/province", "unknown", "There is no province of this name."))
            return faults
    return []


async def _unknown_agency(reader: Reader, pointer: str, code: str) -> list[Fault]:
    if await store.find_place(reader, Agency, code) is not None:
        return []
    return [Fault(pointer, "unknown", "There is no agency with this code.")]


async def ensure_office(unit: Unit, agency: str, code: str) -> bool:
    """Add an office with nothing but agency and code, unless the agency is unknown or the office exists.

    Returns whether the office was added.

    Only the command line calls this. The office has no province until an admin enters one.
    """
    if (
        await store.find_place(unit, Agency, agency) is None
        or await store.lock_place(unit, Office, code) is not None
    ):
        return False
    await store.save(unit, Office(code, agency, code, None, None, active=True))
    await record(unit, AuditAct.OFFICE_ADDED, code, {"agency": agency})
    return True


def next_version(known: Agency | Checkpoint | Office | None, expected: int | None) -> int:
    """Return the number of the version that a change makes: one more than the present one, or 1 for a new place.

    Args:
        known: the present place; None if it does not exist.
        expected: the version that the caller has read; None to add a place.

    Raises:
        VersionRequired: the place exists, and `expected` is None.
        StaleVersion: `expected` is not the present version, or the place does not exist.
    """
    if known is None:
        if expected is None:
            return 1
        raise StaleVersion("There is nothing with this code; to add it, send no If-Match.")
    if expected is None:
        raise VersionRequired(
            "There is one with this code already: send If-Match with its ETag to change it."
        )
    if expected != known.version:
        raise StaleVersion("It has changed since it was read.", extra={"version": known.version})
    return known.version + 1
