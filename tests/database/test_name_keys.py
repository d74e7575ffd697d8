"""Name keys: in the entry's own transaction, found however a name is spelled, made anew beside the register's use."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import delete, func, select, update

from app.access.domain import SYSTEM
from app.casework.retention import service as retention
from app.db import runs
from app.db.runs import Merge
from app.db.types import any_of
from app.identity.births import Birth
from app.identity.spellings import NORM_VERSION
from app.matching.keys import key_query
from app.matching.persons import QueriedPerson
from app.register.entries import erasure_store as retained
from app.register.entries import listing, store
from app.register.entries.names import index as name_keys
from app.register.entries.names.renewal import list_outdated, renew_names
from app.register.entries.service import end_by_law
from app.register.entries.tables import birth_key, name_form, name_key, name_key_set, recent_name_key
from app.register.entries.tables import entry as entry_table
from app.register.entries.tables import key as entry_key
from app.register.lists import takeover
from app.register.lists.un_import import import_list
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from app.worker import Worker
from tests.support.actors import Actors
from tests.support.bodies import entry_body
from tests.support.clock import SettableClock
from tests.support.interleaving import act_after, waits_for_lock
from tests.support.steps import impose, submit
from tests.support.takeovers import TWO, line, ndjson, taken
from tests.support.un_editions import individual, write
from tests.support.waiting import until_answered

MOST = 100
NAMES = ("Rangkuti Wiralodra Pucangan", "Tirtamaya Sagarmukti Lembayung")


@pytest.fixture
async def on_sqlite(sqlite_url: str, clock: SettableClock, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A register on SQLite, where an import's keys wait until they are settled."""
    runtime = wired_runtime(Settings(env="test", database_url=sqlite_url, data_dir=tmp_path), clock)
    yield runtime
    await runtime.close()


async def stored(runtime: Runtime) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Every name key with its entry: those in their place, and those of imports that wait to be settled."""
    async with runtime.reading(SYSTEM) as reader:
        settled = (await reader.run(select(name_key).order_by(*name_key.c))).all()
        in_runs = select(recent_name_key.c.key, recent_name_key.c.entry_id)
        waiting = (await reader.run(in_runs.order_by(*in_runs.selected_columns))).all()
    return [(key, entry_id) for key, entry_id in settled], [(key, entry_id) for key, entry_id in waiting]


async def imported_unsettled(
    runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str, reference: str = "old"
) -> None:
    """Take over entries against these names, by an import that is cut off before it settles their keys."""
    lines = [
        line(f"{reference}-{name}", entry={"subject": {"full_name": name, "aliases": []}}) for name in names
    ]

    async def cut_off(*_: object, **_given: object) -> None:
        raise ConnectionResetError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(listing, "due_merge", cut_off)
        with pytest.raises(ConnectionResetError):
            await taken(runtime, ndjson(folder, *lines))


async def due(runtime: Runtime) -> Merge | None:
    """The merge that moves all waiting keys to their place."""
    async with runtime.reading(SYSTEM) as reader:
        return await name_keys.due(reader, everything=True)


async def move(runtime: Runtime, merge: Merge, place: int) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await name_keys.move(unit, merge, place)


async def found(runtime: Runtime, name: str, born: str | None = None) -> list[str]:
    """Ids of the entries that a traveller's name, and perhaps birth date, leads to."""
    sought = key_query(QueriedPerson.of([name], [Birth(date=born)] if born else []))
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
        assert await renew_names(unit, ids[:2]) == 2
    assert await outdated(runtime) == 1
    assert await worker.renew_names() == 1
    assert await worker.renew_names() == 0
    assert await outdated(runtime) == 0
    assert sorted(await found(runtime, "Rangkuti Wiralodra")) == sorted(ids)


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
async def test_the_renewal_locks_entries_in_the_order_of_other_acts_so_that_none_deadlocks(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors
) -> None:
    submitter = await actors.client("submitter")
    first, second = sorted([(await submit(http, submitter, entry_body()))["id"] for _ in range(2)])

    async def renewed() -> int:
        async with runtime.writing(SYSTEM) as beside:
            return await renew_names(beside, [second, first])

    async with runtime.writing(SYSTEM) as unit:
        await store.lock(unit, first)
        renewal = asyncio.create_task(renewed())
        await until_answered(partial(waits_for_lock, runtime))
        await store.lock(unit, second)
    assert await renewal == 2


async def test_a_person_who_was_erased_is_found_no_more_and_gets_no_keys_again(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, worker: Worker
) -> None:
    entry = await submit(
        http, await actors.client("submitter"), entry_body(subject={"full_name": "Rangkuti Wenas"})
    )
    async with runtime.writing(SYSTEM) as unit:
        await retained.erase_person(unit, entry["id"])
        await retained.store_stage(unit, entry["id"], 2)
        await unit.run(update(entry_table).values(norm_version=0))
    assert await worker.renew_names() == 0
    assert await found(runtime, "Rangkuti Wenas") == []


