"""Roles, places, clients and keys, and the rules about them (no I/O)."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal, TypeVar

from app.access.employee_numbers import normal_person
from app.actor import Actor
from app.errors import Fault

IMMIGRATION = "IMIGRASI"
"""Code of the directorate general that executes every measure (UU 6/2011 art. 91, 93)."""

KEYS_PER_CLIENT = 2
"""Greatest number of a client's keys that are neither revoked nor expired."""

Instrument = Literal["decision", "order", "request", "supervision_report", "administrative_action"]
"""The legal forms of a measure (UU 6/2011 art. 91(2))."""


class Role(StrEnum):
    """The permissions of a client (API section 2)."""

    SUBMITTER = "submitter"
    VERIFIER = "verifier"
    APPROVER = "approver"
    DUTY_OFFICER = "duty_officer"
    SUPERVISOR = "supervisor"
    TIMPORA = "timpora"
    AUDITOR = "auditor"
    ADMIN = "admin"
    CHECKPOINT = "checkpoint"
    INTEGRATOR = "integrator"
    CARRIER = "carrier"


MACHINE_ROLES = frozenset({Role.CHECKPOINT, Role.INTEGRATOR, Role.CARRIER})
PERSON_ROLES = frozenset(Role) - MACHINE_ROLES
CONFIRMED_ROLES = frozenset(
    {
        Role.SUBMITTER,
        Role.VERIFIER,
        Role.APPROVER,
        Role.DUTY_OFFICER,
        Role.AUDITOR,
        Role.ADMIN,
    }
)
"""Roles that submit, decide or read everything: an account with one works only once a second admin confirms it."""
_AGENCY_ROLES = frozenset({Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.TIMPORA})
_CHECKPOINT_ROLES = frozenset({Role.CHECKPOINT, Role.SUPERVISOR})


class Kind(StrEnum):
    """The kind of a checkpoint's client; it determines which data its answers show."""

    COUNTER = "counter"
    AUTOGATE = "autogate"
    MANIFEST = "manifest"


class Standing(StrEnum):
    """Whether a client or key works, waits for a second admin, is suspended, or is revoked."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"  # an admin, or an admin's key, until a second admin confirms the revocation
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Agency:
    """A body that may order or request a measure (UU 6/2011 art. 91(2)).

    Attributes:
        parent: code of the body to which it belongs; None without one.
        name_id, name_en: its names in Indonesian and English.
        basis: the articles of law that empower it.
        legal_forms: the instruments that it may use, as in `basis.instrument` of an entry.
        article_required: whether each entry must name the article that empowers the agency (art. 91(2)f).
        phone: the number that counters call; None if the register has none.
        active: whether the agency may file entries.
    """

    code: str
    parent: str | None
    name_id: str
    name_en: str
    basis: str
    legal_forms: tuple[str, ...]
    article_required: bool
    phone: str | None
    active: bool
    version: int = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place where people are examined (TPI).

    Attributes:
        mode: `air`, `land`, `sea` or `sea-special` (a company's own terminal).
        zone: name of its time zone in the IANA database.
        active: whether alerts are sent to it.
    """

    code: str
    name: str
    mode: str
    city: str | None
    province: str | None
    zone: str
    active: bool
    version: int = 1


@dataclass(frozen=True, slots=True)
class Office:
    """An office of an agency, for example an immigration office (Kanim).

    Attributes:
        province: its province; None for an office added at the command line until an admin enters one.
        active: whether new accounts may belong to it; existing ones work on.
    """

    code: str
    agency: str
    name: str
    city: str | None
    province: str | None
    active: bool
    version: int = 1


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """A person with an account, as that account describes them.

    Attributes:
        number: employee number in normal form (see `employee_numbers`).
        folded_name: the account's name in the form in which all its spellings are equal (see `store.folded_name`).
        on_duty: whether the account works and has the role of duty officer.
    """

    number: str
    folded_name: str
    on_duty: bool = False


