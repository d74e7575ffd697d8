"""Other readings of a document number, for all ways in which numbers are misread.

A match by another reading counts like one with easily confused characters: it refers the traveller at most.
"""

from typing import Final

from app.identity.mrz_fillers import numbers_without_fillers

_ZONE_FIELD: Final = 9
"""Number of characters of the number's field in a machine-readable zone (ICAO Doc 9303 parts 4 to 7)."""


def other_readings(number: str) -> tuple[str, ...]:
    """Return shorter numbers that may be meant by a number in normal form, the longest first.

    Only for a number of nine characters, the length of the number's field in a machine-readable zone. If it ends with
    characters that readers report instead of the filler `<`, the results lack these characters, one more in each. Empty
    for other numbers.
    """
    return numbers_without_fillers(number) if len(number) == _ZONE_FIELD else ()
