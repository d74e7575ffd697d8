"""Which schemas a program serves: its own, and a newer one that only adds to it; and that the newest ones only add."""

from typing import Any

import httpx2
import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text

from app.db.migrate import NEWEST, OLDEST, SchemaOutdated, config, layout, require_newest, require_served
from app.initialise import initialise
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.support.clock import SettableClock
from tests.support.lifespan import started

NEWER = "9999"

ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)

Schema = dict[str, dict[str, Any]]


def schema_of(connection: Connection) -> Schema:
    """What a program may rely on: of each table its columns and the rules that a row must satisfy."""
    found = inspect(connection)
    return {
        table: {
            "columns": {each["name"]: each for each in found.get_columns(table)},
            "rules": {
                repr(sorted(rule.items(), key=str))
                for rules in (
                    [found.get_pk_constraint(table)],
                    found.get_unique_constraints(table),
                    found.get_check_constraints(table),
                    found.get_foreign_keys(table),
                    [index for index in found.get_indexes(table) if index["unique"]],
                )
                for rule in rules
            },
        }
        for table in found.get_table_names()
    }


def breaks(before: Schema, after: Schema) -> list[str]:
    """What a program of the schema before could not do with the one after, in order of the tables."""
    found = []
    for table, was in sorted(before.items()):
        now = after.get(table)
        if now is None:
            found.append(f"{table} is gone")
            continue
        for name, column in was["columns"].items():
            kept = now["columns"].get(name)
            if kept is None:
                found.append(f"{table}.{name} is gone")
            elif str(kept["type"]) != str(column["type"]) or (column["nullable"] and not kept["nullable"]):
                found.append(f"{table}.{name} takes less")
        found += [
            f"{table}.{name} must be given"
            for name, column in now["columns"].items()
            if name not in was["columns"] and not column["nullable"] and column["default"] is None
        ]
        if now["rules"] - was["rules"]:
            found.append(f"{table} has new rules")
    return found


async def breaks_since(runtime: Runtime, revision: str) -> list[str]:
    """What a program of a revision could not do with the newest schema; the database is of that revision afterwards."""
    database, parts = layout(runtime.register, runtime.checks)[0]

    def compare(connection: Connection) -> list[str]:
        given = config()
        given.attributes.update(connection=connection, parts=parts)
        newest = schema_of(connection)
        command.downgrade(given, revision)
        return breaks(schema_of(connection), newest)

    async with database.writing() as connection:
        return await connection.run_sync(compare)


@ON_POSTGRESQL
async def test_migrations_since_the_oldest_program_that_is_served_only_add(runtime: Runtime) -> None:
    assert await breaks_since(runtime, OLDEST) == [], (
        f"OLDEST is {OLDEST}: set it to the migration that breaks"
    )


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("revision", "found"),
    [
        ("0044", {"recent_name_key has new rules", "recent_name_key.run must be given"}),
        ("0042", {"notice_mark.told_until is gone", "notice_mark.written_until must be given"}),
    ],
)
async def test_what_would_break_an_older_program_is_found(
    runtime: Runtime, revision: str, found: set[str]
) -> None:
    assert found <= set(await breaks_since(runtime, revision))


def test_a_narrower_column_and_a_table_taken_away_are_found() -> None:
    def table(nullable: bool) -> dict[str, Any]:  # noqa: FBT001 - one flag of an example
        return {"columns": {"a": {"type": "TEXT", "nullable": nullable, "default": None}}, "rules": set()}

    assert breaks({"one": table(True), "two": table(True)}, {"one": table(False)}) == [
        "one.a takes less",
        "two is gone",
    ]
    assert breaks({"one": table(False)}, {"one": table(True), "two": table(True)}) == []


async def newer(runtime: Runtime, comment: str | None) -> None:
    """Make the schema one of a newer program, which says since which revision programs can serve it."""
    for database, _ in layout(runtime.register, runtime.checks):
        async with database.writing() as connection:
            await connection.execute(text(f"UPDATE alembic_version SET version_num = '{NEWER}'"))
            if not database.is_sqlite:
                said = "NULL" if comment is None else f"'{comment}'"
                await connection.execute(text(f"COMMENT ON TABLE alembic_version IS {said}"))


@ON_POSTGRESQL
async def test_a_newer_schema_is_served_where_it_only_adds_and_no_command_changes_it(
    runtime: Runtime,
) -> None:
    await newer(runtime, NEWEST)
    await require_served(runtime.register, runtime.checks)
    with pytest.raises(SchemaOutdated, match="of a newer program than this one"):
        await require_newest(runtime.register, runtime.checks)
    with pytest.raises(SchemaOutdated, match="of a newer program than this one"):
        await initialise(runtime)


@pytest.mark.parametrize("comment", [NEWER, None], ids=["too new", "not said"])
async def test_a_newer_schema_is_refused_where_it_takes_something_away_or_does_not_say(
    runtime: Runtime, comment: str | None
) -> None:
    await newer(runtime, comment)
    with pytest.raises(SchemaOutdated, match="of a newer program than this one"):
        await require_served(runtime.register, runtime.checks)


async def test_a_running_process_is_ready_as_long_as_it_can_serve_the_schema(
    http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    served = "outdated: run `cekal migrate`" if runtime.register.is_sqlite else "ok"
    for comment, said in ((NEWEST, served), (NEWER, "outdated: run `cekal migrate`")):
        await newer(runtime, comment)
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["schema"]) == (200 if said == "ok" else 503, said)


@ON_POSTGRESQL
async def test_a_process_of_an_older_program_starts_while_it_can_serve_the_schema(
    settings: Settings, clock: SettableClock, runtime: Runtime
) -> None:
    await newer(runtime, NEWEST)
    async with started(create_app(settings, clock, work=False)):
        pass
    await newer(runtime, NEWER)
    with pytest.raises(SchemaOutdated):
        async with started(create_app(settings, clock, work=False)):
            pytest.fail("it must not start")


@ON_POSTGRESQL
async def test_migrate_says_since_which_revision_programs_can_serve_the_schema(runtime: Runtime) -> None:
    await newer(runtime, None)
    database, _ = layout(runtime.register, runtime.checks)[0]
    async with database.writing() as connection:
        await connection.execute(text(f"UPDATE alembic_version SET version_num = '{NEWEST}'"))
    await initialise(runtime)
    async with database.reading() as connection:
        said = (
            await connection.execute(text("SELECT obj_description('alembic_version'::regclass)"))
        ).scalar_one()
    assert said == OLDEST
