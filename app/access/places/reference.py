"""The initial places and agencies of every register, shipped with the package as CSV files.

Agencies are those of UU 6/2011 art. 91(2); checkpoints (TPI), immigration offices (Kanim) and provinces are
as the Directorate General of Immigration publishes them. They are copied into the register's tables once;
later changes by admins are stored only in these tables.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class AgencyReference:
    """A body that may order or request a measure.

    Attributes:
        code: its short code in the API.
        parent: the code of the body it belongs to.
        name_id: its Indonesian name.
        name_en: its English name.
        basis: the articles of law that empower it.
        legal_forms: the instruments it may use, as in `basis.instrument`.
        article_required: whether each entry must name the article that empowers the body (art. 91(2)f).
        note: further information for readers.
    """

    code: str
    parent: str | None
    name_id: str
    name_en: str
    basis: str
    legal_forms: tuple[str, ...]
    article_required: bool
    note: str | None

    def facts(self) -> dict[str, Any]:
        """Return the members of the register's `Agency` by name, without `phone`, `active` and `version`."""
        return {
            "code": self.code,
            "parent": self.parent,
            "name_id": self.name_id,
            "name_en": self.name_en,
            "basis": self.basis,
            "legal_forms": self.legal_forms,
            "article_required": self.article_required,
        }


@dataclass(frozen=True, slots=True)
class CheckpointReference:
    """A place where people are examined (TPI).

    Attributes:
        code: unique; the published immigration code, or a name where that is missing or shared.
        name: as published, in mixed case.
        mode: `air`, `land`, `sea` or `sea-special` (a company's own terminal).
        city: its city, if it was published.
        province: the present province; None if only the time zone is certain.
        zone: IANA name of one of Indonesia's three times: WIB (UTC+7), WITA (UTC+8) or WIT (UTC+9).
    """

    code: str
    name: str
    mode: str
    city: str | None
    province: str | None
    zone: str

    def facts(self) -> dict[str, Any]:
        """Return the members of the register's `Checkpoint` by name, without `active` and `version`."""
        return {
            "code": self.code,
            "name": self.name,
            "mode": self.mode,
            "city": self.city,
            "province": self.province,
            "zone": self.zone,
        }


@dataclass(frozen=True, slots=True)
class OfficeReference:
    """An immigration office (Kantor Imigrasi), or the directorate general itself.

    Attributes:
        code: `KANIM-` and its name; `DITJENIM` for the directorate general.
        rank: its published class ("Kelas I TPI"); None for the offices of 2025, not yet classed.
        name: the place it is named after.
        city: the city of its seat, if it was published.
        province: the present province of its seat.
    """

    code: str
    rank: str | None
    name: str
    city: str | None
    province: str


@dataclass(frozen=True, slots=True)
class ProvinceReference:
    """A province: its two-digit code of the Ministry of Home Affairs, name and time zone."""

    code: str
    name: str
    zone: str


def load_agencies() -> tuple[AgencyReference, ...]:
    """Return the shipped agencies; a parent comes before the bodies that belong to it."""
    return tuple(
        AgencyReference(
            code=row["code"],
            parent=row["parent"] or None,
            name_id=row["name_id"],
            name_en=row["name_en"],
            basis=row["basis"],
            legal_forms=tuple(row["legal_forms"].split("|")),
            article_required=row["article_required"] == "yes",
            note=row["note"] or None,
        )
        for row in _rows("agencies.csv")
    )


def load_checkpoints() -> tuple[CheckpointReference, ...]:
    """Return the shipped checkpoints, in published order: airports, land borders, seaports."""
    return tuple(
        CheckpointReference(
            code=row["code"],
            name=row["name"],
            mode=row["mode"],
            city=row["city"] or None,
            province=row["province"] or None,
            zone=row["zone"],
        )
        for row in _rows("checkpoints.csv")
    )


def load_offices() -> tuple[OfficeReference, ...]:
    """Return the directorate general, then the shipped immigration offices in published order."""
    return tuple(
        OfficeReference(
            code=row["code"],
            rank=row["class"] or None,
            name=row["name"],
            city=row["city"] or None,
            province=row["province"],
        )
        for row in _rows("offices.csv")
    )


def load_provinces() -> tuple[ProvinceReference, ...]:
    """Return the shipped provinces, sorted by code."""
    return tuple(ProvinceReference(**row) for row in _rows("provinces.csv"))


def _rows(name: str) -> Iterator[dict[str, str]]:
    """Read one of the shipped files. Returns a dict for each line after the heading."""
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())
