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


class Photo(msgspec.Struct, frozen=True):
    """The subject's photo as stored: metadata stripped, bytes in a table of their own."""

    sha256: str
    media_type: str


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The person. Births keep the precision they were given with (R17)."""

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

    @property
    def births(self) -> tuple[Birth, ...]:
        """Every birth date that is given."""
        return (*((self.birth,) if self.birth else ()), *self.birth_alternatives)

    @property
    def citizenship(self) -> Citizenship:
        """WNI if any nationality, issuing state or a well-formed NIK says Indonesia (contract section 1)."""
        said = {*self.nationalities, *(document.issuing_state for document in self.documents)}
        indonesian = states.INDONESIA in said or (self.nik is not None and nik.well_formed(self.nik))
        return Citizenship.WNI if indonesian else Citizenship.WNA

    @property
    def identity(self) -> "Subject":
        """The same person without what does not identify: where they live, what they do, how they look."""
        return msgspec.structs.replace(
            self, birth_place=None, occupation=None, address=None, photo=None, sex=None
        )

    def identifiers(self) -> set[str]:
        """The keys by which the subject is found: documents, their skeletons, NIK, folded names."""
        keys = set()
        for document in self.documents:
            number = documents.normalise(document.number)
            if number:
                keys |= {f"d:{number}", f"k:{documents.skeleton(number)}"}
        if self.nik:
            keys.add(f"n:{documents.normalise(self.nik)}")
        spellings = (self.full_name, *(alias.name for alias in self.aliases if alias.quality == "good"))
        keys |= {f"f:{folded}" for folded in map(names.fold, spellings) if folded}
        return {key[:200] for key in keys}

    def same_person(self, other: "Subject") -> bool:
        """An equal document or NIK, or an equal folded name and compatible birth (contract section 3)."""
        if self.nik and other.nik and documents.normalise(self.nik) == documents.normalise(other.nik):
            return True
        if any(same_document(mine, theirs) for mine in self.documents for theirs in other.documents):
            return True
        name = names.fold(self.full_name)
        if not name or name != names.fold(other.full_name):
            return False
        mine, theirs = self.births, other.births
        return bool(mine and theirs) and any(compatible(one, two) for one in mine for two in theirs)


def same_document(one: Document, other: Document) -> bool:
    """Whether two documents have one number, and no states that differ."""
    number = documents.normalise(one.number)
    if not number or number != documents.normalise(other.number):
        return False
    said = {states.canonical(d.issuing_state) for d in (one, other) if d.issuing_state is not None}
    return len(said) < 2  # noqa: PLR2004 - both silent, one silent, or both the same
