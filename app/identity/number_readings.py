"""Other readings of a document number that was typed or sent by a reader, if the end of its field was misread.

A match by another reading counts like one with easily confused characters: it refers the traveller at most.
"""

from typing import Final

from app.identity.mrz_fillers import numbers_without_fillers

_ZONE_FIELD: Final = 9
"""Number of characters of the number's field in a machine-readable zone (ICAO Doc 9303 parts 4 to 7)."""


def other_readings(number: str) -> tuple[str, ...]:
    """Return shorter numbers that may be meant by a number in normal form, the longest first.

    A number of nine characters may be the whole field of a machine-readable zone. Then characters that readers report
    instead of the filler `<` (such as K, C or 0) are removed from its end, one more in each result: AB12345KK gives
    AB12345K and AB12345. Empty if the last character is none of these, and for a number of another length.
    """
    return numbers_without_fillers(number) if len(number) == _ZONE_FIELD else ()
