"""Each way in which a database says that it can't serve now, by its code; and what is no such thing."""

import sqlite3
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.faults import Outage, outage, seconds_to_wait


def from_postgresql(state: str) -> Exception:
    """What asyncpg raises for a code of PostgreSQL's."""
    return asyncpg.PostgresError.new({"C": state, "S": "ERROR", "M": "no"}, None)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("08006", Outage.UNREACHABLE),
        ("25006", Outage.READ_ONLY),
        ("26000", Outage.POOLED),
        ("28000", Outage.REFUSED),
        ("28P01", Outage.REFUSED),
        ("3D000", Outage.REFUSED),
        ("40P01", Outage.BUSY),
        ("42501", Outage.RIGHTS),
        ("42P05", Outage.POOLED),
        ("53100", Outage.FULL),
        ("53200", Outage.BUSY),
        ("53300", Outage.BUSY),
        ("55000", Outage.UNREACHABLE),
        ("55P03", Outage.BUSY),
        ("57014", Outage.BUSY),
        ("57P01", Outage.UNREACHABLE),
        ("57P02", Outage.UNREACHABLE),
        ("57P03", Outage.UNREACHABLE),
        ("58030", Outage.DAMAGED),
        ("XX001", Outage.DAMAGED),
        ("22003", None),
        ("23505", None),
        ("42601", None),
        ("42703", None),
    ],
)
def test_postgresqls_codes(state: str, why: Outage | None):
    error = from_postgresql(state)
    assert outage(error) is why, "as it is raised while connecting"
    assert outage(DBAPIError("SELECT 1", None, error)) is why


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (sqlite3.SQLITE_BUSY, Outage.BUSY),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Outage.BUSY),
        (sqlite3.SQLITE_CANTOPEN, Outage.UNREACHABLE),
        (sqlite3.SQLITE_CORRUPT, Outage.DAMAGED),
        (sqlite3.SQLITE_FULL, Outage.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, Outage.DAMAGED),
        (sqlite3.SQLITE_NOTADB, Outage.DAMAGED),
        (sqlite3.SQLITE_READONLY, Outage.READ_ONLY),
        (sqlite3.SQLITE_READONLY_DBMOVED, Outage.READ_ONLY),
        (sqlite3.SQLITE_ERROR, None),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
    ],
)
def test_sqlites_codes(code: int, why: Outage | None):
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    assert outage(OperationalError("SELECT 1", None, error)) is why


def test_a_file_that_is_no_database(tmp_path: Path):
    path = tmp_path / "register.db"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        connection.execute("SELECT * FROM sqlite_master")
    connection.close()
    assert outage(raised.value) is Outage.DAMAGED


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ConnectionRefusedError(111, "refused"), Outage.UNREACHABLE),
        (OSError("Multiple exceptions: [Errno 111], [Errno 111]"), Outage.UNREACHABLE),
        (TimeoutError(), Outage.SILENT),
        (PoolTimeout(), Outage.BUSY),
        (InterfaceError("SELECT 1", None, Exception("connection is closed")), Outage.UNREACHABLE),
        (FileNotFoundError(2, "no such file", "font.ttf"), None),
        (PermissionError(13, "not permitted", "font.ttf"), None),
        (ValueError("no"), None),
        (KeyError("no"), None),
    ],
)
def test_what_is_raised_without_a_code(error: Exception, why: Outage | None):
    assert outage(error) is why


def test_every_outage_says_when_a_repeat_makes_sense():
    assert {seconds_to_wait(why) for why in Outage} == {1, 5}