@pytest.mark.settings(photo_retention_days=30, personal_retention_days=100)
@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
async def test_a_person_who_is_erased_while_keys_are_made_anew_gets_no_keys_again(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    actors: Actors,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = await impose(http, actors, entry_body(subject={"full_name": "Rangkuti Wenas"}))
    clock.set("2028-01-01T00:00:00Z")
    async with runtime.writing(SYSTEM) as unit:
        await end_by_law(unit, entry["id"])
        await unit.run(update(entry_table).values(norm_version=NORM_VERSION - 1))

    async def erase() -> None:
        async with runtime.writing(SYSTEM) as beside:
            assert await retention.erase(beside, entry["id"], retention.Stage.PERSON, runtime.settings)

    chosen = act_after(monkeypatch, "norm_version <", erase)
    async with runtime.writing(SYSTEM) as unit:
        outdated_ids = await list_outdated(unit, None, 2)
        assert chosen
        assert await renew_names(unit, outdated_ids) == 0
    async with runtime.reading(SYSTEM) as reader:
        for table in (entry_key, name_key, birth_key, name_key_set, name_form):
            assert (await reader.run(select(table))).all() == [], table.name
    assert await outdated(runtime) == 0


async def test_the_keys_of_an_import_are_found_once_wherever_they_are_and_settle_in_small_steps(
    on_sqlite: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await imported_unsettled(on_sqlite, tmp_path, monkeypatch, *NAMES)
    ids = {name: await found(on_sqlite, name) for name in NAMES}
    assert all(len(each) == 1 for each in ids.values())
    moved, waiting = await stored(on_sqlite)
    assert (moved, len(waiting) > 30) == ([], True)
    monkeypatch.setattr(runs, "SLICE", 7)
    merge = await due(on_sqlite)
    assert merge is not None
    assert len(merge.starts) >= len(waiting) // 7 - 1
    for place in range(len(merge.starts) + 1):
        await move(on_sqlite, merge, place)
        assert {name: await found(on_sqlite, name) for name in NAMES} == ids
        settled, left = await stored(on_sqlite)
        assert sorted(settled + left) == waiting
    assert await stored(on_sqlite) == (waiting, [])
    assert await due(on_sqlite) is None


async def test_keys_that_an_import_left_when_it_was_cut_off_are_settled_by_the_next(
    on_sqlite: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await imported_unsettled(on_sqlite, tmp_path, monkeypatch, *NAMES)
    _, waiting = await stored(on_sqlite)
    assert (await taken(on_sqlite, ndjson(tmp_path, line("other"))))["added"] == 1
    moved, left = await stored(on_sqlite)
    assert left == []
    assert {*waiting} < {*moved}


async def test_two_imports_at_once_lose_no_key_and_leave_none_waiting(
    runtime: Runtime, processes: list[Runtime], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "STEP", 2)
    monkeypatch.setattr(runs, "FAN", 2)
    monkeypatch.setattr(runs, "SLICE", 5)
    folders = [tmp_path / str(number) for number in range(2)]
    for folder in folders:
        folder.mkdir()
    files = [ndjson(folder, *(line(f"{folder.name}-{number}") for number in range(12))) for folder in folders]
    reports = await asyncio.gather(
        *(taken(each, file) for each, file in zip(processes[:2], files, strict=True))
    )
    assert [report["added"] for report in reports] == [12, 12]
    moved, left = await stored(runtime)
    async with runtime.reading(SYSTEM) as reader:
        packed = list((await reader.run(select(name_key_set.c.packed))).scalars())
    assert (len(moved), left) == (sum(map(len, packed)) // 8, [])


async def test_keys_are_forgotten_wherever_they_are(
    on_sqlite: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await imported_unsettled(on_sqlite, tmp_path, monkeypatch, *NAMES)
    merge = await due(on_sqlite)
    assert merge is not None
    await move(on_sqlite, merge, 0)
    await imported_unsettled(on_sqlite, tmp_path, monkeypatch, "Damanik Wenas", reference="more")
    ids = [entry_id for name in (NAMES[0], "Damanik Wenas") for entry_id in await found(on_sqlite, name)]
    assert len(ids) == 2
    async with on_sqlite.writing(SYSTEM) as unit:
        for entry_id in ids:
            await name_keys.forget(unit, entry_id)
    moved, left = await stored(on_sqlite)
    assert left == []
    assert {entry_id for _, entry_id in moved}.isdisjoint(ids)
    assert {entry_id for _, entry_id in moved} == {*await found(on_sqlite, NAMES[1])}
    for name in (NAMES[0], "Damanik Wenas"):
        assert await found(on_sqlite, name) == []


async def test_the_keys_of_a_published_list_are_in_their_place_at_once(
    on_sqlite: Runtime, tmp_path: Path
) -> None:
    """Nobody would merge them later: an edition is small, and its import merges nothing."""
    await import_list(on_sqlite, write(tmp_path, individual()), TWO)
    moved, left = await stored(on_sqlite)
    assert (len(moved) > 5, left) == (True, [])


@pytest.mark.parametrize("key", [-(2**63), -1, 0, 2**63 - 1])
async def test_whole_numbers_of_64_bits_are_looked_up_as_lists(runtime: Runtime, key: int) -> None:
    statement = select(func.count()).select_from(name_key).where(any_of(name_key.c.key, "keys"))
    async with runtime.reading(SYSTEM) as reader:
        assert (await reader.run(statement, {"keys": [key, 7]})).scalar_one() == 0
        assert (await reader.run(statement, {"keys": []})).scalar_one() == 0
