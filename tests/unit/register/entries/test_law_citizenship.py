"""Who is a citizen: what only citizens have, what foreigners have too, and what was lost (R4, R5)."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import CekalError, Invalid, MissingSubjectData, WniCannotBeDeterred
from app.register.entries.domain import Measure, State
from app.register.entries.law.judging import judge
from app.register.entries.law.request import Policy
from app.register.entries.subjects import Citizenship, CitizenshipLoss, Document, Subject

from .examples import IMIGRASI, NOW, TODAY, approver, deterrence, entry, foreigner, refused, request, warned

NOTE = "Holds a permanent stay permit (KITAP); born in Wellington to parents from there."
LOSS = CitizenshipLoss("AHU-12.AH.10.01/2019", "Menteri Hukum dan HAM", date(2019, 3, 1), "ab" * 32)
NIK = "3171011705700001"
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


def paper(kind: str, expires_on: date | None = None, state: str = "IDN") -> tuple[Document, ...]:
    """One document of Indonesia, beside the foreigner's own."""
    return (Document("passport", "L7654321", "NZL"), Document(kind, "X1234567", state, expires_on))


DOUBTFUL: dict[str, dict[str, Any]] = {
    "nik": {"nik": NIK},
    "travel_permit": {"documents": paper("travel_permit")},
    "national_id": {"documents": paper("national_id", TOMORROW)},
    "other": {"documents": paper("other")},
    "expired_passport": {"documents": paper("passport", YESTERDAY)},
    "expired_service_passport": {"documents": paper("service_passport", YESTERDAY)},
    "nik_and_permit": {"nik": NIK, "documents": paper("travel_permit")},
}
SURE: dict[str, dict[str, Any]] = {
    "nationality": {"nationalities": ("NZL", "IDN")},
    "undated_passport": {"documents": paper("passport")},
    "passport_until_today": {"documents": paper("passport", TODAY)},
    "diplomatic_passport": {"documents": paper("diplomatic_passport", TOMORROW)},
    "nik_and_passport": {"nik": NIK, "documents": paper("service_passport", TOMORROW)},
}


def ban(signs: dict[str, Any], **more: Any) -> Any:
    """An entry ban of a person with data that say Indonesia."""
    who = foreigner(**signs, **more)
    lacking = ("nik",) if "IDN" in who.nationalities and who.nik is None else ()
    return deterrence(subject=who, unknown=lacking, has_loss_document=True)


@pytest.mark.parametrize("signs", DOUBTFUL.values(), ids=DOUBTFUL)
def test_r4_what_foreigners_have_too_asks_for_a_note_and_warns(signs: dict[str, Any]):
    assert refused(WniCannotBeDeterred, ban(signs), IMIGRASI) == {"/subject": "wni"}
    notices = warned(ban(signs, citizenship_note=NOTE), IMIGRASI)
    assert [(notice.code, notice.pointer) for notice in notices] == [
        ("citizenship_doubt", "/subject/citizenship_note")
    ]
    assert foreigner(**signs).citizenship_on(TODAY) is Citizenship.WNI
    assert foreigner(**signs, citizenship_note=NOTE).citizenship_on(TODAY) is Citizenship.WNA


@pytest.mark.parametrize("signs", SURE.values(), ids=SURE)
def test_r4_what_only_citizens_have_asks_for_the_document_of_the_loss(signs: dict[str, Any]):
    for note in (None, NOTE):
        asked = ban(signs, citizenship_note=note)
        assert refused(WniCannotBeDeterred, asked, IMIGRASI) == {"/subject": "wni"}
        assert asked.subject.citizenship_on(TODAY) is Citizenship.WNI
    for note in (None, NOTE):
        lost = ban(signs, citizenship_note=note, citizenship_loss=LOSS)
        assert warned(lost, IMIGRASI) == []
        assert lost.subject.citizenship_on(TODAY) is Citizenship.WNA


def test_r4_a_loss_answers_a_doubtful_sign_too():
    assert warned(ban(DOUBTFUL["nik"], citizenship_loss=LOSS), IMIGRASI) == []


