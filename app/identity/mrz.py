"""Parser of the machine-readable zone of a travel document, with the verdicts of its check digits and its doubts.

ICAO Doc 9303 parts 3 to 7. A zone with a wrong check digit is still read: the caller receives the verdict on
every digit, and the search continues with the doubt reported. Check digits can't distinguish 52 of the 666
pairs of characters (their values differ by a multiple of ten), and the name has no check digit. So if fillers
may have been read as characters the zone has further readings, used only for the search.
"""

import string
from collections.abc import Iterator
from datetime import date
from typing import Final, Literal

import msgspec

from app.identity import states
from app.identity.births import Birth
from app.identity.mrz_dates import in_century_of, read_births, read_expiry
from app.identity.mrz_fillers import (
    FILLER,
    TAKEN_FOR_FILLER,
    Names,
    numbers_without_fillers,
    read_names,
    spaced,
)
from app.identity.mrz_layouts import Format, Layout, MrzUnreadable, recognise

__all__ = ["Mrz", "MrzUnreadable", "check_digit", "parse"]

Sex = Literal["male", "female", "unspecified"]

_VALUES: Final = bytes.maketrans(
    b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    bytes([0, *range(36)]),
)
_LIKE_FILLERS: Final = frozenset(TAKEN_FOR_FILLER + "<")
_CODES: Final = states.KNOWN | {"D<<"}
"""The codes that ICAO permits for a state."""
_CHARACTERS: Final = string.digits + string.ascii_uppercase
_INDONESIAN: Final = 8
"""Number of characters of an Indonesian passport's number."""
_SEXES: Final[dict[str, Sex]] = {"M": "male", "F": "female", "<": "unspecified", "X": "unspecified"}


