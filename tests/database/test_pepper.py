"""The pepper stands outside the database: a backup of it hashes nobody's passport number."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import select, update

from app.access.domain import SYSTEM
from app.access.pepper import FILE, PepperAct, PepperRefused, take_pepper
from app.access.tables import state
from app.initialise import initialise
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.cli import cekal
from tests.support.lifespan import started

FORMER = bytes(range(32))


@asynccontextmanager
async def machine(url: str, folder: Path, **given: Any) -> AsyncIterator[Runtime]:
    """A machine at a database, with a data directory of its own."""
    runtime = wired_runtime(Settings(env="test", database_url=url, data_dir=folder, **given))
    try:
        yield runtime
    finally:
        await runtime.close()


async def kept(runtime: Runtime) -> tuple[bytes | None, bytes | None]:
    """What the database holds: a pepper, and a fingerprint."""
    async with runtime.reading(SYSTEM) as reader:
        row = (await reader.run(select(state.c.pepper, state.c.pepper_fingerprint))).one()
    return row.pepper, row.pepper_fingerprint


def content_of(register: Path) -> bytes:
    """Every byte of a database of SQLite."""
    connection = sqlite3.connect(register)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return register.read_bytes()


async def as_before(runtime: Runtime) -> None:
    """Put the pepper where it was before: into the database."""
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(state).values(pepper=FORMER, pepper_fingerprint=None))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The data directories of two machines."""
    return tmp_path / "one", tmp_path / "two"


async def test_a_new_register_makes_its_pepper_once_outside_the_database(
    empty_url: str, folders: tuple[Path, Path]
) -> None:
    one, _ = folders
    async with machine(empty_url, one) as runtime:
        assert (await initialise(runtime)).pepper is PepperAct.MADE
        written = (one / FILE).read_text()
        assert (await initialise(runtime)).pepper is PepperAct.KEPT
        assert (one / FILE).read_text() == written
        assert (one / FILE).stat().st_mode & 0o777 == 0o600
        assert one.stat().st_mode & 0o777 == 0o700
        assert [path.name for path in one.iterdir() if path.name.startswith(FILE)] == [FILE]
        await take_pepper(runtime)
        assert written == f"hex:{runtime.pepper.hex()}\n"
        assert len(runtime.pepper) == 32
        former, fingerprint = await kept(runtime)
        assert former is None
        assert fingerprint not in {None, runtime.pepper, hashlib.sha256(runtime.pepper).digest()}


async def test_a_machine_without_the_pepper_or_with_another_does_not_start(
    empty_url: str, folders: tuple[Path, Path]
) -> None:
    one, two = folders
    async with machine(empty_url, one) as runtime:
        await initialise(runtime)
    async with machine(empty_url, two) as runtime:
        with pytest.raises(PepperRefused, match=f"not on this machine.*{two / FILE}.*CEKAL_KEY_PEPPER"):
            await take_pepper(runtime)
        with pytest.raises(PepperRefused, match="not on this machine"):
            await initialise(runtime)
        assert not (two / FILE).exists(), "migrate makes none that differs from the register's"
        app = create_app(runtime.settings)
        with pytest.raises(PepperRefused):
            async with started(app):
                pytest.fail("it must not start")
    (two / FILE).parent.mkdir(exist_ok=True)
    (two / FILE).write_text("hex:" + "00" * 32)
    async with machine(empty_url, two) as runtime:
        with pytest.raises(PepperRefused, match="is not this register's"):
            await take_pepper(runtime)
    (two / FILE).write_bytes((one / FILE).read_bytes())
    async with machine(empty_url, two) as runtime:
        await take_pepper(runtime)
    (two / FILE).unlink()
    for given, holds in ((SecretStr((one / FILE).read_text().strip()), True), (SecretStr("another"), False)):
        async with machine(empty_url, two, key_pepper=given) as runtime:
            if holds:
                await take_pepper(runtime)
            else:
                with pytest.raises(PepperRefused, match="of CEKAL_KEY_PEPPER is not this register's"):
                    await take_pepper(runtime)


