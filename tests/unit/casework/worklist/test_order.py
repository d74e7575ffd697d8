"""In which order tasks stand: soonest first, the wrongly stopped first within a day, always the same."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.casework.worklist.domain import MEANINGS, Task, TaskName, in_order
from app.kit.clock import WIB, legal_day

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
MOMENTS = st.integers(0, 60 * 24 * 5).map(lambda minutes: NOW + timedelta(minutes=minutes))
TASKS = st.builds(
    Task,
    name=st.sampled_from(TaskName),
    entry_id=st.sampled_from(["ent_1", "ent_2", "ent_3"]),
    due_at=st.none() | MOMENTS,
    since=MOMENTS,
    first=st.booleans(),
    request_id=st.none() | st.sampled_from(["cor_1", "cor_2"]),
)


def test_every_name_says_what_it_means():
    assert set(MEANINGS) == set(TaskName)


@given(st.lists(TASKS, max_size=12, unique=True), st.randoms())
def test_the_order_is_stable_and_soonest_first(tasks: list[Task], random: Random):
    ordered = in_order(tasks)
    random.shuffle(tasks)
    assert in_order(tasks) == ordered
    days = [legal_day(task.due_at) for task in ordered if task.due_at]
    assert days == sorted(days)
    assert [task.due_at is None for task in ordered] == sorted(task.due_at is None for task in ordered)


def test_within_a_due_date_who_may_be_stopped_wrongly_comes_first():
    due_at = datetime(2026, 11, 26, 10, tzinfo=WIB)
    ordinary = Task(TaskName.DECIDE_CORRECTION_REQUEST, "ent_1", due_at, NOW, request_id="cor_1")
    wrong = Task(
        TaskName.DECIDE_CORRECTION_REQUEST,
        "ent_2",
        due_at + timedelta(hours=9),
        NOW,
        True,
        request_id="cor_2",
    )
    other_day = Task(TaskName.VERIFY, "ent_3", due_at - timedelta(days=1), NOW)
    assert in_order([ordinary, wrong, other_day]) == [other_day, wrong, ordinary]


def test_what_has_no_limit_comes_last_and_the_oldest_of_it_first():
    old = Task(TaskName.RESUBMIT, "ent_1", None, NOW)
    new = Task(TaskName.RESUBMIT, "ent_2", None, NOW + timedelta(days=1))
    late = Task(TaskName.VERIFY, "ent_3", NOW + timedelta(days=900), NOW)
    assert in_order([new, old, late]) == [late, old, new]


def test_a_decision_for_which_a_measure_waits_past_its_end_comes_before_all():
    pressing = Task(TaskName.APPROVE, "ent_1", NOW + timedelta(days=6), NOW, pressing=True)
    overdue = Task(TaskName.VERIFY, "ent_2", NOW - timedelta(days=1), NOW, first=True)
    assert in_order([overdue, pressing]) == [pressing, overdue]
