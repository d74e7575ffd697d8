"""What is logged of an outage: its begin, its end, and nothing between."""

import logging

import pytest

from app.db.outages import SETTLED_SECONDS, Outages

LONG = SETTLED_SECONDS + 1


class Time:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def outages(time: Time, caplog: pytest.LogCaptureFixture) -> Outages:
    caplog.set_level(logging.INFO)
    return Outages(time)


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records]


def test_it_is_told_once_with_its_length(outages: Outages, time: Time, caplog: pytest.LogCaptureFixture):
    for _ in range(1000):
        assert outages.failed(ConnectionResetError())
        time.now += 0.05
    time.now += LONG
    for _ in range(3):
        outages.served(writing=False)
    assert messages(caplog) == ["the database can't serve", "the database serves again"]
    assert (
        vars(caplog.records[0])["reason"]
        == vars(caplog.records[1])["reason"]
        == "the database can't be reached"
    )
    assert vars(caplog.records[1])["seconds"] == pytest.approx(50, abs=0.1)


def test_one_that_comes_and_goes_is_one(outages: Outages, time: Time, caplog: pytest.LogCaptureFixture):
    for _ in range(20):
        outages.failed(TimeoutError())
        time.now += 1
        outages.served(writing=True)
    assert messages(caplog) == ["the database can't serve"]
    time.now += LONG
    outages.served(writing=True)
    outages.failed(TimeoutError())
    assert len(messages(caplog)) == 3


def test_where_it_can_only_be_read_reading_ends_nothing(
    outages: Outages, time: Time, caplog: pytest.LogCaptureFixture
):
    outages.failed(TimeoutError(), writing=True)
    time.now += LONG
    outages.served(writing=False)
    assert len(messages(caplog)) == 1
    outages.served(writing=True)
    assert len(messages(caplog)) == 2


def test_a_fault_of_the_program_is_none(outages: Outages, caplog: pytest.LogCaptureFixture):
    assert not outages.failed(ValueError())
    assert not outages.failed(ExceptionGroup("", [TimeoutError(), ValueError()]))
    assert messages(caplog) == []
    assert outages.failed(ExceptionGroup("", [TimeoutError(), TimeoutError()]))
