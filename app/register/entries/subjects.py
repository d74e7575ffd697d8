"""The subject of a measure, and the comparison of two persons (no I/O)."""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from enum import StrEnum
from typing import Self

import msgspec

from app.identity import documents, names, nik, states, typed_numbers
from app.identity.births import Birth, compatible


class Citizenship(StrEnum):
    """Indonesian citizen or foreigner, as derived from the subject's data."""

    WNI = "WNI"
    WNA = "WNA"


class Alias(msgspec.Struct, frozen=True):
    """Another name of the subject; `quality` is `good`, or `low` for a name that is weak evidence."""

    name: str
    quality: str = "good"


class Document(msgspec.Struct, frozen=True):
    """A travel or identity document as filed."""

    type: str
    number: str
    issuing_state: str | None = None
    expires_on: date | None = None


PASSPORTS = frozenset({"passport", "service_passport", "diplomatic_passport"})
"""Types of document that a state issues to its citizens only (UU 6/2011 art. 24)."""


class CitizenshipLoss(msgspec.Struct, frozen=True):
    """The document by which Indonesian citizenship was lost (UU 12/2006 art. 23).

    Attributes:
        authority: the authority that issued it.
        sha256: SHA-256 of its file, which is stored with the entry.
    """

    number: str
    authority: str
    issued_on: date
    sha256: str


class Photo(msgspec.Struct, frozen=True):
    """The subject's photo: SHA-256 and media type of the stored picture, whose bytes are in another table."""

    sha256: str
    media_type: str


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The person that an entry is about.

    Attributes:
        birth: the birth, as precise as it was filed (a day, month, year, range or age; R17).
        birth_alternatives: other possible births.
        nationalities: ICAO codes of states.
        nik: the number in Indonesia's population register; foreigners with a permanent permit have one too.
        citizenship_note: why a NIK, a travel permit or an old passport of Indonesia does not prove a citizen.
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
        """All stated birth dates: the birth first, then the alternatives in the order of filing."""
        return (*((self.birth,) if self.birth else ()), *self.birth_alternatives)

    @property
    def says_indonesian(self) -> bool:
        """Whether a nationality, a document's issuing state or a well-formed NIK indicates an Indonesian.

        `citizenship_note` and `citizenship_loss` do not change it. Checks use it to decide that entry must not be
        refused (R45); `citizenship_on` considers the explanations.
        """
        indonesian = _indicates_indonesia(*self.nationalities) or bool(self._indonesian_documents())
        return indonesian or (self.nik is not None and nik.well_formed(self.nik))

    def shows_citizenship(self, day: date) -> bool:
        """Return whether a nationality, or a passport that is valid on `day`, proves Indonesian citizenship.

        A passport without a last day counts as valid. A NIK or a travel permit is no proof, because a foreigner may
        have one (UU 24/2013 art. 63(1); UU 6/2011 art. 24, 27).
        """
        valid = any(
            paper.type in PASSPORTS and (paper.expires_on is None or paper.expires_on >= day)
            for paper in self._indonesian_documents()
        )
        return valid or _indicates_indonesia(*self.nationalities)

    def citizenship_on(self, day: date) -> Citizenship:
        """Return the person's citizenship on a day, as the register derives it from the data.

        It is WNI if `says_indonesian` is true, else WNA. A recorded loss of citizenship makes it WNA. So does a
        `citizenship_note`, if no nationality and no valid passport proves citizenship.
        """
        explained = self.citizenship_loss is not None or (
            bool(self.citizenship_note) and not self.shows_citizenship(day)
        )
        return Citizenship.WNI if self.says_indonesian and not explained else Citizenship.WNA

    def _indonesian_documents(self) -> list[Document]:
        return [paper for paper in self.documents if _indicates_indonesia(paper.issuing_state)]

    @property
    def identity(self) -> "Subject":
        """A copy of the person with only the data that identify them: names, births, nationalities, NIK, documents."""
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
        """Return the keys that identify the subject: document numbers, their skeletons, NIK, and folded names.

        A skeleton is a number in which letters and digits that readers confuse (0 and O) are equal. Aliases of low
        quality give no key.
        """
        keys = set()
        for document in self.documents:
            for number in typed_numbers.read(document.number).numbers:
                keys |= {f"d:{number.number}", *(f"k:{each}" for each in number.skeletons)}
        if self.nik and not documents.is_filler(documents.normalise(self.nik)):
            keys.add(f"n:{documents.normalise(self.nik)}")
        spellings = (self.full_name, *(alias.name for alias in self.aliases if alias.quality == "good"))
        keys |= {f"f:{folded}" for folded in map(names.fold, spellings) if folded}
        return {key[:200] for key in keys}

    def with_former_names(
        self,
        former: Iterable[Alias],
        *,
        withdrawn: Collection[str] = (),
        form: Callable[[str], str] = str.casefold,
    ) -> Self:
        """Return a copy of the person with earlier names added as aliases, each name once.

        Args:
            former: the earlier names; those that equal a present or a withdrawn name are left out.
            withdrawn: wrong names, which must not become aliases.
            form: normalises a name; names with equal results count as equal. By default only case is ignored.
        """
        known = {form(name) for name in (self.full_name, *(alias.name for alias in self.aliases), *withdrawn)}
        kept: dict[str, Alias] = {}
        for alias in former:
            if form(alias.name) not in known:
                kept.setdefault(form(alias.name), alias)
        return msgspec.structs.replace(self, aliases=(*self.aliases, *kept.values()))

    def same_person(self, other: "Subject") -> bool:
        """Return whether two subjects share a document or NIK, or have an equal folded full name and compatible births.

        Aliases are not compared. If a subject has no birth, an equal name is not enough.
        """
        if self.nik and other.nik and documents.is_same(self.nik, other.nik):
            return True
        if any(same_document(mine, theirs) for mine in self.documents for theirs in other.documents):
            return True
        name = names.fold(self.full_name)
        if not name or name != names.fold(other.full_name):
            return False
        mine, theirs = self.births, other.births
        return bool(mine and theirs) and any(compatible(one, two) for one in mine for two in theirs)


def _indicates_indonesia(*codes: str | None) -> bool:
    return any(map(states.says_indonesia, codes))


def same_document(one: Document, other: Document) -> bool:
    """Return whether two documents have the same number, and not two different issuing states.

    A document without an issuing state agrees with every state.
    """
    if not set(typed_numbers.certain(one.number)) & set(typed_numbers.certain(other.number)):
        return False
    return not states.differ(one.issuing_state, other.issuing_state)
