"""A name as somebody spelled it, made ready to be compared: its words, what they sound like, what they are worth.

Indonesian passports know no family names and no titles; people have one name or six, in any order, glued or apart.
So a name is a handful of words. Particles that come and go between papers (al, bin, Abdul, Abu) are taken off their
word and remembered, and the many ways of writing Muhammad become one.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Final, Literal

import msgspec

from app.identity.latin import is_without_vowels, latin, spelled_out
from app.identity.names import LINEAGE, borne, respell, written
from app.identity.rarity import INITIAL, bits
from app.identity.sound import code, sound

NORM_VERSION: Final = 3
"""Raised with every change of a result in latin, names, sound, rarity or here, so that stored keys are made anew."""

MOST_WORDS: Final = 10
"""Words of a name that are compared; a listed name with more is cut, so that work stays bounded."""
LONGEST_WORD: Final = 30
MOST_NAMES: Final = 8
"""Names in one field, parted by semicolons as some lists do."""

_ARTICLES: Final = frozenset({"AL", "EL", "UL", "AS", "AD", "AR", "AN", "AT", "AZ", "ASH", "UD", "UR", "US"})
_LINEAGE: Final = LINEAGE | {"BEN", "BN", "BINT", "OULD", "WALAD", "ANAK", "OGLU", "OGLY", "KIZI", "QIZI"}
_ABDUL: Final = frozenset(
    {"ABD", "ABDUL", "ABDEL", "ABDAL", "ABDOL", "ABDOUL", "ABDU", "BD"}
    | {f"ABDU{assimilated}" for assimilated in "RSNTZD"}
)
_ABU: Final = frozenset({"ABU", "ABOU", "ABO", "UMM", "UMMU", "OUM"})
LeftOut = Literal["title", "lineage", "servant", "article"]
"""Why a word of a name isn't compared: a title or degree; son or daughter of; Abdul or Abu, which are remembered on
the word after them; the article."""
_PARTICLES: Final[tuple[tuple[frozenset[str], LeftOut], ...]] = (
    (_LINEAGE, "lineage"),
    (_ABDUL | _ABU, "servant"),
    (_ARTICLES, "article"),
)
_SERVANT_BITS: Final = 2.0
"""What sharing Abdul or Abu is worth besides the word after it."""
_GLUED_ABDUL: Final = re.compile(
    r"ABD(?:[UEAO]|OU)?(?:L(?=[^L])|(?=RR|SS|NN|TT|ZZ|DD|SH|R|S|L(?=L)))(?!LAH|ALLAH|ULLAH)([A-Z]{4,})"
).fullmatch
_GLUED_ARTICLE: Final = re.compile(r"[AE]L([B-DF-HJ-NP-TV-Z][A-Z]{4,})").fullmatch
_GLUED_ARTICLE_OF_ABJAD: Final = re.compile(r"L([A-Z]{3,})").fullmatch
_DOUBLED_START: Final = re.compile(r"^(.)\1").sub
_ALLAH: Final = re.compile(r"A?LLAH?").fullmatch
_ABDULLAH: Final = re.compile(r"ABD(?:[UEAO]|OU)?L+AH?I?").fullmatch
_MUHAMMAD: Final = re.compile(r"M(?:[OUA]|OU)?[UH]+[AE]*M+[AEO]*[DT]H?|MEHM[EA][DT]|MHMD").fullmatch
_ABBREVIATED: Final = re.compile(r"(?!NG$)[B-DF-HJ-NP-TV-XZ]{2,4}").fullmatch
_ABBREVIATION: Final = 2.0
"""Bits of a short word without a vowel: a degree that no list knows, or a name cut short."""
_LIGHT: Final = """
    SHAYKH SHEIKH SHEIK SYEKH SYEH CHEIKH MULLAH MULLA MAULAVI MAWLAWI MAULAWI HAFIZ QARI SAYYID SAYED SAYYED SYED
    SAYID HAJI HAJJI AL EL COLONEL COL GENERAL GEN MAJOR BRIGADIER CAPTAIN COMMANDER PRESIDEN PRESIDENT RADEN TEUKU
    TENGKU TUANKU CUT ANDI DAENG LALU BAIQ IDA GUSTI ANAK DATUK DATO TUN JR SR JUNIOR SENIOR VAN VON DE DER DEN DA DI
    LA LE DEL DOS
