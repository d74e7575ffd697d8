"""Use cases of signed heads: the register's name, its signing keys and their rotation, the newest head."""

import secrets
from dataclasses import replace

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.db.unit import Reader, Unit
from app.errors import Unavailable
from app.kit.clock import rfc3339
from app.ledger import service as ledger
from app.settings import Settings
from app.sync.heads import store
from app.sync.heads.domain import (
    DEFAULT_NAME,
    OVERLAP,
    Origin,
    PublicKey,
    SignedHead,
    origin_of,
)
from app.sync.heads.keyfiles import folder_of, read_keys, write_key
from app.sync.heads.store import head_of_size, list_heads_after, list_uses, newest_head
from app.sync.witnesses.domain import PushedHead
from app.sync.witnesses.service import cosigned_note
from app.tlog.keys import KeyKind, SigningKey
from app.tlog.notes import Note
from app.tlog.policy import Policy

__all__ = [
    "NameRefused",
    "active_keys",
    "check_name",
    "head_of_size",
    "head_to_push",
    "initialise_signing",
    "list_heads_after",
    "list_uses",
    "newest_head",
    "published_policy",
    "read_origin",
    "require_newest",
    "rotate_keys",
    "with_cosignatures",
]


class NameRefused(RuntimeError):
    """The setting `CEKAL_REGISTER_NAME` differs from the register's stored name; the message explains the remedy."""


async def initialise_signing(unit: Unit, settings: Settings) -> list[PublicKey]:
    """Store what signing heads needs and is missing: the register's name, the present origin, a key of each kind.

    A missing key is taken from the folder of private keys; if several files have its kind, from the last by name. If
    there is none, a new key is generated and written to the folder.

    Returns:
        The public keys that were added; empty if none was missing.

    Raises:
        NameRefused: `CEKAL_REGISTER_NAME` differs from the stored name.
        SigningKeysRefused: a file in the folder of private keys can't be used.
        HeadMissing: the ledger has no head.
    """
    await check_name(unit, settings)
    if await store.find_name(unit) is None:
        await store.add_name(unit, settings.register_name or DEFAULT_NAME)
    head = await ledger.head(unit)
    if head.epoch not in {each.epoch for each in await store.list_origins(unit)}:
        name = str(await store.find_name(unit))
        await store.add_origin(unit, Origin(head.epoch, origin_of(name, head.epoch), unit.now))
    known = {key.kind for key in await store.list_keys(unit)}
    given = {key.kind: key for key in read_keys(folder_of(settings))}
    added = []
    for kind in KeyKind:
        if kind not in known:
            key = given.get(kind) or _made(settings, kind)
            added.append(await _add(unit, key))
    return added


async def read_origin(reader: Reader) -> str:
    """Return the origin of the ledger in its present epoch: the register's name, a slash and the epoch.

    The register's name must be stored already; without it the origin is wrong, and nothing is raised.

    Raises:
        HeadMissing: the ledger has no head.
    """
    return origin_of(str(await store.find_name(reader)), (await ledger.head(reader)).epoch)


async def check_name(reader: Reader, settings: Settings) -> None:
    """Raise NameRefused if the setting `CEKAL_REGISTER_NAME` differs from the register's stored name.

    Nothing is raised if the setting is empty or no name is stored.

    Raises:
        NameRefused: the names differ.
    """
    stored = await store.find_name(reader)
    if None not in {stored, settings.register_name} and stored != settings.register_name:
        raise NameRefused(
            f"The register's name is {stored} and never changes: CEKAL_REGISTER_NAME says {settings.register_name}."
        )


async def rotate_keys(unit: Unit, settings: Settings) -> list[PublicKey]:
    """Make a new signing key of each kind; the former keys go on signing beside the new ones for 30 days (`OVERLAP`).

    The private keys are written to files of this machine. The audit trail records the rotation.

    Returns:
        The new public keys.

    Raises:
        SigningKeysRefused: a file in the folder of private keys can't be used.
    """
    read_keys(folder_of(settings))
    await record(unit, AuditAct.SIGNING_KEYS_ROTATED, None, {"retires_at": rfc3339(unit.now + OVERLAP)})
    await store.retire_keys(unit, unit.now + OVERLAP)
    return [await _add(unit, _made(settings, kind)) for kind in KeyKind]


async def active_keys(reader: Reader) -> list[PublicKey]:
    """Return the public keys that sign heads now, in the order in which they were made."""
    return [key for key in await store.list_keys(reader) if key.is_active(reader.now)]


async def head_to_push(reader: Reader) -> PushedHead | None:
    """Return the newest signed head of the present epoch, as it is sent to witnesses; None if none was signed yet.

    Raises:
        HeadMissing: the ledger has no head.
    """
    head = await newest_head(reader, (await ledger.head(reader)).epoch)
    return None if head is None else PushedHead(head.epoch, head.size, head.signed_at, head.note)


async def with_cosignatures(reader: Reader, head: SignedHead) -> SignedHead:
    """Return a copy of a head, with the stored cosignatures of witnesses appended to its note."""
    note = await cosigned_note(reader, head.epoch, head.size, Note.parse(head.note.encode()))
    return replace(head, note=str(note))


async def published_policy(reader: Reader, policy: Policy) -> Policy:
    """Return the witness policy that readers need to verify heads.

    It has the register's keys of the present origin, and the witnesses and quorum of `policy`, without the witnesses'
    addresses.

    Raises:
        HeadMissing: the ledger has no head.
    """
    epoch = (await ledger.head(reader)).epoch
    own = [use.key for use in await list_uses(reader) if use.origin.endswith(f"/{epoch}")]
    return policy.published(own)


async def require_newest(reader: Reader) -> SignedHead:
    """Return the newest signed head of the ledger's present epoch.

    Raises:
        Unavailable: no head of this epoch was signed yet.
        HeadMissing: the ledger has no head.
    """
    epoch = (await ledger.head(reader)).epoch
    head = await newest_head(reader, epoch)
    if head is None:
        raise Unavailable("No head of this ledger was signed yet.", retry_after=2)
    return head


def _made(settings: Settings, kind: KeyKind) -> SigningKey:
    key = SigningKey.generate(kind)
    write_key(folder_of(settings), key, secrets.token_hex(4))
    return key


async def _add(unit: Unit, key: SigningKey) -> PublicKey:
    added = PublicKey(key.kind, key.public, unit.now, None)
    await store.add_key(unit, added)
    return added
