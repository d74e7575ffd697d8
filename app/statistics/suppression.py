"""Which cells of a table are hidden, so that none that is small can be read or worked out; pure.

A cell is small when it counts at least one person but fewer than a threshold. Hiding it alone is no protection:
its row's total less the other cells gives it away. So others are hidden with it, until nothing that is published
determines it. A table with totals is seen as a graph: rows and columns are its nodes (the totals' row and column
too), and each hidden cell is an edge between its row and its column. A hidden cell can be worked out by adding
and subtracting what is published exactly when its edge is a bridge, on no ring of hidden cells: around a ring one
could be added and taken away by turns, and no published number would change (D. Gusfield, A graph theoretic
approach to statistical data security, SIAM Journal on Computing 17, 1988).

The totals of a dimension are hidden by looking at them alone, and then stay as they are in every table of that
dimension: tables asked for one after the other may not hide different ones. For the same reason the rows whose
totals are hidden hang together within a table: two of them apart would give away sums that another table splits
otherwise.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

TOTAL: Final = "total"
"""Stands for a row or a column in the cells that hold sums."""

Cell = tuple[str, str]
"""Row and column."""

Node = tuple[bool, str]
"""A row (False) or a column (True)."""

S = TypeVar("S")

_EMPTY_COST: Final = 50
"""Hiding a cell in which nobody is costs as much as one of about as many persons: it protects less well."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What of a table is hidden.

    Attributes:
        rows, columns: whose totals; TOTAL is the total of all.
        cells: rows with columns, without the totals.
        whole: everything, the totals too.
    """

    rows: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    cells: frozenset[Cell] = frozenset()
    whole: bool = False

    def hides(self, cell: Cell) -> bool:
        """Whether a cell, which may be a total, is hidden."""
        row, column = cell
        if self.whole or column == TOTAL:
            return self.whole or row in self.rows
        return column in self.columns if row == TOTAL else (row, column) in self.cells


@dataclass(frozen=True, slots=True)
class Layer:
    """One figure's cells, totals included.

    Attributes:
        counts: what is published; cells that are not there count nothing.
        small: the cells that name persons.
    """

    counts: Mapping[Cell, int]
    small: frozenset[Cell]

    @classmethod
    def of(cls, counts: Mapping[Cell, int], threshold: int) -> "Layer":
        """A figure that counts persons."""
        return cls(counts, small_cells(counts, threshold))

    def line(self, cells: Mapping[str, Cell]) -> tuple[dict[str, int], set[str]]:
        """The counts of some cells by name, and which of them are small."""
        counts = {name: self.counts.get(cell, 0) for name, cell in cells.items()}
        return counts, {name for name, cell in cells.items() if cell in self.small}


def small_cells(persons: Mapping[Cell, int], threshold: int) -> frozenset[Cell]:
    """The cells that count at least one person, but fewer than the threshold."""
    return frozenset(cell for cell, count in persons.items() if 0 < count < threshold)


def hidden_parts(parts: Mapping[str, int], threshold: int) -> frozenset[str]:
    """Which parts of a sum that is shown are hidden altogether, because one of them is small as a whole."""
    small = {name for name, count in parts.items() if 0 < count < threshold}
    return _extend_line(parts, small, frozenset(), threshold)


def protect(
    layers: Sequence[Layer],
    within: Pattern,
    rows: Collection[str],
    columns: Collection[str],
    threshold: int,
) -> Pattern:
    """What is hidden of figures that add up to one another; all of them hide the same.

    Args:
        layers: the figures.
        within: what is hidden already, because the figure that these are parts of hides it.
        rows: the table's rows, without their total.
        columns: its columns; none for a table of one dimension.
        threshold: the least number of persons that is shown.
    """
    across = {row: (row, TOTAL) for row in (*sorted(rows), TOTAL)}
    down = {column: (TOTAL, column) for column in (*sorted(columns), TOTAL)}

    def line(cells: Mapping[str, Cell]) -> Callable[[Layer, frozenset[str]], frozenset[str]]:
        return lambda layer, hidden: _extend_line(*layer.line(cells), hidden, threshold)

    hidden_rows = _settled(layers, within.rows, line(across))
    if not columns:
        return Pattern(hidden_rows)
    hidden_columns = _settled(layers, within.columns, line(down))

    def table(layer: Layer, cells: frozenset[Cell]) -> frozenset[Cell]:
        drawn = _Table(layer, sorted(rows), sorted(columns), hidden_rows, hidden_columns, set(cells))
        drawn.protect(threshold)
        return frozenset(drawn.cells)

    return Pattern(hidden_rows, hidden_columns, _settled(layers, within.cells, table))


def _settled(layers: Sequence[Layer], state: S, extend: Callable[[Layer, S], S]) -> S:
    """What is hidden once every layer in turn has found enough of it, and a whole round changes nothing."""
    while True:
        before = state
        for layer in layers:
            state = extend(layer, state)
        if state == before:
            return state


def _extend_line(
    counts: Mapping[str, int], small: Collection[str], hidden: frozenset[str], threshold: int
) -> frozenset[str]:
    """What of a line that has a total is hidden.

    At least two, who together count no fewer than the threshold: otherwise the total less the others would be
    a small number again. The total is hidden where it is small itself, and then whatever it counts.
    """
    found = hidden | set(small)
    if TOTAL in small:
        found |= {name for name, count in counts.items() if count}
    while found and TOTAL not in found:
        there = [counts[name] for name in found if counts.get(name)]
        if len(found) > 1 and (not there or (len(there) > 1 and sum(there) >= threshold)):
            break
        rest = sorted(
            (count, name) for name, count in counts.items() if count and name not in {*found, TOTAL}
        )
        if not rest:
            break
        found |= {rest[0][1]}
    return found


class _Table:
    """One figure's table while its cells are being hidden."""

    def __init__(
        self,
        layer: Layer,
        rows: Sequence[str],
        columns: Sequence[str],
        hidden_rows: frozenset[str],
        hidden_columns: frozenset[str],
        cells: set[Cell],
    ) -> None:
        self.layer, self.rows, self.columns = layer, rows, columns
        self.hidden_rows, self.hidden_columns = hidden_rows, hidden_columns
        self.cells = cells
        self.totals = {(row, TOTAL) for row in hidden_rows} | {(TOTAL, column) for column in hidden_columns}

    def protect(self, threshold: int) -> None:
        """Hide more cells until none can be worked out."""
        small = {cell for cell in self.layer.small if TOTAL not in cell}
        self.cells |= small
        for cell in sorted(small):
            if self._count(cell):
                self._close_ring(cell, fair=True)
        before = None
        while before != len(self.cells):
            before = len(self.cells)
            self._add_up(threshold)
            for bridge in self._bridges():
                self._close_ring(bridge, fair=False)
            self._join([(False, row) for row in sorted(self.hidden_rows - {TOTAL})])
            self._join([(True, column) for column in sorted(self.hidden_columns - {TOTAL})])

    def _count(self, cell: Cell) -> int:
        return self.layer.counts.get(cell, 0)

    def _cost(self, cell: Cell) -> int:
        if cell in self.cells or cell in self.totals:
            return 0
        return 1 + (self._count(cell) or _EMPTY_COST)

    def _add_up(self, threshold: int) -> None:
        """Let the hidden cells of each line whose total is shown count no fewer than the threshold."""
        lines = [
            [(row, column) for column in self.columns] for row in self.rows if row not in self.hidden_rows
        ]
        lines += [
            [(row, column) for row in self.rows]
            for column in self.columns
            if column not in self.hidden_columns
        ]
        for line in lines:
            there = sum(self._count(cell) for cell in line if cell in self.cells)
            rest = sorted((self._count(cell), cell) for cell in line if cell not in self.cells)
            for count, cell in rest:
                if not 0 < there < threshold:
                    break
                if count:
                    self.cells.add(cell)
                    there += count

    def _close_ring(self, cell: Cell, *, fair: bool) -> None:
        """Hide the cheapest cells that close a ring with one.

        Args:
            cell: the cell, or hidden total, to be protected.
            fair: the ring is such that one person could be added to the cell, and no other cell of it would
                fall below nobody: who knows that no count is negative doesn't know more.
        """
        row, column = cell
        path = self._path((True, column), (False, row), cell, fair=fair, totals=True)
        if path is None and fair:
            path = self._path((True, column), (False, row), cell, fair=False, totals=True)
        self.cells |= set(path or ()) - self.totals

    def _join(self, nodes: Sequence[Node]) -> None:
        """Let nodes hang together by hidden cells alone, without any total."""
        for one, other in pairwise(nodes):
            self.cells |= set(self._path(one, other, None, fair=False, totals=False) or ())

    def _path(
        self, start: Node, goal: Node, but: Cell | None, *, fair: bool, totals: bool
    ) -> list[Cell] | None:
        """The cells of the cheapest way from one node to another; None when there is none."""
        best: dict[Node, int] = {start: 0}
        way: dict[Node, tuple[Node, Cell]] = {}
        queue = [(0, start)]
        while queue:
            cost, node = heapq.heappop(queue)
            if node == goal:
                cells = []
                while node != start:
                    node, cell = way[node]
                    cells.append(cell)
                return cells
            if cost > best[node]:
                continue
            for cell, other in self._ways(node, totals=totals):
                taken = fair and node[0] and TOTAL not in cell  # from a column to a row one is taken away
                if cell == but or (taken and not self._count(cell)):
                    continue
                further = cost + self._cost(cell)
                if further < best.get(other, further + 1):
                    best[other], way[other] = further, (node, cell)
                    heapq.heappush(queue, (further, other))
        return None

    def _ways(self, node: Node, *, totals: bool) -> Iterable[tuple[Cell, Node]]:
        is_column, name = node
        others = [*(self.rows if is_column else self.columns), *([TOTAL] if totals else [])]
        for other in others:
            cell = (other, name) if is_column else (name, other)
            if TOTAL not in cell or cell in self.totals:
                yield cell, (not is_column, other)

    def _bridges(self) -> list[Cell]:
        """The hidden cells and totals that lie on no ring, by depth-first search (R. E. Tarjan, 1974)."""
        edges: dict[Node, list[tuple[Cell, Node]]] = {}
        for cell in sorted(self.cells | self.totals):
            row, column = (False, cell[0]), (True, cell[1])
            edges.setdefault(row, []).append((cell, column))
            edges.setdefault(column, []).append((cell, row))
        found: list[Cell] = []
        order: dict[Node, int] = {}
        low: dict[Node, int] = {}
        for root, first in edges.items():
            if root in order:
                continue
            order[root] = low[root] = len(order)
            stack: list[tuple[Node, Cell | None, Iterator[tuple[Cell, Node]]]] = [(root, None, iter(first))]
            while stack:
                node, came_by, rest = stack[-1]
                for cell, other in rest:
                    if cell == came_by:
                        continue
                    if other not in order:
                        order[other] = low[other] = len(order)
                        stack.append((other, cell, iter(edges[other])))
                        break
                    low[node] = min(low[node], order[other])
                else:
                    stack.pop()
                    if stack and came_by is not None:
                        parent = stack[-1][0]
                        low[parent] = min(low[parent], low[node])
                        if low[node] > order[parent]:
                            found.append(came_by)
        return found
