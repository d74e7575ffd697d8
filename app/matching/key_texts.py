"""The parts of a name's keys, as texts: sounds of its words, each with the bits that it is worth.

A key's text is its kind and its parts, such as `pair`, two words and perhaps a year of birth. Each way in which a name
survives a disguise has its kind: two words, a rare word, the whole name as one word, a word with the start or the end
of another, two starts, an initial. `keys` makes numbers of the texts.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, permutations
from typing import Final

import msgspec

from app.identity.rarity import INITIAL
from app.identity.sound import code
from app.identity.spellings import Spelling, Word, glued_in_usual_orders, joined

_MAX_WORDS: Final = 5
"""Number of words of a name from which keys are made: the rarest words, in their order."""
_RARE_BITS: Final = 9.0
"""Rarity from which a word alone, and with a year, is a key; a name of one word always is."""
_EDGE_KEY_BITS: Final = 4.0
"""Rarity from which a word together with the start or end of another word is a key."""
_GLUED_FROM: Final = 4
"""Words from which a name in one word is a key with the year: the sketch of one long word is too unlike theirs."""
_YEAR_BITS: Final = 3.0
WHOLE_BITS: Final = 6.0
"""Additional bits of a whole name that is shared, since neither side has a further word."""
_EDGE_BITS: Final = 6.0
_EDGE: Final = 2
_START: Final = 3
BETWEEN: Final = "\x1f"
"""Separates the parts of a key; no word contains it."""

Text = tuple[str, float]
"""The text of a key, which is its kind and its parts, separated by `BETWEEN`; and the key's bits."""


class Parts(msgspec.Struct, frozen=True, gc=False):
    """The parts from which the keys of one spelling of a name are made.

    Attributes:
        words: at most five words, the rarest, in the order of the name.
        pairs: the key text and the bits of each pair of these words.
        wholes: the consonants of the whole name written as one word, for each order of its words that is considered;
            empty for a name of one word.
        bits: the rarity of the whole name, in bits.
        many: whether the name has at least four words, so that the whole name with a year of birth is a key too.
    """

    words: tuple[Word, ...]
    pairs: list[Text]
    wholes: tuple[str, ...]
    bits: float
    many: bool


def parts_of(name: Spelling) -> Parts:
    """Return the parts of one spelling of a name, from which its keys are made."""
    words = _rarest(name)
    pairs = [
        (f"pair\x1f{one.code}\x1f{other.code}", one.bits + other.bits)
        if one.code <= other.code
        else (f"pair\x1f{other.code}\x1f{one.code}", one.bits + other.bits)
        for one, other in combinations(words, 2)
    ]
    wholes = tuple(map(code, glued_in_usual_orders(name))) if len(words) > 1 else ()
    return Parts(words, pairs, wholes, name.bits, len(name.words) >= _GLUED_FROM)


def name_keys(parts: Parts, *, looked_up: bool) -> list[Text]:
    """Return the keys of a name without births: pairs of words, single words, the whole name as one word.

    A name of one word has one key, this word, even if it is common.

    Args:
        parts: the name's parts.
        looked_up: True for the keys by which a traveller is looked up, with each single word; False for the keys under
            which a listed person is stored, with rare single words only.
    """
    words = parts.words
    if len(words) == 1:
        return [(f"word\x1f{words[0].code}", words[0].bits + WHOLE_BITS)]
    found = parts.pairs.copy()
    found += [(f"word\x1f{word.code}", word.bits) for word in words if looked_up or word.bits >= _RARE_BITS]
    found += [(f"word\x1f{whole}", parts.bits + WHOLE_BITS) for whole in parts.wholes]
    return found


def year_keys(parts: Parts, years: Iterable[int], least: float = 0.0) -> list[Text]:
    """Return the keys of a name with a year of birth.

    Each consists of the year and of two words, of a rare word, or of the whole name as one word. The whole name is used
    only if it has one word, or at least four.

    Args:
        parts: the name's parts.
        years: the years of birth; each gives keys of its own.
        least: keys with fewer bits are left out.
    """
    words = parts.words
    telling = [
        (f"word\x1f{word.code}", word.bits) for word in words if len(words) == 1 or word.bits >= _RARE_BITS
    ]
    if parts.many:
        telling += [(f"word\x1f{whole}", parts.bits) for whole in parts.wholes]
    kept = [key for key in (*parts.pairs, *telling) if key[1] + _YEAR_BITS >= least]
    return [(f"{text}\x1f{year}", bits + _YEAR_BITS) for year in years for text, bits in kept]


def further_keys(parts: Parts, *, looked_up: bool) -> list[Text]:
    """Return the keys that find a name also if it is divided differently, misspelled or shortened; [] for one word.

    Args:
        parts: the name's parts.
        looked_up: True for the keys by which a traveller is looked up; False for the keys under which a listed person
            is stored, which contain an initial only if the name has one.
    """
    words = parts.words
    if len(words) == 1:
        return []
    return [*_merged_keys(words), *_edge_keys(words), *_initial_keys(words, looked_up=looked_up)]


def _merged_keys(words: tuple[Word, ...]) -> Iterator[Text]:
    """Yield keys of two neighbouring words joined, with each other word (Hidayat Nur Wahid, Hidayat Nurwahid)."""
    for place in range(len(words) - 1 if len(words) > 2 else 0):  # noqa: PLR2004 - two words and another one
        first, second = words[place], words[place + 1]
        merged = code(joined((first, second)))
        for word in (*words[:place], *words[place + 2 :]):
            least, greatest = (merged, word.code) if merged <= word.code else (word.code, merged)
            yield f"pair\x1f{least}\x1f{greatest}", first.bits + second.bits + word.bits


def _edge_keys(words: tuple[Word, ...]) -> Iterator[Text]:
    """Yield keys of a word with the start or end of another, which may be misspelled, and of two starts."""
    edges = [(word.bits, word.bits + _EDGE_BITS, word.code, word.heard, len(word.text) > 1) for word in words]
    for (bits, worth, consonants, _, _), (_, _, _, heard, is_word) in permutations(edges, 2):
        if bits >= _EDGE_KEY_BITS and is_word:
            yield f"start\x1f{consonants}\x1f{heard[:_EDGE]}", worth
            yield f"end\x1f{consonants}\x1f{heard[-_EDGE:]}", worth
    for (bits, _, _, heard, _), (other_bits, _, _, other, _) in combinations(edges, 2):
        one, two = heard[:_START], other[:_START]
        text = f"starts\x1f{one}\x1f{two}" if one <= two else f"starts\x1f{two}\x1f{one}"
        yield text, min(bits + other_bits, 2 * _EDGE_BITS)


def _initial_keys(words: tuple[Word, ...], *, looked_up: bool) -> Iterator[Text]:
    """Yield keys of a word and an initial; stored for names with initials only, looked up for every name."""
    for one, other in permutations(words, 2):
        if not one.is_initial and (looked_up or other.is_initial):
            yield f"initial\x1f{one.code}\x1f{other.text[:1]}", one.bits + INITIAL


def _rarest(name: Spelling) -> tuple[Word, ...]:
    """Return the rarest words of a name in their order; words that sound the same count once."""
    words = tuple({word.heard: word for word in name.words}.values())
    if len(words) <= _MAX_WORDS:
        return words
    kept = sorted(words, key=lambda word: -word.bits)[:_MAX_WORDS]
    return tuple(word for word in words if word in kept)
