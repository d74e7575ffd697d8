"""Fillers of a zone read as characters: no listed person is cleared by them, and no namesake is held."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.border.checks.parsing import parse_question
from app.identity.documents import is_filler, skeleton
from app.identity.mrz_fillers import TAKEN_FOR_FILLER
from app.identity.typed_numbers import certain
from app.matching.explaining import retrieved
from app.register.entries.names.index import listed
from app.register.entries.subjects import Subject
from tests.support.bodies import merged, mrz_of
from tests.support.zones import NAME_FIELDS, NUMBER_FIELDS, TODAY, Holder, holders, misread
from tests.unit.border.checks.register import (
    WNI,
    Json,
    entry,
    matches,
    outcome,
    question,
    results,
    subject,
    zone,
)

TAKEN = st.sampled_from(TAKEN_FOR_FILLER)


def person_of(holder: Holder) -> Json:
    """The holder of a zone as an entry lists them."""
    state = {"D<<": "DEU"}.get(holder.state, holder.state)
    return {
        "full_name": f"{holder.given_names} {holder.surname}".strip(),
        "sex": {"M": "male", "F": "female"}.get(holder.sex),
        "birth": {"date": holder.born.isoformat()},
        "nationalities": ["IDN"],
        "nik": None,
        "documents": [{"type": "passport", "number": holder.number, "issuing_state": state}],
    }


def outcomes(zone: str, person: Json) -> list[str]:
    """What a check answers that shows this zone alone, once for each entry that its keys find."""
    asked = {"direction": "exit", "mrz": zone}
    who: Subject = subject(person)
    question = parse_question(json.dumps(asked).encode(), TODAY)
    _, by_name = retrieved(question.traveller.person, listed(who))
    if not (by_name or {*question.keys} & who.identifiers()):
        return []
    return [match.outcome for match in matches(asked, entry(person))]


@st.composite
def faults(draw: st.DrawFn, holder: Holder) -> str:
    """Draw a zone whose fillers were read as characters: all, those of one field, a run, or some here and there."""
    zone = holder.text()
    size = len(zone.replace("\n", ""))
    where = draw(st.sampled_from(["everywhere", "number", "names", "run", "some"]))
    if where == "everywhere":
        return misread(zone, draw(TAKEN))
    if where == "some":
        places = draw(st.sets(st.integers(0, size - 1)))
        return misread(zone, draw(st.text(TAKEN_FOR_FILLER, min_size=1, max_size=9)), places)
    if where == "run":
        begin = draw(st.integers(0, size - 1))
        return misread(zone, draw(TAKEN), range(begin, begin + draw(st.integers(1, 40))))
    fields = NUMBER_FIELDS if where == "number" else NAME_FIELDS
    taken = draw(st.one_of(TAKEN, st.text(TAKEN_FOR_FILLER, min_size=2, max_size=9)))
    return misread(zone, taken, range(*fields[holder.format]))


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_listed_person_is_never_cleared_by_misread_fillers(data: st.DataObject) -> None:
    holder = data.draw(holders().filter(lambda each: certain(each.number)))
    person = person_of(holder)
    assert "clear" not in outcomes(holder.text(), person)
    zone = data.draw(faults(holder))
    found = outcomes(zone, person)
    assert found, zone
    assert set(found) <= {"refer", "refuse"}


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_number_alone_finds_the_listed_person_whatever_its_fillers_were_read_as(
    data: st.DataObject,
) -> None:
    holder = data.draw(holders().filter(lambda each: certain(each.number)))
    person = {**person_of(holder), "full_name": "Xi", "birth": None}
    spoiled = data.draw(faults(holder))
    found = outcomes(spoiled, person)
    assert found, spoiled
    assert set(found) <= {"refer", "refuse"}


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_namesake_of_another_birth_and_number_passes_with_whatever_zone(data: st.DataObject) -> None:
    holder, other = data.draw(holders()), data.draw(holders())
    days = abs((holder.born - other.born).days)
    unlike = skeleton(holder.number[0]) != skeleton(other.number[0])  # 2 and Z are read as each other
    far = days > 800 and holder.born.day != other.born.day and unlike
    if far and not is_filler(holder.number):
        namesake = replace(holder, number=other.number[:9], born=other.born)
        for shown in (namesake.text(), data.draw(faults(namesake))):
            assert set(outcomes(shown, person_of(holder))) <= {"clear"}, shown


EVERY = [*TAKEN_FOR_FILLER, "R", "Z", "1"]


@pytest.mark.parametrize("taken", EVERY)
def test_a_zone_whose_every_filler_was_read_as_one_character_refers_with_warnings(taken: str) -> None:
    spoiled = misread(mrz_of(WNI), taken)
    asked = {"direction": "exit", "mrz": spoiled}
    found = matches(asked, entry(WNI))
    assert [match.outcome for match in found] == ["refer"]
    read = parse_question(json.dumps(asked).encode(), TODAY).mrz
    assert read is not None
    assert "name_fillers" in read.warnings
    assert ("name", "equal") in results(found)


@pytest.mark.parametrize("taken", TAKEN_FOR_FILLER)
def test_the_ninth_character_of_an_indonesian_number_is_a_filler(taken: str) -> None:
    spoiled = misread(mrz_of(WNI), taken, [52])
    found = matches({"direction": "exit", "mrz": spoiled}, entry(WNI))
    assert [(match.level, match.outcome) for match in found] == [("possible", "refer")]
    assert ("document_number", "confusable") in results(found)
    read = parse_question(json.dumps({"direction": "exit", "mrz": spoiled}).encode(), TODAY).mrz
    assert read is not None
    assert read.warnings == ("number_fillers",)


@pytest.mark.parametrize("number", ["O996479KK", "O996479K", "O996479A6", "O9964790"])
def test_a_number_as_a_reader_hands_it_over_is_looked_up_without_its_end(number: str) -> None:
    person = merged(WNI, {"documents": [{**WNI["documents"][0], "number": "O996479"}]})
    shown = merged(WNI, {"documents": [{**WNI["documents"][0], "number": number}]})
    asked = question(shown, person={"name": None, "birth_date": None})
    assert outcome(asked, entry(person)) == ("refer" if len(number) == 9 else "clear")
    assert outcome(zone(shown), entry(person)) == "refer"


def test_who_truly_has_a_number_with_such_an_end_is_not_refused_for_another() -> None:
    person = merged(WNI, {"documents": [{**WNI["documents"][0], "number": "O996479"}]})
    stranger = merged(WNI, {"documents": [{**WNI["documents"][0], "number": "O996479KK"}]})
    stranger |= {"full_name": "Gideon Ashdowne", "birth": {"date": "1988-01-02"}, "nik": None}
    assert outcome(question(stranger), entry(person)) == "clear"
    assert outcome(zone(stranger), entry(person)) == "clear"
    without = question(stranger, person={"name": None, "birth_date": None})
    assert outcome(without, entry(person)) == "refer"
    assert outcome(without, entry(stranger)) == "refuse"
