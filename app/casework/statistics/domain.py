"""Counts of events, and the published table of them, in which small cells are hidden (no I/O)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.alerting.alerts.domain import percentile
from app.casework.statistics.figures import (
    DELIVERY,
    FAMILIES,
    OF_CHECKPOINTS,
    PLACE_AND_TIME,
    Dimension,
    Family,
    Figure,
)
from app.casework.statistics.suppression import (
    TOTAL,
    Cell,
    Layer,
    Pattern,
    hidden_parts,
    protect,
    small_cells,
)

UNKNOWN: Final = "unknown"
"""The value of a dimension that an event lacks, such as the province of an office that has none."""


@dataclass(frozen=True, slots=True)
class EventCell:
    """The value of an event in each dimension, such as its agency or month; UNKNOWN if it has none.

    The values of a table's dimensions determine the cell in which the event is counted.
    """

    measure: str = UNKNOWN
    agency: str = UNKNOWN
    province: str = UNKNOWN
    reason: str = UNKNOWN
    month: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Value:
    """The published value of a cell.

    Attributes:
        number: the number; None if it is hidden, or if the figure does not exist for this cell or reader.
        suppressed: whether it is hidden, because it could reveal few persons.
    """

    number: float | None
    suppressed: bool = False


@dataclass(slots=True)
class Tally:
    """The counts of a table while events are added to it; no small count is hidden yet.

    A cell is a pair of row and column; a figure is a kind of count, such as checks or hits.

    Attributes:
        by: the one or two dimensions of the table.
        counts: for each figure, the count in each cell.
        entries: for each cell, the ids of the entries with an alert; delivery times of few entries are hidden later.
        delivery_ms: for each cell, the milliseconds from an alert's issue to each checkpoint's first receipt.
    """

    by: tuple[Dimension, ...]
    counts: dict[Figure, dict[Cell, int]] = field(default_factory=dict)
    entries: dict[Cell, set[str]] = field(default_factory=dict)
    delivery_ms: dict[Cell, list[float]] = field(default_factory=dict)

    def applies(self, figure: Figure) -> bool:
        """Return whether a figure can be counted by the table's dimensions; checks, for example, have no agency."""
        if figure is Figure.ENTRIES_IN_FORCE:  # not a sum over months
            return Dimension.MONTH not in self.by or len(self.by) == 1
        return figure not in OF_CHECKPOINTS or PLACE_AND_TIME.issuperset(self.by)

    def add(self, figure: Figure, place: EventCell, number: int = 1) -> None:
        """Add `number` to a figure's count in the cell of `place`, and in every total that contains this cell."""
        self._count(figure, self._cells(place), number)

    def add_row(self, figure: Figure, place: EventCell) -> None:
        """Add one to a figure's count in the cell of `place`, but in no total.

        This is for entries in force by month: an entry counts in several months, but only once in the total.
        """
        self._count(figure, self._cells(place)[:1], 1)

    def add_total(self, figure: Figure) -> None:
        """Add one to a figure's grand total, the sum over the whole table, and to no other cell."""
        self._count(figure, [(TOTAL, TOTAL)], 1)

    def _count(self, figure: Figure, cells: Iterable[Cell], number: int) -> None:
        counts = self.counts.setdefault(figure, {})
        for cell in cells:
            counts[cell] = counts.get(cell, 0) + number

    def add_alert(self, entry_id: str, place: EventCell, delivery_ms: Iterable[float]) -> None:
        """Add an alert's entry and delivery times to a cell and to every total that contains the cell.

        Args:
            entry_id: id of the entry that the alert is about.
            place: the cell.
            delivery_ms: for each checkpoint that has received the alert, the milliseconds from its issue to the first
                receipt.
        """
        times = list(delivery_ms)
        for cell in self._cells(place):
            self.entries.setdefault(cell, set()).add(entry_id)
            self.delivery_ms.setdefault(cell, []).extend(times)

    def _cells(self, place: EventCell) -> list[Cell]:
        row, *others = (getattr(place, dimension) for dimension in self.by)
        if not others:
            return [(row, TOTAL), (TOTAL, TOTAL)]
        return [(row, others[0]), (row, TOTAL), (TOTAL, others[0]), (TOTAL, TOTAL)]

    def names(self) -> tuple[list[str], list[str]]:
        """Return the names of the rows and the names of the columns in which anything was counted.

        Both are sorted, with `unknown` last and without the totals. With one dimension there are no columns.
        """
        cells = {cell for counts in self.counts.values() for cell in counts} | self.entries.keys()
        rows, columns = ({cell[place] for cell in cells} - {TOTAL} for place in (0, 1))
        return _in_order(rows), _in_order(columns)


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name == UNKNOWN, name))


@dataclass(frozen=True, slots=True)
class Shown:
    """A table to be published: for each cell, totals included, the value of each figure, shown or hidden."""

    by: tuple[Dimension, ...]
    cells: dict[Cell, dict[Figure, Value]]


