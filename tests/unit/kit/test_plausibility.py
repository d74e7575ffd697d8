"""A clock is doubted when it moves otherwise than time does, or than the register's own."""

from datetime import UTC, datetime, timedelta

import pytest

from app.kit.clock import Machine, uptime
from app.kit.plausibility import TOLERANCE, Plausibility
from tests.support.clock import SettableClock

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class Passing:
    """A machine on which time passes as a test says, and a database server's clock beside it."""

    def __init__(self) -> None:
        self.wall, self.server, self.seconds = SettableClock(), SettableClock(), 0.0
        self.machine = Machine(self.wall, lambda: self.seconds)

    def passes(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()
        self.wall.advance(by)
        self.server.advance(by)


@pytest.fixture
def time() -> Passing:
    return Passing()


@pytest.fixture
def plausible(time: Passing) -> Plausibility:
    return Plausibility(time.machine, time.server)


def test_a_long_time_is_no_fault(time: Passing, plausible: Plausibility):
    time.passes(timedelta(days=400))
    assert plausible.doubt() is None


@pytest.mark.parametrize("way", [1, -1])
def test_a_clock_that_is_set_is_doubted_beyond_a_minute(time: Passing, plausible: Plausibility, way: int):
    for clock in (time.wall, time.server):
        clock.advance(way * TOLERANCE)
    assert plausible.doubt() is None
    for clock in (time.wall, time.server):
        clock.advance(way * SECOND)
    doubt = plausible.doubt()
    assert doubt is not None
    assert ("set ahead by 0:01:01" if way == 1 else "set back by 0:01:01") in doubt


def test_a_server_whose_clock_is_set_is_doubted(time: Passing, plausible: Plausibility):
    time.server.advance(days=400)
    doubt = plausible.doubt()
    assert doubt == "the database's clock is 400 days, 0:00:00 ahead of this machine's"


def test_a_server_that_differed_from_the_beginning_is_doubted(time: Passing):
    time.server.advance(minutes=-5)
    assert Plausibility(time.machine, time.server).doubt() is not None


def test_a_clock_that_is_set_right_is_believed_again(time: Passing, plausible: Plausibility):
    time.wall.advance(days=400)
    assert plausible.doubt() is not None
    time.passes(timedelta(hours=1))
    time.wall.advance(days=-400)
    assert plausible.doubt() is None


def test_what_is_accepted_is_the_clock_as_it_is_and_no_other(time: Passing, plausible: Plausibility):
    time.wall.advance(hours=1)
    plausible.accept()
    time.passes(MINUTE)
    assert plausible.doubt() is None
    time.wall.advance(hours=-1)
    assert plausible.doubt() is not None
    plausible.accept()
    time.server.advance(hours=1)
    assert plausible.doubt() is not None


def test_the_real_clocks_of_this_machine_are_plausible():
    before = uptime()
    assert Plausibility(Machine(), lambda: datetime.now(UTC)).doubt() is None
    assert uptime() >= before
