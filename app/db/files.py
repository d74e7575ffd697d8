"""The files of a register, and a check of their access modes."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.db.database import Database

_JOURNALS = ("", "-wal", "-shm")


def database_files(*databases: Database) -> Iterator[Path]:
    """Yield the folder and the files of each SQLite database, journals included; nothing for PostgreSQL.

    A file that does not exist, such as a journal, is yielded too.
    """
    for database in databases:
        if database.is_sqlite:
            path = Path(str(database.url.database)).absolute()
            yield path.parent
            yield from (path.with_name(path.name + journal) for journal in _JOURNALS)


def open_to_others(paths: Iterable[Path]) -> list[str]:
    """Return the files and folders that users other than the owner can access, each as text with its mode (`0644`).

    The list is sorted by path. A missing file is left out, and on systems without modes the list is empty. New files
    get mode 0600 in folders of 0700. Files of an older installation keep their modes, because a group's access may be
    intended, for instance for a backup: they are reported and never changed.
    """
    if os.name != "posix":  # other systems do not use these modes
        return []
    modes = {str(path): stat.S_IMODE(path.stat().st_mode) for path in paths if path.exists()}
    return [f"{path} ({mode:04o})" for path, mode in sorted(modes.items()) if mode & 0o077]
