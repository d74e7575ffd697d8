"""Wherever putting a register in its place is cut off, there is a whole register, or none that anybody serves."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.maintenance.backups import places
from app.maintenance.backups.inventory import BackupFailed


class Killed(BaseException):
    """Nothing of this process goes on."""


def laid(folder: Path, what: str) -> list[Path]:
    """A register of two files, with a journal that nobody has brought into its file."""
    folder.mkdir(exist_ok=True)
    files = [folder / "register.db", folder / "register-checks.db"]
    for path in files:
        path.write_text(what)
    (folder / "register.db-wal").write_text(f"the journal of {what}")
    return files


def said(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


NEW = {"register.db": "new", "register-checks.db": "new"}
FORMER = {"register.db": "former", "register-checks.db": "former", "register.db-wal": "the journal of former"}


def test_the_former_register_is_kept_with_its_journals(tmp_path: Path) -> None:
    files, staged = laid(tmp_path, "former"), tmp_path / places.STAGE
    laid(staged, "new")
    (staged / "register.db-wal").unlink()
    aside = places.swap(files, staged)
    assert aside is not None
    assert (said(tmp_path), said(aside)) == (NEW, FORMER)
    assert not staged.exists()
    assert aside.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("step", range(4))
def test_cut_off_at_any_step_there_is_never_a_mixed_register(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    files, staged = laid(tmp_path, "former"), tmp_path / places.STAGE
    laid(staged, "new")
    (staged / "register.db-wal").unlink()
    left = step

    def flush(_path: Path) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1

    monkeypatch.setattr(places, "flush", flush)
    with pytest.raises(Killed):
        places.swap(files, staged)
    there = said(tmp_path)
    assert "register.db" not in there or there == NEW
    (aside,) = tmp_path.glob("replaced-*")
    assert said(aside) == FORMER


def test_what_an_earlier_restore_has_left_behind_is_removed(tmp_path: Path) -> None:
    laid(tmp_path / places.STAGE, "cut off")
    with places.stage_folder([tmp_path / "register.db"]) as staged:
        assert said(staged) == {}
        assert staged.stat().st_mode & 0o077 == 0
    assert not staged.exists()


def test_a_file_that_is_open_elsewhere_is_held_by_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE something (id)")
        with pytest.raises(BackupFailed, match="in use"), places.locked_exclusively([path]):
            pass
    with (
        places.locked_exclusively([path]),
        closing(sqlite3.connect(path, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("SELECT * FROM something")


def test_a_file_that_can_t_be_read_any_more_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    path.write_bytes(b"no database at all" * 100)
    with places.locked_exclusively([path]):
        pass
