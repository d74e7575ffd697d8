"""API models of the statistics, and how they are written as CSV for spreadsheets."""

import csv
import io
from datetime import date
from typing import Annotated, Self

from pydantic import Field

from app.casework.statistics.domain import Value
from app.casework.statistics.figures import Dimension, Figure
from app.casework.statistics.service import Counted
from app.casework.statistics.suppression import TOTAL, Cell
from app.register.entries.domain import Measure
from app.web.wire import Moment, WireOut

SUPPRESSED = "suppressed"
"""The content of a hidden cell in CSV."""


class FigureOut(WireOut):
    """One figure of a cell.

    `value` is null if the figure is suppressed. It is also null if the cell has no delivery times, if the figure can't
    be divided by these dimensions, or if the reader may not see it.
    """

    value: int | float | None
    """The figure; null where it is suppressed or does not exist."""
    suppressed: bool
    """Whether the figure is hidden, because this or another figure counts few persons."""


def _is(meaning: str) -> str:
    return Field(description=meaning)  # type: ignore[no-any-return]  # as Pydantic types it


class FiguresOut(WireOut):
    """Every figure of a cell. A deadline that is still open counts neither as met nor as missed."""

    entries_made: Annotated[FigureOut, _is("Entries that came into the register, imported ones too.")]
    entries_urgent: Annotated[FigureOut, _is("Urgent ones among them.")]
    entries_in_force: Annotated[
        FigureOut,
        _is(
            "Entries in force at the period's last instant; grouped by month alone, at the end of each month."
        ),
    ]
    entries_rejected: Annotated[FigureOut, _is("Requests that were rejected.")]
    entries_ended: Annotated[FigureOut, _is("Entries that ended, whatever the reason.")]
    ended_expired: Annotated[FigureOut, _is("Ended because the period was over.")]
    ended_lapsed: Annotated[FigureOut, _is("Urgent ones that lapsed without a decision in time.")]
    ended_revoked: Annotated[FigureOut, _is("Withdrawn by the owner.")]
    ended_acquitted: Annotated[FigureOut, _is("Ended by an acquittal.")]
    ended_annulled: Annotated[FigureOut, _is("Annulled.")]
    ended_superseded: Annotated[FigureOut, _is("Urgent ones that a formal entry took over.")]
    decision_met: Annotated[
        FigureOut, _is("Requests made and answered within seven days (UU 6/2011 art. 94(6)).")
    ]
    decision_missed: Annotated[FigureOut, _is("Requests that were not.")]
    minister_met: Annotated[FigureOut, _is("Decisions delivered to the minister within three days.")]
    minister_missed: Annotated[FigureOut, _is("Decisions that were not.")]
    person_met: Annotated[FigureOut, _is("Decisions delivered to the person within seven days.")]
    person_missed: Annotated[FigureOut, _is("Decisions that were not.")]
    passport_met: Annotated[FigureOut, _is("Passports withdrawn in time.")]
    passport_missed: Annotated[FigureOut, _is("Passports that were not.")]
    restore_met: Annotated[
        FigureOut, _is("Persons rehabilitated within three days of a judgment that annulled their measure.")
    ]
    restore_missed: Annotated[FigureOut, _is("Persons who were not.")]
    countersign_met: Annotated[FigureOut, _is("Urgent entries countersigned in time (6 hours, a setting).")]
    countersign_missed: Annotated[FigureOut, _is("Urgent entries that were not.")]
    acknowledge_met: Annotated[
        FigureOut, _is("Alerts times checkpoints: acknowledged by a person in time (60 s, a setting).")
    ]
    acknowledge_missed: Annotated[FigureOut, _is("Alerts times checkpoints: not in time.")]
    delivery_median_ms: Annotated[
        FigureOut, _is("Milliseconds from an alert's issue to a checkpoint's first receipt: the median.")
    ]
    delivery_p99_ms: Annotated[FigureOut, _is("The same: 99 of a hundred took at most this.")]
    correction_met: Annotated[FigureOut, _is("Correction requests decided within 72 hours.")]
    correction_missed: Annotated[FigureOut, _is("Correction requests that were not.")]
    checks: Annotated[FigureOut, _is("Checks at checkpoints; no count of persons, never suppressed.")]
    hits: Annotated[
        FigureOut,
        _is("Checks that an entry stopped: once for each entry and check, repeated ones too; no sightings."),
    ]
    referrals: Annotated[FigureOut, _is("Hits that referred the traveller to the supervisor.")]
    refusals: Annotated[FigureOut, _is("Hits that refused exit or entry.")]
    false_hits: Annotated[
        FigureOut, _is("Hits that a supervisor resolved as another person, once for each entry.")
    ]
    departure_delays: Annotated[FigureOut, _is("Delayed departures, one traveller each.")]

    @classmethod
    def of(cls, values: dict[Figure, Value]) -> Self:
        """Convert the figures of a cell to the API's model; `values` must have a value for every figure."""
        return cls(
            **{
                figure.value: FigureOut(value=value.number, suppressed=value.suppressed)
                for figure, value in values.items()
            }
        )


