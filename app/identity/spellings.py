"""A spelling of a name, prepared for comparison: its words, with their sounds and their evidence in bits.

Indonesian passports have no family names and no titles; people have one to six names, in any order, joined or divided.
So a name is a set of words. Particles that some papers have and others lack (al, bin, Abdul, Abu) are removed; Abdul
and Abu are recorded on the next word (`Word.servant`). The many spellings of Muhammad become one.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec

from app.identity.fillers import are_placeholders, meant
from app.identity.latin import is_without_vowels, latin, latin_forms
from app.identity.names import LINEAGE, respell, words_without_titles, written
from app.identity.rarity import INITIAL, bits
from app.identity.readings import readings
from app.identity.sound import code, sound

NORM_VERSION: Final = 6
"""Version of the rules for names. Raise it with every change of a result in readings, fillers, latin, names, sound,
rarity or this module; the worker then recomputes the stored keys."""

MAX_WORDS: Final = 10
"""Greatest number of words of a name that are compared; further words are ignored, so that work stays bounded."""
LONGEST_WORD: Final = 40
"""Greatest number of letters of a word that are compared; further letters are ignored."""

_ARTICLES: Final = frozenset({"AL", "EL", "UL", "AS", "AD", "AR", "AN", "AT", "AZ", "ASH", "UD", "UR", "US"})
_LINEAGE: Final = LINEAGE | {"BEN", "BN", "BINT", "OULD", "WALAD", "ANAK", "OGLU", "OGLY", "KIZI", "QIZI"}
_ABDUL: Final = frozenset(
    {"ABD", "ABDUL", "ABDEL", "ABDAL", "ABDOL", "ABDOUL", "ABDU", "BD"}
    | {f"ABDU{assimilated}" for assimilated in "RSNTZD"}
)
_ABU: Final = frozenset({"ABU", "ABOU", "ABO", "UMM", "UMMU", "OUM"})
LeftOut = Literal["title", "filler", "lineage", "servant", "article"]
"""Why a word of a name isn't compared. `title`: a title or degree. `filler`: a placeholder, or a part that only repeats
the name. `lineage`: a word for "son of" or "daughter of". `servant`: Abdul or Abu, which is recorded on the next word.
`article`: the Arabic article."""
_PARTICLES: Final[tuple[tuple[frozenset[str], LeftOut], ...]] = (
    (_LINEAGE, "lineage"),
    (_ABDUL | _ABU, "servant"),
    (_ARTICLES, "article"),
)
_SERVANT_BITS: Final = 2.0
"""Additional bits of a shared Abdul or Abu before a shared word."""
_GLUED_ABDUL: Final = re.compile(
    r"ABD(?:[UEAO]|OU)?(?:L(?=[^L])|(?=RR|SS|NN|TT|ZZ|DD|SH|R|S|L(?=L)))(?!LAH|ALLAH|ULLAH)([A-Z]{4,})"
).fullmatch
_GLUED_ARTICLE: Final = re.compile(r"[AE]L([B-DF-HJ-NP-TV-Z][A-Z]{4,})").fullmatch
_GLUED_ARTICLE_OF_ABJAD: Final = re.compile(r"L([A-Z]{3,})").fullmatch
_DOUBLED_START: Final = re.compile(r"^(.)\1").sub
_ALLAH: Final = re.compile(r"A?LLAH?").fullmatch
_CHANGED_INSIDE: Final = frozenset("YJWHCQEIOU")
"""Letters that sound different inside a word than at its beginning: half vowels, C, and letters that combine with the
letter before them."""
_MIN_STUMP: Final = 4
"""Fewest letters of the last word of a full name field by which a repetition of the name is recognised."""
_ABDULLAH: Final = re.compile(r"ABD(?:[UEAO]|OU)?L+AH?I?").fullmatch
_MUHAMMAD: Final = re.compile(r"M(?:[OUA]|OU)?[UH]+[AE]*M+[AEO]*[DT]H?|MEHM[EA][DT]|MHMD").fullmatch
_ABBREVIATED: Final = re.compile(r"(?!NG$)[B-DF-HJ-NP-TV-XZ]{2,4}").fullmatch
_ABBREVIATION: Final = 2.0
"""Most bits of a short word without a vowel, which is probably an unlisted degree or an abbreviated name."""
_LIGHT: Final = """
    SHAYKH SHEIKH SHEIK SYEKH SYEH CHEIKH MULLAH MULLA MAULAVI MAWLAWI MAULAWI HAFIZ QARI SAYYID SAYED SAYYED SYED
    SAYID HAJI HAJJI AL EL COLONEL COL GENERAL GEN MAJOR BRIGADIER CAPTAIN COMMANDER PRESIDEN PRESIDENT RADEN TEUKU
    SHAIKH SHEIKHA CHEIKH MOLLA MOLLAH MOLAH MOULAVI MAULVI MOLVI MOLAVI MAWLAVI AKHUND AKHOND HAJ HAJJ HADJ ALHAJ
    ALHAJJ ALHAJI ELHADJ ELHADJI DOCTOR DOKTOR ENGINEER ENG LIEUTENANT LT SERGEANT SGT MAJ BRIG ADMIRAL MARSHAL
    TENGKU TUANKU CUT ANDI DAENG LALU BAIQ IDA GUSTI ANAK DATUK DATO TUN JR SR JUNIOR SENIOR VAN VON DE DER DEN DA DI
    LA LE DEL DOS
