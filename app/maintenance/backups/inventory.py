"""The inventory of a backup: a file that is written last, so that a folder without it is not a backup."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

FILE: Final = "inventory.json"
FORMAT: Final = 1

NOT_COUNTED: Final = frozenset({"alembic_version", "ledger_head"})
"""Tables whose rows are not compared: `alembic_version` is in both of SQLite's files, `ledger_head` in no backup."""

_LARGEST: Final = 1 << 20
_CHUNK: Final = 1 << 20


class BackupFailed(Exception):
    """A backup can't be made or can't be used; the message gives the reason."""


class InventoryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size and hash of one file of a backup.

    Attributes:
        size: the file's size in bytes.
        sha256: the SHA-256 hash of the file's bytes, in hexadecimal digits.
    """

    size: int
    sha256: str


class LedgerEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of the ledger at the moment of the backup.

    Attributes:
        epoch: the epoch of the register that was backed up.
        size: the number of records.
        root: the Merkle root of the records' leaves (RFC 9162 section 2.1.1), in hexadecimal digits.
    """

    epoch: str
    size: int
    root: str


class Inventory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The description of a backup, stored in the backup's folder as `inventory.json`.

    Attributes:
        format: the version of the format of this inventory and of the backup's files.
        program: the release of Cekal that made the backup.
        engine: `sqlite` or `postgresql`.
        schema: the revision of the database's schema.
        moment: the moment of the backup, which contains everything that was acknowledged before this moment.
        ledger: the end of the ledger at that moment.
        rows: the number of rows by table, without the tables in `NOT_COUNTED`.
        photos: the number of photos of persons.
        pepper: where the register kept its pepper, the key of the keyed hashes, which no backup contains: a file's path
            or the name of a setting.
        settings: the settings of the deployment, without secrets.
        files: the other files of the backup, by name.
    """

    format: int = FORMAT
    program: str
    engine: str
    schema: str
    moment: datetime
    ledger: LedgerEnd
    rows: dict[str, int]
    photos: int
    pepper: str
    settings: dict[str, Any]
    files: dict[str, InventoryFile]

    def encoded(self) -> bytes:
        """Return the inventory as indented JSON, as it is written to its file."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=2) + b"\n"


class CountedFigures(msgspec.Struct, frozen=True):
    """The figures counted in a register or in a copy of one, for comparison with an inventory.

    Attributes:
        rows: the number of rows by table, without the tables in `NOT_COUNTED`.
        photos: the number of photos of persons.
        size: the number of records in the ledger.
        root: the Merkle root computed from the records' leaves, in hexadecimal digits.
    """

    rows: dict[str, int]
    photos: int
    size: int
    root: str


def read_inventory(folder: Path) -> Inventory:
    """Read the inventory of a backup from its folder.

    Raises:
        BackupFailed: the inventory is missing or can't be read.
        OSError: the folder can't be read.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
        found = msgspec.json.decode(text, type=Inventory)
    except FileNotFoundError:
        raise BackupFailed(f"{folder} holds no finished backup: there is no {FILE} in it.") from None
    except msgspec.MsgspecError as error:
        raise BackupFailed(f"{path} can't be read: {error}.") from None
    if found.format != FORMAT:
        raise BackupFailed(f"{path} is of format {found.format}; this program reads {FORMAT}.")
    return found


def compare(inventory: Inventory, found: CountedFigures) -> None:
    """Raise BackupFailed unless the counted figures equal those of the inventory.

    Raises:
        BackupFailed: the rows of a table, the ledger's size or its root differ. The number of photos is not compared.
    """
    differing = sorted(
        name
        for name in inventory.rows.keys() | found.rows.keys()
        if inventory.rows.get(name) != found.rows.get(name)
    )
    if differing:
        name = differing[0]
        raise BackupFailed(
            f"{name} has {found.rows.get(name, 'no')} rows, and {inventory.rows.get(name, 'no')} by the inventory."
        )
    if (found.size, found.root) != (inventory.ledger.size, inventory.ledger.root):
        raise BackupFailed(
            f"The ledger's {found.size} records have the root {found.root}; the inventory has "
            f"{inventory.ledger.root} of {inventory.ledger.size}."
        )


def checks_among(rows: Mapping[str, int]) -> int:
    """Return the number of checks, given the rows by table: checks are in one table, or in one for each month."""
    return sum(count for name, count in rows.items() if name.startswith("check_record"))


def describe_file(path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> InventoryFile:
    """Return the size and hash of a file. `progress` is called with the number of bytes of each part that was read."""
    hashed, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            hashed.update(part)
            size += len(part)
            progress(len(part))
    return InventoryFile(size, hashed.hexdigest())


def require_same(folder: Path, inventory: Inventory, progress: Callable[[int, int], None]) -> None:
    """Raise BackupFailed unless the files of a backup have the sizes and hashes in its inventory.

    `progress` is called with the number of bytes read so far and the total.

    Raises:
        BackupFailed: a file is missing or differs, or the inventory names a file outside the folder.
        OSError: a file can't be read.
    """
    total, done = sum(each.size for each in inventory.files.values()), 0

    def read(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    for name, expected in inventory.files.items():
        if name != Path(name).name:
            raise BackupFailed(f"The inventory of {folder} names no file: {name!r}.")
        try:
            found = describe_file(folder / name, read)
        except FileNotFoundError:
            raise BackupFailed(f"{folder / name} is missing.") from None
        if found != expected:
            raise BackupFailed(
                f"{folder / name} is not the file that was backed up: it was changed or damaged."
            )
