"""The folder of a backup: readable by its owner alone, and recognisable as incomplete until the backup is finished.

While a backup is being made its files are called `….incomplete`. They get their final names once they are checked and
flushed to the disk, and the inventory is written last. So a killed process or a full disk never leaves a folder that
looks like a complete backup.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.maintenance.backups.inventory import FILE, BackupFailed

_INCOMPLETE: Final = ".incomplete"
_SHOWN: Final = 3


def prepare(folder: Path) -> bool:
    """Create the folder of a backup with mode 0700, or accept an empty one. Returns whether the folder was created.

    Raises:
        BackupFailed: the folder is not empty.
        OSError: the folder can't be created or read.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        names = sorted(each.name for each in folder.iterdir())
        if names:
            shown = ", ".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")
            unfinished = any(name.endswith(_INCOMPLETE) for name in names) and FILE not in names
            why = "holds an unfinished backup" if unfinished else "is not empty"
            raise BackupFailed(
                f"{folder} {why} ({shown}): a backup needs an empty folder, or a new one."
            ) from None
        return False
    return True


def begin_file(folder: Path, name: str) -> Path:
    """Create the empty file `<name>.incomplete` of a backup, which only its owner can read. Returns its path.

    `complete` later gives it its final name.

    Raises:
        FileExistsError: a file with the incomplete name exists.
    """
    return make_private(folder / (name + _INCOMPLETE))


def make_private(path: Path) -> Path:
    """Create an empty file that only its owner can read. Returns its path.

    Raises:
        FileExistsError: a file of this name exists.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return path


def complete(folder: Path, names: Iterable[str], inventory: bytes) -> None:
    """Flush the files to the disk, give them their final names, and write the inventory, which completes the backup.

    Args:
        folder: the folder of the backup.
        names: the final names of the files.
        inventory: the bytes of the inventory.

    Raises:
        OSError: a file is missing or can't be written; the backup is then incomplete.
    """
    for name in names:
        _name(folder, name)
    begin_file(folder, FILE).write_bytes(inventory)
    flush(folder)
    _name(folder, FILE)
    flush(folder)
    flush(folder.absolute().parent)


def _name(folder: Path, name: str) -> None:
    path = folder / (name + _INCOMPLETE)
    flush(path)
    path.rename(folder / name)


def flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard(folder: Path, names: Iterable[str], *, made: bool) -> None:
    """Remove a failed backup from its folder.

    Every file whose name begins with one of `names`, or with that of the inventory, is removed: finished and incomplete
    files, and SQLite's journals.

    Args:
        folder: the folder of the backup.
        names: the final names of the files, without the inventory.
        made: whether the folder was created for the backup (the result of `prepare`); then the folder is removed too,
            unless it contains another file.
    """
    for name in (*names, FILE):
        for path in folder.glob(f"{name}*"):
            path.unlink(missing_ok=True)
    if made:
        with suppress(OSError):  # another program has put a file into the folder
            folder.rmdir()