def show(tally: Tally, months: Iterable[str], threshold: int, excluded: frozenset[Figure]) -> Shown:
    """Return the table of the counts, with every value hidden that would reveal a count below the threshold.

    Args:
        tally: the counts.
        months: the months of the period. If the month is a dimension, each month gets a row or column, even without
            events.
        threshold: the least number of persons that is published.
        excluded: figures that the reader may not see.
    """
    rows, columns = tally.names()
    for place, dimension in enumerate(tally.by):
        if dimension is Dimension.MONTH:
            names = (rows, columns)[place]
            names[:] = _in_order({*names, *months})
    patterns = _patterns(tally, rows, columns, threshold)
    margins = [(row, TOTAL) for row in rows] + [(TOTAL, column) for column in columns]
    inside = [
        (row, column) for row in rows for column in columns if _anything(tally, patterns, (row, column))
    ]
    shown = {}
    for cell in [*inside, *margins, (TOTAL, TOTAL)]:
        shown[cell] = {
            figure: Value(None)
            if figure in excluded or not tally.applies(figure)
            else _value(tally, patterns, figure, cell)
            for figure in Figure
        }
    return Shown(tally.by, shown)


def _anything(tally: Tally, patterns: Mapping[Figure, Pattern], cell: Cell) -> bool:
    return any(counts.get(cell) for counts in tally.counts.values()) or any(
        cell in pattern.cells for pattern in patterns.values()
    )


def _value(tally: Tally, patterns: Mapping[Figure, Pattern], figure: Figure, cell: Cell) -> Value:
    pattern = patterns.get(figure)
    if pattern is not None and pattern.hides(cell):
        return Value(None, suppressed=True)
    if figure in DELIVERY:
        return Value(percentile(tally.delivery_ms.get(cell, ()), DELIVERY[figure]))
    return Value(tally.counts.get(figure, {}).get(cell, 0))


def _patterns(tally: Tally, rows: list[str], columns: list[str], threshold: int) -> dict[Figure, Pattern]:
    """Return the pattern of hidden cells of each figure that counts persons."""
    found: dict[Figure, Pattern] = {}
    alerted = small_cells({cell: len(ids) for cell, ids in tally.entries.items()}, threshold)
    for family in FAMILIES:
        counts = tally.counts.get(family.whole, {})
        if family.whole not in found:
            layer = Layer.of(counts, threshold) if family.within is None else Layer(counts, alerted)
            within = found[family.within] if family.within else Pattern()
            found[family.whole] = (
                _small_rows(layer)
                if family.whole is Figure.ENTRIES_IN_FORCE and Dimension.MONTH in tally.by
                else _protected([layer], within, rows, columns, threshold)
            )
        if family.partitions:
            found |= _parts(tally, family, found[family.whole], rows, columns, threshold)
    urgent = found[Figure.ENTRIES_URGENT]
    found[Figure.DELIVERY_MEDIAN_MS] = found[Figure.DELIVERY_P99_MS] = Pattern(
        rows=urgent.rows | {row for row, column in alerted if column == TOTAL},
        columns=urgent.columns | {column for row, column in alerted if row == TOTAL},
        cells=urgent.cells | {cell for cell in alerted if TOTAL not in cell},
        whole=urgent.whole,
    )
    return found


def _small_rows(layer: Layer) -> Pattern:
    return Pattern(rows=frozenset(row for row, _ in layer.small))


def _protected(
    layers: list[Layer], within: Pattern, rows: list[str], columns: list[str], threshold: int
) -> Pattern:
    return within if within.whole else protect(layers, within, rows, columns, threshold)


def _parts(
    tally: Tally, family: Family, within: Pattern, rows: list[str], columns: list[str], threshold: int
) -> dict[Figure, Pattern]:
    """Return the patterns of hidden cells of a figure's parts.

    Parts with a small total are hidden as a whole; all others share one pattern, with two exceptions: a part with
    total 0 is shown, because its total reveals every cell, and a part that equals the sum has the sum's pattern.
    """
    figures = {figure for partition in family.partitions for figure in partition}
    if within.whole:
        return dict.fromkeys(figures, within)
    whole = tally.counts.get(family.whole, {})
    unseen: set[str] = set()
    everybody: set[str] = set()
    layers = []
    for partition in family.partitions:
        totals = {figure.value: tally.counts.get(figure, {}).get((TOTAL, TOTAL), 0) for figure in partition}
        totals[""] = whole.get((TOTAL, TOTAL), 0) - sum(totals.values())  # the rest
        unseen |= hidden_parts(totals, threshold)
        counted = {name for name, total in totals.items() if total}
        everybody |= counted if len(counted) == 1 else set()
    for partition in family.partitions:
        seen = [tally.counts.get(figure, {}) for figure in partition if figure.value not in unseen]
        rest = {cell: count - sum(part.get(cell, 0) for part in seen) for cell, count in whole.items()}
        layers += [Layer.of(counts, threshold) for counts in (*seen, rest)]
    pattern = _protected(layers, within, rows, columns, threshold)

    def of(figure: Figure) -> Pattern:
        if figure.value in unseen:
            return Pattern(whole=True)
        if not tally.counts.get(figure, {}).get((TOTAL, TOTAL)):
            return Pattern()
        return within if figure.value in everybody else pattern

    return {figure: of(figure) for figure in figures}
