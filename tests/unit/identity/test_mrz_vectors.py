"""Collected and generated specimens of machine-readable zones, read as they are labelled."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.identity import states
from app.identity.mrz import Mrz, MrzUnreadable, parse

VECTORS = Path(__file__).parents[4] / "shared" / "data" / "mrz"
TODAY = date(2026, 11, 23)


def labelled(name: str) -> list[dict[str, Any]]:
    """Read one file of labelled zones; skip where the folder is absent."""
    path = VECTORS / name
    if not path.is_file():
        pytest.skip("the specimens of machine-readable zones are not beside the repository")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("name", "count"), [("vectors.ndjson", 91), ("synthetic.ndjson", 81)])
def test_every_specimen_is_read_as_labelled(name: str, count: int):
    specimens = labelled(name)
    assert len(specimens) == count
    wrong = {specimen["id"]: found for specimen in specimens if (found := list(differences(specimen)))}
    assert wrong == {}


def differences(specimen: dict[str, Any]) -> list[str]:
    """Name what is read otherwise than labelled."""
    try:
        mrz = parse("\n".join(specimen["lines"]), TODAY)
    except MrzUnreadable as refusal:
        return [] if specimen["fails"] == [refusal.code] else [f"unreadable: {refusal.code}"]
    fields = specimen["fields"]
    expected = {
        "format": specimen["format"].startswith(mrz.format),
        "valid": specimen["valid"] is mrz.valid,
        "fails": set(specimen["fails"]) == set(mrz.fails),
        "document_code": fields["document_code"].strip("<") == mrz.document_code,
        "issuing_state": states.canonical(fields["issuing_state"]) == mrz.issuing_state,
        "nationality": states.canonical(fields.get("nationality", "")) == mrz.nationality,
        "document_number": fields["document_number"].replace("<", "") == mrz.document_number,
        "birth_date": fields["birth_date"] == mrz.birth_raw or "birth_date_format" in mrz.fails,
        "sex": {"M": "male", "F": "female"}.get(fields["sex"], "unspecified") == mrz.sex,
        "expiry_date": fields.get("expiry_date", "")[2:] == (mrz.expiry or "").replace("-", "")[4:]
        or any(fail.startswith("expiry_date_") for fail in mrz.fails),
        "optional_data": optional_of(fields) in (None, mrz.optional_data),
        "surname": same_name(fields["surname"], mrz.surname, mrz),
        "given_names": same_name(fields["given_names"], mrz.given_names, mrz),
    }
    return [field for field, agrees in expected.items() if not agrees]


def optional_of(fields: dict[str, str]) -> tuple[str, ...] | None:
    """Give the labelled optional data without fillers; None where the label leaves them out."""
    keys = [key for key in ("optional_data", "optional_data_1", "optional_data_2") if key in fields]
    return tuple(" ".join(fields[key].replace("<", " ").split()) for key in keys) or None


def same_name(label: str, found: str, mrz: Mrz) -> bool:
    """Compare with the labelled name; one that was cut off compares as a beginning."""
    whole = " ".join(label.split())
    return found == whole or (mrz.name_truncated and whole.startswith(found))
