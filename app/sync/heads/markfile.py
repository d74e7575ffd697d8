"""The file of the mark: replaced as a whole, by one process at a time, and only if nobody has changed it meanwhile."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from app.settings import Settings
from app.tlog.notes import LONGEST_NOTE

FILE: Final = "register.mark"
"""Name of the mark's file in `CEKAL_DATA_DIR`."""


class Stamp(NamedTuple):
    """The properties of a file that show whether it was changed.

    Attributes:
        inode: number of the file in its file system.
        modified_ns: time of the last change, in nanoseconds since 1970.
        size: its length in bytes.
    """

    inode: int
    modified_ns: int
    size: int


def mark_path(settings: Settings) -> Path:
    """Return the path of the file that contains the mark (the highest signed head); the file may be missing."""
    return settings.mark_file or settings.data_dir / FILE


def stamp_of(path: Path) -> Stamp | None:
    """Return the stamp of a file; None if the file is missing.

    Raises:
        OSError: the file system can't be read.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Stamp(found.st_ino, found.st_mtime_ns, found.st_size)


def read_mark(path: Path) -> bytes | None:
    """Return the bytes of the mark's file; None if the file is missing.

    Of a file that is longer than any signed head, only the beginning is returned.

    Raises:
        OSError: the file can't be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_NOTE + 1)
    except FileNotFoundError:
        return None


def replace_mark(path: Path, former: bytes | None, note: bytes) -> Stamp | None:
    """Replace the mark's file atomically and durably, with mode 0600, unless another process has changed it.

    Args:
        path: the file; its folder must exist.
        former: the bytes that the file must still have; None if it must be missing.
        note: the new content, a signed checkpoint.

    Returns:
        The new file's stamp; None if the file does not have the bytes `former`, and so was not replaced.

    Raises:
        OSError: the file can't be read or written.
    """
    with _alone_in(path.parent) as folder:
        if read_mark(path) != former:
            return None
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        os.fsync(folder)
        return stamp_of(path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[int]:
    """Hold a lock on a folder against other processes of this program. Gives its descriptor."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)  # gives the lock back
