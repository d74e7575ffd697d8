"""The actor of every act: a client, its person, roles and place; plain Python, so that pure rules may use it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """The client behind a request, as its key identifies it. No member is ever taken from a request's body.

    Attributes:
        client_id: the client's id.
        person: nationwide employee number; None for machines.
        roles: the client's roles, as in the API.
        agency: code of the client's agency; None without one.
        office: code of the client's office within the agency; None without one.
        province: the province of the office; None if not known.
        checkpoint: code of the client's checkpoint; None without one.
        kind: `counter`, `autogate` or `manifest` for a checkpoint's client; None for all others.
        key_id: the id of the key that was used; None for the register itself.
        expires_at: when the key ends; None without a key.
        gateway: whether the key serves many listeners, so that it may open as many streams as a process accepts.
    """

    client_id: str
    person: str | None
    roles: frozenset[str]
    agency: str | None = None
    office: str | None = None
    province: str | None = None
    checkpoint: str | None = None
    kind: str | None = None
    key_id: str | None = None
    expires_at: datetime | None = None
    gateway: bool = False

    def holds(self, *roles: str) -> bool:
        """Return whether the actor has at least one of the roles."""
        return not self.roles.isdisjoint(roles)


def is_another_person(actor: Actor, *persons: str | None) -> bool:
    """Return True if the actor is a person and none of `persons`, as the four-eyes rule demands (R31, R32, R36, R47).

    `persons` are the employee numbers of the persons that acted before; None among them excludes nobody. The result is
    False for a machine.
    """
    return actor.person is not None and actor.person not in persons