def test_r4_a_loss_needs_its_document_and_no_day_to_come():
    early = msgspec.structs.replace(LOSS, issued_on=TOMORROW)
    asked = ban(SURE["nationality"], citizenship_loss=early)
    assert refused(Invalid, asked, IMIGRASI) == {"/subject/citizenship_loss/issued_on": "future"}
    unseen = deterrence(subject=foreigner(citizenship_loss=LOSS))
    assert refused(MissingSubjectData, unseen, IMIGRASI) == {
        "/subject/citizenship_loss/attachment": "required"
    }


def test_r4_a_note_that_answers_nothing_says_nothing():
    assert warned(ban({}, citizenship_note=NOTE), IMIGRASI) == []
    assert warned(request(subject={"citizenship_note": NOTE})) == []


def test_r5_an_exit_ban_reaches_both_and_tells_which_it_was_taken_for():
    resident = request(subject=foreigner(nik=NIK, citizenship_note=NOTE))
    assert [notice.code for notice in warned(resident)] == ["citizenship_doubt"]
    assert warned(request(subject=foreigner(nik=NIK))) == []


signs = st.fixed_dictionaries(
    {
        "nationalities": st.lists(st.sampled_from(["NZL", "XXA", "XXX", "IDN"]), max_size=2).map(tuple),
        "nik": st.sampled_from([None, NIK, "0000000000000000"]),
        "documents": st.lists(
            st.builds(
                Document,
                type=st.sampled_from(
                    ["passport", "service_passport", "travel_permit", "national_id", "other"]
                ),
                number=st.sampled_from(["A1", "B2"]),
                issuing_state=st.sampled_from([None, "NZL", "IDN"]),
                expires_on=st.sampled_from([None, YESTERDAY, TODAY, TOMORROW]),
            ),
            max_size=2,
        ).map(tuple),
    }
)


@given(signs, st.sampled_from([None, "", NOTE]), st.sampled_from([None, LOSS]))
def test_r4_no_combination_lets_a_shown_citizen_be_deterred_without_the_loss(
    given: dict[str, Any], note: str | None, loss: CitizenshipLoss | None
):
    who = foreigner(**given, citizenship_note=note, citizenship_loss=loss)
    unknown = tuple(name for name in ("nationalities", "documents", "nik") if not getattr(who, name))
    try:
        judge(deterrence(subject=who, unknown=unknown, has_loss_document=True), IMIGRASI, Policy(), TODAY)
    except CekalError as error:
        assert isinstance(error, WniCannotBeDeterred)  # noqa: PT017 - both ways are right
        assert loss is None
        assert who.says_indonesian
        assert not note or who.shows_citizenship(TODAY)
    else:
        assert loss is not None or not who.shows_citizenship(TODAY)
        assert loss is not None or bool(note) or not who.says_indonesian
        assert who.citizenship_on(TODAY) is Citizenship.WNA


def test_r4_a_loss_of_citizenship_takes_two_approvers():
    lost = entry(
        measure=Measure.DETERRENCE,
        state=State.VERIFIED,
        subject=foreigner(citizenship_loss=LOSS),
        verified_by="B",
        ends_on=date(2036, 11, 23),
    )
    first = lost.decide(approver("C"), "approve", 1, NOW, "IMIGRASI")
    assert (first.state, first.approved_by, first.second_approval_at) == (State.VERIFIED, ("C",), None)
    second = first.decide(approver("D"), "approve", 2, NOW, "IMIGRASI")
    assert (second.state, second.approved_by, second.second_approval_at) == (State.ACTIVE, ("C", "D"), NOW)


@pytest.mark.parametrize(
    ("lifetime", "loss", "needed"),
    [(a, b, 2 if a or b else 1) for a, b in product((False, True), (None, LOSS))],
)
def test_who_is_banned_for_life_or_lost_citizenship_takes_two(
    loss: CitizenshipLoss | None, needed: int, *, lifetime: bool
):
    who: Subject = foreigner(citizenship_loss=loss)
    assert entry(subject=who, lifetime=lifetime).approvals_needed == needed
