"""Bodies of requests about invented persons; valid as they stand, changed by what a test gives.

Every call invents another person, letter and case, so that two bodies never stand in each other's way. What a
test gives is merged in depth: `entry_body(basis={"stage": "trial"})`; `...` leaves a member out.
"""

import base64
import functools
import hashlib
import io
from collections.abc import Mapping
from datetime import date, datetime
from itertools import count
from types import EllipsisType
from typing import Any

from PIL import Image

from app.identity.mrz import check_digit
from app.kit.clock import legal_day

Json = dict[str, Any]

_GIVEN = ("Raka", "Sinta", "Bagas", "Laras", "Dimas", "Ayunda", "Galih", "Melati", "Jatmiko", "Wulan")
_FAMILY = ("Prambanan", "Kertanegara", "Tirtamaya", "Wanasari", "Sagarmukti", "Pucangan", "Lembayung")
_FOREIGN_GIVEN = ("Aldous", "Briony", "Caspian", "Delphine", "Evander", "Fenella", "Gideon", "Hester")
_FOREIGN_FAMILY = (
    "Quillfeather",
    "Thornbury-Vance",
    "Okonjwe",
    "Marchetti",
    "Lindqvarn",
    "Ashdowne",
    "Verhoeve",
)
_invented = count(1)


def entry_body(**given: Any) -> Json:
    """An exit ban of six months that KPK asks for against an Indonesian, from Monday 23 November 2026."""
    number = next(_invented)
    return merged(
        {
            "measure": "prevention",
            "subject": wni(number),
            "basis": _basis(number),
            "starts_on": "2026-11-23",
            "ends_on": "2027-05-23",
        },
        given,
    )


def urgent_body(**given: Any) -> Json:
    """An urgent exit ban that KPK asks for against an Indonesian; POST it with an `Idempotency-Key`."""
    number = next(_invented)
    return merged(
        {
            "measure": "prevention",
            "subject": wni(number),
            "basis": _basis(number),
            "letter": {
                "number": f"R-{number}/PENCEGAHAN/2026",
                "issued_on": "2026-11-23",
                "sha256": hashlib.sha256(f"letter {number}".encode()).hexdigest(),
            },
            "alert": {
                "message": "Hold for the supervisor and call the duty officer.",
                "checkpoints": ["CGK"],
            },
        },
        given,
    )


def formal_body(**given: Any) -> Json:
    """The formal decision behind an urgent entry, from 1 December for six months, on a letter of its own."""
    period = {"starts_on": "2026-12-01", "ends_on": "2027-06-01"}
    return merged({"basis": _basis(next(_invented)), **period}, given)


def deterrence_body(**given: Any) -> Json:
    """An entry ban of ten years that Immigration decides against a foreigner who had overstayed."""
    number = next(_invented)
    return merged(
        {
            "measure": "deterrence",
            "subject": wna(number),
            "basis": {
                **_basis(number),
                "instrument": "decision",
                "number": f"IMI-{number}.GR.02.02/2026",
                "signed_by_position": "Direktur Pengawasan dan Penindakan Keimigrasian",
                "law": "UU 6/2011 Pasal 102",
                "reason_code": "overstay",
                "reason": "Stayed beyond the permitted period and was removed.",
                "case_reference": f"IMI/WASDAK/{number}",
                "stage": None,
                "subject_status": "foreigner_under_measure",
            },
            "starts_on": "2026-11-23",
            "ends_on": "2036-11-23",
        },
        given,
    )


def urgent_deterrence_body(**given: Any) -> Json:
    """An urgent entry ban of Immigration against a foreigner; POST it with an `Idempotency-Key`."""
    letter = urgent_body()["letter"]
    return merged(deterrence_body(starts_on=..., ends_on=..., letter=letter), given)


def check_body(subject: Mapping[str, Any], direction: str = "exit", **given: Any) -> Json:
    """A counter's question about the person of an entry's body, by the first document and by name."""
    body: Json = {
        "direction": direction,
        "person": {
            "name": subject["full_name"],
            "birth_date": subject["birth"]["date"],
            "sex": subject["sex"],
            "nationality": subject["nationalities"][0],
        },
    }
    if subject["documents"]:
        paper = subject["documents"][0]
        body["document"] = {name: paper[name] for name in ("number", "issuing_state", "type")}
    return merged(body, given)


def mrz_of(subject: Mapping[str, Any]) -> str:
    """The machine-readable zone of the person's passport (ICAO Doc 9303 part 4), digits right."""
    paper = subject["documents"][0]
    given_names, _, surname = subject["full_name"].upper().rpartition(" ")
    names = f"{surname}<<{given_names}".replace(" ", "<").replace("-", "<")
    expires = date.fromisoformat(paper["expires_on"])
    number = _sealed(f"{paper['number']:<<9}")
    birth = _sealed(f"{date.fromisoformat(subject['birth']['date']):%y%m%d}")
    expiry = _sealed(f"{expires:%y%m%d}")
    own = _sealed("<" * 14)
    sex = {"male": "M", "female": "F"}.get(subject["sex"], "<")
    seal = check_digit(number + birth + expiry + own)
    first = f"P<{paper['issuing_state']}{names:<<39.39}"
    return f"{first}\n{number}{subject['nationalities'][0]}{birth}{sex}{expiry}{own}{seal}"


