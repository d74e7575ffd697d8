"""Backups of a register on PostgreSQL: pg_dump and pg_restore copy it, and this module checks the copy.

pg_dump reads a snapshot that a transaction of this module exports to it. The same transaction counts the rows and reads
the ledger's root, so that the dump can be compared with both.
"""

import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from sqlalchemy.engine import URL

from app.access.domain import SYSTEM
from app.db.database import Connection
from app.db.unit import Reader
from app.kit.stages import ReportProgress
from app.ledger import service as ledger
from app.maintenance.backups.inventory import NOT_COUNTED, BackupFailed, CountedFigures
from app.maintenance.backups.programs import require, server_of, started
from app.runtime import Runtime
from app.tlog import merkle

NAME: Final = "register.dump"

_CHUNK: Final = 1 << 20
_EVERY: Final = 1000
_HERE: Final = "relnamespace = current_schema()::regnamespace"
_TABLES: Final = f"SELECT relname FROM pg_class WHERE {_HERE} AND relkind = 'r' ORDER BY 1"  # noqa: S608
"""Tables that store rows themselves: of a table partitioned by month the partitions, not the table."""

_WHOLE_TABLES: Final = (
    "SELECT string_agg(quote_ident(current_schema()) || '.' || quote_ident(relname), ', ') "  # noqa: S608
    f"FROM pg_class WHERE {_HERE} AND relkind IN ('r', 'p') AND NOT relispartition"
)
_COPY: Final = re.compile(rb'COPY ("(?:[^"]|"")+"|[^".]+)\.("(?:[^"]|"")+"|[^" ]+) \((.+)\) FROM stdin;\n')
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_MEANT: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_NULL: Final = rb"\N"


@dataclass(frozen=True, slots=True)
class Moment:
    """A snapshot of the database.

    Attributes:
        at: the moment of the snapshot.
        register: a transaction that reads the snapshot.
        snapshot: the name by which another session can use the snapshot.
        schema: the PostgreSQL schema that contains the register's tables.
    """

    at: datetime
    register: Reader
    snapshot: str
    schema: str


@asynccontextmanager
async def open_snapshot(runtime: Runtime) -> AsyncIterator[Moment]:
    """Open a snapshot of the database for the block; other sessions can go on writing."""
    async with runtime.reading(SYSTEM) as before:
        at = before.now
    async with runtime.register.writing() as connection:
        await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        await connection.exec_driver_sql(
            "SET LOCAL idle_in_transaction_session_timeout = 0"
        )  # a dump takes long
        named = "SELECT pg_export_snapshot(), current_schema()"
        snapshot, schema = (await connection.exec_driver_sql(named)).one()
        yield Moment(at, Reader(connection, at, SYSTEM), snapshot, schema)


async def count(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each table in the register's schema, without the tables in `NOT_COUNTED`."""
    names = [str(name) for (name,) in await connection.exec_driver_sql(_TABLES)]
    return {
        name: (await connection.exec_driver_sql(f"SELECT count(*) FROM {_quoted(name)}")).scalar_one()  # noqa: S608
        for name in names
        if name not in NOT_COUNTED
    }


def dump(url: URL, moment: Moment, target: Path, report_progress: ReportProgress) -> None:
    """Dump a snapshot of a database into a file, without the ledger's head, which no backup contains.

    Args:
        url: the database's address.
        moment: the snapshot.
        target: an empty file.
        report_progress: called with the present size of the file in bytes, and 0, because the final size is unknown.

    Raises:
        BackupFailed: pg_dump or pg_restore is missing, or pg_dump has failed, for instance as too old for the server.
    """
    require("pg_dump", "pg_restore")
    server = server_of(url)
    command = [
        "pg_dump",
        "--format=custom",
        "--no-password",
        f"--snapshot={moment.snapshot}",
        f"--exclude-table-data={_quoted(moment.schema)}.ledger_head",
        f"--file={target}",
        f"--dbname={server.address}",
    ]
    with started(command, server.environment) as program:
        program.finish(lambda: report_progress(target.stat().st_size, 0))


def examine(target: Path, schema: str, rows: int, report_progress: ReportProgress) -> CountedFigures:
    """Read a whole dump, count its rows and photos, and compute the root of its ledger.

    Args:
        target: the file of the dump.
        schema: the schema that contains the register's tables; others are skipped.
        rows: the expected number of rows, for the display of progress.
        report_progress: called with the number of rows read and the expected number.

    Raises:
        BackupFailed: pg_restore is missing or can't read the dump, or a record of its ledger is missing.
    """
    require("pg_restore")
    command = ["pg_restore", "--data-only", "--file=-", str(target)]
    reading = _Reading(schema, rows, report_progress)
    with started(command, server_of(URL.create("postgresql")).environment, stdout=subprocess.PIPE) as program:
        assert program.running.stdout is not None, "it was asked for"
        for line in program.running.stdout:
            reading.read(line)
        program.finish()
    return reading.found()


class _Reading:
    """A reader of PostgreSQL's COPY format: one row per line, columns separated by tabs. It counts rows and photos."""

    def __init__(self, schema: str, expected: int, report_progress: ReportProgress) -> None:
        self._schema, self._expected, self._tell, self._done = schema, expected, report_progress, 0
        self._skipping = False
        self._table: str | None = None
        self._columns: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self._leaves: dict[int, bytes] = {}
        self._photos = 0

    def read(self, line: bytes) -> None:
        if line == b"\\.\n":
            self._table, self._skipping = None, False
        elif self._table is not None:
            self._row(self._table, line)
        elif not self._skipping:
            self._begin(line)

    def _begin(self, line: bytes) -> None:
        begun = _COPY.fullmatch(line)
        if begun is None:
            return
        schema, table = (_unquoted(begun[place].decode()) for place in (1, 2))
        if schema != self._schema:
            self._skipping = True
            return
        self._table = table
        self._columns = {_unquoted(name): at for at, name in enumerate(begun[3].decode().split(", "))}
        self._rows.setdefault(table, 0)

    def _row(self, table: str, line: bytes) -> None:
        self._rows[table] += 1
        self._done += 1
        if not self._done % _EVERY:
            self._tell(self._done, self._expected)
        if table == "ledger_record":
            cells = line[:-1].split(b"\t")
            leaf = _unescaped(cells[self._columns["leaf"]])
            self._leaves[int(cells[self._columns["sequence"]])] = merkle.leaf_hash(leaf)
        elif table == "blob":
            cells = line[:-1].split(b"\t")
            there = cells[self._columns["bytes"]] != _NULL
            self._photos += there and cells[self._columns["kind"]] == b"photo"

    def found(self) -> CountedFigures:
        tree = merkle.Tree()
        for sequence in range(1, len(self._leaves) + 1):
            if sequence not in self._leaves:
                raise BackupFailed(f"The ledger has no record {sequence}.")
            tree.add(self._leaves[sequence])
        rows = {name: rows for name, rows in self._rows.items() if name not in NOT_COUNTED}
        return CountedFigures(rows, self._photos, tree.size, tree.root().hex())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _unescaped(cell: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), cell)


