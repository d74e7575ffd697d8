"""The Indonesian national identity number, NIK: 16 digits with the place of issue and the birth date.

Two digits each of province, regency and district, the birth date as DDMMYY with 40 added to the day of a
woman, and a serial number. Rule R16: a disagreement with sex or birth date is a warning, never a refusal.
"""

from datetime import date
from typing import Final

from app.identity.births import Birth, compatible

LENGTH: Final = 16
PROVINCES: Final = range(11, 97)
"""Codes of the Ministry of Home Affairs, 11 (Aceh) to 96 (Papua Barat Daya), gaps included."""

_WOMAN: Final = 40
_CENTURIES: Final = (1900, 2000)


def well_formed(nik: str) -> bool:
    """Return whether a NIK (identity number) has 16 digits with a possible province and a possible birth date."""
    return (
        len(nik) == LENGTH
        and nik.isascii()
        and nik.isdigit()
        and int(nik[:2]) in PROVINCES
        and bool(_birth_days(nik))
    )


def faults(nik: str, sex: str | None, birth: Birth | None) -> tuple[str, ...]:
    """Return the codes of warnings from comparing a NIK with the sex and birth date of its person; empty if all agree.

    A NIK (identity number) contains both. The codes are `nik_malformed` alone if the NIK is not well formed, else
    `nik_birth_mismatch` and `nik_sex_mismatch`, as they apply.

    Args:
        nik: the NIK as given.
        sex: `male` or `female`; other values, and None, aren't compared.
        birth: the birth date; None isn't compared. The NIK's two-digit year may mean 19YY or 20YY.
    """
    if not well_formed(nik):
        return ("nik_malformed",)
    found = []
    if birth is not None and not any(compatible(birth, Birth(date=str(day))) for day in _birth_days(nik)):
        found.append("nik_birth_mismatch")
    if sex in {"male", "female"} and (sex == "female") != (int(nik[6:8]) > _WOMAN):
        found.append("nik_sex_mismatch")
    return tuple(found)


def _birth_days(nik: str) -> list[date]:
    """Return the possible days of the birth part, one per century; none if the day doesn't exist."""
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    days = []
    for century in _CENTURIES:
        try:
            days.append(date(century + year, month, day - _WOMAN if day > _WOMAN else day))
        except ValueError:
            continue
    return days
