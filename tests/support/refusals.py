"""What a refusal looks like, and that it has changed nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.runtime import Runtime
from app.schema import checks_metadata, metadata

Contents = dict[str, list[Any]]

_RESTLESS = {"presence", "signed_head"}
"""Tables that the service writes by itself."""


def refused(response: httpx2.Response, status: int, slug: str) -> dict[str, str]:
    """The faults, by pointer, of an answer that must be this problem."""
    told = f"{response.status_code}: {response.text}"
    assert response.status_code == status, told
    problem = response.json()
    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", status), told
    return {fault["pointer"]: fault["code"] for fault in problem.get("errors", ())}


@asynccontextmanager
async def nothing_changed(runtime: Runtime) -> AsyncIterator[None]:
    """Hold that the block leaves every table as it was: entries, ledger, audit trail, keys, checks."""
    before = await contents(runtime)
    yield
    after = await contents(runtime)
    assert [name for name in before if before[name] != after[name]] == []


async def contents(runtime: Runtime) -> Contents:
    """Every row of every table."""
    found: Contents = {}
    async with runtime.reading(SYSTEM) as reader:
        for table in metadata.sorted_tables:
            if table.name not in _RESTLESS:
                found[table.name] = sorted(map(tuple, await reader.run(select(table))), key=repr)
    async with runtime.reading_checks(SYSTEM) as reader:
        for table in checks_metadata.sorted_tables:
            found[table.name] = sorted(map(tuple, await reader.run(select(table))), key=repr)
    return found
