"""R65: a victim of trafficking is not banned for what the traffickers made of them; the recruiters may be."""

import pytest

from app.errors import Invalid

from .examples import IMIGRASI, POLRI, deterrence, refused, request, warned


@pytest.mark.parametrize("instrument", ["administrative_action", "supervision_report"])
def test_r65_administrative_action_gives_no_entry_ban_of_a_victim(instrument: str):
    basis = {"instrument": instrument, "subject_status": "other", "trafficking_victim": True}
    assert refused(Invalid, deterrence(basis=basis), IMIGRASI) == {
        "/basis/trafficking_victim": "trafficking_victim"
    }


def test_r65_neither_does_a_decision_against_a_foreigner_under_such_a_measure():
    asked = deterrence(basis={"instrument": "decision", "trafficking_victim": True})
    assert refused(Invalid, asked, IMIGRASI) == {"/basis/trafficking_victim": "trafficking_victim"}


def test_r65_names_the_article():
    with pytest.raises(Invalid, match=r"UU 6/2011 art\. 86"):
        warned(deterrence(basis={"trafficking_victim": True}), IMIGRASI)


def test_r65_bars_neither_other_grounds_nor_other_persons():
    other = {"instrument": "decision", "subject_status": "other", "reason_code": "public_order"}
    assert warned(deterrence(basis={**other, "trafficking_victim": True}), IMIGRASI) == []
    for instrument in ("administrative_action", "supervision_report"):
        assert warned(deterrence(basis={"instrument": instrument}), IMIGRASI) == []


def test_recruiters_and_organisers_have_a_reason_of_their_own():
    assert warned(request(basis={"instrument": "request", "reason_code": "trafficking"}), POLRI) == []
    organiser = {"instrument": "decision", "reason_code": "organised_crime", "subject_status": "other"}
    assert warned(deterrence(basis=organiser), IMIGRASI) == []
