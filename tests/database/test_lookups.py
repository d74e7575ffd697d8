"""Look-ups by lists of values: of any length, each row once, and with errors as of any statement."""

from collections.abc import Sequence

import pytest
from sqlalchemy import BigInteger, String, column, select, table, text, union_all
from sqlalchemy.exc import DBAPIError

from app.access.domain import SYSTEM
from app.db.driver import Statement
from app.db.lookups import MOST_VALUES, Among, LookUp
from app.ledger import service as ledger
from app.ledger.domain import Draft, RecordType
from app.runtime import Runtime

NUMBERS = table("numbers", column("whole", BigInteger), column("word", String))


def by_number_or_word(among: Among, _is_sqlite: bool) -> Statement:  # noqa: FBT001 - as `LookUp` calls it
    whole, word = NUMBERS.c.whole, NUMBERS.c.word
    return union_all(
        select(whole, word).where(among(whole, "wholes")),
        select(whole, word).where(among(word, "words")),
        select(whole, word).where(among(whole, "wholes"), text("whole < 0")),
    )


class Recorded:
    """The numbers of rows that a look-up returns."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.look_up = LookUp(by_number_or_word, "wholes", "words")

    async def of(self, wholes: Sequence[int], words: Sequence[str]) -> list[int]:
        async with self.runtime.reading(SYSTEM) as reader:
            return sorted(row[0] for row in await self.look_up.rows(reader, wholes, words))


@pytest.fixture
async def numbers(runtime: Runtime) -> Recorded:
    """A table of 10,000 numbers and two at the ends of 64 bits."""
    found = [(number, f"n{number}") for number in (*range(10_000), -(2**63), 2**63 - 1)]
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("CREATE TABLE numbers (whole BIGINT, word VARCHAR(40))"))
        rows = [{"whole": whole, "word": word} for whole, word in found]
        await unit.run(text("INSERT INTO numbers VALUES (:whole, :word)"), rows)
    return Recorded(runtime)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 64, 65])
async def test_values_of_lists_of_any_length_are_found(numbers: Recorded, count: int) -> None:
    wholes, words = range(count), [f"n{number}" for number in range(100, 100 + 2 * count)]
    assert await numbers.of(wholes, words) == [*wholes, *range(100, 100 + 2 * count)]
    assert await numbers.of([], words[:1]) == ([100] if count else [])
    assert await numbers.of([*wholes, 20_000, 7_000_000], ["", "n", "n-5"]) == [*wholes]


async def test_the_ends_of_64_bits_are_found(numbers: Recorded) -> None:
    assert await numbers.of([-(2**63), 2**63 - 1], []) == [-(2**63), -(2**63), 2**63 - 1]


async def test_more_values_than_one_execution_takes_are_found_once_each(numbers: Recorded) -> None:
    wholes, words = range(2 * MOST_VALUES + 7), ["n9000", "n9001"]
    assert await numbers.of(wholes, words) == [*wholes, 9000, 9001]
    assert await numbers.of([3], [f"n{number}" for number in range(100, 100 + MOST_VALUES + 1)]) == [
        3,
        *range(100, 100 + MOST_VALUES + 1),
    ]


async def test_an_error_is_that_of_any_other_statement(numbers: Recorded) -> None:
    async with numbers.runtime.writing(SYSTEM) as unit:
        await unit.run(text("DROP TABLE numbers"))
    with pytest.raises(DBAPIError):
        await numbers.of([1], [])


async def test_the_records_of_any_number_of_alerts_and_entries_are_read_at_once(runtime: Runtime) -> None:
    drafts = [
        Draft(RecordType.ENTRY_PROVISIONAL, "ent_69999", 1, "KPK", {}, {}),
        Draft(RecordType.ALERT_RAISED, "ent_69999", 1, "KPK", {}, {}, alert_id="alr_69999"),
    ]
    async with runtime.writing(SYSTEM) as unit:
        await ledger.append(unit, drafts)
    async with runtime.reading(SYSTEM) as reader:
        found = await ledger.list_of_alerts(reader, [f"alr_{number}" for number in range(70_000)])
        last = await ledger.last_of_entries(reader, [f"ent_{number}" for number in range(70_000)])
    assert [(each.sequence, each.alert_id) for each in found] == [(2, "alr_69999")]
    assert last == {"ent_69999": 1}
