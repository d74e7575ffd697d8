"""A backup holds the register of one moment, and a register that it is put back as goes on in a new epoch."""

import asyncio
import os
import stat
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from alembic import command
from sqlalchemy import Connection

from app.access import store as access
from app.access.clients.revocations import revoke_client, revoke_key
from app.access.domain import SYSTEM
from app.access.pepper import PepperRefused
from app.db.migrate import NEWEST, config, layout, revision
from app.kit.clock import rfc3339
from app.kit.stages import Amount, ReportProgress
from app.ledger.service import HeadMissing, list_after, recompute
from app.main import create_app
from app.maintenance.backups import folder as folders
from app.maintenance.backups import making
from app.maintenance.backups.inventory import FILE, BackupFailed, Inventory, read_inventory
from app.maintenance.backups.making import back_up
from app.maintenance.backups.restoring import accept, restore
from app.maintenance.verification.service import verify
from app.runtime import Runtime
from app.settings import Settings
from app.sync.heads.signing import Signer
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.backups import elsewhere, find_programs, in_silence, put_back
from tests.support.bodies import check_body, urgent_body
from tests.support.changes import draft, write
from tests.support.clock import SettableClock
from tests.support.databases import Run
from tests.support.interleaving import act_after
from tests.support.ledger import root
from tests.support.lifespan import client_of
from tests.support.manifests import manifest_body, read, send, stranger
from tests.support.served import Served
from tests.support.sse import listening
from tests.support.steps import decide, expect, sound

SECRET = "a password that nobody may read"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    find_programs(monkeypatch)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "first"


