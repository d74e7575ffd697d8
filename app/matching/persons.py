"""The two sides of a comparison, made ready: who is listed, and who stands at the counter."""

from collections.abc import Iterable

import msgspec

from app.identity.births import Birth
from app.identity.mrz import Mrz
from app.identity.spellings import Spelling, spellings


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """A listed person, made ready once and compared often.

    Attributes:
        names: every spelling of the full name and of good aliases.
        weak: spellings of low-quality aliases, which count only with the birth date.
        births: the birth date and its alternatives; empty if unknown.
    """

    names: tuple[Spelling, ...]
    weak: tuple[Spelling, ...] = ()
    births: tuple[Birth, ...] = ()
    sex: str | None = None
    nationalities: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        names: Iterable[str],
        weak: Iterable[str] = (),
        births: Iterable[Birth] = (),
        sex: str | None = None,
        nationalities: Iterable[str] = (),
    ) -> "Listed":
        """Make a subject ready: names and good aliases, weak aliases, births, sex, nationalities (ICAO codes)."""
        good = _forms(names)
        return cls(
            names=good,
            weak=tuple(form for form in _forms(weak) if form not in good),
            births=tuple(births),
            sex=sex,
            nationalities=tuple(nationalities),
        )


class Asked(msgspec.Struct, frozen=True):
    """A traveller, as papers and typists say.

    Attributes:
        names: as read and as typed.
        births: as read and as typed; they may disagree.
        nationalities: every state that a paper or a typist names.
    """

    names: tuple[Spelling, ...]
    births: tuple[Birth, ...] = ()
    sex: str | None = None
    nationalities: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        names: Iterable[str],
        births: Iterable[Birth] = (),
        sex: str | None = None,
        nationalities: Iterable[str] = (),
        mrz: Mrz | None = None,
    ) -> "Asked":
        """Make a traveller ready from what was typed, and what a machine-readable zone says besides."""
        forms = list(_forms(names))
        said = list(births)
        states = list(nationalities)
        if mrz is not None:
            forms += zone_spellings(mrz.surname, mrz.given_names, cut=mrz.name_truncated)
            said += [mrz.birth] if mrz.birth else []
            states += [mrz.nationality] if mrz.nationality else []
            sex = sex or mrz.sex
        return cls(tuple(dict.fromkeys(forms)), tuple(dict.fromkeys(said)), sex, tuple(dict.fromkeys(states)))


def zone_spellings(surname: str, given_names: str, *, cut: bool) -> tuple[Spelling, ...]:
    """Make the name of a machine-readable zone ready, in the order of its field, so that what is cut stands last."""
    return spellings(f"{surname} {given_names}", cut=cut)


def _forms(names: Iterable[str]) -> tuple[Spelling, ...]:
    return tuple(dict.fromkeys(form for name in names for form in spellings(name)))
