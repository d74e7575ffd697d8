"""No sum or difference of what is shown gives what is hidden; whatever was counted, in all tables together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.casework.statistics.domain import EventCell, Tally, Value, show
from app.casework.statistics.figures import FAMILIES, Dimension, Figure
from app.casework.statistics.suppression import TOTAL, Cell, Layer, Pattern, hidden_parts, protect

LEAST = 5

Variable = tuple[object, ...]
Equation = dict[Variable, int]
"""Coefficients of a sum that is zero."""


def worked_out(equations: Iterable[Equation], unknown: set[Variable]) -> set[Variable]:
    """Which unknown numbers follow from equations, the others being known: by Gaussian elimination."""
    rows = [
        {name: Fraction(factor) for name, factor in equation.items() if name in unknown}
        for equation in equations
    ]
    reduced: list[tuple[Variable, dict[Variable, Fraction]]] = []
    for row in rows:
        for pivot, other in reduced:
            if factor := row.get(pivot):
                for name, value in other.items():
                    row[name] = row.get(name, Fraction(0)) - factor * value
        row = {name: value for name, value in row.items() if value}  # noqa: PLW2901 - the row without zeros
        if not row:
            continue
        pivot = next(iter(row))
        row = {name: value / row[pivot] for name, value in row.items()}  # noqa: PLW2901 - made one at its pivot
        for index, (earlier, other) in enumerate(reduced):
            if factor := other.get(pivot):
                mixed = {name: other.get(name, 0) - factor * row.get(name, 0) for name in {*other, *row}}
                reduced[index] = (earlier, {name: value for name, value in mixed.items() if value})
        reduced.append((pivot, row))
    return {pivot for pivot, row in reduced if len(row) == 1}


def sums(table: object, cells: Iterable[Cell]) -> list[Equation]:
    """That a table's cells add up to its totals."""
    rows = {row for row, _ in cells}
    columns = {column for _, column in cells}
    found: list[Equation] = [
        {(table, row, column): -1 if row == TOTAL else 1 for row in rows if (row, column) in cells}
        for column in columns
    ]
    if columns != {TOTAL}:
        found += [{(table, row, column): -1 if column == TOTAL else 1 for column in columns} for row in rows]
    return found


def counted(cells: Iterable[Cell]) -> Counter[Cell]:
    """A table with its totals."""
    table: Counter[Cell] = Counter()
    for row, column in cells:
        for cell in ((row, column), (row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            table[cell] += 1
    return table


def drawn(numbers: list[list[int]]) -> Counter[Cell]:
    return counted(
        (f"r{r}", f"c{c}")
        for r, line in enumerate(numbers)
        for c, number in enumerate(line)
        for _ in range(number)
    )


def hidden_of(table: Mapping[Cell, int]) -> Pattern:
    rows = {row for row, _ in table} - {TOTAL}
    columns = {column for _, column in table} - {TOTAL}
    return protect([Layer.of(table, LEAST)], Pattern(), rows, columns, LEAST)


def test_nothing_is_hidden_where_nothing_is_small():
    assert hidden_of(drawn([[5, 9], [7, 0]])) == Pattern()


def test_a_small_cell_takes_a_ring_with_it():
    assert hidden_of(drawn([[3, 9, 30], [7, 8, 50], [60, 70, 80]])) == Pattern(
        cells=frozenset(product(("r0", "r1"), ("c0", "c1")))
    )


def test_a_small_total_is_hidden_with_the_next_small_one_and_their_sum_is_not_small():
    assert hidden_of(drawn([[1, 1], [40, 50], [20, 30]])).rows == {"r0", "r2"}
    assert hidden_of(drawn([[1, 0], [1, 0], [2, 0], [40, 0]])).rows == {"r0", "r1", "r2", "r3"}


def test_where_all_are_few_every_one_of_them_is_hidden_and_so_is_the_total():
    pattern = hidden_of(drawn([[1, 0], [0, 2]]))
    assert pattern.hides((TOTAL, TOTAL))
    assert pattern.cells >= {("r0", "c0"), ("r1", "c1")}
    assert pattern.rows == {"r0", "r1", TOTAL}


def test_a_table_of_one_column_hides_what_its_totals_hide():
    pattern = hidden_of(drawn([[2], [8], [30]]))
    assert pattern.rows == {"r0", "r1"}
    assert pattern.cells == {("r0", "c0"), ("r1", "c0")}


def test_a_rare_part_is_hidden_with_the_next_rare_one():
    assert hidden_parts({"expired": 90, "revoked": 8, "annulled": 1, "acquitted": 0}, LEAST) == {
        "annulled",
        "revoked",
    }
    assert hidden_parts({"expired": 90, "revoked": 8, "annulled": 0}, LEAST) == frozenset()


tables = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(st.integers(0, 9), st.integers(0, 60)), min_size=width, max_size=width),
        min_size=1,
        max_size=5,
    )
)


