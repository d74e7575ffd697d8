"""What went wrong, in a line or two on standard error; a traceback is for those who ask for it."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterable

from app.errors import CekalError, Fault
from app.kit.redaction import redact_text

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""As shells count it: 128 and the number of SIGINT."""

_NOT_WRITABLE = ("readonly database", "unable to open database file")
"""What SQLite says where rights on files are missing; it never says which file."""


class Refused(Exception):
    """What the command won't do, and why.

    Args:
        message: one sentence or two.
        usage: the arguments or settings ask for something that can't be; otherwise it failed on the way.
    """

    def __init__(self, message: str, *, usage: bool = False) -> None:
        super().__init__(message)
        self.code = USAGE if usage else FAILED


def guarded(act: Callable[[], int | None]) -> int:
    """Do something; gives the process's exit code, and says on standard error what went wrong."""
    try:
        return act() or OK
    except KeyboardInterrupt:
        _say("Interrupted. What was committed stays.")
        return INTERRUPTED
    except Refused as refusal:
        _say(str(refusal))
        return refusal.code
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever it is, a person reads it
        if os.environ.get("CEKAL_LOG_LEVEL") == "DEBUG":
            traceback.print_exc()
        _say(explained(error))
        return FAILED


def explained(error: Exception) -> str:
    """An error in the words of somebody who runs the register."""
    import asyncpg
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from app.access.pepper import PepperRefused
    from app.db.migrate import SchemaOutdated

    first = _first_line(error)
    match error:
        case CekalError():
            said = with_faults(error.detail, error.faults)
        case ValidationError():
            wrong = [_setting(each["loc"], each["msg"]) for each in error.errors()]
            said = f"The settings are wrong: {'; '.join(wrong)}"
        case DBAPIError():
            said = f"The database refuses: {_first_line(error.orig or error)}"
            if any(words in said for words in _NOT_WRITABLE):
                said += ". May this user write the register's files and the folder that they lie in?"
        case SQLAlchemyError() | asyncpg.PostgresError() | asyncpg.InterfaceError():
            said = f"The database can't be used: {first}"
        case OSError(filename=str() as name):
            said = f"{name}: {error.strerror}"
        case SchemaOutdated() | PepperRefused() | FileNotFoundError() | ValueError():
            said = first
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO | errno.EMFILE):
            said = f"This machine refuses: {error.strerror}"
        case OSError():
            said = f"The connection failed: {first}"
        case _:
            again = "once more with CEKAL_LOG_LEVEL=DEBUG for the traceback"
            said = f"This should not have happened: {type(error).__name__}: {first} ({again})."
    return said


def with_faults(detail: str, faults: Iterable[Fault]) -> str:
    """A sentence, then each fault with the option it is about."""
    told = [f"{_option(fault.pointer)}{fault.detail}" for fault in faults if fault.detail != detail]
    return " ".join([detail, *told])


def _option(pointer: str) -> str:
    member = pointer.split("/")[1:2]
    return f"--{member[0].replace('_', '-').removesuffix('s')}: " if member else ""


def _setting(place: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    if not place:
        return said
    name = str(place[0]).upper().removeprefix("CEKAL_")  # one that is unknown has it already
    return f"CEKAL_{name}: {said}"


def _first_line(error: BaseException) -> str:
    return redact_text(str(error).partition("\n")[0])


def _say(message: str) -> None:
    sys.stderr.write(f"cekal: {message}\n")
