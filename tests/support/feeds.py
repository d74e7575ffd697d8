"""What everybody can read of what happened: alerts and records."""

import httpx2

from tests.support.actors import Caller
from tests.support.steps import Json, expect


async def alerts(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    """Every alert from the beginning."""
    told: list[Json] = expect(await http.get("/v1/alerts", headers=by.headers), 200)["items"]
    return told


async def records(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    """Every record of the ledger."""
    told: list[Json] = expect(await http.get("/v1/changes", headers=by.headers), 200)["items"]
    return told