"""
"""Words that are titles, ranks or particles as often as names; they give little evidence."""
_LIGHT_BITS: Final = dict.fromkeys(_LIGHT.split(), 2.0)


class Word(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A word of a name.

    Attributes:
        text: the word as it is compared, in A to Z and digits: every spelling of Muhammad is MUHAMMAD, and a joined
            Abdul is removed.
        heard: the word's sound (`sound.sound`).
        code: the word's consonants (`sound.code`).
        bits: the evidence, in bits, that two names with this word are of one person.
        servant: whether Abdul, Abu or Umm precedes the word, or Abdul is joined to it; these are no words of their own.
        bare: the sound without an article that is joined to the word (Al in Almasyhari); "" without such an article.
        vowelless: whether the name is written in a script that omits vowels.
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
        """Whether the word is a single letter."""
        return len(self.text) == 1


class Spelling(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A name prepared for comparison.

    Attributes:
        words: the words in their order, without particles; at most `MAX_WORDS`.
        glued: the sound of all words joined into one.
        bits: the sum of the words' bits.
        cut: whether the name filled its field in a zone, so that the end of the last word and further words may be
            missing.
    """

    words: tuple[Word, ...]
    glued: str
    bits: float
    cut: bool = False


def spelling(name: str, *, cut: bool = False) -> Spelling:
    """Return a name prepared for comparison, in its likeliest form only (`spellings` returns all forms).

    `cut` says that the name filled its field, so that its end may be missing. The result records this, and an
    incomplete last word may then count as a repetition of the name. Never raises; the result for a name without letters
    and digits has no words.
    """
    return _prepared(name, cut)[0]


def spellings(name: str, *, cut: bool = False) -> tuple[Spelling, ...]:
    """Return all names that a text may mean, each prepared for comparison.

    There are several if the text contains several names ("Joko alias Jack"), if a name has several Latin forms
    (MUELLER, MULLER), or if a word may be a placeholder. `cut` says that the text filled its field, so that its end may
    be missing (see `spelling`). The result is empty for a text without letters and digits.
    """
    forms: dict[Spelling, None] = {}
    for single in readings(name):
        forms |= dict.fromkeys(_prepared(single, cut))
    return tuple(form for form in forms if form.words)


def names_nobody(name: str) -> bool:
    """Return whether a name is only a placeholder (FNU LNU, XXX, TANPA NAMA), or has no letter and no digit."""
    return are_placeholders(words_without_titles(latin(name)))


def joined(words: Sequence[Word]) -> str:
    """Return the sound of words joined into one.

    The sounds are concatenated, unless a word begins with a letter that sounds different inside a word or that
    repeats the sound before it; then the sound of the joined text is computed.
    """
    before = words[0].heard if words else ""
    for word in words[1:]:
        if word.text[0] in _CHANGED_INSIDE or word.heard[0] == before[-1]:
            return sound("".join(each.text for each in words))
        before = word.heard
    return "".join(word.heard for word in words)


def glued_in_usual_orders(name: Spelling) -> tuple[str, ...]:
    """Return the sound of all words of a name joined into one word, once for each usual order of the words.

    The orders are: as written, with the last word moved to the beginning, and with the first word moved to the end. So
    a name with the surname first matches the name with the surname last. A single word has one order, two words have
    two.
    """
    words = name.words
    if len(words) < 2:  # noqa: PLR2004 - a single word has no order
        return (name.glued,)
    last_first = joined((words[-1], *words[:-1]))
    if len(words) == 2:  # noqa: PLR2004 - the other order of two words
        return (name.glued, last_first)
    return (name.glued, last_first, joined((*words[1:], words[0])))


def left_out(name: str) -> tuple[tuple[str, LeftOut], ...]:
    """Return the words of a name that are not compared, each with the reason (`LeftOut`); empty if all are compared.

    If `name` contains several names ("Joko alias Jack"), only the first is examined.
    """
    plain = latin(readings(name)[0])
    kept = {word.text for word in spelling(plain).words}
    own = words_without_titles(plain)
    meaning = meant(own)[0]
    dropped: list[tuple[str, LeftOut]] = [
        (word, "title") for word in (Counter(written(plain)) - Counter(own)).elements()
    ]
    dropped += [(word, "filler") for word in (Counter(own) - Counter(meaning)).elements()]
    for word in meaning:
        if word not in kept:
            dropped += [(word, why) for particles, why in _PARTICLES if word in particles][:1]
    return tuple(dropped)


@lru_cache(maxsize=1 << 13)
def _prepared(name: str, cut: bool) -> tuple[Spelling, ...]:  # noqa: FBT001 - part of the cache's key
    vowelless = is_without_vowels(name)
    forms: list[Spelling] = []
    for text in latin_forms(name):
        own = [bare for word in words_without_titles(text) if (bare := word.replace("'", "")[:LONGEST_WORD])]
        forms += (_spelling(_words(form, vowelless=vowelless), cut=cut) for form in meant(own))
    return tuple(forms)


def _spelling(words: Sequence[Word], *, cut: bool) -> Spelling:
    kept = tuple(_once(words[:MAX_WORDS], cut=cut))
    return Spelling(
        words=kept,
        glued=joined(kept),
        bits=sum(word.bits for word in kept),
        cut=cut,
    )


def _once(words: Sequence[Word], *, cut: bool) -> Sequence[Word]:
    """Return the words of a name without repetitions; people with one name write it twice in forms with two fields."""
    stump = words[-1].text if cut and len(words) > 1 and len(words[-1].text) >= _MIN_STUMP else ""
    whole = len(words) - bool(stump)
    for length in range(1, len(words) // 2 + 1 if not stump else whole + 1):
        repeated = all(words[place].heard == words[place - length].heard for place in range(length, whole))
        if repeated and (words[whole % length].text.startswith(stump) if stump else whole % length == 0):
            return words[:length]
    return words


def _words(borne_words: Sequence[str], *, vowelless: bool) -> list[Word]:
    own: Sequence[str] = [word for word in borne_words if word not in _LINEAGE]
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
