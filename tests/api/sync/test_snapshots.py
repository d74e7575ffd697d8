"""Snapshots of the register and its digests: what is in them, for which readers, and when they go."""

import asyncio
import json
import logging
import sys
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import delete, text, update

from app.access.domain import SYSTEM
from app.ledger import service as ledger
from app.ledger.domain import Draft, RecordType
from app.ledger.tables import record
from app.runtime import Runtime
from app.sync.snapshots import files, store
from app.sync.snapshots.files import Snapshots
from app.sync.snapshots.making import Made, Order
from app.sync.snapshots.service import compute
from app.sync.snapshots.starting import have_made
from app.sync.snapshots.tables import sealed_digest
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.changes import draft, write
from tests.support.clock import SettableClock
from tests.support.feeds import records as feed
from tests.support.snapshots import LINES, PATH, Copy, decompressed, digest, proven, read, sealed, snapshot
from tests.support.steps import expect

GRANTED, ENDED = RecordType.CLEARANCE_GRANTED, RecordType.CLEARANCE_ENDED


def clearance(name: str, entry_id: str, kind: RecordType = GRANTED) -> Draft:
    return Draft(
        kind, entry_id, 1, "KPK", {"clearance_id": name}, {"bearer": name} if kind is GRANTED else {}
    )


def gone(entry_id: str, number: int) -> Draft:
    return Draft(RecordType.ENTRY_ENDED, entry_id, number, "KPK", {"number": number}, {}, tombstone=True)


async def test_a_snapshot_has_what_is_listed_and_its_last_line_proves_it(
    http: httpx2.AsyncClient, worker: Worker, runtime: Runtime, actors: Actors, auditor: Caller
) -> None:
    missing = await http.get(PATH, headers=auditor.headers)
    assert (expect(missing, 404)["type"], missing.headers["retry-after"]) == ("/problems/not-found", "60")
    await write(
        runtime,
        [
            *(draft("ent_2", 1), draft("ent_1", 1), draft("ent_3", 1, "BNN"), gone("ent_2", 2)),
            *(clearance("clr_b", "ent_1"), clearance("clr_a", "ent_1"), clearance("clr_c", "ent_3")),
            *(clearance("clr_b", "ent_1", ENDED), draft("ent_1", 2), clearance("clr_d", "ent_1")),
        ],
    )
    await sealed(worker, http, actors)
    first, records, last = await snapshot(http, auditor)
    proven(first, records, last)
    assert [each["sequence"] for each in records] == [9, 6, 10, 3, 7]
    assert (first["sequence"], last["seal"]["sequence"], last["entries"]) == (10, 11, 2)
    assert first["cursor"].endswith(".10")
    after = expect(await http.get(f"/v1/changes?after={first['cursor']}", headers=auditor.headers), 200)
    assert [(each["sequence"], each["type"]) for each in after["items"]] == [(11, "seal")]
    assert after["items"][0] == last["seal"]

    answered = expect(await http.get("/v1/digest", headers=auditor.headers), 200)
    assert (answered["root"], answered["buckets"]) == digest(records)
    assert (answered["seal"], answered["records"], answered["entries"]) == (11, 5, 2)
    assert answered == expect(await http.get("/v1/digest?sequence=10", headers=auditor.headers), 200)
    unsealed = expect(await http.get("/v1/digest?sequence=9", headers=auditor.headers), 404)
    assert unsealed["sealed"] == 10


async def test_files_of_others_in_the_folder_are_ignored_and_stay(
    http: httpx2.AsyncClient, worker: Worker, runtime: Runtime, actors: Actors, auditor: Caller
) -> None:
    folder = runtime.settings.data_dir / files.FOLDER
    folder.mkdir()
    foreign = [folder / name for name in ("copy.ndjson.zst", "a~b~c~d~e~f.ndjson.zst", "notes.txt")]
    for path in foreign:
        path.write_bytes(b"of somebody else")
    await write(runtime, [draft("ent_1", 1)])
    await sealed(worker, http, actors)
    _, records, _ = await snapshot(http, auditor)
    assert len(records) == 1
    await Snapshots(runtime).tidy()
    assert {*foreign} <= {*folder.iterdir()}