@given(tables)
@settings(max_examples=100, deadline=None)
def test_no_sum_or_difference_within_a_table_gives_what_is_hidden(numbers: list[list[int]]):
    table = drawn(numbers)
    pattern = hidden_of(table)
    cells = set(product({row for row, _ in table} | {TOTAL}, {column for _, column in table} | {TOTAL}))
    unknown: set[Variable] = {("", *cell) for cell in cells if pattern.hides(cell)}
    assert unknown >= {("", *cell) for cell, count in table.items() if 0 < count < LEAST}
    assert worked_out(sums("", cells), unknown) == set()


@given(tables)
@settings(max_examples=100, deadline=None)
def test_what_is_hidden_of_a_line_with_a_total_is_never_few_persons(numbers: list[list[int]]):
    table = drawn(numbers)
    pattern = hidden_of(table)
    rows, columns = ({cell[place] for cell in table} for place in (0, 1))
    for row in rows:
        for line in ([(row, column) for column in columns], [(column, row) for column in rows]):
            inside = [cell for cell in line if TOTAL not in cell[1:] and cell in table]
            total = next((cell for cell in line if cell[1] == TOTAL), None)
            if total is not None and total in table and not pattern.hides(total):
                together = sum(table[cell] for cell in inside if pattern.hides(cell))
                assert not 0 < together < LEAST


@given(tables)
@example([[0, 6, 3], [4, 200, 4], [4, 200, 1], [0, 0, 0]])
@example([[2, 0, 30, 0], [4, 3, 3, 0], [200, 30, 200, 0]])
@example([[0, 0, 6], [0, 4, 6], [8, 0, 0], [0, 200, 200]])
@settings(max_examples=100, deadline=None)
def test_a_small_cell_could_be_another_number_even_for_who_knows_that_none_is_negative(
    numbers: list[list[int]],
):
    table = drawn(numbers)
    pattern = hidden_of(table)
    for cell, count in table.items():
        if TOTAL not in cell and 0 < count < LEAST:
            assert could_differ(table, pattern, cell, more=True) or could_differ(
                table, pattern, cell, more=False
            )


def could_differ(table: Mapping[Cell, int], pattern: Pattern, cell: Cell, *, more: bool) -> bool:
    """Whether a cell could count one more, or one less, with all that is shown as it is and nothing negative.

    What one cell has more, others of its row and column have less by turns, and so on round a ring; a total
    goes the way of its cells.
    """
    rows, columns = ({each[place] for each in table} | {TOTAL} for place in (0, 1))
    hidden = {each for each in product(rows, columns) if pattern.hides(each)} - {cell}
    reached = {(True, cell[1])}
    waiting = [*reached]
    while waiting:
        is_column, name = waiting.pop()
        for row, column in hidden:
            if name != (column if is_column else row):
                continue
            grows = is_column != more
            if (row == TOTAL) != (column == TOTAL):
                grows = not grows
            other = (False, row) if is_column else (True, column)
            if other not in reached and (grows or table[row, column]):
                reached.add(other)
                waiting.append(other)
    return (False, cell[0]) in reached


@given(tables)
@example([[4, 0, 0], [4, 0, 0], [0, 4, 0], [0, 4, 0], [50, 50, 50]])
@settings(max_examples=100, deadline=None)
def test_rows_whose_totals_are_hidden_hang_together_so_that_no_two_tables_split_their_sum(
    numbers: list[list[int]],
):
    pattern = hidden_of(drawn(numbers))
    for place, totals in ((0, pattern.rows), (1, pattern.columns)):
        names = sorted(totals - {TOTAL})
        together, before = set(names[:1]), 0
        while len(together) != before:
            before = len(together)
            across = {cell[1 - place] for cell in pattern.cells if cell[place] in together}
            together |= {cell[place] for cell in pattern.cells if cell[1 - place] in across}
        assert together >= set(names)


# --- all tables together, with the parts of figures -----------------------------------------------------

PLACES = st.builds(
    EventCell,
    measure=st.sampled_from(["prevention", "deterrence"]),
    agency=st.sampled_from(["KPK", "BNN", "DJP"]),
    province=st.sampled_from(["Aceh", "Bali"]),
    reason=st.sampled_from(["tax", "overstay"]),
    month=st.sampled_from(["2026-10", "2026-11", "2026-12"]),
)
ENDED = next(family for family in FAMILIES if family.whole is Figure.ENTRIES_ENDED)
KINDS = {
    Figure.ENTRIES_MADE: [
        (Figure.ENTRIES_URGENT, Figure.COUNTERSIGN_MET),
        (Figure.ENTRIES_URGENT, Figure.COUNTERSIGN_MISSED),
        (Figure.ENTRIES_URGENT,),
        (Figure.DECISION_MET, Figure.MINISTER_MET),
        (Figure.DECISION_MISSED, Figure.MINISTER_MET),
        (Figure.DECISION_MET, Figure.MINISTER_MISSED),
        (),
    ],
    Figure.ENTRIES_ENDED: [(figure,) for figure in ENDED.partitions[0]],
    Figure.HITS: [(Figure.REFERRALS,), (Figure.REFUSALS,)],
}
COMPLETE = {Figure.ENTRIES_ENDED, Figure.HITS}
"""Sums of which everybody knows that their parts leave no rest."""

