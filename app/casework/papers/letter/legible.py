"""Choice of a typeface for each part of a text, so that every script is printed (no I/O).

The letter's own typeface has Latin, Greek and Cyrillic. Each other script has a typeface of its own, chosen by the
Unicode block of a character. A character without a glyph is written as its Unicode number, not as an empty box.
"""

import unicodedata
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

NOTE = (
    "Aksara yang tidak termuat dalam huruf surat ini dinyatakan dengan nomor Unicode-nya dalam kurung siku; bentuk "
    "aslinya tersimpan dalam register."
)

OWN: Final = "LiberationSerif-Regular"
"""The letter's own typeface."""


@dataclass(frozen=True, slots=True)
class Face:
    """A typeface for a script.

    Attributes:
        name: its name, which is also the name of its file.
        blocks: first and last code points of the blocks that are set in it.
        shaped: whether its letters join, stack or change places, so that they are drawn and not typed.
    """

    name: str
    blocks: tuple[tuple[int, int], ...]
    shaped: bool = True


FACES: Final = (
    Face("NotoSansHebrew", ((0x0590, 0x05FF), (0xFB1D, 0xFB4F))),
    Face(
        "NotoSansArabic",
        ((0x0600, 0x06FF), (0x0750, 0x077F), (0x0870, 0x08FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    ),
    Face("NotoSansDevanagari", ((0x0900, 0x097F), (0xA8E0, 0xA8FF))),
    Face("NotoSansBengali", ((0x0980, 0x09FF),)),
    Face("NotoSansGurmukhi", ((0x0A00, 0x0A7F),)),
    Face("NotoSansGujarati", ((0x0A80, 0x0AFF),)),
    Face("NotoSansOriya", ((0x0B00, 0x0B7F),)),
    Face("NotoSansTamil", ((0x0B80, 0x0BFF),)),
    Face("NotoSansTelugu", ((0x0C00, 0x0C7F),)),
    Face("NotoSansKannada", ((0x0C80, 0x0CFF),)),
    Face("NotoSansMalayalam", ((0x0D00, 0x0D7F),)),
    Face("NotoSansSinhala", ((0x0D80, 0x0DFF),)),
    Face("NotoSansThai", ((0x0E00, 0x0E7F),)),
    Face("NotoSansLao", ((0x0E80, 0x0EFF),)),
    Face("NotoSansMyanmar", ((0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F))),
    Face("NotoSansKhmer", ((0x1780, 0x17FF), (0x19E0, 0x19FF))),
    Face("NotoSansArmenian", ((0x0530, 0x058F), (0xFB13, 0xFB17)), shaped=False),
    Face("NotoSansGeorgian", ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F)), shaped=False),
    Face("NotoSansEthiopic", ((0x1200, 0x139F), (0x2D80, 0x2DDF)), shaped=False),
    Face("NotoSansHangul", ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7A3)), shaped=False),
    Face("NotoSansHan", ((0x3000, 0x312F), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF)), shaped=False),
)
"""The typefaces in addition to the letter's own; their files are in `app/casework/papers/letter/fonts`."""

_SHAPED: Final = frozenset(face.name for face in FACES if face.shaped)
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_NUMBERS: Final = frozenset({"EN", "AN"})
_TO_THE_RIGHT, _TO_THE_LEFT = "r", "l"
_FOLLOWS: Final = frozenset({"NSM", "BN"})
"""Bidirectional classes of characters that belong to the one before them: accents and joiners."""
_LONGEST: Final = 24
"""The greatest number of characters drawn in one piece, because a line can break between pieces only."""
_MAY_BREAK: Final = '<font size="1"> </font>'
"""A space too small to be seen, at which a line may break."""
_BEGINS: Final = '<font size="1">\N{NO-BREAK SPACE}</font>'
"""A space too small to be seen, without a break, for the beginning of a text: ReportLab cannot break paragraphs that
begin with a picture."""

Glyphs = Callable[[str], Container[int]]
"""A function that returns the code points of a typeface, given its name."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text with one typeface and direction.

    Attributes:
        text: the characters in reading order.
        face: name of the typeface; None if no typeface has the characters.
        drawn: whether it must be drawn, because the letters of its script join, stack or change places; otherwise
            ReportLab can set it as text.
        leftwards: whether it is written from right to left.
    """

    text: str
    face: str | None
    drawn: bool = False
    leftwards: bool = False


def shown(text: str, glyphs: Glyphs) -> bool:
    """Return whether every character of a text can be printed: the letter's typefaces have a glyph for it.

    `glyphs` is a function that takes a typeface's name and returns its code points.
    """
    return all(piece.face is not None for piece in pieces(text, glyphs))


