"""States, and the other codes for a nationality or an issuer in travel documents.

The codes are those of ISO 3166-1 alpha-3 and of ICAO Doc 9303 part 3, section 5 (United Kingdom
nationalities, stateless persons and refugees, organisations that issue papers, the specimen state Utopia).
Codes, English and Indonesian names, other English spellings, other codes for the same state (ISO 3166-1 alpha-2,
former ISO codes, the International Olympic Committee's, Kosovo's) and the state that issues a territory's documents are
in `data/states.csv`. A code that other lists use for another state is not included.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, NamedTuple

from app.identity.documents import skeleton

INDONESIA: Final = "IDN"


class State(NamedTuple):
    """A row of the table of states.

    Attributes:
        english: short English name.
        indonesian: short Indonesian name.
        kind: `nationality` (also stateless persons, refugees and the specimen state), `organisation` (issues
            papers, but nobody is its national) or `unspecified`.
        also: other English names and adjectives, as sanctions lists write them.
        codes: other codes for the same state.
        issuer: code of the state that issues this territory's documents; "" if it issues its own.
    """

    english: str
    indonesian: str
    kind: str
    also: tuple[str, ...]
    codes: tuple[str, ...]
    issuer: str


_WORDS: Final = re.compile(r"[^\W_]+").findall
_SILENT: Final = dict.fromkeys(map(ord, ".'\u2019"))


def _rows() -> Iterator[tuple[str, State]]:
    table = (files(__package__) / "data" / "states.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        also, codes = (tuple(filter(None, row[column].split("|"))) for column in ("also", "codes"))
        yield (
            row["code"],
            State(row["english"], row["indonesian"], row["kind"], also, codes, row["issuer"]),
        )


def _plain(text: str) -> str:
    """Return a country name as plain lower-case words: "U.S.A." as "usa", "Côte d'Ivoire" as "cote divoire"."""
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
"""All known codes of states and other issuers, in canonical form (DEU, not D)."""

_CANONICAL: Final = (
    {code: code for code in _STATES}
    | {other: code for code, state in _STATES.items() for other in state.codes}
    | {"D": "DEU"}
)
_ISSUERS: Final = {
    code: state.issuer or code
    for code, state in _STATES.items()
    if state.kind != "unspecified" and code not in {"XXA", "XXB", "XXC"}  # persons without a state
}
_LOOKS_INDONESIAN: Final = skeleton(INDONESIA)


def canonical(code: str) -> str:
    """Return the canonical form of a code, in which codes are compared.

    Each state has one canonical code. For example, D becomes DEU, ID and RI become IDN, and UNK, XXK and XKX become
    RKS. An unknown code is returned in upper case, without fillers and blanks around it.
    """
    known = _CANONICAL.get(code)
    if known is not None:
        return known
    bare = code.strip(" <").upper()
    return _CANONICAL.get(bare, bare)


def known(code: str | None) -> str | None:
    """Return the canonical code of a state; None if the code is missing or unknown."""
    if not code:
        return None
    found = canonical(code)
    return found if found in KNOWN else None


def in_zone(field: str) -> str:
    """Return the canonical code of the state in a machine-readable zone's field of three characters.

    An unknown or doubtful code is returned as it is, without its fillers. A code of two letters is doubtful if other
    states' codes begin with these letters, because the filler may be a misread letter ("AU<" is Australia or Austria).
    It is also doubtful if the first letter alone is a code, because the second letter may be a misread filler ("DK<"
    may be "D<<", Germany). "ID<" is not doubtful: it is IDN.
    """
    found, bare = canonical(field), field.strip("<")
    if len(bare) != len("ID"):
        return found
    alone = _CANONICAL.get(bare[0], found)
    doubted = alone != found or any(code.startswith(bare) and code != found for code in KNOWN)
    return bare if doubted else found


def differ(one: str | None, other: str | None) -> bool:
    """Return whether two codes prove that two documents have different issuers; False if a code is unknown or None.

    The codes of all British nationalities (GBD, GBN ...) count as one issuer. A territory's code counts as the code of
    the state that issues its documents.
    """
    if one == other:
        return False
    issuers = {_ISSUERS.get(known(code) or "") for code in (one, other)}
    return None not in issuers and len(issuers) > 1


def says_indonesia(code: str | None) -> bool:
    """Return whether a code is Indonesia's, or an unknown code that differs from it only in easily confused characters.

    Misread codes count too, because no input may cause a WNI (citizen of Indonesia) to be refused entry (R45).
    """
    if not code:
        return False
    found = canonical(code)
    return found == INDONESIA or (found not in KNOWN and skeleton(found) == _LOOKS_INDONESIAN)


def proves_foreign(code: str | None) -> bool:
    """Return whether a nationality's code is positive evidence that the person is not Indonesian.

    True for the code of any other state, for XXA, XXB and XXC (stateless persons and refugees) and for the specimen
    UTO. False for None, XXX and unknown codes. False also for organisations (UNO, EUE, XPO ...), because Indonesians
    may have their papers. No input may cause a WNI (citizen of Indonesia) to be refused entry (R45).
    """
    return code is not None and canonical(code) in _FOREIGN


def name(code: str) -> tuple[str, str] | None:
    """Return a code's short name in English and Indonesian; None for an unknown code."""
    state = _STATES.get(canonical(code))
    return None if state is None else (state.english, state.indonesian)


def from_country_name(text: str) -> str | None:
    """Return the code of an English country name or nationality as written in a sanctions list; None if it is unclear.

    "Iran (Islamic Republic of)", "Afghan", "Tunisian passport" and "United States. Also believed to hold ..." are
    recognised. "Kuwaiti citizenship withdrawn in 2002", "Possibly Ethiopian" and "USSR (until 1991)" state no certain
    present nationality, so the result is None. The result is IDN for any mention of Indonesia, even a doubtful one,
    because nobody who may be a WNI (citizen of Indonesia) is deterred (R4, R45).
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