async def test_each_scope_gets_its_own_and_all_compute_one_digest(
    http: httpx2.AsyncClient, worker: Worker, runtime: Runtime, actors: Actors, auditor: Caller
) -> None:
    await write(runtime, [draft("ent_1", 1), draft("ent_2", 1, "BNN"), draft("ent_3", 1)])
    async with runtime.writing(SYSTEM) as unit:
        await ledger.close(unit, "ent_3")
    await sealed(worker, http, actors)
    shown = {}
    for agency in ("KPK", "BNN", "IMIGRASI"):
        reader = await actors.client("integrator", agency=agency)
        first, records, last = await snapshot(http, reader)
        proven(first, records, last)
        shown[agency] = [each["withheld"] for each in records]
        assert [each["personal"] is None for each in records] == [each is not None for each in shown[agency]]
    assert shown == {
        "KPK": [None, "scope", "scope"],
        "BNN": ["scope", None, "scope"],
        "IMIGRASI": [None, None, "scope"],
    }
    assert [each["withheld"] for each in (await snapshot(http, auditor))[1]] == [None, None, "scope"]
    for role in ("submitter", "checkpoint", "carrier"):
        expect(await http.get(PATH, headers=(await actors.client(role)).headers), 403)
    expect(await http.post(PATH, headers=auditor.headers), 403)


