"""The register that a command works on: the one of the settings."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.cli.failures import Refused

if TYPE_CHECKING:  # loaded by the commands that need them, never for a mere --help
    from app.runtime import Runtime
    from app.settings import Settings

T = TypeVar("T")


def settled() -> "Settings":
    """The settings of the environment, with exchanges as long as a command needs; a logger that warns in plain text."""
    from app.db.lines import LONG_SECONDS
    from app.kit import logs
    from app.settings import load_settings

    settings = load_settings()
    logs.configure("DEBUG" if settings.log_level == "DEBUG" else "WARNING", json=False)
    return settings.model_copy(update={"database_seconds": max(settings.database_seconds, LONG_SECONDS)})


def expect_founded(settings: "Settings") -> None:
    """Make sure that a register was founded, before a connection makes an empty file of SQLite.

    Raises:
        Refused: there is none.
    """
    from app.db.addresses import driver_url

    url = driver_url(settings.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Refused(f"There is no register at {url.database} yet: run `cekal migrate` first.")


def with_register(work: Callable[["Runtime"], Awaitable[T]]) -> T:
    """Do some work on the register of the settings.

    Raises:
        Refused: there is none.
        SchemaOutdated: its schema is another program's.
    """
    from app.db.migrate import require_newest
    from app.wiring import wired_runtime

    settings = settled()
    expect_founded(settings)

    async def do() -> T:
        runtime = wired_runtime(settings)
        try:
            await require_newest(runtime.register, runtime.checks)
            return await work(runtime)
        finally:
            await runtime.close()

    return asyncio.run(do())
