"""Stages of erasure and their times (no I/O; UU 27/2022 art. 42-44; R64)."""

from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol


class Stage(IntEnum):
    """What is erased from an entry: its photo, or the photo and all other data about the person."""

    PHOTO = 1
    PERSON = 2


class RetentionSettings(Protocol):
    """The settings with the number of days from a measure's end to each stage of erasure; None never erases."""

    @property
    def photo_retention_days(self) -> int | None:
        """Days from an entry's end until its photo is erased (R64); None keeps the photo."""

    @property
    def personal_retention_days(self) -> int | None:
        """Days from an entry's end until its personal data are erased; None keeps them."""


def ended_by(stage: Stage, settings: RetentionSettings, now: datetime) -> datetime | None:
    """Return the instant by which an entry must have ended for a stage of its erasure to be due at `now`.

    Returns None if the deployment sets no retention period for this stage, so that the stage is never due.
    """
    days = {Stage.PHOTO: settings.photo_retention_days, Stage.PERSON: settings.personal_retention_days}[stage]
    return None if days is None else now - timedelta(days=days)
