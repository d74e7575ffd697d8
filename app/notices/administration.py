"""What admins are notified of: acts that need a second admin, and a clock that may be wrong; pure."""

from datetime import datetime

from app.access.domain import IMMIGRATION
from app.access.pending import SecondAdminAsked
from app.notices.domain import ADMINS, APPROVERS, DUTY_OFFICERS, Draft, owner, post
from app.notices.names import NoticeName


def second_admin(event: SecondAdminAsked, at: datetime) -> Draft:
    """The notice that something waits for a second admin, or that one has confirmed it.

    To every admin, and to the officers of the agency or the supervisors of the checkpoint that it concerns.
    """
    name = NoticeName.CHANGE_CONFIRMED if event.confirmed else NoticeName.CHANGE_PROPOSED
    to = [ADMINS]
    if event.agency is not None:
        to += owner(event.agency)
    if event.agency == IMMIGRATION:
        to += (APPROVERS, DUTY_OFFICERS)
    if event.checkpoint is not None:
        to.append(post(event.checkpoint))
    what = event.change_id or event.key_id or event.client_id
    return Draft(
        name=name,
        key=f"{name}:{what}",
        to=tuple(to),
        effective_at=at,
        agency=event.agency,
        detail={"change_id": event.change_id, "client_id": event.client_id},
    )


def clock_doubted(at: datetime) -> Draft:
    """The notice that what can't be undone is held back, because the clock is not plausible; once an hour at most."""
    name = NoticeName.CLOCK_DOUBTED
    hour = at.replace(minute=0, second=0, microsecond=0)
    return Draft(name=name, key=f"{name}:{hour.isoformat()}", to=(ADMINS,), effective_at=at)
