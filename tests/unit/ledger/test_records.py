"""What a record is: numbered once, its personal part bound but not told."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from app.kit.canonical import canonical
from app.ledger.domain import LEAF_FORMAT, Draft, RecordType, numbered

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PERSONAL = {"subject": {"full_name": "Raka Prambanan", "nik": "3171011705700001"}, "reason": "a case"}


def draft(**given: Any) -> Draft:
    values: dict[str, Any] = {
        "type": RecordType.ENTRY_LISTED,
        "entry_id": "ent_1",
        "version": 3,
        "agency": "KPK",
        "facts": {"measure": "prevention", "ends_on": "2027-05-23"},
        "personal": PERSONAL,
    }
    return Draft(**{**values, **given})


def test_the_leaf_holds_ids_dates_and_codes_and_nothing_personal() -> None:
    leaf = numbered(draft(), 42, NOW, 17).leaf
    commitment = leaf.pop("commitment")
    assert leaf == {
        "v": LEAF_FORMAT,
        "sequence": 42,
        "type": "entry.listed",
        "at": "2026-11-23T03:00:00.000000Z",
        "effective_at": None,
        "entry_id": "ent_1",
        "version": 3,
        "agency": "KPK",
        "tombstone": False,
        "measure": "prevention",
        "ends_on": "2027-05-23",
    }
    assert len(commitment) == 64


def test_the_commitment_is_the_hash_of_salt_and_canonical_personal_part() -> None:
    record = numbered(draft(), 42, NOW, None)
    assert record.salt is not None
    assert record.leaf["commitment"] == hashlib.sha256(record.salt + canonical(PERSONAL)).hexdigest()


def test_two_records_of_the_same_person_can_not_be_linked_by_their_leaves() -> None:
    one, other = numbered(draft(), 1, NOW, None), numbered(draft(), 2, NOW, None)
    assert one.leaf["commitment"] != other.leaf["commitment"]
    assert one.salt is not None
    assert len(one.salt) == 32


@pytest.mark.parametrize(("before", "told"), [(17, 17), (0, None), (None, None)])
def test_an_alert_names_the_alert_before_it(before: int | None, told: int | None) -> None:
    record = numbered(draft(type=RecordType.ALERT_RAISED, alert_id="alr_1"), 42, NOW, before)
    assert record.leaf["alert_id"] == "alr_1"
    assert record.leaf["previous_sequence"] == told


def test_an_end_by_law_says_since_when() -> None:
    record = numbered(draft(effective_at=NOW, tombstone=True), 1, NOW, None)
    assert (record.leaf["effective_at"], record.leaf["tombstone"]) == ("2026-11-23T03:00:00.000000Z", True)


def test_alerts_are_the_types_that_travel_on_the_stream() -> None:
    assert {kind.value for kind in RecordType if kind.is_alert} == {
        "alert.raised",
        "alert.updated",
        "alert.cancelled",
    }
