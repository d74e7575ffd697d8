"""Whom checks let pass before anybody knew, for tests of look-backs."""

from typing import Any

import httpx2
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.border.lookbacks.tables import lookback as table
from app.runtime import Runtime
from tests.support.actors import Caller
from tests.support.bodies import Json, merged, urgent_body
from tests.support.steps import expect

NAME = "Muhammad Joko Susilo"


def wanted(**given: Any) -> Json:
    """The body of an urgent entry against somebody with a common name and one passport."""
    return urgent_body(subject={"full_name": NAME, "birth": {"date": "1970-05-17"}, **given})


def typed(name: str, born: str = "1970-05-17", **given: Any) -> Json:
    """A question about somebody with another passport."""
    asked: Json = {
        "direction": "exit",
        "document": {"number": "C7654321", "issuing_state": "IDN"},
        "person": {"name": name, "birth_date": born},
    }
    return merged(asked, given)


async def told(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    """What an officer was told of earlier crossings."""
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each for each in items if each["name"] == "crossed_before"]


async def searching(runtime: Runtime) -> list[bool]:
    """Of each search, whether something is left to be done."""
    async with runtime.reading(SYSTEM) as reader:
        return [due is not None for due in (await reader.run(select(table.c.due_at))).scalars()]
