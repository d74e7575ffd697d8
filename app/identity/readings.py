"""Separation of a text into the names that it contains, such as aliases written into a name field.

A name field often contains two names: "Joko Susilo alias Jack", "Joko Susilo (Jack)", "Tan Ah Kow @ Tan Kow". In a
comparison of the text as one name, the words of each would count against the other. So a text is split at marks: words
like "alias", and signs. The whole text remains one of its readings, since "Joko alias Jack Susilo" may mean "Joko
Susilo".
"""

import re
from typing import Final, Literal

import msgspec

from app.identity.names import LINEAGE, is_degree, respell

MAX_NAMES: Final = 8
"""Greatest number of names in one text that are compared, so that work stays bounded."""

_SURE_MARKS: Final = (
    r"a\.?k\.a\.?",
    r"[afn]/k/a",
    r"[fn]\.?k\.?a\.?",
    r"d/h|als\.?|atau",
    r"also known as|formerly(?: known as)?|previously(?: known as)?|known as",
    r"dahulu(?: bernama| dikenal sebagai)?|dulu bernama|sebelumnya bernama",
    r"(?:yang )?dikenal (?:sebagai|dengan nama)|(?:yang )?biasa (?:dipanggil|disebut)|dipanggil|disebut",
    r"nama (?:lain|alias|samaran|panggilan|asli|kecil|lahir|tionghoa|cina|baptis|lama|baru)",
    r"née?|geb\.|geboren|он же|она же|الملقب|المعروف|الشهير",
)
_MARKS_WITHOUT_BLANKS: Final = "又名|別名|别名|化名|原名|일명"
_NAME_LIKE_MARKS: Final = r"alias|aka|gelar|glr\.?|nee"
"""Marks that are also names: some persons are called Alias or Aka, and such a word in a lineage is not a mark."""
_LETTERED: Final = rf"(?<!\w)(?:{'|'.join(_SURE_MARKS)}|(?P<name_like>{_NAME_LIKE_MARKS}))(?!\w)"
_ANY_MARK: Final = rf"{_LETTERED}|{_MARKS_WITHOUT_BLANKS}|\s@\s"
_MARK: Final = re.compile(rf"[\s,;]*(?:{_ANY_MARK})[\s.:,;]*", re.IGNORECASE)
_OPENING: Final = '(\\[{"\u201c\u201e\u00ab\uff08\uff3b\u3010\u300c\u300e'
_CLOSING: Final = ')\\]}"\u201d\u201c\u00bb\uff09\uff3d\u3011\u300d\u300f'
"""Closing brackets and quotation marks, including those of Chinese and Japanese texts."""
_BRACKETED: Final = re.compile(f"[{_OPENING}]([^{_CLOSING}]*)[{_CLOSING}]?")
_MARKED: Final = re.compile(f"[;{_OPENING}]|{_ANY_MARK}", re.IGNORECASE).search
"""Matches a sign or mark in a text that may contain several names."""
_BEGINNINGS: Final = """
    aka als alias atau also formerly previously known dahulu dulu sebelumnya yang dikenal biasa dipanggil disebut nama
    geboren gelar glr nee ne fka nka
"""
_FIRST_WORDS: Final = frozenset(_BEGINNINGS.split())
"""The first words of marks that consist of letters only."""
_LISTED: Final = re.compile(r"\s*[,/]\s*|\s+(?:dan|and|serta)\s+", re.IGNORECASE).split
"""Splits several aliases after a mark."""
_REMARK: Final = re.compile(
    r"alm|almh|almarhum(?:ah)?|wn[ia]|wn \w+|mr|mrs|ms|jr|sr|tn|ny|nn|sdri?|bpk|bapak|ibu|lk|pr|l|p|m|f|male|female|"
    r"pria|wanita|laki-laki|perempuan|deceased|late|lama|baru|old|new|(?:anak|isteri|istri|suami|ayah)\b.*|dkk|.*\d.*|\W*",
    re.IGNORECASE,
).fullmatch
"""Matches a remark in brackets that is not a name."""

Quality = Literal["good", "low"]


class OtherName(msgspec.Struct, frozen=True):
    """A further name that was written into a name.

    Attributes:
        name: the further name.
        quality: `low` for a single word in brackets or quotation marks, which usually is a nickname; else `good`.
    """

    name: str
    quality: Quality


