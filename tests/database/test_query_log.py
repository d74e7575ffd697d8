"""The query log: checks, receipts and acts are sealed in batches, and no later change of one goes unnoticed."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import Boolean, Integer, LargeBinary, Table, delete, func, select, update

from app.access.acts import AuditAct
from app.access.domain import SYSTEM
from app.access.store import record
from app.access.tables import audit
from app.alerting.alerts.tables import receipt
from app.border.checks.tables import check
from app.db.types import Instant
from app.ledger.tables import record as ledger_record
from app.maintenance.verification.service import Verified, verify
from app.register.entries.tables import version
from app.runtime import Runtime
from app.sync.querylog import sealing, store
from app.sync.querylog.domain import Line
from app.sync.querylog.tables import batch, seal
from app.worker import Worker
from tests.support.actors import Caller
from tests.support.backups import in_silence
from tests.support.bodies import check_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.poison import errors
from tests.support.steps import Json, expect

TABLES = (check, audit, receipt, version)


@pytest.fixture
async def crossing(
    http: httpx2.AsyncClient, owner: Caller, counter: Caller, clock: SettableClock, worker: Worker
) -> Json:
    """An urgent entry, its alert acknowledged with a note, and a check that met it and one that did not; sealed."""
    urgent = urgent_body()
    made = expect(await http.post("/v1/urgent-entries", json=urgent, headers=owner.once("u")), 201)
    body = {"level": "acknowledged", "officer_reference": "Shift 3", "note": "Seen by the shift."}
    path = f"/v1/alerts/{made['alert']['id']}/receipts"
    assert (await http.post(path, json=body, headers=counter.headers)).status_code < 300
    met = await ask(http, counter, check_body(urgent["subject"]))
    assert met["outcome"] != "clear"
    await ask(http, counter)
    await seal_all(worker, clock)
    return {"alert": made["alert"]["id"], "check": met["id"]}


async def ask(http: httpx2.AsyncClient, by: Caller, question: Json | None = None) -> Json:
    sent = question or {"direction": "exit", "document": {"number": "C7654321", "issuing_state": "IDN"}}
    return expect(await http.post("/v1/checks", json=sent, headers=by.headers), 200)


async def seal_all(worker: Worker, clock: SettableClock) -> int:
    """Seal everything after the minute in which it is due. Returns the number of batches."""
    clock.advance(seconds=61)
    return await worker.seal_queries()


async def verified(runtime: Runtime) -> Verified:
    return await verify(runtime, in_silence)


async def seals(runtime: Runtime) -> list[Json]:
    """The seals that the ledger holds."""
    async with runtime.reading(SYSTEM) as reader:
        statement = select(ledger_record.c.leaf).where(ledger_record.c.type == "seal")
        rows = (await reader.run(statement.order_by(ledger_record.c.sequence))).scalars()
        return [json.loads(leaf)["seal"] for leaf in rows]


async def count(runtime: Runtime, table: Table) -> int:
    async with (runtime.reading_checks if table is check else runtime.reading)(SYSTEM) as reader:
        return int((await reader.run(select(func.count()).select_from(table))).scalar_one())


async def change(runtime: Runtime, statement: Any, *, checks: bool) -> None:
    async with (runtime.writing_checks if checks else runtime.writing)(SYSTEM) as unit:
        await unit.run(statement)


async def test_everything_said_is_sealed_once_and_holds(
    crossing: Json,
    http: httpx2.AsyncClient,
    counter: Caller,
    worker: Worker,
    clock: SettableClock,
    runtime: Runtime,
) -> None:
    lines = sum([await count(runtime, table) for table in TABLES])
    lines -= 1  # the template's first act was written today, which is the future here
    [sealed] = await seals(runtime)
    assert (sealed["kind"], sealed["batch"], sealed["lines"]) == ("log", 1, lines)
    assert await seal_all(worker, clock) == 0, "without news nothing is sealed"
    await ask(http, counter)
    clock.advance(seconds=20)
    await ask(http, counter)
    assert await worker.seal_queries() == 1
    assert [each["lines"] for each in await seals(runtime)] == [lines, 1], "a line of this moment waits"
    found = await verified(runtime)
    assert (found.differences, found.lines, found.unsealed) == ([], lines + 1, 1 + 1)


async def test_many_lines_are_sealed_before_the_minute_is_over_and_in_batches(
    crossing: Json,
    http: httpx2.AsyncClient,
    counter: Caller,
    worker: Worker,
    clock: SettableClock,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "MOST_LINES", 4)
    monkeypatch.setattr(sealing, "_PAGE", 3)
    for number in range(9):
        await ask(http, counter)
        clock.advance(milliseconds=number % 2)
        if number == 2:
            clock.advance(seconds=16)
            assert await worker.seal_queries() == 0, "three are no batch, and the minute is not over"
    clock.advance(seconds=16)
    assert await worker.seal_queries() == 3
    assert [each["lines"] for each in await seals(runtime)][1:] == [4, 4, 1]
    async with runtime.reading_checks(SYSTEM) as reader:
        lines = "\n".join((await reader.run(select(batch.c.lines))).scalars()).split("\n")
    assert len(set(lines)) == len(lines), "a line is sealed once"
    assert (await verified(runtime)).differences == []


async def test_many_acts_are_sealed_in_one_round_as_after_an_import(
    crossing: Json, worker: Worker, clock: SettableClock, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MOST_LINES", 4)
    async with runtime.writing(SYSTEM) as unit:
        for _ in range(11):
            await record(unit, AuditAct.STATISTICS_READ, None, {})
    assert await seal_all(worker, clock) == 3
    assert [each["lines"] for each in await seals(runtime)][1:] == [4, 4, 3]
    assert (await verified(runtime)).differences == []


async def test_the_end_of_the_process_seals_what_there_is(
    crossing: Json,
    http: httpx2.AsyncClient,
    counter: Caller,
    worker: Worker,
    runtime: Runtime,
    engine_url: str,
) -> None:
    await ask(http, counter)
    assert await worker.sealer.seal(at_end=True) == engine_url.startswith("sqlite"), (
        "on PostgreSQL other processes may still be writing lines of this moment"
    )
    assert (await verified(runtime)).unsealed == 1 + (not engine_url.startswith("sqlite"))


async def act_at(runtime: Runtime, clock: SettableClock, ago: int) -> None:
    """Write an act of the audit trail as if it were so many seconds ago."""
    clock.advance(seconds=-ago)
    async with runtime.writing(SYSTEM) as unit:
        await record(unit, AuditAct.STATISTICS_READ, None, {})
    clock.advance(seconds=ago)


async def test_a_line_that_becomes_visible_late_is_sealed_with_the_next_ones(
    crossing: Json, runtime: Runtime, worker: Worker, clock: SettableClock
) -> None:
    await act_at(runtime, clock, 30)
    assert (await verified(runtime)).differences == [], "the next batch may still have it"
    assert await seal_all(worker, clock) == 1
    assert (await seals(runtime))[-1]["lines"] == 1
    assert (await verified(runtime)).differences == []


async def test_batches_that_follow_at_once_read_each_line_once_and_late_lines_once_a_minute(
    crossing: Json, runtime: Runtime, worker: Worker, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an import, whose versions are more than a batch holds."""
    monkeypatch.setattr(sealing, "MOST_LINES", 10)
    monkeypatch.setattr(sealing, "_PAGE", 5)
    read: list[str] = []
    reads = store.list_acts

    async def noting(*args: Any) -> list[Line]:
        lines = await reads(*args)
        read.extend(line.id for line in lines)
        return lines

    monkeypatch.setattr(store, "list_acts", noting)
    for _ in range(45):
        await act_at(runtime, clock, 0)
        clock.advance(seconds=0.1)
    assert await seal_all(worker, clock) == 5
    times = Counter(read).values()
    assert (len(times) >= 45, max(times)) == (True, 2), (
        "with its page, and where the next page or batch begins"
    )
    await act_at(runtime, clock, 100)
    assert await seal_all(worker, clock) == 1
    assert (await verified(runtime)).differences == []


