"""Alignment of two spellings of a name, word by word, with the evidence of each word for or against a match.

Words are paired in any order. The evidence is not the number of words that agree but their rarity: a shared Muhammad is
nearly worthless. A word left over on one side only was omitted, as is common in papers; words left over on both sides
contradict each other.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from app.identity.spellings import Spelling, Word, glued_in_usual_orders, joined
from app.matching.words import GLUED_ENOUGH, How, alike, sound_likeness

_CONFLICT: Final = 1.0
_QUERIED_ABSENT: Final = 0.42
_LISTED_ABSENT: Final = 0.3
"""Cost in likeness of each bit left over on the list's side: names on lists are often longer than in passports."""
_ABSENT_BITS: Final = 0.1
"""Cost in evidence of each bit of a word omitted on one side."""
_LONE: Final = 0.8
"""Factor of likeness if only one word agrees and others are left over."""
_CUT_BITS: Final = 0.9
"""Likeness of a word to its beginning at the end of a full name field."""
_MIN_CUT: Final = 2
_SURE: Final = 0.8
"""Likeness from which words are paired before joined words are tried."""
_ALL_GLUED: Final = 0.88
_LIGHT: Final = 2.0
"""Most bits of a word that contradicts no other: titles, ranks, particles and initials are written or left out."""
_MAX_GLUED_APART: Final = 2
"""Largest difference in length, in letters, at which joined words are compared with one word."""

Side = Literal["asked", "listed"]


class Pair(msgspec.Struct, frozen=True, gc=False):
    """A pair of words, one of each side, that are considered the same.

    Attributes:
        queried: the word in the traveller's spelling.
        listed: the word in the register's spelling.
        how: the way in which the words agree, such as `sounds_equal`.
        bits: the evidence of the agreement in bits, less the cost of the difference; negative if the words agree badly.
    """

    queried: str
    listed: str
    how: How
    bits: float


class Alignment(msgspec.Struct, frozen=True, gc=False):
    """The result of an alignment of two spellings.

    Attributes:
        likeness: how similar the names are, from 0 to 1; 1 if every word agrees.
        bits: the evidence for a match less the evidence against it, in bits. It may be negative. It is never greater
            than the bits of either spelling, apart from rounding.
        pairs: the pairs of words that agree.
        left: the words without a partner, each with its side: `asked` (the traveller's) or `listed`.
        conflict: the bits of words left over on both sides, which contradict each other.
        absent: the bits of words omitted on one side only.
    """

    likeness: float
    bits: float
    pairs: tuple[Pair, ...]
    left: tuple[tuple[Side, str], ...]
    conflict: float
    absent: float

    @property
    def rarest(self) -> float:
        """The bits of the rarest word that agrees; 0 if no word agrees."""
        return max((pair.bits for pair in self.pairs), default=0.0)


NOTHING: Final = Alignment(0.0, 0.0, (), (), 0.0, 0.0)
"""The alignment of two spellings without a word in common."""


class _Sheet:
    """The state of an alignment in progress: the pairs found, and the words of both sides still free."""

    __slots__ = ("free_listed", "free_queried", "listed", "pairs", "queried", "shared", "weight")

    def __init__(self, queried: Spelling, listed: Spelling) -> None:
        self.queried, self.listed = queried.words, listed.words
        self.free_queried = [True] * len(self.queried)
        self.free_listed = [True] * len(self.listed)
        self.pairs: list[Pair] = []
        self.shared = self.weight = 0.0

    def pair(self, queried: str, listed: str, how: How, full_bits: float, likeness: float) -> None:
        """Add a pair of words that agree. `full_bits` is the bits that the pair would have if the words were equal."""
        self.pairs.append(Pair(queried, listed, how, full_bits * (2 * likeness - 1)))
        self.shared += full_bits * likeness
        self.weight += full_bits

    def left_over(self) -> tuple[list[float], list[float]]:
        """Return the bits of each word still free, of the traveller's side and of the list's."""
        return (
            [word.bits for word, free in zip(self.queried, self.free_queried, strict=True) if free],
            [word.bits for word, free in zip(self.listed, self.free_listed, strict=True) if free],
        )


def align(queried: Spelling, listed: Spelling) -> Alignment:
    """Return the alignment of two spellings of a name: similar words are paired, the rarest and most similar first.

    Without words in common the alignment has no pairs.
    """
    found = [
        (likeness * min(mine.bits, theirs.bits), likeness, i, j, how)
        for i, mine in enumerate(queried.words)
        for j, theirs in enumerate(listed.words)
        for likeness, how in (alike(mine, theirs),)
        if likeness
    ]
    sheet = _Sheet(queried, listed)
    if len(found) > 1:
        found.sort(reverse=True)
    if (len(queried.words) == 1) is not (len(listed.words) == 1):
        _glue_all(sheet, queried, listed)  # before a part of the name is paired with the whole word
    _pair_off(sheet, found, _SURE)
    if True in sheet.free_queried and True in sheet.free_listed:
        _cut_off(sheet, queried)
        _glue(sheet, sheet.queried, sheet.listed, sheet.free_queried, sheet.free_listed, side="asked")
        _glue(sheet, sheet.listed, sheet.queried, sheet.free_listed, sheet.free_queried, side="listed")
        _pair_off(sheet, found, 0.0)
        _glue_all(sheet, queried, listed)
    return _summed(sheet, cut=queried.cut) if sheet.pairs else NOTHING


