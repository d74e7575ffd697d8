"""The notices of escalation; pure.

Each notice has a key: of several notices with the same key only the first is stored.
"""

from collections.abc import Sequence
from datetime import datetime

from app.alerting.escalation.domain import Chase, Level
from app.alerting.notices.domain import ADMINS, DUTY_OFFICERS, NoticeContent, TermName, post
from app.alerting.notices.names import NoticeName
from app.kit.clock import legal_day


def unacknowledged(level: Level, chases: Sequence[Chase], now: datetime) -> NoticeContent:
    """Return the notice that an alert is not acknowledged at some checkpoints. It does not name the entry.

    Args:
        level: the level of the step that is taken. For `region` the notice goes to the duty officers, for other levels
            to the supervisors of the checkpoint.
        chases: the escalations of the alert at these checkpoints, at least one. For `region` they may be at several
            checkpoints, for other levels all are at one.
        now: the present instant, which becomes `effective_at`.
    """
    first = min(chases, key=lambda chase: (chase.checkpoint, chase.taken))
    return NoticeContent(
        name=NoticeName.UNACKNOWLEDGED,
        key=f"unacknowledged:{first.alert_id}:{level}:{first.checkpoint}:{first.taken}",
        to=(DUTY_OFFICERS,) if level is Level.REGION else (post(first.checkpoint),),
        effective_at=now,
        alert_id=first.alert_id,
        due_at=first.acknowledge_by,
        detail={
            "checkpoints": sorted({chase.checkpoint for chase in chases}),
            "deadline": TermName.ACKNOWLEDGE_ALERT.value,
        },
    )


def escalation_changed(checkpoint: str, version: int, now: datetime) -> NoticeContent:
    """Return the notice to duty officers, admins and supervisors that a checkpoint's escalation policy was changed.

    `version` is the new version of the policy; each change has a notice of its own.
    """
    name = NoticeName.ESCALATION_CHANGED
    return NoticeContent(
        name=name,
        key=f"{name}:{checkpoint}:{version}:{now.isoformat()}",
        to=(DUTY_OFFICERS, ADMINS, post(checkpoint)),
        effective_at=now,
        detail={"checkpoints": [checkpoint]},
    )


def channel_failed(checkpoint: str, channel: str, now: datetime) -> NoticeContent:
    """Return the notice that a contact of a checkpoint can't be paged by a channel.

    It goes to duty officers, admins and the supervisors of the checkpoint. By its key only one notice a day is stored
    for a checkpoint and a channel.
    """
    name = NoticeName.CHANNEL_FAILED
    return NoticeContent(
        name=name,
        key=f"{name}:{checkpoint}:{channel}:{legal_day(now)}",
        to=(DUTY_OFFICERS, ADMINS, post(checkpoint)),
        effective_at=now,
        detail={"checkpoints": [checkpoint], "channel": channel},
    )


def checkpoints_unreachable(checkpoints: Sequence[str], now: datetime) -> NoticeContent:
    """Return the notice to duty officers and admins that no alert would reach these checkpoints now.

    By its key only one such notice a day is stored. `checkpoints` are codes.
    """
    name = NoticeName.CHECKPOINTS_UNREACHABLE
    return NoticeContent(
        name=name,
        key=f"{name}:{legal_day(now)}",
        to=(DUTY_OFFICERS, ADMINS),
        effective_at=now,
        detail={"checkpoints": list(checkpoints)},
    )
