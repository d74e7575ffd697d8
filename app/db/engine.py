"""Opening the databases of a deployment: of the register, and of the checks."""

import errno
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from app.db.addresses import driver_url
from app.db.database import Database
from app.db.lines import Limits
from app.db.postgresql import PostgreSQL
from app.db.sqlite import SQLite
from app.settings import Settings


def open_databases(settings: Settings) -> tuple[Database, Database]:
    """Return the register's database and the database of the checks; each connects when it is first used.

    On PostgreSQL both are the same database. On SQLite the checks, which grow without end and are written continually,
    have a separate file next to the register's (`register.db` and `register-checks.db`). A missing folder is created.

    Raises:
        ValueError: the address in the settings is malformed, or names no file or another kind of database.
    """
    url = driver_url(settings.url)
    if url.get_backend_name() != "sqlite":
        both = PostgreSQL(url, settings.pool_size, Limits(settings.database_seconds))
        return both, both
    path, beside = sqlite_files(url)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SQLite(url), SQLite(url.set(database=str(beside)))


def sqlite_files(url: URL) -> tuple[Path, Path]:
    """Return the paths of a SQLite register's two files: the register and the checks."""
    path = Path(str(url.database))
    return path, path.with_name(f"{path.stem}-checks{path.suffix}")


async def require_writable(*databases: Database) -> None:
    """Raise PermissionError unless SQLite's files are writable; a service without write access would only seem ready.

    Databases on PostgreSQL are not tested.

    Raises:
        PermissionError: this user may not write to the files or to their folder, or SQLite can't write for another
            reason, such as a full disk; the error's message contains SQLite's.
    """
    for database in databases:
        if not database.is_sqlite:
            continue
        try:
            async with database.writing() as connection:  # opening alone does not show it
                await connection.exec_driver_sql("DELETE FROM alembic_version WHERE FALSE")
        except OperationalError as error:
            if "locked" not in str(error.orig):  # locked by another process, so the file is writable
                detail = f"the register can't be written by this user: {error.orig}"
                raise PermissionError(errno.EACCES, detail, database.url.database) from None
