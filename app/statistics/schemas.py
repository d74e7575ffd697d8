"""The wire of statistics: JSON, and CSV for spreadsheets."""

import csv
import io
from datetime import date
from typing import Annotated, Self

from pydantic import Field

from app.statistics.domain import Value
from app.statistics.figures import Dimension, Figure
from app.statistics.service import Counted
from app.statistics.suppression import TOTAL, Cell
from app.web.wire import Moment, WireOut

SUPPRESSED = "suppressed"
"""In CSV, the word in a cell that is hidden."""


class FigureOut(WireOut):
    """One figure of a cell.

    `value` is null where it is suppressed, and where there is nothing to tell: not recorded yet, not of these
    dimensions, or not the reader's.
    """

    value: int | float | None
    suppressed: bool


def _is(meaning: str) -> str:
    return Field(description=meaning)  # type: ignore[no-any-return]  # as Pydantic types it


class FiguresOut(WireOut):
    """Every figure of a cell. A deadline that is still open counts neither as met nor as missed."""

    entries_made: Annotated[FigureOut, _is("Entries that came into the register, imported ones too.")]
    entries_urgent: Annotated[FigureOut, _is("Urgent ones among them.")]
    entries_in_force: Annotated[
        FigureOut, _is("In force at the last instant; alone by month, at the end of each.")
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
    countersign_met: Annotated[FigureOut, _is("Urgent entries countersigned in time (6 hours, a setting).")]
    countersign_missed: Annotated[FigureOut, _is("Urgent entries that were not.")]
    acknowledge_met: Annotated[
        FigureOut, _is("Alerts times checkpoints: acknowledged by a person in time (60 s, a setting).")
    ]
    acknowledge_missed: Annotated[FigureOut, _is("Alerts times checkpoints: not in time.")]
    delivery_median_ms: Annotated[
        FigureOut, _is("Milliseconds from an alert's issue to a checkpoint's first receipt: the median.")
    ]
    delivery_p99_ms: Annotated[FigureOut, _is("The same: 99 of a hundred were as fast.")]
    correction_met: Annotated[FigureOut, _is("Correction requests decided within 72 hours.")]
    correction_missed: Annotated[FigureOut, _is("Correction requests that were not.")]
    checks: Annotated[FigureOut, _is("Checks at checkpoints; no count of persons, never suppressed.")]
    hits: Annotated[FigureOut, _is("Entries that checks have hit; sightings are none.")]
    referrals: Annotated[FigureOut, _is("Hits that referred the traveller to the supervisor.")]
    refusals: Annotated[FigureOut, _is("Hits that refused exit or entry.")]
    false_hits: Annotated[FigureOut, _is("Hits that a supervisor resolved as another person.")]
    departure_delays: Annotated[FigureOut, _is("Delayed departures, one traveller each.")]

    @classmethod
    def of(cls, values: dict[Figure, Value]) -> Self:
        """A cell's figures on the wire."""
        return cls(
            **{
                figure.value: FigureOut(value=value.number, suppressed=value.suppressed)
                for figure, value in values.items()
            }
        )


class GroupOut(WireOut):
    """What a row is about; null where it is a total over the dimension, or the dimension was not asked for.

    A month is written `2026-11`; what has no place, such as the province of an agency that is not
    Immigration's, is `unknown`.
    """

    measure: str | None = None
    agency: str | None = None
    province: str | None = None
    reason: str | None = None
    month: str | None = None


class StatisticsRowOut(WireOut):
    """The figures of one group."""

    group: GroupOut
    figures: FiguresOut


class StatisticsOut(WireOut):
    """Figures of a time. A cell that counts few persons is suppressed, and with it others that would tell it."""

    from_on: date
    to_on: date
    as_of: Moment
    by: list[Dimension]
    agency: Annotated[str | None, _is("Whose figures these are; null for all.")]
    smallest_cell: Annotated[int, _is("The least number of persons that is shown.")]
    rows: Annotated[
        list[StatisticsRowOut], _is("One for each value of the dimension, or each pair that has anything.")
    ]
    totals: Annotated[
        list[StatisticsRowOut], _is("With two dimensions, over the one and over the other of them.")
    ]
    total: FiguresOut

    @classmethod
    def of(cls, counted: Counted) -> Self:
        """The table on the wire."""
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
    """The table as CSV (RFC 4180): a line a cell, `total` for sums, empty where there is nothing to tell.

    A hidden cell says `suppressed`, not how few it counts: those hidden to protect it may count many.
    """
    written = io.StringIO()
    writer = csv.writer(written)
    by = counted.table.by
    writer.writerow([*by, *Figure])
    for cell, values in counted.table.cells.items():
        figures = [SUPPRESSED if value.suppressed else value.number for value in values.values()]
        writer.writerow([name for _, name in _named(cell, by)] + figures)
    return written.getvalue()
