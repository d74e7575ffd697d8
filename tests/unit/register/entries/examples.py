"""Requests, entries and officers that are in order as they stand; a test changes what it is about."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import msgspec
import pytest

from app.access.domain import Instrument
from app.actor import Actor
from app.errors import CekalError
from app.identity.births import Birth
from app.register.entries.domain import Basis, Entry, EntryWarning, Letter, Measure, State
from app.register.entries.law.judging import judge
from app.register.entries.law.request import Owner, Policy, Request
from app.register.entries.schemas import ReasonCode, Stage, SubjectStatus
from app.register.entries.subjects import Citizenship, Document, Subject

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)

INSTRUMENTS = get_args(Instrument)
REASONS = get_args(ReasonCode)
STATUSES = get_args(SubjectStatus)
STAGES = (None, *get_args(Stage))

KPK = Owner("KPK", ("order",))
POLRI = Owner("POLRI", ("request",))
DJP = Owner("DJP", ("decision",))
IMIGRASI = Owner("IMIGRASI", ("decision", "supervision_report", "administrative_action"))


def subject(**changes: Any) -> Subject:
    """An invented Indonesian."""
    given = {
        "full_name": "Raka Wirabumi Prambanan",
        "sex": "male",
        "birth": Birth(date="1970-05-17"),
        "birth_place": "Magelang",
        "nationalities": ("IDN",),
        "nik": "3171011705700001",
        "occupation": "merchant",
        "address": "Jalan Cempaka 1",
        "documents": (Document("passport", "X1234567", "IDN"),),
    }
    return Subject(**{**given, **changes})


def foreigner(**changes: Any) -> Subject:
    """An invented New Zealander."""
    return subject(
        **{
            "full_name": "Aldous Quillfeather",
            "birth_place": "Wellington",
            "nationalities": ("NZL",),
            "nik": None,
            "documents": (Document("passport", "L7654321", "NZL"),),
            **changes,
        }
    )


def basis(**changes: Any) -> Basis:
    """A letter of KPK in an investigation."""
    given = {
        "instrument": "order",
        "number": "R-1/2026",
        "issued_on": date(2026, 11, 21),
        "received_on": date(2026, 11, 23),
        "law": "UU 19/2019 Pasal 12 ayat (2) huruf a",
        "reason_code": "corruption",
        "reason": "Suspected of taking a bribe.",
        "case_reference": "Sprin.Dik-1",
        "stage": "investigation",
        "subject_status": "suspect",
    }
    return Basis(**{**given, **changes})


def request(**changes: Any) -> Request:
    """An exit ban of six months; `basis` and `subject` may be given as members to change."""
    given: dict[str, Any] = {
        "measure": Measure.PREVENTION,
        "has_photo": True,
        "starts_on": TODAY,
        "ends_on": date(2027, 5, 23),
        "lifetime": False,
        "unknown": (),
        **changes,
    }
    for name, make in (("subject", subject), ("basis", basis)):
        if isinstance(given.get(name, {}), dict):
            given[name] = make(**given.get(name, {}))
    return Request(**given)


def deterrence(**changes: Any) -> Request:
    """An entry ban of ten years against a foreigner, by Immigration's decision."""
    given: dict[str, Any] = {
        "measure": Measure.DETERRENCE,
        "subject": foreigner(),
        "ends_on": date(2036, 11, 23),
        **changes,
    }
    given["basis"] = {
        "instrument": "decision",
        "reason_code": "overstay",
        "stage": None,
        "subject_status": "foreigner_under_measure",
        **given.get("basis", {}),
    }
    return request(**given)


def urgent(**changes: Any) -> Request:
    """An urgent exit ban on a letter."""
    letter = Letter("ND-1", TODAY, "0" * 64)
    return request(**{"urgent": True, "starts_on": None, "ends_on": None, "letter": letter, **changes})


def warned(
    asked: Request, owner: Owner = KPK, policy: Policy | None = None, today: date = TODAY
) -> list[EntryWarning]:
    """The warnings that an acceptable request gets."""
    return list(judge(asked, owner, policy or Policy(), today))


def refused(
    kind: type[CekalError],
    asked: Request,
    owner: Owner = KPK,
    policy: Policy | None = None,
    today: date = TODAY,
) -> dict[str, str]:
    """The faults, by pointer, of a request that must be refused with this problem."""
    with pytest.raises(CekalError) as raised:
        warned(asked, owner, policy, today)
    assert type(raised.value) is kind, raised.value.faults
    return {fault.pointer: fault.code for fault in raised.value.faults}


def person(number: str | None, *roles: str, agency: str | None = "KPK", office: str | None = None) -> Actor:
    """Who acts, known by an employee number."""
    return Actor(f"cli_{number}", number, frozenset(roles), agency, office)


def approver(number: str, office: str = "KANIM-MEDAN") -> Actor:
    """An approver of Immigration."""
    return person(number, "approver", agency="IMIGRASI", office=office)


def duty_officer(number: str) -> Actor:
    """A duty officer of Immigration."""
    return person(number, "duty_officer", agency="IMIGRASI", office="KANIM-MEDAN")


def entry(**changes: Any) -> Entry:
    """KPK's exit ban of six months as person A has just submitted it."""
    given: dict[str, Any] = {
        "id": "ent_1",
        "version": 1,
        "state": State.SUBMITTED,
        "measure": Measure.PREVENTION,
        "agency": "KPK",
        "citizenship": Citizenship.WNI,
        "subject": subject(),
        "basis": basis(),
        "starts_on": TODAY,
        "ends_on": date(2027, 5, 23),
        "submitted_by": "cli_A",
        "authors": ("A",),
        "received_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Entry(**{**given, **changes})


def copied(value: Entry) -> Entry:
    """The entry after its way into and out of the database."""
    return msgspec.json.decode(msgspec.json.encode(value), type=Entry)
