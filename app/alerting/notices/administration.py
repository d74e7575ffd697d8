"""Notices to admins: second admins, a doubtful clock, a restored register, unsigned heads, webhooks (no I/O).

Each notice has a key: of several notices with the same key only the first is stored.
"""

from datetime import datetime

from app.access.domain import IMMIGRATION
from app.access.pending.domain import SecondAdminAsked
from app.alerting.notices.domain import ADMINS, APPROVERS, DUTY_OFFICERS, NoticeContent, owner, post
from app.alerting.notices.names import NoticeName
from app.kit.clock import rfc3339


def second_admin(event: SecondAdminAsked, at: datetime) -> NoticeContent:
    """Return the notice that a change waits for a second admin or, if `event.confirmed`, that one has confirmed it.

    The notice goes to every admin. If the change is about an agency, the notice also goes to the agency's submitters
    and verifiers, at Immigration to its approvers and duty officers too. If the change is about a checkpoint, the
    notice also goes to the supervisors there.
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
    """Return the notice to duty officers and admins that the register was restored to its state at `moment`.

    `epoch` is the ledger's new epoch. By the key only one notice is stored for each epoch.
    """
    name = NoticeName.REGISTER_RESTORED
    return NoticeContent(name=name, key=f"{name}:{epoch}", to=(DUTY_OFFICERS, ADMINS), effective_at=moment)


def register_rolled_back(epoch: str, at: datetime) -> NoticeContent:
    """Return the notice to duty officers and admins that the register has lost its newest records (a rollback).

    `epoch` is the ledger's epoch. By the key only one notice is stored for each epoch.
    """
    name = NoticeName.REGISTER_ROLLED_BACK
    return NoticeContent(name=name, key=f"{name}:{epoch}", to=(DUTY_OFFICERS, ADMINS), effective_at=at)


def clock_doubted(at: datetime) -> NoticeContent:
    """Return the notice to admins that irreversible acts wait because the clock is doubted.

    By its key only one such notice an hour is stored.
    """
    return _hourly(NoticeName.CLOCK_DOUBTED, at)


def head_unsigned(at: datetime) -> NoticeContent:
    """Return the notice to admins that the ledger's newest signed head is older than `head_valid_seconds`.

    By its key only one such notice an hour is stored.
    """
    return _hourly(NoticeName.HEAD_UNSIGNED, at)


def register_differs(at: datetime) -> NoticeContent:
    """Return the notice to admins and duty officers that a verification found rows that differ from the ledger.

    By its key only one such notice a day is stored.
    """
    name = NoticeName.REGISTER_DIFFERS
    key = f"{name}:{at.date().isoformat()}"
    return NoticeContent(name=name, key=key, to=(ADMINS, DUTY_OFFICERS), effective_at=at)


def webhook_failing(endpoint_id: str, client_id: str, since: datetime) -> NoticeContent:
    """Return the notice to admins and duty officers that a client's webhook endpoint has been failing since an instant.

    By its key only one notice is stored for each series of failures.
    """
    name = NoticeName.WEBHOOK_FAILING
    return NoticeContent(
        name=name,
        key=f"{name}:{endpoint_id}:{rfc3339(since)}",
        to=(ADMINS, DUTY_OFFICERS),
        effective_at=since,
        detail={"endpoint_id": endpoint_id, "client_id": client_id},
    )


def webhook_disabled(endpoint_id: str, client_id: str, reason: str, at: datetime) -> NoticeContent:
    """Return the notice to admins that a client's webhook endpoint was disabled, with the reason.

    `reason` is `gone` (its receiver answered 410) or `failing` (it failed for too long).
    """
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