P = TypeVar("P", Agency, Checkpoint, Office)
"""A kind of place: it has a code, and versions that admins create."""


@dataclass(frozen=True, slots=True)
class Client:
    """An account of a person or of a machine.

    Attributes:
        name: of a person's account the holder's full name: entries about somebody of this name are hidden from the
            holder (R61).
        kind: kind of a checkpoint's client; None for others.
        agency, office, checkpoint: the code of each; None without one.
        person: nationwide employee number of its holder; None for a machine.
        networks: networks from which it may call, in CIDR notation; empty for any.
        standing: whether it works, waits for a second admin, is suspended, or is revoked.
        created_by: id of the client that created it; `system` for the command line.
        confirmed_by: id of the second admin's client; None if none has confirmed it.
        province: province of its office; None without one.
    """

    id: str
    name: str
    roles: frozenset[Role]
    kind: Kind | None
    agency: str | None
    office: str | None
    checkpoint: str | None
    person: str | None
    networks: tuple[str, ...]
    standing: Standing
    created_at: datetime
    created_by: str | None
    confirmed_by: str | None
    province: str | None = None  # of its office


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a client; only a hash of its secret is kept.

    Attributes:
        created_by: id of the client of the admin that issued the key; `system` for the command line.
        gateway: whether the key serves many listeners, so that it may open as many streams as a process accepts.
    """

    id: str
    client_id: str
    secret_hash: bytes
    standing: Standing
    created_at: datetime
    created_by: str | None
    expires_at: datetime
    revoked_at: datetime | None
    gateway: bool = False  # one key for many listeners

    def live(self, now: datetime) -> bool:
        """Return whether the key counts towards the greatest number of a client's keys: neither revoked nor expired."""
        return self.standing is not Standing.REVOKED and now < self.expires_at


def client_faults(  # noqa: C901, PLR0912 - a flat list of rules, one an if
    roles: frozenset[Role],
    *,
    kind: Kind | None,
    agency: str | None,
    office: str | None,
    checkpoint: str | None,
    person: str | None,
    networks: Iterable[str],
) -> list[Fault]:
    """Return the faults of a new client's properties (API section 2); empty if there is none.

    Args:
        roles: its roles.
        kind: the kind of a checkpoint's client; None for other clients.
        agency: code of its agency; None without one.
        office: code of its office; None without one.
        checkpoint: code of its checkpoint; None without one.
        person: employee number of its holder; None for a machine.
        networks: networks from which it may call, in CIDR notation.
    """
    faults = []

    def fault(pointer: str, code: str, detail: str) -> None:
        faults.append(Fault(pointer, code, detail))

    machine = roles & MACHINE_ROLES
    if not roles:
        fault("/roles", "required", "A client has at least one role.")
    if machine and roles - machine:
        fault("/roles", "mixed", "Roles of persons and of machines can't be combined.")
    if Role.ADMIN in roles and len(roles) > 1:
        fault("/roles", "admin_alone", "admin combines with no other role.")
    if Role.CARRIER in machine and len(machine) > 1:
        fault(
            "/roles",
            "carrier_alone",
            "carrier combines with no other role, because it is shown the least (R48).",
        )
    if roles & PERSON_ROLES and not person:
        fault("/person", "required", "A person's role needs the person's nationwide employee number.")
    if machine and person:
        fault("/person", "forbidden", "A machine has no employee number.")
    if roles & _AGENCY_ROLES and not agency:
        fault("/agency", "required", "This role belongs to an agency.")
    if Role.INTEGRATOR in roles and not agency:
        fault(
            "/agency", "required", "An integrator reads the entries of one agency: no agency never means all."
        )
    if roles & {Role.APPROVER, Role.DUTY_OFFICER} and agency not in {None, IMMIGRATION}:
        fault("/agency", "immigration_only", f"approver and duty_officer belong to {IMMIGRATION}.")
    if Role.TIMPORA in roles and not office:
        fault("/office", "required", "A supervision team's member sees the province of an office.")
    if roles & _CHECKPOINT_ROLES and not checkpoint:
        fault("/checkpoint", "required", "This role belongs to a checkpoint.")
    if checkpoint and not roles & _CHECKPOINT_ROLES:
        fault("/checkpoint", "forbidden", "Only checkpoint and supervisor clients belong to a checkpoint.")
    if Role.CHECKPOINT in roles and kind is None:
        fault("/kind", "required", "A checkpoint's client is a counter, an autogate or reads manifests.")
    if Role.CHECKPOINT not in roles and kind is not None:
        fault("/kind", "forbidden", "Only a checkpoint's client has a kind.")
    for i, network in enumerate(networks):
        try:
            ip_network(network)
        except ValueError:
            fault(f"/networks/{i}", "cidr", "This is no network in CIDR notation.")
    return faults


