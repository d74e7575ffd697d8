"""Placeholders in name fields, and the possible readings of the other words of the field.

Many people have one name, and many forms require two. So carriers, visas and registers write a placeholder (FNU, LNU,
XXX, TANPA NAMA) for the name that is missing, write the one name twice, or glue Mr and Mrs to it as reservation systems
do.
Words that are only placeholders are dropped. Words that may also be names are dropped in a second form of the name, and
the better match of the two counts.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Final

_KINDS: Final = (
    "GIVEN|FIRST|LAST|SUR|FAMILY|FORE|MIDDLE|SECOND|CHRISTIAN|DEPAN|BELAKANG|TENGAH|KELUARGA|KECIL"
)
_PLACEHOLDER: Final = re.compile(
    r"^N [AN]\b|\bN [AN]$|\b(?:"
    rf"(?:NO|NOT|WITHOUT|UNKNOWN|TANPA|SANS|SIN|OHNE|NIL|BLANK|MISSING) ?(?:{_KINDS})? ?"
    rf"(?:NAMES?|NAMA|NOM|PRENOM|NOMBRES?|APELLIDOS?|NAMEN|VORNAMEN?|NACHNAMEN?)(?: ?(?:{_KINDS}))?"
    r"|(?:NAMES?|NAMA) (?:NOT |TIDAK )?(?:UNKNOWN|KNOWN|DIKETAHUI|ADA|AVAILABLE|GIVEN)"
    r"|(?:ONLY ONE|ONE|SINGLE|SATU) (?:NAME|NAMA)(?: ONLY| SAJA)?|NAMA TUNGGAL|MONONYM"
    r"|NOT (?:KNOWN|AVAILABLE|APPLICABLE|PROVIDED|GIVEN|STATED)"
    r"|(?:TIDAK|TDK|BELUM|TAK) (?:ADA|DIKETAHUI|TERSEDIA|PUNYA)(?: NAMA)?(?: (?:DEPAN|BELAKANG|KELUARGA))?"
    r"|TIDAKADA|UNKNOWN|UNKN|UNK|UNNAMED|ANONYMOUS|NOMEN NESCIO|INCONNUE?|DESCONOCID[OA]|UNBEKANNT"
    r"|[FLMG]NU|[FLM]NAME|NFN|NLN|NMN|NGN|NSN|NN|X{2,}"
    r"|MSTR|TN|SDRI?|BPK|ALMH?|ALMARHUM(?:AH)?|INFT?|CHD|ADT"
    r")\b"
)
_LONE_X: Final = "X"
_PERHAPS_NAMES: Final = """
    NIL NULL NONE NA NAME NAMA SURNAME GIVENNAME GIVEN FIRSTNAME LASTNAME NIHIL NY NYONYA TUAN NONA BABY CHILD INFANT
    MASTER EMPTY BLANK NOBODY SELF TBA
"""
_ALSO_NAMES: Final = frozenset(_PERHAPS_NAMES.split())
"""Words that are placeholders as often as names."""
_HONORIFIC_AFTER: Final = re.compile(
    r"([A-Z]{2,}?)(?:MSTR|MISS|MRS|MR|(?<=...)(?:MS|DR|FNU|LNU))(?:ADT|CHD|INF|INS)?"
).fullmatch
_HONORIFIC_BEFORE: Final = re.compile(r"(?:MSTR|MISS|MR|MS|FNU|LNU)([A-Z]{4,})").fullmatch
_MRS: Final = re.compile(r"MRS([A-Z]{4,})").fullmatch
_TWICE: Final = re.compile(r"([A-Z]{4,})\1").fullmatch
_HINTS: Final = re.compile(
    r"NAM|NOM|APELLIDO|XX|^X$|^(?:NOT?|TIDAK|TDK|BELUM|TAK|N|TIDAKADA|UNK.*|UNNAMED|ANONYMOUS|INCONNUE?|DESCONOCID[OA]"
    r"|UNBEKANNT|MONONYM|[FLMG]NU|N[FLMGS]?N|MSTR|TN|SDRI?|BPK|ALM.*|INFT?|CHD|ADT)$"
).search
"""Matches a part of at least one word of every placeholder."""
_MAX_FORMS: Final = 4
"""Largest number of readings of one name that are compared, so that work stays bounded."""


def meant(words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the words of a name without placeholders (FNU, XXX), in several readings, the likeliest first.

    A word that may be a placeholder or a name (NIL, BABY) is kept in one reading and dropped in another. At most four
    readings are returned, at least one. A name of placeholders alone keeps its words, so that no reading is empty.

    Args:
        words: the words of the name in upper case.
    """
    own = tuple(words)
    if not any(map(_fills_perhaps, own)):
        return (own,)
    text = " ".join(own)
    own = tuple(_PLACEHOLDER.sub(" ", text).split()) or own
    if _LONE_X in own and any(len(word) > 1 for word in own):
        own = tuple(word for word in own if word != _LONE_X)
    forms = dict.fromkeys((own, *product(*map(_words_meant, own))))
    without = tuple(word for word in own if word not in _ALSO_NAMES)
    return tuple(dict.fromkeys((*forms, *((without,) if without else ()))))[:_MAX_FORMS]


def are_placeholders(words: Sequence[str]) -> bool:
    """Return whether all of these upper-case words are placeholders and so name no person; True without words."""
    left = _PLACEHOLDER.sub(" ", " ".join(words)).split()
    return all(word == _LONE_X for word in left)


@lru_cache(maxsize=1 << 14)
def _fills_perhaps(word: str) -> bool:
    """Return whether a word may be or contain a placeholder; most words do not."""
    return word in _ALSO_NAMES or _HINTS(word) is not None or len(_words_meant(word)) > 1


@lru_cache(maxsize=1 << 12)
def _words_meant(word: str) -> tuple[str, ...]:
    """Return the possible readings of a word: without a joined honorific or a repetition, and unchanged."""
    glued = (_TWICE(word), _HONORIFIC_AFTER(word), _HONORIFIC_BEFORE(word), _MRS(word))
    return (*(found[1] for found in glued if found), word)
