"""Which sponsors are the same one, and what a pattern counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.register.departures.domain import Delay, DelayReason, Referral, Sponsor, find_patterns, normal_phone

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def delay(number: int, sponsor: Sponsor | None = None, **changes: Any) -> Delay:
    given: dict[str, Any] = {
        "id": f"dly_{number:03}",
        "checkpoint": "CGK",
        "occurred_at": NOW + timedelta(hours=number),
        "reason": DelayReason.NO_WORK_PERMIT,
        "destination": "ARE",
        "referral": Referral.BP3MI,
        "group_reference": None,
        "sponsor": sponsor,
        "recorded_by": "cli_1",
        "recorded_at": NOW,
        **changes,
    }
    return Delay(**given)


def sponsors(*found: Sponsor) -> list[int]:
    """How many delays each sponsor has, of as many delays as are given."""
    delays = [delay(number, sponsor) for number, sponsor in enumerate(found)]
    return [pattern.delays for pattern in find_patterns(delays, "sponsor", 1)]


def test_one_telephone_is_one_sponsor_whatever_its_writing_and_the_name():
    one, other = Sponsor("Jatmiko", phone="0812-3456 7890"), Sponsor("Pak Wulan", phone="+62 812 34567890")
    assert sponsors(one, other) == [2]
    assert normal_phone("(021) 555.01") == "622155501"
    assert normal_phone("0062 21 555") == "6221555"


def test_one_document_is_one_sponsor():
    assert sponsors(Sponsor("Jatmiko", document="x 123-4567"), Sponsor("Wulan", document="X1234567")) == [2]


def test_a_name_of_two_words_is_one_sponsor_in_every_spelling():
    assert sponsors(Sponsor("Djatmiko Soekarta"), Sponsor("SUKARTA, Jatmiko", phone="0811")) == [2]


def test_a_single_word_joins_nobody_who_is_known_by_more():
    assert sponsors(Sponsor("Jatmiko", phone="0811"), Sponsor("Jatmiko", phone="0822")) == [1, 1]
    assert sponsors(Sponsor("Jatmiko"), Sponsor("JATMIKO")) == [2]


def test_a_chain_of_shared_keys_is_one_sponsor():
    chain = (
        Sponsor("Bagas Sagara", phone="0811"),
        Sponsor("Laras Kencana", document="Z9"),
        Sponsor("Laras Kencana", phone="0811"),
    )
    assert sponsors(*chain) == [3]


def test_whoever_was_met_at_the_most_checkpoints_comes_first():
    busy, wide = Sponsor("Bagas Sagara"), Sponsor("Laras Kencana")
    delays = [delay(number, busy) for number in range(3)]
    delays += [delay(7, wide), delay(9, wide, checkpoint="DPS", destination="SAU", group_reference="G1")]
    first, second = find_patterns(delays, "sponsor", 2)
    assert (first.value, first.delays, first.checkpoints) == ("dly_007", 2, {"CGK": 1, "DPS": 1})
    assert (first.destinations, len(first.groups)) == ({"ARE": 1, "SAU": 1}, 1)
    assert (first.first_at, first.last_at) == (NOW + timedelta(hours=7), NOW + timedelta(hours=9))
    assert (second.value, second.delays, second.names) == ("dly_000", 3, {"Bagas Sagara"})
    assert [p.value for p in find_patterns(delays, "sponsor", 3)] == ["dly_000"]


def test_delays_without_it_are_left_out():
    delays = [delay(1, destination=None), delay(2), delay(3)]
    assert [(p.value, p.delays) for p in find_patterns(delays, "destination", 1)] == [("ARE", 2)]
    assert [(p.value, p.delays) for p in find_patterns(delays, "checkpoint", 1)] == [("CGK", 3)]
    assert find_patterns(delays, "sponsor", 1) == []


@given(
    st.lists(
        st.builds(
            Sponsor,
            name=st.sampled_from(["Jatmiko", "Bagas Sagara", "Laras Kencana", "Sagara Bagas"]),
            document=st.sampled_from([None, "A1", "B2"]),
            phone=st.sampled_from([None, "0811", "0822", "+62811"]),
        ),
        max_size=12,
    )
)
def test_every_delay_with_a_sponsor_is_in_one_pattern_and_shared_keys_never_lie_in_two(found: list[Sponsor]):
    delays = [delay(number, sponsor) for number, sponsor in enumerate(found)]
    patterns = find_patterns(delays, "sponsor", 1)
    assert sum(pattern.delays for pattern in patterns) == len(found)
    held: dict[str, int] = {}
    for number, pattern in enumerate(patterns):
        for phone in map(normal_phone, pattern.phones):
            assert held.setdefault(f"p:{phone}", number) == number
        for document in pattern.documents:
            assert held.setdefault(f"d:{document}", number) == number
