"""The machine-readable zone of a travel document: read, checked against its digits, doubts stated.

ICAO Doc 9303 parts 3 to 7. A zone with a wrong check digit is still read: the caller gets the verdict on
every digit, and the search goes on with the doubt stated. Facts that shape this module: the check digits
never see 52 of the 666 pairs of characters (their values differ by a multiple of ten), and the name has none.
"""

from datetime import date
from typing import Final, Literal

import msgspec

from app.identity import states
from app.identity.births import Birth
from app.identity.mrz_dates import read_birth, read_expiry
from app.identity.mrz_layouts import Format, Layout, MrzUnreadable, recognise

__all__ = ["Mrz", "MrzUnreadable", "check_digit", "parse"]

Sex = Literal["male", "female", "unspecified"]

_VALUES: Final = bytes.maketrans(
    b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    bytes([0, *range(36)]),
)
_SEXES: Final[dict[str, Sex]] = {"M": "male", "F": "female", "<": "unspecified", "X": "unspecified"}


class Mrz(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine-readable zone says. Text is "" where the zone says nothing.

    Attributes:
        format: `TD1`, `TD2`, `TD3`, `MRVA`, `MRVB`, or `FRA-ID` for the French card of 1988-2021.
        document_code: `P`, `PD`, `I`, `V` ...; without filler.
        issuing_state: canonical code (`DEU` for D), whether known or not.
        nationality: as `issuing_state`.
        document_number: without fillers; a long number of TD1 and TD2 in one piece.
        birth: None if nothing or nonsense is said; with unknown parts of lower precision.
        birth_raw: the six characters as they stand.
        sex: `unspecified` also for a character that isn't one of ICAO's.
        expiry: "YYYY-MM-DD" or None.
        surname: primary identifier; the only one of a person with a single name.
        given_names: secondary identifiers.
        name_truncated: the name reaches the end of its field, so more of it may have been cut off.
        optional_data: the issuer's own data, one piece or (TD1) two.
        check_digits: verdict by field: `document_number`, `birth_date`, `expiry_date`, `optional_data` (TD3
            only), `composite`; only what the format has.
        fails: fields whose digit is wrong, `birth_date_format`, `birth_date_range`, `expiry_date_format`,
            `expiry_date_range` (no such day), `charset` (lower case).
        warnings: `unknown_state`, `unknown_nationality`, `unknown_sex`, `name_missing`, `name_characters`.
    """

    format: Format
    document_code: str
    issuing_state: str
    nationality: str
    document_number: str
    birth: Birth | None
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

    @property
    def name(self) -> str:
        """The name as it is spoken: given names, then surname."""
        return f"{self.given_names} {self.surname}".strip()

    @property
    def valid(self) -> bool:
        """Whether every check digit holds and every value can be read."""
        return not self.fails

    def as_fields(self) -> dict[str, str | bool | None]:
        """Give the values for the answer of a check; null where the zone says nothing."""
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
    """Compute the check digit of upper-case characters: weights 7, 3, 1 (Doc 9303 part 3, section 4.9)."""
    values = characters.encode().translate(_VALUES)
    return (7 * sum(values[::3]) + 3 * sum(values[1::3]) + sum(values[2::3])) % 10


def parse(text: str, today: date) -> Mrz:
    """Read a machine-readable zone.

    Args:
        text: the lines, with any line breaks or none; blanks around them and lower case are tolerated.
        today: decides the century of two-digit years.

    Raises:
        MrzUnreadable: for anything that has not the shape of a zone; nothing else is ever raised.
    """
    written, layout = recognise(text)
    zone = written.upper()
    number, number_holds, rest = _number(zone, layout)
    birth_raw = zone[layout.birth]
    birth, birth_fault = read_birth(birth_raw, today)
    expiry, expiry_fault = (None, None) if layout.expiry is None else read_expiry(zone[layout.expiry], today)
    issuing_state = states.canonical(zone[2:5])
    nationality = "" if layout.nationality is None else states.canonical(zone[layout.nationality])
    sex = _SEXES.get(zone[layout.sex])
    surname, given_names, truncated = _names(zone, layout)
    digits = _verdicts(zone, layout, number_holds=number_holds)
    faults = ("charset" if written != zone else None, birth_fault, expiry_fault)
    doubts = {
        "unknown_state": issuing_state not in states.KNOWN,
        "unknown_nationality": bool(nationality) and nationality not in states.KNOWN,
        "unknown_sex": sex is None,
        "name_missing": not surname,
        "name_characters": any(character.isdigit() for character in surname + given_names),
    }
    return Mrz(
        format=layout.format,
        document_code=zone[:2].strip("<"),
        issuing_state=issuing_state,
        nationality=nationality,
        document_number=number,
        birth=birth,
        birth_raw=birth_raw,
        sex=sex or "unspecified",
        expiry=expiry,
        surname=surname,
        given_names=given_names,
        name_truncated=truncated,
        optional_data=(rest, *(_spaced(zone[place]) for place in layout.optional[1:])),
        check_digits=digits,
        fails=(*(field for field, holds in digits.items() if not holds), *filter(None, faults)),
        warnings=tuple(doubt for doubt, present in doubts.items() if present),
    )


def _number(zone: str, layout: Layout) -> tuple[str, bool, str]:
    """Give the document number, whether its check digit holds, and the first optional data beside it.

    A number of more than nine characters has a filler in the check digit's place and goes on in the optional
    data, its check digit last (Doc 9303 part 5, note j). Issuers compute that digit with and without the
    filler in the middle; both are right.
    """
    first, digit, beside = zone[layout.number], zone[layout.number_digit], zone[layout.optional[0]]
    if layout.long_number is None or digit != "<" or beside[0] == "<":
        return first.replace("<", ""), digit == str(check_digit(first)), _spaced(beside)
    more, _, rest = beside.partition("<")
    more, digit = more[:-1], more[-1]
    holds = digit in {str(check_digit(first + more)), str(check_digit(f"{first}<{more}"))}
    return (first + more).replace("<", ""), holds, _spaced(rest)


def _verdicts(zone: str, layout: Layout, *, number_holds: bool) -> dict[str, bool]:
    """Compare every check digit that the format has with what it is computed from."""
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
    """Compare one check digit; beside a field that says nothing a filler is as good as a 0."""
    field, digit = zone[place], zone[digit_place]
    return digit == str(check_digit(field)) or (digit == "<" and not field.strip("<"))


def _names(zone: str, layout: Layout) -> tuple[str, str, bool]:
    """Give surname, given names, and whether they may have been cut off.

    Two fillers part the identifiers. A single identifier is the surname, wherever it stands. A name that
    leaves at most one filler at the end of its field may have been cut: some issuers cut between two names.
    """
    fields = [zone[place] for place in layout.names]
    whole = "<<".join(field.rstrip("<") for field in fields).lstrip("<")
    surname, _, given_names = whole.partition("<<")
    return _spaced(surname), _spaced(given_names), any(not field.endswith("<<") for field in fields)


def _spaced(field: str) -> str:
    """Give a field's words with single blanks for fillers."""
    return " ".join(field.replace("<", " ").split())
