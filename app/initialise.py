"""Initialisation of a register by `cekal migrate`: schema, ledger, reference data."""

from dataclasses import dataclass

from app.access.clients import service as access
from app.access.domain import SYSTEM
from app.access.pepper import PepperAct, initialise_pepper
from app.access.places.service import load_reference
from app.border.checks.partitions import make_months
from app.db import migrate
from app.ledger import service as ledger
from app.runtime import Runtime
from app.sync.heads.service import initialise_signing

_BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class Initialised:
    """The result of an initialisation: the numbers of added rows, and points that need the operator's attention.

    Attributes:
        agencies: number of agencies that were added.
        checkpoints: number of checkpoints that were added.
        offices: number of offices that were added.
        without_agency: ids of integrators' accounts that belong to no agency; only earlier releases made such accounts.
        pepper: what was done with the pepper, the key of the keyed hashes: kept, made, moved to its file, or removed
            from the database.
        signing_keys: number of signing keys that were added.
    """

    agencies: int
    checkpoints: int
    offices: int
    without_agency: tuple[str, ...]
    pepper: PepperAct
    signing_keys: int


async def initialise(runtime: Runtime) -> Initialised:
    """Upgrade the schema, and create what is missing: ledger head, pepper, signing keys, and reference data.

    Entries that may be about a holder of an account are sealed, if an earlier release has not done so.

    Raises:
        SchemaOutdated: a newer program has migrated the schema.
        PepperRefused: the pepper is missing, or is not the register's.
        NameRefused: the register's name in the settings differs from the stored one.
        SigningKeysRefused: a file of the private keys can't be used.
    """
    await migrate.upgrade(runtime.register, runtime.checks)
    async with runtime.writing(SYSTEM) as unit:
        await ledger.initialise_head(unit)
        pepper = await initialise_pepper(unit, runtime.settings)
        signing_keys = await initialise_signing(unit, runtime.settings)
        loaded = await load_reference(unit)
    last: str | None = ""
    while last is not None:
        async with runtime.writing(SYSTEM) as unit:
            last = await access.close_data_of_account_holders(unit, last, _BATCH_SIZE)
    await make_months(runtime)
    async with runtime.reading(SYSTEM) as reader:
        without_agency = await access.list_without_agency(reader)
    return Initialised(
        loaded.agencies,
        loaded.checkpoints,
        loaded.offices,
        tuple(without_agency),
        pepper,
        len(signing_keys),
    )