"""
"""Words that are titles, ranks or particles as often as names: worth little, present or absent."""
_LIGHT_BITS: Final = dict.fromkeys(_LIGHT.split(), 2.0)


class Word(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A word of a name.

    Attributes:
        text: as written, A to Z and digits.
        heard: its sound.
        code: its consonants.
        bits: what sharing it is worth.
        servant: Abdul, Abu or Umm stood before it.
        bare: without a glued article (Almasyhari); "" where there is none.
        vowelless: from a script that leaves vowels out.
    """

    text: str
    heard: str
    code: str
    bits: float
    servant: bool = False
    bare: str = ""
    vowelless: bool = False

    @property
    def is_initial(self) -> bool:
        """Whether it is a single letter."""
        return len(self.text) == 1


class Spelling(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A name made ready.

    Attributes:
        words: in the order in which they stand, without particles.
        glued: all of them in one sound.
        bits: of all words together.
        cut: the last word, and words after it, may be missing (a zone's name field was full).
    """

    words: tuple[Word, ...]
    glued: str
    bits: float
    cut: bool = False


def spelling(name: str, *, cut: bool = False) -> Spelling:
    """Make a name ready; never raises, and has no words if there is no letter or digit in it."""
    return _prepared(name, cut)


def spellings(name: str, *, cut: bool = False) -> tuple[Spelling, ...]:
    """Make every form of a name ready that a passport may show: one, or two where marks are spelled out."""
    forms: list[Spelling] = []
    for single in name.split(";", MOST_NAMES - 1) if ";" in name else (name,):
        other = spelled_out(single)
        forms += [_prepared(single, cut), *([_prepared(other, cut)] if other else [])]
    return tuple(form for form in dict.fromkeys(forms) if form.words)


def left_out(name: str) -> tuple[tuple[str, LeftOut], ...]:
    """Say which words of a name are not compared, and why; for explanations."""
    plain = latin(name)
    kept = {word.text for word in spelling(name).words}
    own = borne(plain)
    dropped: list[tuple[str, LeftOut]] = [
        (word, "title") for word in (Counter(written(plain)) - Counter(own)).elements()
    ]
    for word in own:
        if word not in kept:
            dropped += [(word, why) for particles, why in _PARTICLES if word in particles][:1]
    return tuple(dropped)


@lru_cache(maxsize=1 << 13)
def _prepared(name: str, cut: bool) -> Spelling:  # noqa: FBT001 - part of the cache's key
    vowelless = is_without_vowels(name)
    own = [word.replace("'", "")[:LONGEST_WORD] for word in borne(latin(name))]
    words = tuple(_words([word for word in own if word], vowelless=vowelless))[:MOST_WORDS]
    return Spelling(
        words=words,
        glued="".join(word.heard for word in words),
        bits=sum(word.bits for word in words),
        cut=cut,
    )


def _words(borne_words: list[str], *, vowelless: bool) -> list[Word]:
    own = [word for word in borne_words if word not in _LINEAGE]
    own = own if len(own) > 1 else borne_words
    words: list[Word] = []
    servant = False
    for place, word in enumerate(own):
        last = place == len(own) - 1
        if _ALLAH(word) and servant:
            words.append(_word("ABDULLAH", servant=False, vowelless=vowelless))
            servant = False
        elif not last and word in _ABDUL | _ABU:
            servant = True
        elif word in _ARTICLES and not (last and not words and not servant):
            continue
        else:
            words.append(_word(word, servant=servant, vowelless=vowelless))
            servant = False
    return words or [_word(word, servant=False, vowelless=vowelless) for word in own]


@lru_cache(maxsize=1 << 14)
def _word(text: str, *, servant: bool, vowelless: bool) -> Word:
    if len(text) == 1:
        return Word(text, text, text, INITIAL, servant)
    if _ABDULLAH(text):
        text = "ABDULLAH"
    elif glued := _GLUED_ABDUL(text):
        text, servant = _DOUBLED_START(r"\1", glued[1]), True
    elif _MUHAMMAD(text) or respell(text) == "MUHAMMAD":
        text = "MUHAMMAD"
    bare = ""
    if glued := (_GLUED_ARTICLE_OF_ABJAD if vowelless else _GLUED_ARTICLE)(text):
        bare = sound(glued[1])
    heard = sound(text)
    worth = _LIGHT_BITS.get(text) or bits(bare or heard)
    if not vowelless and _ABBREVIATED(text):
        worth = min(worth, _ABBREVIATION)
    if servant:
        worth += _SERVANT_BITS
    return Word(text, heard, code(heard), worth, servant, bare, vowelless)
