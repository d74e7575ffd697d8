"""Who stands at the counter: everything that a zone, a document and a typist say about one person; pure."""

import msgspec

from app.identity import documents, names, nik, states
from app.identity.births import Birth
from app.identity.mrz import Mrz
from app.matching.persons import Asked


class Paper(msgspec.Struct, frozen=True):
    """A document that the traveller showed.

    Attributes:
        number: normalised.
        skeleton: the number with confusable characters folded.
        state: canonical code of the issuing state, if known.
        sure: typed, or read from a zone whose check digits hold.
    """

    number: str
    skeleton: str
    state: str | None
    sure: bool


class Traveller(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a question says about a person.

    Attributes:
        births: typed and read; each may contradict.
        names: folded; a clearance is bound to them.
        person: names, births, sex and nationalities, ready to be compared with those of the listed.
        indonesian: something says Indonesian: then no answer ever refuses entry (R45).
        proved_foreign: another nationality is positively shown.
    """

    papers: tuple[Paper, ...]
    births: tuple[Birth, ...]
    names: tuple[str, ...]
    person: Asked
    nik: str | None
    indonesian: bool
    proved_foreign: bool

    def known_under(self) -> list[str]:
        """The numbers under which this person may stand in the register."""
        keys = [key for p in self.papers for key in (f"d:{p.number}", f"k:{p.skeleton}")]
        return [*keys, f"n:{self.nik}"] if self.nik else keys


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
    """Bring together what was read and what was typed.

    Args:
        mrz: the zone that was read.
        document: number and issuing state that were typed.
        name: a typed name.
        birth: a typed birth date.
        sex: typed.
        nationality: a typed nationality.
        personal_number: a typed NIK.
    """
    papers: dict[tuple[str, str | None], Paper] = {}
    said = [nationality] if nationality else []
    births = [birth] if birth else []
    spelled = [name] if name else []
    if mrz is not None:
        said += [mrz.nationality, mrz.issuing_state]
        _show(papers, mrz.document_number, mrz.issuing_state or None, sure=all(mrz.check_digits.values()))
        births += [mrz.birth] if mrz.birth else []
        spelled += [mrz.name] if mrz.name else []
    if document is not None:
        number, state = document
        said += [state] if state else []
        _show(papers, number, states.canonical(state) if state else None, sure=True)
    own_number = documents.normalise(personal_number or "")
    well_formed = personal_number is not None and nik.well_formed(personal_number)
    shown = (nationality, mrz.nationality if mrz else None)
    person = Asked.of(
        names=[name] if name else [],
        births=[birth] if birth else [],
        sex=sex,
        nationalities=[states.canonical(nationality)] if nationality else [],
        mrz=mrz,
    )
    return Traveller(
        papers=tuple(papers.values()),
        births=tuple(dict.fromkeys(births)),
        names=tuple(dict.fromkeys(folded for folded in map(names.fold, spelled) if folded)),
        person=person,
        nik=None if documents.is_filler(own_number) else own_number,
        indonesian=well_formed or any(states.canonical(code) == states.INDONESIA for code in said if code),
        proved_foreign=any(states.proves_foreign(states.canonical(code)) for code in shown if code),
    )


def _show(
    papers: dict[tuple[str, str | None], Paper], written: str, state: str | None, *, sure: bool
) -> None:
    number = documents.normalise(written)
    known = papers.get((number, state))
    if not documents.is_filler(number) and (known is None or sure):
        papers[number, state] = Paper(number, documents.skeleton(number), state, sure)
