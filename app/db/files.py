"""The files of a register, and who else on the machine may read them."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.db.database import Database

_JOURNALS = ("", "-wal", "-shm")


def database_files(*databases: Database) -> Iterator[Path]:
    """The folder and files of databases in SQLite, those of their journals too; nothing for PostgreSQL."""
    for database in databases:
        if database.is_sqlite:
            path = Path(str(database.url.database)).absolute()
            yield path.parent
            yield from (path.with_name(path.name + journal) for journal in _JOURNALS)


def open_to_others(paths: Iterable[Path]) -> list[str]:
    """Those of some files and folders that others than their owner may use, each with its mode, such as `0644`.

    Files are made 0600 in folders of 0700. Those of an older installation keep their modes: that a group reads them may
    be meant, for instance for a backup, so they are named and never changed.
    """
    if os.name != "posix":  # elsewhere modes say nothing
        return []
    modes = {str(path): stat.S_IMODE(path.stat().st_mode) for path in paths if path.exists()}
    return [f"{path} ({mode:04o})" for path, mode in sorted(modes.items()) if mode & 0o077]
