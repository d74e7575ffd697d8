"""States and the other codes that stand in a travel document for a nationality or an issuer.

The codes are those of ISO 3166-1 alpha-3 and of ICAO Doc 9303 part 3, section 5 (United Kingdom
nationalities, stateless persons and refugees, organisations that issue papers, the specimen state Utopia).
Codes, English and Indonesian names and other English spellings stand in `data/states.csv`.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, NamedTuple

INDONESIA: Final = "IDN"


class State(NamedTuple):
    """One row of the table.

    Attributes:
        english: short English name.
        indonesian: short Indonesian name.
        kind: `nationality` (also stateless persons, refugees and the specimen state), `organisation` (issues
            papers, but nobody is its national) or `unspecified`.
        also: other English names and adjectives, as lists write them.
    """

    english: str
    indonesian: str
    kind: str
    also: tuple[str, ...]


_WORDS: Final = re.compile(r"[^\W_]+").findall
_SILENT: Final = dict.fromkeys(map(ord, ".'\u2019"))


def _rows() -> Iterator[tuple[str, State]]:
    table = (files(__package__) / "data" / "states.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        also = tuple(filter(None, row["also"].split("|")))
        yield row["code"], State(row["english"], row["indonesian"], row["kind"], also)


def _plain(text: str) -> str:
    """Give a country name as bare lower-case words: "U.S.A." as "usa", "Côte d'Ivoire" as "cote divoire"."""
    letters = (mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return " ".join(_WORDS("".join(letters).casefold().translate(_SILENT)))


_STATES: Final = dict(_rows())
_NATIONALITIES: Final = frozenset(code for code, state in _STATES.items() if state.kind == "nationality")
_FOREIGN: Final = _NATIONALITIES - {INDONESIA}
_BY_NAME: Final = {
    _plain(spelling): code
    for code, state in reversed(_STATES.items())  # of two codes for Kosovo the first, RKS, is the one in use
    if state.kind == "nationality"
    for spelling in (state.english, *state.also)
}

_ASIDE: Final = re.compile(r"\([^)]*\)")
_NEXT_SENTENCE: Final = re.compile(r"[.;]\s+(?=[A-Z])")
_DOUBT: Final = re.compile(
    r"\b(revoked?|withdrawn|renounced|stripped|deprived|lost|former(ly)?|previous(ly)?|until|possibly|probably"
    r"|alleged(ly)?|believed|claim(s|ed)|unknown|unclear|not|ex|by birth|born|or)\b"
)
_NOUN: Final = re.compile(r" (passport|citizen(ship)?|national(ity)?|identity card|id card|travel document)$")

KNOWN: Final[frozenset[str]] = frozenset(_STATES)
"""Every code that a travel document of our time may carry, in canonical form (so DEU, not D)."""


def canonical(code: str) -> str:
    """Give a code in the one form in which codes are compared: upper case, no fillers, Germany's D as DEU.

    ICAO Doc 9303 part 3 keeps the single letter D for Germany. An unknown code comes back unchanged.
    """
    if code in KNOWN:
        return code
    bare = code.strip(" <").upper()
    return "DEU" if bare == "D" else bare


def proves_foreign(code: str | None) -> bool:
    """Say whether a nationality is positive evidence that the person is not Indonesian.

    A known nationality other than Indonesia is, and so are XXA, XXB and XXC (stateless persons and refugees)
    and the specimen UTO. XXX, nothing and unknown codes are not, nor are organisations (UNO, EUE, XPO ...):
    Indonesians carry their papers too, and no input may let a WNI be refused entry (R45).
    """
    return code is not None and canonical(code) in _FOREIGN


def name(code: str) -> tuple[str, str] | None:
    """Give a code's short name in English and Indonesian, None for an unknown code."""
    state = _STATES.get(canonical(code))
    return None if state is None else (state.english, state.indonesian)


def from_country_name(text: str) -> str | None:
    """Read an English country name or nationality as a sanctions list writes it.

    "Iran (Islamic Republic of)", "Afghan", "Tunisian passport" and "United States. Also believed to hold ..."
    are read by what they state; "Kuwaiti citizenship withdrawn in 2002", "Possibly Ethiopian", "USSR (until
    1991)" state no present nationality and give None. Any mention of Indonesia is IDN, doubtful or not: a
    person who may be a WNI isn't deterred (R4, R45).
    """
    whole = _plain(text)
    if "indonesia" in whole:
        return INDONESIA
    if whole in _BY_NAME:
        return _BY_NAME[whole]
    statement = _NEXT_SENTENCE.split(text.strip(), maxsplit=1)[0]
    if _DOUBT.search(_plain(statement)):
        return None
    return _BY_NAME.get(_NOUN.sub("", _plain(_ASIDE.sub(" ", statement))))