async def test_a_late_line_is_found_also_behind_batches_that_checks_have_filled(
    http: httpx2.AsyncClient,
    counter: Caller,
    crossing: Json,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "MOST_LINES", 3)
    for _ in range(3):
        for _ in range(3):
            await ask(http, counter)
        await act_at(runtime, clock, 20)
        assert await seal_all(worker, clock) == 2
    assert [each["lines"] for each in await seals(runtime)][-6:] == [3, 1, 3, 1, 3, 1]
    clock.advance(minutes=5)
    await act_at(runtime, clock, 20)
    assert await seal_all(worker, clock) == 1
    assert (await verified(runtime)).differences == []


async def test_a_line_that_was_inserted_into_the_past_is_named(
    crossing: Json, runtime: Runtime, worker: Worker, clock: SettableClock
) -> None:
    clock.advance(minutes=5)
    for ago in (20, 380):
        await act_at(runtime, clock, ago)
        await act_at(runtime, clock, 0)
        assert await seal_all(worker, clock) == 1
    [difference] = (await verified(runtime)).differences
    assert (difference.where[:4], "in no batch" in difference.what) == ("aud_", True)


async def test_what_was_stored_and_not_published_is_published_at_the_next_round(
    crossing: Json, runtime: Runtime, worker: Worker
) -> None:
    """As after a process that ended between its two transactions."""
    await change(runtime, delete(seal), checks=False)
    assert await worker.seal_queries() == 0
    assert [each["batch"] for each in await seals(runtime)] == [1, 1]
    async with runtime.reading(SYSTEM) as reader:
        assert [tuple(row) for row in await reader.run(select(seal.c.batch))] == [(1,)]


