"""A change of one entry is carried into another that was made of it, whichever was written first."""

from datetime import date

import msgspec

from app.register.entries.merging import carry_over, keep_documents, merged, without_names
from app.register.entries.subjects import Alias, Document
from tests.unit.register.entries.examples import basis, entry, subject

TODAY = date(2026, 11, 23)
SECOND = Document("passport", "Y7654321", "IDN")
BASE = subject()


def test_what_the_source_gained_is_added_and_what_it_dropped_is_taken_away() -> None:
    source = msgspec.structs.replace(BASE, documents=(SECOND,), aliases=(Alias("Jaka"),))
    target = msgspec.structs.replace(BASE, occupation="baker")
    subject_, differs = merged(BASE, source, target)
    assert (subject_.documents, subject_.aliases, subject_.occupation) == (
        (SECOND,),
        (Alias("Jaka"),),
        "baker",
    )
    assert differs == ()


def test_where_only_the_target_changed_it_keeps_its_word() -> None:
    target = msgspec.structs.replace(BASE, address="Jalan Baru 3", documents=(*BASE.documents, SECOND))
    assert merged(BASE, BASE, target) == (target, ())


def test_where_both_changed_one_member_differently_it_is_named() -> None:
    source, target = (msgspec.structs.replace(BASE, address=address) for address in ("Jalan 1", "Jalan 2"))
    subject_, differs = merged(BASE, source, target)
    assert differs == ("/subject/address",)
    assert subject_.address == "Jalan 2"
    assert merged(BASE, source, source) == (source, ())


def test_two_corrections_together_never_leave_a_person_without_documents_or_nationalities() -> None:
    both = msgspec.structs.replace(BASE, documents=(*BASE.documents, SECOND), nationalities=("IDN", "MYS"))
    first = msgspec.structs.replace(both, documents=(SECOND,), nationalities=("MYS",))
    second = msgspec.structs.replace(both, documents=BASE.documents, nationalities=("IDN",))
    assert merged(both, second, first) == (first, ("/subject/documents", "/subject/nationalities"))


def test_a_corrected_case_is_carried_over_unless_the_target_names_another() -> None:
    base, source = entry(basis=basis(case_reference="A-1")), entry(basis=basis(case_reference="A-2"))
    same, other = entry(basis=basis(case_reference="a 01")), entry(basis=basis(case_reference="B-9"))
    assert carry_over(base, source, same, TODAY).entry.basis.case_reference == "A-2"
    carried = carry_over(base, source, other, TODAY)
    assert carried.differs == ("/basis/case_reference",)
    assert carried.entry.basis.case_reference == "B-9"


def test_a_carried_correction_leaves_what_was_said_before_in_mind() -> None:
    base = entry()
    source = base.replace(subject=msgspec.structs.replace(base.subject, documents=(SECOND,)))
    carried = carry_over(base, source, base, TODAY).entry
    assert [former.subject.documents for former in carried.former] == [base.subject.documents]


def test_a_formal_statement_withdraws_no_document_by_silence() -> None:
    formal = msgspec.structs.replace(BASE, full_name="Raka Prambanan", documents=(), nik=None)
    kept = keep_documents(BASE, formal)
    assert kept.documents == BASE.documents
    assert kept.nik == BASE.nik
    assert [alias.name for alias in kept.aliases] == [BASE.full_name]
    assert without_names(kept, [BASE.full_name.upper()]).aliases == ()
