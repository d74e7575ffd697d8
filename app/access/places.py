"""Use cases of places: agencies, checkpoints and offices, loaded once, changed by admins; every change recorded."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from app.access import place_store as store
from app.access.domain import IMMIGRATION, Agency, Checkpoint, Office
from app.access.reference import load_agencies, load_checkpoints, load_offices, load_provinces
from app.access.store import record
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, StaleVersion, VersionRequired

P = TypeVar("P", Agency, Checkpoint, Office)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many places were added."""

    agencies: int
    checkpoints: int
    offices: int


async def load_reference(unit: Unit) -> Loaded:
    """Load the shipped agencies, checkpoints and immigration offices that the register does not have yet."""
    agencies = 0
    for given in load_agencies():
        if await store.find_agency(unit, given.code) is None:
            await store.save_agency(unit, Agency(**given.facts(), phone=None, active=True))
            agencies += 1
    checkpoints = 0
    for place in load_checkpoints():
        if await store.find_checkpoint(unit, place.code) is None:
            await store.save_checkpoint(unit, Checkpoint(**place.facts(), active=True))
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
        await record(unit, "reference.loaded", None, asdict(loaded))
    return loaded


async def get_agency(reader: Reader, code: str) -> Agency:
    """An agency.

    Raises:
        NotFound: there is none with this code.
    """
    return _known(await store.find_agency(reader, code), "agency")


async def get_checkpoint(reader: Reader, code: str) -> Checkpoint:
    """A checkpoint.

    Raises:
        NotFound: there is none with this code.
    """
    return _known(await store.find_checkpoint(reader, code), "checkpoint")


async def get_office(reader: Reader, code: str) -> Office:
    """An office.

    Raises:
        NotFound: there is none with this code.
    """
    return _known(await store.find_office(reader, code), "office")


def _known(found: P | None, what: str) -> P:
    if found is None:
        raise NotFound(f"There is no such {what}.")
    return found


async def expect_checkpoints(reader: Reader, codes: Sequence[str], pointer: str) -> None:
    """Make sure that each code named in a request is an active checkpoint's.

    Args:
        reader: the transaction.
        codes: what is named.
        pointer: where the list of them stands in the request.

    Raises:
        Invalid: some are not.
    """
    active = await store.list_active(reader, codes) if codes else frozenset()
    faults = [
        Fault(f"{pointer}/{i}", "unknown", "There is no such checkpoint.")
        for i, code in enumerate(codes)
        if code not in active
    ]
    if faults:
        raise Invalid("A checkpoint is unknown.", faults=faults)


async def change_agency(unit: Unit, wanted: Agency, expected: int | None) -> Agency:
    """Replace what is known of an agency, or add one.

    Args:
        unit: the transaction; its actor is the admin.
        wanted: the agency as it is to be; its version is not looked at.
        expected: the version that was read; None to add one.

    Raises:
        VersionRequired, StaleVersion: as `next_version`.
        Invalid: the parent is unknown.
    """
    known = await store.hold_agency(unit, wanted.code)
    agency = replace(wanted, version=next_version(known, expected))
    if wanted.parent is not None and await store.find_agency(unit, wanted.parent) is None:
        fault = Fault("/parent", "unknown", "There is no agency with this code.")
        raise Invalid("The parent agency is unknown.", faults=[fault])
    await store.save_agency(unit, agency)
    await record(unit, "agency.changed", agency.code, {"active": agency.active, "version": agency.version})
    return agency


async def change_checkpoint(unit: Unit, wanted: Checkpoint, expected: int | None) -> Checkpoint:
    """Replace what is known of a checkpoint, or add one; arguments and errors as `change_agency`.

    Raises:
        VersionRequired, StaleVersion: as `next_version`.
    """
    known = await store.hold_checkpoint(unit, wanted.code)
    place = replace(wanted, version=next_version(known, expected))
    await store.save_checkpoint(unit, place)
    await record(unit, "checkpoint.changed", place.code, {"active": place.active, "version": place.version})
    return place


async def change_office(unit: Unit, wanted: Office, expected: int | None) -> Office:
    """Replace what is known of an office, or add one; arguments as `change_agency`.

    Raises:
        VersionRequired, StaleVersion: as `next_version`.
        Invalid: the agency or the province is unknown, or the office is another agency's.
    """
    known = await store.hold_office(unit, wanted.code)
    office = replace(wanted, version=next_version(known, expected))
    faults = []
    if await store.find_agency(unit, office.agency) is None:
        faults.append(Fault("/agency", "unknown", "There is no agency with this code."))
    if known is not None and known.agency != office.agency:
        faults.append(
            Fault("/agency", "fixed", "An office stays with its agency: its people belong to both.")
        )
    if office.province is not None and office.province not in {each.name for each in load_provinces()}:
        faults.append(Fault("/province", "unknown", "There is no province of this name."))
    if faults:
        raise Invalid("The office can't be like this.", faults=faults)
    await store.save_office(unit, office)
    await record(unit, "office.changed", office.code, {"active": office.active, "version": office.version})
    return office


async def ensure_office(unit: Unit, agency: str, code: str) -> bool:
    """Add an office of an agency by its code alone, if there is none with this code; whether it was added.

    For the command line: whoever has the machine has the register. It has no province until an admin says it.
    """
    if await store.find_agency(unit, agency) is None or await store.hold_office(unit, code) is not None:
        return False
    await store.save_office(unit, Office(code, agency, code, None, None, active=True))
    await record(unit, "office.added", code, {"agency": agency})
    return True


def next_version(known: Agency | Checkpoint | Office | None, expected: int | None) -> int:
    """The version that a change makes, if whoever asks for it has read the one before.

    Args:
        known: the place as it stands; None if there is none.
        expected: the version that was read; None if none was named.

    Raises:
        VersionRequired: there is such a place, and no version was named.
        StaleVersion: another version is current, or there is no such place any more or yet.
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
