"""The policy of a checkpoint: which step is next, which people it pages, and when the step after it is due."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.alerting.escalation.domain import (
    DEFAULT_POLICY,
    LONGEST_PAUSE,
    NOTICE,
    PAUSE,
    UNANSWERED,
    WAITS,
    About,
    Contact,
    EscalationPolicy,
    Level,
    OnDuty,
    Step,
    choose_step,
    page_id,
    subject_of,
    text_of,
)

CHANNELS = ("email", "command")
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
MAIL = Contact("email", "posko@example.go.id", OnDuty.ALWAYS)
SMS = Contact("command", "+628111", OnDuty.OPEN)
STANDBY = Contact("command", "+628222", OnDuty.STANDBY)
POLICY = EscalationPolicy(
    (
        Step(Level.CHECKPOINT, (MAIL, SMS)),
        Step(Level.SUPERVISOR, (SMS,), wait_seconds=30),
        Step(Level.REGION, (STANDBY,)),
    )
)


def channels(taken: int, *, standby: bool = False) -> list[str | None]:
    return [
        contact.address for _, contact in choose_step(POLICY, taken, NOW, CHANNELS, standby=standby).contacts
    ]


def wait(taken: int, policy: EscalationPolicy = POLICY) -> timedelta:
    return choose_step(policy, taken, NOW, CHANNELS, standby=False).next_at - NOW


def test_steps_come_in_order_and_then_begin_anew() -> None:
    levels = [choose_step(POLICY, taken, NOW, CHANNELS, standby=False).step.level for taken in range(7)]
    assert levels == ["checkpoint", "supervisor", "region"] * 2 + ["checkpoint"]


def test_only_contacts_on_duty_are_paged() -> None:
    assert [channels(taken) for taken in range(3)] == [["posko@example.go.id", "+628111"], ["+628111"], []]
    assert [channels(taken, standby=True) for taken in range(3)] == [["posko@example.go.id"], [], ["+628222"]]


def test_each_channel_has_its_own_grace_and_a_step_may_set_another() -> None:
    assert wait(0) == WAITS["email"]  # the longest of its channels
    assert wait(1) == timedelta(seconds=30)


def test_a_step_that_pages_nobody_is_followed_at_once_except_by_a_new_round() -> None:
    policy = EscalationPolicy((Step(Level.CHECKPOINT, (STANDBY,)), Step(Level.REGION, (SMS,))))
    assert wait(0, policy) == UNANSWERED
    assert wait(1, policy) == PAUSE


def test_rounds_come_at_growing_intervals_up_to_the_longest() -> None:
    ends = [wait(2 + 3 * number) for number in range(12)]
    assert ends[:4] == [PAUSE, 2 * PAUSE, 4 * PAUSE, 8 * PAUSE]
    assert ends == sorted(ends)
    assert ends[-1] == LONGEST_PAUSE


@given(taken=st.integers(0, 10**9), standby=st.booleans())
def test_the_loop_never_ends_and_never_hurries(*, taken: int, standby: bool) -> None:
    step = choose_step(POLICY, taken, NOW, CHANNELS, standby=standby)
    assert UNANSWERED <= step.next_at - NOW <= LONGEST_PAUSE
    assert all(contact in step.step.contacts for _, contact in step.contacts)


def test_the_default_ladder_pages_by_notice_at_any_hour() -> None:
    for standby in (False, True):
        pages = [
            choose_step(DEFAULT_POLICY, taken, NOW, CHANNELS, standby=standby).contacts for taken in range(2)
        ]
        assert [[contact.channel for _, contact in page] for page in pages] == [[NOTICE], [NOTICE]]


def test_pages_have_different_ids() -> None:
    ids = {
        page_id(alert, code, step, place)
        for alert in ("alr_1", "alr_2")
        for code in ("CGK", "DPS")
        for step in (0, 1, "drill")
        for place in (0, 1)
    }
    assert len(ids) == 24


def test_texts_say_where_and_which_alert_in_two_languages() -> None:
    about = About("alr_1", "raise", "KPK", NOW)
    text = text_of(about, "CGK", drill=False)
    for line in text.splitlines():
        assert line.startswith("CGK: ")
        assert "alr_1 " in line
        assert "(KPK)" in line
        assert "2026-11-23 03:00:00Z" in line
    assert "not acknowledged" in subject_of(about, "CGK", drill=False)
    exercise = About("alr_2", "exercise", None, NOW)
    assert "drill not acknowledged" in subject_of(exercise, "CGK", drill=False)
    assert "latihan alr_2" in text_of(exercise, "CGK", drill=False)
    assert "nothing to do" in text_of(exercise, "CGK", drill=True)
