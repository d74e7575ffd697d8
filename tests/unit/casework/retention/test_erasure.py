"""What is left of an entry once the person is erased, and what retention has to know of (R64)."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.casework.retention.domain import Stage, ended_by
from app.register.entries.domain import EndedReason, Entry, EntryWarning, Letter, State, Substitute
from app.register.entries.erasure import ERASED, erased, without_person
from app.register.entries.law.deadlines import Terms, deadlines
from app.register.entries.law.periods import begins_at
from app.register.entries.subjects import Alias, Photo
from app.schema import metadata
from app.settings import Settings
from tests.unit.register.entries.examples import NOW, TODAY, basis, copied, entry, subject

SECRETS = (
    "Raka Wirabumi Prambanan",
    "Pak Wira",
    "Magelang",
    "3171011705700001",
    "Jalan Cempaka",
    "merchant",
    "X1234567",
    "1970",
    "R-1/2026",
    "bribe",
    "Sprin.Dik",
    "Endang Sasmita",
    "ND-7",
    "Budi Santoso",
    "Call the desk",
    "f" * 64,
    "departed",
    "3000000",
)


def ended(**changes: Any) -> Entry:
    """An exit ban that has expired, with everything that an entry can say."""
    given_values: dict[str, Any] = {
        "version": 7,
        "state": State.ENDED,
        "ended_reason": EndedReason.EXPIRED,
        "ended_at": NOW,
        "in_force_from": begins_at(TODAY),
        "subject": subject(aliases=(Alias("Pak Wira"),), photo=Photo("f" * 64, "image/jpeg")),
        "basis": basis(
            signed_by="Endang Sasmita",
            signed_by_position="Endang Sasmita's",
            late_reason="bribe",
            amount_idr=3000000,
            good_faith_doubt="bribe",
            lifetime_ground="bribe",
        ),
        "extended_by": basis(number="R-1/2026"),
        "letter": Letter("ND-7", TODAY, "f" * 64),
        "substitute": Substitute("Budi Santoso", "ND-7"),
        "crossing": "departed",
        "alert_message": "Call the desk",
        "warnings": (EntryWarning("similar_subject", "/subject", "Like Raka Wirabumi Prambanan"),),
        "unknown": ("nik",),
        "chase": ("CGK",),
    }
    return entry(**{**given_values, **changes})


def said(value: Entry) -> str:
    return msgspec.json.encode(value).decode()


def test_an_erased_entry_names_nobody_and_tells_no_case():
    before = ended()
    assert [secret for secret in SECRETS if secret not in said(before)] == [], (
        "or the test would prove nothing"
    )
    left = erased(before, NOW)
    assert [secret for secret in SECRETS if secret in said(left)] == []
    assert left.subject.full_name == left.basis.number == ERASED
    assert (left.version, left.erased_at, left.updated_at) == (8, NOW, NOW)


def test_it_keeps_what_the_leaf_may_hold_and_who_answers_for_it():
    before = ended(approved_by=("P1", "P2"), verified_by="P3")
    left = without_person(before, NOW)
    kept = (
        "id version state measure urgent agency citizenship starts_on ends_on lifetime in_force_from "
        "submitted_by authors verified_by approved_by received_at ended_reason ended_at created_at"
    )
    for name in kept.split():
        assert getattr(left, name) == getattr(before, name), name
    for name in ("instrument", "reason_code", "stage", "subject_status", "issued_on"):
        assert getattr(left.basis, name) == getattr(before.basis, name), name


def test_it_still_reads_from_what_is_stored_and_is_found_by_nothing_of_the_person():
    left = copied(erased(ended(), NOW))
    assert left == erased(ended(), NOW)
    assert not left.subject.same_person(ended().subject)
    assert not left.subject.same_person(left.subject), "two erased entries are not of one person"
    assert not left.subject.identifiers() & ended().subject.identifiers()
    assert deadlines(left, Terms(), {}) == ()
    assert not left.in_force(NOW)


def test_what_was_erased_once_is_the_same_when_erased_again():
    once = without_person(ended(), NOW)
    assert without_person(once, NOW) == once


@given(after=st.integers(0, 400), photo=st.integers(1, 300), person=st.integers(1, 300))
def test_a_stage_is_due_so_many_days_after_the_end(after: int, photo: int, person: int):
    settings = Settings(env="test", photo_retention_days=photo, personal_retention_days=person)
    now = NOW + timedelta(days=after)
    for stage, days in ((Stage.PHOTO, photo), (Stage.PERSON, person)):
        until = ended_by(stage, settings, now)
        assert until is not None
        assert (until >= NOW) is (after >= days)


def test_without_a_schedule_no_person_is_erased():
    settings = Settings(env="test")
    assert ended_by(Stage.PERSON, settings, NOW) is None
    assert ended_by(Stage.PHOTO, settings, NOW) == NOW - timedelta(days=90)


KNOWN = {
    "alert": "ids, codes and times; what checkpoints noted is erased from alert_receipt",
    "amendment": "erased",
    "blob": "erased",
    "clearance": "the cleared person is erased",
    "correction_request": "erased",
    "entry_duty": "erased",
    "entry_key": "deleted",
    "entry_seal": "numbers of the officers named in a seal; an erased entry stays sealed",
    "entry_source": "the reference in its source and a digest, without which an import would bring it back",
    "entry_task": "what its officer found is erased",
    "entry_version": "erased",
    "lookback": "ids and times",
    "hit_match": "ids; the words of the hits are erased",
    "name_key": "deleted",
    "birth_key": "deleted",
    "name_form": "deleted",
    "name_key_set": "deleted, with the keys in recent_name_key",
    "notice": "codes, dates and numbers",
    "objection": "erased",
}
"""Tables that hang on an entry, and what retention does with them."""


def test_retention_knows_every_table_that_hangs_on_an_entry():
    hanging = {
        table.name
        for table in metadata.sorted_tables
        if any(key.column.table.name == "entry" for key in table.foreign_keys)
    }
    assert hanging == set(KNOWN), "say in retention.service what becomes of it, and here"


@pytest.mark.parametrize("day", [date(2026, 11, 20), None])
def test_days_of_the_letter_stay(day: date | None):
    assert without_person(ended(basis=basis(received_on=day)), NOW).basis.received_on == day
