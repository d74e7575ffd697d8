"""Choosing which cells of a table to hide, so that no small cell can be read or computed (no I/O).

A cell is small when it counts at least one person but fewer than a threshold. Hiding it alone is no protection:
subtracting the row's other cells from its total reveals it. So other cells are hidden with it, until the published
numbers no longer determine it.

A table with totals is treated as a graph. Its nodes are the rows and columns, with the row and the column of totals.
Each hidden cell is an edge between its row and its column. A hidden cell on a ring of hidden cells is safe: if one
person is added to and taken from the ring's cells in turn, no published number changes. A hidden cell on no ring (a
bridge) can be computed from the published numbers (D. Gusfield, A graph theoretic approach to statistical data
security, SIAM Journal on Computing 17, 1988).

A reader may request several tables and combine them. So which totals of a dimension are hidden is decided from these
totals alone, without the cells inside, and is the same in every table of that dimension. For the same reason the rows
with hidden totals are connected by hidden cells. Without that, a table would reveal the sum of some of these totals,
another table the sum of others, and both together a single one.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

TOTAL: Final = "total"
"""The name of the row or column that holds sums."""

Cell = tuple[str, str]
"""Row and column."""

Node = tuple[bool, str]
"""A row (False) or a column (True)."""

S = TypeVar("S")

_EMPTY_COST: Final = 50
"""Cost of hiding an empty cell, as if it counted this many persons: an empty cell protects less well."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The hidden cells of a table.

    Attributes:
        rows: the rows with a hidden total; TOTAL in it means the grand total.
        columns: the columns with a hidden total.
        cells: the hidden cells that are not totals.
        whole: whether every cell is hidden, totals included.
    """

    rows: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    cells: frozenset[Cell] = frozenset()
    whole: bool = False

    def hides(self, cell: Cell) -> bool:
        """Return whether a cell, which may be a total, is hidden."""
        row, column = cell
        if self.whole or column == TOTAL:
            return self.whole or row in self.rows
        return column in self.columns if row == TOTAL else (row, column) in self.cells


@dataclass(frozen=True, slots=True)
class Layer:
    """The counts of one figure in all cells of a table, totals included, and which of them are small.

    Attributes:
        counts: the count of each cell; a missing cell counts 0.
        small: the cells that count few persons (see `small_cells`).
    """

    counts: Mapping[Cell, int]
    small: frozenset[Cell]

    @classmethod
    def of(cls, counts: Mapping[Cell, int], threshold: int) -> "Layer":
        """Return the layer of a figure that counts persons: counts from 1 to below `threshold` are small."""
        return cls(counts, small_cells(counts, threshold))

    def line(self, cells: Mapping[str, Cell]) -> tuple[dict[str, int], set[str]]:
        """Return the counts of some cells by the cells' names, and the names of the small cells.

        `cells` has the cells of one row or column by name; a cell without a count gets 0.
        """
        counts = {name: self.counts.get(cell, 0) for name, cell in cells.items()}
        return counts, {name for name, cell in cells.items() if cell in self.small}


def small_cells(persons: Mapping[Cell, int], threshold: int) -> frozenset[Cell]:
    """Return the cells that count at least one person and fewer than the threshold."""
    return frozenset(cell for cell, count in persons.items() if 0 < count < threshold)


def hidden_parts(parts: Mapping[str, int], threshold: int) -> frozenset[str]:
    """Return the names of the parts of a published sum that must be hidden: the small ones, and others if needed.

    `parts` has the count of each part by name; a count from 1 to below `threshold` is small. Further parts are hidden
    so that the small ones can't be computed from the sum.
    """
    small = {name for name, count in parts.items() if 0 < count < threshold}
    return _extend_line(parts, small, frozenset(), threshold)


def protect(
    layers: Sequence[Layer],
    within: Pattern,
    rows: Collection[str],
    columns: Collection[str],
    threshold: int,
) -> Pattern:
    """Return the cells to hide, so that no small cell can be computed from the published cells.

    The result applies to all `layers`: a cell that is hidden in only one of several parts of a published figure could
    be computed from the others and the sum.

    Args:
        layers: the cells of one figure, or of each part of a published figure.
        within: the pattern to begin with, such as that of the published figure; what it hides is hidden in the result
            too.
        rows: the table's rows, without the total.
        columns: the table's columns, without the total; empty for a table of one dimension.
        threshold: the least number of persons that is published.
    """
    across = {row: (row, TOTAL) for row in (*sorted(rows), TOTAL)}
    down = {column: (TOTAL, column) for column in (*sorted(columns), TOTAL)}

    def line(cells: Mapping[str, Cell]) -> Callable[[Layer, frozenset[str]], frozenset[str]]:
        return lambda layer, hidden: _extend_line(*layer.line(cells), hidden, threshold)

    hidden_rows = _fixed_point(layers, within.rows, line(across))
    if not columns:
        return Pattern(hidden_rows)
    hidden_columns = _fixed_point(layers, within.columns, line(down))

    def table(layer: Layer, cells: frozenset[Cell]) -> frozenset[Cell]:
        grid = _Table(layer, sorted(rows), sorted(columns), hidden_rows, hidden_columns, set(cells))
        grid.protect(threshold)
        return frozenset(grid.cells)

    return Pattern(hidden_rows, hidden_columns, _fixed_point(layers, within.cells, table))


def _fixed_point(layers: Sequence[Layer], state: S, extend: Callable[[Layer, S], S]) -> S:
    """Extend the hidden cells for each layer in turn until a whole round changes nothing. Returns the hidden cells."""
    while True:
        before = state
        for layer in layers:
            state = extend(layer, state)
        if state == before:
            return state


def _extend_line(
    counts: Mapping[str, int], small: Collection[str], hidden: frozenset[str], threshold: int
) -> frozenset[str]:
    """Return the cells to be hidden in a line of cells with a total.

    At least two cells that together count no fewer than the threshold are hidden: otherwise the total minus the other
    cells would be a small number again. A small total is hidden with every cell that it counts.
    """
    found = hidden | set(small)
    if TOTAL in small:
        found |= {name for name, count in counts.items() if count}
    while found and TOTAL not in found:
        nonzero = [counts[name] for name in found if counts.get(name)]
        if len(found) > 1 and (not nonzero or (len(nonzero) > 1 and sum(nonzero) >= threshold)):
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
        """Hide more cells until no hidden one can be computed."""
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
        """Hide more cells in each line with a published total, until the hidden ones count at least the threshold."""
        lines = [
            [(row, column) for column in self.columns] for row in self.rows if row not in self.hidden_rows
        ]
        lines += [
            [(row, column) for row in self.rows]
            for column in self.columns
            if column not in self.hidden_columns
        ]
        for line in lines:
            hidden = sum(self._count(cell) for cell in line if cell in self.cells)
            rest = sorted((self._count(cell), cell) for cell in line if cell not in self.cells)
            for count, cell in rest:
                if not 0 < hidden < threshold:
                    break
                if count:
                    self.cells.add(cell)
                    hidden += count

    def _close_ring(self, cell: Cell, *, fair: bool) -> None:
        """Hide the cheapest cells that form a ring with a hidden one.

        Args:
            cell: the cell, or hidden total, to be protected.
            fair: require a ring around which one person can be added to the cell without making another count
                negative, so that readers cannot conclude more from the fact that no count is negative.
        """
        row, column = cell
        path = self._path((True, column), (False, row), cell, fair=fair, totals=True)
        if path is None and fair:
            path = self._path((True, column), (False, row), cell, fair=False, totals=True)
        self.cells |= set(path or ()) - self.totals

    def _join(self, nodes: Sequence[Node]) -> None:
        """Hide cells until the nodes are connected by hidden cells that are not totals."""
        for one, other in pairwise(nodes):
            self.cells |= set(self._path(one, other, None, fair=False, totals=False) or ())

    def _path(
        self, start: Node, goal: Node, exclude: Cell | None, *, fair: bool, totals: bool
    ) -> list[Cell] | None:
        """Return the cells of the cheapest path between two nodes that avoids a cell. Returns None without a path."""
        best: dict[Node, int] = {start: 0}
        came_from: dict[Node, tuple[Node, Cell]] = {}
        queue = [(0, start)]
        while queue:
            cost, node = heapq.heappop(queue)
            if node == goal:
                cells = []
                while node != start:
                    node, cell = came_from[node]
                    cells.append(cell)
                return cells
            if cost > best[node]:
                continue
            for cell, other in self._neighbours(node, totals=totals):
                taken = fair and node[0] and TOTAL not in cell  # column to row: subtracts one
                if cell == exclude or (taken and not self._count(cell)):
                    continue
                further = cost + self._cost(cell)
                if further < best.get(other, further + 1):
                    best[other], came_from[other] = further, (node, cell)
                    heapq.heappush(queue, (further, other))
        return None

    def _neighbours(self, node: Node, *, totals: bool) -> Iterable[tuple[Cell, Node]]:
        is_column, name = node
        others = [*(self.rows if is_column else self.columns), *([TOTAL] if totals else [])]
        for other in others:
            cell = (other, name) if is_column else (name, other)
            if TOTAL not in cell or cell in self.totals:
                yield cell, (not is_column, other)

    def _bridges(self) -> list[Cell]:
        """Return the hidden cells and totals that a reader can compute.

        Rows and columns are the nodes of a graph, hidden values its edges. A hidden value on no cycle of the graph (a
        bridge) follows from the published ones. Found by depth-first search (R. E. Tarjan, 1974).
        """
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