@pytest.fixture
def new(run: Run, settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Where there is no register yet."""
    with elsewhere(run, settings, tmp_path / "elsewhere") as there:
        yield there


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


def modes(*paths: Path) -> set[int]:
    """The modes of some files."""
    return {stat.S_IMODE(path.stat().st_mode) for path in paths}


def contents(folder: Path) -> bytes:
    """Every byte of a folder's files."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


def serving(settings: Settings, clock: SettableClock) -> Any:
    return client_of(create_app(settings, clock, work=False))


async def page(http: httpx2.AsyncClient, by: Caller, path: str, **asked: Any) -> httpx2.Response:
    return await http.get(path, params=asked, headers=by.headers)


async def test_the_record_of_a_restoration_names_the_head_that_was_signed_before(
    settings: Settings,
    runtime: Runtime,
    actors: Actors,
    clock: SettableClock,
    kept: Path,
    new: Settings,
    auditor: Caller,
) -> None:
    owner = await actors.client("submitter")
    async with serving(settings, clock) as http:
        await sound(http, owner)
        assert (signed := await Signer(runtime).sign()) is not None
        await back_up(runtime, kept, in_silence)
    restored = await put_back(new, kept, clock)
    async with serving(new, clock) as http:
        leaf = expect(await page(http, auditor, "/v1/changes"), 200)["items"][-1]["leaf"]
    assert leaf["old_origin"] == f"cekal.local/{restored.begun.old}"
    assert (leaf["old_size"], leaf["old_root"]) == (signed.size, signed.root.hex())
    again = wired_runtime(new, clock)
    try:
        verified = await verify(again, in_silence)
        assert (verified.differences, verified.unsigned) == ([], verified.records), "under the new origin"
        assert await Signer(again).sign() is not None
        verified = await verify(again, in_silence)
        assert (verified.differences, verified.unsigned, verified.heads) == ([], 0, 2)
    finally:
        await again.close()


async def test_everything_is_there_again_in_a_new_epoch(
    settings: Settings,
    runtime: Runtime,
    actors: Actors,
    clock: SettableClock,
    kept: Path,
    new: Settings,
    carrier: Caller,
) -> None:
    owner, duty, counter = [await actors.client(role) for role in ("submitter", "duty_officer", "checkpoint")]
    auditor, admin = await actors.client("auditor"), await actors.client("admin")
    async with serving(settings, clock) as http:
        first = await sound(http, owner)
        await decide(http, duty, first["entry"], "countersign")
        question = check_body(first["entry"]["subject"])
        asked = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
        once = owner.once("the same")
        repeated = await http.post("/v1/urgent-entries", json=(body := urgent_body()), headers=once)
        photo = await http.get(first["entry"]["subject"]["photo"]["url"], headers=owner.headers)
        flight = await send(http, carrier, manifest_body(stranger()))
        inventory = await back_up(runtime, kept, in_silence)
        before = expect(await page(http, auditor, "/v1/changes"), 200)
        lost = await sound(http, owner)
        cursors = {
            path: expect(await page(http, by, path), 200)["cursor"]
            for path, by in (("/v1/alerts", counter), ("/v1/changes", auditor), ("/v1/notices", duty))
        }
    assert inventory.photos == 2
    assert inventory.ledger.size == before["head"]
    restored = await put_back(new, kept, clock)
    async with serving(new, clock) as http:
        again = expect(await page(http, auditor, "/v1/changes"), 200)
        assert again["items"][:-1] == before["items"]
        record = again["items"][-1]
        assert (record["sequence"], record["type"]) == (before["head"] + 1, "register.restored")
        assert record["leaf"]["old_epoch"] == before["cursor"].partition(".")[0] == restored.begun.old
        assert record["leaf"]["epoch"] == again["cursor"].partition(".")[0] != restored.begun.old
        for path, cursor in cursors.items():
            by = {"/v1/alerts": counter, "/v1/changes": auditor, "/v1/notices": duty}[path]
            gone = expect(await page(http, by, path, after=cursor, wait=5), 410)
            restart = "/v1/snapshot" if path == "/v1/changes" else path
            assert (gone["type"], gone["restart"]) == ("/problems/cursor-gone", restart)
        for path, by in (("/v1/alerts", counter), ("/v1/notices", duty)):
            resumed = {**by.headers, "Last-Event-ID": cursors[path]}
            gone = expect(await http.get(f"{path}/stream", headers=resumed), 410)
            assert gone["restart"] == f"{path}/stream"
        resumed = {**carrier.headers, "Last-Event-ID": flight["cursor"]}
        gone = expect(await http.get(f"/v1/manifests/{flight['id']}/stream", headers=resumed), 410)
        assert gone["restart"] == f"/v1/manifests/{flight['id']}"
        assert (await read(http, carrier, flight))["cursor"] != flight["cursor"]
        for reader in (duty, admin):
            told = expect(await page(http, reader, "/v1/notices"), 200)["items"][-1]
            assert told["name"] == "register_restored"
            assert told["effective_at"] == rfc3339(inventory.moment)
        acts = expect(await page(http, auditor, "/v1/audit", act="register.restored"), 200)["items"]
        assert [(each["detail"]["kept"], each["detail"]["moment"]) for each in acts] == [
            (before["head"], rfc3339(inventory.moment))
        ]
        assert (await http.get(photo.request.url.path, headers=owner.headers)).content == photo.content
        known = expect(await http.get(f"/v1/checks/{asked['id']}", headers=counter.headers), 200)
        assert known["matches"] == asked["matches"]
        expect(await http.get(f"/v1/entries/{lost['entry']['id']}", headers=owner.headers), 404)
        replayed = await http.post("/v1/urgent-entries", json=body, headers=once)
        assert (replayed.content, replayed.headers["idempotency-replayed"]) == (repeated.content, "true")
        later = await sound(http, owner)
        assert later["alert"]["sequence"] == restored.begun.size + 3
        assert expect(await http.get("/readyz"), 200)["checks"]["ledger"] == "ok"


async def test_the_ledgers_tree_goes_on_over_the_restored_records(
    settings: Settings,
    runtime: Runtime,
    actors: Actors,
    clock: SettableClock,
    kept: Path,
    new: Settings,
) -> None:
    owner = await actors.client("submitter")
    async with serving(settings, clock) as http:
        for _ in range(3):
            await sound(http, owner)
    await back_up(runtime, kept, in_silence)
    await put_back(new, kept, clock)
    other = wired_runtime(new, clock)
    async with other.reading(SYSTEM) as reader:
        size, stored = await root(reader)
        tree = await recompute(reader, lambda _done: None)
    await other.close()
    assert (size, stored) == (tree.size, tree.root()) == (7, tree.root())


async def test_what_is_put_back_by_hand_is_no_register_until_it_is_restored(
    settings: Settings,
    runtime: Runtime,
    actors: Actors,
    clock: SettableClock,
    kept: Path,
    new: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = await actors.client("submitter")
    async with serving(settings, clock) as http:
        cursor = (await sound(http, owner))["alert"]["sequence"]
    await back_up(runtime, kept, in_silence)
    await by_hand(new, kept, clock, monkeypatch)
    with pytest.raises(HeadMissing, match="cekal restore"):
        async with serving(new, clock):
            pass
    other = wired_runtime(new, clock)
    try:
        accepted = await accept(other, in_silence)
    finally:
        await other.close()
    assert (accepted.begun.old, accepted.begun.size) == (None, cursor)
    async with serving(new, clock) as http:
        assert (await sound(http, owner))["alert"]["sequence"] == cursor + 3


async def by_hand(
    settings: Settings, kept: Path, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put a backup back without the epoch, as a restore that is cut off in between."""
    if settings.url.startswith("sqlite"):
        for name in ("register.db", "register-checks.db"):
            (settings.data_dir / name).write_bytes((kept / name).read_bytes())
        return

    async def cut_off(*_: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr("app.maintenance.backups.restoring._activate", cut_off)
        with pytest.raises(InterruptedError):
            await put_back(settings, kept, clock)


async def test_accepting_the_database_that_is_there_begins_a_new_epoch(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, counter: Caller
) -> None:
    owner = await actors.client("submitter")
    async with serving(settings, clock) as http:
        await sound(http, owner)
        cursor = expect(await page(http, counter, "/v1/alerts"), 200)["cursor"]
    accepted = await accept(runtime, in_silence)
    assert accepted.begun.old == cursor.partition(".")[0]
    async with serving(settings, clock) as http:
        expect(await page(http, counter, "/v1/alerts", after=cursor), 410)
        assert len(expect(await page(http, counter, "/v1/alerts"), 200)["items"]) == 1


async def test_a_database_whose_ledger_is_damaged_is_not_accepted(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock
) -> None:
    async with serving(settings, clock) as http:
        await sound(http, await actors.client("submitter"))
    for damage in (
        "UPDATE ledger_record SET leaf = '{}' WHERE sequence = 1",
        "UPDATE ledger_head SET size = size + 1",
        "DELETE FROM ledger_record WHERE sequence = 1",
    ):
        async with runtime.register.writing() as connection:
            await connection.exec_driver_sql(damage)
        with pytest.raises(BackupFailed, match="damaged"):
            await accept(runtime, in_silence)


async def test_a_ledger_that_grows_while_it_is_accepted_is_not_called_damaged(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(runtime, [draft("ent_1", 1)])
    chosen = act_after(monkeypatch, "FROM ledger_head", lambda: write(runtime, [draft("ent_1", 2)]))
    accepted = await accept(runtime, in_silence)
    assert (len(chosen), accepted.begun.size) == (1, 2)
    async with runtime.reading(SYSTEM) as reader:
        assert [each.sequence for each in await list_after(reader, 0, 9)] == [1, 2, 3]


async def test_a_running_service_notices_that_its_register_was_restored(
    served: Served, runtime: Runtime, actors: Actors, counter: Caller
) -> None:
    http = served.http
    await sound(http, await actors.client("submitter"))
    async with listening(http, counter.headers) as stream:
        await accept(runtime, in_silence)
        await stream.rest()
    assert "restored" in expect(await http.get("/readyz"), 503)["checks"]["ledger"]
    again = await http.get("/v1/alerts/stream", headers=counter.headers)
    assert expect(again, 503)["type"] == "/problems/register-rolled-back"


async def test_a_long_poll_ends_at_once_with_the_register_that_it_waits_for(
    settings: Settings, runtime: Runtime, clock: SettableClock, counter: Caller
) -> None:
    async with serving(settings, clock) as http:
        cursor = expect(await page(http, counter, "/v1/alerts"), 200)["cursor"]
        begun = await patiently(
            lambda: page(http, counter, "/v1/alerts", after=cursor, wait=30),
            lambda: accept(runtime, in_silence),
        )
        assert expect(begun, 410)["type"] == "/problems/cursor-gone"


async def patiently(
    wait: Callable[[], Awaitable[httpx2.Response]], act: Callable[[], Awaitable[object]]
) -> httpx2.Response:
    """The answer to a request that waits while something is done; within ten seconds."""
    waiting = asyncio.ensure_future(wait())
    await asyncio.sleep(0.3)
    await act()
    async with asyncio.timeout(10):
        return await waiting


@pytest.mark.settings(question_days=30)
async def test_the_inventory_lists_settings_without_secrets_and_where_the_pepper_is(
    settings: Settings, runtime: Runtime, kept: Path
) -> None:
    inventory = await back_up(runtime, kept, in_silence)
    assert inventory == read_inventory(kept)
    assert inventory.settings["question_days"] == 30
    assert inventory.pepper == "CEKAL_KEY_PEPPER"
    assert settings.key_pepper is not None
    assert settings.key_pepper.get_secret_value().encode() not in contents(kept)


async def test_nobody_else_on_the_machine_may_read_a_backup(
    settings: Settings, runtime: Runtime, clock: SettableClock, kept: Path, new: Settings
) -> None:
    before = os.umask(0)
    try:
        await back_up(runtime, kept, in_silence)
        await put_back(new, kept, clock)
    finally:
        os.umask(before)
    assert modes(kept) == {0o700}
    assert modes(*(kept / name for name in names(kept))) == {0o600}
    if new.url.startswith("sqlite"):
        assert modes(*(new.data_dir / name for name in names(new.data_dir))) == {0o600}


async def test_a_folder_that_holds_something_is_left_alone(runtime: Runtime, kept: Path) -> None:
    folders.prepare(kept)
    folders.make_private(kept / "something of somebody's")
    with pytest.raises(BackupFailed, match="not empty"):
        await back_up(runtime, kept, in_silence)
    assert names(kept) == {"something of somebody's"}


async def test_a_register_that_is_there_is_replaced_only_if_that_is_asked_for(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path
) -> None:
    owner = await actors.client("submitter")
    await back_up(runtime, kept, in_silence)
    async with serving(settings, clock) as http:
        lost = await sound(http, owner)
    await runtime.close()
    with pytest.raises(BackupFailed, match="--replace"):
        await put_back(settings, kept, clock)
    restored = await put_back(settings, kept, clock, replace=True)
    assert restored.lost is not None
    assert (restored.lost.records, restored.lost.checks) == (2, 0)
    async with serving(settings, clock) as http:
        expect(await http.get(f"/v1/entries/{lost['entry']['id']}", headers=owner.headers), 404)
    if restored.aside is not None:
        assert {path.name for path in restored.aside.iterdir()} == {"register.db", "register-checks.db"}
        again = settings.model_copy(update={"database_url": f"sqlite:///{restored.aside / 'register.db'}"})
        async with serving(again, clock) as http:
            expect(await http.get(f"/v1/entries/{lost['entry']['id']}", headers=owner.headers), 200)


async def test_a_copy_of_a_tile_is_not_used_after_a_restore_that_has_lost_its_records(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path, auditor: Caller
) -> None:
    """The path is the same in the new epoch, so a cache that answers by itself would show a fork."""
    owner = await actors.client("submitter")
    await back_up(runtime, kept, in_silence)
    async with serving(settings, clock) as http:
        await sound(http, owner)
        signed = await Signer(runtime).sign()
        assert signed is not None
        tiles = [f"/log/tile/{level}/000.p/{signed.size}" for level in ("0", "entries")]
        held = [await http.get(tile, headers=auditor.headers) for tile in tiles]
        for tile, copy in zip(tiles, held, strict=True):
            assert (copy.status_code, copy.headers["cache-control"]) == (200, "private, no-cache")
            again = await ask_again(http, auditor, tile, copy)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["cache-control"] == copy.headers["cache-control"]
    await runtime.close()
    await put_back(settings, kept, clock, replace=True)
    other = wired_runtime(settings, clock)
    try:
        async with serving(settings, clock) as http:
            await sound(http, owner)
            assert await Signer(other).sign() is not None
            for tile, copy in zip(tiles, held, strict=True):
                now = await ask_again(http, auditor, tile, copy)
                assert now.status_code == 200
                assert now.content != copy.content
    finally:
        await other.close()


async def ask_again(
    http: httpx2.AsyncClient, by: Caller, path: str, copy: httpx2.Response
) -> httpx2.Response:
    """What a cache with a copy does before it answers with the copy."""
    return await http.get(path, headers={**by.headers, "if-none-match": copy.headers["etag"]})


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_files_that_a_service_has_open_are_not_replaced(
    settings: Settings, runtime: Runtime, clock: SettableClock, kept: Path
) -> None:
    await back_up(runtime, kept, in_silence)
    async with serving(settings, clock) as http:
        with pytest.raises(BackupFailed, match="in use"):
            await put_back(settings, kept, clock, replace=True)
        expect(await http.get("/readyz"), 200)


def damaged(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize(
    "what", ["damaged", "missing", "no inventory", "cut inventory", "newer", "other engine"]
)
async def test_a_backup_that_is_not_what_its_inventory_says_is_refused(
    settings: Settings,
    runtime: Runtime,
    clock: SettableClock,
    kept: Path,
    new: Settings,
    what: str,
) -> None:
    inventory = await back_up(runtime, kept, in_silence)
    file, listed = kept / next(iter(inventory.files)), kept / FILE
    match what:
        case "damaged":
            damaged(file)
        case "missing":
            file.unlink()
        case "no inventory":
            listed.unlink()
        case "cut inventory":
            listed.write_bytes(listed.read_bytes()[:-200])
        case "newer":
            listed.write_bytes(msgspec.structs.replace(inventory, schema="9999").encoded())
        case _:
            listed.write_bytes(msgspec.structs.replace(inventory, engine="another").encoded())
    with pytest.raises(BackupFailed):
        await put_back(new, kept, clock)
    await nothing_there(new, clock)


async def nothing_there(settings: Settings, clock: SettableClock) -> None:
    """Hold that there is no register, not even a part of one."""
    if settings.url.startswith("sqlite"):
        assert list(settings.data_dir.iterdir()) == []
        return
    other = wired_runtime(settings, clock)
    try:
        async with other.reading(SYSTEM) as reader:
            counted = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            assert (await reader.connection.exec_driver_sql(counted)).scalar_one() == 0
    finally:
        await other.close()


async def test_what_was_written_is_held_against_what_the_register_held(
    runtime: Runtime,
    actors: Actors,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    clock: SettableClock,
) -> None:
    async with serving(settings, clock) as http:
        await sound(http, await actors.client("submitter"))
    copied = making._copied

    async def miscounted(*given: Any) -> Any:
        held = await copied(*given)
        held.rows["entry"] += 1
        return held

    monkeypatch.setattr(making, "_copied", miscounted)
    with pytest.raises(BackupFailed, match="entry has 1 rows, and 2"):
        await back_up(runtime, kept, in_silence)
    assert names(kept.parent) == set()


async def test_a_register_with_a_damaged_ledger_is_not_backed_up_as_if_it_were_well(
    runtime: Runtime, actors: Actors, kept: Path, settings: Settings, clock: SettableClock
) -> None:
    async with serving(settings, clock) as http:
        await sound(http, await actors.client("submitter"))
    async with runtime.register.writing() as connection:
        await connection.exec_driver_sql("UPDATE ledger_record SET leaf = '{}' WHERE sequence = 1")
    with pytest.raises(BackupFailed, match="root"):
        await back_up(runtime, kept, in_silence)
    assert names(kept.parent) == set()


class Killed(BaseException):
    """Nothing of this process goes on."""


async def test_whenever_it_is_killed_there_is_a_whole_backup_or_none(
    runtime: Runtime, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at each step that brings something to the disk, with nothing cleaned up behind it."""
    flush = folders.flush
    monkeypatch.setattr(making, "discard", lambda *_, **__: None)
    whole = 0
    for step in range(20):
        left = step
        folder = kept / str(step)

        def flushed(path: Path) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            flush(path)

        monkeypatch.setattr(folders, "flush", flushed)
        try:
            await back_up(runtime, folder, in_silence)
        except Killed:
            pass
        else:
            assert step > whole
            break
        if (folder / FILE).exists():
            whole = step
            inventory: Inventory = read_inventory(folder)
            assert {path.name for path in folder.iterdir()} == {FILE, *inventory.files}
        else:
            with pytest.raises(BackupFailed, match="no finished backup"):
                read_inventory(folder)
            with pytest.raises(BackupFailed, match=r"unfinished|not empty"):
                await back_up(runtime, folder, in_silence)
    else:
        raise AssertionError("it never came to its end")
    assert whole


async def test_a_backup_can_be_restored_where_the_pepper_is_not_and_says_so(
    settings: Settings, runtime: Runtime, clock: SettableClock, kept: Path, new: Settings
) -> None:
    await back_up(runtime, kept, in_silence)
    bare = new.model_copy(update={"key_pepper": None, "data_dir": kept.parent})
    restored = await put_back(bare, kept, clock)
    assert restored.pepper is not None
    assert "pepper is not on this machine" in restored.pepper
    assert restored.differing == {"key_pepper": ("**********", None)}
    with pytest.raises(PepperRefused):
        async with serving(bare, clock):
            pass


async def older(runtime: Runtime) -> str:
    """Take the schema of a register back to the revision before the newest; gives that."""
    for database, parts in layout(runtime.register, runtime.checks):
        given = config()

        def back(connection: Connection, given: Any = given, parts: frozenset[str] = parts) -> None:
            given.attributes.update(connection=connection, parts=parts)
            command.downgrade(given, "-1")

        async with database.writing() as connection:
            await connection.run_sync(back)
    async with runtime.register.reading() as connection:
        return str(await revision(connection))


async def test_a_register_is_backed_up_before_it_is_upgraded_and_is_up_to_date_once_restored(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path, new: Settings
) -> None:
    owner = await actors.client("submitter")
    async with serving(settings, clock) as http:
        entry = (await sound(http, owner))["entry"]
    before = await older(runtime)
    inventory = await back_up(runtime, kept, in_silence)
    assert inventory.schema == before != NEWEST
    restored = await put_back(new, kept, clock)
    assert restored.schema == before
    async with serving(new, clock) as http:
        expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)


async def test_a_backup_of_other_records_than_its_inventory_says_is_not_taken_into_use(
    settings: Settings, runtime: Runtime, clock: SettableClock, kept: Path, new: Settings
) -> None:
    inventory = await back_up(runtime, kept, in_silence)
    end = msgspec.structs.replace(inventory.ledger, root="00" * 32)
    (kept / FILE).write_bytes(msgspec.structs.replace(inventory, ledger=end).encoded())
    with pytest.raises(BackupFailed, match="root"):
        await put_back(new, kept, clock)
    if settings.url.startswith("sqlite"):
        await nothing_there(new, clock)
        return
    with pytest.raises(HeadMissing):
        async with serving(new, clock):
            pass


async def test_a_backup_of_other_rows_than_its_inventory_says_replaces_nothing(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path
) -> None:
    owner = await actors.client("submitter")
    inventory = await back_up(runtime, kept, in_silence)
    rows = {**inventory.rows, "audit": inventory.rows["audit"] + 1}
    (kept / FILE).write_bytes(msgspec.structs.replace(inventory, rows=rows).encoded())
    await runtime.close()
    with pytest.raises(BackupFailed, match=f"audit has {rows['audit'] - 1} rows, and {rows['audit']} by"):
        await put_back(settings, kept, clock, replace=True)
    async with serving(settings, clock) as http:
        expect(await http.get("/v1/worklist", headers=owner.headers), 200)


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
async def test_what_a_service_that_goes_on_writes_does_not_spoil_the_restore(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path
) -> None:
    """Its worker writes to the audit trail as soon as the restored tables are there."""
    owner = await actors.client("submitter")
    await back_up(runtime, kept, in_silence)
    added = (
        "INSERT INTO audit (id, at, client_id, act, detail) "
        "SELECT 'aud_later', at, client_id, act, detail FROM audit LIMIT 1"
    )

    @contextmanager
    def meddled_with(what: str, _amount: Amount) -> Iterator[ReportProgress]:
        if what == "Checking":
            psql = ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--command={added}", settings.url]
            subprocess.run(psql, check=True, capture_output=True)
        yield lambda _done, _total: None

    restored = await restore(settings, kept, partial(wired_runtime, clock=clock), meddled_with, replace=True)
    assert restored.lost is not None
    async with serving(settings, clock) as http:
        expect(await http.get("/v1/worklist", headers=owner.headers), 200)


async def test_no_process_that_ran_before_can_have_seen_the_restored_access_version(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path, new: Settings
) -> None:
    await back_up(runtime, kept, in_silence)
    for _ in range(3):
        await actors.client("checkpoint")
    await put_back(new, kept, clock)
    other = wired_runtime(new, clock)
    async with runtime.reading(SYSTEM) as before, other.reading(SYSTEM) as after:
        assert await access.version(after) > await access.version(before) + 1000
    await other.close()


async def test_what_was_ended_in_the_register_that_is_replaced_stays_ended(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path
) -> None:
    stolen, leaving, staying = [await actors.client("checkpoint") for _ in range(3)]
    await back_up(runtime, kept, in_silence)
    newer = await actors.client("checkpoint")
    async with runtime.writing(SYSTEM) as unit:
        await revoke_key(unit, stolen.id, stolen.key_id)
        await revoke_client(unit, leaving.id)
        await revoke_client(unit, newer.id)
    await runtime.close()
    restored = await put_back(settings, kept, clock, replace=True)
    assert restored.ended_again == 2
    async with serving(settings, clock) as http:
        for caller, status in ((stolen, 401), (leaving, 401), (newer, 401), (staying, 200)):
            expect(await page(http, caller, "/v1/alerts"), status)


async def test_a_key_that_was_confirmed_and_revoked_after_the_backup_is_not_confirmed_again(
    settings: Settings, runtime: Runtime, actors: Actors, clock: SettableClock, kept: Path
) -> None:
    maker, second = await actors.client("admin"), await actors.client("admin")
    asked = {"name": "auditor", "roles": ["auditor"], "person": "199001012015011001"}
    async with serving(settings, clock) as http:
        account = expect(await http.post("/v1/clients", json=asked, headers=maker.headers), 201)
        path = f"/v1/clients/{account['id']}"
        leaked = expect(await http.post(f"{path}/keys", headers=maker.headers), 201)
        await back_up(runtime, kept, in_silence)
        expect(await http.post(f"{path}/confirmation", headers=second.headers), 201)
        revoked = await http.delete(f"{path}/keys/{leaked['id']}", headers=maker.headers)
        assert revoked.status_code == 204, revoked.text
    await runtime.close()
    restored = await put_back(settings, kept, clock, replace=True)
    assert restored.ended_again == 1
    async with serving(settings, clock) as http:
        expect(await http.post(f"{path}/confirmation", headers=second.headers), 201)
        thief = {"Authorization": f"Bearer {leaked['key']}"}
        expect(await http.get("/v1/agencies", headers=thief), 401)
