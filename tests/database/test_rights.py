"""Files that may only be read: a register on them is not served."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.db.engine import require_writable
from app.db.sqlite import SQLite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database that was migrated, as far as it matters here."""
    path = tmp_path / "register.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE alembic_version (version_num TEXT)")
    return path


@pytest.fixture
def writable(path: Path) -> Iterator[SQLite]:
    database = SQLite(make_url(f"sqlite+pysqlite:///{path}"))
    yield database
    database._engine.dispose()


async def test_a_register_that_may_only_be_read_is_refused_with_its_name(path: Path, writable: SQLite):
    only_read = SQLite(make_url(f"sqlite+pysqlite:///file:{path}?mode=ro&uri=true"))
    await require_writable(writable)
    with pytest.raises(PermissionError, match="can't be written") as refused:
        await require_writable(writable, only_read)
    await only_read.dispose()
    assert path.name in str(refused.value.filename)


async def test_one_that_another_process_writes_at_this_moment_is_not_refused(
    path: Path, writable: SQLite, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.db.sqlite.LOCK_SECONDS", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        await require_writable(writable)
        assert another.in_transaction
