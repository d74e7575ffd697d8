"""PostgreSQL's programs: what they are told, what is heard of them, how their rows are read."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from app.maintenance.backups.inventory import BackupFailed
from app.maintenance.backups.postgresql import _pour, _Reading, _unescaped
from app.maintenance.backups.programs import require, server_of, started
from app.tlog import merkle

_COPIED = str.maketrans(
    {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+asyncpg://u:hush@h:5433/db?sslmode=require",
        "postgresql+asyncpg://u@h:5433/db?password=hush&sslmode=require",
    ],
)
def test_a_password_stands_in_the_surroundings_of_a_program_never_among_its_arguments(address: str) -> None:
    server = server_of(make_url(address))
    assert server.address == "postgresql://u@h:5433/db?sslmode=require"
    assert server.environment["PGPASSWORD"] == "hush"


def test_a_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupFailed, match="pg_dump is not found"):
        require("pg_dump")


def test_a_program_that_fails_is_quoted() -> None:
    complaint = "import sys; sys.exit('p: reading\\np: error: no room\\np: detail: none at all')"
    with (
        pytest.raises(BackupFailed, match="error: no room; p: detail: none at all"),
        started([sys.executable, "-c", complaint], dict(os.environ)) as program,
    ):
        program.finish()


def test_a_program_ends_with_the_block_that_fails() -> None:
    with (
        pytest.raises(KeyError),
        started([sys.executable, "-c", "input()"], dict(os.environ), stdin=subprocess.PIPE) as program,
    ):
        raise KeyError
    assert program.running.returncode == -9


def test_a_reader_that_has_ended_is_no_fault_of_pouring() -> None:
    with started([sys.executable, "-c", ""], dict(os.environ), stdin=subprocess.PIPE) as program:
        program.running.wait()
        assert program.running.stdin is not None
        with Path(sys.executable).open("rb") as source:
            assert not _pour(source, program.running.stdin, lambda _done, _total: None)
        with suppress(BrokenPipeError):
            program.running.stdin.close()


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_column_is_read_as_copy_has_written_it(text: str) -> None:
    assert _unescaped(text.translate(_COPIED).encode()).decode() == text


def test_rows_are_counted_and_leaves_hashed_in_whatever_order_they_come() -> None:
    reading = _Reading("public", 4, lambda _done, _total: None)
    said = b"""--
COPY public.ledger_record (sequence, leaf, salt) FROM stdin;
2\t{"a":"\\\\\\\\"}\t\\N
1\t{}\t\\N
\\.
COPY public."an odd ""name"" here" (id, "order") FROM stdin;
1\t2
\\.
COPY elsewhere.ledger_record (sequence, leaf) FROM stdin;
1\tCOPY public.blob (kind, bytes) FROM stdin;
\\.
COPY public.blob (kind, bytes) FROM stdin;
photo\t\\\\x00
photo\t\\N
letter\t\\\\x00
\\.
COPY public.ledger_head (id) FROM stdin;
\\.
"""
    for line in said.splitlines(keepends=True):
        reading.read(line)
    found, tree = reading.found(), merkle.Tree()
    for leaf in (b"{}", b'{"a":"\\\\"}'):
        tree.add(merkle.leaf_hash(leaf))
    assert found.rows == {"ledger_record": 2, 'an odd "name" here': 1, "blob": 3}
    assert (found.photos, found.size, found.root) == (1, 2, tree.root().hex())


def test_a_ledger_that_lacks_a_record_is_noticed() -> None:
    reading = _Reading("public", 1, lambda _done, _total: None)
    for line in (b"COPY public.ledger_record (sequence, leaf) FROM stdin;\n", b"2\t{}\n"):
        reading.read(line)
    with pytest.raises(BackupFailed, match="no record 1"):
        reading.found()
