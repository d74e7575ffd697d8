"""A person of the UN list as a plain record, and the digest that shows whether the record has changed."""

import hashlib
import re
from contextlib import suppress
from datetime import date
from typing import Any, Final, Literal
from xml.etree.ElementTree import Element

import msgspec

from app.identity import nik
from app.identity.documents import normalise
from app.identity.states import INDONESIA
from app.kit.canonical import canonical
from app.register.lists.un_births import BirthShape, birth_place_of, births_of
from app.register.lists.un_cells import Remark, cell, cells
from app.register.lists.un_documents import ListedDocument, documents_of
from app.register.lists.un_names import Alias, aliases_of
from app.register.lists.un_states import nationalities_of

Sex = Literal["male", "female", "unspecified"]

_SEX_IN_PROSE: Final = re.compile(r"\b(?:gender|sex)\W{1,4}(male|female)\b", re.IGNORECASE)
_DAY: Final = len("YYYY-MM-DD")
_ADDRESS_PARTS: Final = ("STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE", "COUNTRY", "NOTE")


class ListedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """An individual of the list.

    Attributes:
        data_id: the list's key of the record, which may change between editions; "" for none.
        reference: the permanent reference number, such as QDi.001; "" for none.
        listed_on: day of the listing, YYYY-MM-DD; None where the list gives no possible day (remark
            `listing_date_unclear`).
        programme: the sanctions regime (UN_LIST_TYPE).
        full_name: the name as listed, in Latin letters.
        aliases: other spellings, including the original script, each once.
        sex: from GENDER, else from the comments.
        births: in the API's shapes, the person's own first; empty where none is readable.
        birth_place: the first place of birth that the list gives.
        nationalities: ICAO codes of the nationalities that the list states without doubt; Indonesia also if in doubt.
        documents: only documents with a clear number.
        designation: offices held, separated by semicolons.
        address: all addresses, separated by semicolons.
        comments: the list's narrative.
        remarks: the content that was left out, with reasons.
    """

    data_id: str
    reference: str
    listed_on: str | None
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
        """Whether the list indicates that the person is Indonesian; then no entry ban is allowed (R4).

        True if a nationality or the issuer of a document is Indonesia, or if the number of an identity card without an
        issuer has the form of a NIK, the Indonesian identity number.
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
    """Return the SHA-256 (hex) of the list's content about a person; it shows whether the content has changed.

    The order of aliases, documents and the like does not count, nor do remarks, version numbers and dates of update.
    """
    content: dict[str, Any] = msgspec.to_builtins(person)
    del content["remarks"]
    for member, value in content.items():
        if isinstance(value, tuple):
            content[member] = sorted(value, key=canonical)
    return hashlib.sha256(canonical(content)).hexdigest()


def person_in(element: Element, data_id: str, full_name: str, generated_on: date) -> ListedPerson:
    """Return the person in an INDIVIDUAL element; unclear content is left out, with a remark.

    Args:
        element: the INDIVIDUAL element.
        data_id: its DATAID.
        full_name: its name.
        generated_on: the day of the edition; a later day of listing is impossible.
    """
    listed_on, on_listing = _listed_on(cell(element, "LISTED_ON"), generated_on)
    aliases, on_aliases = aliases_of(element, full_name)
    births, on_births = births_of(element, listed_on or "")
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
        remarks=(*on_listing, *on_aliases, *on_births, *on_nationalities, *on_documents),
    )


def _listed_on(words: str, generated_on: date) -> tuple[str | None, tuple[Remark, ...]]:
    """Return the day of the listing, without the office's time zone that some have (2001-01-25-05:00)."""
    with suppress(ValueError):
        day = date.fromisoformat(words[:_DAY])
        if day.isoformat() == words[:_DAY] and day <= generated_on:
            return words[:_DAY], ()
    return None, (Remark(code="listing_date_unclear", detail=words),)


def _sex_of(person: Element) -> Sex:
    """Return the sex from its own cell, else from the comments ("Gender [Male]", "Sex: female.")."""
    stated = cell(person, "GENDER").lower()
    if not stated and (prose := _SEX_IN_PROSE.search(cell(person, "COMMENTS1"))):
        stated = prose[1].lower()
    return "male" if stated == "male" else "female" if stated == "female" else "unspecified"


def _address_of(person: Element) -> str | None:
    """Return the addresses, separated by semicolons and their parts by commas; None where every cell is empty."""
    addresses = [
        ", ".join(part for tag in _ADDRESS_PARTS if (part := cell(address, tag)))
        for address in person.iterfind("INDIVIDUAL_ADDRESS")
    ]
    return "; ".join(filter(None, addresses)) or None
