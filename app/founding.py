"""Founding a register: schema, ledger, reference data. What `cekal migrate` does."""

from dataclasses import dataclass

from app.access import service as access
from app.access.domain import SYSTEM
from app.access.pepper import PepperAct, found_pepper
from app.access.places import load_reference
from app.checks.partitions import make_months
from app.db import migrate
from app.ledger import service as ledger
from app.runtime import Runtime

_SOME = 200


@dataclass(frozen=True, slots=True)
class Founded:
    """What was added by founding, and what it found.

    Attributes:
        without_agency: ids of integrators that belong to no agency, from before that was refused.
        pepper: what was done about the key of keyed hashes.
    """

    agencies: int
    checkpoints: int
    offices: int
    without_agency: tuple[str, ...]
    pepper: PepperAct


async def found(runtime: Runtime) -> Founded:
    """Bring the schema up to date, lay the ledger's foundation and load the reference data, each once."""
    await migrate.upgrade(runtime.register, runtime.checks)
    async with runtime.writing(SYSTEM) as unit:
        await ledger.found(unit)
        pepper = await found_pepper(unit, runtime.settings)
        loaded = await load_reference(unit)
    last: str | None = ""
    while last is not None:
        async with runtime.writing(SYSTEM) as unit:
            last = await access.look_again(unit, last, _SOME)
    await make_months(runtime)
    async with runtime.reading(SYSTEM) as reader:
        without_agency = await access.list_without_agency(reader)
    return Founded(loaded.agencies, loaded.checkpoints, loaded.offices, tuple(without_agency), pepper)
