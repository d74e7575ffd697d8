"""The pepper: the secret key for hashes of document numbers and check requests, stored outside the database.

Passport numbers are so few that all can be tried, so a keyed hash hides one only from persons without the key. A
backup of the database contains only a fingerprint of the key.
"""

import hashlib
import hmac
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import insert, select, update

from app.access import tables
from app.access.domain import SYSTEM
from app.db.unit import Unit
from app.kit.pepper import HEX, pepper_of
from app.kit.private import write_private
from app.runtime import Runtime
from app.settings import Settings

FILE: Final = "key-pepper"
"""Name of the pepper's file in `CEKAL_DATA_DIR`."""

_BYTES: Final = 32


class PepperRefused(RuntimeError):
    """This machine has no pepper, or another one than the register; the message explains the remedy.

    The pepper is the secret key for the register's hashes of document numbers.
    """


class PepperAct(StrEnum):
    """The result of `initialise_pepper`: the pepper was kept, made, moved to the file, or removed from the database."""

    KEPT = "kept"
    MADE = "made"
    MOVED = "moved"
    REMOVED = "removed"  # from the database, because the setting was in use instead


def pepper_path(settings: Settings) -> Path:
    """Return the path of the pepper's file; the file may not exist."""
    return settings.data_dir / FILE


async def take_pepper(runtime: Runtime) -> None:
    """Set `runtime.pepper`, the secret key for hashes, from the setting `key_pepper`, or else from the pepper's file.

    Raises:
        PepperRefused: the pepper is missing, is not the register's, or is still in the database.
    """
    async with runtime.reading(SYSTEM) as reader:
        row = (await reader.run(select(tables.state.c.pepper, tables.state.c.pepper_fingerprint))).one()
    if row.pepper is not None or row.pepper_fingerprint is None:
        raise PepperRefused("The pepper is in the database still: run `cekal migrate` and start again.")
    runtime.pepper = _expected(runtime.settings, bytes(row.pepper_fingerprint))


async def initialise_pepper(unit: Unit, settings: Settings) -> PepperAct:
    """Store the pepper's fingerprint, and make the pepper's file if there is no pepper yet. Returns what was done.

    In a new register it also stores the first access version (the number that every change of access raises).

    If the register has a fingerprint already, the machine's pepper is only compared with it. If the pepper is still in
    the database, as in an earlier release, it is moved to the file. The caller must have initialised the ledger in this
    transaction, because the ledger's lock prevents two machines from doing this at the same time.

    Raises:
        PepperRefused: the pepper is missing or not the register's (as `take_pepper`), or the file holds another
            pepper than the database.
    """
    state = tables.state.c
    row = (await unit.run(select(state.pepper, state.pepper_fingerprint))).first()
    if row is not None and row.pepper_fingerprint is not None:
        _expected(settings, bytes(row.pepper_fingerprint))
        return PepperAct.KEPT
    given = _given(settings)
    if row is None:
        pepper = given or _stored(settings, secrets.token_bytes(_BYTES))
        values = {"version": 1, "pepper_fingerprint": _fingerprint(pepper)}
        await unit.run(insert(tables.state).values(id=1, **values))
        return PepperAct.KEPT if given else PepperAct.MADE
    former = bytes(row.pepper)
    if settings.key_pepper is None:
        if _stored(settings, former) != former:
            where = pepper_path(settings)
            raise PepperRefused(f"{where} holds another pepper than the database: put it elsewhere.")
        given = former
    if unit.is_sqlite:  # otherwise its bytes would remain in the file and in backups
        await unit.connection.exec_driver_sql("PRAGMA secure_delete=ON")
    values = {"pepper": None, "pepper_fingerprint": _fingerprint(given or former)}
    await unit.run(update(tables.state).values(**values))
    return PepperAct.MOVED if given == former else PepperAct.REMOVED


def _expected(settings: Settings, fingerprint: bytes) -> bytes:
    pepper = _given(settings)
    where = pepper_path(settings)
    if pepper is None:
        raise PepperRefused(
            f"The register's pepper is not on this machine: copy {FILE} from the machine that founded the register "
            f"to {where}, or set CEKAL_KEY_PEPPER to what that file holds."
        )
    if not hmac.compare_digest(_fingerprint(pepper), fingerprint):
        origin = "CEKAL_KEY_PEPPER" if settings.key_pepper else where
        raise PepperRefused(
            f"The pepper of {origin} is not this register's: with another one its keyed hashes would contradict each "
            "other. Use the one of the machine that founded it."
        )
    return pepper


def _given(settings: Settings) -> bytes | None:
    """Return the pepper of the setting, or else of the file, or None without either.

    Raises:
        PepperRefused: the file does not contain a pepper.
    """
    if settings.key_pepper:
        return pepper_of(settings.key_pepper.get_secret_value())
    path = pepper_path(settings)
    try:
        text = path.read_text(encoding="ascii").strip()
        if text.startswith(HEX):
            return pepper_of(text)
    except FileNotFoundError:
        return None
    except ValueError:
        pass  # not ASCII text, or not a number
    raise PepperRefused(
        f"{path} holds no pepper: it is {HEX} and hexadecimal digits, as `cekal migrate` made it."
    )


def _fingerprint(pepper: bytes) -> bytes:
    """Return the pepper's fingerprint for the database: it identifies the pepper but cannot replace it."""
    return hmac.digest(pepper, b"cekal pepper fingerprint 1", hashlib.sha256)


def _stored(settings: Settings, pepper: bytes) -> bytes:
    """Write the pepper to its file, unless the file exists. Returns the file's pepper."""
    write_private(pepper_path(settings), f"{HEX}{pepper.hex()}\n".encode())
    return _given(settings) or pepper
