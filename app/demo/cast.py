"""The clients of the demonstration, with their keys: officers of three offices, and a machine at every checkpoint.

The register and the clients are created as `cekal migrate` and `cekal client create` do it. Each run
creates new clients with keys that are valid for a month; a client's key is shown once and stored nowhere.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from app.access.clients.service import NewClient, issue_key, register_client
from app.access.domain import IMMIGRATION, SYSTEM, Agency, Checkpoint, Kind, Role
from app.access.places.service import keep
from app.access.places.store import find_place, list_places
from app.db.unit import Unit
from app.initialise import Initialised, initialise
from app.settings import Settings
from app.sync.heads.service import list_uses
from app.tlog.keys import VerifierKey
from app.wiring import wired_runtime

HOME = "CGK"
"""The checkpoint at which the story plays: Soekarno-Hatta."""

_PHONES = {"KPK": "+62 21 5550 0101", IMMIGRATION: "+62 21 5550 0102"}
"""Invented telephone numbers of the agencies, which a counter shows when it stops a traveller."""

_KEYS_HOLD = timedelta(days=30)
_MAX_CHECKPOINTS = 10_000


@dataclass(frozen=True, slots=True)
class Holder:
    """A client of the register, with its roles (separated by commas) and its key."""

    name: str
    role: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers that authenticate the client's requests."""
        return {"Authorization": f"Bearer {self.key}"}


@dataclass(frozen=True, slots=True)
class Cast:
    """All clients of the demonstration: persons and machines of the story by name, counters by checkpoint.

    Attributes:
        founded: the result of the register's initialisation.
        log_keys: the public keys with which the register signs its heads.
    """

    founded: Initialised
    log_keys: list[VerifierKey]
    officer: Holder
    officers_second_account: Holder
    kpk_verifier: Holder
    duty_officer: Holder
    immigration_submitter: Holder
    immigration_verifier: Holder
    immigration_approver: Holder
    autogate: Holder
    auditor: Holder
    admin: Holder
    second_admin: Holder
    counters: dict[str, Holder]

    @property
    def counter(self) -> Holder:
        """The counter at the checkpoint of the story."""
        return self.counters[HOME]

    def everybody(self) -> list[Holder]:
        """Return the clients whose keys are shown at the end."""
        return [
            self.officer,
            self.kpk_verifier,
            self.duty_officer,
            self.officers_second_account,
            self.immigration_submitter,
            self.immigration_verifier,
            self.immigration_approver,
            self.counter,
            self.autogate,
            self.auditor,
            self.admin,
            self.second_admin,
        ]


async def assemble(folder: Path) -> Cast:
    """Initialise the register in a folder, or use the existing one, and create new clients in it. Returns the clients.

    The KPK and Immigration get invented telephone numbers unless they have some.

    Args:
        folder: the folder of `register.db`. The environment's settings of the database are ignored.
    """
    settings = Settings(data_dir=folder, database_url="", env="production", test_clock=None)
    runtime = wired_runtime(settings)
    try:
        founded = await initialise(runtime)
        async with runtime.writing(SYSTEM) as unit:
            ends = unit.now + _KEYS_HOLD
            people = {name: await _create(unit, new_client, ends) for name, new_client in _PARTS.items()}
            for code, phone in _PHONES.items():
                agency = await find_place(unit, Agency, code)
                if agency is not None and agency.phone is None:
                    await keep(unit, replace(agency, phone=phone, version=agency.version + 1))
            codes = [c.code for c in await list_places(unit, Checkpoint, None, _MAX_CHECKPOINTS) if c.active]
            log_keys = [use.key for use in await list_uses(unit)]
            counters = {code: await _create(unit, _counter(code), ends) for code in codes}
    finally:
        await runtime.close()
    return Cast(founded=founded, log_keys=log_keys, counters=counters, **people)


async def _create(unit: Unit, new_client: NewClient, ends: datetime) -> Holder:
    client = await register_client(unit, new_client, confirmed=True)
    _, text = await issue_key(unit, client.id, ends, _KEYS_HOLD.days, confirmed=True)
    return Holder(new_client.name, ", ".join(sorted(new_client.roles)), text)


def _person(
    name: str, role: Role, number: str, agency: str | None = None, office: str | None = None
) -> NewClient:
    return NewClient(name, frozenset({role}), agency=agency, office=office, person=f"DEMO-{number}")


def _machine(name: str, kind: Kind, checkpoint: str) -> NewClient:
    return NewClient(name, frozenset({Role.CHECKPOINT}), kind=kind, checkpoint=checkpoint)


def _counter(code: str) -> NewClient:
    return _machine(f"Counter at {code}", Kind.COUNTER, code)


_PARTS = {
    "officer": _person("KPK officer", Role.SUBMITTER, "101", "KPK"),
    "officers_second_account": _person(
        "KPK officer, second account", Role.DUTY_OFFICER, "101", IMMIGRATION, "KANIM-JAKARTA-SELATAN"
    ),
    "kpk_verifier": _person("KPK verifier", Role.VERIFIER, "102", "KPK"),
    "duty_officer": _person("Immigration duty officer", Role.DUTY_OFFICER, "201", IMMIGRATION, "DITJENIM"),
    "immigration_submitter": _person(
        "Immigration officer in Batam", Role.SUBMITTER, "202", IMMIGRATION, "KANIM-BATAM"
    ),
    "immigration_verifier": _person(
        "Immigration verifier in Batam", Role.VERIFIER, "203", IMMIGRATION, "KANIM-BATAM"
    ),
    "immigration_approver": _person(
        "Immigration approver in Jakarta", Role.APPROVER, "204", IMMIGRATION, "DITJENIM"
    ),
    "autogate": _machine(f"Autogate at {HOME}", Kind.AUTOGATE, HOME),
    "auditor": _person("Auditor", Role.AUDITOR, "301"),
    "admin": _person("Admin", Role.ADMIN, "901"),
    "second_admin": _person("Second admin", Role.ADMIN, "902"),
}
