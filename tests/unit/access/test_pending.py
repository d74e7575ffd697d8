"""Changes that wait for a second admin: the place that each of them proposes."""

from datetime import UTC, datetime

import pytest

from app.access.domain import Agency, Checkpoint, Office
from app.access.pending.domain import KIND_OF, ChangeKind, ChangeState, PendingChange, facts_of, place_of

PLACES = (
    Agency(
        "KPK",
        None,
        "Komisi",
        "Commission",
        "UU 6/2011",
        ("order",),
        article_required=False,
        phone="+62 21 1",
        active=True,
    ),
    Checkpoint("CGK", "Soekarno-Hatta", "air", "Tangerang", "Banten", "Asia/Jakarta", active=True),
    Office("KPK-JKT", "KPK", "Jakarta", "Jakarta", "DKI Jakarta", active=True),
)


def change(kind: ChangeKind, about: str, proposed: dict[str, object] | None) -> PendingChange:
    at = datetime(2026, 11, 23, 3, tzinfo=UTC)
    return PendingChange("chg_1", kind, about, proposed, ChangeState.PENDING, at, "cli_1", None)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: type(place).__name__)
def test_a_change_of_a_place_gives_the_place_as_it_would_be(place: Agency | Checkpoint | Office) -> None:
    assert place_of(change(KIND_OF[type(place)], place.code, facts_of(place))) == place


@pytest.mark.parametrize("kind", sorted(set(ChangeKind) - {*KIND_OF.values()}))
def test_a_revocation_proposes_no_place(kind: ChangeKind) -> None:
    assert place_of(change(kind, "cli_2", None)) is None
