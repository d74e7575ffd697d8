"""The two sides of a comparison, prepared for it: the listed person and the traveller."""

from collections.abc import Iterable

import msgspec

from app.identity.births import Birth
from app.identity.mrz import Mrz
from app.identity.spellings import Spelling, spellings
from app.identity.states import KNOWN


class KnownPerson(msgspec.Struct, frozen=True, array_like=True):
    """A listed person, prepared once for many comparisons.

    Attributes:
        names: all spellings of the full name and of aliases of good quality.
        weak: all spellings of aliases of low quality, which count only if the day of birth agrees (`tiers.EXACT`).
        births: the birth date and its alternatives; empty if unknown.
        sex: `male`, `female` or `unspecified`; None if unknown.
        nationalities: ICAO codes.
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
    ) -> "KnownPerson":
        """Prepare a subject for comparison.

        Args:
            names: the full name and good aliases.
            weak: aliases of low quality.
            births: the birth date and its alternatives.
            sex: `male`, `female` or `unspecified`; None if unknown.
            nationalities: ICAO codes.
        """
        good = _forms(names)
        return cls(
            names=good,
            weak=tuple(form for form in _forms(weak) if form not in good),
            births=tuple(births),
            sex=sex,
            nationalities=tuple(nationalities),
        )


class QueriedPerson(msgspec.Struct, frozen=True):
    """A traveller, prepared from the document and from typed data.

    Attributes:
        names: all spellings of the names that were typed or read from the document.
        births: the birth dates that were typed or read from the document; they may disagree.
        sex: the sex that was typed, or else the document's; None if unknown.
        nationalities: the ICAO codes of the nationalities that were typed or read from the document.
        other_births: the document's birth date in the earlier century, if its two-digit year may be of both and no
            birth date was typed; else empty.
    """

    names: tuple[Spelling, ...]
    births: tuple[Birth, ...] = ()
    sex: str | None = None
    nationalities: tuple[str, ...] = ()
    other_births: tuple[Birth, ...] = ()

    @classmethod
    def of(
        cls,
        names: Iterable[str],
        births: Iterable[Birth] = (),
        sex: str | None = None,
        nationalities: Iterable[str] = (),
        mrz: Mrz | None = None,
    ) -> "QueriedPerson":
        """Prepare a traveller for comparison, from typed data and from a machine-readable zone.

        Args:
            names: the typed names.
            births: the typed birth dates.
            sex: the typed sex; None takes the zone's.
            nationalities: the typed ICAO codes; the zone's code is added if it is a known one.
            mrz: the zone; None without one.
        """
        forms = list(_forms(names))
        given_births = list(births)
        states = list(nationalities)
        others: tuple[Birth, ...] = ()
        if mrz is not None:
            forms += zone_spellings(mrz.surname, mrz.given_names, cut=mrz.name_truncated)
            forms += [form for other in mrz.other_names for form in spellings(other)]
            others = mrz.births[1:] if not given_births else ()
            given_births += mrz.births[:1]
            states += [mrz.nationality] if mrz.nationality in KNOWN else []
            sex = sex or mrz.sex
        return cls(
            tuple(dict.fromkeys(forms)),
            tuple(dict.fromkeys(given_births)),
            sex,
            tuple(dict.fromkeys(states)),
            others,
        )


def zone_spellings(surname: str, given_names: str, *, cut: bool) -> tuple[Spelling, ...]:
    """Return all spellings in which the name of a machine-readable zone is compared, surname first as in its field.

    `cut` says that the name filled its field. The spellings record this, so that a listed name may have a longer last
    word and further words without a loss of likeness.
    """
    return spellings(f"{surname} {given_names}", cut=cut)


def _forms(names: Iterable[str]) -> tuple[Spelling, ...]:
    return tuple(dict.fromkeys(form for name in names for form in spellings(name)))