async def test_a_register_of_before_has_its_pepper_moved_out_of_the_database(
    empty_url: str, folders: tuple[Path, Path]
) -> None:
    one, _ = folders
    async with machine(empty_url, one) as runtime:
        await initialise(runtime)
        (one / FILE).unlink()
        await as_before(runtime)
        with pytest.raises(PepperRefused, match="run `cekal migrate`"):
            await take_pepper(runtime)
        assert (await initialise(runtime)).pepper is PepperAct.MOVED
        await take_pepper(runtime)
        assert runtime.pepper == FORMER
        former, fingerprint = await kept(runtime)
        assert (former, fingerprint is None) == (None, False)
    if empty_url.startswith("sqlite"):
        assert FORMER not in content_of(Path(empty_url.removeprefix("sqlite:///"))), (
            "not in free space either"
        )


async def test_a_pepper_of_the_settings_replaces_that_in_the_database(
    empty_url: str, folders: tuple[Path, Path]
) -> None:
    one, _ = folders
    async with machine(empty_url, one, key_pepper=SecretStr("of the settings")) as runtime:
        assert (await initialise(runtime)).pepper is PepperAct.KEPT
        await as_before(runtime)
        assert (await initialise(runtime)).pepper is PepperAct.REMOVED
        await take_pepper(runtime)
        assert runtime.pepper == b"of the settings"
        assert (await kept(runtime))[0] is None
        assert not (one / FILE).exists()


async def test_a_file_that_holds_another_pepper_is_never_overwritten(
    empty_url: str, folders: tuple[Path, Path]
) -> None:
    one, _ = folders
    async with machine(empty_url, one) as runtime:
        await initialise(runtime)
        await as_before(runtime)
        written = (one / FILE).read_bytes()
        with pytest.raises(PepperRefused, match="another pepper than the database"):
            await initialise(runtime)
        assert (one / FILE).read_bytes() == written
        assert (await kept(runtime))[0] == FORMER


@pytest.mark.parametrize("content", [b"", b"hex:", b"hex:0f0f", b"hex:zz", b"secret", b"\xff\xfe"])
async def test_a_file_that_holds_no_pepper_is_refused(
    empty_url: str, folders: tuple[Path, Path], content: bytes
) -> None:
    one, _ = folders
    async with machine(empty_url, one) as runtime:
        await initialise(runtime)
        (one / FILE).write_bytes(content)
        with pytest.raises(PepperRefused, match="holds no pepper"):
            await take_pepper(runtime)


def test_a_pepper_of_the_settings_is_text_or_hexadecimal() -> None:
    assert Settings(key_pepper=SecretStr("hex:" + "0f" * 16)).key_pepper is not None
    for wrong in ("hex:", "hex:xyz", "hex:" + "0f" * 15):
        with pytest.raises(ValidationError, match="hexadecimal"):
            Settings(key_pepper=SecretStr(wrong))


def test_the_command_line_says_where_the_pepper_is_and_serve_refuses_without_it(
    empty_url: str, tmp_path: Path
) -> None:
    at = {"cwd": tmp_path, "database_url": empty_url, "data_dir": tmp_path / "one", "key_pepper": ""}
    told = cekal("migrate", **at)
    assert told.code == 0, told.err
    assert str(tmp_path / "one" / FILE) in told.out
    assert "apart from the database" in told.out
    assert "pepper" not in cekal("migrate", **at).out
    (tmp_path / "one" / FILE).rename(tmp_path / "elsewhere")
    refused = cekal("serve", "--port", 0, **at)
    assert (refused.code, refused.err.count("\n")) == (1, 1), refused.err
    assert "pepper is not on this machine" in refused.err
    (tmp_path / "elsewhere").rename(tmp_path / "one" / FILE)
    assert cekal("clients", **at).code == 0
