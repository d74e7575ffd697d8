"""Name keys: in the entry's own transaction, found however a name is spelled, made anew beside the register's use."""

import httpx2
import pytest
from sqlalchemy import delete, func, select, update

from app.access.domain import SYSTEM
from app.db.types import any_of
from app.entries import name_keys, retained
from app.entries.renewal import renew_names
from app.entries.tables import birth_key, name_key
from app.entries.tables import entry as entry_table
from app.identity.births import Birth
from app.identity.spellings import NORM_VERSION
from app.matching.keys import wanted
from app.matching.persons import Asked
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors
from tests.support.bodies import entry_body
from tests.support.steps import submit

MOST = 100


async def found(runtime: Runtime, name: str, born: str | None = None) -> list[str]:
    """Ids of the entries that a traveller's name, and perhaps birth date, leads to."""
    sought = wanted(Asked.of([name], [Birth(date=born)] if born else []))
    async with runtime.reading(SYSTEM) as reader:
        return list((await name_keys.look_up(reader, [sought])).rank(sought, MOST).ids)


async def outdated(runtime: Runtime) -> int:
    async with runtime.reading(SYSTEM) as reader:
        return await name_keys.count_outdated(reader)


async def test_an_entry_is_found_by_its_name_from_its_commit_on(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors
) -> None:
    submitter = await actors.client("submitter")
    subject = {
        "full_name": "Djoko Soesilo Rangkuti",
        "aliases": [{"name": "Sang Naga Wiralodra", "quality": "low"}],
    }
    entry = await submit(http, submitter, entry_body(subject=subject))
    other = await submit(http, submitter, entry_body(subject={"full_name": "Agus Hermawan"}))
    for name in ("Joko Susilo Rangkuti", "RANGKOETI JOKO", "Joko Susillo Rankuti", "Wiralodra Naga"):
        assert await found(runtime, name) == [entry["id"]], name
    assert await found(runtime, "Hermawan Agoes") == [other["id"]]
    assert await found(runtime, "Damanik Wenas") == []
    born = entry["subject"]["birth"]["date"]
    assert await found(runtime, "Rongkati Jaka", born) == [entry["id"]]
    assert await found(runtime, "Damanik Wenas", born) == []


async def test_a_request_that_is_refused_leaves_no_keys(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors
) -> None:
    body = entry_body(subject={"full_name": "Djoko Soesilo Rangkuti"}) | {"starts_on": "2026-13-01"}
    answer = await http.post("/v1/entries", json=body, headers=(await actors.client("submitter")).headers)
    assert answer.status_code == 422
    assert await found(runtime, "Djoko Soesilo Rangkuti") == []


async def test_keys_of_older_rules_are_made_anew_in_small_steps(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, worker: Worker
) -> None:
    submitter = await actors.client("submitter")
    names = [f"Rangkuti Wiralodra {word}" for word in ("Satu", "Dua", "Tiga")]
    ids = [(await submit(http, submitter, entry_body(subject={"full_name": name})))["id"] for name in names]
    async with runtime.writing(SYSTEM) as unit:
        for table in (name_key, birth_key):
            await unit.run(delete(table))
        await unit.run(update(entry_table).values(norm_version=NORM_VERSION - 1))
    assert await found(runtime, "Rangkuti Wiralodra") == []
    assert await outdated(runtime) == 3
    async with runtime.writing(SYSTEM) as unit:
        assert await renew_names(unit, 2) == 2
    assert await outdated(runtime) == 1
    assert await worker.renew_names() == 1
    assert await worker.renew_names() == 0
    assert await outdated(runtime) == 0
    assert sorted(await found(runtime, "Rangkuti Wiralodra")) == sorted(ids)


async def test_a_person_who_was_erased_is_found_no_more_and_gets_no_keys_again(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, worker: Worker
) -> None:
    entry = await submit(
        http, await actors.client("submitter"), entry_body(subject={"full_name": "Rangkuti Wenas"})
    )
    async with runtime.writing(SYSTEM) as unit:
        await retained.erase_person(unit, entry["id"])
        await retained.mark(unit, entry["id"], 2)
        await unit.run(update(entry_table).values(norm_version=0))
    assert await worker.renew_names() == 0
    assert await found(runtime, "Rangkuti Wenas") == []


@pytest.mark.parametrize("key", [-(2**63), -1, 0, 2**63 - 1])
async def test_whole_numbers_of_64_bits_are_looked_up_as_lists(runtime: Runtime, key: int) -> None:
    statement = select(func.count()).select_from(name_key).where(any_of(name_key.c.key, "keys"))
    async with runtime.reading(SYSTEM) as reader:
        assert (await reader.run(statement, {"keys": [key, 7]})).scalar_one() == 0
        assert (await reader.run(statement, {"keys": []})).scalar_one() == 0