def _pair_off(sheet: _Sheet, found: list[tuple[float, float, int, int, How]], least: float) -> None:
    """Pair free words, best agreements first, as far as their likeness is at least `least`."""
    for _, likeness, i, j, how in found:
        if likeness >= least and sheet.free_queried[i] and sheet.free_listed[j]:
            sheet.free_queried[i] = sheet.free_listed[j] = False
            mine, theirs = sheet.queried[i], sheet.listed[j]
            sheet.pair(mine.text, theirs.text, how, min(mine.bits, theirs.bits), likeness)


def _cut_off(sheet: _Sheet, queried: Spelling) -> None:
    """Pair the last word of a full name field with a free word that begins with it."""
    if not (queried.cut and sheet.free_queried[-1]):
        return
    stump = sheet.queried[-1]
    if len(stump.text) < _MIN_CUT:
        return
    for j, word in enumerate(sheet.listed):
        if sheet.free_listed[j] and word.text.startswith(stump.text):
            sheet.free_queried[-1] = sheet.free_listed[j] = False
            sheet.pair(stump.text, word.text, "cut_off", min(stump.bits, word.bits), _CUT_BITS)
            return


def _glue_all(sheet: _Sheet, queried: Spelling, listed: Spelling) -> None:
    """Compare both names as one word each, if their numbers of words differ and words are left over on both sides."""
    if len(queried.words) == len(listed.words) or not (
        True in sheet.free_queried and True in sheet.free_listed
    ):
        return
    if abs(len(queried.glued) - len(listed.glued)) > _MAX_GLUED_APART:
        return
    split, whole = (queried, listed) if len(queried.words) > len(listed.words) else (listed, queried)
    likeness = max(sound_likeness(each, whole.glued) for each in glued_in_usual_orders(split))
    if likeness >= _ALL_GLUED:
        sheet.pairs, sheet.shared, sheet.weight = [], 0.0, 0.0
        sheet.free_queried = [False] * len(sheet.queried)
        sheet.free_listed = [False] * len(sheet.listed)
        sheet.pair(
            _text(queried.words), _text(listed.words), "glued", min(queried.bits, listed.bits), likeness
        )


def _glue(
    sheet: _Sheet,
    split: Sequence[Word],
    whole: Sequence[Word],
    free_split: list[bool],
    free_whole: list[bool],
    *,
    side: Side,
) -> None:
    """Pair two neighbours of one side, joined in either order, with one word (Nur Wahid, Nurwahid, Wahidnur)."""
    for i in range(len(split) - 1):
        if not (free_split[i] and free_split[i + 1]):
            continue
        one, other = split[i].heard, split[i + 1].heard
        length = len(one) + len(other)
        for j, word in enumerate(whole):
            heard = word.heard
            if not free_whole[j] or abs(length - len(heard)) > _MAX_GLUED_APART:
                continue
            ends = (heard[0] == one[0]) + (heard[-1] == other[-1])
            ends_turned = (heard[0] == other[0]) + (heard[-1] == one[-1])
            if not ends and not ends_turned:
                continue  # typing errors at both ends indicate another word
            likeness = sound_likeness(joined(split[i : i + 2]), heard) if ends >= ends_turned else 0.0
            if ends_turned >= ends and likeness < GLUED_ENOUGH:
                likeness = sound_likeness(joined((split[i + 1], split[i])), heard)
            if likeness >= GLUED_ENOUGH:
                free_split[i] = free_split[i + 1] = free_whole[j] = False
                parts = _text(split[i : i + 2])
                texts = (parts, word.text) if side == "asked" else (word.text, parts)
                bits = min(word.bits, split[i].bits + split[i + 1].bits)
                sheet.pair(*texts, "glued", bits, likeness)
                break


def _summed(sheet: _Sheet, *, cut: bool) -> Alignment:
    left_queried, left_listed = sheet.left_over()
    conflict = min(
        sum(bits for bits in left_queried if bits > _LIGHT),
        sum(bits for bits in left_listed if bits > _LIGHT),
    )
    absent_queried, absent_listed = sum(left_queried) - conflict, sum(left_listed) - conflict
    if cut:
        absent_listed = 0.0  # the traveller's field was full: further words may have been cut off
    cost = _CONFLICT * conflict + _QUERIED_ABSENT * absent_queried + _LISTED_ABSENT * absent_listed
    likeness = sheet.shared / (sheet.weight + cost)
    if cost and len(sheet.pairs) == 1 and sheet.pairs[0].how != "glued":
        likeness *= _LONE
    absent = absent_queried + absent_listed
    return Alignment(
        likeness=likeness,
        bits=2 * sheet.shared - sheet.weight - conflict - _ABSENT_BITS * absent,
        pairs=tuple(sheet.pairs),
        left=(
            *(("asked", w.text) for w, free in zip(sheet.queried, sheet.free_queried, strict=True) if free),
            *(("listed", w.text) for w, free in zip(sheet.listed, sheet.free_listed, strict=True) if free),
        ),
        conflict=conflict,
        absent=absent,
    )


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
