"""What the law and its practice demand of a request; pure (R1-R20, R22, R24; `docs/rules.md` maps them).

Every rule adds its faults; the first kind found that has a problem type of its own gives the problem its type,
and all faults are listed, so that an officer at night mends everything at once.
"""

from collections.abc import Callable
from datetime import date

from app.entries.domain import Notice
from app.entries.law import ground, identity, period
from app.entries.law.ground import INVESTIGATION_ONLY, power_ended
from app.entries.law.period import exhausted
from app.entries.law.request import Findings, Origin, Owner, Policy, Request
from app.errors import Invalid

__all__ = ["INVESTIGATION_ONLY", "Origin", "Owner", "Policy", "Request", "exhausted", "judge", "power_ended"]


def judge(request: Request, owner: Owner, policy: Policy, today: date) -> tuple[Notice, ...]:
    """Judge a request as of a legal day.

    Args:
        request: what is asked.
        owner: the agency whose measure it will be.
        policy: the deployment's choices.
        today: the legal day of the judgement.

    Returns:
        The warnings, where nothing forbids the request.

    Raises:
        CekalError: of the first kind found that says more than Invalid, with every fault.
    """
    found = Findings()
    for rule in _RULES:
        rule(request, owner, policy, today, found)
    if found.faults:
        kind, first = next((pair for pair in found.faults if pair[0] is not Invalid), found.faults[0])
        raise kind(first.detail, faults=[fault for _, fault in found.faults])
    return tuple(found.warnings)


_RULES: tuple[Callable[[Request, Owner, Policy, date, Findings], None], ...] = (
    identity.citizenship,
    identity.identity,
    ground.urgent_letter,
    identity.sense,
    period.period,
    period.extension,
    ground.instrument,
    ground.article,
    ground.ground,
    ground.witness,
    ground.tax,
    ground.foreigners_only,
    ground.victim,
    ground.letter_dates,
    ground.own_decision,
    identity.nik_fits,
)
