"""Two spellings of a name laid beside each other, word by word, with what each word says for or against.

Words pair off whatever their order. What counts is not how many words agree but how rare they are: sharing Muhammad
says next to nothing. A word left over on one side only was left out, as papers do; words left over on both sides
contradict each other.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from app.identity.spellings import Spelling, Word
from app.matching.words import GLUED_ENOUGH, How, alike, heard_alike

_CONFLICT: Final = 1.0
_ASKED_ABSENT: Final = 0.42
_LISTED_ABSENT: Final = 0.3
"""What a left-over bit costs in likeness. A list's name is longer than a passport's more often than shorter."""
_ABSENT_BITS: Final = 0.1
"""What a word left out on one side costs in evidence."""
_LONE: Final = 0.8
"""Share of likeness that is kept where one word agrees and others are left over: the rest is anybody's."""
_CUT_BITS: Final = 0.9
"""Share of a word's worth where only its beginning stands in a full name field."""
_LEAST_CUT: Final = 2
_SURE: Final = 0.8
"""Likeness from which words pair off before it is tried whether they are glued together."""
_ALL_GLUED: Final = 0.88

Side = Literal["asked", "listed"]


class Pair(msgspec.Struct, frozen=True, gc=False):
    """Words of both sides taken for the same.

    Attributes:
        asked: as the traveller's paper spells it.
        listed: as the register spells it.
        how: in what way they agree.
        bits: what the agreement is worth, less what their difference costs.
    """

    asked: str
    listed: str
    how: How
    bits: float


class Alignment(msgspec.Struct, frozen=True, gc=False):
    """What two spellings have in common.

    Attributes:
        likeness: 0 to 1; 1 where every word agrees.
        bits: what the agreement is worth, less what speaks against it; may be negative.
        pairs: words that agree.
        left: words left over, by side.
        conflict: bits that contradict each other.
        absent: bits left out on one side only.
    """

    likeness: float
    bits: float
    pairs: tuple[Pair, ...]
    left: tuple[tuple[Side, str], ...]
    conflict: float
    absent: float


NOTHING: Final = Alignment(0.0, 0.0, (), (), 0.0, 0.0)
"""Not one word agrees."""


class _Sheet:
    """The two spellings while they are being laid out: what is still free, what agrees."""

    __slots__ = ("asked", "free_asked", "free_listed", "listed", "pairs", "shared", "weight")

    def __init__(self, asked: Spelling, listed: Spelling) -> None:
        self.asked, self.listed = asked.words, listed.words
        self.free_asked = [True] * len(self.asked)
        self.free_listed = [True] * len(self.listed)
        self.pairs: list[Pair] = []
        self.shared = self.weight = 0.0

    def pair(self, asked: str, listed: str, how: How, worth: float, likeness: float) -> None:
        """Note that words agree; `worth` in bits were they equal."""
        self.pairs.append(Pair(asked, listed, how, worth * (2 * likeness - 1)))
        self.shared += worth * likeness
        self.weight += worth

    def left_over(self) -> tuple[float, float]:
        """Bits still free on both sides."""
        return (
            sum(word.bits for word, free in zip(self.asked, self.free_asked, strict=True) if free),
            sum(word.bits for word, free in zip(self.listed, self.free_listed, strict=True) if free),
        )


def align(asked: Spelling, listed: Spelling) -> Alignment:
    """Lay two spellings beside each other."""
    found = [
        (likeness * min(mine.bits, theirs.bits), likeness, i, j, how)
        for i, mine in enumerate(asked.words)
        for j, theirs in enumerate(listed.words)
        for likeness, how in (alike(mine, theirs),)
        if likeness
    ]
    sheet = _Sheet(asked, listed)
    if len(found) > 1:
        found.sort(reverse=True)
    _pair_off(sheet, found, _SURE)
    if True in sheet.free_asked and True in sheet.free_listed:
        _cut_off(sheet, asked)
        _glue(sheet, sheet.asked, sheet.listed, sheet.free_asked, sheet.free_listed, side="asked")
        _glue(sheet, sheet.listed, sheet.asked, sheet.free_listed, sheet.free_asked, side="listed")
        _pair_off(sheet, found, 0.0)
        _glue_all(sheet, asked, listed)
    return _summed(sheet, cut=asked.cut) if sheet.pairs else NOTHING


