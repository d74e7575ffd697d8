"""The JSON models of coverage."""

from typing import Self

from app.alerting.coverage.service import Coverage, Line
from app.alerting.escalation.page_schemas import PageOut
from app.alerting.hours.domain import DutyState
from app.web.wire import Moment, WireOut


class ReachOut(WireOut):
    """When one checkpoint received and acknowledged the alert, and whether it is open and connected now.

    A receipt is of the level `received`, `acknowledged` or `refused`.
    """

    code: str
    """The checkpoint's code."""
    received_at: Moment | None
    """When the checkpoint's first receipt came, of any level; null before."""
    acknowledged_at: Moment | None
    """When a person there first acknowledged the alert; null before."""
    ms: float | None
    """Milliseconds from the alert's issue to the checkpoint's first receipt; null before."""
    duty: DutyState
    """Whether the checkpoint is open now; `standby`: closed, but somebody can be called; `closed`: nobody is there."""
    line: Line
    """Whether the checkpoint is connected now; `late`: not now, but in the last two minutes; `down`: neither."""


class CoverageOut(WireOut):
    """The receipts of an alert, counted by checkpoints, not by clients."""

    recipients: int
    """Number of checkpoints that the alert was sent to."""
    connected: int
    """Number of these checkpoints that are connected now."""
    received: int
    """Number of checkpoints that have sent a receipt, of any level."""
    acknowledged: int
    """Number of checkpoints at which a person has acknowledged it."""
    refused: int
    """Number of checkpoints that reported that they can't act on it."""
    unreached: list[str]
    """Codes of the checkpoints that have sent no receipt and are not closed now."""
    closed: list[str]
    """Codes of the checkpoints that are closed now, without a standby, and have sent no receipt."""
    p50_ms: float | None
    """Milliseconds from issue to a checkpoint's first receipt: the median; null before the first."""
    p99_ms: float | None
    """Milliseconds from issue to a checkpoint's first receipt: the 99th percentile; null before the first."""
    checkpoints: list[ReachOut]
    """Each checkpoint's receipts, by code."""
    pages: list[PageOut]
    """Messages about the alert to people of checkpoints that had not acknowledged it; of a daily drill also the test
    messages. The newest 1000, in the order in which they were made."""

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        """Convert the coverage of an alert to the API's model."""
        reach = coverage.reach
        duty = {code: each.state for code, each in coverage.duties.items()}
        missing = [r.code for r in reach if r.received_at is None]
        return cls(
            recipients=coverage.recipients,
            connected=coverage.connected,
            received=sum(r.received_at is not None for r in reach),
            acknowledged=sum(r.acknowledged_at is not None for r in reach),
            refused=sum(r.refused_at is not None for r in reach),
            unreached=[code for code in missing if duty[code] is not DutyState.CLOSED],
            closed=[code for code in missing if duty[code] is DutyState.CLOSED],
            p50_ms=coverage.p50_ms,
            p99_ms=coverage.p99_ms,
            checkpoints=[
                ReachOut(
                    code=r.code,
                    received_at=r.received_at,
                    acknowledged_at=r.acknowledged_at,
                    ms=coverage.ms.get(r.code),
                    duty=duty[r.code],
                    line=coverage.lines[r.code],
                )
                for r in reach
            ],
            pages=[PageOut.of(page) for page in coverage.pages],
        )