def marked_up(text: str, glyphs: Glyphs) -> str:
    """Return a text as markup for ReportLab's paragraphs: escaped, with its line breaks, each script in its typeface.

    ReportLab can't set words of scripts whose letters join, stack or change places. Each such piece becomes an element
    `<onDraw name="drawn" label="…"/>`, whose label holds the words (see `drawn_from`); `parts.text` replaces the
    element with a drawing of them. Characters that no typeface has are written as their Unicode numbers.

    Args:
        text: any text.
        glyphs: function that takes a typeface's name and returns its code points.
    """
    markup, cut = "", pieces(text, glyphs)
    for i, piece in enumerate(cut):
        if piece.drawn and i == 0:
            markup += _BEGINS
        elif piece.drawn and cut[i - 1].drawn:
            markup += _MAY_BREAK
        markup += _markup(piece)
    return markup.replace("\n", "<br/>")


def pieces(text: str, glyphs: Glyphs) -> list[Piece]:
    """Return a text as pieces with one typeface and direction each, in reading order.

    `glyphs` is a function that takes a typeface's name and returns its code points.
    """
    whole = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    found: list[Piece] = []
    at = 0
    while at < len(whole):
        end = _end_of_leftwards(whole, at)
        if end > at:
            found += _leftwards(whole[at:end], glyphs)
        else:
            end = next((i for i in range(at, len(whole)) if _end_of_leftwards(whole, i) > i), len(whole))
            found += _rightwards(whole[at:end], glyphs)
        at = end
    return found


def drawn_from(label: str, glyphs: Glyphs) -> list[Piece]:
    """Return the words of a label as pieces of one typeface and direction, in the order in which they are drawn.

    A label is the attribute `label` of an `<onDraw>` element that `marked_up` wrote. Its first letter is the direction:
    `l` for words that are written from right to left, `r` for all others. The words follow in UTF-8, as hexadecimal
    digits.

    The pieces are drawn from left to right. So the last words of a right-to-left text come first. Numbers in such a
    text are pieces of their own, because they are written from left to right.

    Args:
        label: the label.
        glyphs: function that takes a typeface's name and returns its code points.
    """
    text = bytes.fromhex(label[1:]).decode()
    if label[0] == _TO_THE_RIGHT:
        return [Piece(text, _face_of(text[0], glyphs), drawn=True)]
    parts = []
    for number, run in groupby(text, lambda c: unicodedata.bidirectional(c) in _NUMBERS):
        for face, same in groupby(run, lambda c: _face_of(c, glyphs)):
            parts.append(Piece("".join(same), face, drawn=True, leftwards=not number))
    return parts[::-1]


def _end_of_leftwards(text: str, start: int) -> int:
    """Return the end of the right-to-left text that begins at `start`; `start` itself if none begins there."""
    if unicodedata.bidirectional(text[start]) not in _RIGHT_TO_LEFT:
        return start
    end = start + 1
    for at in range(start + 1, len(text)):
        kind = unicodedata.bidirectional(text[at])
        if kind == "L" or text[at] == "\n":
            break
        if kind in _RIGHT_TO_LEFT or (kind in _FOLLOWS and at == end) or (kind == "EN" and at == end):
            end = at + 1
    return end


def _leftwards(run: str, glyphs: Glyphs) -> Iterator[Piece]:
    if any(_face_of(character, glyphs) is None for character in run):
        yield Piece(run, None)
        return
    for i, line in enumerate(_lines(run)):
        if i:
            yield Piece("\n", OWN)  # two drawings on one line would come in the wrong order
        yield Piece(line, _face_of(line[0], glyphs), drawn=True, leftwards=True)


def _lines(run: str) -> list[str]:
    lines: list[str] = []
    for word in run.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= _LONGEST:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _rightwards(run: str, glyphs: Glyphs) -> Iterator[Piece]:
    for face, same in groupby(_clusters(run), lambda cluster: _face_of(cluster[0], glyphs)):
        clusters = list(same)
        if face not in _SHAPED:
            yield Piece("".join(clusters), face)
            continue
        for i in range(0, len(clusters), _LONGEST):
            yield Piece("".join(clusters[i : i + _LONGEST]), face, drawn=True)


def _clusters(text: str) -> list[str]:
    """Return the characters of a text, each with the accents and joiners that follow it."""
    clusters: list[str] = []
    for character in text:
        if clusters and (unicodedata.category(character).startswith("M") or character in "\u200c\u200d"):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _face_of(character: str, glyphs: Glyphs) -> str | None:
    code = ord(character)
    if character in "\n\t":
        return OWN
    face = next((f.name for f in FACES for first, last in f.blocks if first <= code <= last), OWN)
    return face if code in glyphs(face) else None


def _markup(piece: Piece) -> str:
    if piece.face is None:
        return f"[{' '.join(f'U+{ord(c):04X}' for c in piece.text)}]"
    if piece.drawn:
        direction = _TO_THE_LEFT if piece.leftwards else _TO_THE_RIGHT
        return f'<onDraw name="drawn" label="{direction}{piece.text.encode().hex()}"/>'
    if piece.face == OWN:
        return escape(piece.text)
    return f'<font name="{piece.face}">{escape(piece.text)}</font>'
