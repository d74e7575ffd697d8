"""The traveller of a check: what zone, document and typed fields say about one person (no I/O)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.identity import documents, names, nik, states, typed_numbers
from app.identity.births import Birth
from app.identity.mrz import Mrz
from app.identity.number_readings import other_readings
from app.identity.typed_numbers import Number, Typed
from app.matching.persons import QueriedPerson


class OtherNumber(msgspec.Struct, frozen=True):
    """Another number that the document may really have.

    Attributes:
        skeleton: the other number, in which easily confused characters, such as O and 0, are one.
        meant: True if the typed field contains this number beside the main one. False if the main number becomes this
            number when possibly misread characters are replaced.
    """

    skeleton: str
    meant: bool


class Paper(msgspec.Struct, frozen=True):
    """A document that the traveller showed.

    Attributes:
        number: the number, normalised.
        skeleton: the number, in which easily confused characters, such as O and 0, are one.
        others: every other number that the document may really have. They find entries too, but never refuse.
        state: canonical code of the issuing state; None if it is not given or can't be read.
        sure: whether the number was typed, or read from a machine-readable zone with valid check digits.
        alike: whether letters of other scripts were replaced by similar Latin ones; then the number is never taken for
            equal to a listed one.
    """

    number: str
    skeleton: str
    state: str | None
    sure: bool
    others: tuple[OtherNumber, ...] = ()
    alike: bool = False

    @property
    def skeletons(self) -> tuple[str, ...]:
        """Every skeleton by which the document is compared: its own first, then those of the other numbers."""
        if not self.others:
            return (self.skeleton,)
        return tuple(dict.fromkeys((self.skeleton, *(other.skeleton for other in self.others))))

    def may_be(self, skeleton: str) -> bool:
        """Return whether this document may have a listed number with this skeleton."""
        return skeleton in self.skeletons


class Traveller(msgspec.Struct, frozen=True, kw_only=True):
    """A traveller, with all data of a check's question.

    Attributes:
        papers: the documents that the traveller showed.
        births: birth dates, typed and read from the machine-readable zone; they may contradict each other.
        other_birth: the zone's birth date in the other possible century; None if the century is certain, or if a birth
            date was typed too.
        names: the names as typed and as read from the zone, each folded to the one form that all spellings of the name
            share. Clearances compare these.
        person: names, births, sex and nationalities, prepared for matching.
        nik: normalised NIK; None without one.
        indonesian: whether any data indicate an Indonesian, which excludes a refusal of entry (R45).
        proved_foreign: whether the nationality in the zone, or the typed one, proves a foreigner.
        typed: the numbers that were recognised in the typed document number; None if none was typed.
    """

    papers: tuple[Paper, ...]
    births: tuple[Birth, ...]
    other_birth: Birth | None
    names: tuple[str, ...]
    person: QueriedPerson
    nik: str | None
    indonesian: bool
    proved_foreign: bool
    typed: Typed | None = None

    def number_keys(self) -> list[str]:
        """Return the keys that find entries with one of the traveller's numbers in the register.

        The keys of a document are its number and its skeletons, the key of a NIK is the NIK. Each has a prefix for its
        kind: `d:`, `k:` or `n:`.
        """
        keys: list[str] = []
        for paper in self.papers:
            keys += (f"d:{paper.number}", f"k:{paper.skeleton}")
            if paper.others:
                keys += (f"k:{skeleton}" for skeleton in paper.skeletons[1:])
        return [*keys, f"n:{self.nik}"] if self.nik else keys


_NO_DATA: Final = QueriedPerson(())
"""The other data of a traveller who only shows a document."""


def traveller_of(
    *,
    mrz: Mrz | None,
    document: tuple[str, str | None] | None,
    name: str | None,
    birth: Birth | None,
    sex: str | None = None,
    nationality: str | None,
    personal_number: str | None,
) -> Traveller:
    """Return a traveller from the data of the machine-readable zone and the typed data.

    Each argument is None if the question does not have it; with all of them None the traveller has no data.

    Args:
        mrz: the parsed zone.
        document: typed number and issuing state.
        name: typed name.
        birth: typed birth date.
        sex: typed sex.
        nationality: typed nationality, a code.
        personal_number: typed NIK.
    """
    papers: dict[tuple[str, str | None], Paper] = {}
    states_given = [nationality] if nationality else []
    births = [birth] if birth else []
    spelled = [name] if name else []
    if mrz is not None:
        states_given += [mrz.nationality, mrz.issuing_state]
        written = documents.normalise(mrz.document_number)
        meant = [each for each in (written, *mrz.other_numbers) if not documents.is_filler(each)]
        if meant:  # a field that seems to be filled may still be a number that was misread
            sure = meant[0] == written and all(mrz.check_digits.values())
            _show(papers, _paper(Number(meant[0], written), _read(mrz.issuing_state), meant[1:], sure=sure))
        births += [mrz.birth] if mrz.birth else []
        spelled += [mrz.name] if mrz.name else []
    typed = None
    if document is not None:
        number_field, code = document
        typed = typed_numbers.read(number_field)
        state = states.known(code)
        states_given += [code] if code else []
        for number in typed.numbers:
            misread = other_readings(number.number)
            if number.state is None:  # as nearly always
                _show(papers, _paper(number, state, misread, alike=typed.alike))
                continue
            states_given.append(number.state)
            for issuer in dict.fromkeys((state or number.state, number.state)):
                _show(papers, _paper(number, issuer, misread, alike=typed.alike))
    own_number = documents.normalise(personal_number) if personal_number else ""
    well_formed = personal_number is not None and nik.well_formed(personal_number)
    shown = (nationality, _read(mrz.nationality) if mrz else None)
    person = (
        QueriedPerson.of(
            names=[name] if name else [],
            births=[birth] if birth else [],
            sex=sex,
            nationalities=filter(None, (states.known(nationality),)),
            mrz=mrz,
        )
        if mrz or name or birth or sex or nationality
        else _NO_DATA
    )
    return Traveller(
        papers=tuple(papers.values()),
        births=tuple(dict.fromkeys(births)),
        other_birth=mrz.births[1] if mrz and not birth and len(mrz.births) > 1 else None,
        names=tuple(dict.fromkeys(filter(None, map(names.fold, spelled)))) if spelled else (),
        person=person,
        nik=None if not own_number or documents.is_filler(own_number) else own_number,
        indonesian=well_formed or any(map(states.says_indonesia, states_given)),
        proved_foreign=any(map(states.proves_foreign, shown)),
        typed=typed,
    )


def _read(code: str) -> str | None:
    """Return a state's code from a zone. Returns None if it is unknown."""
    return code if code in states.KNOWN else None


def _paper(
    number: Number, state: str | None, others: Sequence[str], *, sure: bool = True, alike: bool = False
) -> Paper:
    skeleton = documents.skeleton(number.number)
    if not (others or number.possible):  # as nearly always
        return Paper(number.number, skeleton, state, sure, alike=alike)
    misread = (
        OtherNumber(documents.skeleton(other), meant=False)
        for other in others
        if not documents.is_filler(other)
    )
    meant = (OtherNumber(documents.skeleton(each), meant=True) for each in number.possible)
    return Paper(number.number, skeleton, state, sure, tuple(dict.fromkeys((*misread, *meant))), alike)


def _show(papers: dict[tuple[str, str | None], Paper], paper: Paper) -> None:
    """Add a document; merge it with an equal one, keeping the surer reading and the possible numbers of both."""
    known = papers.setdefault((paper.number, paper.state), paper)
    if known is not paper:
        surer = paper if paper.sure and not paper.alike else known
        others = tuple(dict.fromkeys((*known.others, *paper.others)))
        papers[paper.number, paper.state] = msgspec.structs.replace(surer, others=others)
