"""The codes of places in manifests, and the checkpoints that they name (no I/O)."""

from collections.abc import Mapping
from typing import Final

from app.access.domain import Checkpoint

_LOCODE_LENGTH: Final = 5
"""Length of a UN/LOCODE; its first two letters are the country's code."""
_COUNTRY: Final = "ID"


def checkpoint_named(code: str, places: Mapping[str, Checkpoint]) -> Checkpoint | None:
    """Return the checkpoint that a place's code names, active or not; None if no checkpoint has this code.

    An airport is also named by its UN/LOCODE, which is its own code after the country's: `IDDPS` for `DPS`. `places`
    are the register's checkpoints, by code.
    """
    airport = places.get(code.removeprefix(_COUNTRY)) if _is_locode(code) else None
    return places.get(code) or (airport if airport is not None and airport.mode == "air" else None)


def is_indonesian(code: str, places: Mapping[str, Checkpoint]) -> bool:
    """Return whether the place with this code in a passenger list is in Indonesia: an airport here, or a UN/LOCODE.

    Codes of other checkpoints do not count, because airports abroad have the same ones. `places` are the register's
    checkpoints, by code.
    """
    known = places.get(code)
    return (known is not None and known.mode == "air") or _is_locode(code)


def _is_locode(code: str) -> bool:
    return len(code) == _LOCODE_LENGTH and code.startswith(_COUNTRY)