async def test_it_is_a_file_of_parts_that_never_changes(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    actors: Actors,
    auditor: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "_AT_ONCE", 100)
    await write(runtime, [draft(f"ent_{n:03}", 1) for n in range(250)])
    await sealed(worker, http, actors)
    whole = await http.get(PATH, headers=auditor.headers)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "application/zstd")
    assert int(whole.headers["content-length"]) == len(whole.content)
    first, records, last = read(decompressed(whole.content))
    proven(first, records, last)
    assert len(records) == 250, "several pages"
    etag = whole.headers["etag"]
    asked = {**auditor.headers, "Range": "bytes=100-", "If-Range": etag}
    rest = await http.get(PATH, headers=asked)
    assert rest.status_code == 206
    assert rest.content == whole.content[100:]
    assert rest.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
    other = await http.get(PATH, headers={**asked, "If-Range": '"9-0123456789ab"'})
    assert (other.status_code, other.content) == (200, whole.content)
    beyond = await http.get(PATH, headers={**auditor.headers, "Range": f"bytes={len(whole.content)}-"})
    assert expect(beyond, 416)["type"] == "/problems/range-not-satisfiable"
    same = await http.get(PATH, headers={**auditor.headers, "If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    head = await http.head(PATH, headers=auditor.headers)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", etag)
    assert head.headers["content-length"] == str(len(whole.content))
    lines = await http.get(PATH, headers={**auditor.headers, "Accept": LINES, "Range": "bytes=100-"})
    assert lines.content == decompressed(whole.content)
    assert lines.headers["etag"] != etag
    assert lines.headers["accept-ranges"] == "none"
    held = {**auditor.headers, "Accept": LINES, "If-None-Match": lines.headers["etag"]}
    assert (await http.get(PATH, headers=held)).status_code == 304


async def test_it_is_sealed_when_news_are_an_hour_old_or_an_admin_asks(
    http: httpx2.AsyncClient, worker: Worker, runtime: Runtime, actors: Actors, clock: SettableClock
) -> None:
    admin = await actors.client("admin")
    assert not await worker.seal_digest(), "an empty register"
    await write(runtime, [draft("ent_1", 1)])
    clock.advance(timedelta(minutes=59))
    assert not await worker.seal_digest()
    clock.advance(timedelta(minutes=1))
    assert await worker.seal_digest()
    clock.advance(timedelta(hours=5))
    assert not await worker.seal_digest(), "nothing is new: its own seal is no news"
    assert expect(await http.post(PATH, headers=admin.headers), 202) == {"newest": 1}
    assert not await worker.seal_digest()
    await write(runtime, [draft("ent_1", 2)])
    assert not await worker.seal_digest(), "the order was carried out: nothing was new then"
    expect(await http.post(PATH, headers=admin.headers), 202)
    expect(await http.post(PATH, headers=admin.headers), 202)
    assert await worker.seal_digest()
    assert not await worker.seal_digest(), "two orders are one"
    trail = await http.get("/v1/audit?act=snapshot.ordered", headers=(await actors.client("auditor")).headers)
    assert len(expect(trail, 200)["items"]) == 3


async def test_it_is_sealed_by_a_process_that_lived_through_a_restore(
    worker: Worker, runtime: Runtime, clock: SettableClock
) -> None:
    await write(runtime, [draft(f"ent_{number}", 1) for number in range(5)])
    clock.advance(hours=1)
    assert await worker.seal_digest()
    assert not await worker.seal_digest()
    async with runtime.writing(SYSTEM) as unit:  # the state of a backup with two records, and a new epoch
        for statement in (
            "DELETE FROM sealed_digest",
            "DELETE FROM ledger_record WHERE sequence > 2",
            'DELETE FROM ledger_node WHERE ("index" + 1) * (1 << level) > 2',
            "UPDATE ledger_head SET size = 2, epoch = 'restored'",
        ):
            await unit.run(text(statement))
    await write(runtime, [draft("ent_9", 1)])
    clock.advance(hours=1)
    assert await worker.seal_digest()


@pytest.mark.parametrize("act", ["erase_of_entry", "close"])
async def test_a_file_goes_when_something_in_it_is_erased_or_sealed(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    actors: Actors,
    auditor: Caller,
    tmp_path: Path,
    act: str,
) -> None:
    await write(runtime, [draft("ent_1", 1), draft("ent_2", 1), draft("ent_3", 1), gone("ent_3", 2)])
    await sealed(worker, http, actors)
    before = await http.get(PATH, headers=auditor.headers)
    (file,) = (tmp_path / "snapshots").glob("*.zst")
    assert file.stat().st_mode & 0o777 == 0o600
    tidy = Snapshots(runtime).tidy
    async with runtime.writing(SYSTEM) as unit:
        await getattr(ledger, act)(unit, "ent_3")
    await tidy()
    assert file.exists(), "what was over before is not in it"
    async with runtime.writing(SYSTEM) as unit:
        await getattr(ledger, act)(unit, "ent_1")
    after = await http.get(
        PATH, headers={**auditor.headers, "Range": "bytes=9-", "If-Range": before.headers["etag"]}
    )
    assert after.status_code == 200, "another file: the begun one can't be resumed"
    first, records, last = read(decompressed(after.content))
    proven(first, records, last)
    why = "erased" if act == "erase_of_entry" else "scope"
    assert [each["withheld"] for each in records] == [why, None]
    assert b"ent_1 1" not in decompressed(after.content)
    await tidy()
    assert not file.exists()


async def test_what_is_erased_while_it_is_made_is_not_served(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    actors: Actors,
    auditor: Caller,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    await write(runtime, [draft("ent_1", 1)])
    await sealed(worker, http, actors)

    async def erased_behind(order: Order) -> Made:
        made = await have_made(order)
        async with runtime.writing(SYSTEM) as unit:
            await ledger.erase_of_entry(unit, "ent_1")
        return made

    monkeypatch.setattr(files, "have_made", erased_behind)
    refused = await http.get(PATH, headers=auditor.headers)
    assert expect(refused, 503)["type"] == "/problems/unavailable"
    assert not list((tmp_path / "snapshots").glob("*.*"))
    monkeypatch.undo()
    assert [each["withheld"] for each in (await snapshot(http, auditor))[1]] == ["erased"]


async def test_what_can_not_be_made_leaves_no_file_and_is_logged(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    actors: Actors,
    auditor: Caller,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await write(runtime, [draft("ent_1", 1)])
    await sealed(worker, http, actors)

    async def failing(order: Order) -> Made:
        order.database = "file:/nowhere?mode=ro" if order.is_sqlite else "postgresql://127.0.0.1:1/none"
        return await have_made(order)

    monkeypatch.setattr(files, "have_made", failing)
    expect(await http.get(PATH, headers=auditor.headers), 503)
    assert not list((tmp_path / "snapshots").glob("*.*"))
    (logged,) = [each for each in caplog.records if each.name == "app.sync.snapshots.files"]
    assert logged.exc_info is not None
    assert "Error" in str(logged.exc_info[1])
    monkeypatch.undo()
    assert len((await snapshot(http, auditor))[1]) == 1


async def test_what_nobody_waits_for_is_ended(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def noted(*command: str, **streams: int) -> asyncio.subprocess.Process:
        started.append(await start(sys.executable, "-c", "import time; time.sleep(600)", **streams))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    async with runtime.reading(SYSTEM) as reader:
        statements = ledger.driver_statements(reader.connection.dialect)
    order = Order("", "all", 1, b"", b"", "", is_sqlite=True, seconds=1, statements=statements, at_once=1)
    waiting = asyncio.create_task(have_made(order))
    while not started:  # noqa: ASYNC110 - another task starts it
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert started[0].returncode is not None
    assert started[0].returncode < 0


async def test_three_processes_make_one_file(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    processes: list[Runtime],
    actors: Actors,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await write(runtime, [draft(f"ent_{n:03}", 1) for n in range(120)])
    await sealed(worker, http, actors)
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "of-a-killed-one.begun").write_bytes(b"half")
    caplog.set_level(logging.INFO, "app.sync.snapshots")
    made = await asyncio.gather(*(Snapshots(each).make("all") for each in processes))
    assert len({each.path for each in made}) == 1
    assert [path.name for path in (tmp_path / "snapshots").glob("*.*")] == [made[0].path.name]
    assert [each.message for each in caplog.records] == ["a snapshot was made"]


async def test_an_altered_state_is_neither_sealed_nor_served(
    http: httpx2.AsyncClient, worker: Worker, runtime: Runtime, actors: Actors, auditor: Caller
) -> None:
    await write(runtime, [draft("ent_1", 1), draft("ent_2", 1)])
    await sealed(worker, http, actors)
    await write(runtime, [draft("ent_3", 1)])
    async with runtime.writing(SYSTEM) as unit:
        leaf = record.c.leaf
        (text,) = (
            await unit.run(record.select().with_only_columns(leaf).where(record.c.sequence == 2))
        ).one()
        altered = json.dumps({**json.loads(text), "agency": "BNN"}, sort_keys=True, separators=(",", ":"))
        await unit.run(update(record).where(record.c.sequence == 2).values(leaf=altered, agency="BNN"))
    expect(await http.get(PATH, headers=auditor.headers), 503)
    expect(await http.post(PATH, headers=(await actors.client("admin")).headers), 202)
    assert not await worker.seal_digest()
    assert worker.digest_sealer.failing is not None
    assert "record 2" in worker.digest_sealer.failing


@pytest.mark.parametrize("altered", [False, True])
async def test_a_digest_that_was_sealed_without_the_hash_of_the_leaves_is_computed_again(
    http: httpx2.AsyncClient, worker: Worker, runtime: Runtime, auditor: Caller, *, altered: bool
) -> None:
    await write(runtime, [draft("ent_1", 1), draft("ent_2", 1)])
    computed = await compute(runtime, 2)
    async with runtime.writing(SYSTEM) as unit:
        before = Draft(RecordType.SEAL, None, None, None, {"seal": computed.digest.seal}, {})
        (seal,) = await ledger.append(unit, [before])
        await store.add(unit, computed.digest, seal.sequence)
    assert await worker.sign_head()
    if altered:
        async with runtime.writing(SYSTEM) as unit:
            await unit.run(update(record).where(record.c.sequence == 2).values(leaf=record.c.leaf + " "))
    answer = await http.get(PATH, headers={**auditor.headers, "Accept": LINES})
    if altered:
        expect(answer, 503)
    else:
        _, records, last = read(answer.content)
        assert digest(records)[0] == last["digest"] == last["seal"]["leaf"]["seal"]["root"]


DAMAGES = {
    "a leaf that is no JSON": (
        update(record).where(record.c.sequence == 2).values(leaf="{"),
        "a leaf can't be read",
    ),
    "a leaf that is another": (
        update(record).where(record.c.sequence == 2).values(leaf=record.c.leaf + " "),
        "are not those whose digest was sealed",
    ),
    "a record that is gone": (
        delete(record).where(record.c.sequence == 2),
        "are not those whose digest was sealed",
    ),
    "a stored digest": (
        update(sealed_digest).values(buckets=bytes(8192)),
        "is not the one that record 4 seals",
    ),
    "the number of records": (
        update(sealed_digest).values(records=4),
        "are not those whose digest was sealed",
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
async def test_what_was_damaged_since_the_seal_is_not_served(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    actors: Actors,
    auditor: Caller,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    await write(runtime, [draft(f"ent_{number}", 1) for number in range(3)])
    await sealed(worker, http, actors)
    statement, why = DAMAGES[what]
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(statement)
    expect(await http.get(PATH, headers=auditor.headers), 503)
    (logged,) = [each for each in caplog.records if each.name == "app.sync.snapshots.files"]
    assert logged.exc_info is not None
    assert why in str(logged.exc_info[1])


async def test_a_copy_of_a_snapshot_and_of_all_changes_are_the_same(
    http: httpx2.AsyncClient, auditor: Caller, worker: Worker, runtime: Runtime, actors: Actors
) -> None:
    await write(runtime, [draft("ent_1", 1), clearance("clr_1", "ent_1"), draft("ent_2", 1)])
    await sealed(worker, http, actors)
    await write(runtime, [gone("ent_1", 2), draft("ent_2", 2), draft("ent_4", 1)])
    first, records, _ = await snapshot(http, auditor)
    begun, whole = Copy(), Copy()
    for each in records:
        begun.take(each)
    for each in await feed(http, auditor):
        whole.take(each)
        if each["sequence"] > first["sequence"]:
            begun.take(each)
    assert (begun.entries, begun.clearances) == (whole.entries, whole.clearances)
    assert digest(begun.records) == digest(whole.records)
