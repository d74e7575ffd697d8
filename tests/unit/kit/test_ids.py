"""Ids are opaque, unguessable, and sort by the time they were made."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.ids import first_id, instant_of, new_id

INSTANTS = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - Hypothesis wants its bounds naive
    max_value=datetime(2400, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


@given(INSTANTS)
def test_an_id_tells_when_it_was_made_to_the_millisecond(at: datetime):
    told = instant_of(new_id("ent", at))
    assert told is not None
    assert abs(told - at) <= timedelta(milliseconds=1)


@given(INSTANTS, INSTANTS)
def test_ids_sort_by_the_millisecond_they_were_made_in(one: datetime, other: datetime):
    earlier, later = sorted((one, other))
    if later - earlier >= timedelta(milliseconds=1):
        assert new_id("chk", earlier) < new_id("chk", later)


@given(INSTANTS)
def test_no_id_of_an_instant_lies_before_the_first_of_that_instant(at: datetime):
    first = first_id("chk", at)
    assert len(first) == len(new_id("chk", at)) == 30
    assert first <= new_id("chk", at) < first_id("chk", at + timedelta(milliseconds=2))


def test_a_thousand_ids_of_one_instant_are_all_different():
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert len({new_id("ent", at) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text", ["", "ent_", "ent_short", "ent_" + "u" * 26, "ent_" + "0" * 27, "ent_\0", "ent_" + "O" * 26]
)
def test_what_is_no_id_of_ours_was_made_at_no_time(text: str):
    assert instant_of(text) is None


def test_the_largest_id_is_beyond_every_calendar_and_raises_nothing():
    assert instant_of("ent_" + "z" * 26) is None
