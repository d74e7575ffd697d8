"""The schema: brought to its newest revision, and refused when it is another.

One history serves both layouts: on PostgreSQL one database holds the register and the checks, on SQLite each
has a file, and a revision changes the parts that its file has.
"""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from app.db.database import Database

if TYPE_CHECKING:  # Alembic is loaded by those who migrate only: a server needs ten megabytes less without it
    from alembic.config import Config

NEWEST: Final = "0031"
"""The revision that this program was written for; a test holds it to the newest one of `migrations/`."""

REGISTER: Final = "register"
CHECKS: Final = "checks"


class SchemaOutdated(RuntimeError):
    """The database has another schema than this program; the message says the command to run."""


def script_location() -> Path:
    """Where the revisions lie: beside the package in a checkout, inside it when installed from a wheel."""
    packaged = Path(str(files("app"))) / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "migrations"


def config() -> "Config":
    """Alembic's configuration, without any file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def layout(register: Database, checks: Database) -> list[tuple[Database, frozenset[str]]]:
    """Which database holds which part."""
    if register is checks:
        return [(register, frozenset({REGISTER, CHECKS}))]
    return [(register, frozenset({REGISTER})), (checks, frozenset({CHECKS}))]


async def upgrade(register: Database, checks: Database) -> None:
    """Bring the schema to its newest revision; safe to repeat, and to run from several machines at once."""
    from alembic import command

    for database, parts in layout(register, checks):
        given = config()

        def run(connection: Connection, given: "Config" = given, parts: frozenset[str] = parts) -> None:
            given.attributes["connection"] = connection
            given.attributes["parts"] = parts
            command.upgrade(given, "head")

        async with database.writing() as connection:
            await connection.run_sync(run)


async def require_newest(register: Database, checks: Database) -> None:
    """Make sure that the schema is the one that this program was written for.

    Raises:
        SchemaOutdated: it is older, newer, or not there at all.
    """
    for database, _ in layout(register, checks):
        async with database.reading() as connection:
            current = await connection.run_sync(_revision)
        if current != NEWEST:
            raise SchemaOutdated(
                f"The database's schema is {current or 'not there yet'}, this program needs {NEWEST}: "
                "run `cekal migrate` (with the same settings) and start again."
            )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