def needs_second(roles: frozenset[Role], agency: str | None) -> bool:
    """Return whether an account works only after a second admin confirms it (API section 2).

    These are accounts with one of `CONFIRMED_ROLES`, and an integrator of Immigration, which reads the entries of every
    agency. `agency` is the account's agency code; None without one.
    """
    return bool(roles & CONFIRMED_ROLES) or (Role.INTEGRATOR in roles and agency == IMMIGRATION)


def new_secret(key_id: str) -> tuple[str, bytes]:
    """Make the secret of the new key with this id. Returns the key's text, which is shown once, and the hash to store.

    The secret has 256 random bits, so a plain SHA-256 is sufficient: guessing it is infeasible.
    """
    secret = secrets.token_urlsafe(32)
    return f"cekal_{key_id.removeprefix('key_')}_{secret}", hashlib.sha256(secret.encode()).digest()


def split_key(text: str) -> tuple[str, bytes] | None:
    """Return the id in a key's text and the hash of its secret; None if the text does not have the form of a key."""
    head, _, rest = text.partition("_")
    body, _, secret = rest.partition("_")
    if head != "cekal" or not body or not secret or not text.isascii() or len(text) > 200:  # noqa: PLR2004 - ours have 76
        return None
    return f"key_{body}", hashlib.sha256(secret.encode()).digest()


def same_secret(kept: bytes, shown: bytes) -> bool:
    """Return whether two hashes are equal, compared in constant time."""
    return hmac.compare_digest(kept, shown)


def within(networks: Iterable[str], address: str | None) -> bool:
    """Return whether an IP address is in one of the networks; without networks always True.

    With networks the result is False for None and for a text that is no IP address.
    """
    networks = tuple(networks)
    if not networks:
        return True
    parsed = parse_address(address)
    return parsed is not None and any(parsed in ip_network(network) for network in networks)


def parse_address(text: str | None) -> IPv4Address | IPv6Address | None:
    """Parse an IP address, unwrapping an IPv4 address mapped into IPv6. Returns None for other text."""
    try:
        parsed = ip_address(text or "")
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def person_of(client: Client) -> str | None:
    """Return the employee number of a client's holder in normal form (`employee_numbers`; R31); None for a machine."""
    return None if client.person is None else normal_person(client.person)


@cache
def _names_of(roles: frozenset[Role]) -> frozenset[str]:
    """Return the names of roles, the same object for all clients with these roles."""
    return frozenset(role.value for role in roles)


def actor_of(client: Client, key: Key) -> Actor:
    """Return the actor of requests with this key."""
    return Actor(
        client_id=client.id,
        person=person_of(client),
        roles=_names_of(client.roles),
        agency=client.agency,
        office=client.office,
        province=client.province,
        checkpoint=client.checkpoint,
        kind=client.kind.value if client.kind else None,
        key_id=key.id,
        expires_at=key.expires_at,
        gateway=key.gateway,
    )


SYSTEM = Actor(client_id="system", person=None, roles=frozenset())
"""The actor of the register's own acts: timers, migrations and the command line."""
