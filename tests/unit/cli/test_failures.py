"""What is said when a command fails: a line, with nothing secret in it."""

import errno

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError

from app.cli.failures import FAILED, INTERRUPTED, OK, USAGE, Refused, explained, guarded
from app.db.migrate import SchemaOutdated
from app.errors import Fault, Invalid, WrongState


def failing(error: BaseException) -> int:
    def act() -> int:
        raise error

    return guarded(act)


@pytest.mark.parametrize(("given", "code"), [(None, OK), (0, OK), (1, FAILED)])
def test_what_an_act_gives_is_the_exit_code(given: int | None, code: int):
    assert guarded(lambda: given) == code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Refused("It can't be."), FAILED, "It can't be."),
        (Refused("It can't be.", usage=True), USAGE, "It can't be."),
        (KeyboardInterrupt(), INTERRUPTED, "Interrupted. What was committed stays."),
        (WrongState("It has ended."), FAILED, "It has ended."),
        (SchemaOutdated("Run `cekal migrate`."), FAILED, "Run `cekal migrate`."),
        (
            ZeroDivisionError("by nought"),
            FAILED,
            "This should not have happened: ZeroDivisionError: by nought",
        ),
    ],
)
def test_an_error_is_a_line_on_standard_error(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
):
    assert failing(error) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"cekal: {said}")
    assert told.err.count("\n") == 1


def test_a_traceback_is_for_those_who_ask(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CEKAL_LOG_LEVEL", "DEBUG")
    assert failing(ZeroDivisionError()) == FAILED
    assert "Traceback" in capsys.readouterr().err


def test_a_database_says_no_in_its_own_words_without_the_statement():
    error = OperationalError("SELECT secret FROM register", {}, Exception("database is locked\nmore"))
    assert explained(error) == "The database refuses: database is locked"


@pytest.mark.parametrize(
    "refusal",
    [
        asyncpg.InvalidCatalogNameError('database "none" does not exist'),
        asyncpg.InvalidPasswordError('password authentication failed for user "cekal"'),
        asyncpg.InsufficientPrivilegeError("permission denied for schema public"),
    ],
)
def test_where_postgresql_lets_nobody_in_the_setting_and_what_it_needs_are_named(
    refusal: asyncpg.PostgresError,
):
    said = explained(OperationalError("CREATE TABLE", {}, refusal))
    assert said == (
        f"The database refuses: {refusal}. CEKAL_DATABASE_URL needs a user of PostgreSQL, its password, and a database "
        "that this user owns."
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "This machine refuses: No space left on device"),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
            "The database server that CEKAL_DATABASE_URL names can't be reached: [Errno 111] refused",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "register.db"), "register.db: Permission denied"),
    ],
)
def test_what_the_system_refuses_is_no_failed_connection(error: OSError, said: str):
    assert explained(error) == said


def test_where_sqlite_may_not_write_the_rights_are_asked_about():
    error = OperationalError("INSERT", {}, Exception("attempt to write a readonly database"))
    assert explained(error).endswith("May this user write the register's files and their folder?")


def test_a_password_is_blacked_out():
    assert "hidden" not in explained(ValueError("no such host: postgresql://cekal:hidden@nowhere/cekal"))


def test_faults_are_told_by_option_and_never_twice():
    faults = [
        Fault("/approved_by", "pattern", "This is no employee number."),
        Fault("/roles/0", "enum", "No role."),
    ]
    told = "Wrong. --approved-by: This is no employee number. --role: No role."
    assert explained(Invalid("Wrong.", faults=faults)) == told
    assert explained(Invalid("No role.", faults=faults[1:])) == "No role."


def test_a_file_that_is_not_there_is_named():
    assert explained(FileNotFoundError(2, "No such file or directory", "list.xml")) == (
        "list.xml: No such file or directory"
    )
