"""A database server's clock between two readings, and what a reading corrects."""

from datetime import timedelta

from app.db.clock import DatabaseClock
from app.kit.clock import Machine
from tests.support.clock import MORNING, SettableClock

MILLISECOND = timedelta(milliseconds=1)


class Reading:
    """A server's clock that is read over a line with a delay, by a machine whose own is an hour slow."""

    def __init__(self) -> None:
        self.wall, self.seconds, self.server = SettableClock(MORNING - timedelta(hours=1)), 0.0, MORNING
        self.clock = DatabaseClock(Machine(self.wall, lambda: self.seconds))

    def passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.server += timedelta(seconds=seconds)

    def read(self, there: float, back: float) -> None:
        """Read the server's clock by an exchange that takes so many seconds there, and back."""
        asked_at = self.seconds
        self.passes(there)
        told = self.server
        self.passes(back)
        self.clock.note(told, asked_at, self.seconds)

    @property
    def wrong_by(self) -> timedelta:
        return abs(self.clock() - self.server)


def test_before_the_first_reading_it_is_the_machines():
    line = Reading()
    assert line.clock() == line.wall.at
    assert line.clock.is_older(0.0)


def test_it_goes_on_by_itself_and_no_more_wrong_than_the_reading_was_slow():
    line = Reading()
    line.read(0.001, 0.003)
    line.passes(3600)
    assert line.wrong_by <= 2 * MILLISECOND
    assert line.clock.is_older(3599)
    assert not line.clock.is_older(3601)


def test_a_slow_reading_makes_nothing_worse_and_a_quick_one_corrects():
    line = Reading()
    line.read(0.0, 0.04)
    assert 19 * MILLISECOND < line.wrong_by < 21 * MILLISECOND
    line.read(0.001, 0.001)
    assert line.wrong_by <= MILLISECOND
    before = line.wrong_by
    line.read(0.0, 2.0)
    line.read(3.0, 0.0)
    assert line.wrong_by <= before


def test_a_server_whose_clock_is_set_is_followed_at_once_and_the_machines_is_not():
    line = Reading()
    line.read(0.001, 0.001)
    line.wall.advance(days=400)
    assert line.wrong_by <= MILLISECOND
    for by in (timedelta(minutes=-10), timedelta(days=400)):
        line.server += by
        line.read(0.001, 0.001)
        assert line.wrong_by <= 2 * MILLISECOND
