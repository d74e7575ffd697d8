"""Classification of the errors that mean that the database can't serve now; used by every entry point of the service.

An outage of the database is not the caller's mistake: the answer is 503 and the caller may repeat the request. Any
other error, such as an invalid statement, is a fault of this program and is reported as one.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Outage(StrEnum):
    """The reason why the database can't serve; the value is an English clause for logs and answers."""

    UNREACHABLE = "the database can't be reached"
    SILENT = "the database did not answer in time"
    REFUSED = "the database refuses this service's user, or does not exist"
    RIGHTS = "the database's user lacks rights that the service needs"
    READ_ONLY = "the database can only be read"
    FULL = "the database has no room left"
    DAMAGED = "the database's files can't be read or written"
    BUSY = "the database is busy or locked"
    REPLACED = "the database's file was replaced under the running service, which must be started again"
    POOLED = (
        "the database is behind a pool of connections that forgets prepared statements (not in session mode)"
    )


class FileReplaced(Exception):
    """SQLite's file was replaced since it was opened: writes to the open file would be lost."""


SECONDS: Final = {Outage.UNREACHABLE: 1, Outage.SILENT: 1, Outage.BUSY: 1}
"""Seconds after which a repeat makes sense, by outage; five for the others, which an operator must repair."""

_BY_STATE: Final = {
    "25006": Outage.READ_ONLY,  # read_only_sql_transaction: a standby, or default_transaction_read_only
    "26000": Outage.POOLED,  # invalid_sql_statement_name
    "42P05": Outage.POOLED,  # duplicate_prepared_statement
    "3D000": Outage.REFUSED,  # invalid_catalog_name
    "42501": Outage.RIGHTS,
    "53100": Outage.FULL,
    "53300": Outage.BUSY,  # too_many_connections
    "55P03": Outage.BUSY,  # lock_not_available
    "57014": Outage.BUSY,  # query_canceled: also by statement_timeout
}
_BY_CLASS: Final = {
    "08": Outage.UNREACHABLE,
    "28": Outage.REFUSED,  # invalid_authorization_specification, invalid_password
    "40": Outage.BUSY,  # deadlock, serialisation
    "53": Outage.BUSY,  # insufficient_resources
    "55": Outage.UNREACHABLE,  # such as a database that accepts no connections
    "57": Outage.UNREACHABLE,  # operator_intervention: shutdown, crash, starting
    "58": Outage.DAMAGED,  # system_error, io_error
    "F0": Outage.REFUSED,  # config_file_error
    "XX": Outage.DAMAGED,  # internal_error, data_corrupted
}
"""PostgreSQL's codes, its documentation's appendix A."""

_BY_SQLITE_CODE: Final = {
    3: Outage.RIGHTS,  # SQLITE_PERM
    5: Outage.BUSY,
    6: Outage.BUSY,  # SQLITE_LOCKED
    7: Outage.BUSY,  # SQLITE_NOMEM
    8: Outage.READ_ONLY,
    9: Outage.BUSY,  # SQLITE_INTERRUPT
    10: Outage.DAMAGED,  # SQLITE_IOERR
    11: Outage.DAMAGED,  # SQLITE_CORRUPT
    13: Outage.FULL,
    14: Outage.UNREACHABLE,  # SQLITE_CANTOPEN
    15: Outage.BUSY,  # SQLITE_PROTOCOL: the locking protocol
    22: Outage.DAMAGED,  # SQLITE_NOLFS: the file has outgrown the file system
    23: Outage.RIGHTS,  # SQLITE_AUTH
    26: Outage.DAMAGED,  # SQLITE_NOTADB
}
"""SQLite's primary result codes, https://www.sqlite.org/rescode.html; an extended code has them in its last byte."""


_BY_KIND: Final = {
    PoolTimeout: Outage.BUSY,
    TimeoutError: Outage.SILENT,
    FileReplaced: Outage.REPLACED,
}


def outage(error: BaseException) -> Outage | None:
    """Return the kind of outage that an error shows, or None for every other error.

    Args:
        error: the exception. A group of exceptions shows an outage if all of them show the same one.
    """
    if isinstance(error, BaseExceptionGroup):
        found = {outage(each) for each in error.exceptions}
        return found.pop() if len(found) == 1 else None
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None)
    if isinstance(state, str):
        return _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
    code = getattr(origin, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _BY_SQLITE_CODE.get(code & 0xFF)
    for kind, why in _BY_KIND.items():
        if isinstance(error, kind):
            return why
    lost = (
        isinstance(error, InterfaceError | OperationalError)
        or (isinstance(error, DBAPIError) and error.connection_invalidated)
        or (
            isinstance(origin, OSError) and origin.filename is None
        )  # the way there; one with a name is a file's
    )
    return Outage.UNREACHABLE if lost else None


def unanswered(why: Outage | None) -> bool:
    """Return whether an outage of this kind leaves open if the last statement or commit has taken effect.

    This is so if its answer is missing. False for None, which means no outage.
    """
    return why in {Outage.UNREACHABLE, Outage.SILENT}


def seconds_to_wait(why: Outage) -> int:
    """Return the number of seconds after which the caller should repeat the request."""
    return SECONDS.get(why, 5)
