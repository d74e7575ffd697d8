"""The error that refuses a ledger without a head."""

from typing import Final

from app.errors import RolledBack

_SECONDS: Final = 5
"""Seconds after which to repeat a call that found no head: a restore under way may have made one."""


class HeadMissing(RolledBack):
    """Raised if the ledger has no head: a backup was restored by hand, or a restore is running or was interrupted."""

    def __init__(self) -> None:
        super().__init__(
            "The register comes from a backup and was not taken into use: run `cekal restore` (with the same "
            "settings) and start again.",
            retry_after=_SECONDS,
        )
