"""Folding of names, by which two spellings of one name become equal.

Folding removes differences of case, marks, the order of the words, MRZ fillers, titles, degrees and the reforms of
Indonesian spelling. Other differences stay; the likeness of two names that are unequal after folding is computed
elsewhere (`spellings`, `matching`).
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_WHOLE_LETTERS: Final = str.maketrans(
    {"Æ": "AE", "Ð": "D", "Đ": "D", "Ħ": "H", "Ł": "L", "Ŋ": "N", "Œ": "OE", "Ø": "O", "Þ": "TH"},
)
"""Latin letters that Unicode doesn't decompose into a plain letter and a mark."""

_SILENT: Final = dict.fromkeys(
    map(ord, "'`\u00b4\u02b9\u02bb\u02bc\u02be\u02bf\u0640\u2018\u2019\u201b\u2032")
)
"""Apostrophes, the Arabic ayn and hamza written as such, and the Arabic stretching stroke."""

_PUNCTUATION: Final = _SILENT | {
    code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in "'`.,")
}

_TITLES: Final = """
    H HJ HAJI HADJI HAJJI HAJJAH HAJAH IR DR DRS DRA DRG DRH PROF KH KRH KRT KRMT RM RMT RR TGK UST USTAD USTADZ
    USTAZ CAPT BRIPKA BRIGJEN KOMJEN IRJEN LETJEN MAYJEN KOMBES AKBP MR MRS MS MISS
"""
_DEGREES: Final = """
    SH SPD SPDI SAG SKOM SSOS SKM SKED SFARM SPSI STHI SHUT SPT MSI MPD MPDI MKOM MHUM MSC MBA MAG MSOS MKES
    MKN PHD LLM LLB AMD AMDKEB APT BSC SSTP SPOG SPOT SPPD SPKJ SPSI SPSY SPSIKO STRKEB STRKES SKEP SGZ SHUM MPHIL
    MCOM BCOM MMAR MKEB MKEP MFARM MPSI MTH MPH MMSI MKOMI SPDSD SPPA
"""
"""Abbreviations of degrees that are never names, dropped at any position."""
_DEGREES_BY_WRITING: Final = """
    SE MH MM MA BA ST MT SS SP SIP SIK SI MP MSP MIP MAP MMP MPP MMA MSE DEA LC AK CA CPA AKP SST NERS MD BBA BE BENG
    MENG MHS MPS MTP MTI MHI MEI MSM SEI SHI SSI SSN SSY SPI SIKOM MIKOM SKG SPK SPB SPM SPA SPN SAP SPAN MARS
"""
"""Abbreviations of degrees that are also names or initials, dropped only after a comma or with dots inside (S.E.)."""

_MUHAMMAD: Final = re.compile(r"M[OU]K?HAMM?[AE][DT]H?|M|MD|MHD|MOHD?|MUHD?|MOKHD?|MUKHD?").fullmatch
_AHMAD: Final = re.compile(r"AK?HM[AE]DH?").fullmatch
LINEAGE: Final = frozenset({"BIN", "BINTI", "BINTE", "BTE", "IBN"})
"""Words for "son of" and "daughter of", which passports often omit."""