class Names(msgspec.Struct, frozen=True):
    """The names that a text contains.

    Attributes:
        main: the name that comes first in the text, such as "Joko Susilo" in "Joko Susilo alias Jack".
        others: the further names, which follow a mark or are in brackets; empty if the text contains one name only.
        whole: all of the text as one name, without brackets and marks; "" if the text contains one name only. A mark
            that may itself be a name, such as "alias", stays.
    """

    main: str
    others: tuple[OtherName, ...] = ()
    whole: str = ""


def split(text: str) -> Names:
    """Split a text into the names that it contains; never raises.

    If the text contains one name, `main` is the unchanged text.
    """
    if not _is_marked(text):
        return Names(text)
    nicknames = [
        OtherName(each, _quality(each)) for each in map(str.strip, _BRACKETED.findall(text)) if _is_name(each)
    ]
    outside = " ".join(_BRACKETED.sub(" ", text).split())
    parts, whole = _at_marks(outside)
    main, *aliases = [part for part in parts if _is_name(part)] or [""]
    named = [
        OtherName(each.strip(), "good") for alias in aliases for each in _LISTED(alias) if _is_name(each)
    ]
    others = tuple(dict.fromkeys(each for each in (*named, *_apart(nicknames)) if each.name != main))
    if not main or not others:
        return Names(text)
    return Names(main, others, " ".join(f"{whole} {' '.join(each.name for each in nicknames)}".split()))


def readings(text: str) -> tuple[str, ...]:
    """Return the names by which a text is compared, in the order of the text: each name in it, then the whole text.

    Names are separated by semicolons, by words like "alias", and by brackets. At most the first `MAX_NAMES` are
    returned. A text without these marks is returned unchanged, as its only reading, even if it is empty.
    """
    if not _is_marked(text):
        return (text,)
    found: list[str] = []
    for single in text.split(";"):
        names = split(single)
        if names.others:
            found += [names.main, *(each.name for each in names.others), names.whole]
        else:
            outside = _BRACKETED.sub(" ", single)
            found.append(outside if _is_name(outside) else single)
    return tuple(dict.fromkeys(found))[:MAX_NAMES]


def _is_marked(text: str) -> bool:
    """Return whether a text may contain several names; a quick test excludes most texts."""
    if text.isascii() and text.replace(" ", "").isalpha() and _FIRST_WORDS.isdisjoint(text.lower().split()):
        return False
    return _MARKED(text) is not None


def _at_marks(text: str) -> tuple[list[str], str]:
    """Split a text at its marks. Returns the parts, and the text without the marks that can't be names."""
    parts: list[str] = []
    whole: list[str] = []
    begin = 0
    for mark in _MARK.finditer(text):
        before, after = text[begin : mark.start()], text[mark.end() :]
        if mark["name_like"] and not _parts_names(before, after):
            continue
        parts.append(before)
        whole += [before, mark["name_like"] or ""]
        begin = mark.end()
    return [*parts, text[begin:]], " ".join([*whole, text[begin:]])


def _parts_names(before: str, after: str) -> bool:
    """Return whether Alias between two texts is a mark: not in a lineage, and not after Muhammad alone."""
    first, last = before.split(), after.split()
    if not first or not last or {first[-1].upper().strip("."), last[0].upper().strip(".")} & LINEAGE:
        return False
    return len(first) > 1 or respell(first[0].upper().strip(".")) != "MUHAMMAD"


def _apart(nicknames: list[OtherName]) -> list[OtherName]:
    """Return the names in brackets, without the marks inside the brackets."""
    found: list[OtherName] = []
    for each in nicknames:
        mark = _MARK.match(each.name)
        parts, _ = _at_marks(each.name[mark.end() :] if mark else each.name)
        found += [OtherName(part.strip(), _quality(part)) for part in parts if _is_name(part)]
    return found


def _is_name(text: str) -> bool:
    stripped = text.strip(" .,:;'-")
    return bool(stripped) and _REMARK(stripped) is None and not is_degree(stripped)


def _quality(text: str) -> Quality:
    return "good" if len(text.split()) > 1 else "low"
