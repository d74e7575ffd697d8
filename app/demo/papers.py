"""The request bodies of the story (API sections 3 to 5): what an agency's system would send."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

from app.demo.people import INDONESIA, Person, letter_scan, portrait

Body = dict[str, Any]


def urgent_exit_ban(person: Person, today: date) -> Body:
    """Return the body of an urgent exit ban by the KPK, with the letter that requests the ban and without a period.

    Args:
        person: the subject of the ban.
        today: the legal day, in Asia/Jakarta.
    """
    basis = _kpk_basis(today)
    scan = letter_scan([f"No. {basis['number']}", "An invented letter,", "for a demonstration only."])
    return {
        "measure": "prevention",
        "subject": _subject(person),
        "basis": basis,
        "unknown": ["nik", "address", "occupation"],
        "letter": {
            "number": basis["number"],
            "issued_on": str(today),
            "sha256": hashlib.sha256(scan).hexdigest(),
            "attachment": {"media_type": "image/png", "data": base64.b64encode(scan).decode()},
        },
        "alert": {
            "message": "Tahan keberangkatan, hubungi KPK / hold and call the KPK",
            "checkpoints": ["CGK"],
        },
    }


def broad_exit_ban(bearers: Sequence[Person], today: date) -> Body:
    """Return the body of an urgent exit ban that fits many people, since its subject is described broadly.

    The subject is born between 1930 and 2005, and has the names of all `bearers` as aliases.
    """
    body = urgent_exit_ban(Person.invent(INDONESIA), today)
    names = dict.fromkeys(person.name for person in bearers)
    aliases = [{"name": name, "quality": "good"} for name in names]
    wide = {"aliases": aliases, "birth": {"from": "1930", "to": "2005"}}
    return {**body, "subject": {**body["subject"], **wide}}


def exit_ban(person: Person, today: date, ends_on: date) -> Body:
    """Return the body of an exit ban by the KPK from `today` to `ends_on`; the law allows six months."""
    return {
        "measure": "prevention",
        "subject": _subject(person),
        "basis": _kpk_basis(today),
        "starts_on": str(today),
        "ends_on": str(ends_on),
        "unknown": ["nik", "address", "occupation"],
    }


def formal_decision(today: date, ends_on: date, case_reference: str) -> Body:
    """Return the body of the formal decision that follows an urgent exit ban, about the same person and case.

    The decision begins on the legal day `today` and ends on `ends_on`; `case_reference` names the case.
    """
    basis = {**_kpk_basis(today), "case_reference": case_reference}
    return {"basis": basis, "starts_on": str(today), "ends_on": str(ends_on)}


def foreign_withdrawal(today: date) -> Body:
    """Return the body of a request to end a measure, by a letter from an agency that did not order the measure."""
    return {
        "kind": "revocation",
        "reason": "The letter says that the name is no longer wanted.",
        "letter": {"number": f"B-{_reference()}", "issued_on": str(today)},
        "revocation": {"refers_to_number": "unknown"},
    }


def entry_ban(person: Person, today: date, ends_on: date) -> Body:
    """Return the body of an entry ban by Immigration from `today` to `ends_on`, after a deportation.

    The law allows entry bans against foreigners only; a body about an Indonesian is refused.
    """
    reference = _reference()
    unknown = ["address", "occupation"] + (["nik"] if person.state == INDONESIA else [])
    return {
        "measure": "deterrence",
        "subject": _subject(person),
        "basis": {
            "instrument": "administrative_action",
            "number": f"TAK-{reference}",
            "issued_on": str(today),
            "law": "UU 6/2011 art. 75, 99, 100",
            "reason_code": "deportation",
            "reason": "Invented case for a demonstration",
            "case_reference": f"DEPORTASI-{reference}",
            "subject_status": "foreigner_under_measure",
        },
        "starts_on": str(today),
        "ends_on": str(ends_on),
        "unknown": unknown,
    }


def scan(person: Person, direction: str) -> Body:
    """Return the body of a check by a counter or gate that has scanned a passport; `direction` is `exit` or `entry`."""
    return {"direction": direction, "mrz": person.mrz}


def typed(person: Person, direction: str, *, state: str) -> Body:
    """Return the body of a check by a counter that has typed the data of a passport, as one of this state.

    `direction` is `exit` or `entry`.
    """
    return {
        "direction": direction,
        "document": {"number": person.passport, "issuing_state": state, "type": "passport"},
        "person": {"name": person.name, "birth_date": str(person.birth), "nationality": state},
    }


def _subject(person: Person) -> Body:
    return {
        "full_name": person.name,
        "sex": "male",
        "birth": {"date": str(person.birth)},
        "birth_place": person.birth_place,
        "nationalities": [person.state],
        "documents": [{"type": "passport", "number": person.passport, "issuing_state": person.state}],
        "photo": {"media_type": "image/jpeg", "data": base64.b64encode(portrait()).decode()},
    }


def _kpk_basis(today: date) -> Body:
    reference = _reference()
    return {
        "instrument": "order",
        "number": f"R-{reference}",
        "issued_on": str(today),
        "law": "UU 19/2019 art. 12(2)a",
        "reason_code": "corruption",
        "reason": "Invented case for a demonstration",
        "case_reference": f"SPRINDIK-{reference}",
        "stage": "investigation",
        "subject_status": "suspect",
    }


def _reference() -> str:
    """Return a number that no earlier run has used, since the register refuses a repeated letter or case."""
    return f"DEMO-{secrets.token_hex(4).upper()}"
