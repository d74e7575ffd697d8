"""Evidence that agrees never makes an answer milder: numbers beside names, dates, sex and nationality (section 5)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.register.entries.answer import SEVERITY
from app.register.entries.subjects import Alias
from tests.support.bodies import mrz_of
from tests.unit.border.checks.register import WNA, WNI, Json, entry, outcome

ALIASES = {"IDN": "Raka Prambanan", "NZL": "Aldous Quillfeather"}
CASES = [(WNI, "prevention", "exit"), (WNA, "prevention", "exit"), (WNA, "deterrence", "entry")]
LADDERS = {
    "number": (None, "bare", "with state"),
    "zone": (None, "read"),
    "name": (None, "other", "full"),
    "birth_date": (None, "1970", "1970-05", "1970-05-17"),
    "sex": (None, "male"),
    "nationality": (None, "own"),
    "nik": (None, "own"),
}
"""What may be said of a traveller, from nothing to everything; each step says more of the same."""

Said = dict[str, str | None]


def asked(person: Json, direction: str, said: Said) -> Json:
    """The question of a counter that knows so much of a listed person."""
    paper = person["documents"][0]
    names = {"other": ALIASES[person["nationalities"][0]], "full": person["full_name"]}
    question: Json = {
        "direction": direction,
        "person": {
            "name": names.get(said["name"] or ""),
            "birth_date": said["birth_date"],
            "sex": said["sex"],
            "nationality": said["nationality"] and person["nationalities"][0],
            "nik": said["nik"] and person["nik"],
        },
    }
    if said["number"]:
        state = paper["issuing_state"] if said["number"] == "with state" else None
        question["document"] = {"number": paper["number"], "issuing_state": state, "type": paper["type"]}
    if said["zone"]:
        question["mrz"] = mrz_of(person)
    return question


def is_question(person: Json, said: Said) -> bool:
    """Whether a check may be asked with so little."""
    own_number = said["nik"] and person["nik"]
    return bool(said["number"] or said["zone"] or own_number or (said["name"] and said["birth_date"]))


@given(
    st.sampled_from(CASES),
    st.fixed_dictionaries({member: st.sampled_from(ladder) for member, ladder in LADDERS.items()}),
    st.sampled_from(["as it is", "year", "none", "without a state", "without documents"]),
)
@settings(max_examples=300)
def test_no_evidence_that_agrees_makes_an_answer_milder(case: tuple[Json, str, Any], said: Said, listed: str):
    person, measure, direction = case
    if not is_question(person, said):
        return
    suspect = entry(_listed(person, listed), measure)
    before = SEVERITY[outcome(asked(person, direction, said), suspect)]
    for member, ladder in LADDERS.items():
        for more in ladder[ladder.index(said[member]) + 1 :]:
            after = outcome(asked(person, direction, {**said, member: more}), suspect)
            assert SEVERITY[after] >= before, (member, more)


def test_another_name_of_the_traveller_leaves_what_an_equal_name_says_beside_a_number():
    """The zone's name weighs more by name alone, the typed one is the same name: the number needs the likest."""
    zone = {**WNI, "full_name": "Rangkuti Tuhumury Santoso"}
    suspect = entry({**_listed(WNI, "without a state"), "full_name": "Agus", "birth": None})
    aliases = (Alias("Rangkuti Wenas Tuhumury Damanik", "good"),)
    suspect = replace(suspect, subject=replace(suspect.subject, aliases=aliases))
    asked = {"direction": "exit", "mrz": mrz_of(zone)}
    assert outcome({**asked, "person": {"name": "Agus"}}, suspect) == "refuse"


def _listed(person: Json, listed: str) -> Json:
    """The listed person; the register may know less about them than the counter."""
    paper = person["documents"][0]
    return (
        person
        | {
            "as it is": {},
            "year": {"birth": {"date": "1970"}},
            "none": {"birth": None},
            "without a state": {"documents": [{**paper, "issuing_state": None}]},
            "without documents": {"documents": []},
        }[listed]
    )