async def test_checks_that_were_put_back_are_sealed_under_new_numbers(
    crossing: Json,
    http: httpx2.AsyncClient,
    counter: Caller,
    worker: Worker,
    clock: SettableClock,
    runtime: Runtime,
) -> None:
    """As with an older file of the checks beside the register's file, which knows of a batch that is gone."""
    await change(runtime, delete(batch), checks=True)
    await ask(http, counter)
    assert await seal_all(worker, clock) == 1
    assert [each["batch"] for each in await seals(runtime)] == [1, 2]
    [difference] = (await verified(runtime)).differences
    assert (difference.where, "no batch" in difference.what) == ("log_batch 1", True)


def other(table: Table, name: str, value: Any) -> Any:
    """Another value of a column."""
    kind = table.c[name].type
    if isinstance(kind, Boolean):
        return not value
    if isinstance(kind, Integer):
        return (value or 0) + 1
    if isinstance(kind, LargeBinary):
        return bytes(32)
    if isinstance(kind, Instant):
        return value + timedelta(seconds=1)
    return "x" if value is None else f"{value}x"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_change_of_any_column_of_a_line_is_named(
    crossing: Json, runtime: Runtime, worker: Worker, table: Table
) -> None:
    on_checks = table is check
    async with (runtime.reading_checks if on_checks else runtime.reading)(SYSTEM) as reader:
        row = (await reader.run(select(table).order_by(*table.primary_key).limit(1))).one()._asdict()
    own = [column == row[column.name] for column in table.primary_key]
    named = row[next(iter(table.primary_key)).name]
    for name in (column.name for column in table.c if not column.foreign_keys and column.name != "id"):
        changed = update(table).where(*own).values({name: other(table, name, row[name])})
        await change(runtime, changed, checks=on_checks)
        differences = (await verified(runtime)).differences
        assert any(named in each.where for each in differences), f"{name} is not bound"
        now = [
            c == (other(table, name, row[name]) if c.name == name else row[c.name]) for c in table.primary_key
        ]
        await change(runtime, update(table).where(*now).values({name: row[name]}), checks=on_checks)
    assert (await verified(runtime)).differences == []
    await change(runtime, delete(table).where(*own), checks=on_checks)
    assert any(named in each.where for each in (await verified(runtime)).differences), "removed unnoticed"


async def test_a_version_without_its_salt_is_no_erased_one(crossing: Json, runtime: Runtime) -> None:
    for document in ("x", "{}"):
        await change(runtime, update(version).values(document=document, reason=None, salt=None), checks=False)
        where = [each.where for each in (await verified(runtime)).differences]
        assert any(each.startswith("version ent_") for each in where), document