def fold(name: str) -> str:
    """Return a name's folded form, its `words` in alphabetical order; equal folded forms mean one name.

    Never raises. Folding a folded name changes nothing. The result is not empty for a name with a letter, in any
    script.
    """
    return " ".join(sorted(words(name))) or "".join(filter(str.isalpha, name))


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in their order, each in upper case and in one spelling (see `respell`).

    Titles and degrees are dropped if another word remains. `bin`, `binti` and the like (`LINEAGE`) are dropped if two
    other words remain.
    """
    written = tuple(map(respell, words_without_titles(name)))
    own = [word for word in written if word not in LINEAGE]
    return tuple(own) if len(own) > 1 else written


def words_without_titles(name: str) -> tuple[str, ...]:
    """Return the words of a name in upper case as written, without titles and degrees.

    Titles and degrees are kept if no other word would remain. `bin` and `binti` are kept.
    """
    spelled = _plain(name)
    every = _parted(spelled)
    kept = [word for word in _without_degrees(spelled) if respell(word) not in _NOT_BORNE]
    return tuple(kept or [word for word in every if respell(word) not in _NOT_BORNE] or every)


def written(name: str) -> tuple[str, ...]:
    """Return all words of a name in plain upper case letters and digits, with titles and degrees."""
    return tuple(_parted(_plain(name)))


def is_degree(text: str) -> bool:
    """Return whether a text is one title or one degree, with dots and blanks or without (M. Si., MSI)."""
    plain = "".join(_plain(text).replace(".", " ").replace(",", " ").split())
    return plain in _ALL_DEGREES or (bool(plain) and respell(plain) in _NOT_BORNE)


def _parted(spelled: str) -> list[str]:
    return spelled.replace(",", " ").replace(".", " ").split()


def _plain(name: str) -> str:
    """Return a name as upper-case letters, digits and blanks, with commas and dots as the only other separators.

    Marks above, below or through a letter (Latin, Greek, Cyrillic) and vowel points of a consonant (Arabic, Hebrew)
    are dropped; marks that are letters themselves (Indic, Thai, Japanese) are kept.
    """
    if name.isascii():
        return name.upper().translate(_PUNCTUATION)
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).upper())
    letters = (character for character in apart if not _is_mere_mark(character))
    text = unicodedata.normalize("NFC", "".join(letters).upper().translate(_WHOLE_LETTERS))
    return "".join(map(_letter_or_blank, text.translate(_PUNCTUATION)))


def _is_mere_mark(character: str) -> bool:
    """Return whether a character is a mark that may be omitted, by its Unicode combining class."""
    kind = unicodedata.combining(character)
    return kind >= 200 or 10 <= kind <= 36  # noqa: PLR2004 - 200 and up: by position; 10-36: Hebrew to Syriac


def _letter_or_blank(character: str) -> str:
    """Return letters, marks, digits, commas and dots unchanged, "" for format characters, and a blank for others."""
    if character in ",.":
        return character
    kind = unicodedata.category(character)
    return character if kind[0] in "LMN" else "" if kind == "Cf" else " "


def _without_degrees(spelled: str) -> list[str]:
    """Return the words without dots, and without abbreviations that are degrees by their punctuation.

    Degrees are "S.E.", and "SE" after a comma; dotted letters that begin a name are initials ("M.H. Thamrin").
    """
    if "," not in spelled and "." not in spelled:
        return spelled.split()
    kept: list[str] = []
    own, *appended = spelled.split(",")
    for place, word in enumerate(own.split()):
        if place == 0 or "." not in word.strip(".") or word.replace(".", "") not in _ALL_DEGREES:
            kept += word.replace(".", " ").split()
    for part in appended:
        if "".join(part.replace(".", " ").split()) not in _ALL_DEGREES:  # "M. Si." is one degree
            for word in part.split():
                if word.replace(".", "") not in _ALL_DEGREES:
                    kept += word.replace(".", " ").split()
    return kept


@lru_cache(maxsize=1 << 13)
def respell(word: str) -> str:
    """Return an upper-case word in one spelling: without the differences of the Indonesian spelling reforms.

    OE becomes U, TJ becomes C, CH becomes KH. DJ and J both become Y, because an old J (now Y) can't be distinguished
    from a new J (formerly DJ). Usual spellings of Muhammad, also abbreviated, become MUHAMMAD, those of Ahmad AHMAD.
    """
    word = word.replace("TJ", "C").replace("DJ", "J").replace("J", "Y").replace("OE", "U").replace("CH", "KH")
    if _MUHAMMAD(word):
        return "MUHAMMAD"
    return "AHMAD" if _AHMAD(word) else word


_NOT_BORNE: Final = frozenset(map(respell, f"{_TITLES} {_DEGREES}".split()))
_ALL_DEGREES: Final = frozenset(f"{_DEGREES} {_DEGREES_BY_WRITING}".split())