async def examine_database(reader: Reader, report_progress: ReportProgress) -> CountedFigures:
    """Count the rows and photos of a database, and compute the root of its ledger.

    `report_progress` is called with the number of ledger records read and the total.

    Raises:
        LedgerBroken: a record of the ledger is missing.
    """
    rows = await count(reader.connection)
    tree = await ledger.recompute(reader, lambda done: report_progress(done, rows["ledger_record"]))
    photos = "SELECT count(*) FROM blob WHERE kind = 'photo' AND bytes IS NOT NULL"
    return CountedFigures(
        rows, (await reader.connection.exec_driver_sql(photos)).scalar_one(), tree.size, tree.root().hex()
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A database into which a dump is restored.

    Attributes:
        schema: the PostgreSQL schema of the register's tables.
        tables: the quoted names of all tables in this schema, those of other programs too, separated by commas; None if
            there is no table.
    """

    schema: str
    tables: str | None


async def find_place(connection: Connection) -> Place:
    """Return the schema and the existing tables of the database into which a dump is restored."""
    tables = (await connection.exec_driver_sql(_WHOLE_TABLES)).scalar_one()
    schema = (await connection.exec_driver_sql("SELECT current_schema()")).scalar_one()
    return Place(schema or "public", tables)


def restore_dump(
    url: URL, target: Path, place: Place, rows: Mapping[str, int], report_progress: ReportProgress
) -> None:
    """Restore a dump into a database in one transaction, so that a failure changes nothing.

    Args:
        url: the database's address.
        target: the file of the dump.
        place: the schema and its present tables, from `find_place`. These tables, and what depends on them, are dropped
            in the same transaction.
        rows: the number of rows that each table must have at the end of the transaction.
        report_progress: called with the number of bytes read from pg_restore, and 0, because the total is unknown.

    Raises:
        BackupFailed: a program is missing or has failed, or a table has another number of rows; the database is
            unchanged.
    """
    require("pg_restore", "psql")
    server = server_of(url)
    reading = ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(target)]
    writing = [
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--no-password",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
    ]
    writing += [f"--command=DROP TABLE {place.tables} CASCADE"] if place.tables else []
    writing += ["--file=-", f"--command={_expect_rows(place.schema, rows)}", f"--dbname={server.address}"]
    with (
        started(writing, server.environment, stdin=subprocess.PIPE) as writer,
        started(reading, server.environment, stdout=subprocess.PIPE) as source,
    ):
        assert writer.running.stdin is not None, "it was asked for"
        assert source.running.stdout is not None, "it was asked for"
        if _pour(source.running.stdout, writer.running.stdin, report_progress):
            source.finish()  # raises before psql sees the end of its input and commits an incomplete dump
        else:
            source.running.kill()
        with suppress(BrokenPipeError):
            writer.running.stdin.close()
        writer.finish()


def _expect_rows(schema: str, rows: Mapping[str, int]) -> str:
    """Return a statement that fails unless each table has its number of rows."""
    counts = [
        f"SELECT count(*) INTO counted FROM {_quoted(schema)}.{_quoted(name)};\n"  # noqa: S608 - quoted
        f"IF counted <> {number} THEN RAISE EXCEPTION '% has % rows, and {number} by the inventory', "
        f"{_literal(name)}, counted; END IF;\n"
        for name, number in sorted(rows.items())
    ]
    return f"DO $counting$ DECLARE counted bigint; BEGIN\n{''.join(counts)}END $counting$"


def _pour(source: IO[bytes], target: IO[bytes], report_progress: ReportProgress) -> bool:
    """Copy all bytes from the source to the target. Returns whether the target accepted all of them."""
    done = 0
    try:
        while part := source.read(_CHUNK):
            target.write(part)
            done += len(part)
            report_progress(done, 0)
        target.flush()
    except BrokenPipeError:
        return False
    return True
