"""Access of the commands to the register that the settings name."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.cli.failures import Refused

if TYPE_CHECKING:  # loaded by the commands that need them, never for a mere --help
    from app.runtime import Runtime
    from app.settings import Settings

T = TypeVar("T")


def load_command_settings() -> "Settings":
    """Return the settings, with a database timeout of at least an hour, and configure the log for a command.

    The log is plain text and begins at level WARNING; at DEBUG if that is the level in the settings.

    Raises:
        ValidationError: a setting is wrong (pydantic's error).
    """
    from app.db.lines import LONG_SECONDS
    from app.kit import logs
    from app.settings_sources import load_settings

    settings = load_settings()
    logs.configure("DEBUG" if settings.log_level == "DEBUG" else "WARNING", json=False)
    return settings.model_copy(update={"database_seconds": max(settings.database_seconds, LONG_SECONDS)})


def expect_register(settings: "Settings") -> None:
    """Raise Refused if the register is on SQLite and its file does not exist; a connection would create an empty one.

    On PostgreSQL nothing is checked.

    Raises:
        Refused: there is no file.
    """
    from app.db.addresses import driver_url

    url = driver_url(settings.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Refused(f"There is no register at {url.database} yet: run `cekal migrate` first.")


def with_register(work: Callable[["Runtime"], Awaitable[T]], *, expect_accepted: bool = True) -> T:
    """Run a function on the register that the settings name, and return its result.

    Args:
        work: the function.
        expect_accepted: whether to refuse a register that was restored from a backup by hand and that `cekal restore`
            has not accepted yet.

    Raises:
        Refused: there is no register.
        SessionsShared: a connection pooler gives each transaction another session of PostgreSQL.
        SchemaOutdated: the schema belongs to another release.
        HeadMissing: with `expect_accepted`, the register was restored by hand and is not accepted yet.
        Exception: `work` has raised it.
    """
    from app.access.domain import SYSTEM
    from app.db.migrate import require_newest
    from app.db.sessions import require_sessions
    from app.ledger.service import require_head
    from app.wiring import wired_runtime

    settings = load_command_settings()
    expect_register(settings)

    async def do() -> T:
        runtime = wired_runtime(settings)
        try:
            await require_sessions(runtime.register)
            await require_newest(runtime.register, runtime.checks)
            if expect_accepted:
                async with runtime.reading(SYSTEM) as reader:
                    await require_head(reader)
            return await work(runtime)
        finally:
            await runtime.close()

    return asyncio.run(do())
