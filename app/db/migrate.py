"""The schema: brought to its newest revision, and refused when it is another.

One history serves both layouts: on PostgreSQL one database holds the register and the checks, on SQLite each
has a file, and a revision changes the parts that its file has.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.db.engine import Database

REGISTER: Final = "register"
CHECKS: Final = "checks"


class SchemaOutdated(RuntimeError):
    """The database has another schema than this program; the message says the command to run."""


def script_location() -> Path:
    """Where the revisions lie: beside the package in a checkout, inside it when installed from a wheel."""
    packaged = Path(str(files("app"))) / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "migrations"


def _config() -> Config:
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
    for database, parts in layout(register, checks):
        config = _config()

        def run(connection: Connection, config: Config = config, parts: frozenset[str] = parts) -> None:
            config.attributes["connection"] = connection
            config.attributes["parts"] = parts
            command.upgrade(config, "head")

        async with database.gate, database.writer.begin() as connection:
            await connection.run_sync(run)


async def require_newest(register: Database, checks: Database) -> None:
    """Make sure that the schema is the one that this program was written for.

    Raises:
        SchemaOutdated: it is older, newer, or not there at all.
    """
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    for database, _ in layout(register, checks):
        async with database.engine.connect() as connection:
            current = await connection.run_sync(_revision)
        if current != newest:
            raise SchemaOutdated(
                f"The database's schema is {current or 'not there yet'}, this program needs {newest}: "
                "run `cekal migrate` (with the same settings) and start again."
            )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
