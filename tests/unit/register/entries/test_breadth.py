"""What is told of a number of travellers, and what is not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.register.entries.breadth import MEANINGS, Breadth, Shortfall

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def breadth(found: int, share: float = 1.0, limit: int = 30, **given: Any) -> Breadth:
    """A count among a thousand who were compared."""
    return Breadth(
        found=found,
        compared=1000,
        travellers=round(1000 / share) if share else 0,
        share=share,
        since=NOW,
        until=NOW,
        shortfalls=(),
        least=5,
        limit=limit,
        **given,
    )


@pytest.mark.parametrize(
    ("found", "share", "told"),
    [
        (31, 1.0, (31, None, 31)),
        (5, 1.0, (5, None, 5)),
        (4, 1.0, (None, 5, 4)),
        (0, 1.0, (None, 5, 4)),
        (0, 0.01, (None, 500, 915)),
        (4, 0.01, (None, 500, 915)),
        (5, 0.01, (500, None, 1051)),
        (100, 0.1, (1000, None, 1181)),
        (0, 0.0, (None, None, None)),
    ],
)
def test_a_number_is_told_with_its_bound_and_never_so_small_that_it_tells_who(
    found: int, share: float, told: tuple[int | None, int | None, int | None]
) -> None:
    counted = breadth(found, share)
    assert (counted.would_stop, counted.fewer_than, counted.at_most) == told


@pytest.mark.parametrize(
    ("shortfalls", "at_most"),
    [((Shortfall.CUT_SHORT,), 64), ((Shortfall.CUT_SHORT, Shortfall.SAMPLED), 81)],
)
def test_an_estimate_is_never_more_than_all_travellers(
    shortfalls: tuple[Shortfall, ...], at_most: int
) -> None:
    """60 of 64 were found when the count was cut short at 0.92 of the sample, which would be 65."""
    cut_short = Breadth(
        found=60,
        compared=59,
        travellers=64,
        share=0.92,
        since=NOW,
        until=NOW,
        shortfalls=shortfalls,
        least=5,
        limit=30,
    )
    assert (cut_short.would_stop, cut_short.at_most) == (64, at_most)


@pytest.mark.parametrize(
    ("found", "share", "limit", "broad"),
    [
        (31, 1.0, 30, True),
        (30, 1.0, 30, False),
        (31, 1.0, 0, False),
        (4, 1.0, 1, False),
        (4, 0.001, 30, False),
        (5, 0.001, 30, True),
        (0, 0.0, 30, False),
    ],
)
def test_broad_is_more_than_the_limit_by_a_number_that_may_be_told(
    found: int, share: float, limit: int, broad: object
) -> None:
    assert breadth(found, share, limit).broad is broad


def test_the_warning_says_what_follows() -> None:
    urgent = breadth(31).warning(urgent=True)
    assert urgent.detail.startswith(
        "By name and birth date alone it would have stopped 31 of 1000 travellers since 2026-11-23 03:00 UTC; broad is "
        "more than 30. So it holds nobody"
    )
    ordinary = breadth(31, 0.5).warning(urgent=False)
    assert "about 62 of about 2000 travellers" in ordinary.detail
    assert "holds nobody" not in ordinary.detail


def test_every_shortfall_has_its_meaning() -> None:
    assert MEANINGS.keys() == set(Shortfall)
