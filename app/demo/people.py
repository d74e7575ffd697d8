"""Invented persons: names, passports and faces of no real person.

Every name holds the word "Rekaan" (invention). Indonesian passports begin with Z, a series that is not issued;
foreigners come from Utopia, the specimen state of ICAO Doc 9303. No NIK is made up, because it might be
somebody's.
"""

import io
import secrets
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Self

from app.identity.mrz import check_digit

INDONESIA = "IDN"
UTOPIA = "UTO"

_GIVEN = {
    INDONESIA: ("Surya", "Bagas", "Raka", "Wisnu", "Galih", "Satria", "Arya", "Damar"),
    UTOPIA: ("Anders", "Milo", "Tomas", "Viktor", "Emil", "Oskar"),
}
_SURNAME = {
    INDONESIA: (("Wira", "Cakra", "Jaya", "Bumi", "Laksa", "Tirta"), ("tama", "negara", "kusuma", "winata")),
    UTOPIA: (("Vos", "Lind", "Mar", "Hal", "Bren"), ("vik", "holm", "sted", "gaard")),
}
_DIGITS = 10_000_000
_LATER = timedelta(days=2003)


@dataclass(frozen=True, slots=True)
class Person:
    """An invented adult man with a passport that is valid for years.

    Attributes:
        state: the code of the state of his nationality and of his passport.
        passport: the number of his passport.
    """

    given_names: str
    surname: str
    birth: date
    birth_place: str
    state: str
    passport: str

    @classmethod
    def invent(cls, state: str = INDONESIA) -> Self:
        """Return a new invented person of Indonesia or Utopia (`state` is its code), different at each call."""
        heads, tails = _SURNAME[state]
        return cls(
            given_names=f"{secrets.choice(_GIVEN[state])} Rekaan",
            surname=secrets.choice(heads) + secrets.choice(tails),
            birth=date(1960 + secrets.randbelow(30), 1 + secrets.randbelow(12), 1 + secrets.randbelow(28)),
            birth_place="Kota Rekaan",
            state=state,
            passport=_passport(),
        )

    def namesake(self) -> Self:
        """Return another person with the same name, born five years and some months later, with another passport."""
        return replace(self, birth=self.birth + _LATER, passport=_passport())

    def disguised(self) -> Self:
        """Return the same person with another passport, in which the name has its old Indonesian spelling (Djoko)."""
        return replace(
            self,
            given_names=_in_old_spelling(self.given_names),
            surname=_in_old_spelling(self.surname),
            passport=_passport(),
        )

    @property
    def name(self) -> str:
        """The full name as it is spoken."""
        return f"{self.given_names} {self.surname}"

    @property
    def mrz(self) -> str:
        """The passport's machine-readable zone, as a counter scans it (ICAO Doc 9303 part 4: TD3)."""
        name = f"{self.surname}<<{self.given_names}".upper().replace(" ", "<")
        number, birth, expiry, optional = map(
            _with_digit, (self.passport.ljust(9, "<"), f"{self.birth:%y%m%d}", "341231", "<" * 14)
        )
        composite = check_digit(number + birth + expiry + optional)
        return (
            f"P<{self.state}{name}".ljust(44, "<")
            + f"\n{number}{self.state}{birth}M{expiry}{optional}{composite}"
        )


def _in_old_spelling(name: str) -> str:
    for new, old in (("j", "dj"), ("y", "j"), ("c", "tj"), ("u", "oe")):
        name = name.replace(new, old).replace(new.upper(), old.capitalize())
    return name


def _passport() -> str:
    return f"Z{secrets.randbelow(_DIGITS):07}"


def _with_digit(field: str) -> str:
    return field + str(check_digit(field))


def portrait() -> bytes:
    """Return a JPEG of 240 by 320 pixels with the outline of a head and shoulders, in random colours."""
    from PIL import Image, ImageDraw

    shade, skin, coat = ((60 + secrets.randbelow(120),) * 3 for _ in range(3))
    image = Image.new("RGB", (240, 320), (shade[0], shade[1], 200))
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 220, 220, 440), fill=(coat[0], 40, 60))
    draw.ellipse((70, 60, 170, 210), fill=(skin[0] + 60, skin[1] + 20, 90))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=80)
    return written.getvalue()


def letter_scan(lines: list[str]) -> bytes:
    """Return a PNG of an invented letter with these lines of text, as from a scanner."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (480, 40 + 24 * len(lines)), 255)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        draw.text((20, 20 + 24 * i), line, fill=0)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()