class GroupOut(WireOut):
    """The values of a row's dimensions; null for a total over the dimension, or if it was not requested.

    A month is written `2026-11`; a missing value (for example the province of another agency's office) is `unknown`.
    """

    measure: Measure | None = None
    """The measure."""
    agency: str | None = None
    """The agency's code."""
    province: str | None = None
    """The province, or `unknown`."""
    reason: str | None = None
    """The reason as a word."""
    month: str | None = None
    """The month, as `2026-11`."""


class StatisticsRowOut(WireOut):
    """The figures of one group."""

    group: GroupOut
    """The values of the row's dimensions."""
    figures: FiguresOut
    """Its figures."""


class StatisticsOut(WireOut):
    """Figures of a period. Cells with few persons are suppressed, and so are cells that would reveal them."""

    from_on: date
    """First legal day of the period."""
    to_on: date
    """Last legal day of the period."""
    as_of: Moment
    """When the figures were counted."""
    by: list[Dimension]
    """The dimensions of the rows."""
    agency: Annotated[str | None, _is("Whose figures these are; null for all.")]
    smallest_cell: Annotated[int, _is("The least number of persons that is shown.")]
    rows: Annotated[
        list[StatisticsRowOut],
        _is(
            "One for each value of the dimension; of two dimensions, for each pair in which anything counts."
        ),
    ]
    totals: Annotated[
        list[StatisticsRowOut],
        _is("Of two dimensions: a sum for each value of the first, then for each value of the second."),
    ]
    total: FiguresOut
    """The figures of the whole period, over all rows."""

    @classmethod
    def of(cls, counted: Counted) -> Self:
        """Convert a counted table to the API's model."""
        cells = counted.table.cells
        by = counted.table.by
        inside = [cell for cell in cells if _is_row(cell, by)]
        sums = [cell for cell in cells if not _is_row(cell, by) and cell != (TOTAL, TOTAL)]

        def row(cell: Cell) -> StatisticsRowOut:
            group = {dimension.value: name for dimension, name in _named(cell, by) if name != TOTAL}
            return StatisticsRowOut(group=GroupOut(**group), figures=FiguresOut.of(cells[cell]))

        return cls(
            from_on=counted.first_on,
            to_on=counted.last_on,
            as_of=counted.as_of,
            by=list(by),
            agency=counted.agency,
            smallest_cell=counted.smallest_cell,
            rows=[row(cell) for cell in inside],
            totals=[row(cell) for cell in sums],
            total=FiguresOut.of(cells[TOTAL, TOTAL]),
        )


def _is_row(cell: Cell, by: tuple[Dimension, ...]) -> bool:
    return cell[0] != TOTAL and (len(by) == 1 or cell[1] != TOTAL)


def _named(cell: Cell, by: tuple[Dimension, ...]) -> list[tuple[Dimension, str]]:
    return list(zip(by, cell, strict=False))


def csv_of(counted: Counted) -> str:
    """Return the table as CSV (RFC 4180), with one line for each cell of the table and one column for each figure.

    A total has `total` in place of the dimension's value. A figure without a value is empty, a hidden one `suppressed`.
    """
    written = io.StringIO()
    writer = csv.writer(written)
    by = counted.table.by
    writer.writerow([*by, *Figure])
    for cell, values in counted.table.cells.items():
        figures = [SUPPRESSED if value.suppressed else value.number for value in values.values()]
        writer.writerow([name for _, name in _named(cell, by)] + figures)
    return written.getvalue()
