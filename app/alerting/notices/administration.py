"""Notices to admins: second admins, a doubtful clock, a restored register, unsigned heads, webhooks (no I/O)."""

from datetime import datetime

from app.access.domain import IMMIGRATION
from app.access.pending.domain import SecondAdminAsked
from app.alerting.notices.domain import ADMINS, APPROVERS, DUTY_OFFICERS, NoticeContent, owner, post
from app.alerting.notices.names import NoticeName
from app.kit.clock import rfc3339


def second_admin(event: SecondAdminAsked, at: datetime) -> NoticeContent:
    """Return the notice that an act waits for a second admin, or that one has confirmed it.

    It goes to every admin, and to the officers of the agency or the supervisors of the checkpoint concerned.
    """
    name = NoticeName.CHANGE_CONFIRMED if event.confirmed else NoticeName.CHANGE_PROPOSED
    to = [ADMINS]
    if event.agency is not None:
        to += owner(event.agency)
    if event.agency == IMMIGRATION:
        to += (APPROVERS, DUTY_OFFICERS)
    if event.checkpoint is not None:
        to.append(post(event.checkpoint))
    subject = event.change_id or event.key_id or event.client_id
    return NoticeContent(
        name=name,
        key=f"{name}:{subject}",
        to=tuple(to),
        effective_at=at,
        agency=event.agency,
        detail={"change_id": event.change_id, "client_id": event.client_id},
    )


def register_restored(epoch: str, moment: datetime) -> NoticeContent:
    """Return the notice that the register was restored to the state at `moment`, in a new epoch."""
    name = NoticeName.REGISTER_RESTORED
    return NoticeContent(name=name, key=f"{name}:{epoch}", to=(DUTY_OFFICERS, ADMINS), effective_at=moment)


def register_rolled_back(epoch: str, at: datetime) -> NoticeContent:
    """Return the notice that the register was rolled back; once for each epoch."""
    name = NoticeName.REGISTER_ROLLED_BACK
    return NoticeContent(name=name, key=f"{name}:{epoch}", to=(DUTY_OFFICERS, ADMINS), effective_at=at)


def clock_doubted(at: datetime) -> NoticeContent:
    """Return the notice that irreversible acts wait because the clock is not plausible; once an hour at most."""
    return _hourly(NoticeName.CLOCK_DOUBTED, at)


def head_unsigned(at: datetime) -> NoticeContent:
    """Return the notice that no head of the ledger could be signed for too long; once an hour at most."""
    return _hourly(NoticeName.HEAD_UNSIGNED, at)


def register_differs(at: datetime) -> NoticeContent:
    """Return the notice that a verification found rows that differ from the ledger; once a day at most."""
    name = NoticeName.REGISTER_DIFFERS
    key = f"{name}:{at.date().isoformat()}"
    return NoticeContent(name=name, key=key, to=(ADMINS, DUTY_OFFICERS), effective_at=at)


def webhook_failing(endpoint_id: str, client_id: str, since: datetime) -> NoticeContent:
    """Return the notice that a client's webhook endpoint fails since an instant; once for each series of failures."""
    name = NoticeName.WEBHOOK_FAILING
    return NoticeContent(
        name=name,
        key=f"{name}:{endpoint_id}:{rfc3339(since)}",
        to=(ADMINS, DUTY_OFFICERS),
        effective_at=since,
        detail={"endpoint_id": endpoint_id, "client_id": client_id},
    )


def webhook_disabled(endpoint_id: str, client_id: str, reason: str, at: datetime) -> NoticeContent:
    """Return the notice that a client's webhook endpoint was disabled; `reason` is the code in the notice."""
    name = NoticeName.WEBHOOK_DISABLED
    return NoticeContent(
        name=name,
        key=f"{name}:{endpoint_id}:{rfc3339(at)}",
        to=(ADMINS,),
        effective_at=at,
        detail={"endpoint_id": endpoint_id, "client_id": client_id, "reason": reason},
    )


def _hourly(name: NoticeName, at: datetime) -> NoticeContent:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return NoticeContent(name=name, key=f"{name}:{hour.isoformat()}", to=(ADMINS,), effective_at=at)
