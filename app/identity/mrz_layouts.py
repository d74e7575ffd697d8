"""The formats of machine-readable zones: the position of each value, and the recognition of a text's format.

ICAO Doc 9303: TD1 cards (part 5), TD2 cards (part 6), TD3 passports (part 4), visas MRV-A and MRV-B (part 7);
also the French identity card of 1988-2021, which has TD2's shape but other positions. Positions count from 0
over the whole zone, with its lines joined.
"""

import re
from typing import Final, Literal

import msgspec

from app.identity.documents import skeleton

Format = Literal["TD1", "TD2", "TD3", "MRVA", "MRVB", "FRA-ID"]


class MrzUnreadable(ValueError):
    """Raised if a text is not a machine-readable zone. The message never repeats the text.

    Attributes:
        code: `length` (no format has this number and length of lines) or `characters` (characters other than A-Z, 0-9
            and the filler `<`).
    """

    def __init__(self, code: Literal["length", "characters"], reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The positions of one format's values: an index for a check digit or the sex, a slice for anything else.

    Positions count from 0 in the text of all lines joined into one. None means that the format lacks the value.

    Attributes:
        lines: the length of each line.
        names: one slice for all names, or one for the surname and one for the given names.
        long_number: the slice in which a document number of more than nine characters continues.
        optional: the issuer's own data, in one slice or two.
        optional_digit: the check digit of the issuer's own data; only TD3 has one.
        composite: the slices that the composite check digit covers.
    """

    format: Format
    lines: tuple[int, ...]
    names: tuple[slice, ...]
    number: slice
    number_digit: int
    long_number: slice | None = None
    nationality: slice | None = None
    birth: slice
    birth_digit: int
    sex: int
    expiry: slice | None = None
    expiry_digit: int | None = None
    optional: tuple[slice, ...]
    optional_digit: int | None = None
    composite: tuple[slice, ...] = ()
    composite_digit: int | None = None


TD1: Final = Layout(
    format="TD1",
    lines=(30, 30, 30),
    number=slice(5, 14),
    number_digit=14,
    long_number=slice(15, 30),
    birth=slice(30, 36),
    birth_digit=36,
    sex=37,
    expiry=slice(38, 44),
    expiry_digit=44,
    nationality=slice(45, 48),
    names=(slice(60, 90),),
    optional=(slice(15, 30), slice(48, 59)),
    composite=(slice(5, 37), slice(38, 45), slice(48, 59)),
    composite_digit=59,
)
TD2: Final = Layout(
    format="TD2",
    lines=(36, 36),
    names=(slice(5, 36),),
    number=slice(36, 45),
    number_digit=45,
    long_number=slice(64, 71),
    nationality=slice(46, 49),
    birth=slice(49, 55),
    birth_digit=55,
    sex=56,
    expiry=slice(57, 63),
    expiry_digit=63,
    optional=(slice(64, 71),),
    composite=(slice(36, 46), slice(49, 56), slice(57, 71)),
    composite_digit=71,
)
TD3: Final = Layout(
    format="TD3",
    lines=(44, 44),
    names=(slice(5, 44),),
    number=slice(44, 53),
    number_digit=53,
    nationality=slice(54, 57),
    birth=slice(57, 63),
    birth_digit=63,
    sex=64,
    expiry=slice(65, 71),
    expiry_digit=71,
    optional=(slice(72, 86),),
    optional_digit=86,
    composite=(slice(44, 54), slice(57, 64), slice(65, 87)),
    composite_digit=87,
)
MRVA: Final = Layout(
    format="MRVA",
    lines=(44, 44),
    names=(slice(5, 44),),
    number=slice(44, 53),
    number_digit=53,
    nationality=slice(54, 57),
    birth=slice(57, 63),
    birth_digit=63,
    sex=64,
    expiry=slice(65, 71),
    expiry_digit=71,
    optional=(slice(72, 88),),
)
MRVB: Final = Layout(
    format="MRVB",
    lines=(36, 36),
    names=(slice(5, 36),),
    number=slice(36, 45),
    number_digit=45,
    nationality=slice(46, 49),
    birth=slice(49, 55),
    birth_digit=55,
    sex=56,
    expiry=slice(57, 63),
    expiry_digit=63,
    optional=(slice(64, 72),),
)
FRENCH_CARD: Final = Layout(
    format="FRA-ID",
    lines=(36, 36),
    names=(slice(5, 30), slice(49, 63)),
    number=slice(36, 48),
    number_digit=48,
    birth=slice(63, 69),
    birth_digit=69,
    sex=70,
    optional=(slice(30, 36),),
    composite=(slice(71),),
    composite_digit=71,
)

_FRENCH: Final = skeleton("IDFRA")
"""The start of the French card in skeleton form, so that misread characters do not make it a TD2 zone."""
_ALPHABET: Final = re.compile(r"[A-Z0-9<]*").fullmatch
_LINES: Final = {layout.lines for layout in (TD1, TD2, TD3)}
_UNBROKEN: Final = {sum(lines): lines for lines in _LINES}


def recognise(text: str) -> tuple[str, Layout]:
    """Return a zone's text without line breaks and surrounding blanks, and its layout.

    Lines may end in any line break and have blanks around them. Instead of several lines, one line of their total
    length is accepted. Lower case is returned unchanged.

    Raises:
        MrzUnreadable: the lines have no known format, or contain a character that is invalid in a zone.
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    zone = "".join(lines)
    if not (zone.isascii() and _ALPHABET(zone.upper())):
        raise MrzUnreadable("characters", "A machine-readable zone holds A-Z, 0-9 and < alone.")
    lengths = tuple(map(len, lines))
    if len(lengths) == 1:
        lengths = _UNBROKEN.get(len(zone), lengths)
    if lengths not in _LINES:
        raise MrzUnreadable(
            "length", "A machine-readable zone has 3 lines of 30, 2 of 36 or 2 of 44 characters."
        )
    return zone, _layout_of(zone.upper(), lengths)


def _layout_of(zone: str, lengths: tuple[int, ...]) -> Layout:
    """Return the layout among formats of the same shape: a visa's document code begins with V."""
    if lengths == TD1.lines:
        return TD1
    if zone[0] == "V":
        return MRVA if lengths == MRVA.lines else MRVB
    if lengths == TD3.lines:
        return TD3
    return FRENCH_CARD if skeleton(zone[:5]) == _FRENCH else TD2
