"""Machine-readable zones of invented holders in every format, and the faults by which readers spoil them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle

from hypothesis import strategies as st

from app.identity.mrz import check_digit

TODAY = date(2026, 11, 23)
ALPHABET = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAME_FIELDS = {"TD1": (60, 90), "TD2": (5, 36), "TD3": (5, 44), "MRVA": (5, 44), "MRVB": (5, 36)}
NUMBER_FIELDS = {"TD1": (5, 30), "TD2": (36, 46), "TD3": (44, 53), "MRVA": (44, 53), "MRVB": (36, 45)}
"""Where they stand in a zone without line breaks; the number's with what a long one goes on in."""


@dataclass(frozen=True)
class Holder:
    """What a generated zone says."""

    format: str
    code: str
    state: str
    nationality: str
    number: str
    born: date
    sex: str
    expires: date
    surname: str
    given_names: str
    optional: str

    def text(self) -> str:
        """Write the zone as Doc 9303 lays it out, in lines."""
        names = f"{self.surname}<<{self.given_names}".replace(" ", "<").rstrip("<")
        birth, expiry = digits(f"{self.born:%y%m%d}"), digits(f"{self.expires:%y%m%d}")
        first = f"{self.code:<<2}{self.state}"
        number = digits(f"{self.number:<<9}") if len(self.number) <= 9 else f"{self.number[:9]}<"
        more = "" if len(self.number) <= 9 else digits(self.number)[9:] + "<"
        about = f"{birth}{self.sex}{expiry}"
        if self.format == "TD1":
            upper = f"{number}{more + self.optional:<<15}"
            seal = check_digit(upper + birth + expiry + "<" * 11)
            return f"{first}{upper}\n{about}{self.nationality}{'<' * 11}{seal}\n{names:<<30.30}"
        long = self.format in {"TD3", "MRVA"}
        head = f"{first}{names:<<39.39}" if long else f"{first}{names:<<31.31}"
        body = f"{head}\n{number}{self.nationality}{about}"
        if self.format.startswith("MRV"):
            return f"{body}{self.optional:<<{16 if long else 8}}"
        own = digits(f"{self.optional:<<14}") if long else f"{more + self.optional:<<7}"
        return f"{body}{own}{check_digit(number + birth + expiry + own)}"


def digits(field: str) -> str:
    """Append a field's check digit."""
    return f"{field}{check_digit(field)}"


WORD = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=6).filter(
    lambda word: not re.search(r"(.)\1\1", word)  # such a run is taken for fillers
)
NAME = st.lists(WORD, min_size=1, max_size=2).map(" ".join)
LONGEST = {"TD1": 20, "TD2": 14, "TD3": 9, "MRVA": 9, "MRVB": 9}


@st.composite
def holders(draw: st.DrawFn) -> Holder:
    """Draw a holder whose values fit the format, long numbers included."""
    kind = draw(st.sampled_from(sorted(LONGEST)))
    length = draw(st.integers(1, LONGEST[kind]))
    alphanumeric = st.text(alphabet=ALPHABET[1:], min_size=length, max_size=length)
    return Holder(
        format=kind,
        code="V" if kind.startswith("MRV") else "P" if kind == "TD3" else "I",
        state=draw(st.sampled_from(["IDN", "AUS", "D<<", "UTO", "XXA"])),
        nationality=draw(st.sampled_from(["IDN", "AUS", "D<<", "UTO", "XXA"])),
        number=draw(alphanumeric),
        born=draw(st.dates(TODAY - timedelta(days=36_000), TODAY)),
        sex=draw(st.sampled_from("MF<")),
        expires=draw(st.dates(TODAY - timedelta(days=3650), TODAY + timedelta(days=3650))),
        surname=draw(NAME),
        given_names=draw(st.one_of(st.just(""), NAME)),
        optional=draw(WORD) if length <= 9 else "",
    )


def misread(zone: str, taken: str, places: Iterable[int] | None = None) -> str:
    """Read a zone's fillers as characters: each as the next of those that are taken for it, over and over.

    Args:
        zone: in lines.
        taken: the characters.
        places: of a zone without line breaks, where it is misread; everywhere without it.
    """
    lines = zone.split("\n")
    requested = None if places is None else set(places)
    following = cycle(taken)
    spoiled = "".join(
        next(following) if character == "<" and (requested is None or place in requested) else character
        for place, character in enumerate("".join(lines))
    )
    width = len(lines[0])
    return "\n".join(spoiled[start : start + width] for start in range(0, len(spoiled), width))
