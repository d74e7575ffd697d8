"""Officers and machines with keys that work at once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count

from sqlalchemy import update

from app.access import tables
from app.access.clients.service import NewClient, issue_key, register_client
from app.access.domain import IMMIGRATION, MACHINE_ROLES, SYSTEM, Kind, Role
from app.access.store import bump
from app.runtime import Runtime

_ABOUT_A_YEAR = 365
_OFFICES = dict.fromkeys((Role.SUBMITTER, Role.VERIFIER, Role.TIMPORA), "KANIM-BATAM")


@dataclass(frozen=True, slots=True)
class Caller:
    """A client of the register, and its key."""

    id: str
    key: str
    key_id: str
    person: str | None
    agency: str | None
    checkpoint: str | None

    @property
    def headers(self) -> dict[str, str]:
        """What its requests carry."""
        return {"Authorization": f"Bearer {self.key}"}

    def on(self, etag: str) -> dict[str, str]:
        """What a request carries that acts on the version with this ETag."""
        return {**self.headers, "If-Match": etag}

    def once(self, idempotency_key: str) -> dict[str, str]:
        """What a POST carries that may be repeated."""
        return {**self.headers, "Idempotency-Key": idempotency_key}


class Actors:
    """Makes callers as `cekal client create` would: whoever has the machine has the register."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._numbers = count(1)

    async def client(  # noqa: PLR0913 - one parameter a property of clients
        self,
        roles: str | Iterable[str],
        *,
        agency: str | None = None,
        office: str | None = None,
        checkpoint: str | None = None,
        kind: str | None = None,
        person: str | None = None,
        networks: Iterable[str] = (),
        name: str | None = None,
        gateway: bool = False,
    ) -> Caller:
        """A caller with these roles, such as `await actors.client("submitter")`.

        What is not given is chosen so that the caller can work: every person is a new one, submitters and
        verifiers belong to KPK, approvers and duty officers to Immigration (another office than its
        submitters), integrators to KPK, supervision teams to its office in Batam, checkpoints and supervisors to
        CGK, and a checkpoint is a counter. Many may listen behind the key of a `gateway`.
        """
        held = frozenset(Role(role) for role in ([roles] if isinstance(roles, str) else roles))
        agency = agency or _agency(held)
        checkpoint = checkpoint or ("CGK" if held & {Role.CHECKPOINT, Role.SUPERVISOR} else None)
        if person is None and not held & MACHINE_ROLES:
            person = f"1985031520100{next(self._numbers):05d}"
        if agency == IMMIGRATION and office is None:
            office = next((_OFFICES[role] for role in sorted(held) if role in _OFFICES), "KANIM-MEDAN")
        if Role.CHECKPOINT in held and kind is None:
            kind = Kind.COUNTER
        wanted = NewClient(
            name=name or " and ".join(sorted(held)),
            roles=held,
            kind=Kind(kind) if kind else None,
            agency=agency,
            office=office,
            checkpoint=checkpoint,
            person=person,
            networks=tuple(networks),
        )
        async with self._runtime.writing(SYSTEM) as unit:
            client = await register_client(unit, wanted, confirmed=True)
            key, text = await issue_key(unit, client.id, None, _ABOUT_A_YEAR, confirmed=True, gateway=gateway)
        return Caller(client.id, text, key.id, person, agency, checkpoint)

    async def integrator_of_nobody(self) -> Caller:
        """An integrator without an agency, as registers of before may still have one; no new one can be made."""
        caller = await self.client("integrator")
        async with self._runtime.writing(SYSTEM) as unit:
            await unit.run(update(tables.client).where(tables.client.c.id == caller.id).values(agency=None))
            await bump(unit)
        return replace(caller, agency=None)


def _agency(roles: frozenset[Role]) -> str | None:
    if roles & {Role.APPROVER, Role.DUTY_OFFICER, Role.TIMPORA}:
        return IMMIGRATION
    return "KPK" if roles & {Role.SUBMITTER, Role.VERIFIER, Role.INTEGRATOR} else None
