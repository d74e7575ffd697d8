"""Files with secrets: written once, readable by their owner only."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read (mode 0600); a file that exists already is left unchanged.

    A missing folder is created with mode 0700. The write is atomic, and durable after a power failure. If several
    processes write the same file, the first one's data stay.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(
            FileExistsError
        ):  # another process with the same folder, or an earlier attempt, was first
            os.link(fresh, path)
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_open_to_others(path: Path) -> bool:
    """Return whether users other than the owner have access to a file or folder; False where modes are not used.

    Raises:
        FileNotFoundError: there is no such file or folder.
    """
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