class Mrz(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a machine-readable zone. An attribute that is a text is "" if the zone has no value for it.

    Attributes:
        format: `TD1`, `TD2`, `TD3`, `MRVA`, `MRVB`, or `FRA-ID` for the French card of 1988-2021.
        document_code: `P`, `PD`, `I`, `V` ...; without filler.
        issuing_state: canonical code (`DEU` for D), whether known or not.
        nationality: canonical code of the holder's nationality, whether known or not.
        document_number: without fillers; a long number of TD1 and TD2 in one piece.
        births: the possible births; empty if the date is missing or invalid. A birth is less precise if parts of the
            date are unknown. There are two, the later first, if the year may be of either century.
        birth_raw: the six characters of the birth date, unchanged.
        sex: `unspecified` also for a character that ICAO does not define.
        expiry: "YYYY-MM-DD" or None.
        surname: primary identifier; the only one of a person with a single name.
        given_names: secondary identifiers.
        name_truncated: whether the name reaches the end of its field, so that its end may have been cut off.
        optional_data: the issuer's own data, one piece or (TD1) two.
        check_digits: whether the check digit is right, by field: `document_number`, `birth_date`, `expiry_date`,
            `optional_data` (TD3 only), `composite`; only the fields that the format has.
        fails: fields whose check digit is wrong, `birth_date_format`, `birth_date_range`, `expiry_date_format`,
            `expiry_date_range` (no such day), `charset` (lower case).
        warnings: `unknown_state`, `unknown_nationality` (not a code of ICAO's), `unknown_sex`, `name_missing`,
            `name_characters` (a digit in the names), `name_fillers` (the field of names has no filler, or some seem to
            have been read as characters), `number_fillers` (the number's last characters may be fillers),
            `birth_century` (`beside` has chosen the earlier century for the year of birth).
        other_numbers: other readings of the document number, if its last characters may be fillers.
        other_names: other readings of the field of names, surname first.
    """

    format: Format
    document_code: str
    issuing_state: str
    nationality: str
    document_number: str
    births: tuple[Birth, ...]
    birth_raw: str
    sex: Sex
    expiry: str | None
    surname: str
    given_names: str
    name_truncated: bool
    optional_data: tuple[str, ...]
    check_digits: dict[str, bool]
    fails: tuple[str, ...]
    warnings: tuple[str, ...]
    other_numbers: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()

    @property
    def birth(self) -> Birth | None:
        """The birth date; the later one if the century is open. None if the zone has no readable one."""
        return self.births[0] if self.births else None

    def beside(self, birth: Birth | None) -> "Mrz":
        """Return the zone with only one of its possible births, the one nearest to `birth`, such as a typed birth.

        If this is the birth of the earlier century, the warning `birth_century` is added. The zone is returned
        unchanged if `birth` is None, or if the zone has fewer than two possible births.
        """
        if birth is None or len(self.births) < 2:  # noqa: PLR2004 - nothing is open
            return self
        decided = in_century_of(self.births, birth)
        doubt = () if decided == self.birth else ("birth_century",)
        return msgspec.structs.replace(self, births=(decided,), warnings=(*self.warnings, *doubt))

    @property
    def name(self) -> str:
        """The name in spoken order: given names, then surname."""
        return f"{self.given_names} {self.surname}".strip()

    @property
    def valid(self) -> bool:
        """Whether every check digit is right, every value can be read, and all letters are upper case."""
        return not self.fails

    def as_fields(self) -> dict[str, str | bool | None]:
        """Return the zone's values by name, for the answer of a check; None if the zone has no value."""
        optional = self.optional_data
        names = ("optional_data",) if len(optional) == 1 else ("optional_data_1", "optional_data_2")
        return {
            "document_code": self.document_code or None,
            "issuing_state": self.issuing_state or None,
            "nationality": self.nationality or None,
            "document_number": self.document_number or None,
            "surname": self.surname or None,
            "given_names": self.given_names or None,
            "name": self.name or None,
            "name_truncated": self.name_truncated,
            "birth_date": None if self.birth is None else self.birth.date,
            "sex": self.sex,
            "expiry_date": self.expiry,
            **{name: data or None for name, data in zip(names, optional, strict=True)},
        }


def check_digit(characters: str) -> int:
    """Return the check digit of characters A-Z, 0-9 and `<`, by the weights 7, 3, 1 (Doc 9303 part 3, section 4.9)."""
    values = characters.encode().translate(_VALUES)
    return (7 * sum(values[::3]) + 3 * sum(values[1::3]) + sum(values[2::3])) % 10


def parse(text: str, today: date) -> Mrz:
    """Read a machine-readable zone.

    Args:
        text: the lines, with any line breaks or none; blanks around them and lower case are tolerated.
        today: the present day, which decides the century of two-digit years: no birth is in the future.

    Raises:
        MrzUnreadable: the text does not have the shape of a zone; no other error is ever raised.
    """
    written, layout = recognise(text)
    zone = written.upper()
    number, number_holds, rest = _number(zone, layout)
    birth_raw = zone[layout.birth]
    births, birth_fault = read_births(birth_raw, today)
    expiry, expiry_fault = (None, None) if layout.expiry is None else read_expiry(zone[layout.expiry], today)
    issuing_state = states.in_zone(zone[2:5])
    nationality = "" if layout.nationality is None else states.in_zone(zone[layout.nationality])
    sex = _SEXES.get(zone[layout.sex])
    names = _names(zone, layout)
    other_numbers = _other_numbers(zone, layout, number, names.taken)
    digits = _verdicts(zone, layout, number_holds=number_holds)
    faults = ("charset" if written != zone else None, birth_fault, expiry_fault)
    doubts = {
        "unknown_state": zone[2:5] not in _CODES,
        "unknown_nationality": bool(nationality) and zone[layout.nationality or slice(0)] not in _CODES,
        "unknown_sex": sex is None,
        "name_missing": not names.surname,
        "name_characters": any(character.isdigit() for character in names.surname + names.given_names),
        "name_fillers": names.doubtful,
        "number_fillers": bool(other_numbers)
        and (names.doubtful or (_is_indonesian_passport(zone, layout) and len(number) > _INDONESIAN)),
    }
    return Mrz(
        format=layout.format,
        document_code=zone[:2].strip("<"),
        issuing_state=issuing_state,
        nationality=nationality,
        document_number=number,
        births=births,
        birth_raw=birth_raw,
        sex=sex or "unspecified",
        expiry=expiry,
        surname=names.surname,
        given_names=names.given_names,
        name_truncated=names.truncated,
        optional_data=(rest, *(spaced(zone[place]) for place in layout.optional[1:])),
        check_digits=digits,
        fails=(*(field for field, holds in digits.items() if not holds), *filter(None, faults)),
        warnings=tuple(doubt for doubt, present in doubts.items() if present),
        other_numbers=other_numbers,
        other_names=names.others,
    )


def _number(zone: str, layout: Layout) -> tuple[str, bool, str]:
    """Return the document number, whether its check digit is right, and the rest of the first optional data.

    A number of more than nine characters has a filler in the check digit's place and continues in the optional
    data, its check digit last (Doc 9303 part 5, note j). Issuers compute that digit with and without the
    filler in the middle; both are right.
    """
    first, digit, beside = zone[layout.number], zone[layout.number_digit], zone[layout.optional[0]]
    if layout.long_number is None or digit != "<" or beside[0] == "<":
        return first.replace("<", ""), digit == str(check_digit(first)), spaced(beside)
    more, _, rest = beside.partition("<")
    more, digit = more[:-1], more[-1]
    return (first + more).replace("<", ""), _long_number_holds(first, more, digit), spaced(rest)


def _other_numbers(zone: str, layout: Layout, number: str, taken: str) -> tuple[str, ...]:
    """Return other readings of the document number, if fillers of its field may have been read as characters.

    Args:
        zone: the zone.
        layout: the positions of its values.
        number: the number as it was read.
        taken: the character that was read instead of fillers in the field of names.
    """
    found = numbers_without_fillers(number, taken)
    if _is_indonesian_passport(zone, layout) and len(number) > _INDONESIAN:
        found = tuple(dict.fromkeys((number[:_INDONESIAN], *found)))
    if FILLER in zone[layout.number].strip(FILLER):
        found = (*found, *_numbers_in_full(zone[layout.number], zone[layout.number_digit]))
    fillers = _LIKE_FILLERS | {taken}
    if layout.long_number is None or zone[layout.number_digit] not in fillers:
        return found
    long = _long_numbers(zone[layout.number], zone[layout.long_number], fillers)
    return (*(other for other in long if other != number), *found)


def _numbers_in_full(field: str, digit: str) -> Iterator[str]:
    """Yield numbers with a right check digit in which the filler in the middle is replaced by a character.

    A filler there may also be a hyphen or a blank of the number (Doc 9303 part 4), as `document_number` reads it.
    """
    before, _, behind = field.strip(FILLER).partition(FILLER)
    for missing in _CHARACTERS if FILLER not in behind else ():
        number = f"{before}{missing}{behind}"
        if digit == str(check_digit(number)):
            yield number


def _long_numbers(first: str, beside: str, fillers: frozenset[str]) -> Iterator[str]:
    """Yield the possible long numbers of a field and the optional data: with a right check digit and then a filler.

    The filler between the two fields and the one at the end may have been read as characters.
    """
    for end, (digit, behind) in enumerate(zip(beside[1:], f"{beside[2:]}<", strict=False), 1):
        more = beside[:end]
        if behind in fillers and _long_number_holds(first, more, digit):
            yield (first + more).replace("<", "")


def _long_number_holds(first: str, more: str, digit: str) -> bool:
    """Return whether a long number's check digit is right, computed with or without the filler in its middle."""
    return digit in {str(check_digit(first + more)), str(check_digit(f"{first}<{more}"))}


def _is_indonesian_passport(zone: str, layout: Layout) -> bool:
    """Return whether the zone is that of an Indonesian passport, whose number has `_INDONESIAN` characters."""
    return layout.format == "TD3" and zone[0] == "P" and zone[2:5] == states.INDONESIA


def _verdicts(zone: str, layout: Layout, *, number_holds: bool) -> dict[str, bool]:
    """Return the verdict on each check digit of the format, by field."""
    verdicts = {"document_number": number_holds, "birth_date": _holds(zone, layout.birth, layout.birth_digit)}
    if layout.expiry is not None and layout.expiry_digit is not None:
        verdicts["expiry_date"] = _holds(zone, layout.expiry, layout.expiry_digit)
    if layout.optional_digit is not None:
        verdicts["optional_data"] = _holds(zone, layout.optional[0], layout.optional_digit)
    if layout.composite_digit is not None:
        covered = "".join(zone[place] for place in layout.composite)
        verdicts["composite"] = zone[layout.composite_digit] == str(check_digit(covered))
    return verdicts


def _holds(zone: str, place: slice, digit_place: int) -> bool:
    """Return whether a check digit is right; for an empty field a filler is accepted instead of 0."""
    field, digit = zone[place], zone[digit_place]
    return digit == str(check_digit(field)) or (digit == "<" and not field.strip("<"))


def _names(zone: str, layout: Layout) -> Names:
    """Read the one or two fields of names. A single identifier is the surname, in either field."""
    if len(layout.names) == 1:
        return read_names(zone[layout.names[0]])
    surname, given_names = (read_names(zone[place]) for place in layout.names)
    words = [" ".join(filter(None, (each.surname, each.given_names))) for each in (surname, given_names)]
    first, second = words if words[0] else reversed(words)
    return Names(
        surname=first,
        given_names=second,
        others=(
            *(f"{other} {words[1]}".strip() for other in surname.others),
            *(f"{words[0]} {other}".strip() for other in given_names.others),
        ),
        doubtful=surname.doubtful or given_names.doubtful,
        truncated=surname.truncated or given_names.truncated,
        taken=surname.taken or given_names.taken,
    )
