"""What is asked for a journey, what a carrier is told, and when that is news."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from app.access.domain import Checkpoint
from app.border.checks.domain import Match
from app.border.manifests.domain import (
    CARRIER,
    LONGEST_WATCH,
    Answer,
    Item,
    Status,
    crossing,
    departure_of,
    direction_between,
    status_of,
    watched_until,
)
from app.border.manifests.journeys import Leg

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
LOCAL = datetime(2026, 11, 24, 9)  # noqa: DTZ001 - the time of a place


def ours(code: str) -> bool:
    return code in {"CGK", "DPS"}


def leg(origin: str, destination: str) -> Leg:
    return Leg("GA1", origin, None, destination, None)


def place(code: str, zone: str = "Asia/Makassar") -> Checkpoint:
    return Checkpoint(code, code, "air", None, None, zone, active=True)


def match(measure: str, outcome: Any) -> Match:
    return Match(
        entry_id="ent_1",
        version=1,
        measure=measure,
        level="exact",
        score=1.0,
        reasons=(),
        outcome=outcome,
        sighting=False,
        stops=True,
        boundary_note=None,
    )


def answer(outcome: Any, status: Status, direction: Any = "exit") -> Answer:
    return Answer(
        check_id="chk_1",
        at=NOW,
        sequence=1,
        direction=direction,
        outcome=outcome,
        hit_id="hit_1",
        status=status,
    )


def item(*answers: Answer) -> Item:
    return Item(position=0, reference="1", answers=answers, changed_at=NOW)


@pytest.mark.parametrize(
    ("origin", "destination", "direction"),
    [
        ("SYD", "DPS", "entry"),
        ("DPS", "SYD", "exit"),
        ("SYD", "SIN", None),
        ("CGK", "DPS", None),
        ("", "DPS", None),
    ],
)
def test_the_border_lies_between_here_and_abroad(
    origin: str, destination: str, direction: str | None
) -> None:
    assert direction_between(origin, destination, ours) == direction


def test_the_first_leg_that_crosses_the_border_counts() -> None:
    journey = crossing([leg("AKL", "SYD"), leg("SYD", "DPS"), leg("DPS", "CGK")], ours)
    assert (journey.leg.origin, journey.leg.destination) == ("SYD", "DPS")
    assert (journey.direction, journey.assumed) == ("entry", False)


@pytest.mark.parametrize("legs", [[leg("ICN", "CAN")], [leg("CGK", "DPS")], []])
def test_where_no_leg_does_the_passengers_are_asked_about_as_arriving(legs: list[Leg]) -> None:
    journey = crossing(legs, ours)
    assert (journey.direction, journey.assumed) == ("entry", True)
    assert journey.leg.destination == (legs[-1].destination if legs else "")


def test_a_local_time_is_of_its_place_or_as_late_as_can_be() -> None:
    here, abroad = {"DPS": place("DPS")}, Leg("GA1", "SYD", LOCAL, "DPS", None)
    assert departure_of(Leg("GA1", "DPS", LOCAL, "SYD", None), here) == datetime(2026, 11, 24, 1, tzinfo=UTC)
    assert departure_of(abroad, here) == datetime(2026, 11, 24, 21, tzinfo=UTC)
    assert departure_of(Leg("GA1", "SYD", LOCAL, "DPS", LOCAL), here) == datetime(2026, 11, 24, 1, tzinfo=UTC)
    assert departure_of(Leg("GA1", "SYD", None, "DPS", None), here) is None
    leaving = Leg("GA1", "IDDPS", LOCAL, "AUSYD", None)
    assert departure_of(leaving, here) == datetime(2026, 11, 24, 1, tzinfo=UTC), (
        "its UN/LOCODE names the airport"
    )


def test_a_watch_has_an_end() -> None:
    assert watched_until(datetime(2100, 1, 1, tzinfo=UTC), NOW, 90) == NOW + LONGEST_WATCH
    assert NOW < watched_until(None, NOW, 90) < NOW + LONGEST_WATCH
    for days in (1, 3, 30):  # an hour before the questions are erased
        kept = timedelta(days=days, hours=-1)
        assert watched_until(datetime(2100, 1, 1, tzinfo=UTC), NOW, days) == NOW + kept
    assert watched_until(NOW + timedelta(hours=2), NOW, 1) == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("matches", "status"),
    [
        ([], Status.BOARD),
        ([match("prevention", "refuse")], Status.BOARD),
        ([match("prevention", "refer")], Status.BOARD),
        ([match("deterrence", "refer")], Status.CONTACT),
        ([match("prevention", "refuse"), match("deterrence", "refer")], Status.CONTACT),
        ([match("deterrence", "refer"), match("deterrence", "refuse")], Status.DO_NOT_BOARD),
        ([match("deterrence", "clear")], Status.BOARD),
    ],
)
def test_a_prevention_never_shows_in_what_a_carrier_does(matches: list[Match], status: Status) -> None:
    assert status_of(matches) is status


def test_the_gravest_of_several_documents_is_the_passengers_answer() -> None:
    both = item(
        answer("clear", Status.BOARD), answer("refuse", Status.DO_NOT_BOARD), answer("refer", Status.CONTACT)
    )
    assert both.status is Status.DO_NOT_BOARD
    assert both.shown("manifest")["outcome"] == "refuse"
    assert item().status is None


def test_what_the_asker_is_not_told_is_no_news_to_them() -> None:
    before, after = answer("clear", Status.BOARD), answer("refuse", Status.BOARD)
    later = datetime(2026, 11, 23, 4, tzinfo=UTC)
    silent = item(before).with_answers([after], {}, 1, CARRIER, later)
    assert (silent.number, silent.changed_at, silent.answers) == (0, NOW, (after,))
    told = item(before).with_answers([after], {}, 1, "manifest", later)
    assert (told.number, told.changed_at) == (1, later)


def test_a_new_hit_alone_is_no_news() -> None:
    again = item(answer("refer", Status.CONTACT)).with_answers(
        [answer("refer", Status.CONTACT)], {}, 1, "manifest", NOW
    )
    assert again.number == 0


@pytest.mark.parametrize(
    ("direction", "status", "ruling", "told"),
    [
        ("entry", Status.CONTACT, "allow", Status.BOARD),
        ("entry", Status.DO_NOT_BOARD, "allow", Status.BOARD),
        ("entry", Status.CONTACT, "refuse_entry", Status.DO_NOT_BOARD),
        ("entry", Status.CONTACT, "hold", Status.CONTACT),
        ("exit", Status.BOARD, "refuse_exit", Status.BOARD),
        ("entry", Status.BOARD, "refuse_entry", Status.BOARD),
    ],
)
def test_what_a_supervisor_says_is_told_unless_it_would_show_a_prevention(
    direction: str, status: Status, ruling: str, told: Status
) -> None:
    ruled = item(answer("refer", status, direction)).ruled({("hit_1", ""): ruling}, 1, CARRIER, NOW)
    assert ruled.status is told
    assert ruled.number == (1 if told is not status else 0)


def test_a_word_holds_on_for_the_same_hit_only() -> None:
    ruled = item(answer("refer", Status.CONTACT, "entry")).ruled({("hit_1", ""): "allow"}, 1, CARRIER, NOW)
    again = answer("refer", Status.CONTACT, "entry")
    assert ruled.with_answers([again], {}, 2, CARRIER, NOW).status is Status.BOARD
    other = structs.replace(again, hit_id="hit_2")
    assert ruled.with_answers([other], {}, 2, CARRIER, NOW).status is Status.CONTACT
    impostor = structs.replace(again, traveller="another name on the same document")
    assert ruled.with_answers([impostor], {}, 2, CARRIER, NOW).status is Status.CONTACT
