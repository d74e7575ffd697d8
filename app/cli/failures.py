"""Error messages of the commands: one or two lines on standard error, with a traceback only on request."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from app.errors import CekalError, Fault
from app.kit.redaction import redact_text

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""Exit code after Ctrl-C by the convention of shells: 128 plus the number of SIGINT."""

_NOT_WRITABLE = ("readonly database", "unable to open database file")
"""SQLite's messages for missing rights on files; they do not name the file."""

_DATABASE_NEEDED = (
    "CEKAL_DATABASE_URL needs a user of PostgreSQL, its password, and a database that this user owns."
)
"""What is missing where PostgreSQL does not know the user or the database, or the user lacks rights."""


class Refused(Exception):
    """Raised if the command refuses to run or has failed, for a stated reason.

    Args:
        message: the reason, in one or two sentences.
        usage: whether the arguments or settings are wrong, so that the exit code is 2; otherwise it is 1.
    """

    def __init__(self, message: str, *, usage: bool = False) -> None:
        super().__init__(message)
        self.code = USAGE if usage else FAILED


def guarded(act: Callable[[], int | None]) -> int:
    """Run a function and return its exit code (None means 0).

    If it raises an error, print the error on standard error, and return the error's exit code: 130 for an interruption,
    1 or 2 for Refused, 1 for any other.
    """
    try:
        return act() or OK
    except KeyboardInterrupt:
        _print_error("Interrupted. What was committed stays.")
        return INTERRUPTED
    except Refused as refusal:
        _print_error(str(refusal))
        return refusal.code
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever it is, a person reads it
        if os.environ.get("CEKAL_LOG_LEVEL") == "DEBUG":
            traceback.print_exc()
        _print_error(explained(error))
        return FAILED


def explained(error: Exception) -> str:
    """Return an error as a message for an operator of the register."""
    import asyncpg
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from app.access.pepper import PepperRefused
    from app.db.migrate import SchemaOutdated
    from app.db.sessions import SessionsShared
    from app.maintenance.backups.inventory import BackupFailed
    from app.sync.heads.keyfiles import SigningKeysRefused
    from app.sync.heads.service import NameRefused
    from app.sync.witnesses.service import WitnessPolicyRefused

    first = _first_line(error)
    match error:
        case CekalError():
            text = with_faults(error.detail, error.faults)
        case ValidationError():
            wrong = [_setting(each["loc"], each["msg"]) for each in error.errors()]
            text = f"The settings are wrong: {'; '.join(wrong)}"
        case DBAPIError():
            text = _refused_by_database(error)
        case SQLAlchemyError() | asyncpg.PostgresError() | asyncpg.InterfaceError():
            text = f"The database of CEKAL_DATABASE_URL can't be used: {first}"
        case OSError(filename=str() as name):
            text = f"{name}: {error.strerror}"
        case (
            BackupFailed()
            | SchemaOutdated()
            | PepperRefused()
            | SessionsShared()
            | SigningKeysRefused()
            | NameRefused()
            | WitnessPolicyRefused()
            | FileNotFoundError()
            | ValueError()
        ):
            text = first
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO | errno.EMFILE):
            text = f"This machine refuses: {error.strerror}"
        case OSError():
            text = f"The database server that CEKAL_DATABASE_URL names can't be reached: {first}"
        case _:
            again = "once more with CEKAL_LOG_LEVEL=DEBUG for the traceback"
            text = f"This should not have happened: {type(error).__name__}: {first} ({again})."
    return text


def _refused_by_database(error: "DBAPIError") -> str:
    from app.db.faults import Outage, outage

    said = f"The database refuses: {_first_line(error.orig or error)}"
    if any(words in said for words in _NOT_WRITABLE):
        return f"{said}. May this user write the register's files and their folder?"
    return f"{said}. {_DATABASE_NEEDED}" if outage(error) in {Outage.REFUSED, Outage.RIGHTS} else said


def with_faults(detail: str, faults: Iterable[Fault]) -> str:
    """Return `detail`, a sentence, followed by each fault with the option that it concerns."""
    parts = [f"{_option(fault.pointer)}{fault.detail}" for fault in faults if fault.detail != detail]
    return " ".join([detail, *parts])


def _option(pointer: str) -> str:
    member = pointer.split("/")[1:2]
    return f"--{member[0].replace('_', '-').removesuffix('s')}: " if member else ""


def _setting(place: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    if not place:
        return text
    name = str(place[0]).upper().removeprefix("CEKAL_")  # one that is unknown has it already
    return f"CEKAL_{name}: {text}"


def _first_line(error: BaseException) -> str:
    return redact_text(str(error).partition("\n")[0])


def _print_error(message: str) -> None:
    sys.stderr.write(f"cekal: {message}\n")
