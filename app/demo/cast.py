"""Who has a key in the demonstration: officers of three offices, and a machine at every checkpoint.

The register is founded and the clients are made as `cekal migrate` and `cekal client create` do it. Each run
makes new clients with keys that hold for a month; a client's key is shown once and kept nowhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.access.domain import IMMIGRATION, SYSTEM, Checkpoint, Kind, Role
from app.access.place_store import list_places
from app.access.service import NewClient, issue_key, register_client
from app.db.unit import Unit
from app.founding import Founded, found
from app.settings import Settings
from app.wiring import wired_runtime

HOME = "CGK"
"""The checkpoint at which the story plays: Soekarno-Hatta."""

_KEYS_HOLD = timedelta(days=30)
_MOST_CHECKPOINTS = 10_000


@dataclass(frozen=True, slots=True)
class Holder:
    """A client of the register, and its key."""

    name: str
    role: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """What its requests carry."""
        return {"Authorization": f"Bearer {self.key}"}


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody with a key; persons and machines of the story by name, counters by checkpoint."""

    founded: Founded
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
        """The counter at which the story plays."""
        return self.counters[HOME]

    def everybody(self) -> list[Holder]:
        """Who is worth a line when keys are shown."""
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
    """Found the register of a folder, or go on with it, and make the clients.

    Args:
        folder: where `register.db` lies, or is to lie; whatever the environment says of other databases.
    """
    settings = Settings(data_dir=folder, database_url="", env="production", test_clock=None)
    runtime = wired_runtime(settings)
    try:
        founded = await found(runtime)
        async with runtime.writing(SYSTEM) as unit:
            ends = unit.now + _KEYS_HOLD
            people = {name: await _hold(unit, wanted, ends) for name, wanted in _PARTS.items()}
            codes = [c.code for c in await list_places(unit, Checkpoint, None, _MOST_CHECKPOINTS) if c.active]
            counters = {code: await _hold(unit, _counter(code), ends) for code in codes}
    finally:
        await runtime.close()
    return Cast(founded=founded, counters=counters, **people)


async def _hold(unit: Unit, wanted: NewClient, ends: datetime) -> Holder:
    client = await register_client(unit, wanted, confirmed=True)
    _, text = await issue_key(unit, client.id, ends, _KEYS_HOLD.days, confirmed=True)
    return Holder(wanted.name, ", ".join(sorted(wanted.roles)), text)


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