def _pair_off(sheet: _Sheet, found: list[tuple[float, float, int, int, How]], least: float) -> None:
    """Take the best agreements first; each word agrees with one other."""
    for _, likeness, i, j, how in found:
        if likeness >= least and sheet.free_asked[i] and sheet.free_listed[j]:
            sheet.free_asked[i] = sheet.free_listed[j] = False
            mine, theirs = sheet.asked[i], sheet.listed[j]
            sheet.pair(mine.text, theirs.text, how, min(mine.bits, theirs.bits), likeness)


def _cut_off(sheet: _Sheet, asked: Spelling) -> None:
    """Let the last word of a full name field stand for a word that begins so."""
    if not (asked.cut and sheet.free_asked[-1]):
        return
    stump = sheet.asked[-1]
    if len(stump.text) < _LEAST_CUT:
        return
    for j, word in enumerate(sheet.listed):
        if sheet.free_listed[j] and word.text.startswith(stump.text):
            sheet.free_asked[-1] = sheet.free_listed[j] = False
            sheet.pair(stump.text, word.text, "cut_off", min(stump.bits, word.bits), _CUT_BITS)
            return


def _glue_all(sheet: _Sheet, asked: Spelling, listed: Spelling) -> None:
    """Compare both names as one word each, where one has fewer blanks than the other and words are left over."""
    if len(asked.words) == len(listed.words) or not (True in sheet.free_asked and True in sheet.free_listed):
        return
    likeness = heard_alike(asked.glued, listed.glued)
    if likeness >= _ALL_GLUED:
        sheet.pairs, sheet.shared, sheet.weight = [], 0.0, 0.0
        sheet.free_asked = [False] * len(sheet.asked)
        sheet.free_listed = [False] * len(sheet.listed)
        sheet.pair(_text(asked.words), _text(listed.words), "glued", min(asked.bits, listed.bits), likeness)


def _glue(
    sheet: _Sheet,
    split: Sequence[Word],
    whole: Sequence[Word],
    free_split: list[bool],
    free_whole: list[bool],
    *,
    side: Side,
) -> None:
    """Try neighbours of one side as one word of the other (Nur Wahid, Nurwahid)."""
    for i in range(len(split) - 1):
        if not (free_split[i] and free_split[i + 1]):
            continue
        both = split[i].heard + split[i + 1].heard
        for j, word in enumerate(whole):
            if free_whole[j] and abs(len(both) - len(word.heard)) <= 2:  # noqa: PLR2004 - as many edits at most
                likeness = heard_alike(both, word.heard)
                if likeness >= GLUED_ENOUGH:
                    free_split[i] = free_split[i + 1] = free_whole[j] = False
                    parts = _text(split[i : i + 2])
                    texts = (parts, word.text) if side == "asked" else (word.text, parts)
                    sheet.pair(*texts, "glued", word.bits, likeness)
                    break


def _summed(sheet: _Sheet, *, cut: bool) -> Alignment:
    left_asked, left_listed = sheet.left_over()
    conflict = min(left_asked, left_listed)
    absent_asked, absent_listed = left_asked - conflict, left_listed - conflict
    if cut:
        absent_listed = 0.0  # the field was full: nothing is missing from the list's point of view
    cost = _CONFLICT * conflict + _ASKED_ABSENT * absent_asked + _LISTED_ABSENT * absent_listed
    likeness = sheet.shared / (sheet.weight + cost)
    if cost and len(sheet.pairs) == 1 and sheet.pairs[0].how != "glued":
        likeness *= _LONE
    absent = absent_asked + absent_listed
    return Alignment(
        likeness=likeness,
        bits=2 * sheet.shared - sheet.weight - conflict - _ABSENT_BITS * absent,
        pairs=tuple(sheet.pairs),
        left=(
            *(("asked", w.text) for w, free in zip(sheet.asked, sheet.free_asked, strict=True) if free),
            *(("listed", w.text) for w, free in zip(sheet.listed, sheet.free_listed, strict=True) if free),
        ),
        conflict=conflict,
        absent=absent,
    )


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
