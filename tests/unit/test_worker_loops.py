"""The rows of the worker's loops."""

from inspect import iscoroutinefunction

from app.worker import LOOPS, Worker

FIRST_RELEASE = (
    "end_by_law",
    "notify_unacknowledged_alerts",
    "tidy",
    "retain",
    "notify_officers",
    "renew_names",
    "create_hits",
    "watch_manifests",
    "look_back",
    "report_silent_checkpoints",
    "announce_begun",
)
"""The loops of 0.1, whose locks were numbered by their position."""


def test_no_two_loops_share_a_lock() -> None:
    assert len({loop.lock for loop in LOOPS}) == len(LOOPS)


def test_a_loop_keeps_its_lock_from_release_to_release() -> None:
    locks = {loop.name: loop.lock for loop in LOOPS}
    assert {name: locks[name] for name in FIRST_RELEASE} == {
        name: 0x63656B77 + position for position, name in enumerate(FIRST_RELEASE)
    }


def test_every_round_of_the_worker_has_a_loop() -> None:
    rounds = {
        name
        for name, method in vars(Worker).items()
        if not name.startswith("_") and name != "run" and iscoroutinefunction(method)
    }
    assert {loop.name for loop in LOOPS} == rounds
