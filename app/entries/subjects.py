"""The person a measure is against, and when two of them are one; pure."""

from datetime import date
from enum import StrEnum

import msgspec

from app.identity import documents, names, nik, states
from app.identity.births import Birth, compatible


class Citizenship(StrEnum):
    """Indonesian citizen or foreigner, as derived from the subject's data."""

    WNI = "WNI"
    WNA = "WNA"


class Alias(msgspec.Struct, frozen=True):
    """Another name of the subject; `low` quality is weak evidence."""

    name: str
    quality: str = "good"


class Document(msgspec.Struct, frozen=True):
    """A travel or identity document as given."""

    type: str
    number: str
    issuing_state: str | None = None
    expires_on: date | None = None


PASSPORTS = frozenset({"passport", "service_passport", "diplomatic_passport"})
"""The types of document that a state gives to its citizens only (UU 6/2011 art. 24)."""


class CitizenshipLoss(msgspec.Struct, frozen=True):
    """The document by which Indonesian citizenship was lost (UU 12/2006 art. 23); its bytes stay beside the entry."""

    number: str
    authority: str
    issued_on: date
    sha256: str


class Photo(msgspec.Struct, frozen=True):
    """The subject's photo as stored: metadata stripped, bytes in a table of their own."""

    sha256: str
    media_type: str


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The person. Births keep the precision they were given with (R17).

    Attributes:
        citizenship_note: why a NIK, a travel permit or an old passport of Indonesia does not make a citizen.
        citizenship_loss: the document by which citizenship was lost.
    """

    full_name: str
    aliases: tuple[Alias, ...] = ()
    sex: str | None = None
    birth: Birth | None = None
    birth_alternatives: tuple[Birth, ...] = ()
    birth_place: str | None = None
    nationalities: tuple[str, ...] = ()
    nik: str | None = None
    occupation: str | None = None
    address: str | None = None
    documents: tuple[Document, ...] = ()
    photo: Photo | None = None
    citizenship_note: str | None = None
    citizenship_loss: CitizenshipLoss | None = None

    @property
    def births(self) -> tuple[Birth, ...]:
        """Every birth date that is given."""
        return (*((self.birth,) if self.birth else ()), *self.birth_alternatives)

    @property
    def says_indonesian(self) -> bool:
        """Whether a nationality, an issuing state or a well-formed NIK says Indonesia, whatever was recorded of it.

        This alone decides at the border: no note and no document lets anybody be refused entry there (R45).
        """
        indonesian = _says_indonesia(*self.nationalities) or bool(self._indonesian_documents())
        return indonesian or (self.nik is not None and nik.well_formed(self.nik))

    def shows_citizenship(self, day: date) -> bool:
        """Whether something that only citizens have says Indonesia: the nationality, or a passport valid on a day.

        A NIK is also a foreigner's (UU 24/2013 art. 63(1)), and so is a travel permit (UU 6/2011 art. 24, 27); a
        passport may be kept after citizenship has gone.
        """
        valid = any(
            paper.type in PASSPORTS and (paper.expires_on is None or paper.expires_on >= day)
            for paper in self._indonesian_documents()
        )
        return valid or _says_indonesia(*self.nationalities)

    def citizenship_on(self, day: date) -> Citizenship:
        """What the register takes the person for (contract sections 1 and 3, "Citizenship").

        WNI if anything says Indonesia, unless the document of a loss is recorded, or a note answers what foreigners
        have too.
        """
        explained = self.citizenship_loss is not None or (
            bool(self.citizenship_note) and not self.shows_citizenship(day)
        )
        return Citizenship.WNI if self.says_indonesian and not explained else Citizenship.WNA

    def _indonesian_documents(self) -> list[Document]:
        return [paper for paper in self.documents if _says_indonesia(paper.issuing_state)]

    @property
    def identity(self) -> "Subject":
        """The same person without what does not identify: where they live, what they do, how they look."""
        return msgspec.structs.replace(
            self,
            birth_place=None,
            occupation=None,
            address=None,
            photo=None,
            sex=None,
            citizenship_note=None,
            citizenship_loss=None,
        )

    def identifiers(self) -> set[str]:
        """The keys by which the subject is found: documents, their skeletons, NIK, folded names."""
        keys = set()
        for document in self.documents:
            number = documents.normalise(document.number)
            if not documents.is_filler(number):
                keys |= {f"d:{number}", f"k:{documents.skeleton(number)}"}
        if self.nik and not documents.is_filler(documents.normalise(self.nik)):
            keys.add(f"n:{documents.normalise(self.nik)}")
        spellings = (self.full_name, *(alias.name for alias in self.aliases if alias.quality == "good"))
        keys |= {f"f:{folded}" for folded in map(names.fold, spellings) if folded}
        return {key[:200] for key in keys}

    def same_person(self, other: "Subject") -> bool:
        """An equal document or NIK, or an equal folded name and compatible birth (contract section 3)."""
        if self.nik and other.nik and documents.is_same(self.nik, other.nik):
            return True
        if any(same_document(mine, theirs) for mine in self.documents for theirs in other.documents):
            return True
        name = names.fold(self.full_name)
        if not name or name != names.fold(other.full_name):
            return False
        mine, theirs = self.births, other.births
        return bool(mine and theirs) and any(compatible(one, two) for one in mine for two in theirs)


def _says_indonesia(*codes: str | None) -> bool:
    return any(states.canonical(code) == states.INDONESIA for code in codes if code is not None)


def same_document(one: Document, other: Document) -> bool:
    """Whether two documents have one number, and no states that differ."""
    if not documents.is_same(one.number, other.number):
        return False
    said = {states.canonical(d.issuing_state) for d in (one, other) if d.issuing_state is not None}
    return len(said) < 2  # noqa: PLR2004 - both silent, one silent, or both the same
