"""SQL statements on signed heads, origins and signing keys."""

import hashlib
from datetime import datetime

from sqlalchemy import Row, and_, bindparam, desc, insert, or_, select, update

from app.db.unit import Reader, Unit
from app.sync.heads.domain import KeyUse, Origin, PublicKey, SignedHead, uses
from app.sync.heads.tables import log_name, log_origin, signed_head, signing_key
from app.tlog.keys import KeyKind

_PAGE = 100

_HEADS = select(
    signed_head.c.epoch, signed_head.c.size, signed_head.c.root, signed_head.c.signed_at, signed_head.c.note
)
_NEWEST = _HEADS.where(signed_head.c.epoch == bindparam("epoch")).order_by(desc(signed_head.c.size)).limit(1)
_COVERING = (
    _HEADS.where(signed_head.c.epoch == bindparam("epoch"), signed_head.c.size >= bindparam("sequence"))
    .order_by(signed_head.c.size)
    .limit(1)
)
_OF_SIZE = _HEADS.where(signed_head.c.epoch == bindparam("epoch"), signed_head.c.size == bindparam("size"))


async def find_name(reader: Reader) -> str | None:
    """Return the register's name; None before it was stored."""
    return (await reader.run(select(log_name.c.name))).scalar_one_or_none()


async def add_name(unit: Unit, name: str) -> None:
    """Store the register's name."""
    await unit.run(insert(log_name).values(id=1, name=name))


async def list_origins(reader: Reader) -> list[Origin]:
    """Return all origins (names of the log in its heads), earliest `used_from` first."""
    rows = await reader.run(
        select(log_origin.c.epoch, log_origin.c.name, log_origin.c.used_from).order_by(log_origin.c.used_from)
    )
    return [Origin(*row) for row in rows]


async def add_origin(unit: Unit, origin: Origin) -> None:
    """Store an origin under which heads are signed."""
    await unit.run(
        insert(log_origin).values(epoch=origin.epoch, name=origin.name, used_from=origin.used_from)
    )


async def list_keys(reader: Reader) -> list[PublicKey]:
    """Return all public keys of the register, in the order in which they were made."""
    columns = (signing_key.c.kind, signing_key.c.public, signing_key.c.made_at, signing_key.c.retires_at)
    rows = await reader.run(select(*columns).order_by(signing_key.c.made_at, signing_key.c.kind))
    return [PublicKey(KeyKind(kind), bytes(public), made, retires) for kind, public, made, retires in rows]


async def add_key(unit: Unit, key: PublicKey) -> None:
    """Store a public key of the register as one that has no end; `key.retires_at` is ignored."""
    values = {"kind": int(key.kind), "public": key.public, "made_at": key.made_at, "retires_at": None}
    await unit.run(insert(signing_key).values(fingerprint=fingerprint(key.kind, key.public), **values))


async def retire_keys(unit: Unit, at: datetime) -> None:
    """Store that all keys without a `retires_at` stop signing at the instant `at`."""
    await unit.run(update(signing_key).where(signing_key.c.retires_at.is_(None)).values(retires_at=at))


async def newest_head(reader: Reader, epoch: str) -> SignedHead | None:
    """Return the newest signed head of an epoch; None before the first."""
    return _head((await reader.run(_NEWEST, {"epoch": epoch})).first())


async def head_of_size(reader: Reader, epoch: str, size: int) -> SignedHead | None:
    """Return the signed head of an epoch with exactly `size` records; None if none was signed."""
    return _head((await reader.run(_OF_SIZE, {"epoch": epoch, "size": size})).first())


async def first_head_covering(reader: Reader, epoch: str, sequence: int) -> SignedHead | None:
    """Return the smallest signed head of an epoch with at least `sequence` records; None if there is none yet."""
    return _head((await reader.run(_COVERING, {"epoch": epoch, "sequence": sequence})).first())


async def list_uses(reader: Reader) -> list[KeyUse]:
    """Return each pair of a public key and an origin under which it signed heads, latest `used_from` first."""
    return uses(await list_keys(reader), await list_origins(reader))


async def list_heads_after(reader: Reader, epoch: str, size: int) -> list[SignedHead]:
    """Return the next 100 signed heads after an epoch and a size; empty at the end.

    Heads of all epochs are returned, in the order of epoch and size. A head with the given epoch and size need not
    exist.
    """
    beyond = or_(signed_head.c.epoch > epoch, and_(signed_head.c.epoch == epoch, signed_head.c.size > size))
    rows = await reader.run(
        _HEADS.where(beyond).order_by(signed_head.c.epoch, signed_head.c.size).limit(_PAGE)
    )
    return [head for row in rows if (head := _head(row)) is not None]


async def save_head(unit: Unit, head: SignedHead) -> None:
    """Store a signed head; it replaces a stored head of the same epoch and size."""
    at = (signed_head.c.epoch == head.epoch, signed_head.c.size == head.size)
    values = {"root": head.root, "signed_at": head.signed_at, "note": head.note}
    if (await unit.run(select(signed_head.c.size).where(*at))).first() is None:
        await unit.run(insert(signed_head).values(epoch=head.epoch, size=head.size, **values))
    else:
        await unit.run(update(signed_head).where(*at).values(**values))


def fingerprint(kind: KeyKind, public: bytes) -> str:
    """Return the fingerprint that identifies a stored key: SHA-256 of its kind and public bytes, in hexadecimal."""
    return hashlib.sha256(bytes([kind]) + public).hexdigest()


def _head(row: Row[*tuple[str, int, bytes, datetime, str]] | None) -> SignedHead | None:
    if row is None:
        return None
    epoch, size, root, signed_at, note = row
    return SignedHead(epoch, size, bytes(root), signed_at, note)
