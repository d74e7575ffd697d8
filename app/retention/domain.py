"""How much is erased, and after how long; pure (UU 27/2022 art. 42-44; R64)."""

from datetime import datetime, timedelta
from enum import IntEnum

from app.settings import Settings


class Stage(IntEnum):
    """How far an entry is erased; each stage includes the ones before."""

    PHOTO = 1
    PERSON = 2


def ended_by(stage: Stage, settings: Settings, now: datetime) -> datetime | None:
    """The latest end that makes a stage due now; None where the deployment has set no time for it."""
    days = {Stage.PHOTO: settings.photo_retention_days, Stage.PERSON: settings.personal_retention_days}[stage]
    return None if days is None else now - timedelta(days=days)
