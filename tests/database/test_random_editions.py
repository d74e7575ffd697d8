"""Random editions of a published list: each person of an edition is in force after it, and nobody else.

Records get other data ids and reference numbers, swap them, are renamed, split, merged, struck off and reordered.
The same edition a second time changes nothing.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access.domain import SYSTEM
from app.register.entries import store
from app.register.entries.listing import Approvers
from app.register.entries.store import Filter
from app.register.lists.un_import import import_list
from app.runtime import Runtime
from tests.database.test_random_lives import register
from tests.support.databases import ENGINES, Run
from tests.support.refusals import contents
from tests.support.un_editions import alias, born, individual, national, passport, write

EDITIONS = int(os.environ.get("CEKAL_TEST_EDITIONS", "25"))
"""How many rows of editions are imported on each engine; a longer run is asked for by the environment."""

TWO = Approvers.named("198001012005011001", "197505052000031002")
_NOT_OF_THE_REGISTER = {"audit", "list_edition"}
"""Tables that say that an edition was imported."""


@dataclass(frozen=True)
class Record:
    """An individual of an edition."""

    data_id: str
    number: str
    name: str
    papers: tuple[str, ...]
    birth: str
    aliases: tuple[str, ...] = ()

    def text(self) -> str:
        """As the list writes it."""
        cells = "".join(
            [
                national("New Zealand"),
                born(self.birth),
                *map(passport, self.papers),
                *map(alias, self.aliases),
            ]
        )
        text = individual(cells, data_id=self.data_id, name=self.name)
        before, _, rest = text.partition("<REFERENCE_NUMBER>")
        return f"{before}<REFERENCE_NUMBER>{self.number}<{rest.partition('<')[2]}"

    @property
    def said(self) -> tuple[str, tuple[str, ...]]:
        """What an entry in force must say."""
        return f"{self.name} TESTO", tuple(sorted(self.papers))


@dataclass
class Publisher:
    """The office that publishes a list, and now and then numbers it anew."""

    numbers: Iterator[int]
    records: list[Record] = field(default_factory=list)

    def new(self) -> Record:
        n = next(self.numbers)
        birth = f"19{n % 80 + 10}-{n % 12 + 1:02}-{n % 28 + 1:02}"
        return Record(str(700000 + n), f"UTi.{n}", f"ALVAR{_letters(n)}", (f"LX{n:06}",), birth)

    def listed(self) -> list[Record]:
        """The records, each once; what was split off as the very same is one."""
        return list(dict.fromkeys(self.records))


Act = Callable[[Publisher, int, int], None]
"""Does something to the record at one place, and perhaps to the one at another; the second number is any."""


def _new_keys(publisher: Publisher, at: int, any_number: int) -> None:
    one, fresh = publisher.records[at], publisher.new()
    data_id = one.data_id if any_number % 3 == 0 else fresh.data_id
    number = one.number if any_number % 3 == 1 else fresh.number
    publisher.records[at] = replace(one, data_id=data_id, number=number)


def _no_keys(publisher: Publisher, at: int, any_number: int) -> None:
    one = publisher.records[at]
    data_id = one.data_id if any_number % 3 == 0 else ""
    number = one.number if any_number % 3 == 1 else ""
    publisher.records[at] = replace(one, data_id=data_id, number=number)


def _swap_keys(publisher: Publisher, at: int, any_number: int) -> None:
    other = any_number % len(publisher.records)
    one, two = publisher.records[at], publisher.records[other]
    publisher.records[at] = replace(one, data_id=two.data_id)
    publisher.records[other] = replace(two, data_id=one.data_id)
    if any_number % 2:
        publisher.records[at] = replace(publisher.records[at], number=two.number)
        publisher.records[other] = replace(publisher.records[other], number=one.number)


def _rename(publisher: Publisher, at: int, any_number: int) -> None:
    one, fresh = publisher.records[at], publisher.new()
    aliases = (*one.aliases, one.name) if any_number % 2 else one.aliases
    publisher.records[at] = replace(
        one, name=fresh.name, papers=(*one.papers, *fresh.papers), aliases=aliases
    )


def _split(publisher: Publisher, at: int, any_number: int) -> None:
    one, fresh = publisher.records[at], publisher.new()
    half = replace(
        one,
        data_id=one.data_id if any_number % 5 == 0 else fresh.data_id,
        number=one.number if any_number % 2 else fresh.number,
        papers=one.papers[any_number % 3 :],
    )
    publisher.records.insert(any_number % (len(publisher.records) + 1), half)


def _merge(publisher: Publisher, at: int, any_number: int) -> None:
    other = any_number % len(publisher.records)
    if other != at:
        one, two = publisher.records[at], publisher.records[other]
        papers = tuple(dict.fromkeys((*one.papers, *two.papers)))
        publisher.records[at] = replace(one, papers=papers, aliases=(*one.aliases, two.name))
        del publisher.records[other]


def _strike(publisher: Publisher, at: int, _any_number: int) -> None:
    if len(publisher.records) > 1:
        del publisher.records[at]


def _add(publisher: Publisher, _at: int, _any_number: int) -> None:
    publisher.records.append(publisher.new())


def _reorder(publisher: Publisher, _at: int, any_number: int) -> None:
    random.Random(any_number).shuffle(publisher.records)


ACTS: tuple[Act, ...] = (
    _new_keys,
    _no_keys,
    _swap_keys,
    _rename,
    _split,
    _merge,
    _strike,
    _add,
    _reorder,
)


def _letters(n: int) -> str:
    """A number as letters, so that names differ."""
    return "".join(chr(ord("A") + int(digit)) for digit in f"{n:05}")


async def in_force(runtime: Runtime) -> Counter[tuple[str, tuple[str, ...]]]:
    async with runtime.reading(SYSTEM) as reader:
        found = await store.list_page(reader, Filter(in_force=True), None, 500)
        return Counter(
            (entry.subject.full_name, tuple(sorted(paper.number for paper in entry.subject.documents)))
            for entry in found
        )


async def register_alone(runtime: Runtime) -> dict[str, list[object]]:
    every = await contents(runtime)
    return {name: rows for name, rows in every.items() if name not in _NOT_OF_THE_REGISTER}


acts = st.tuples(st.sampled_from(ACTS), st.integers(0, 2**16), st.integers(0, 2**16))
editions = st.lists(st.lists(acts, min_size=1, max_size=8), min_size=2, max_size=4)


@pytest.mark.parametrize("engine", ENGINES)
def test_who_stands_on_an_edition_is_in_force_after_it(engine: str, run: Run, tmp_path: Path) -> None:
    moments = (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours) for hours in count())
    numbers = count(1)
    with register(engine, run, tmp_path) as (runtime, _, runner):

        async def imported(publisher: Publisher) -> None:
            texts = [record.text() for record in publisher.listed()]
            path = write(tmp_path, *texts, generated=next(moments).isoformat())
            report = await import_list(runtime, path, TWO, allow_shrink=True)
            assert report.skipped == []
            assert await in_force(runtime) == Counter(record.said for record in publisher.listed())
            before = await register_alone(runtime)
            report = await import_list(runtime, path, TWO)
            assert (report.added, report.changed, report.ended) == (0, 0, 0)
            assert await register_alone(runtime) == before

        @settings(
            max_examples=EDITIONS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(editions)
        def published(done: list[list[tuple[Act, int, int]]]) -> None:
            publisher = Publisher(numbers)
            publisher.records = [publisher.new() for _ in range(4)]
            for changes in done:
                for act, place, any_number in changes:
                    act(publisher, place % len(publisher.records), any_number)
                runner.run(imported(publisher))

        published()
