"""The order of locks, watched in every test: the locks that every transaction needs are taken last.

The numbers of notices and those of the ledger's records are each given under one lock, which is held until the commit.
A transaction that waits for a row after it has such a lock may wait for another one that has this row and wants the
lock: a deadlock on PostgreSQL. What a test executes is the same on both engines, so the order is watched on both.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Executable

from app.alerting.notices import store as notices
from app.db.driver import CompiledStatement
from app.db.unit import Reader, Unit
from app.ledger import store as ledger

_HELD_ALREADY = {
    "list_linked": "the entries of a case, which an amendment has locked before it is decided",
    "issue_key": "the new client's own row, and the access version that its creation has raised",
    "make_deliveries": "endpoints of webhooks: rounds take turns, and no other call notifies while it holds one",
    "_claim": "as above",
}
"""Functions that lock rows afterwards all the same, and why nobody waits."""

_OWN = ("notice", "ledger_", "idempotent_answer")
"""Beginnings of the tables that are written under these locks."""


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note the statements that lock rows too late, for the block's length."""
    faults: list[str] = []
    holding: dict[int, Unit] = {}
    lock_numbers, take_numbers = notices.lock_numbers, ledger.take_numbers
    run, run_compiled = Reader.run, CompiledStatement.run

    async def locking(unit: Unit) -> None:
        if unit.records:
            faults.append(_placed("the numbers of notices, after those of records"))
        await lock_numbers(unit)
        holding[id(unit)] = unit

    async def taking(unit: Unit, *arguments: Any) -> Any:
        taken = await take_numbers(unit, *arguments)
        holding[id(unit)] = unit
        return taken

    def look(reader: Reader, statement: Executable) -> None:
        if holding.get(id(reader)) is reader and (table := _locked(str(statement))) is not None:
            place = _placed(table)
            by_test = " in " not in place
            if not by_test and not any(f" in {name} " in place for name in _HELD_ALREADY):
                faults.append(place)

    async def running(reader: Reader, statement: Executable, parameters: Any = None) -> Any:
        look(reader, statement)
        return await run(reader, statement, parameters)

    async def running_compiled(compiled: CompiledStatement, reader: Reader, *values: Any) -> Any:
        if holding.get(id(reader)) is reader:
            look(reader, compiled._statement)
        return await run_compiled(compiled, reader, *values)

    monkeypatch.setattr(notices, "lock_numbers", locking)
    monkeypatch.setattr(ledger, "take_numbers", taking)
    monkeypatch.setattr(Reader, "run", running)
    monkeypatch.setattr(CompiledStatement, "run", running_compiled)
    yield faults


def _locked(text: str) -> str | None:
    """The table whose rows a statement locks and may have to wait for; None if it locks none but its own."""
    words = text.split()
    match words[0]:
        case "UPDATE":
            table = words[1]
        case "DELETE":
            table = words[2]
        case "SELECT" if " FOR UPDATE" in text or " FOR NO KEY UPDATE" in text:
            table = words[words.index("FROM") + 1]
        case _:
            return None
    return None if table.startswith(_OWN) else table


def _placed(what: str) -> str:
    """What is locked, and the functions of the product that lead there, innermost first."""
    frames = [each for each in traceback.extract_stack() if "/app/" in each.filename]
    names = "".join(f" in {each.name} " for each in reversed(frames[-8:]))
    return f"{what}:{names}"