async def test_a_changed_batch_or_seal_is_named(crossing: Json, runtime: Runtime) -> None:
    async with runtime.reading_checks(SYSTEM) as reader:
        lines = (await reader.run(select(batch.c.lines))).scalar_one()
    changes = {
        "root": bytes(32),
        "lines": "\n".join(reversed(lines.split("\n"))),
        "salt": bytes(32),
        "reached_check": "chk_0",
    }
    async with runtime.reading_checks(SYSTEM) as reader:
        kept = (await reader.run(select(*(batch.c[name] for name in changes)))).one()._asdict()
    for unreadable in ("", "x", lines[:-1], f"{lines}\nxyz_1 000000000000"):
        await change(runtime, update(batch).values(lines=unreadable), checks=True)
        assert "can't be read" in (await verified(runtime)).differences[0].what
    await change(runtime, update(batch).values(lines=lines), checks=True)
    for name, value in changes.items():
        await change(runtime, update(batch).values({name: value}), checks=True)
        found = await verified(runtime)
        assert found.differences or found.unsealed > 0, name
        await change(runtime, update(batch).values({name: kept[name]}), checks=True)
    await change(runtime, update(seal).values(sequence=1), checks=False)
    assert [each.where for each in (await verified(runtime)).differences] == ["log_batch 1"]
    await change(runtime, delete(batch), checks=True)
    assert "there is no batch" in (await verified(runtime)).differences[0].what


async def test_erasure_breaks_no_seal_and_what_is_left_stays_bound(
    crossing: Json,
    http: httpx2.AsyncClient,
    counter: Caller,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
) -> None:
    clock.advance(days=60)
    young = await ask(http, counter)
    await seal_all(worker, clock)
    clock.advance(days=31)
    await worker.tidy()
    async with runtime.reading_checks(SYSTEM) as reader:
        questions = {row.id: row.question for row in await reader.run(select(check))}
        salts = {row.number: row.salt for row in await reader.run(select(batch))}
    assert questions[crossing["check"]] is None
    assert questions[young["id"]] is not None
    assert (salts[1], salts[2] is None) == (None, False), "the salt goes with the first question"
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(receipt).values(note=None, officer_reference=None, salt=None))
    assert (await verified(runtime)).differences == []
    changed = update(check).where(check.c.id == crossing["check"]).values(outcome="clear")
    await change(runtime, changed, checks=True)
    [difference] = (await verified(runtime)).differences
    assert crossing["check"] in difference.where


@pytest.mark.settings(question_days=1)
async def test_questions_that_were_erased_before_they_were_sealed_are_sealed_without(
    http: httpx2.AsyncClient, counter: Caller, runtime: Runtime, worker: Worker, clock: SettableClock
) -> None:
    """As in a register that was upgraded, whose old checks are sealed while their questions are erased."""
    await ask(http, counter)
    clock.advance(hours=23, minutes=30)
    assert await worker.seal_queries() == 1
    clock.advance(hours=1)
    await worker.tidy()
    await ask(http, counter)
    assert await seal_all(worker, clock) == 1
    assert (await verified(runtime)).differences == []


async def test_a_doubted_clock_seals_nothing(
    crossing: Json,
    http: httpx2.AsyncClient,
    counter: Caller,
    worker: Worker,
    clock: SettableClock,
    monkeypatch: Any,
) -> None:
    await ask(http, counter)
    monkeypatch.setattr(Runtime, "doubt", lambda _: "it was set")
    assert await seal_all(worker, clock) == 0
    monkeypatch.undo()
    assert await worker.seal_queries() == 1


async def test_a_batch_whose_salt_can_not_be_erased_keeps_its_questions_and_those_of_no_other(
    crossing: Json,
    http: httpx2.AsyncClient,
    counter: Caller,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def left() -> tuple[set[int], set[str]]:
        """The batches with a salt, and the checks with a question."""
        async with runtime.reading_checks(SYSTEM) as reader:
            salted = select(batch.c.number).where(batch.c.salt.is_not(None))
            asked = select(check.c.id).where(check.c.question.is_not(None))
            return (
                set((await reader.run(salted)).scalars()),
                set((await reader.run(asked)).scalars()),
            )

    clock.advance(days=1)
    await ask(http, counter)
    await seal_all(worker, clock)
    _, asked = await left()
    async with runtime.reading_checks(SYSTEM) as reader:
        lines = (await reader.run(select(batch.c.lines).where(batch.c.number == 1))).scalar_one()
    first = {each for each in asked if each in lines}
    assert asked - first
    await change(runtime, update(batch).where(batch.c.number == 1).values(lines="-"), checks=True)
    clock.advance(days=100)
    await worker.tidy()
    assert await left() == ({1}, first)
    assert errors(caplog) == ["the salt of a batch can't be erased now"]
    await change(runtime, update(batch).where(batch.c.number == 1).values(lines=lines), checks=True)
    await worker.tidy()
    assert await left() == (set(), set())
    assert (await verified(runtime)).differences == []
