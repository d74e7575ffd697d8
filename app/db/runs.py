"""New rows of a table whose keys are random, in sorted runs beside it, for imports on SQLite.

SQLite writes whole pages to its journal. Rows with random keys that are inserted at once are each on a page of their
own, however large the page. A run has the new rows of one transaction in the order of their keys, at the end of one
table, so they fill pages. Runs are merged, `FAN` of a size into one of the next, and at last all are moved into the
table itself. So a row is written a few times, as often as its import has levels of runs, and always beside its
neighbours.

The number of a run says its level and grows with time: no list of runs is kept, so none can be wrong. Rows move in
slices, each in a transaction of its own: a reader finds every row exactly once at any time, also after a process was
killed between two slices.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Table, delete, func, insert, literal, select

from app.db.unit import Reader, Unit

FAN: Final = 8
"""Number of runs of one level that are merged into one run of the next level.

After all due merges a level has fewer runs than this; a reader looks into each of them.
"""

SLICE: Final = 8192
"""Approximate number of rows that are moved in one transaction, which takes some tens of milliseconds."""

_LEVELS: Final = 64


class Merge(NamedTuple):
    """A planned merge: the rows of several runs become one run, or move into the table itself, slice by slice.

    A run is a group of new rows, sorted by key, that wait beside the table. A slice is a range of keys.

    Attributes:
        runs: the numbers of the runs.
        into: the number of the resulting run; None if the rows move into the table itself.
        starts: the lowest key of each slice, ascending, without the first slice, which has no lower bound.
    """

    runs: tuple[int, ...]
    into: int | None
    starts: tuple[Any, ...]


class Runs:
    """Plans and does the merges of runs: sorted groups of new rows that wait in a second table beside their table.

    Many small inserts at random keys are slow on SQLite. So each transaction of an import puts its new rows into a run
    of level 0. `FAN` runs of one level are merged into one of the next level. At last all rows move into the table.

    Args:
        table: the table; its first column is the key by which runs are sorted.
        recent: the table of the waiting rows: a column `run`, the run's number, before the columns of `table`.
    """

    def __init__(self, table: Table, recent: Table) -> None:
        self._table = table
        self._recent = recent
        self._names = [column.name for column in table.c]
        self._key = recent.c[self._names[0]]
        first = select(func.min(recent.c.run).label("number")).cte("runs", recursive=True)
        later = select(func.min(recent.c.run)).where(recent.c.run > first.c.number).scalar_subquery()
        numbers = first.union_all(select(later).where(first.c.number.is_not(None)))
        self._numbers = select(numbers.c.number).where(numbers.c.number.is_not(None))

    def within(self) -> ColumnElement[bool]:
        """Return an SQL condition on `recent` that is true for every row; add it to each search by key.

        It names the numbers of all runs, so that SQLite looks up the key in each run and does not read all rows.
        """
        return self._recent.c.run.in_(self._numbers)

    async def open(self, unit: Unit) -> int:
        """Return the number of a new run. The caller inserts its rows into `recent`, with this number in `run`."""
        return await self._next(unit, level=0)

    async def due(self, reader: Reader, *, everything: bool) -> Merge | None:
        """Return the next merge: that of the lowest level with at least `FAN` runs; None if no level has so many.

        Args:
            reader: the transaction.
            everything: whether to return instead a merge that moves all runs into the table; None if there are no runs.
        """
        numbers = list((await reader.run(self._numbers)).scalars())
        if everything:
            return await self._merge(reader, numbers, None) if numbers else None
        for level in range(_LEVELS):
            same = [number for number in numbers if number % _LEVELS == level]
            if len(same) >= FAN:
                return await self._merge(reader, same, await self._next(reader, level=level + 1))
        return None

    async def move(self, unit: Unit, merge: Merge, place: int) -> None:
        """Move the rows of one slice of a merge to the resulting run or the table; one transaction for each slice.

        Args:
            unit: the transaction.
            merge: the merge, from `due`.
            place: the slice's position: 0 to `len(merge.starts)`.
        """
        bounds = (None, *merge.starts, None)
        first, beyond = bounds[place], bounds[place + 1]
        within = [self._recent.c.run.in_(merge.runs)]
        if first is not None:
            within.append(self._key >= first)
        if beyond is not None:
            within.append(self._key < beyond)
        columns = [self._recent.c[name] for name in self._names]
        if merge.into is None:
            moved = select(*columns).where(*within).order_by(*columns)
            await unit.run(insert(self._table).from_select(self._names, moved))
        else:
            moved = select(literal(merge.into), *columns).where(*within).order_by(*columns)
            await unit.run(insert(self._recent).from_select(["run", *self._names], moved))
        await unit.run(delete(self._recent).where(*within))

    async def _next(self, reader: Reader, *, level: int) -> int:
        last = (await reader.run(select(func.max(self._recent.c.run)))).scalar_one()
        return ((last or 0) // _LEVELS + 1) * _LEVELS + level

    async def _merge(self, reader: Reader, runs: Sequence[int], into: int | None) -> Merge:
        """Return a merge whose slices have about `SLICE` rows, as far as the largest run is like the others."""
        counted_in = select(self._recent.c.run, func.count()).where(self._recent.c.run.in_(runs))
        found = await reader.run(counted_in.group_by(self._recent.c.run))
        rows = {run: count for run, count in found}  # noqa: C416 - rows are no pairs to mypy
        largest = max(rows, key=lambda run: rows[run])
        every = max(1, SLICE * rows[largest] // sum(rows.values()))
        counted = select(
            self._key.label("key"), func.row_number().over(order_by=self._key).label("row")
        ).where(self._recent.c.run == largest)
        each = counted.subquery()
        starts = select(each.c.key).where(each.c.row % every == 0).distinct().order_by(each.c.key)
        return Merge(tuple(runs), into, tuple((await reader.run(starts)).scalars()))
