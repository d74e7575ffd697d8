"""How often PostgreSQL is asked before an urgent entry is answered: each exchange stands before every checkpoint."""

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import check_body, photo, urgent_body
from tests.support.exchanges import asked_by_me
from tests.support.steps import expect, sound
from tests.support.waiting import until_answered

ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)

MOST = 16
"""Statements, beside BEGIN and COMMIT; whoever needs one more says here what for."""


@ON_POSTGRESQL
async def test_an_urgent_entry_is_answered_after_so_many_exchanges(
    app: FastAPI, http: AsyncClient, actors: Actors
):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    await sound(http, submitter)  # from the second on the ledger has hashes to go on from
    gate = app.state.process.gate

    async def cached() -> bool:
        await http.get("/v1/entries", headers=submitter.headers)
        return gate.recall(submitter.headers["Authorization"], None) is not None

    await until_answered(
        cached
    )  # the next request reads the access version for all that wait, in a task of its own
    body = urgent_body(subject={"photo": photo()}, alert={"checkpoints": ["CGK", "DPS", "SUB"]})
    with asked_by_me(app.state.process.runtime) as asked:
        await sound(http, submitter, body)
    assert len(asked) == MOST, "\n".join(asked)
    answer = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(answer, 200)["outcome"] == "refer"


@ON_POSTGRESQL
async def test_pictures_are_stored_as_they_come(runtime: Runtime):
    stored = text(
        "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'blob'::regclass AND attname = 'bytes'"
    )
    async with runtime.reading(SYSTEM) as reader:
        assert (await reader.run(stored)).scalar_one() == "e"
