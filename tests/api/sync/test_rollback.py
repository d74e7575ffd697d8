"""A register that was put back to an earlier state notices it by its mark, and takes nothing until it is accepted."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, update

from app.access.domain import SYSTEM, Role
from app.db.rollback import Rollback
from app.errors import RolledBack
from app.ledger.domain import Draft, RecordType
from app.ledger.tables import head as head_table
from app.maintenance.backups.finishing import finish
from app.maintenance.backups.restoring import Restored, accept
from app.maintenance.verification.service import verify
from app.runtime import Runtime
from app.settings import Settings
from app.sync.heads.keeper import keeper_of
from app.sync.heads.markfile import mark_path, replace_mark
from app.sync.heads.signing import Signer
from app.sync.heads.tables import log_origin
from app.sync.witnesses.domain import Witness
from app.web.openapi_examples import examples
from app.wiring import wired_runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.backups import in_silence
from tests.support.bodies import check_body
from tests.support.clock import SettableClock
from tests.support.interleaving import act_after
from tests.support.ledger import roll_back
from tests.support.steps import Json, expect, sound

CHECKS = {("post", "/v1/checks"), ("post", "/v1/checks/batch")}
ROLES = Path(__file__).parents[3] / "docs" / "roles.md"


@pytest.fixture
async def size(http: httpx2.AsyncClient, worker: Worker, owner: Caller) -> int:
    """The size of the register with three urgent entries, which is signed and marked."""
    for _ in range(3):
        await sound(http, owner)
    assert await worker.sign_head()
    await look(worker.runtime)
    mark = keeper_of(worker.runtime).mark
    assert mark is not None
    return mark.size


@dataclass(frozen=True, slots=True)
class MarkFile:
    """The file of a mark."""

    path: Path

    @property
    def content(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    @property
    def mode(self) -> int:
        return self.path.stat().st_mode & 0o777

    @property
    def origin(self) -> str:
        return self.path.read_text().partition("\n")[0]

    def put(self, content: bytes | None) -> None:
        self.path.unlink(missing_ok=True)
        if content is not None:
            self.path.write_bytes(content)

    def put_aside(self) -> list[bytes]:
        return [each.read_bytes() for each in self.path.parent.glob("register.mark.unusable-*")]


@pytest.fixture
def mark(settings: Settings) -> MarkFile:
    return MarkFile(mark_path(settings))


@pytest.fixture
def elsewhere(tmp_path: Path) -> MarkFile:
    """The mark of another machine, which is missing until that one writes it."""
    return MarkFile(tmp_path / "elsewhere.mark")


async def put_back(runtime: Runtime, size: int) -> None:
    async with runtime.writing(SYSTEM, always=True) as unit:
        await roll_back(unit, size)


async def look(runtime: Runtime) -> str | None:
    """What a process finds in its next round."""
    await keeper_of(runtime).round(runtime)
    return None if runtime.rollback is None else str(runtime.rollback)


@asynccontextmanager
async def machine(settings: Settings, clock: SettableClock, mark: MarkFile) -> AsyncIterator[Runtime]:
    """A process of a machine with this mark."""
    runtime = wired_runtime(settings.model_copy(update={"mark_file": mark.path}), clock)
    yield runtime
    await runtime.close()


async def restored(settings: Settings, clock: SettableClock) -> Restored:
    """What `cekal restore` does with a database that was found."""
    async with machine(settings, clock, MarkFile(mark_path(settings))) as runtime:
        done = await accept(runtime, in_silence)
        await finish(runtime)
    return done


def record() -> Draft:
    """A record for the ledger."""
    return Draft(
        type=RecordType.REGISTER_RESTORED, entry_id=None, version=None, agency=None, facts={}, personal={}
    )


async def write(runtime: Runtime) -> None:
    """Make an account, which adds nothing to the ledger."""
    await Actors(runtime).client("auditor")


def authorised() -> dict[tuple[str, str], str]:
    """A role for each call, by docs/roles.md."""
    rows = [re.split(r"\s*\|\s*", line)[1:-1] for line in ROLES.read_text().splitlines() if line[:1] == "|"]
    roles = rows[0][1:-1]
    found = {}
    for call, *cells in rows[2:]:
        method, path = call.strip("`").split(" ")
        allowed = [role for role, cell in zip(roles, cells, strict=False) if cell != "-"]
        found[method.lower(), path] = allowed[0] if allowed else ""
    return found


def writes(document: Json) -> Iterator[tuple[str, str, Any]]:
    """Each call that may write, with the first example of its body."""
    known = examples()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"post", "put", "patch", "delete"}:
                bodies = known.get(operation["operationId"], {"": {"value": {}}})
                yield method, path, next(iter(bodies.values()))["value"]


async def test_every_write_is_refused_and_checks_go_on(
    http: httpx2.AsyncClient, app: FastAPI, worker: Worker, actors: Actors, counter: Caller, size: int
) -> None:
    callers = {role.value: await actors.client(role) for role in Role}
    runtime, roles = worker.runtime, authorised()
    await put_back(runtime, size - 1)
    assert f"{size} records of cekal.local/" in str(await look(runtime))
    document = (await http.get("/v1/openapi.json")).json()
    taken = set()
    for method, path, body in writes(document):
        headers = {**callers[roles[method, path]].on('"1"'), "Content-Type": "application/json"}
        if path.endswith("urgent-entries"):
            headers["Idempotency-Key"] = "refused"
        where = re.sub(r"{(\w+)}", r"no_\1", path)
        answer = await http.request(method.upper(), where, content=json.dumps(body), headers=headers)
        if answer.is_success:
            taken.add((method, path))
            continue
        assert expect(answer, 503)["type"] == "/problems/register-rolled-back", (method, path)
        assert answer.headers["retry-after"] == "60"
    assert taken == CHECKS
    listed = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"][0]["entry"]
    check = {"json": check_body(listed), "headers": counter.headers}
    asked = expect(await http.post("/v1/checks", **check), 200)
    assert asked["registry"]["stale"] is True
    again = expect(await http.get(f"/v1/checks/{asked['id']}", headers=counter.headers), 200)
    assert again == asked, "it is stored with the check"
    photo = await http.get(asked["matches"][0]["photo"], headers=counter.headers)
    assert photo.status_code == 200, "a counter that refers somebody sees the person"
    for path, role in (
        ("/v1/alerts", "checkpoint"),
        ("/v1/hits", "supervisor"),
        ("/v1/changes", "integrator"),
    ):
        expect(await http.get(path, headers=callers[role].headers), 200)


async def test_it_says_so_and_does_nothing_by_itself(
    http: httpx2.AsyncClient, worker: Worker, actors: Actors, clock: SettableClock, size: int
) -> None:
    officers = [await actors.client("duty_officer"), await actors.client("admin")]
    runtime = worker.runtime
    worker.pusher.witnesses = [Witness("http://witness.example", ())]
    assert await worker.pusher.due()
    runtime.settle(Rollback("", size, size - 1))
    assert await worker.pusher.due() == []
    assert await look(runtime) is None
    assert expect(await http.get("/readyz"), 200)["rolled_back"] is None
    await put_back(runtime, size - 1)
    await look(runtime)
    await look(runtime)
    ready = expect(await http.get("/readyz"), 200)
    said = ready["rolled_back"]
    assert (said["problem"], said["known_size"], said["size"]) == ("register-rolled-back", size, size - 1)
    assert said["origin"].startswith("cekal.local/")
    for officer in officers:
        items = expect(await http.get("/v1/notices", headers=officer.headers), 200)["items"]
        assert [each["name"] for each in items].count("register_rolled_back") == 1
    metrics = (await http.get("/metrics", headers=officers[1].headers)).text
    assert "cekal_register_rolled_back 1.0" in metrics
    verified = await verify(runtime, in_silence)
    assert ("mark", False) in [(each.where, verified.holds) for each in verified.differences]
    clock.advance(hours=24 * 40)  # every urgent entry would lapse
    assert (await worker.end_by_law(), await worker.notify_officers(), await worker.retain()) == (0, 0, 0)
    with pytest.raises(RolledBack):
        await worker.sign_head()
    await worker.tidy()


async def test_a_restore_goes_on_in_a_new_epoch_with_a_new_mark(
    http: httpx2.AsyncClient,
    worker: Worker,
    settings: Settings,
    clock: SettableClock,
    owner: Caller,
    auditor: Caller,
    size: int,
    mark: MarkFile,
) -> None:
    assert mark.mode == 0o600
    cursor = expect(await http.get("/v1/changes", headers=auditor.headers), 200)["cursor"]
    before = mark.content
    await put_back(worker.runtime, size - 2)
    assert await look(worker.runtime)
    done = await restored(settings, clock)
    assert done.conceded is not None
    assert (done.conceded.known, done.conceded.lost) == (size, 2)
    assert mark.content != before
    assert mark.origin == f"cekal.local/{done.begun.new}"
    assert await look(worker.runtime) is None
    await sound(http, owner)
    gone = await http.get("/v1/changes", params={"after": cursor}, headers=auditor.headers)
    assert expect(gone, 410)["type"] == "/problems/cursor-gone"
    records = expect(await http.get("/v1/changes", headers=auditor.headers), 200)["items"]
    (record,) = [each for each in records if each["type"] == "register.restored"]
    assert record["leaf"]["old_epoch"] == done.begun.old
    assert expect(await http.get("/readyz"), 503)["rolled_back"] is None, (
        "this process is to be started again"
    )


async def test_a_command_and_a_process_that_starts_notice_it_before_they_write(
    worker: Worker, settings: Settings, clock: SettableClock, size: int, mark: MarkFile
) -> None:
    await put_back(worker.runtime, size - 1)
    async with machine(settings, clock, mark) as command:
        with pytest.raises(RolledBack, match=r"cekal restore"):
            await write(command)


async def test_a_failure_of_the_database_makes_the_next_write_compare_first(
    worker: Worker, size: int
) -> None:
    await put_back(worker.runtime, size - 1)
    await write(worker.runtime)  # within the second until the next round
    with pytest.raises(TimeoutError):
        async with worker.runtime.reading(SYSTEM):
            raise TimeoutError
    with pytest.raises(RolledBack):
        await write(worker.runtime)


async def test_no_head_is_signed_that_contradicts_one_which_was_signed(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, size: int, mark: MarkFile
) -> None:
    """Also where the mark has not got it yet: two heads of one origin would end the log."""
    await sound(http, owner)
    assert await worker.sign_head()
    await put_back(worker.runtime, size)
    with pytest.raises(RolledBack):
        await worker.sign_head()
    with pytest.raises(RolledBack):
        await write(worker.runtime)


async def test_one_machine_that_knows_stops_the_others(
    http: httpx2.AsyncClient,
    worker: Worker,
    settings: Settings,
    clock: SettableClock,
    owner: Caller,
    size: int,
    elsewhere: MarkFile,
) -> None:
    """A machine with a new disk has no mark: it goes on writing until another one has looked."""
    knowing = worker.runtime
    await put_back(knowing, size - 2)
    async with machine(settings, clock, elsewhere) as other:
        await look(other)
        await write(other)
        assert await look(knowing)
        async with other.writing(SYSTEM) as unit:
            with pytest.raises(RolledBack, match=str(size)):  # the ledger takes nothing at once
                await unit.follow.append(unit, [record()])
        assert await look(other), "and the rest within a second"
        with pytest.raises(RolledBack):
            await write(other)


async def test_a_mark_that_is_raised_while_another_process_reads_the_database_is_no_rollback(
    size: int,
    http: httpx2.AsyncClient,
    owner: Caller,
    worker: Worker,
    settings: Settings,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def go_on() -> None:
        await sound(http, owner)
        clock.advance(seconds=1)
        assert await worker.sign_head()
        await look(worker.runtime)

    beside = wired_runtime(settings, clock)  # on the same machine, so with the same mark
    read = act_after(monkeypatch, "FROM ledger_head", go_on)
    async with beside.reading(SYSTEM) as reader:
        assert await keeper_of(beside).compare(reader) is None
    assert read
    raised = keeper_of(worker.runtime).mark
    assert raised is not None
    assert raised.size > size
    assert await look(beside) is None
    await beside.close()


async def test_a_fork_of_the_same_size_is_noticed(
    worker: Worker, settings: Settings, clock: SettableClock, size: int, elsewhere: MarkFile
) -> None:
    knowing = worker.runtime
    await put_back(knowing, size - 1)
    async with machine(settings, clock, elsewhere) as other:
        async with other.writing(SYSTEM) as unit:
            await unit.follow.append(unit, [record()])
        assert await Signer(other).sign()
    assert "holds others among its" in str(await look(knowing))
    assert (await restored(settings, clock)).conceded.lost is None  # type: ignore[union-attr]


async def test_marks_of_other_machines_follow_a_restoration(
    worker: Worker, settings: Settings, clock: SettableClock, size: int, elsewhere: MarkFile, mark: MarkFile
) -> None:
    """Machine B keeps its mark of before; the database says that what it knows was given up."""
    runtime = worker.runtime
    elsewhere.put(mark.content)
    await put_back(runtime, size - 1)
    done = await restored(settings, clock)
    async with machine(settings, clock, elsewhere) as other:
        assert await look(other) is None
        await write(other)
    assert elsewhere.origin == f"cekal.local/{done.begun.new}", "its mark has gone on"


async def test_a_marked_epoch_that_the_database_does_not_know_is_a_rollback(
    worker: Worker, settings: Settings, clock: SettableClock, size: int, elsewhere: MarkFile, mark: MarkFile
) -> None:
    """The database was put back to before its last restoration."""
    runtime = worker.runtime
    former = (await restored(settings, clock)).begun
    elsewhere.put(mark.content)
    async with runtime.writing(SYSTEM, always=True) as unit:
        await roll_back(unit, size)
        await unit.run(delete(log_origin).where(log_origin.c.epoch == former.new))
        await unit.run(update(head_table).values(epoch=former.old))
    async with machine(settings, clock, elsewhere) as other, other.reading(SYSTEM) as reader:
        found = await other.keeper.compare(reader)
        assert f"{size + 1} records of cekal.local/{former.new}" in str(found)
    done = await restored(settings, clock)
    assert (done.conceded.known, done.conceded.lost) == (size + 1, 1)  # type: ignore[union-attr]
    async with machine(settings, clock, elsewhere) as other:
        assert await look(other) is None, "what it knows was given up"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda _: b"", "holds no signed head"),
        (lambda _: b"\x00garbage", "holds no signed head"),
        (lambda whole: whole[: len(whole) // 2], "holds no signed head"),
        (lambda whole: whole.replace(b"cekal.local/", b"other.local/"), "of another register, other.local"),
        (lambda whole: whole.replace(b"\n", b"\n9", 1), "none of this register's keys has signed it"),
    ],
    ids=["empty", "garbage", "truncated", "of another register", "changed"],
)
async def test_a_mark_that_can_t_be_used_is_reported_and_stays(
    worker: Worker,
    settings: Settings,
    clock: SettableClock,
    size: int,
    mark: MarkFile,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[bytes], bytes],
    why: str,
) -> None:
    assert mark.content
    spoilt = spoil(mark.content)
    mark.put(spoilt)
    async with machine(settings, clock, mark) as starting:
        await look(starting)
        await look(starting)
        await write(starting)  # the border goes on
        assert why in str(starting.keeper.fault)
    assert len([each for each in caplog.records if each.levelname == "CRITICAL"]) == 1
    await put_back(worker.runtime, size - 1)
    assert await look(worker.runtime), "a process that has read it before goes by what it read"
    assert mark.content == spoilt
    await restored(settings, clock)
    assert mark.content not in {None, spoilt}
    assert mark.put_aside() == [spoilt]
    assert await look(worker.runtime) is None
    assert worker.runtime.keeper.fault is None


@pytest.mark.settings(mark_file=Path("/proc/register.mark"))
async def test_a_mark_that_can_t_be_written_is_reported(
    http: httpx2.AsyncClient, worker: Worker, actors: Actors
) -> None:
    assert await worker.sign_head()
    await look(worker.runtime)
    assert "can't be written" in expect(await http.get("/readyz"), 200)["mark"]
    admin = await actors.client("admin")
    assert "cekal_mark_faulty 1.0" in (await http.get("/metrics", headers=admin.headers)).text


async def test_a_mark_is_never_lowered_and_is_written_anew_where_it_was_removed(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, size: int, mark: MarkFile
) -> None:
    lower = mark.content
    assert replace_mark(mark.path, b"what another process had read", b"older") is None
    assert mark.content == lower
    await sound(http, owner)
    assert await worker.sign_head()
    await look(worker.runtime)
    higher = mark.content
    assert higher != lower
    mark.put(None)
    assert await look(worker.runtime) is None
    assert mark.content == higher
    mark.put(lower)  # the whole folder was put back, under a process that knows better
    await put_back(worker.runtime, size)
    assert f"{size + 2} records" in str(await look(worker.runtime))