crowds = st.lists(
    st.tuples(PLACES, st.integers(0, 6), st.sampled_from([1, 2, 3, 6, 40])), min_size=0, max_size=25
)


def asked(
    whole: Figure, crowd: list[tuple[EventCell, int, int]], by: tuple[Dimension, ...]
) -> dict[Cell, dict[Figure, Value]]:
    tally = Tally(by)
    kinds = KINDS[whole]
    for place, kind, number in crowd:
        for figure in (whole, *kinds[kind % len(kinds)]):
            tally.add(figure, place, number)
    return show(tally, [], LEAST, frozenset()).cells


def depth(figure: Figure) -> list[tuple[Figure, tuple[Figure, ...]]]:
    """Every sum of parts below a figure."""
    family = next(family for family in FAMILIES if family.whole is figure)
    found = [(figure, partition) for partition in family.partitions]
    if figure is Figure.ENTRIES_MADE:
        found += depth(Figure.ENTRIES_URGENT)
    return found


def name(by: tuple[Dimension, ...], cell: Cell, figure: object) -> Variable:
    """One name for a total that stands in several tables."""
    places = cell if len(by) > 1 else cell[:1]
    return (figure, frozenset((d, v) for d, v in zip(by, places, strict=True) if v != TOTAL))


def known_of(
    whole: Figure, crowd: list[tuple[EventCell, int, int]], by: tuple[Dimension, ...]
) -> tuple[list[Equation], set[Variable], set[Variable]]:
    """What everybody knows of one table: its sums, what of them is hidden, and the rests that nobody is shown."""
    equations: list[Equation] = []
    hidden: set[Variable] = set()
    rests: set[Variable] = set()
    shown = asked(whole, crowd, by)
    rows, columns = ({cell[place] for cell in shown} | {TOTAL} for place in (0, 1))
    every = set(product(rows, columns))
    for figure in {whole} | {figure for _, parts in depth(whole) for figure in parts}:
        assert all(not 0 < (values[figure].number or 0) < LEAST for values in shown.values())
        hidden |= {name(by, cell, figure) for cell, values in shown.items() if values[figure].suppressed}
        for equation in sums("", every):
            named = {name(by, (row, column), figure): factor for (_, row, column), factor in equation.items()}
            equations.append(named)
    for (sum_of, parts), cell in product(depth(whole), every):
        named = {name(by, cell, sum_of): -1} | {name(by, cell, part): 1 for part in parts}
        if sum_of not in COMPLETE:
            rest = name(by, cell, ("rest", sum_of, parts))
            named[rest] = 1
            rests.add(rest)
        equations.append(named)
    return equations, hidden, rests


@pytest.mark.parametrize("whole", list(KINDS))
@given(crowd=crowds)
@settings(max_examples=20, deadline=None)
def test_all_tables_of_a_period_together_give_nothing_that_is_hidden(
    whole: Figure, crowd: list[tuple[EventCell, int, int]]
):
    dimensions = (Dimension.MEASURE, Dimension.AGENCY, Dimension.MONTH)
    tables = [*((one,) for one in dimensions), *combinations(dimensions, 2)]
    known = [known_of(whole, crowd, by) for by in tables]
    equations = [equation for found, _, _ in known for equation in found]
    hidden = {variable for _, found, _ in known for variable in found}
    rests = {variable for _, _, found in known for variable in found}
    assert worked_out(equations, hidden | rests) & hidden == set()


def test_a_rare_part_does_not_hide_the_others():
    crowd = [
        (EventCell(agency="KPK"), 0, 30),
        (EventCell(agency="BNN"), 0, 20),
        (EventCell(agency="BNN"), 2, 9),
    ]
    crowd += [(EventCell(agency="KPK"), 2, 8), (EventCell(agency="KPK"), 4, 1)]
    shown = asked(Figure.ENTRIES_ENDED, crowd, (Dimension.AGENCY,))
    told = {
        figure.value: [shown[cell][figure] for cell in (("BNN", TOTAL), ("KPK", TOTAL), (TOTAL, TOTAL))]
        for figure in (
            Figure.ENTRIES_ENDED,
            Figure.ENDED_EXPIRED,
            Figure.ENDED_REVOKED,
            Figure.ENDED_ANNULLED,
        )
    }
    hidden = [Value(None, suppressed=True)] * 3
    assert told == {
        "entries_ended": [Value(29), Value(39), Value(68)],
        "ended_expired": [Value(20), Value(30), Value(50)],
        "ended_revoked": hidden,
        "ended_annulled": hidden,
    }
