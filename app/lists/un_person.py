"""A person of the UN list, as one plain record, and the digest by which a change of it is seen."""

import hashlib
import re
from typing import Any, Final, Literal
from xml.etree.ElementTree import Element

import msgspec

from app.identity import nik
from app.identity.documents import normalise
from app.identity.states import INDONESIA
from app.kit.canonical import canonical
from app.lists.un_births import BirthShape, birth_place_of, births_of
from app.lists.un_cells import Remark, cell, cells
from app.lists.un_documents import ListedDocument, documents_of
from app.lists.un_names import Alias, aliases_of
from app.lists.un_states import nationalities_of

Sex = Literal["male", "female", "unspecified"]

_SEX_IN_PROSE: Final = re.compile(r"\b(?:gender|sex)\W{1,4}(male|female)\b", re.IGNORECASE)
_ADDRESS_PARTS: Final = ("STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE", "COUNTRY", "NOTE")


class ListedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """An individual of the list.

    Attributes:
        data_id: the list's own key of the person, the same in every edition.
        reference: the permanent reference number, such as QDi.001.
        listed_on: day of the listing, YYYY-MM-DD.
        programme: the sanctions regime (UN_LIST_TYPE).
        full_name: as listed, Latin letters.
        aliases: other spellings, the original script among them, each once.
        sex: from GENDER, else from the comments.
        births: in the contract's shapes, the list's own first; empty where none is readable.
        birth_place: the first that is given.
        nationalities: ICAO codes, only those stated without doubt (Indonesia: even with doubt).
        documents: only true numbers.
        designation: offices held, parted by semicolons.
        address: all addresses, parted by semicolons.
        comments: the list's narrative.
        remarks: what was left out, and why.
    """

    data_id: str
    reference: str
    listed_on: str
    programme: str
    full_name: str
    aliases: tuple[Alias, ...]
    sex: Sex
    births: tuple[BirthShape, ...]
    birth_place: str | None
    nationalities: tuple[str, ...]
    documents: tuple[ListedDocument, ...]
    designation: str | None
    address: str | None
    comments: str | None
    remarks: tuple[Remark, ...]

    @property
    def is_indonesian(self) -> bool:
        """Whether a nationality, a document's issuer or a NIK that no other state issued says Indonesia.

        Such a person may not be deterred (R4), only named in the report.
        """
        return INDONESIA in self.nationalities or any(
            paper.issuing_state == INDONESIA
            or (
                paper.type == "national_id"
                and not paper.issuing_state
                and nik.well_formed(normalise(paper.number))
            )
            for paper in self.documents
        )


def digest(person: ListedPerson) -> str:
    """Give the SHA-256 (hex) of what the list says of a person, to see whether an edition changed it.

    The order of aliases, documents and the like doesn't count, nor do remarks, version numbers and dates of
    update.
    """
    content: dict[str, Any] = msgspec.to_builtins(person)
    del content["remarks"]
    for member, value in content.items():
        if isinstance(value, tuple):
            content[member] = sorted(value, key=canonical)
    return hashlib.sha256(canonical(content)).hexdigest()


def person_in(element: Element, data_id: str, full_name: str, listed_on: str) -> ListedPerson:
    """Read an INDIVIDUAL whole.

    Args:
        element: the INDIVIDUAL.
        data_id: its DATAID.
        full_name: its name.
        listed_on: the day of its listing, YYYY-MM-DD.
    """
    aliases, on_aliases = aliases_of(element, full_name)
    births, on_births = births_of(element, listed_on)
    nationalities, on_nationalities = nationalities_of(element)
    documents, on_documents = documents_of(element)
    return ListedPerson(
        data_id=data_id,
        reference=cell(element, "REFERENCE_NUMBER"),
        listed_on=listed_on,
        programme=cell(element, "UN_LIST_TYPE"),
        full_name=full_name,
        aliases=aliases,
        sex=_sex_of(element),
        births=births,
        birth_place=birth_place_of(element),
        nationalities=nationalities,
        documents=documents,
        designation="; ".join(cells(element, "DESIGNATION/VALUE")) or None,
        address=_address_of(element),
        comments=cell(element, "COMMENTS1") or None,
        remarks=(*on_aliases, *on_births, *on_nationalities, *on_documents),
    )


def _sex_of(person: Element) -> Sex:
    """Give the sex from its own cell, else from the comments ("Gender [Male]", "Sex: female.")."""
    told = cell(person, "GENDER").lower()
    if not told and (prose := _SEX_IN_PROSE.search(cell(person, "COMMENTS1"))):
        told = prose[1].lower()
    return "male" if told == "male" else "female" if told == "female" else "unspecified"


def _address_of(person: Element) -> str | None:
    """Give the addresses, parts by commas, addresses by semicolons; None where every cell is empty."""
    addresses = [
        ", ".join(part for tag in _ADDRESS_PARTS if (part := cell(address, tag)))
        for address in person.iterfind("INDIVIDUAL_ADDRESS")
    ]
    return "; ".join(filter(None, addresses)) or None