def wni(number: int) -> Json:
    """An invented Indonesian, as complete as the law wants one."""
    given, sex = _GIVEN[number % len(_GIVEN)], "female" if number % 2 else "male"
    born = date(1960 + number % 40, 1 + number % 12, 1 + number % 28)
    day = born.day + (40 if sex == "female" else 0)
    return {
        "full_name": f"{given} {_syllables(number)} {_FAMILY[number % len(_FAMILY)]}",
        "aliases": [{"name": f"Pak {_syllables(number)}", "quality": "low"}],
        "sex": sex,
        "birth": {"date": born.isoformat()},
        "birth_place": "Magelang",
        "nationalities": ["IDN"],
        "nik": f"317101{day:02d}{born:%m%y}{number % 10_000:04d}",
        "occupation": "merchant",
        "address": f"Jalan Cempaka {number}, Magelang",
        "documents": [
            {
                "type": "passport",
                "number": f"X{number:07d}",
                "issuing_state": "IDN",
                "expires_on": "2030-01-31",
            }
        ],
        "photo": photo(),
    }


def wna(number: int) -> Json:
    """An invented New Zealander."""
    given = _FOREIGN_GIVEN[number % len(_FOREIGN_GIVEN)]
    born = date(1955 + number % 40, 1 + number % 12, 1 + number % 28)
    return {
        "full_name": f"{given} {_syllables(number)} {_FOREIGN_FAMILY[number % len(_FOREIGN_FAMILY)]}",
        "aliases": [],
        "sex": "male" if number % 2 else "female",
        "birth": {"date": born.isoformat()},
        "birth_place": "Wellington",
        "nationalities": ["NZL"],
        "nik": None,
        "occupation": "consultant",
        "address": f"{number} Harbour Row, Wellington",
        "documents": [
            {
                "type": "passport",
                "number": f"L{number:07d}",
                "issuing_state": "NZL",
                "expires_on": "2031-06-30",
            }
        ],
        "photo": photo(),
    }


@functools.cache
def _jpeg() -> str:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((48, 64)).convert("RGB").save(out, "JPEG", quality=80)
    return base64.b64encode(out.getvalue()).decode()


def photo() -> Json:
    """A small real JPEG."""
    return {"media_type": "image/jpeg", "data": _jpeg()}


def merged(body: Mapping[str, Any], given: Mapping[str, Any]) -> Json:
    """A body with what a test gives merged in, objects in depth; `...` leaves a member out."""
    result = dict(body)
    for name, value in given.items():
        known = result.get(name)
        if isinstance(value, EllipsisType):
            result.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(known, Mapping):
            result[name] = merged(known, value)
        else:
            result[name] = value
    return result


def without_photo(subject: Mapping[str, Any], **given: Any) -> Json:
    """A subject to be sent again, for a correction; the entry keeps its photo."""
    return merged({name: value for name, value in subject.items() if name != "photo"}, given)


def _basis(number: int) -> Json:
    return {
        "instrument": "order",
        "number": f"R-{number}/DAK.01.03/23/11/2026",
        "issued_on": "2026-11-20",
        "received_on": "2026-11-23",
        "signed_by": "Endang Sasmita",
        "signed_by_position": "Direktur Penyidikan",
        "law": "UU 30/2002 Pasal 12 ayat (1) huruf b; UU 19/2019 Pasal 12 ayat (2) huruf a",
        "reason_code": "corruption",
        "reason": "Suspected of taking a bribe; a journey abroad would hamper the investigation.",
        "case_reference": f"Sprin.Dik-{number}/01/11/2026",
        "stage": "investigation",
        "subject_status": "suspect",
    }


def _syllables(number: int) -> str:
    """A middle name that no other number has, and that is far from its neighbours'."""
    consonants, vowels = "bdghjklmnprst", "aeiou"
    spelled = ""
    rest = number * 7919 + 104_729
    while rest:
        rest, c = divmod(rest, len(consonants))
        rest, v = divmod(rest, len(vowels))
        spelled += consonants[c] + vowels[v]
    return spelled.capitalize()


def _sealed(field: str) -> str:
    return f"{field}{check_digit(field)}"


def extension_body(
    entry: Mapping[str, Any], ends_on: str, decided_on: str | None = None, **given: Any
) -> Json:
    """An extension of an entry until a day, by a decision of its own in the same case.

    Args:
        entry: as the register answered it.
        ends_on: the new last day.
        decided_on: when the owner decided; by default on the day of the entry's last change.
        given: what is merged in.
    """
    basis = {
        **entry["basis"],
        "number": f"P-{next(_invented)}/DAK.01.03/2027",
        "issued_on": decided_on or str(legal_day(datetime.fromisoformat(entry["updated_at"]))),
        "received_on": None,
    }
    return merged({"kind": "extension", "extension": {"ends_on": ends_on, "basis": basis}}, given)


def revocation_body(entry: Mapping[str, Any], **given: Any) -> Json:
    """A revocation of an entry by a letter that refers to the owner's own."""
    return merged(
        {
            "kind": "revocation",
            "letter": {"number": f"B-{next(_invented)}/CABUT/2026", "issued_on": "2026-11-23"},
            "revocation": {"refers_to_number": entry["basis"]["number"]},
        },
        given,
    )


def judgment_body(entry: Mapping[str, Any], kind: str = "acquittal", **given: Any) -> Json:
    """An acquittal of every charge, or an annulment, by a final judgment in the entry's case."""
    document = b"%PDF-1.4 an invented judgment"
    judgment = {
        "number": f"{next(_invented)}/Pid.Sus-TPK/2026/PN Jkt.Pst",
        "court": "Pengadilan Negeri Jakarta Pusat",
        "decided_on": "2026-11-10",
        "final_on": "2026-11-20",
        "case_reference": entry["basis"]["case_reference"],
        "all_charges": True if kind == "acquittal" else None,
        "sha256": hashlib.sha256(document).hexdigest(),
        "attachment": {"media_type": "application/pdf", "data": base64.b64encode(document).decode()},
    }
    return merged({"kind": kind, "judgment": judgment}, given)
