"""What the benchmarks make of their measurements: medians, ratios, tables."""

import math
from collections.abc import Sequence
from statistics import median

__all__ = ["median", "percentile", "shown", "table"]

MISSING = "-"


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the ordered values that at least this share of them does not exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not ordered:
        raise ValueError("nothing was measured")
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def shown(value: float | str | None, digits: int = 0) -> str:
    """A figure for a table; nothing measured is a dash."""
    if value is None:
        return MISSING
    return value if isinstance(value, str) else f"{value:,.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a terminal: the first column to the left, figures to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)),
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])
