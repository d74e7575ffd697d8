"""Alembic's environment: for `cekal migrate`, which hands over a connection, and for the `alembic` command."""

import asyncio
from functools import partial

from alembic import context
from sqlalchemy import Connection, MetaData, text

from app.db.engine import open_databases
from app.db.lines import LONG_SECONDS
from app.db.migrate import CHECKS, REGISTER, layout
from app.schema import checks_metadata, metadata
from app.settings import load_settings

LOCK = 0x63656B6D
PARTS = {REGISTER: metadata, CHECKS: checks_metadata}


def compared(parts: frozenset[str]) -> MetaData:
    """The tables that this database should have, in one collection."""
    together = MetaData(naming_convention=metadata.naming_convention)
    for part in sorted(parts):
        for table in PARTS[part].tables.values():
            table.to_metadata(together)
    return together


def wanted(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:  # noqa: FBT001 - Alembic's signature
    """Partitions are made by the running service, not by revisions."""
    return not (kind == "table" and name is not None and name.startswith("check_record_"))


def run(connection: Connection, parts: frozenset[str]) -> None:
    """Run the revisions in one transaction, waiting for locks for a short time only."""
    context.configure(
        connection=connection,
        target_metadata=compared(parts),
        include_object=wanted,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        context.run_migrations()


async def standalone() -> None:
    """Called as `alembic …`: open the databases of the settings."""
    register, checks = open_databases(load_settings(database_seconds=LONG_SECONDS))
    for database, parts in layout(register, checks):
        context.config.attributes["parts"] = parts
        async with database.writing() as connection:
            await connection.run_sync(partial(run, parts=parts))
        await database.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    run(given, context.config.attributes["parts"])
else:
    asyncio.run(standalone())
