"""Whether a database can be written, found out by writing as little as possible."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.database import Database
from app.db.faults import FileReplaced, Outage, outage

_RIGHTS: Final = text(
    "SELECT bool_and(has_table_privilege(oid, 'INSERT')) FROM pg_class WHERE oid IN "
    "('ledger_record'::regclass, 'check_record'::regclass, 'entry'::regclass, 'alert'::regclass)"
)
_WRITE: Final = text(
    "UPDATE access_state SET version = version WHERE id IN (SELECT id FROM access_state FOR UPDATE SKIP LOCKED)"
)
"""A single row; a transaction that changes it at this moment can write, and is not waited for."""

_SQLITE_WRITE: Final = "PRAGMA user_version = 0"
"""Writes a page, and therefore to the disk; nothing here reads that number."""


async def why_unwritable(*databases: Database) -> Outage | None:
    """Why one of the databases can't be written now; None where all can.

    Raises:
        DBAPIError: a fault that says nothing about the database.
    """
    for database in databases:
        try:
            async with database.writing() as connection:
                if database.is_sqlite:
                    await connection.exec_driver_sql(_SQLITE_WRITE)
                elif not (await connection.execute(_RIGHTS)).scalar_one():
                    return Outage.RIGHTS
                else:
                    await connection.execute(_WRITE)
        except (DBAPIError, FileReplaced) as error:
            why = outage(error)
            if why is None:
                raise
            if why is not Outage.BUSY:  # another process writes, so it can be written
                return why
    return None
