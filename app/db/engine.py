"""Which databases a deployment has."""

import errno
from pathlib import Path

from sqlalchemy.exc import OperationalError

from app.db.addresses import driver_url
from app.db.database import Database
from app.db.lines import Limits
from app.db.postgresql import PostgreSQL
from app.db.sqlite import SQLite
from app.settings import Settings


def open_databases(settings: Settings) -> tuple[Database, Database]:
    """The register's database and the one of the checks.

    They are one and the same on PostgreSQL. On SQLite the checks, which grow for ever and are written all the
    time, have a file of their own beside the register's (`register.db` and `register-checks.db`).
    """
    url = driver_url(settings.url)
    if url.get_backend_name() != "sqlite":
        both = PostgreSQL(url, settings.pool_size, Limits(settings.database_seconds))
        return both, both
    path = Path(str(url.database))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.stem}-checks{path.suffix}")
    return SQLite(url), SQLite(url.set(database=str(beside)))


async def require_writable(*databases: Database) -> None:
    """Make sure that the files of SQLite may be written: a service that can only read them looks ready and is not.

    Raises:
        PermissionError: this user may not write them, or the folder that they lie in.
    """
    for database in databases:
        if not database.is_sqlite:
            continue
        try:
            async with database.writing() as connection:  # which alone does not tell
                await connection.exec_driver_sql("DELETE FROM alembic_version WHERE FALSE")
        except OperationalError as error:
            if "locked" not in str(error.orig):  # by another process, which may write at least
                detail = f"the register can't be written by this user: {error.orig}"
                raise PermissionError(errno.EACCES, detail, database.url.database) from None
