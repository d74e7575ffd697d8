"""The pepper: the key of the keyed hashes of document numbers and of questions, which is kept outside the database.

Passport numbers are few enough to be tried one after the other, so that a keyed hash hides one only from those who
don't have its key. A backup of the database holds a fingerprint of the key alone.
"""

import hashlib
import hmac
import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import insert, select, update

from app.access import tables
from app.access.domain import SYSTEM
from app.db.unit import Unit
from app.runtime import Runtime
from app.settings import HEX, Settings, pepper_of

FILE: Final = "key-pepper"
"""Name of the pepper's file in `CEKAL_DATA_DIR`."""

_BYTES: Final = 32


class PepperRefused(RuntimeError):
    """This machine has no pepper, or another one than the register; the message says what to do."""


class PepperAct(StrEnum):
    """What founding has done about the pepper."""

    KEPT = "kept"
    MADE = "made"
    MOVED = "moved"
    REMOVED = "removed"  # from the database, where the setting was used instead of it


def pepper_path(settings: Settings) -> Path:
    """Where the pepper's file is, or would be."""
    return settings.data_dir / FILE


async def take_pepper(runtime: Runtime) -> None:
    """Give a process the pepper: that of the setting, or that of the file.

    Raises:
        PepperRefused: there is none, it is not the register's, or the register's is in the database still.
    """
    async with runtime.reading(SYSTEM) as reader:
        row = (await reader.run(select(tables.state.c.pepper, tables.state.c.pepper_fingerprint))).one()
    if row.pepper is not None or row.pepper_fingerprint is None:
        raise PepperRefused("The pepper is in the database still: run `cekal migrate` and start again.")
    runtime.pepper = _expected(runtime.settings, bytes(row.pepper_fingerprint))


async def found_pepper(unit: Unit, settings: Settings) -> PepperAct:
    """Lay the foundation of access, once: the access version, and the fingerprint of a pepper that stands outside.

    A register of before has its pepper in the database; it is moved to the file first. The ledger's foundation comes
    earlier and lets one machine at a time do this.

    Raises:
        PepperRefused: as `take_pepper`; or the file holds another pepper than the database.
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
    if unit.is_sqlite:  # or its bytes would stay behind in the file, and in backups of it
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
    """The pepper of the setting, otherwise of the file; None without either.

    Raises:
        PepperRefused: the file holds something else.
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
        pass  # no text, or no number
    raise PepperRefused(
        f"{path} holds no pepper: it is {HEX} and hexadecimal digits, as `cekal migrate` made it."
    )


def _fingerprint(pepper: bytes) -> bytes:
    """What the database keeps of the pepper: enough to compare, nothing to hash with."""
    return hmac.digest(pepper, b"cekal pepper fingerprint 1", hashlib.sha256)


def _stored(settings: Settings, pepper: bytes) -> bytes:
    """Write the pepper to its file, for nobody but its owner, unless there is one; gives what is there then.

    It is there completely or not at all, and stays after a power cut.
    """
    path = pepper_path(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{HEX}{pepper.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    except FileExistsError:
        pass  # another machine that shares the folder, or an earlier try, was first
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return _given(settings) or pepper
