"""A register in miniature: entries as they stand in it, and travellers as a checkpoint asks about them."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from app.border.checks.domain import Candidate, Match, decide, worst
from app.border.checks.parsing import parse_question
from app.border.checks.traveller import Traveller
from app.identity.births import Birth
from app.matching.policy import DEFAULT
from app.register.entries.answer import Direction, Outcome, action_on
from app.register.entries.domain import Basis, Entry, Measure, State
from app.register.entries.law import periods
from app.register.entries.names.index import listed
from app.register.entries.subjects import Document, Subject
from tests.support.bodies import check_body, merged, mrz_of

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)

Json = dict[str, Any]

WNI: Json = {
    "full_name": "Raka Setyawan Prambanan",
    "sex": "male",
    "birth": {"date": "1970-05-17"},
    "nationalities": ["IDN"],
    "nik": "3171011705700001",
    "documents": [
        {"type": "passport", "number": "X1234567", "issuing_state": "IDN", "expires_on": "2030-01-31"}
    ],
}
"""An Indonesian, as a body of a request and as a passport say it."""

WNA: Json = {
    "full_name": "Aldous Pemberton Quillfeather",
    "sex": "male",
    "birth": {"date": "1970-05-17"},
    "nationalities": ["NZL"],
    "nik": None,
    "documents": [
        {"type": "passport", "number": "L7654321", "issuing_state": "NZL", "expires_on": "2030-01-31"}
    ],
}
"""A New Zealander."""


def subject(person: Json) -> Subject:
    """A person as the register holds one."""
    return Subject(
        full_name=person["full_name"],
        sex=person.get("sex"),
        birth=Birth(**person["birth"]) if person.get("birth") else None,
        nationalities=tuple(person["nationalities"]),
        nik=person.get("nik"),
        documents=tuple(
            Document(paper["type"], paper["number"], paper["issuing_state"]) for paper in person["documents"]
        ),
    )


def entry(who: Json, measure: str = "prevention", /, **given: Any) -> Entry:
    """An entry against a person, in force from Monday 23 November 2026 for half a year."""
    person = subject(who)
    starts_on, ends_on = date(2026, 11, 20), date(2027, 5, 20)
    standing: Json = {
        "id": f"ent_{measure}",
        "version": 3,
        "state": State.ACTIVE,
        "measure": Measure(measure),
        "agency": "KPK",
        "citizenship": person.citizenship_on(TODAY),
        "subject": person,
        "basis": Basis(
            instrument="order",
            number="R-1",
            issued_on=starts_on,
            law="UU 6/2011",
            reason_code="corruption",
            reason="a reason that no counter may read",
            case_reference="Sprin.Dik-1",
            subject_status="suspect",
        ),
        "starts_on": starts_on,
        "ends_on": ends_on,
        "in_force_from": periods.begins_at(starts_on),
        "in_force_until": periods.over_at(ends_on),
        "submitted_by": "cli_1",
        "authors": ("198503152010010001",),
        "received_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Entry(**{**standing, **given})


def question(who: Json, direction: Direction = "exit", /, **given: Any) -> Json:
    """A counter's typed question about a person; what a test gives is merged in."""
    return check_body(who, direction, **given)


def zone(who: Json, direction: Direction = "exit", /, **given: Any) -> Json:
    """A question that holds a person's machine-readable zone alone."""
    return merged({"direction": direction, "mrz": mrz_of(who)}, given)


def traveller(asked: Json) -> Traveller:
    """A question as the desk understands it."""
    return parse_question(json.dumps(asked).encode(), TODAY).traveller


def matches(asked: Json, *entries: Entry, now: datetime = NOW) -> list[Match]:
    """What the register has to say to a question."""
    candidates = [Candidate(entry, listed(entry.subject)) for entry in entries]
    found = decide(asked["direction"], traveller(asked), candidates, DEFAULT, now)
    return [match for match in found if match.stops]


def outcome(asked: Json, *entries: Entry, now: datetime = NOW) -> Outcome:
    """The outcome of a check."""
    return worst(matches(asked, *entries, now=now))


def action(asked: Json, *entries: Entry) -> str:
    """What the counter does."""
    return action_on(outcome(asked, *entries), asked["direction"])


def results(found: Iterable[Match]) -> set[tuple[str, str]]:
    """Feature and result of every piece of evidence."""
    return {(reason.feature, reason.result) for match in found for reason in match.reasons}
