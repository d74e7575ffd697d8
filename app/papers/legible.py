"""What the letter's typeface can't show is written as Unicode numbers: nothing is lost, nothing becomes a box."""

import unicodedata
from collections.abc import Container
from itertools import groupby
from xml.sax.saxutils import escape

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})

NOTE = (
    "Aksara yang tidak termuat dalam huruf surat ini, atau yang ditulis dari kanan ke kiri, dinyatakan dengan nomor "
    "Unicode-nya dalam kurung siku; bentuk aslinya tersimpan dalam register."
)


def shown(text: str, glyphs: Container[int]) -> bool:
    """Whether a typeface shows the whole text as it is."""
    return all(_has(character, glyphs) for character in unicodedata.normalize("NFC", text))


def marked_up(text: str, glyphs: Container[int]) -> str:
    """A text as ReportLab's paragraphs read it: markup escaped, lines kept, other scripts as Unicode numbers.

    Args:
        text: any text.
        glyphs: code points that the typeface has.
    """
    parts = []
    for has, run in groupby(unicodedata.normalize("NFC", text), lambda character: _has(character, glyphs)):
        said = "".join(run)
        parts.append(escape(said) if has else f"[{' '.join(f'U+{ord(c):04X}' for c in said)}]")
    return "".join(parts).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br/>")


def _has(character: str, glyphs: Container[int]) -> bool:
    if character in "\n\r\t":
        return True
    return ord(character) in glyphs and unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT
